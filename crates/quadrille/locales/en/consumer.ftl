# Pages of a login. Each text is one line, with values as in { $name } and nothing else of Fluent.

code-label = Code:
the-service = the service
back-to-site = Back to the site
try-again = Try again
hop-title = One moment
hop-link = Go on
popup-finished-title = You are logged in
popup-close = You can close this window.

# Errors, each with its heading.
login-refused-title = You did not log in
login-refused = You refused at { $service }. Nothing was changed.
login-expired-title = That took too long
login-expired = This login began more than an hour ago, or before the keys of this site were replaced.
login-cookie-title = This login is not known any more
login-cookie = It was finished before, or it began in another browser or at another address of this site, or the browser did not keep its cookie.
login-not-begun-title = This login did not begin here
login-not-begun = The answer of { $service } fits no login that was started on this site. Go back to the site and log in again.
login-link-title = This link is broken
login-link = A parameter of the link to this login is repeated, too long or damaged.
login-link-issuer = The link to this login names another provider than { $service }.
login-link-elsewhere = The link to this login leads to a page outside of this site.
login-other-site-title = This request is not of this site
login-other-site = Only pages and programs of this site may do that.
login-other-user-title = Another user is signed in now
login-other-user = Another user of this site began the login, so it was not finished.
login-other-account-title = That was another account
login-other-account = The further permission must come from the account at { $service } that is linked already.
login-not-admitted-title = This account is not admitted here
login-not-admitted = This site admits only some accounts of { $service }. Choose another one there.
login-taken-title = This account belongs to another user
login-taken = The account at { $service } is linked to another user of this site. Sign out to sign in as that user, or choose another account at { $service }.
login-user-removed-title = You are signed in no longer
login-user-removed = The user signed in was removed. Sign out, then sign in again.
login-no-address-title = That is no address
login-no-address = Type your e-mail address at work, or the address of your organization.
login-organization-title = This organization is not known here
login-organization = No login was found for what you typed, or this site does not admit it.
login-busy-title = Too many people log in at this moment
login-busy = Wait for a minute, then try again.
login-id-token = What your browser brought from { $service } is not valid for a login here. Nothing was changed.
login-loop-title = The login is going in circles
login-loop = You have returned from { $service } three times, but this page finds no account with the permissions that it needs. Perhaps { $service } granted fewer permissions than the page requested, or the browser refuses the cookies of this site, or the site stores no accounts.
login-unseen = { $service } has a question for you first, so it could not let you in unseen.
login-refused-by-service = { $service } refused this login ({ $code }). The log of this site has its words.
login-not-set-up-title = This site is not set up for this login
login-credentials = { $service } rejected the credentials of this site, which its operator must check.
login-not-set-up = The operator of this site finds the reason in its log.
login-for-developers = For the developers of this site: { $reason }.
login-no-response-title = No response
login-no-response = { $service } cannot be reached, or is overloaded. Try again in a moment.
login-not-looked-up = This site cannot look that up now. Try again in a moment.
login-failed-title = That did not work
login-response = The response of { $service } cannot be used.
login-api = This page sent a request to { $service }, and the response was an error ({ $status }).
login-first-title = Log in first
login-first = This page needs your account at { $service }.
login-unknown-title = No such login
login-unknown = This site has no login with this name.

# Questions.
ask-login-title = Log in with { $service }?
ask-login = A link outside of this site brought you here. If you go on, the account that you use at { $service } is connected with you on this site.
ask-login-not-meant = If you did not mean to log in, go back: nothing has happened.
ask-login-go-on = Go on to { $service }
ask-logout-title = Log out of { $service }?
ask-logout = This site then forgets the account that you use at { $service }.
ask-logout-button = Log out
logged-out-title = You are logged out of { $service }
logged-out-nothing = No account at { $service } was linked.
logged-out-revoked = This site has no access to your account at { $service } any more.
logged-out-kept = This site has forgotten your account. To end its access at { $service }, remove it in your settings there.
logged-out-unconfirmed = This site has forgotten your account, but { $service } did not confirm that its access has ended. Remove this site in your settings there.

# A program on the user's machine that waits for a login.
program-done = You are logged in with { $service }. Close this window, and return to the program.
program-denied = You refused at { $service }.
program-failed-title = The login failed
program-return = Close this window, and return to the program.
program-nothing-title = There is nothing here
program-other-title = This is not the login that the program waits for
program-other = The program still waits. Finish the login in the window that it opened.
program-cancelled-title = The login was cancelled
program-cancelled = The program waits no longer.
