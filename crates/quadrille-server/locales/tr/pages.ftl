# Every page
signed-in-as = { $user } olarak oturum açıldı
sign-out = Oturumu kapat
your-applications = Uygulamalarınız
error-title = Hata: { $title }
list-pair = { $before }, { $next }
yes = evet
no = hayır
not-you = Siz değil misiniz? { $link }.
not-you-link = Başka bir hesapla oturum açın
wait =
    { $minutes ->
        [0]
            { $seconds ->
                [1] bir saniye
               *[other] { $seconds } saniye
            }
        [1] bir dakika
       *[other] { $minutes } dakika
    }
date = { $day } { month } { $year }
time = { date }, { $clock } UTC
month =
    { $month ->
        [1] Ocak
        [2] Şubat
        [3] Mart
        [4] Nisan
        [5] Mayıs
        [6] Haziran
        [7] Temmuz
        [8] Ağustos
        [9] Eylül
        [10] Ekim
        [11] Kasım
       *[12] Aralık
    }

# sign-in.html
sign-in = Oturum aç
sign-in-to-continue = devam edilecek uygulama: { $client }
sign-in-already = { $user } olarak oturum açtınız. { $link } veya başka bir hesapla oturum açın.
sign-in-already-link = { $user } olarak devam edin
user-name = Kullanıcı adı
password = Parola
sign-in-empty-title = Eksik bir şey var
sign-in-empty = Kullanıcı adınızı ve parolanızı yazın.
sign-in-wrong-title = Kullanıcı adı veya parola yanlış
sign-in-wrong = İkisini de kontrol edip yeniden deneyin.
sign-in-busy-title = Şu anda çok kişi oturum açıyor
sign-in-busy = Birkaç saniye sonra yeniden deneyin.
sign-in-stale-title = Bu sayfa çok uzun süre açık kaldı
sign-in-stale = Parolanızı yeniden yazın.
sign-in-no-cookie-title = Tarayıcınız çerez göndermedi
sign-in-no-cookie = Oturum açmak için bir çerez gerekir. Bu site için çerezlere izin verin, sonra parolanızı yeniden yazın.
sign-in-too-many-title = Çok fazla deneme
sign-in-too-many = Parolanız kontrol edilmedi. { wait } bekleyin, sonra yeniden deneyin.
sign-in-too-many-others = Ağınızdan birçok kişi bu kullanıcı adını denediği için parolanız kontrol edilmedi. { wait } bekleyin veya başka bir ağdan ya da daha önce oturum açtığınız bir tarayıcıda deneyin.

# choose-account.html
choose-account = Hesap seçin
choose-account-continue = { $user } olarak devam et
choose-account-other = Başka bir hesap kullan

# consent.html
consent-title-identity = { $client } kim olduğunuzu soruyor
consent-title-access = { $client } erişim istiyor
consent-heading-identity = { $client } kim olduğunuzu soruyor
consent-heading-access = { $client } hesabınıza erişim istiyor
consent-heading-more = { $client } daha fazlasını istiyor
consent-host = Bu uygulamayı burada kimse tanımıyor. Adını { $host } böyle bildiriyor; yalnızca o siteye güveniyorsanız izin verin.
consent-registered-itself = Bu uygulama kendini kaydettirdi ve adını kendisi seçti.
consent-trust-destination = Yalnızca yanıtın gideceği { $destination } adresine güveniyorsanız izin verin.
consent-trust-start = Yalnızca bunu siz başlattıysanız izin verin.
consent-device = Uygulama bir cihazda çalışıyor; cihaz şu anda bu kodu göstermelidir:
consent-device-code = Cihazın kodu
consent-device-asked = Cihazın istek zamanı: { $time }.
consent-device-asked-from = Cihazın istek zamanı: { $time }, adresi: { $address }.
consent-device-warning = Bunu siz başlatmadıysanız veya kod bir mesajla ya da telefonda geldiyse reddedin.
consent-granted = Şimdiden izin verdikleriniz
consent-wants = İstedikleri
consent-wants-more = Şimdi ek olarak istedikleri
consent-claim = { $claim } bilgisini görmek: { $value }
consent-claim-unknown = { $claim } bilgisini görmek: burada bilinmiyor
consent-learns = { $claim }: { $value }
consent-resources = Yalnızca { $resources } için, başka hiçbir yerde değil.
consent-tick = İzin verdiklerinizi işaretleyin.
consent-granted-stays = Daha önce izin verdikleriniz olduğu gibi kalır.
consent-untick = İzin vermediklerinizin işaretini kaldırın.
consent-learns-user-name = Verdiğiniz her izinle kullanıcı adınızı ({ $user }) öğrenir.
consent-nothing-ticked = Hiçbiri işaretli değilse erişim almaz.
consent-nothing-new = Yeni bir şey istemiyor.
consent-only-user-name = Kullanıcı adınızı ({ $user }) öğrenir, başka hiçbir şeyi öğrenmez.
consent-only-account = Burada bir hesabınız olduğunu öğrenir, başka hiçbir şeyi öğrenmez.
consent-allow = İzin ver
consent-deny = Reddet
consent-to-app = Bu cihazdaki uygulamaya ({ $destination }) döneceksiniz. Kendiliğinden açılmazsa uygulamaya dönün ve bu sayfayı kapatın.
consent-to-destination = Gideceğiniz yer: { $destination }.
consent-to-device = Cihaz kendiliğinden devam eder.
consent-to-code = Size uygulamaya yazacağınız bir kod gösterilecek.
take-back = Bunu istediğiniz zaman { $link } sayfasında geri alabilirsiniz.
take-back-link = “Uygulamalarınız”
consent-by = sahibi: { $owner }
consent-lookalike = Bu, daha önce izin verdiğiniz { $client } uygulaması değil.
consent-lookalike-at = Onun yeri: { $places }.
consent-lookalike-deny = Onu kastettiyseniz reddedin.
consent-data = Verilerinizi nasıl işlediği: { $links }
consent-policy = gizlilik politikası
consent-terms = hizmet koşulları
consent-lasts = En geç { $duration } sonra yeniden buraya gelmesi gerekir.
consent-last-allowed = Ona en son izin verdiğiniz tarih: { $date }.
consent-never-allowed = Ona daha önce hiçbir izin vermediniz.
consent-known-since = Burada tanındığı tarih: { $date }.
consent-contacts = Sorular için: { $contacts }.
duration-second = { $count } saniye
duration-minute = { $count } dakika
duration-hour = { $count } saat
duration-day = { $count } gün

# Scopes and claims
scope-openid = Kim olduğunuzu bilmek
scope-profile = Kullanıcı adınızı ve profilinizi görmek
scope-email = E-posta adresinizi görmek
scope-address = Posta adresinizi görmek
scope-phone = Telefon numaranızı görmek
scope-offline-access = Siz yokken sizin adınıza işlem yapmak
claim-preferred-username = Kullanıcı adı
claim-name = Ad soyad
claim-given-name = Ad
claim-family-name = Soyadı
claim-middle-name = İkinci ad
claim-nickname = Takma ad
claim-profile = Profil sayfası
claim-picture = Fotoğraf
claim-website = Web sitesi
claim-gender = Cinsiyet
claim-birthdate = Doğum tarihi
claim-zoneinfo = Saat dilimi
claim-locale = Dil
claim-email = E-posta adresi
claim-email-verified = E-posta adresi doğrulandı
claim-phone-number = Telefon numarası
claim-phone-number-verified = Telefon numarası doğrulandı
claim-address = Posta adresi
address-formatted = Tam adres
address-street-address = Sokak
address-postal-code = Posta kodu
address-locality = Şehir
address-region = Bölge
address-country = Ülke

# device.html
device = Cihaz bağla
device-compare = Bu kodu cihazınızın gösterdiği kodla karşılaştırın. Farklılarsa bu sayfayı kapatın.
device-type = Cihazınızın gösterdiği kodu yazın.
device-code = Kod
device-continue = Devam
device-warning = Yalnızca bunu kendi cihazınızda başlattıysanız devam edin. Bir mesajla veya telefonda gelen kod, hesabınıza girme girişimidir.
device-missing-title = Eksik bir şey var
device-missing = Cihazınızın gösterdiği kodu yazın.
device-malformed-title = Bu bir kod değil
device-malformed = Bir kodda sekiz harf vardır, rakam yoktur.
device-unknown-title = Bu kodla bekleyen bir cihaz yok
device-unknown = Kodu, cihazınızın şu anda gösterdiği kodla karşılaştırın.
device-expired-title = Bu kodun süresi doldu
device-expired = Cihazınızda yeni bir kod gösterilmesini sağlayın ve onu yazın.
device-answered-title = Bu kod daha önce kullanıldı
device-answered = Cihazınız hâlâ bekliyorsa yeni bir kod göstermesini sağlayın.
device-too-many-title = Çok fazla kod denendi
device-too-many = Bu kod kontrol edilmedi. { wait } bekleyin, sonra yeniden deneyin.
device-unusable-title = Bu kod kullanılamaz
device-unusable = Cihazınızda yeni bir kod gösterilmesini sağlayın ve onu yazın.

# verifier.html
verifier-hint = Bir kez ve kısa bir süre geçerlidir. Onu uygulamaya yazın.
verifier-code = Kodunuz
verifier-warning = Yalnızca { $client } içindir. Kimseye vermeyin: mesajla veya telefonda isteyen kişi hesabınıza girmek istiyordur.

# sign-out.html and signed-out.html
sign-out-question = Oturum kapatılsın mı?
sign-out-asked-by = { $client } uygulaması buradaki oturumunuzu kapatmak istiyor.
sign-out-asked = Bir uygulama buradaki oturumunuzu kapatmak istiyor.
sign-out-stay = Oturumu açık tut
sign-out-then = Sonra gideceğiniz yer: { $destination }.
signed-out-applications = Uygulamalar, onlara verdiğiniz izinleri korur.
signed-out-again = Yeniden oturum aç
signed-out-everywhere-title = Oturumunuz her yerde kapatıldı
signed-in-instead = Uygulamalar önceki kullanıcının oturumunun kapandığını öğrenir. Sonra bu sayfa devam eder.
go-on = Devam et

# applications.html
account-may-act = Bunlar, izni geri alana kadar sizin adınıza işlem yapabilir.
account-further = Diğer uygulamalar
account-nobody = Hiçbir uygulamaya hesabınızı kullanma izni vermediniz. Verdiğinizde burada görünür ve izni istediğiniz zaman geri alabilirsiniz.
account-host = Bu uygulamayı burada kimse tanımıyor. Adını { $host } böyle bildiriyor.
account-registered-itself = Kendini kaydettirdi ve adını kendisi seçti.
account-answers-go = Yanıtlarının gittiği yer: { $destinations }.
account-known-since = Burada tanındığı tarih: { $date }, kimliği: { $id }
account-changed = Siz izin verdikten sonra adını veya adresini değiştirdi: { $date }.
account-at = Yer: { $places }
account-open = { $client } uygulamasını aç
account-first-allowed = İlk izin: { $date }
account-last-token = son jeton: { $time }
account-tokens-end = jetonlarının en geç sona ereceği zaman: { $time }
account-no-token = şu anda jetonu yok
account-withdraw = Geri al
account-withdraw-label = { $client } erişimini geri al
account-tokens = Erişim jetonlarınız
account-token-made = { $name } jetonu budur. Şimdi kopyalayın: yeniden gösterilmez.
account-tokens-hint = Bunlardan birine sahip olan program, süresi dolana kadar sizin adınıza işlem yapar. İptal bunu hemen sona erdirir.
account-token-since = Başlangıç: { $date }
account-token-expires = bitiş: { $time }
account-token-revoke = İptal et
account-token-revoke-label = { $name } jetonunu iptal et
account-token-sign-in = Jeton oluşturmak için { $link }: son oturum açmanızın üzerinden bir süre geçti.
account-token-sign-in-link = yeniden oturum açın
account-token-name = Yeni jetonun adı
account-token-valid = Geçerlilik süresi
account-token-days = { $days } gün
account-token-make = Jeton oluştur
account-token-bad-name = Jetona, onu tanıyacağınız en fazla 100 karakterlik bir ad verin.
account-token-no-scope = Jetonla bir programın neler yapabileceğini seçin.
account-token-no-days = Jetonun ne kadar süre geçerli olacağını seçin.
account-token-too-many = Yüz jetonunuz var. Artık gerekmeyen birini iptal edin.
account-profile = Profiliniz
account-profile-hint = Uygulamalar bundan yalnızca izin verdiklerinizi öğrenir.
account-profile-more = Ekleyebileceğiniz diğer bilgiler
account-profile-save = Kaydet
account-profile-unknown = Hiçbir şey değiştirilmedi. Bu site böyle bir bilgi tutmaz.
account-profile-unseen = Hiçbir şey değiştirilmedi. { $claim }: denetim karakteri ve görünmez karakter kullanmayın.
account-profile-length = Hiçbir şey değiştirilmedi. { $claim }: 1 ile 1000 arasında karakter kullanın.
account-profile-line = Hiçbir şey değiştirilmedi. { $claim }: başında ve sonunda boşluk olmayan tek bir satır kullanın.
account-profile-url = Hiçbir şey değiştirilmedi. { $claim }: https://ada.example gibi bir web adresi olmalıdır.
account-profile-email = Hiçbir şey değiştirilmedi. { $claim }: ada@example.com gibi bir adres olmalıdır.
account-profile-birthdate = Hiçbir şey değiştirilmedi. { $claim }: 1815-12-10 gibi bir tarih, yılsız 0000-12-10 veya yalnızca bir yıl olmalıdır.
account-profile-wrong = Hiçbir şey değiştirilmedi. { $claim }: bu değer kullanılamaz.
account-sessions = Oturumunuzun açık olduğu yerler
account-session-here = bu tarayıcı
account-session-from = Adres: { $address }
account-session-used = son kullanım: { $ago }
account-session-signed-in = oturum açma: { $time }
account-session-end-label = { $address } adresindeki { $browser } oturumunu kapat, son kullanım: { $time }
account-sessions-hint = Tanımadığınız biri varsa { $link }: bu, diğerlerinin hepsini sona erdirir. Uygulamalar, onlara verdiğiniz izinleri korur.
account-sessions-hint-link = parolanızı değiştirin
account-sign-out-others = Diğer her yerde oturumu kapat
account-sign-out-everywhere = Her yerde oturumu kapat
account-account = Hesabınız
account-password-hint = Yeni bir parola, diğer her yerde oturumunuzu kapatır.
account-data = Verileriniz
account-data-hint = Bu sitenin hakkınızda bildiği her şeyi içeren bir dosya. Parola ve jeton içermez.
account-data-download = Verilerinizi indirin
export-lead = Oturumu bir süre önce açtınız. Verilerinizi başkasının almaması için parolanızı yazın.
account-deletion = Silme
account-deletion-hint = Hesabınız ve tüm uygulamaların erişimi, kalıcı olarak.
ago-second = az önce
ago-minute = { $count } dakika önce
ago-hour = { $count } saat önce
ago-day = { $count } gün önce
browser-on-system = { $browser }, { $system }
browser-unknown = Bilinmeyen bir tarayıcı
note-withdrawn = Geri alındı. Uygulama artık sizin adınıza işlem yapamaz.
note-nothing-withdrawn = Geri alınacak bir şey yoktu. Hiçbir şey değiştirilmedi.
note-session-ended = Oradaki oturum kapatıldı. O tarayıcının yeniden oturum açması gerekir.
note-others-ended = Diğer her yerde oturum kapatıldı. Bu tarayıcıda oturum açık kaldı.
note-password-changed = Parolanız değiştirildi. Diğer her yerde oturumunuz kapatıldı.
note-token-revoked = İptal edildi. Jetona sahip programlar artık sizin adınıza işlem yapamaz.
note-profile-changed = Profiliniz değiştirildi.
note-ended-before = Daha önce sona ermişti. Hiçbir şey değiştirilmedi.

# withdraw.html
withdraw-title = Erişimi geri al
withdraw-question = { $client } erişimi geri alınsın mı?
withdraw-host = Adını { $host } böyle bildiriyor.
withdraw-no-longer = Artık yapamayacakları
withdraw-ends = Erişimi hemen sona erer. Kendi sakladıkları onda kalır. Size yeniden sorabilir.
withdraw-ends-sign-ins = Erişimi, onu nerede kullanıyorsanız kullanın, hemen sona erer: { $count } oturum sona erer. Kendi sakladıkları onda kalır. Size yeniden sorabilir.
keep-it = Koru

# password.html
password-change = Parolanızı değiştirin
password-until-now = Şimdiki parolanız
password-new = Yeni parola
password-new-rules = Her türden en az { $least } karakter; saldırganların önce denediği yaygın parolalardan biri olmamalı.
password-again = Yeni parola, bir kez daha
password-effect = Burada oturumunuz açık kalır, diğer her yerde kapatılır. Uygulamalar, onlara verdiğiniz izinleri korur.
password-change-button = Parolayı değiştir
cancel = Vazgeç
password-wrong-title = Yanlış parola
password-wrong = Oturum açtığınız parolayı yazın.
password-differ-title = Yeni parolalar farklı
password-differ = Aynı yeni parolayı iki kez yazın.
password-another-title = Başka bir parola seçin
password-too-short = Bir parola en az { $least } karakterdir.
password-too-long = Bir parola en fazla { $most } bayttır.
password-common = Bu, saldırganların önce denediği en yaygın parolalardan biridir.
password-same = Bu, şimdiki parolanız.

# delete-account.html
delete-account = Hesabınızı silin
delete-account-lead = { $user } hesabı, bu sitenin hakkınızda bildiği her şeyle birlikte kalıcı olarak silinir.
delete-account-sign-out = Her yerde oturumunuz kapatılır ve bir daha oturum açamazsınız.
delete-account-applications = Uygulamalar ve erişim jetonları burada artık sizin adınıza işlem yapamaz.
delete-account-stored = Uygulamaların kendi sakladıkları onlarda kalır.
delete-account-password = Parolanız
delete-account-button = Hesabı sil
deleted-account-title = Hesabınız silindi
deleted-account = Bu sitenin hakkınızda bildikleri silindi ve uygulamalar burada artık sizin adınıza işlem yapamaz. Kendi sakladıkları onlarda kalır.

# message.html
message-code = Uygulamayı işletenler için: { $code }
message-request-id = Yardım isterseniz işletmeciye bu numarayı bildirin: { $number }
signed-out-meanwhile = Hiçbir izin verilmedi. Oturum açıp yeniden yanıtlayın veya uygulamaya dönüp orada başlayın.
foreign-form-title = Bu form buradan değil
foreign-form = Hiçbir şey değiştirilmedi. Sayfayı yeniden açın ve yapmak istediğinizi tekrarlayın.
unreadable-form-title = Bu form okunamıyor
unreadable-form = Hiçbir şey değiştirilmedi. Sayfayı yeniden açın ve yapmak istediğinizi tekrarlayın.
not-found-title = Böyle bir sayfa yok
not-found = Adres yanlış yazılmış olabilir veya sayfa artık yoktur.
wrong-method-title = Bu sayfa böyle kullanılamaz
wrong-method = Sayfayı adresiyle açın veya üzerindeki formu gönderin.
your-account-sign-out = Oturumu kapatabileceğiniz hesabınız

# Requests that no page sees
refused-title = Bu istek reddedildi
refused-head = Hiçbir şey değiştirilmedi. Tarayıcınız bu sitenin kabul ettiğinden (16 KiB) fazlasını gönderdi, belki çok fazla çerez vardır. Bu sitenin çerezlerini silin ve yeniden deneyin.
refused-host = Hiçbir şey değiştirilmedi. Tarayıcınız veya onunla bu site arasındaki bir şey hangi siteyi istediğini söylemedi.
refused-large = Hiçbir şey değiştirilmedi. Gönderdiğiniz, bu sitenin kabul ettiğinden (64 KiB) büyük. Geri dönün ve daha azını gönderin.
refused-slow = Hiçbir şey değiştirilmedi. Gönderdiğinizin ulaşması çok uzun sürdü. Geri dönün ve yeniden deneyin.
refused-broken = Hiçbir şey değiştirilmedi. Gönderdiğiniz eksik ulaştı. Geri dönün ve yeniden deneyin.
refused-room = Hiçbir şey değiştirilmedi. Şu anda çok fazla kişi bu siteyi kullanıyor. Birkaç saniye sonra yeniden deneyin.
refused-not-current = Hiçbir şey değiştirilmedi. Bu site taşınıyor. Birkaç dakika sonra yeniden deneyin.
