# Every page
signed-in-as = Zalogowano jako { $user }
sign-out = Wyloguj się
your-applications = Twoje aplikacje
error-title = Błąd: { $title }
list-pair = { $before }, { $next }
yes = tak
no = nie
not-you = To nie Ty? { $link }.
not-you-link = Zaloguj się na inne konto
wait =
    { $minutes ->
        [0]
            { $seconds ->
                [one] sekundę
                [few] { $seconds } sekundy
               *[other] { $seconds } sekund
            }
        [one] minutę
        [few] { $minutes } minuty
       *[other] { $minutes } minut
    }
date = { $day } { month } { $year }
time = { date }, { $clock } UTC
month =
    { $month ->
        [1] stycznia
        [2] lutego
        [3] marca
        [4] kwietnia
        [5] maja
        [6] czerwca
        [7] lipca
        [8] sierpnia
        [9] września
        [10] października
        [11] listopada
       *[12] grudnia
    }

# sign-in.html
sign-in = Zaloguj się
sign-in-to-continue = aby przejść do { $client }
sign-in-already = Zalogowano jako { $user }. { $link } albo zaloguj się na inne konto.
sign-in-already-link = Kontynuuj jako { $user }
user-name = Nazwa użytkownika
password = Hasło
sign-in-empty-title = Czegoś brakuje
sign-in-empty = Wpisz nazwę użytkownika i hasło.
sign-in-wrong-title = Błędna nazwa użytkownika lub hasło
sign-in-wrong = Sprawdź jedno i drugie i spróbuj ponownie.
sign-in-busy-title = Wiele osób loguje się w tej chwili
sign-in-busy = Spróbuj ponownie za kilka sekund.
sign-in-stale-title = Ta strona była otwarta zbyt długo
sign-in-stale = Wpisz hasło ponownie.
sign-in-no-cookie-title = Przeglądarka nie wysłała pliku cookie
sign-in-no-cookie = Do zalogowania potrzebny jest plik cookie. Zezwól na pliki cookie dla tej witryny, a potem wpisz hasło ponownie.
sign-in-too-many-title = Zbyt wiele prób
sign-in-too-many = Hasło nie zostało sprawdzone. Odczekaj { wait } i spróbuj ponownie.
sign-in-too-many-others = Hasło nie zostało sprawdzone, ponieważ wiele innych osób z Twojej sieci próbuje tej nazwy użytkownika. Odczekaj { wait } albo spróbuj z innej sieci lub w przeglądarce, w której już wcześniej się logowano.

# choose-account.html
choose-account = Wybierz konto
choose-account-continue = Kontynuuj jako { $user }
choose-account-other = Użyj innego konta

# consent.html
consent-title-identity = { $client } pyta, kim jesteś
consent-title-access = { $client } prosi o dostęp
consent-heading-identity = { $client } pyta, kim jesteś
consent-heading-access = { $client } prosi o dostęp do Twojego konta
consent-heading-more = { $client } prosi o więcej
consent-host = Nikt tutaj nie zna tej aplikacji. Tak nazywa ją { $host }; zezwól tylko wtedy, gdy ufasz tej witrynie.
consent-registered-itself = Ta aplikacja zarejestrowała się sama i sama wybrała swoją nazwę.
consent-trust-destination = Zezwól tylko wtedy, gdy ufasz { $destination }, dokąd trafi odpowiedź.
consent-trust-start = Zezwól tylko wtedy, gdy ta prośba pochodzi od Ciebie.
consent-device = Działa na urządzeniu, które musi teraz pokazywać ten kod:
consent-device-code = Kod urządzenia
consent-device-asked = Urządzenie wysłało prośbę { $time }.
consent-device-asked-from = Urządzenie wysłało prośbę { $time } z adresu { $address }.
consent-device-warning = Ktoś inny to rozpoczął albo kod przyszedł w wiadomości lub przez telefon? W takim razie odmów.
consent-granted = Już zezwolono aplikacji na to:
consent-wants = Aplikacja chce:
consent-wants-more = Teraz chce także:
consent-claim = Zobaczyć { $claim }: { $value }
consent-claim-unknown = Zobaczyć { $claim }: tutaj nieznane
consent-learns = { $claim }: { $value }
consent-resources = W { $resources } i nigdzie indziej.
consent-tick = Zaznacz to, na co zezwalasz.
consent-granted-stays = To, na co już zezwolono, pozostaje bez zmian.
consent-untick = Odznacz to, na co nie zezwalasz.
consent-learns-user-name = Z każdym zezwoleniem aplikacja pozna Twoją nazwę użytkownika, { $user }.
consent-nothing-ticked = Jeśli nic nie jest zaznaczone, nie uzyska dostępu.
consent-nothing-new = Nie prosi o nic nowego.
consent-only-user-name = Pozna Twoją nazwę użytkownika, { $user }, i nic więcej.
consent-only-account = Dowie się, że masz tu konto, i niczego więcej.
consent-allow = Zezwól
consent-deny = Odmów
consent-to-app = Wrócisz do aplikacji na tym urządzeniu ({ $destination }). Jeśli nie otworzy się sama, wróć do niej i zamknij tę stronę.
consent-to-destination = Przejdziesz do { $destination }.
consent-to-device = Urządzenie będzie działać dalej samo.
consent-to-code = Zobaczysz kod, który wpiszesz w aplikacji.
take-back = Możesz to w każdej chwili cofnąć na stronie { $link }.
take-back-link = „Twoje aplikacje”
consent-by = od { $owner }
consent-lookalike = To nie jest aplikacja { $client }, na którą już zezwolono.
consent-lookalike-at = Tamta znajduje się pod adresem { $places }.
consent-lookalike-deny = Odmów, jeśli chodziło Ci o tamtą.
consent-data = Jak traktuje Twoje dane: { $links }
consent-policy = polityka prywatności
consent-terms = warunki korzystania
consent-lasts = Musi tu wrócić najpóźniej po upływie tego czasu: { $duration }.
consent-last-allowed = Ostatnie zezwolenie: { $date }.
consent-never-allowed = Nie udzielono jej jeszcze żadnego zezwolenia.
consent-known-since = Jest tu znana od { $date }.
consent-contacts = Pytania do: { $contacts }.
duration-second =
    { $count ->
        [one] { $count } sekunda
        [few] { $count } sekundy
       *[other] { $count } sekund
    }
duration-minute =
    { $count ->
        [one] { $count } minuta
        [few] { $count } minuty
       *[other] { $count } minut
    }
duration-hour =
    { $count ->
        [one] { $count } godzina
        [few] { $count } godziny
       *[other] { $count } godzin
    }
duration-day =
    { $count ->
        [one] { $count } dzień
       *[other] { $count } dni
    }

# Scopes and claims
scope-openid = Wiedzieć, kim jesteś
scope-profile = Widzieć Twoją nazwę użytkownika i profil
scope-email = Widzieć Twój adres e-mail
scope-address = Widzieć Twój adres pocztowy
scope-phone = Widzieć Twój numer telefonu
scope-offline-access = Działać w Twoim imieniu pod Twoją nieobecność
claim-preferred-username = Nazwa użytkownika
claim-name = Imię i nazwisko
claim-given-name = Imię
claim-family-name = Nazwisko
claim-middle-name = Drugie imię
claim-nickname = Pseudonim
claim-profile = Strona profilu
claim-picture = Zdjęcie
claim-website = Strona internetowa
claim-gender = Płeć
claim-birthdate = Data urodzenia
claim-zoneinfo = Strefa czasowa
claim-locale = Język
claim-email = Adres e-mail
claim-email-verified = Adres e-mail sprawdzony
claim-phone-number = Numer telefonu
claim-phone-number-verified = Numer telefonu sprawdzony
claim-address = Adres pocztowy
address-formatted = Cały adres
address-street-address = Ulica
address-postal-code = Kod pocztowy
address-locality = Miejscowość
address-region = Region
address-country = Kraj

# device.html
device = Połącz urządzenie
device-compare = Porównaj ten kod z kodem na urządzeniu. Jeśli się różnią, zamknij tę stronę.
device-type = Wpisz kod, który pokazuje urządzenie.
device-code = Kod
device-continue = Dalej
device-warning = Kontynuuj tylko wtedy, gdy rozpoczęto to na Twoim własnym urządzeniu. Kod, który przyszedł w wiadomości lub przez telefon, to próba wejścia na Twoje konto.
device-missing-title = Czegoś brakuje
device-missing = Wpisz kod, który pokazuje urządzenie.
device-malformed-title = To nie jest kod
device-malformed = Kod ma osiem liter i żadnych cyfr.
device-unknown-title = Żadne urządzenie nie czeka z tym kodem
device-unknown = Porównaj go z kodem, który urządzenie pokazuje teraz.
device-expired-title = Ten kod wygasł
device-expired = Wyświetl na urządzeniu nowy kod i wpisz go.
device-answered-title = Ten kod został już użyty
device-answered = Jeśli urządzenie nadal czeka, wyświetl na nim nowy kod.
device-too-many-title = Wypróbowano zbyt wiele kodów
device-too-many = Ten nie został sprawdzony. Odczekaj { wait } i spróbuj ponownie.
device-unusable-title = Tego kodu nie można użyć
device-unusable = Wyświetl na urządzeniu nowy kod i wpisz go.

# verifier.html
verifier-hint = Jest ważny jeden raz i krótko. Wpisz go w aplikacji.
verifier-code = Twój kod
verifier-warning = Jest przeznaczony tylko dla { $client }. Nie podawaj go nikomu: kto prosi o niego w wiadomości lub przez telefon, chce wejść na Twoje konto.

# sign-out.html and signed-out.html
sign-out-question = Wylogować?
sign-out-asked-by = Aplikacja { $client } prosi o wylogowanie Cię tutaj.
sign-out-asked = Pewna aplikacja prosi o wylogowanie Cię tutaj.
sign-out-stay = Nie wylogowuj
sign-out-then = Potem przejdziesz do { $destination }.
signed-out-applications = Aplikacje zachowują to, na co im zezwolono.
signed-out-again = Zaloguj się ponownie
signed-out-everywhere-title = Wylogowano wszędzie
signed-in-instead = Aplikacje dowiadują się, że poprzedni użytkownik został wylogowany. Potem ta strona przechodzi dalej.
go-on = Dalej

# applications.html
account-may-act = Te aplikacje mogą działać w Twoim imieniu, dopóki tego nie cofniesz.
account-further = Kolejne aplikacje
account-nobody = Żadna aplikacja nie ma zezwolenia na używanie Twojego konta. Gdy na to zezwolisz, pojawi się tutaj i w każdej chwili będzie można to cofnąć.
account-host = Nikt tutaj nie zna tej aplikacji. Tak nazywa ją { $host }.
account-registered-itself = Zarejestrowała się sama i sama wybrała swoją nazwę.
account-answers-go = Jej odpowiedzi trafiają do { $destinations }.
account-known-since = Znana tutaj od { $date } jako { $id }
account-changed = Zmieniła nazwę lub adres { $date }, już po Twoim zezwoleniu.
account-at = W { $places }
account-open = Otwórz { $client }
account-first-allowed = Pierwsze zezwolenie { $date }
account-last-token = ostatni token { $time }
account-tokens-end = jej tokeny wygasną najpóźniej { $time }
account-no-token = nie ma teraz żadnego tokenu
account-withdraw = Cofnij
account-withdraw-label = Cofnij dostęp { $client }
account-tokens = Twoje tokeny dostępu
account-token-made = Oto token { $name }. Skopiuj go teraz: nie zostanie pokazany ponownie.
account-tokens-hint = Program, który go ma, działa w Twoim imieniu, dopóki token nie wygaśnie. Unieważnienie kończy to od razu.
account-token-since = Od { $date }
account-token-expires = wygasa { $time }
account-token-revoke = Unieważnij
account-token-revoke-label = Unieważnij token { $name }
account-token-sign-in = Aby utworzyć token, { $link }: od ostatniego logowania minęło trochę czasu.
account-token-sign-in-link = zaloguj się ponownie
account-token-name = Nazwa nowego tokenu
account-token-valid = Ważny przez
account-token-days =
    { $days ->
        [one] { $days } dzień
       *[other] { $days } dni
    }
account-token-make = Utwórz token
account-token-bad-name = Nadaj tokenowi nazwę o długości do 100 znaków, po której go rozpoznasz.
account-token-no-scope = Wybierz, co program może robić z tym tokenem.
account-token-no-days = Wybierz, jak długo token jest ważny.
account-token-too-many = Masz sto tokenów. Unieważnij taki, którego już nie potrzebujesz.
account-profile = Twój profil
account-profile-hint = Aplikacje dowiadują się z niego tego, na co zezwolisz.
account-profile-more = Inne dane, które możesz podać
account-profile-save = Zapisz
account-profile-unknown = Nic nie zmieniono. Ta witryna nie przechowuje takich danych.
account-profile-unseen = Nic nie zmieniono. { $claim }: bez znaków sterujących i niewidocznych.
account-profile-length = Nic nie zmieniono. { $claim }: od 1 do 1000 znaków.
account-profile-line = Nic nie zmieniono. { $claim }: jeden wiersz, bez spacji na początku i na końcu.
account-profile-url = Nic nie zmieniono. { $claim }: to musi być adres w sieci, na przykład https://ada.example.
account-profile-email = Nic nie zmieniono. { $claim }: to musi być adres taki jak ada@example.com.
account-profile-birthdate = Nic nie zmieniono. { $claim }: to musi być data taka jak 1815-12-10, 0000-12-10 bez roku albo sam rok.
account-profile-wrong = Nic nie zmieniono. { $claim }: tej wartości nie można użyć.
account-sessions = Gdzie trwa logowanie
account-session-here = ta przeglądarka
account-session-from = Z { $address }
account-session-used = ostatnie użycie { $ago }
account-session-signed-in = zalogowano { $time }
account-session-end-label = Wyloguj { $browser } z { $address }, ostatnie użycie { $time }
account-sessions-hint = Jeśli którejś nie rozpoznajesz, { $link }: to zakończy wszystkie pozostałe. Aplikacje zachowują to, na co im zezwolono.
account-sessions-hint-link = zmień hasło
account-sign-out-others = Wyloguj wszędzie indziej
account-sign-out-everywhere = Wyloguj wszędzie
account-account = Twoje konto
account-password-hint = Nowe hasło wylogowuje Cię wszędzie indziej.
account-data = Twoje dane
account-data-hint = Plik ze wszystkim, co ta witryna o Tobie wie. Nie zawiera hasła ani tokenów.
account-data-download = Pobierz swoje dane
export-lead = Od zalogowania minęło trochę czasu. Wpisz hasło, aby nikt inny nie uzyskał Twoich danych.
account-deletion = Usunięcie
account-deletion-hint = Twoje konto i dostęp wszystkich aplikacji, na zawsze.
ago-second = przed chwilą
ago-minute =
    { $count ->
        [one] { $count } minutę temu
        [few] { $count } minuty temu
       *[other] { $count } minut temu
    }
ago-hour =
    { $count ->
        [one] { $count } godzinę temu
        [few] { $count } godziny temu
       *[other] { $count } godzin temu
    }
ago-day =
    { $count ->
        [one] { $count } dzień temu
       *[other] { $count } dni temu
    }
browser-on-system = { $browser } w systemie { $system }
browser-unknown = Nieznana przeglądarka
note-withdrawn = Cofnięto. Aplikacja nie może już działać w Twoim imieniu.
note-nothing-withdrawn = Nie było czego cofać. Nic nie zmieniono.
note-session-ended = Wylogowano. Tamta przeglądarka musi zalogować się ponownie.
note-others-ended = Wylogowano wszędzie indziej. W tej przeglądarce logowanie nadal trwa.
note-password-changed = Hasło zostało zmienione. Wszędzie indziej wylogowano.
note-token-revoked = Unieważniono. Programy, które mają ten token, nie mogą już działać w Twoim imieniu.
note-profile-changed = Twój profil został zmieniony.
note-ended-before = To zakończyło się już wcześniej. Nic nie zmieniono.

# withdraw.html
withdraw-title = Cofnij dostęp
withdraw-question = Cofnąć dostęp { $client }?
withdraw-host = Tak nazywa ją { $host }.
withdraw-no-longer = Nie będzie już mogła:
withdraw-ends = Jej dostęp kończy się od razu. To, co sama zapisała, nadal ma. Może poprosić ponownie.
withdraw-ends-sign-ins =
    { $count ->
        [few] Jej dostęp kończy się od razu, gdziekolwiek jej używasz: zakończą się { $count } logowania. To, co sama zapisała, nadal ma. Może poprosić ponownie.
       *[other] Jej dostęp kończy się od razu, gdziekolwiek jej używasz: zakończy się { $count } logowań. To, co sama zapisała, nadal ma. Może poprosić ponownie.
    }
keep-it = Zachowaj

# password.html
password-change = Zmień hasło
password-until-now = Dotychczasowe hasło
password-new = Nowe hasło
password-new-rules =
    { $least ->
        [few] Co najmniej { $least } dowolne znaki i żadne z popularnych haseł, których atakujący próbują najpierw.
       *[other] Co najmniej { $least } dowolnych znaków i żadne z popularnych haseł, których atakujący próbują najpierw.
    }
password-again = Nowe hasło jeszcze raz
password-effect = Tutaj logowanie trwa nadal, wszędzie indziej nastąpi wylogowanie. Aplikacje zachowują to, na co im zezwolono.
password-change-button = Zmień hasło
cancel = Anuluj
password-wrong-title = Błędne hasło
password-wrong = Wpisz hasło, którego używasz do logowania.
password-differ-title = Nowe hasła się różnią
password-differ = Wpisz dwa razy to samo nowe hasło.
password-another-title = Wybierz inne hasło
password-too-short =
    { $least ->
        [few] Hasło ma co najmniej { $least } znaki.
       *[other] Hasło ma co najmniej { $least } znaków.
    }
password-too-long =
    { $most ->
        [few] Hasło ma najwyżej { $most } bajty.
       *[other] Hasło ma najwyżej { $most } bajtów.
    }
password-common = To jedno z najpopularniejszych haseł, których atakujący próbują najpierw.
password-same = To jest dotychczasowe hasło.

# delete-account.html
delete-account = Usuń konto
delete-account-lead = Konto { $user } zostanie usunięte na zawsze, razem ze wszystkim, co ta witryna o Tobie wie.
delete-account-sign-out = Nastąpi wylogowanie wszędzie i nie będzie można zalogować się ponownie.
delete-account-applications = Aplikacje i tokeny dostępu nie będą już mogły działać tutaj w Twoim imieniu.
delete-account-stored = To, co aplikacje same zapisały, nadal mają.
delete-account-password = Twoje hasło
delete-account-button = Usuń konto
deleted-account-title = Twoje konto zostało usunięte
deleted-account = To, co ta witryna o Tobie wiedziała, zniknęło, a aplikacje nie mogą już działać tutaj w Twoim imieniu. To, co same zapisały, nadal mają.

# message.html
message-code = Dla osób prowadzących aplikację: { $code }
message-request-id = Prosząc o pomoc, podaj operatorowi ten numer: { $number }
signed-out-meanwhile = Niczego nie dozwolono. Zaloguj się i odpowiedz ponownie albo wróć do aplikacji i zacznij tam.
foreign-form-title = Ten formularz nie pochodzi stąd
foreign-form = Nic nie zmieniono. Otwórz stronę ponownie i powtórz to, co chcesz zrobić.
unreadable-form-title = Tego formularza nie można odczytać
unreadable-form = Nic nie zmieniono. Otwórz stronę ponownie i powtórz to, co chcesz zrobić.
not-found-title = Nie ma takiej strony
not-found = Być może adres jest błędny albo strona już nie istnieje.
wrong-method-title = Tej strony nie można tak użyć
wrong-method = Otwórz ją pod jej adresem albo wyślij formularz, który na niej jest.
your-account-sign-out = Twoje konto, gdzie możesz się wylogować

# Requests that no page sees
refused-title = To żądanie zostało odrzucone
refused-head = Nic nie zmieniono. Przeglądarka wysłała więcej, niż ta strona przyjmuje (16 KiB), być może zbyt wiele plików cookie. Usuń pliki cookie tej strony i spróbuj ponownie.
refused-host = Nic nie zmieniono. Przeglądarka albo coś między nią a tą stroną nie podało, o którą stronę chodzi.
refused-large = Nic nie zmieniono. To, co wysłano, jest większe, niż ta strona przyjmuje (64 KiB). Wróć i wyślij mniej.
refused-slow = Nic nie zmieniono. To, co wysłano, docierało zbyt długo. Wróć i spróbuj ponownie.
refused-broken = Nic nie zmieniono. To, co wysłano, dotarło niekompletne. Wróć i spróbuj ponownie.
refused-room = Nic nie zmieniono. Zbyt wiele osób korzysta teraz z tej strony. Spróbuj ponownie za kilka sekund.
refused-not-current = Nic nie zostało zmienione. Ta witryna jest przenoszona. Proszę spróbować ponownie za kilka minut.
