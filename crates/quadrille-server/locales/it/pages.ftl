# Every page
signed-in-as = Accesso eseguito come { $user }
sign-out = Esci
your-applications = Le Sue applicazioni
error-title = Errore: { $title }
list-pair = { $before }, { $next }
yes = sì
no = no
not-you = Non è Lei? { $link }.
not-you-link = Acceda con un altro account
wait =
    { $minutes ->
        [0]
            { $seconds ->
                [one] un secondo
               *[other] { $seconds } secondi
            }
        [one] un minuto
       *[other] { $minutes } minuti
    }
date = { $day } { month } { $year }
time = { date }, { $clock } UTC
month =
    { $month ->
        [1] gennaio
        [2] febbraio
        [3] marzo
        [4] aprile
        [5] maggio
        [6] giugno
        [7] luglio
        [8] agosto
        [9] settembre
        [10] ottobre
        [11] novembre
       *[12] dicembre
    }

# sign-in.html
sign-in = Accedi
sign-in-to-continue = per continuare su { $client }
sign-in-already = Ha eseguito l’accesso come { $user }. { $link }, oppure acceda con un altro account.
sign-in-already-link = Continui come { $user }
user-name = Nome utente
password = Password
sign-in-empty-title = Manca qualcosa
sign-in-empty = Inserisca il nome utente e la password.
sign-in-wrong-title = Nome utente o password errati
sign-in-wrong = Controlli entrambi e riprovi.
sign-in-busy-title = Molte persone stanno accedendo
sign-in-busy = Riprovi tra qualche secondo.
sign-in-stale-title = Questa pagina è rimasta aperta troppo a lungo
sign-in-stale = Inserisca di nuovo la password.
sign-in-no-cookie-title = Il Suo browser non ha inviato alcun cookie
sign-in-no-cookie = Per l’accesso serve un cookie. Consenta i cookie per questo sito, poi inserisca di nuovo la password.
sign-in-too-many-title = Troppi tentativi
sign-in-too-many = La password non è stata verificata. Attenda { wait }, poi riprovi.
sign-in-too-many-others = La password non è stata verificata, perché molti altri dalla Sua rete provano questo nome utente. Attenda { wait }, oppure riprovi da un’altra rete o in un browser in cui ha già eseguito l’accesso.

# choose-account.html
choose-account = Scelga un account
choose-account-continue = Continua come { $user }
choose-account-other = Usa un altro account

# consent.html
consent-title-identity = { $client } chiede chi è Lei
consent-title-access = { $client } chiede l’accesso
consent-heading-identity = { $client } chiede chi è Lei
consent-heading-access = { $client } chiede l’accesso al Suo account
consent-heading-more = { $client } chiede di più
consent-host = Nessuno qui conosce questa applicazione. Così la chiama { $host }; consenta solo se si fida di quel sito.
consent-registered-itself = Questa applicazione si è registrata da sola e ha scelto il proprio nome.
consent-trust-destination = Consenta solo se si fida di { $destination }, dove va la risposta.
consent-trust-start = Consenta solo se l’ha avviata Lei.
consent-device = È su un dispositivo, che ora deve mostrare questo codice:
consent-device-code = Il codice del dispositivo
consent-device-asked = Il dispositivo ha fatto la richiesta il { $time }.
consent-device-asked-from = Il dispositivo ha fatto la richiesta il { $time }, dall’indirizzo { $address }.
consent-device-warning = Non l’ha avviata Lei, oppure il codice è arrivato in un messaggio o per telefono? Allora rifiuti.
consent-granted = Le consente già di
consent-wants = Vuole
consent-wants-more = Ora vuole anche
consent-claim = Vedere { $claim }: { $value }
consent-claim-unknown = Vedere { $claim }: non noto qui
consent-learns = { $claim }: { $value }
consent-resources = Presso { $resources }, e in nessun altro luogo.
consent-tick = Selezioni ciò che consente.
consent-granted-stays = Ciò che già consente resta com’è.
consent-untick = Deselezioni ciò che non consente.
consent-learns-user-name = Con qualunque consenso viene a conoscere il Suo nome utente, { $user }.
consent-nothing-ticked = Se non è selezionato nulla, non ottiene alcun accesso.
consent-nothing-new = Non chiede nulla di nuovo.
consent-only-user-name = Viene a conoscere il Suo nome utente, { $user }, e nient’altro.
consent-only-account = Viene a sapere che Lei ha un account qui, e nient’altro.
consent-allow = Consenti
consent-deny = Rifiuta
consent-to-app = Tornerà all’app su questo dispositivo ({ $destination }). Se non si apre da sola, torni all’app e chiuda questa pagina.
consent-to-destination = Andrà a { $destination }.
consent-to-device = Il dispositivo prosegue da solo.
consent-to-code = Le verrà mostrato un codice da inserire lì.
take-back = Può revocarlo in qualsiasi momento in { $link }.
take-back-link = «Le Sue applicazioni»
consent-by = di { $owner }
consent-lookalike = Questa non è l’applicazione { $client } a cui ha già dato il consenso.
consent-lookalike-at = Quella si trova presso { $places }.
consent-lookalike-deny = Rifiuti, se intendeva quella.
consent-data = Come tratta i Suoi dati: { $links }
consent-policy = informativa sulla privacy
consent-terms = condizioni d’uso
consent-lasts = Dopo { $duration } al massimo, deve tornare qui.
consent-last-allowed = L’ultima volta che le ha consentito qualcosa è stata il { $date }.
consent-never-allowed = Finora non le ha consentito nulla.
consent-known-since = È nota qui dal { $date }.
consent-contacts = Domande a: { $contacts }.
duration-second =
    { $count ->
        [one] { $count } secondo
       *[other] { $count } secondi
    }
duration-minute =
    { $count ->
        [one] { $count } minuto
       *[other] { $count } minuti
    }
duration-hour =
    { $count ->
        [one] { $count } ora
       *[other] { $count } ore
    }
duration-day =
    { $count ->
        [one] { $count } giorno
       *[other] { $count } giorni
    }

# Scopes and claims
scope-openid = Sapere chi è Lei
scope-profile = Vedere il Suo nome utente e il Suo profilo
scope-email = Vedere il Suo indirizzo e-mail
scope-address = Vedere il Suo indirizzo postale
scope-phone = Vedere il Suo numero di telefono
scope-offline-access = Agire per Lei in Sua assenza
claim-preferred-username = Nome utente
claim-name = Nome completo
claim-given-name = Nome
claim-family-name = Cognome
claim-middle-name = Secondo nome
claim-nickname = Soprannome
claim-profile = Pagina del profilo
claim-picture = Foto
claim-website = Sito web
claim-gender = Genere
claim-birthdate = Data di nascita
claim-zoneinfo = Fuso orario
claim-locale = Lingua
claim-email = Indirizzo e-mail
claim-email-verified = Indirizzo e-mail verificato
claim-phone-number = Numero di telefono
claim-phone-number-verified = Numero di telefono verificato
claim-address = Indirizzo postale
address-formatted = Indirizzo completo
address-street-address = Via
address-postal-code = Codice postale
address-locality = Città
address-region = Regione
address-country = Paese

# device.html
device = Collegare un dispositivo
device-compare = Confronti questo codice con quello che mostra il Suo dispositivo. Se sono diversi, chiuda questa pagina.
device-type = Inserisca il codice che mostra il Suo dispositivo.
device-code = Codice
device-continue = Continua
device-warning = Prosegua solo se ha avviato la richiesta su un Suo dispositivo. Un codice arrivato in un messaggio o per telefono è un tentativo di entrare nel Suo account.
device-missing-title = Manca qualcosa
device-missing = Inserisca il codice che mostra il Suo dispositivo.
device-malformed-title = Questo non è un codice
device-malformed = Un codice ha otto lettere e nessuna cifra.
device-unknown-title = Nessun dispositivo attende con questo codice
device-unknown = Lo confronti con il codice che il Suo dispositivo mostra ora.
device-expired-title = Questo codice è scaduto
device-expired = Faccia mostrare al dispositivo un nuovo codice e lo inserisca.
device-answered-title = Questo codice è già stato usato
device-answered = Se il dispositivo attende ancora, gli faccia mostrare un nuovo codice.
device-too-many-title = Sono stati provati troppi codici
device-too-many = Questo non è stato verificato. Attenda { wait }, poi riprovi.
device-unusable-title = Questo codice non può essere usato
device-unusable = Faccia mostrare al dispositivo un nuovo codice e lo inserisca.

# verifier.html
verifier-hint = Vale una volta sola, e per poco tempo. Lo inserisca lì.
verifier-code = Il Suo codice
verifier-warning = È solo per { $client }. Non lo dia a nessuno: chi lo chiede in un messaggio o per telefono vuole entrare nel Suo account.

# sign-out.html and signed-out.html
sign-out-question = Uscire?
sign-out-asked-by = L’applicazione { $client } chiede di chiudere la Sua sessione qui.
sign-out-asked = Un’applicazione chiede di chiudere la Sua sessione qui.
sign-out-stay = Resta connesso
sign-out-then = Poi andrà a { $destination }.
signed-out-applications = Le applicazioni mantengono ciò che ha consentito loro.
signed-out-again = Accedi di nuovo
signed-out-everywhere-title = È uscito ovunque
signed-in-instead = Le applicazioni vengono a sapere che l’utente precedente è uscito. Poi questa pagina prosegue.
go-on = Continua

# applications.html
account-may-act = Possono agire per Lei, finché non revoca l’accesso.
account-further = Altre applicazioni
account-nobody = Non ha consentito a nessuna applicazione di usare il Suo account. Quando lo farà, comparirà qui, e potrà revocare l’accesso in qualsiasi momento.
account-host = Nessuno qui conosce questa applicazione. Così la chiama { $host }.
account-registered-itself = Si è registrata da sola e ha scelto il proprio nome.
account-answers-go = Le sue risposte vanno a { $destinations }.
account-known-since = Nota qui dal { $date }, come { $id }
account-changed = Ha cambiato nome o indirizzo il { $date }, dopo il Suo consenso.
account-at = Presso { $places }
account-open = Apri { $client }
account-first-allowed = Consentita per la prima volta il { $date }
account-last-token = ultimo token il { $time }
account-tokens-end = i suoi token scadono entro il { $time }
account-no-token = ora non ha alcun token
account-withdraw = Revoca
account-withdraw-label = Revoca l’accesso di { $client }
account-tokens = I Suoi token di accesso
account-token-made = Questo è il token { $name }. Lo copi ora: non verrà mostrato di nuovo.
account-tokens-hint = Un programma che ne possiede uno agisce per Lei fino alla scadenza. La revoca lo termina subito.
account-token-since = Dal { $date }
account-token-expires = scade il { $time }
account-token-revoke = Revoca
account-token-revoke-label = Revoca il token { $name }
account-token-sign-in = Per creare un token, { $link }: il Suo ultimo accesso risale a qualche tempo fa.
account-token-sign-in-link = acceda di nuovo
account-token-name = Nome di un nuovo token
account-token-valid = Valido per
account-token-days =
    { $days ->
        [one] { $days } giorno
       *[other] { $days } giorni
    }
account-token-make = Crea un token
account-token-bad-name = Dia al token un nome di al massimo 100 caratteri, da cui riconoscerlo.
account-token-no-scope = Scelga che cosa può fare un programma con il token.
account-token-no-days = Scelga per quanto tempo il token è valido.
account-token-too-many = Ha cento token. Ne revochi uno che non Le serve più.
account-profile = Il Suo profilo
account-profile-hint = Le applicazioni ne vengono a conoscere ciò che Lei consente.
account-profile-more = Altri dati che può aggiungere
account-profile-save = Salva
account-profile-unknown = Non è stato modificato nulla. Questo sito non conserva una cosa simile.
account-profile-unseen = Non è stato modificato nulla. { $claim }: senza caratteri di controllo né invisibili.
account-profile-length = Non è stato modificato nulla. { $claim }: da 1 a 1000 caratteri.
account-profile-line = Non è stato modificato nulla. { $claim }: una sola riga, senza spazi all’inizio né alla fine.
account-profile-url = Non è stato modificato nulla. { $claim }: deve essere un indirizzo web, come https://ada.example.
account-profile-email = Non è stato modificato nulla. { $claim }: deve essere un indirizzo come ada@example.com.
account-profile-birthdate = Non è stato modificato nulla. { $claim }: deve essere una data come 1815-12-10, 0000-12-10 senza l’anno, o solo un anno.
account-profile-wrong = Non è stato modificato nulla. { $claim }: questo valore non può essere usato.
account-sessions = Dove ha eseguito l’accesso
account-session-here = questo browser
account-session-from = Da { $address }
account-session-used = ultimo uso { $ago }
account-session-signed-in = accesso il { $time }
account-session-end-label = Chiudi la sessione di { $browser } da { $address }, ultimo uso il { $time }
account-sessions-hint = Se non ne riconosce una, { $link }: così terminano tutte le altre. Le applicazioni mantengono ciò che ha consentito loro.
account-sessions-hint-link = cambi la password
account-sign-out-others = Esci da tutti gli altri
account-sign-out-everywhere = Esci ovunque
account-account = Il Suo account
account-password-hint = Una nuova chiude la sessione in tutti gli altri browser.
account-data = I Suoi dati
account-data-hint = Un file con tutto ciò che questo sito sa di Lei. Non contiene password né token.
account-data-download = Scarica i Suoi dati
export-lead = Ha eseguito l’accesso qualche tempo fa. Inserisca la password, affinché nessun altro ottenga i Suoi dati.
account-deletion = Eliminazione
account-deletion-hint = Il Suo account e l’accesso di tutte le applicazioni, per sempre.
ago-second = proprio ora
ago-minute =
    { $count ->
        [one] { $count } minuto fa
       *[other] { $count } minuti fa
    }
ago-hour =
    { $count ->
        [one] { $count } ora fa
       *[other] { $count } ore fa
    }
ago-day =
    { $count ->
        [one] { $count } giorno fa
       *[other] { $count } giorni fa
    }
browser-on-system = { $browser } su { $system }
browser-unknown = Un browser sconosciuto
note-withdrawn = Revocato. L’applicazione non può più agire per Lei.
note-nothing-withdrawn = Non c’era nulla da revocare. Non è stato modificato nulla.
note-session-ended = Sessione chiusa lì. Quel browser dovrà accedere di nuovo.
note-others-ended = Sessione chiusa in tutti gli altri. Questo browser è ancora connesso.
note-password-changed = La password è stata cambiata. La sessione è chiusa in tutti gli altri browser.
note-token-revoked = Revocato. I programmi che hanno il token non possono più agire per Lei.
note-profile-changed = Il Suo profilo è stato modificato.
note-ended-before = Era già terminato. Non è stato modificato nulla.

# withdraw.html
withdraw-title = Revocare l’accesso
withdraw-question = Revocare l’accesso di { $client }?
withdraw-host = Così la chiama { $host }.
withdraw-no-longer = Non potrà più
withdraw-ends = Il suo accesso termina subito. Ciò che ha conservato essa stessa, lo mantiene. Potrà chiederglielo di nuovo.
withdraw-ends-sign-ins = Il suo accesso termina subito, ovunque la usi: terminano { $count } accessi. Ciò che ha conservato essa stessa, lo mantiene. Potrà chiederglielo di nuovo.
keep-it = Mantieni

# password.html
password-change = Cambia la password
password-until-now = La password attuale
password-new = Nuova password
password-new-rules = Almeno { $least } caratteri di qualsiasi tipo, e nessuna delle password comuni che gli aggressori provano per prime.
password-again = Nuova password, ancora una volta
password-effect = Qui resta connesso, e la sessione viene chiusa in tutti gli altri browser. Le applicazioni mantengono ciò che ha consentito loro.
password-change-button = Cambia la password
cancel = Annulla
password-wrong-title = Password errata
password-wrong = Inserisca la password con cui accede.
password-differ-title = Le nuove password sono diverse
password-differ = Inserisca due volte la stessa nuova password.
password-another-title = Scelga un’altra password
password-too-short = Una password ha almeno { $least } caratteri.
password-too-long = Una password ha al massimo { $most } byte.
password-common = È una delle password più comuni, che gli aggressori provano per prime.
password-same = È la password che ha già.

# delete-account.html
delete-account = Elimina il Suo account
delete-account-lead = L’account { $user } viene eliminato per sempre, con tutto ciò che questo sito sa di Lei.
delete-account-sign-out = La Sua sessione viene chiusa ovunque e non potrà più accedere.
delete-account-applications = Le applicazioni e i token di accesso non possono più agire per Lei qui.
delete-account-stored = Ciò che le applicazioni hanno conservato esse stesse, lo mantengono.
delete-account-password = La Sua password
delete-account-button = Elimina l’account
deleted-account-title = Il Suo account è stato eliminato
deleted-account = Ciò che questo sito sapeva di Lei non esiste più, e le applicazioni non possono più agire per Lei qui. Ciò che hanno conservato esse stesse, lo mantengono.

# message.html
message-code = Per i responsabili dell’applicazione: { $code }
message-request-id = Se chiede aiuto, comunichi questo numero al gestore del sito: { $number }
signed-out-meanwhile = Non è stato consentito nulla. Acceda e risponda di nuovo, oppure torni all’applicazione e ricominci da lì.
foreign-form-title = Questo modulo non proviene da qui
foreign-form = Non è stato modificato nulla. Apra di nuovo la pagina e ripeta ciò che voleva fare.
unreadable-form-title = Questo modulo non può essere letto
unreadable-form = Non è stato modificato nulla. Apra di nuovo la pagina e ripeta ciò che voleva fare.
not-found-title = Questa pagina non esiste
not-found = Forse l’indirizzo è errato, o la pagina non esiste più.
wrong-method-title = Questa pagina non si può usare così
wrong-method = La apra dal suo indirizzo, o invii il modulo che contiene.
your-account-sign-out = Il Suo account, da cui può uscire

# Requests that no page sees
refused-title = Questa richiesta è stata rifiutata
refused-head = Non è stato modificato nulla. Il Suo browser ha inviato più di quanto questo sito accetti (16 KiB), forse troppi cookie. Cancelli i cookie di questo sito e riprovi.
refused-host = Non è stato modificato nulla. Il Suo browser, o qualcosa tra esso e questo sito, non ha indicato quale sito desidera.
refused-large = Non è stato modificato nulla. Ciò che ha inviato è più grande di quanto questo sito accetti (64 KiB). Torni indietro e invii di meno.
refused-slow = Non è stato modificato nulla. Ciò che ha inviato ha impiegato troppo tempo ad arrivare. Torni indietro e riprovi.
refused-broken = Non è stato modificato nulla. Ciò che ha inviato è arrivato incompleto. Torni indietro e riprovi.
refused-room = Non è stato modificato nulla. Troppe persone usano questo sito in questo momento. Riprovi tra qualche secondo.
refused-not-current = Non è stato modificato nulla. Questo sito è in fase di trasferimento. Riprovi tra qualche minuto.
