# Every page
signed-in-as = Aangemeld als { $user }
sign-out = Afmelden
your-applications = Uw toepassingen
error-title = Fout: { $title }
list-pair = { $before }, { $next }
yes = ja
no = nee
not-you = Bent u dit niet? { $link }.
not-you-link = Als iemand anders aanmelden
wait =
    { $minutes ->
        [0]
            { $seconds ->
                [one] een seconde
               *[other] { $seconds } seconden
            }
        [one] een minuut
       *[other] { $minutes } minuten
    }
date = { $day } { month } { $year }
time = { date }, { $clock } UTC
month =
    { $month ->
        [1] januari
        [2] februari
        [3] maart
        [4] april
        [5] mei
        [6] juni
        [7] juli
        [8] augustus
        [9] september
        [10] oktober
        [11] november
       *[12] december
    }

# sign-in.html
sign-in = Aanmelden
sign-in-to-continue = om verder te gaan naar { $client }
sign-in-already = U bent aangemeld als { $user }. { $link }, of meld u aan als iemand anders.
sign-in-already-link = Ga verder als { $user }
user-name = Gebruikersnaam
password = Wachtwoord
sign-in-empty-title = Er ontbreekt iets
sign-in-empty = Typ uw gebruikersnaam en uw wachtwoord.
sign-in-wrong-title = Verkeerde gebruikersnaam of verkeerd wachtwoord
sign-in-wrong = Controleer beide en probeer het opnieuw.
sign-in-busy-title = Veel mensen melden zich nu aan
sign-in-busy = Probeer het over enkele seconden opnieuw.
sign-in-stale-title = Deze pagina stond te lang open
sign-in-stale = Typ uw wachtwoord opnieuw.
sign-in-no-cookie-title = Uw browser heeft geen cookie gestuurd
sign-in-no-cookie = Om u aan te melden is een cookie nodig. Sta cookies toe voor deze site en typ uw wachtwoord opnieuw.
sign-in-too-many-title = Te veel pogingen
sign-in-too-many = Uw wachtwoord is niet gecontroleerd. Wacht { wait } en probeer het opnieuw.
sign-in-too-many-others = Uw wachtwoord is niet gecontroleerd, omdat veel anderen in uw netwerk deze gebruikersnaam proberen. Wacht { wait }, of probeer het vanuit een ander netwerk of in een browser waarin u al eerder was aangemeld.

# choose-account.html
choose-account = Kies een account
choose-account-continue = Doorgaan als { $user }
choose-account-other = Een ander account gebruiken

# consent.html
consent-title-identity = { $client } vraagt wie u bent
consent-title-access = { $client } vraagt toegang
consent-heading-identity = { $client } vraagt wie u bent
consent-heading-access = { $client } vraagt toegang tot uw account
consent-heading-more = { $client } vraagt om meer
consent-host = Niemand hier kent deze toepassing. Zo noemt { $host } haar; sta het alleen toe als u die site vertrouwt.
consent-registered-itself = Deze toepassing heeft zichzelf geregistreerd en haar naam zelf gekozen.
consent-trust-destination = Sta het alleen toe als u { $destination } vertrouwt, waar het antwoord heen gaat.
consent-trust-start = Sta het alleen toe als u dit zelf bent begonnen.
consent-device = Ze draait op een apparaat, dat nu deze code moet tonen:
consent-device-code = De code van het apparaat
consent-device-asked = Het apparaat vroeg dit op { $time }.
consent-device-asked-from = Het apparaat vroeg dit op { $time }, vanaf het adres { $address }.
consent-device-warning = Bent u dit niet zelf begonnen, of kwam de code in een bericht of aan de telefoon? Weiger dan.
consent-granted = U staat haar al toe
consent-wants = Ze wil
consent-wants-more = Nu wil ze ook
consent-claim = { $claim } zien: { $value }
consent-claim-unknown = { $claim } zien: hier niet bekend
consent-learns = { $claim }: { $value }
consent-resources = Bij { $resources }, en nergens anders.
consent-tick = Vink aan wat u toestaat.
consent-granted-stays = Wat u al toestaat, blijft zoals het is.
consent-untick = Vink uit wat u niet toestaat.
consent-learns-user-name = Met alles wat u toestaat komt ze uw gebruikersnaam te weten, { $user }.
consent-nothing-ticked = Als niets is aangevinkt, krijgt ze geen toegang.
consent-nothing-new = Ze vraagt niets nieuws.
consent-only-user-name = Ze komt uw gebruikersnaam te weten, { $user }, en verder niets.
consent-only-account = Ze komt te weten dat u hier een account hebt, en verder niets.
consent-allow = Toestaan
consent-deny = Weigeren
consent-to-app = U gaat terug naar de app op dit apparaat ({ $destination }). Opent die niet vanzelf, ga er dan zelf naar terug en sluit deze pagina.
consent-to-destination = U gaat naar { $destination }.
consent-to-device = Het apparaat gaat vanzelf verder.
consent-to-code = U krijgt een code te zien die u daar typt.
take-back = U kunt dit op elk moment intrekken onder { $link }.
take-back-link = ‘Uw toepassingen’
consent-by = van { $owner }
consent-lookalike = Dit is niet de toepassing { $client } die u al eerder hebt toegestaan.
consent-lookalike-at = Die andere is te vinden op { $places }.
consent-lookalike-deny = Weiger als u die andere bedoelde.
consent-data = Hoe ze met uw gegevens omgaat: { $links }
consent-policy = privacybeleid
consent-terms = gebruiksvoorwaarden
consent-lasts = Na uiterlijk { $duration } moet ze hier weer komen.
consent-last-allowed = U hebt haar voor het laatst iets toegestaan op { $date }.
consent-never-allowed = U hebt haar nog niet eerder iets toegestaan.
consent-known-since = Ze is hier bekend sinds { $date }.
consent-contacts = Vragen aan: { $contacts }.
duration-second =
    { $count ->
        [one] { $count } seconde
       *[other] { $count } seconden
    }
duration-minute =
    { $count ->
        [one] { $count } minuut
       *[other] { $count } minuten
    }
duration-hour = { $count } uur
duration-day =
    { $count ->
        [one] { $count } dag
       *[other] { $count } dagen
    }

# Scopes and claims
scope-openid = Weten wie u bent
scope-profile = Uw gebruikersnaam en profiel zien
scope-email = Uw e-mailadres zien
scope-address = Uw postadres zien
scope-phone = Uw telefoonnummer zien
scope-offline-access = Voor u handelen terwijl u afwezig bent
claim-preferred-username = Gebruikersnaam
claim-name = Naam
claim-given-name = Voornaam
claim-family-name = Achternaam
claim-middle-name = Tweede voornaam
claim-nickname = Bijnaam
claim-profile = Profielpagina
claim-picture = Foto
claim-website = Website
claim-gender = Geslacht
claim-birthdate = Geboortedatum
claim-zoneinfo = Tijdzone
claim-locale = Taal
claim-email = E-mailadres
claim-email-verified = E-mailadres is gecontroleerd
claim-phone-number = Telefoonnummer
claim-phone-number-verified = Telefoonnummer is gecontroleerd
claim-address = Postadres
address-formatted = Volledig adres
address-street-address = Straat
address-postal-code = Postcode
address-locality = Plaats
address-region = Regio
address-country = Land

# device.html
device = Een apparaat verbinden
device-compare = Vergelijk deze code met die op uw apparaat. Verschillen ze, sluit dan deze pagina.
device-type = Typ de code die uw apparaat toont.
device-code = Code
device-continue = Doorgaan
device-warning = Ga alleen door als u dit op een eigen apparaat bent begonnen. Een code die in een bericht of aan de telefoon kwam, is een poging om in uw account te komen.
device-missing-title = Er ontbreekt iets
device-missing = Typ de code die uw apparaat toont.
device-malformed-title = Dit is geen code
device-malformed = Een code heeft acht letters en geen cijfers.
device-unknown-title = Geen apparaat wacht met deze code
device-unknown = Vergelijk hem met de code die uw apparaat nu toont.
device-expired-title = Deze code is verlopen
device-expired = Laat uw apparaat een nieuwe tonen en typ die.
device-answered-title = Deze code is al gebruikt
device-answered = Als uw apparaat nog wacht, laat het dan een nieuwe tonen.
device-too-many-title = Er zijn te veel codes geprobeerd
device-too-many = Deze is niet gecontroleerd. Wacht { wait } en probeer het opnieuw.
device-unusable-title = Deze code kan niet worden gebruikt
device-unusable = Laat uw apparaat een nieuwe tonen en typ die.

# verifier.html
verifier-hint = Hij is één keer geldig, en niet lang. Typ hem daar.
verifier-code = Uw code
verifier-warning = Hij is alleen voor { $client }. Geef hem aan niemand: wie er in een bericht of aan de telefoon om vraagt, wil in uw account komen.

# sign-out.html and signed-out.html
sign-out-question = Afmelden?
sign-out-asked-by = De toepassing { $client } vraagt om u hier af te melden.
sign-out-asked = Een toepassing vraagt om u hier af te melden.
sign-out-stay = Aangemeld blijven
sign-out-then = Daarna gaat u verder naar { $destination }.
signed-out-applications = Toepassingen behouden wat u hun hebt toegestaan.
signed-out-again = Opnieuw aanmelden
signed-out-everywhere-title = U bent overal afgemeld
signed-in-instead = Toepassingen krijgen te horen dat de vorige gebruiker is afgemeld. Daarna gaat deze pagina verder.
go-on = Verder

# applications.html
account-may-act = Deze mogen voor u handelen, totdat u het intrekt.
account-further = Meer toepassingen
account-nobody = U hebt geen toepassing toegestaan uw account te gebruiken. Zodra u dat doet, staat ze hier, en kunt u het op elk moment intrekken.
account-host = Niemand hier kent deze toepassing. Zo noemt { $host } haar.
account-registered-itself = Ze heeft zichzelf geregistreerd en haar naam zelf gekozen.
account-answers-go = Haar antwoorden gaan naar { $destinations }.
account-known-since = Hier bekend sinds { $date }, als { $id }
account-changed = Ze heeft op { $date } haar naam of adres veranderd, nadat u haar had toegestaan.
account-at = Bij { $places }
account-open = { $client } openen
account-first-allowed = Voor het eerst toegestaan op { $date }
account-last-token = laatste token { $time }
account-tokens-end = haar tokens verlopen uiterlijk { $time }
account-no-token = ze heeft nu geen token
account-withdraw = Intrekken
account-withdraw-label = Toegang van { $client } intrekken
account-tokens = Uw toegangstokens
account-token-made = Dit is het token { $name }. Kopieer het nu: het wordt niet nog eens getoond.
account-tokens-hint = Een programma dat er een heeft, handelt voor u totdat het verloopt. Intrekken beëindigt het meteen.
account-token-since = Sinds { $date }
account-token-expires = verloopt { $time }
account-token-revoke = Intrekken
account-token-revoke-label = Het token { $name } intrekken
account-token-sign-in = Om een token te maken, { $link }: u hebt zich een tijd geleden voor het laatst aangemeld.
account-token-sign-in-link = meldt u zich opnieuw aan
account-token-name = Naam van een nieuw token
account-token-valid = Geldig voor
account-token-days =
    { $days ->
        [one] { $days } dag
       *[other] { $days } dagen
    }
account-token-make = Een token maken
account-token-bad-name = Geef het token een naam van hoogstens 100 tekens, waaraan u het herkent.
account-token-no-scope = Kies wat een programma met het token mag doen.
account-token-no-days = Kies hoelang het token geldig is.
account-token-too-many = U hebt honderd tokens. Trek er een in die u niet meer nodig hebt.
account-profile = Uw profiel
account-profile-hint = Toepassingen komen ervan te weten wat u toestaat.
account-profile-more = Meer gegevens die u kunt invullen
account-profile-save = Opslaan
account-profile-unknown = Er is niets veranderd. Zoiets bewaart deze site niet.
account-profile-unseen = Er is niets veranderd. { $claim }: zonder stuurtekens en onzichtbare tekens.
account-profile-length = Er is niets veranderd. { $claim }: 1 tot 1000 tekens.
account-profile-line = Er is niets veranderd. { $claim }: één regel, zonder spaties aan begin of eind.
account-profile-url = Er is niets veranderd. { $claim }: dit moet een webadres zijn, zoals https://ada.example.
account-profile-email = Er is niets veranderd. { $claim }: dit moet een adres zijn zoals ada@example.com.
account-profile-birthdate = Er is niets veranderd. { $claim }: dit moet een datum zijn zoals 1815-12-10, 0000-12-10 zonder het jaar, of alleen een jaar.
account-profile-wrong = Er is niets veranderd. { $claim }: deze waarde kan niet worden gebruikt.
account-sessions = Waar u bent aangemeld
account-session-here = deze browser
account-session-from = Vanaf { $address }
account-session-used = laatst gebruikt { $ago }
account-session-signed-in = aangemeld { $time }
account-session-end-label = { $browser } op { $address } afmelden, laatst gebruikt { $time }
account-sessions-hint = Herkent u er een niet, { $link }: dat beëindigt alle andere. Toepassingen behouden wat u hun hebt toegestaan.
account-sessions-hint-link = verander dan uw wachtwoord
account-sign-out-others = Overal elders afmelden
account-sign-out-everywhere = Overal afmelden
account-account = Uw account
account-password-hint = Een nieuw wachtwoord meldt u overal elders af.
account-data = Uw gegevens
account-data-hint = Een bestand met alles wat deze site over u weet. Er staat geen wachtwoord en geen token in.
account-data-download = Uw gegevens downloaden
export-lead = U hebt zich enige tijd geleden aangemeld. Typ uw wachtwoord, zodat niemand anders uw gegevens krijgt.
account-deletion = Verwijdering
account-deletion-hint = Uw account en de toegang van alle toepassingen, voorgoed.
ago-second = zojuist
ago-minute =
    { $count ->
        [one] { $count } minuut geleden
       *[other] { $count } minuten geleden
    }
ago-hour = { $count } uur geleden
ago-day =
    { $count ->
        [one] { $count } dag geleden
       *[other] { $count } dagen geleden
    }
browser-on-system = { $browser } op { $system }
browser-unknown = Een onbekende browser
note-withdrawn = Ingetrokken. De toepassing kan niet meer voor u handelen.
note-nothing-withdrawn = Er was niets in te trekken. Er is niets veranderd.
note-session-ended = Daar afgemeld. Die browser moet zich opnieuw aanmelden.
note-others-ended = Overal elders afgemeld. Deze browser is nog aangemeld.
note-password-changed = Uw wachtwoord is veranderd. U bent overal elders afgemeld.
note-token-revoked = Ingetrokken. Programma’s die het token hebben, kunnen niet meer voor u handelen.
note-profile-changed = Uw profiel is veranderd.
note-ended-before = Het was al beëindigd. Er is niets veranderd.

# withdraw.html
withdraw-title = Toegang intrekken
withdraw-question = De toegang van { $client } intrekken?
withdraw-host = Zo noemt { $host } haar.
withdraw-no-longer = Ze kan dan niet meer
withdraw-ends = Haar toegang eindigt meteen. Wat ze zelf heeft bewaard, heeft ze nog. Ze kan het u opnieuw vragen.
withdraw-ends-sign-ins = Haar toegang eindigt meteen, waar u haar ook gebruikt: { $count } aanmeldingen eindigen. Wat ze zelf heeft bewaard, heeft ze nog. Ze kan het u opnieuw vragen.
keep-it = Behouden

# password.html
password-change = Uw wachtwoord veranderen
password-until-now = Uw wachtwoord tot nu toe
password-new = Nieuw wachtwoord
password-new-rules = Minstens { $least } willekeurige tekens, en geen van de veelgebruikte wachtwoorden die aanvallers het eerst proberen.
password-again = Nieuw wachtwoord, nog een keer
password-effect = U blijft hier aangemeld en wordt overal elders afgemeld. Toepassingen behouden wat u hun hebt toegestaan.
password-change-button = Wachtwoord veranderen
cancel = Annuleren
password-wrong-title = Verkeerd wachtwoord
password-wrong = Typ het wachtwoord waarmee u zich aanmeldt.
password-differ-title = De nieuwe wachtwoorden verschillen
password-differ = Typ twee keer hetzelfde nieuwe wachtwoord.
password-another-title = Kies een ander wachtwoord
password-too-short = Een wachtwoord heeft minstens { $least } tekens.
password-too-long = Een wachtwoord heeft hoogstens { $most } bytes.
password-common = Dit is een van de meest gebruikte wachtwoorden, die aanvallers het eerst proberen.
password-same = Dit is het wachtwoord dat u al hebt.

# delete-account.html
delete-account = Uw account verwijderen
delete-account-lead = Het account { $user } wordt voorgoed verwijderd, met alles wat deze site over u weet.
delete-account-sign-out = U wordt overal afgemeld en kunt zich niet meer aanmelden.
delete-account-applications = Toepassingen en toegangstokens kunnen hier niet meer voor u handelen.
delete-account-stored = Wat toepassingen zelf hebben bewaard, hebben ze nog.
delete-account-password = Uw wachtwoord
delete-account-button = Account verwijderen
deleted-account-title = Uw account is verwijderd
deleted-account = Wat deze site over u wist, is weg, en toepassingen kunnen hier niet meer voor u handelen. Wat ze zelf hebben bewaard, hebben ze nog.

# message.html
message-code = Voor de beheerders van de toepassing: { $code }
message-request-id = Als u om hulp vraagt, geef de beheerder dan dit nummer: { $number }
signed-out-meanwhile = Er is niets toegestaan. Meld u aan en antwoord opnieuw, of ga terug naar de toepassing en begin daar.
foreign-form-title = Dit formulier is niet van hier
foreign-form = Er is niets veranderd. Open de pagina opnieuw en herhaal wat u wilde doen.
unreadable-form-title = Dit formulier kan niet worden gelezen
unreadable-form = Er is niets veranderd. Open de pagina opnieuw en herhaal wat u wilde doen.
not-found-title = Deze pagina bestaat niet
not-found = Misschien is het adres verkeerd getypt, of bestaat de pagina niet meer.
wrong-method-title = Zo kan deze pagina niet worden gebruikt
wrong-method = Open haar via haar adres, of verstuur het formulier dat erop staat.
your-account-sign-out = Uw account, waar u zich kunt afmelden

# Requests that no page sees
refused-title = Dit verzoek is geweigerd
refused-head = Er is niets veranderd. Uw browser heeft meer meegestuurd dan deze site aanneemt (16 KiB), misschien te veel cookies. Verwijder de cookies van deze site en probeer het opnieuw.
refused-host = Er is niets veranderd. Uw browser, of iets tussen uw browser en deze site, heeft niet gezegd welke site bedoeld is.
refused-large = Er is niets veranderd. Wat u hebt verstuurd, is groter dan deze site aanneemt (64 KiB). Ga terug en verstuur minder.
refused-slow = Er is niets veranderd. Wat u hebt verstuurd, kwam te langzaam aan. Ga terug en probeer het opnieuw.
refused-broken = Er is niets veranderd. Wat u hebt verstuurd, kwam onvolledig aan. Ga terug en probeer het opnieuw.
refused-room = Er is niets veranderd. Te veel mensen gebruiken deze site op dit moment. Probeer het over enkele seconden opnieuw.
refused-not-current = Er is niets gewijzigd. Deze site wordt verplaatst. Probeer het over een paar minuten opnieuw.
