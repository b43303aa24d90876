# Every page
signed-in-as = Angemeldet als { $user }
sign-out = Abmelden
your-applications = Ihre Anwendungen
error-title = Fehler: { $title }
list-pair = { $before }, { $next }
yes = ja
no = nein
not-you = Nicht Sie? { $link }.
not-you-link = Als jemand anderes anmelden
wait =
    { $minutes ->
        [0]
            { $seconds ->
                [one] eine Sekunde
               *[other] { $seconds } Sekunden
            }
        [one] eine Minute
       *[other] { $minutes } Minuten
    }
date = { $day }. { month } { $year }
time = { date }, { $clock } UTC
month =
    { $month ->
        [1] Januar
        [2] Februar
        [3] März
        [4] April
        [5] Mai
        [6] Juni
        [7] Juli
        [8] August
        [9] September
        [10] Oktober
        [11] November
       *[12] Dezember
    }

# sign-in.html
sign-in = Anmelden
sign-in-to-continue = um mit { $client } fortzufahren
sign-in-already = Sie sind als { $user } angemeldet. { $link }, oder melden Sie sich als jemand anderes an.
sign-in-already-link = Als { $user } weitermachen
user-name = Benutzername
password = Passwort
sign-in-empty-title = Es fehlt etwas
sign-in-empty = Geben Sie Ihren Benutzernamen und Ihr Passwort ein.
sign-in-wrong-title = Falscher Benutzername oder falsches Passwort
sign-in-wrong = Prüfen Sie beides, und versuchen Sie es noch einmal.
sign-in-busy-title = Viele melden sich gerade an
sign-in-busy = Versuchen Sie es in einigen Sekunden noch einmal.
sign-in-stale-title = Diese Seite war zu lange offen
sign-in-stale = Geben Sie Ihr Passwort noch einmal ein.
sign-in-no-cookie-title = Ihr Browser hat kein Cookie geschickt
sign-in-no-cookie = Die Anmeldung braucht ein Cookie. Erlauben Sie Cookies für diese Website, und geben Sie dann Ihr Passwort noch einmal ein.
sign-in-too-many-title = Zu viele Versuche
sign-in-too-many = Ihr Passwort wurde nicht geprüft. Warten Sie { wait }, und versuchen Sie es dann noch einmal.
sign-in-too-many-others = Ihr Passwort wurde nicht geprüft, weil viele andere aus Ihrem Netz diesen Benutzernamen versuchen. Warten Sie { wait }, oder versuchen Sie es aus einem anderen Netz oder in einem Browser, in dem Sie schon einmal angemeldet waren.

# choose-account.html
choose-account = Konto wählen
choose-account-continue = Weiter als { $user }
choose-account-other = Anderes Konto verwenden

# consent.html
consent-title-identity = { $client } fragt, wer Sie sind
consent-title-access = { $client } bittet um Zugriff
consent-heading-identity = { $client } fragt, wer Sie sind
consent-heading-access = { $client } bittet um Zugriff auf Ihr Konto
consent-heading-more = { $client } bittet um mehr
consent-host = Niemand hier kennt diese Anwendung. So nennt { $host } sie; erlauben Sie es nur, wenn Sie dieser Website vertrauen.
consent-registered-itself = Diese Anwendung hat sich selbst registriert und ihren Namen selbst gewählt.
consent-trust-destination = Erlauben Sie es nur, wenn Sie { $destination } vertrauen; dorthin geht die Antwort.
consent-trust-start = Erlauben Sie es nur, wenn Sie den Vorgang selbst begonnen haben.
consent-device = Sie läuft auf einem Gerät, das jetzt diesen Code anzeigen muss:
consent-device-code = Der Code des Geräts
consent-device-asked = Das Gerät hat am { $time } gefragt.
consent-device-asked-from = Das Gerät hat am { $time } gefragt, von der Adresse { $address } aus.
consent-device-warning = Haben Sie das nicht selbst begonnen, oder kam der Code in einer Nachricht oder am Telefon? Dann lehnen Sie ab.
consent-granted = Das darf die Anwendung schon:
consent-wants = Die Anwendung möchte:
consent-wants-more = Jetzt möchte sie außerdem:
consent-claim = { $claim } sehen: { $value }
consent-claim-unknown = { $claim } sehen: hier nicht bekannt
consent-learns = { $claim }: { $value }
consent-resources = Bei { $resources } und sonst nirgends.
consent-tick = Kreuzen Sie an, was Sie erlauben.
consent-granted-stays = Was Sie schon erlaubt haben, bleibt, wie es ist.
consent-untick = Entfernen Sie das Häkchen bei dem, was Sie nicht erlauben.
consent-learns-user-name = Mit allem, was Sie erlauben, erfährt die Anwendung Ihren Benutzernamen, { $user }.
consent-nothing-ticked = Ist nichts angekreuzt, erhält sie keinen Zugriff.
consent-nothing-new = Sie bittet um nichts Neues.
consent-only-user-name = Sie erfährt Ihren Benutzernamen, { $user }, und sonst nichts.
consent-only-account = Sie erfährt, dass Sie hier ein Konto haben, und sonst nichts.
consent-allow = Erlauben
consent-deny = Ablehnen
consent-to-app = Sie kehren zur App auf diesem Gerät zurück ({ $destination }). Öffnet sie sich nicht von selbst, wechseln Sie zu ihr, und schließen Sie diese Seite.
consent-to-destination = Sie werden zu { $destination } weitergeleitet.
consent-to-device = Das Gerät macht von selbst weiter.
consent-to-code = Sie erhalten einen Code, den Sie dort eingeben.
take-back = Sie können das jederzeit widerrufen, unter { $link }.
take-back-link = „Ihre Anwendungen“
consent-by = von { $owner }
consent-lookalike = Das ist nicht die Anwendung { $client }, der Sie schon etwas erlaubt haben.
consent-lookalike-at = Jene ist bei { $places }.
consent-lookalike-deny = Lehnen Sie ab, wenn Sie jene gemeint haben.
consent-data = Wie sie mit Ihren Daten umgeht: { $links }
consent-policy = Datenschutzerklärung
consent-terms = Nutzungsbedingungen
consent-lasts = Nach spätestens { $duration } muss sie wieder hierher kommen.
consent-last-allowed = Zuletzt haben Sie ihr am { $date } etwas erlaubt.
consent-never-allowed = Sie haben ihr bisher nichts erlaubt.
consent-known-since = Hier ist sie seit { $date } bekannt.
consent-contacts = Fragen an sie: { $contacts }.
duration-second =
    { $count ->
        [one] { $count } Sekunde
       *[other] { $count } Sekunden
    }
duration-minute =
    { $count ->
        [one] { $count } Minute
       *[other] { $count } Minuten
    }
duration-hour =
    { $count ->
        [one] { $count } Stunde
       *[other] { $count } Stunden
    }
duration-day =
    { $count ->
        [one] { $count } Tag
       *[other] { $count } Tagen
    }

# Scopes and claims
scope-openid = Wissen, wer Sie sind
scope-profile = Ihren Benutzernamen und Ihr Profil sehen
scope-email = Ihre E-Mail-Adresse sehen
scope-address = Ihre Postanschrift sehen
scope-phone = Ihre Telefonnummer sehen
scope-offline-access = Für Sie handeln, während Sie abwesend sind
claim-preferred-username = Benutzername
claim-name = Name
claim-given-name = Vorname
claim-family-name = Nachname
claim-middle-name = Zweiter Vorname
claim-nickname = Spitzname
claim-profile = Profilseite
claim-picture = Bild
claim-website = Website
claim-gender = Geschlecht
claim-birthdate = Geburtsdatum
claim-zoneinfo = Zeitzone
claim-locale = Sprache
claim-email = E-Mail-Adresse
claim-email-verified = E-Mail-Adresse wurde geprüft
claim-phone-number = Telefonnummer
claim-phone-number-verified = Telefonnummer wurde geprüft
claim-address = Postanschrift
address-formatted = Ganze Anschrift
address-street-address = Straße
address-postal-code = Postleitzahl
address-locality = Ort
address-region = Region
address-country = Land

# device.html
device = Gerät verbinden
device-compare = Vergleichen Sie diesen Code mit dem, den Ihr Gerät anzeigt. Sind sie verschieden, schließen Sie diese Seite.
device-type = Geben Sie den Code ein, den Ihr Gerät anzeigt.
device-code = Code
device-continue = Weiter
device-warning = Machen Sie nur weiter, wenn Sie das auf einem eigenen Gerät begonnen haben. Ein Code, der in einer Nachricht oder am Telefon kam, ist ein Versuch, in Ihr Konto zu gelangen.
device-missing-title = Es fehlt etwas
device-missing = Geben Sie den Code ein, den Ihr Gerät anzeigt.
device-malformed-title = Das ist kein Code
device-malformed = Ein Code hat acht Buchstaben und keine Ziffern.
device-unknown-title = Kein Gerät wartet mit diesem Code
device-unknown = Vergleichen Sie ihn mit dem Code, den Ihr Gerät jetzt anzeigt.
device-expired-title = Dieser Code ist abgelaufen
device-expired = Lassen Sie Ihr Gerät einen neuen anzeigen, und geben Sie den ein.
device-answered-title = Dieser Code wurde schon verwendet
device-answered = Wartet Ihr Gerät noch, lassen Sie es einen neuen anzeigen.
device-too-many-title = Zu viele Codes wurden versucht
device-too-many = Dieser wurde nicht geprüft. Warten Sie { wait }, und versuchen Sie es dann noch einmal.
device-unusable-title = Dieser Code kann nicht verwendet werden
device-unusable = Lassen Sie Ihr Gerät einen neuen anzeigen, und geben Sie den ein.

# verifier.html
verifier-hint = Er gilt einmal und nicht lange. Geben Sie ihn dort ein.
verifier-code = Ihr Code
verifier-warning = Er ist für { $client } allein. Geben Sie ihn keinem Menschen: Wer in einer Nachricht oder am Telefon danach fragt, will in Ihr Konto gelangen.

# sign-out.html and signed-out.html
sign-out-question = Abmelden?
sign-out-asked-by = Die Anwendung { $client } möchte Sie hier abmelden.
sign-out-asked = Eine Anwendung möchte Sie hier abmelden.
sign-out-stay = Angemeldet bleiben
sign-out-then = Danach geht es weiter zu { $destination }.
signed-out-applications = Anwendungen behalten, was Sie ihnen erlaubt haben.
signed-out-again = Wieder anmelden
signed-out-everywhere-title = Sie sind überall abgemeldet
signed-in-instead = Anwendungen erfahren, dass der vorige Benutzer abgemeldet ist. Dann geht diese Seite weiter.
go-on = Weiter

# applications.html
account-may-act = Diese dürfen für Sie handeln, bis Sie es widerrufen.
account-further = Weitere Anwendungen
account-nobody = Sie haben keiner Anwendung erlaubt, Ihr Konto zu verwenden. Sobald Sie das tun, steht sie hier, und Sie können es jederzeit widerrufen.
account-host = Niemand hier kennt diese Anwendung. So nennt { $host } sie.
account-registered-itself = Sie hat sich selbst registriert und ihren Namen selbst gewählt.
account-answers-go = Ihre Antworten gehen an { $destinations }.
account-known-since = Hier bekannt seit { $date }, als { $id }
account-changed = Sie hat am { $date } ihren Namen oder ihre Adresse geändert, nachdem Sie ihr den Zugriff erlaubt hatten.
account-at = Bei { $places }
account-open = { $client } öffnen
account-first-allowed = Zuerst erlaubt am { $date }
account-last-token = letztes Token { $time }
account-tokens-end = ihre Token enden spätestens { $time }
account-no-token = sie hat jetzt kein Token
account-withdraw = Widerrufen
account-withdraw-label = Zugriff von { $client } widerrufen
account-tokens = Ihre Zugriffstoken
account-token-made = Das ist das Token { $name }. Kopieren Sie es jetzt: Es wird nicht noch einmal angezeigt.
account-tokens-hint = Ein Programm, das eines davon hat, handelt für Sie, bis es abläuft. Widerrufen beendet es sofort.
account-token-since = Seit { $date }
account-token-expires = läuft ab { $time }
account-token-revoke = Widerrufen
account-token-revoke-label = Das Token { $name } widerrufen
account-token-sign-in = Um ein Token zu erstellen, { $link }: Ihre letzte Anmeldung ist eine Weile her.
account-token-sign-in-link = melden Sie sich noch einmal an
account-token-name = Name eines neuen Tokens
account-token-valid = Gültig für
account-token-days =
    { $days ->
        [one] { $days } Tag
       *[other] { $days } Tage
    }
account-token-make = Token erstellen
account-token-bad-name = Geben Sie dem Token einen Namen aus höchstens 100 Zeichen, an dem Sie es erkennen.
account-token-no-scope = Wählen Sie, was ein Programm mit dem Token darf.
account-token-no-days = Wählen Sie, wie lange das Token gilt.
account-token-too-many = Sie haben hundert Token. Widerrufen Sie eines, das Sie nicht mehr brauchen.
account-profile = Ihr Profil
account-profile-hint = Anwendungen erfahren davon, was Sie ihnen erlauben.
account-profile-more = Weitere Angaben
account-profile-save = Speichern
account-profile-unknown = Nichts wurde geändert. So etwas wird hier nicht gespeichert.
account-profile-unseen = Nichts wurde geändert. { $claim }: ohne Steuerzeichen und unsichtbare Zeichen.
account-profile-length = Nichts wurde geändert. { $claim }: 1 bis 1000 Zeichen.
account-profile-line = Nichts wurde geändert. { $claim }: eine Zeile, ohne Leerzeichen am Anfang und am Ende.
account-profile-url = Nichts wurde geändert. { $claim }: Das muss eine Adresse im Web sein, etwa https://ada.example.
account-profile-email = Nichts wurde geändert. { $claim }: Das muss eine Adresse wie ada@example.com sein.
account-profile-birthdate = Nichts wurde geändert. { $claim }: Das muss ein Datum wie 1815-12-10 sein, 0000-12-10 ohne das Jahr, oder ein Jahr allein.
account-profile-wrong = Nichts wurde geändert. { $claim }: Dieser Wert kann nicht verwendet werden.
account-sessions = Wo Sie angemeldet sind
account-session-here = dieser Browser
account-session-from = Von { $address }
account-session-used = zuletzt verwendet { $ago }
account-session-signed-in = angemeldet { $time }
account-session-end-label = { $browser } an { $address } abmelden, zuletzt verwendet { $time }
account-sessions-hint = Wenn Sie etwas davon nicht kennen, { $link }: Das beendet alle anderen. Anwendungen behalten, was Sie ihnen erlaubt haben.
account-sessions-hint-link = ändern Sie Ihr Passwort
account-sign-out-others = Überall sonst abmelden
account-sign-out-everywhere = Überall abmelden
account-account = Ihr Konto
account-password-hint = Ein neues meldet Sie überall sonst ab.
account-data = Ihre Daten
account-data-hint = Eine Datei mit allem, was diese Website über Sie weiß. Sie enthält kein Passwort und kein Token.
account-data-download = Daten herunterladen
export-lead = Ihre Anmeldung liegt einige Zeit zurück. Geben Sie Ihr Passwort ein, damit niemand sonst Ihre Daten bekommt.
account-deletion = Löschung
account-deletion-hint = Ihr Konto und der Zugriff aller Anwendungen, endgültig.
ago-second = gerade eben
ago-minute =
    { $count ->
        [one] vor { $count } Minute
       *[other] vor { $count } Minuten
    }
ago-hour =
    { $count ->
        [one] vor { $count } Stunde
       *[other] vor { $count } Stunden
    }
ago-day =
    { $count ->
        [one] vor { $count } Tag
       *[other] vor { $count } Tagen
    }
browser-on-system = { $browser } auf { $system }
browser-unknown = Ein unbekannter Browser
note-withdrawn = Widerrufen. Die Anwendung kann nicht mehr für Sie handeln.
note-nothing-withdrawn = Es gab nichts zu widerrufen. Nichts wurde geändert.
note-session-ended = Dort abgemeldet. Jener Browser muss sich neu anmelden.
note-others-ended = Überall sonst abgemeldet. Dieser Browser ist noch angemeldet.
note-password-changed = Ihr Passwort wurde geändert. Sie sind überall sonst abgemeldet.
note-token-revoked = Widerrufen. Programme, die das Token haben, können nicht mehr für Sie handeln.
note-profile-changed = Ihr Profil wurde geändert.
note-ended-before = Es war schon beendet. Nichts wurde geändert.

# withdraw.html
withdraw-title = Zugriff widerrufen
withdraw-question = Den Zugriff von { $client } widerrufen?
withdraw-host = So nennt { $host } sie.
withdraw-no-longer = Das kann sie dann nicht mehr:
withdraw-ends = Ihr Zugriff endet sofort. Was sie selbst gespeichert hat, hat sie noch. Sie kann Sie wieder fragen.
withdraw-ends-sign-ins = Ihr Zugriff endet sofort, wo immer Sie sie verwenden: { $count } Anmeldungen enden. Was sie selbst gespeichert hat, hat sie noch. Sie kann Sie wieder fragen.
keep-it = Behalten

# password.html
password-change = Passwort ändern
password-until-now = Ihr bisheriges Passwort
password-new = Neues Passwort
password-new-rules = Mindestens { $least } beliebige Zeichen, und keines der häufigen Passwörter, die Angreifer zuerst versuchen.
password-again = Neues Passwort, noch einmal
password-effect = Sie bleiben hier angemeldet und werden überall sonst abgemeldet. Anwendungen behalten, was Sie ihnen erlaubt haben.
password-change-button = Passwort ändern
cancel = Abbrechen
password-wrong-title = Falsches Passwort
password-wrong = Geben Sie das Passwort ein, mit dem Sie sich anmelden.
password-differ-title = Die neuen Passwörter sind verschieden
password-differ = Geben Sie zweimal dasselbe neue Passwort ein.
password-another-title = Wählen Sie ein anderes Passwort
password-too-short = Ein Passwort hat mindestens { $least } Zeichen.
password-too-long = Ein Passwort hat höchstens { $most } Bytes.
password-common = Das ist eines der häufigsten Passwörter, die Angreifer zuerst versuchen.
password-same = Das ist Ihr bisheriges Passwort.

# delete-account.html
delete-account = Konto löschen
delete-account-lead = Das Konto { $user } wird endgültig gelöscht, mit allem, was diese Website über Sie weiß.
delete-account-sign-out = Sie werden überall abgemeldet und können sich nicht mehr anmelden.
delete-account-applications = Anwendungen und Zugriffstoken können hier nicht mehr für Sie handeln.
delete-account-stored = Was Anwendungen selbst gespeichert haben, haben sie noch.
delete-account-password = Ihr Passwort
delete-account-button = Konto löschen
deleted-account-title = Ihr Konto ist gelöscht
deleted-account = Was diese Website über Sie wusste, ist gelöscht, und Anwendungen können hier nicht mehr für Sie handeln. Was sie selbst gespeichert haben, haben sie noch.

# message.html
message-code = Für die Betreiber der Anwendung: { $code }
message-request-id = Wenn Sie um Hilfe bitten, nennen Sie dem Betreiber diese Nummer: { $number }
signed-out-meanwhile = Nichts wurde erlaubt. Melden Sie sich an, und antworten Sie noch einmal, oder gehen Sie zur Anwendung zurück, und beginnen Sie dort.
foreign-form-title = Dieses Formular ist nicht von hier
foreign-form = Nichts wurde geändert. Öffnen Sie die Seite noch einmal, und wiederholen Sie, was Sie tun wollten.
unreadable-form-title = Dieses Formular kann nicht gelesen werden
unreadable-form = Nichts wurde geändert. Öffnen Sie die Seite noch einmal, und wiederholen Sie, was Sie tun wollten.
not-found-title = Diese Seite gibt es nicht
not-found = Vielleicht ist die Adresse falsch geschrieben, oder die Seite gibt es nicht mehr.
wrong-method-title = So kann diese Seite nicht verwendet werden
wrong-method = Öffnen Sie sie über ihre Adresse, oder senden Sie das Formular, das auf ihr steht.
your-account-sign-out = Ihr Konto, wo Sie sich abmelden können

# Requests that no page sees
refused-title = Diese Anfrage wurde abgelehnt
refused-head = Nichts wurde geändert. Ihr Browser hat mehr mitgesendet, als diese Website annimmt (16 KiB), vielleicht zu viele Cookies. Löschen Sie die Cookies dieser Website, und versuchen Sie es noch einmal.
refused-host = Nichts wurde geändert. Ihr Browser, oder etwas zwischen ihm und dieser Website, hat nicht gesagt, welche Website er möchte.
refused-large = Nichts wurde geändert. Was Sie gesendet haben, ist größer, als diese Website annimmt (64 KiB). Gehen Sie zurück, und senden Sie weniger.
refused-slow = Nichts wurde geändert. Was Sie gesendet haben, kam zu langsam an. Gehen Sie zurück, und versuchen Sie es noch einmal.
refused-broken = Nichts wurde geändert. Was Sie gesendet haben, kam unvollständig an. Gehen Sie zurück, und versuchen Sie es noch einmal.
refused-room = Nichts wurde geändert. Zu viele Menschen benutzen diese Website gerade. Versuchen Sie es in einigen Sekunden noch einmal.
refused-not-current = Es wurde nichts geändert. Diese Seite zieht gerade um. Versuchen Sie es in einigen Minuten noch einmal.
