# The texts of the pages, in the order of the pages. Values such as { $client } are names, links or numbers; only numbers
# select a variant. Texts of errors are named by the error, their headings have -title.

# Every page
signed-in-as = Signed in as { $user }
sign-out = Sign out
your-applications = Your applications
error-title = Error: { $title }
list-pair = { $before }, { $next }
yes = yes
no = no
not-you = Not you? { $link }.
not-you-link = Sign in as someone else
wait =
    { $minutes ->
        [0]
            { $seconds ->
                [one] a second
               *[other] { $seconds } seconds
            }
        [one] a minute
       *[other] { $minutes } minutes
    }
date = { $day } { month } { $year }
time = { date }, { $clock } UTC
month =
    { $month ->
        [1] January
        [2] February
        [3] March
        [4] April
        [5] May
        [6] June
        [7] July
        [8] August
        [9] September
        [10] October
        [11] November
       *[12] December
    }

# sign-in.html
sign-in = Sign in
sign-in-to-continue = to continue to { $client }
sign-in-already = You are signed in as { $user }. { $link }, or sign in as someone else.
sign-in-already-link = Go on as { $user }
user-name = User name
password = Password
sign-in-empty-title = Something is missing
sign-in-empty = Type your user name and your password.
sign-in-wrong-title = Wrong user name or password
sign-in-wrong = Check both and try again.
sign-in-busy-title = Many people are signing in
sign-in-busy = Try again in a few seconds.
sign-in-stale-title = This page lay open too long
sign-in-stale = Type your password again.
sign-in-no-cookie-title = Your browser sent no cookie
sign-in-no-cookie = You are signed in by a cookie. Allow cookies for this site, then type your password again.
sign-in-too-many-title = Too many attempts
sign-in-too-many = Your password was not looked at. Wait { wait }, then try again.
sign-in-too-many-others = Your password was not looked at, as many others from your network try this user name. Wait { wait }, or try from another network, or in a browser in which you have signed in before.

# choose-account.html
choose-account = Choose an account
choose-account-continue = Continue as { $user }
choose-account-other = Use another account

# consent.html
consent-title-identity = { $client } asks who you are
consent-title-access = { $client } asks for access
consent-heading-identity = { $client } asks who you are
consent-heading-access = { $client } asks for access to your account
consent-heading-more = { $client } asks for more
consent-host = Nobody here knows this application. That is what { $host } calls it; allow it only if you trust that site.
consent-registered-itself = This application registered itself, and chose its name.
consent-trust-destination = Allow it only if you trust { $destination }, where the answer goes.
consent-trust-start = Allow it only if you started it yourself.
consent-device = It runs on a device, which must show this code now:
consent-device-code = The code of the device
consent-device-asked = The device asked at { $time }.
consent-device-asked-from = The device asked at { $time }, from the address { $address }.
consent-device-warning = Did you not start this yourself, or did the code come in a message or on the phone? Then deny.
consent-granted = You already let it
consent-wants = It wants to
consent-wants-more = Now it also wants to
consent-claim = See { $claim }: { $value }
consent-claim-unknown = See { $claim }: not known here
consent-learns = { $claim }: { $value }
consent-resources = At { $resources }, and nowhere else.
consent-tick = Tick what you allow.
consent-granted-stays = What you already let it do stays as it is.
consent-untick = Untick what you do not allow.
consent-learns-user-name = With anything that you allow it learns your user name, { $user }.
consent-nothing-ticked = With nothing ticked, it gets no access.
consent-nothing-new = It asks for nothing new.
consent-only-user-name = It learns your user name, { $user }, and nothing else.
consent-only-account = It learns that you have an account here, and nothing else.
consent-allow = Allow
consent-deny = Deny
consent-to-app = You will go back to the app on this device ({ $destination }). If it does not open by itself, go back to it, and close this page.
consent-to-destination = You will go to { $destination }.
consent-to-device = The device goes on by itself.
consent-to-code = You will be shown a code to type in there.
take-back = You can take this back at any time under { $link }.
take-back-link = your applications
consent-by = by { $owner }
consent-lookalike = This is not the { $client } that you have allowed before.
consent-lookalike-at = That one is at { $places }.
consent-lookalike-deny = Deny, if you meant that one.
consent-data = How it treats your data: { $links }
consent-policy = privacy policy
consent-terms = terms of service
consent-lasts = After { $duration } at the latest, it has to come here again.
consent-last-allowed = You last allowed it something on { $date }.
consent-never-allowed = You have not allowed it anything before.
consent-known-since = It is known here since { $date }.
consent-contacts = Questions to it: { $contacts }.
duration-second =
    { $count ->
        [one] { $count } second
       *[other] { $count } seconds
    }
duration-minute =
    { $count ->
        [one] { $count } minute
       *[other] { $count } minutes
    }
duration-hour =
    { $count ->
        [one] { $count } hour
       *[other] { $count } hours
    }
duration-day =
    { $count ->
        [one] { $count } day
       *[other] { $count } days
    }

# Scopes and claims of OpenID Connect. scope-NAME and claim-NAME also name those of the settings.
scope-openid = Know who you are
scope-profile = See your user name and profile
scope-email = See your e-mail address
scope-address = See your postal address
scope-phone = See your phone number
scope-offline-access = Act for you while you are away
claim-preferred-username = User name
claim-name = Name
claim-given-name = Given name
claim-family-name = Family name
claim-middle-name = Middle name
claim-nickname = Nickname
claim-profile = Profile page
claim-picture = Picture
claim-website = Website
claim-gender = Gender
claim-birthdate = Date of birth
claim-zoneinfo = Time zone
claim-locale = Language
claim-email = E-mail address
claim-email-verified = E-mail address was checked
claim-phone-number = Phone number
claim-phone-number-verified = Phone number was checked
claim-address = Postal address
address-formatted = Whole address
address-street-address = Street
address-postal-code = Postal code
address-locality = City
address-region = Region
address-country = Country

# device.html
device = Connect a device
device-compare = Compare this code with the one that your device shows. If they differ, close this page.
device-type = Type in the code that your device shows.
device-code = Code
device-continue = Continue
device-warning = Go on only if you have started this on a device of your own. A code that came in a message or on the phone is an attempt to get into your account.
device-missing-title = Something is missing
device-missing = Type in the code that your device shows.
device-malformed-title = This is no code
device-malformed = A code has eight letters, and no digits.
device-unknown-title = No device waits with this code
device-unknown = Compare it with the code that your device shows now.
device-expired-title = This code has expired
device-expired = Have your device show a new one, and type that in.
device-answered-title = This code was used before
device-answered = If your device still waits, have it show a new one.
device-too-many-title = Too many codes were tried
device-too-many = This one was not looked at. Wait { wait }, then try again.
device-unusable-title = This code cannot be used
device-unusable = Have your device show a new one, and type that in.

# verifier.html
verifier-hint = It is good once, and not for long. Type it in there.
verifier-code = Your code
verifier-warning = It is for { $client } alone. Do not give it to a person: somebody who asks for it in a message or on the phone wants to get into your account.

# sign-out.html and signed-out.html
sign-out-question = Sign out?
sign-out-asked-by = The application { $client } asks to sign you out here.
sign-out-asked = An application asks to sign you out here.
sign-out-stay = Stay signed in
sign-out-then = Then you go on to { $destination }.
signed-out-applications = Applications that you let in keep what you allowed them.
signed-out-again = Sign in again
signed-out-everywhere-title = You are signed out everywhere
signed-in-instead = Applications learn that the user before is signed out. Then this page goes on.
go-on = Go on

# applications.html
account-may-act = These applications may act for you, until you withdraw their access.
account-further = Further applications
account-nobody = You have not allowed any application to use your account. Once you do, it is listed here, and you can withdraw it at any time.
account-host = Nobody here knows this application. That is what { $host } calls it.
account-registered-itself = It registered itself, and chose its name.
account-answers-go = Its answers go to { $destinations }.
account-known-since = Known here since { $date }, as { $id }
account-changed = It changed its name or its address on { $date }, after you allowed it.
account-at = At { $places }
account-open = Open { $client }
account-first-allowed = First allowed on { $date }
account-last-token = last token { $time }
account-tokens-end = its tokens end by { $time }
account-no-token = it has no token now
account-withdraw = Withdraw
account-withdraw-label = Withdraw access of { $client }
account-tokens = Your access tokens
account-token-made = This is the token { $name }. Copy it now: it is not shown again.
account-tokens-hint = A program that has one of these acts for you until it expires. Revoking ends it at once.
account-token-since = Since { $date }
account-token-expires = expires { $time }
account-token-revoke = Revoke
account-token-revoke-label = Revoke the token { $name }
account-token-sign-in = To make a token, { $link }: your last sign-in was a while ago.
account-token-sign-in-link = sign in again
account-token-name = Name of a new token
account-token-valid = Valid for
account-token-days =
    { $days ->
        [one] { $days } day
       *[other] { $days } days
    }
account-token-make = Make a token
account-token-bad-name = Give the token a name of at most 100 characters, by which you know it.
account-token-no-scope = Choose what a program with the token may do.
account-token-no-days = Choose how long the token is valid.
account-token-too-many = You have a hundred tokens. Revoke one that you do not need any more.
account-profile = Your profile
account-profile-hint = Applications learn of it what you allow them.
account-profile-more = More that you can fill in
account-profile-save = Save
account-profile-unknown = Nothing was changed. This site keeps no such thing.
account-profile-unseen = Nothing was changed. { $claim }: use no control characters and no invisible ones.
account-profile-length = Nothing was changed. { $claim }: use 1 to 1000 characters.
account-profile-line = Nothing was changed. { $claim }: use one line, without spaces at either end.
account-profile-url = Nothing was changed. { $claim }: this must be an address on the web, such as https://ada.example.
account-profile-email = Nothing was changed. { $claim }: this must be an address such as ada@example.com.
account-profile-birthdate = Nothing was changed. { $claim }: this must be a date such as 1815-12-10, 0000-12-10 without the year, or a year alone.
account-profile-wrong = Nothing was changed. { $claim }: this value cannot be used.
account-sessions = Where you are signed in
account-session-here = this browser
account-session-from = From { $address }
account-session-used = last used { $ago }
account-session-signed-in = signed in { $time }
account-session-end-label = Sign out { $browser } at { $address }, last used { $time }
account-sessions-hint = If you do not know one of them, { $link }: it ends all the others. Applications keep what you allowed them.
account-sessions-hint-link = change your password
account-sign-out-others = Sign out all others
account-sign-out-everywhere = Sign out everywhere
account-account = Your account
account-password-hint = A new one signs you out everywhere else.
account-data = Your data
account-data-hint = A file with all that this site knows about you. It has no password and no token.
account-data-download = Download your data
export-lead = You signed in some time ago. Type your password, so that nobody else gets your data.
account-deletion = Deletion
account-deletion-hint = Your account, and the access of all applications, for good.
ago-second = just now
ago-minute =
    { $count ->
        [one] { $count } minute ago
       *[other] { $count } minutes ago
    }
ago-hour =
    { $count ->
        [one] { $count } hour ago
       *[other] { $count } hours ago
    }
ago-day =
    { $count ->
        [one] { $count } day ago
       *[other] { $count } days ago
    }
browser-on-system = { $browser } on { $system }
browser-unknown = An unknown browser
note-withdrawn = Withdrawn. The application can no longer act for you.
note-nothing-withdrawn = There was nothing to withdraw. Nothing was changed.
note-session-ended = Signed out there. That browser has to sign in again.
note-others-ended = Signed out everywhere else. This browser is still signed in.
note-password-changed = Your password was changed. You are signed out everywhere else.
note-token-revoked = Revoked. Programs that have the token can no longer act for you.
note-profile-changed = Your profile was changed.
note-ended-before = It had ended before. Nothing was changed.

# withdraw.html
withdraw-title = Withdraw access
withdraw-question = Withdraw the access of { $client }?
withdraw-host = That is what { $host } calls it.
withdraw-no-longer = It can no longer
withdraw-ends = Its access ends at once. What it has stored itself, it still has. It can ask you again.
withdraw-ends-sign-ins = Its access ends at once, wherever you use it: { $count } sign-ins end. What it has stored itself, it still has. It can ask you again.
keep-it = Keep it

# password.html
password-change = Change your password
password-until-now = Your password until now
password-new = New password
password-new-rules = At least { $least } characters of any kind, and none of the common passwords that attackers try first.
password-again = New password, once more
password-effect = You stay signed in here, and are signed out everywhere else. Applications keep what you allowed them.
password-change-button = Change the password
cancel = Cancel
password-wrong-title = Wrong password
password-wrong = Type the password with which you sign in.
password-differ-title = The new passwords differ
password-differ = Type the same new password twice.
password-another-title = Choose another password
password-too-short = A password has at least { $least } characters.
password-too-long = A password has at most { $most } bytes.
password-common = This is one of the most common passwords, which attackers try first.
password-same = This is the password that you have now.

# delete-account.html
delete-account = Delete your account
delete-account-lead = The account { $user } is deleted for good, with all that this site knows about you.
delete-account-sign-out = You are signed out everywhere, and cannot sign in again.
delete-account-applications = Applications and access tokens can no longer act for you here.
delete-account-stored = What applications have stored themselves, they still have.
delete-account-password = Your password
delete-account-button = Delete the account
deleted-account-title = Your account is deleted
deleted-account = What this site knew about you is gone, and applications can no longer act for you here. What they have stored themselves, they still have.

# message.html
message-code = For the people who run the application: { $code }
message-request-id = If you ask for help, tell the operator this number: { $number }
signed-out-meanwhile = Nothing was granted. Sign in and answer again, or go back to the application and start there.
foreign-form-title = This form is not from here
foreign-form = Nothing was changed. Open the page again and repeat what you wanted to do.
unreadable-form-title = This form cannot be read
unreadable-form = Nothing was changed. Open the page again and repeat what you wanted to do.
not-found-title = There is no such page
not-found = The address may be mistyped, or the page is gone.
wrong-method-title = This page cannot be used like that
wrong-method = Open it by its address, or send the form that is on it.
your-account-sign-out = Your account, where you can sign out

# Requests that no page sees
refused-title = This request was refused
refused-head = Nothing was changed. Your browser sent along more than this site accepts (16 KiB), perhaps too many cookies. Delete the cookies of this site, then try again.
refused-host = Nothing was changed. Your browser, or something between it and this site, did not say which site it wants.
refused-large = Nothing was changed. What you sent is larger than this site accepts (64 KiB). Go back, and send less.
refused-slow = Nothing was changed. What you sent took too long to arrive. Go back, and try again.
refused-broken = Nothing was changed. What you sent arrived incomplete. Go back, and try again.
refused-room = Nothing was changed. Too many people use this site at this moment. Try again in a few seconds.
refused-not-current = Nothing was changed. This site is being moved to another place. Try again in a few minutes.
