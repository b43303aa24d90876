# Every page
signed-in-as = Sesión iniciada como { $user }
sign-out = Cerrar sesión
your-applications = Sus aplicaciones
error-title = Error: { $title }
list-pair = { $before }, { $next }
yes = sí
no = no
not-you = ¿No es usted? { $link }.
not-you-link = Iniciar sesión con otra cuenta
wait =
    { $minutes ->
        [0]
            { $seconds ->
                [one] un segundo
               *[other] { $seconds } segundos
            }
        [one] un minuto
       *[other] { $minutes } minutos
    }
date = { $day } de { month } de { $year }
time = { date }, { $clock } UTC
month =
    { $month ->
        [1] enero
        [2] febrero
        [3] marzo
        [4] abril
        [5] mayo
        [6] junio
        [7] julio
        [8] agosto
        [9] septiembre
        [10] octubre
        [11] noviembre
       *[12] diciembre
    }

# sign-in.html
sign-in = Iniciar sesión
sign-in-to-continue = para continuar a { $client }
sign-in-already = Ha iniciado sesión como { $user }. { $link }, o inicie sesión con otra cuenta.
sign-in-already-link = Continuar como { $user }
user-name = Nombre de usuario
password = Contraseña
sign-in-empty-title = Falta algo
sign-in-empty = Escriba su nombre de usuario y su contraseña.
sign-in-wrong-title = Nombre de usuario o contraseña incorrectos
sign-in-wrong = Compruebe ambos e inténtelo de nuevo.
sign-in-busy-title = Muchas personas están iniciando sesión
sign-in-busy = Inténtelo de nuevo en unos segundos.
sign-in-stale-title = Esta página estuvo abierta demasiado tiempo
sign-in-stale = Escriba de nuevo su contraseña.
sign-in-no-cookie-title = Su navegador no envió ninguna cookie
sign-in-no-cookie = Para iniciar sesión hace falta una cookie. Permita las cookies de este sitio y escriba de nuevo su contraseña.
sign-in-too-many-title = Demasiados intentos
sign-in-too-many = No se comprobó su contraseña. Espere { wait } e inténtelo de nuevo.
sign-in-too-many-others = No se comprobó su contraseña, porque muchas otras personas de su red prueban este nombre de usuario. Espere { wait }, o inténtelo desde otra red o en un navegador en el que ya haya iniciado sesión antes.

# choose-account.html
choose-account = Elija una cuenta
choose-account-continue = Continuar como { $user }
choose-account-other = Usar otra cuenta

# consent.html
consent-title-identity = { $client } pregunta quién es usted
consent-title-access = { $client } solicita acceso
consent-heading-identity = { $client } pregunta quién es usted
consent-heading-access = { $client } solicita acceso a su cuenta
consent-heading-more = { $client } solicita más
consent-host = Aquí nadie conoce esta aplicación. Así la llama { $host }; permítalo solo si confía en ese sitio.
consent-registered-itself = Esta aplicación se registró a sí misma y eligió su nombre.
consent-trust-destination = Permítalo solo si confía en { $destination }, adonde va la respuesta.
consent-trust-start = Permítalo solo si lo inició usted.
consent-device = Funciona en un dispositivo, que ahora debe mostrar este código:
consent-device-code = El código del dispositivo
consent-device-asked = El dispositivo lo solicitó el { $time }.
consent-device-asked-from = El dispositivo lo solicitó el { $time }, desde la dirección { $address }.
consent-device-warning = ¿No lo inició usted, o el código llegó en un mensaje o por teléfono? Entonces rechácelo.
consent-granted = Usted ya le permite
consent-wants = Quiere
consent-wants-more = Ahora también quiere
consent-claim = Ver { $claim }: { $value }
consent-claim-unknown = Ver { $claim }: no se conoce aquí
consent-learns = { $claim }: { $value }
consent-resources = En { $resources }, y en ningún otro lugar.
consent-tick = Marque lo que permite.
consent-granted-stays = Lo que ya le permite queda como está.
consent-untick = Desmarque lo que no permite.
consent-learns-user-name = Con cualquier cosa que permita conocerá su nombre de usuario, { $user }.
consent-nothing-ticked = Si no marca nada, no obtiene acceso.
consent-nothing-new = No solicita nada nuevo.
consent-only-user-name = Conocerá su nombre de usuario, { $user }, y nada más.
consent-only-account = Sabrá que usted tiene una cuenta aquí, y nada más.
consent-allow = Permitir
consent-deny = Rechazar
consent-to-app = Volverá a la aplicación de este dispositivo ({ $destination }). Si no se abre sola, vuelva a ella y cierre esta página.
consent-to-destination = Irá a { $destination }.
consent-to-device = El dispositivo continúa por sí solo.
consent-to-code = Se le mostrará un código para escribirlo allí.
take-back = Puede retirarlo en cualquier momento en { $link }.
take-back-link = «Sus aplicaciones»
consent-by = de { $owner }
consent-lookalike = Esta no es la aplicación { $client } que usted ya permitió.
consent-lookalike-at = Aquella está en { $places }.
consent-lookalike-deny = Rechace si se refería a aquella.
consent-data = Cómo trata sus datos: { $links }
consent-policy = política de privacidad
consent-terms = condiciones del servicio
consent-lasts = Después de { $duration } como máximo, debe volver aquí.
consent-last-allowed = La última vez que le permitió algo fue el { $date }.
consent-never-allowed = Hasta ahora no le ha permitido nada.
consent-known-since = Se conoce aquí desde el { $date }.
consent-contacts = Preguntas a: { $contacts }.
duration-second =
    { $count ->
        [one] { $count } segundo
       *[other] { $count } segundos
    }
duration-minute =
    { $count ->
        [one] { $count } minuto
       *[other] { $count } minutos
    }
duration-hour =
    { $count ->
        [one] { $count } hora
       *[other] { $count } horas
    }
duration-day =
    { $count ->
        [one] { $count } día
       *[other] { $count } días
    }

# Scopes and claims
scope-openid = Saber quién es usted
scope-profile = Ver su nombre de usuario y su perfil
scope-email = Ver su dirección de correo electrónico
scope-address = Ver su dirección postal
scope-phone = Ver su número de teléfono
scope-offline-access = Actuar por usted en su ausencia
claim-preferred-username = Nombre de usuario
claim-name = Nombre completo
claim-given-name = Nombre
claim-family-name = Apellidos
claim-middle-name = Segundo nombre
claim-nickname = Apodo
claim-profile = Página de perfil
claim-picture = Foto
claim-website = Sitio web
claim-gender = Género
claim-birthdate = Fecha de nacimiento
claim-zoneinfo = Zona horaria
claim-locale = Idioma
claim-email = Correo electrónico
claim-email-verified = Correo electrónico comprobado
claim-phone-number = Número de teléfono
claim-phone-number-verified = Número de teléfono comprobado
claim-address = Dirección postal
address-formatted = Dirección completa
address-street-address = Calle
address-postal-code = Código postal
address-locality = Ciudad
address-region = Región
address-country = País

# device.html
device = Conectar un dispositivo
device-compare = Compare este código con el que muestra su dispositivo. Si son distintos, cierre esta página.
device-type = Escriba el código que muestra su dispositivo.
device-code = Código
device-continue = Continuar
device-warning = Continúe solo si lo inició en un dispositivo suyo. Un código que llegó en un mensaje o por teléfono es un intento de entrar en su cuenta.
device-missing-title = Falta algo
device-missing = Escriba el código que muestra su dispositivo.
device-malformed-title = Esto no es un código
device-malformed = Un código tiene ocho letras y ninguna cifra.
device-unknown-title = Ningún dispositivo espera con este código
device-unknown = Compárelo con el código que su dispositivo muestra ahora.
device-expired-title = Este código ha caducado
device-expired = Haga que su dispositivo muestre uno nuevo y escríbalo.
device-answered-title = Este código ya se usó
device-answered = Si su dispositivo sigue esperando, haga que muestre uno nuevo.
device-too-many-title = Se probaron demasiados códigos
device-too-many = Este no se comprobó. Espere { wait } e inténtelo de nuevo.
device-unusable-title = Este código no se puede usar
device-unusable = Haga que su dispositivo muestre uno nuevo y escríbalo.

# verifier.html
verifier-hint = Vale una sola vez, y por poco tiempo. Escríbalo allí.
verifier-code = Su código
verifier-warning = Es solo para { $client }. No se lo dé a nadie: quien lo pide en un mensaje o por teléfono quiere entrar en su cuenta.

# sign-out.html and signed-out.html
sign-out-question = ¿Cerrar sesión?
sign-out-asked-by = La aplicación { $client } solicita cerrar su sesión aquí.
sign-out-asked = Una aplicación solicita cerrar su sesión aquí.
sign-out-stay = Mantener la sesión
sign-out-then = Después irá a { $destination }.
signed-out-applications = Las aplicaciones conservan lo que usted les permitió.
signed-out-again = Volver a iniciar sesión
signed-out-everywhere-title = Se cerró su sesión en todas partes
signed-in-instead = Las aplicaciones se enteran de que se cerró la sesión del usuario anterior. Después, esta página continúa.
go-on = Continuar

# applications.html
account-may-act = Estas pueden actuar por usted, hasta que lo retire.
account-further = Otras aplicaciones
account-nobody = No ha permitido a ninguna aplicación usar su cuenta. Cuando lo haga, aparecerá aquí, y podrá retirarlo en cualquier momento.
account-host = Aquí nadie conoce esta aplicación. Así la llama { $host }.
account-registered-itself = Se registró a sí misma y eligió su nombre.
account-answers-go = Sus respuestas van a { $destinations }.
account-known-since = Conocida aquí desde el { $date }, como { $id }
account-changed = Cambió su nombre o su dirección el { $date }, después de que usted la permitiera.
account-at = En { $places }
account-open = Abrir { $client }
account-first-allowed = Permitida por primera vez el { $date }
account-last-token = último token el { $time }
account-tokens-end = sus tokens caducan a más tardar el { $time }
account-no-token = ahora no tiene ningún token
account-withdraw = Retirar
account-withdraw-label = Retirar el acceso de { $client }
account-tokens = Sus tokens de acceso
account-token-made = Este es el token { $name }. Cópielo ahora: no se mostrará de nuevo.
account-tokens-hint = Un programa que tiene uno actúa por usted hasta que caduca. Revocarlo lo termina al instante.
account-token-since = Desde el { $date }
account-token-expires = caduca el { $time }
account-token-revoke = Revocar
account-token-revoke-label = Revocar el token { $name }
account-token-sign-in = Para crear un token, { $link }: su último inicio de sesión fue hace un rato.
account-token-sign-in-link = vuelva a iniciar sesión
account-token-name = Nombre de un token nuevo
account-token-valid = Válido durante
account-token-days =
    { $days ->
        [one] { $days } día
       *[other] { $days } días
    }
account-token-make = Crear un token
account-token-bad-name = Dé al token un nombre de 100 caracteres como máximo, por el que lo reconozca.
account-token-no-scope = Elija qué puede hacer un programa con el token.
account-token-no-days = Elija cuánto tiempo es válido el token.
account-token-too-many = Tiene cien tokens. Revoque uno que ya no necesite.
account-profile = Su perfil
account-profile-hint = Las aplicaciones conocen de él lo que usted les permite.
account-profile-more = Otros datos que puede añadir
account-profile-save = Guardar
account-profile-unknown = No se cambió nada. Este sitio no guarda tal cosa.
account-profile-unseen = No se cambió nada. { $claim }: sin caracteres de control ni invisibles.
account-profile-length = No se cambió nada. { $claim }: de 1 a 1000 caracteres.
account-profile-line = No se cambió nada. { $claim }: una sola línea, sin espacios al principio ni al final.
account-profile-url = No se cambió nada. { $claim }: debe ser una dirección web, como https://ada.example.
account-profile-email = No se cambió nada. { $claim }: debe ser una dirección como ada@example.com.
account-profile-birthdate = No se cambió nada. { $claim }: debe ser una fecha como 1815-12-10, 0000-12-10 sin el año, o solo un año.
account-profile-wrong = No se cambió nada. { $claim }: este valor no se puede usar.
account-sessions = Dónde tiene la sesión iniciada
account-session-here = este navegador
account-session-from = Desde { $address }
account-session-used = último uso { $ago }
account-session-signed-in = sesión iniciada el { $time }
account-session-end-label = Cerrar la sesión de { $browser } en { $address }, último uso el { $time }
account-sessions-hint = Si no reconoce alguna, { $link }: así terminan todas las demás. Las aplicaciones conservan lo que usted les permitió.
account-sessions-hint-link = cambie su contraseña
account-sign-out-others = Cerrar sesión en los demás
account-sign-out-everywhere = Cerrar sesión en todas partes
account-account = Su cuenta
account-password-hint = Una nueva cierra su sesión en los demás navegadores.
account-data = Sus datos
account-data-hint = Un archivo con todo lo que este sitio sabe de usted. No contiene contraseñas ni tokens.
account-data-download = Descargar sus datos
export-lead = Inició sesión hace algún tiempo. Escriba su contraseña para que nadie más obtenga sus datos.
account-deletion = Eliminación
account-deletion-hint = Su cuenta y el acceso de todas las aplicaciones, para siempre.
ago-second = ahora mismo
ago-minute =
    { $count ->
        [one] hace { $count } minuto
       *[other] hace { $count } minutos
    }
ago-hour =
    { $count ->
        [one] hace { $count } hora
       *[other] hace { $count } horas
    }
ago-day =
    { $count ->
        [one] hace { $count } día
       *[other] hace { $count } días
    }
browser-on-system = { $browser } en { $system }
browser-unknown = Un navegador desconocido
note-withdrawn = Retirado. La aplicación ya no puede actuar por usted.
note-nothing-withdrawn = No había nada que retirar. No se cambió nada.
note-session-ended = Sesión cerrada allí. Ese navegador tendrá que iniciar sesión de nuevo.
note-others-ended = Sesión cerrada en los demás. Este navegador sigue con la sesión iniciada.
note-password-changed = Se cambió su contraseña. Se cerró su sesión en los demás navegadores.
note-token-revoked = Revocado. Los programas que tienen el token ya no pueden actuar por usted.
note-profile-changed = Se cambió su perfil.
note-ended-before = Ya había terminado. No se cambió nada.

# withdraw.html
withdraw-title = Retirar el acceso
withdraw-question = ¿Retirar el acceso de { $client }?
withdraw-host = Así la llama { $host }.
withdraw-no-longer = Ya no podrá
withdraw-ends = Su acceso termina al instante. Lo que ella misma guardó, lo conserva. Puede volver a solicitarlo.
withdraw-ends-sign-ins = Su acceso termina al instante, dondequiera que la use: terminan { $count } inicios de sesión. Lo que ella misma guardó, lo conserva. Puede volver a solicitarlo.
keep-it = Conservar

# password.html
password-change = Cambiar su contraseña
password-until-now = Su contraseña actual
password-new = Contraseña nueva
password-new-rules = Al menos { $least } caracteres de cualquier tipo, y ninguna de las contraseñas comunes que los atacantes prueban primero.
password-again = Contraseña nueva, otra vez
password-effect = Su sesión sigue iniciada aquí y se cierra en los demás navegadores. Las aplicaciones conservan lo que usted les permitió.
password-change-button = Cambiar la contraseña
cancel = Cancelar
password-wrong-title = Contraseña incorrecta
password-wrong = Escriba la contraseña con la que inicia sesión.
password-differ-title = Las contraseñas nuevas son distintas
password-differ = Escriba dos veces la misma contraseña nueva.
password-another-title = Elija otra contraseña
password-too-short = Una contraseña tiene al menos { $least } caracteres.
password-too-long = Una contraseña tiene como máximo { $most } bytes.
password-common = Es una de las contraseñas más comunes, que los atacantes prueban primero.
password-same = Es la contraseña que usted ya tiene.

# delete-account.html
delete-account = Eliminar su cuenta
delete-account-lead = La cuenta { $user } se elimina para siempre, con todo lo que este sitio sabe de usted.
delete-account-sign-out = Se cierra su sesión en todas partes, y no podrá volver a iniciarla.
delete-account-applications = Las aplicaciones y los tokens de acceso ya no pueden actuar por usted aquí.
delete-account-stored = Lo que las aplicaciones guardaron ellas mismas, lo conservan.
delete-account-password = Su contraseña
delete-account-button = Eliminar la cuenta
deleted-account-title = Su cuenta está eliminada
deleted-account = Lo que este sitio sabía de usted ya no existe, y las aplicaciones ya no pueden actuar por usted aquí. Lo que guardaron ellas mismas, lo conservan.

# message.html
message-code = Para los responsables de la aplicación: { $code }
message-request-id = Si pide ayuda, dé este número al responsable del sitio: { $number }
signed-out-meanwhile = No se permitió nada. Inicie sesión y responda de nuevo, o vuelva a la aplicación y empiece allí.
foreign-form-title = Este formulario no es de aquí
foreign-form = No se cambió nada. Abra la página de nuevo y repita lo que quería hacer.
unreadable-form-title = Este formulario no se puede leer
unreadable-form = No se cambió nada. Abra la página de nuevo y repita lo que quería hacer.
not-found-title = Esta página no existe
not-found = Tal vez la dirección esté mal escrita, o la página ya no exista.
wrong-method-title = Esta página no se puede usar así
wrong-method = Ábrala por su dirección, o envíe el formulario que contiene.
your-account-sign-out = Su cuenta, donde puede cerrar la sesión

# Requests that no page sees
refused-title = Esta solicitud fue rechazada
refused-head = No se cambió nada. Su navegador envió más de lo que este sitio acepta (16 KiB), quizá demasiadas cookies. Borre las cookies de este sitio y vuelva a intentarlo.
refused-host = No se cambió nada. Su navegador, o algo entre él y este sitio, no indicó qué sitio quiere.
refused-large = No se cambió nada. Lo que envió es mayor de lo que este sitio acepta (64 KiB). Vuelva atrás y envíe menos.
refused-slow = No se cambió nada. Lo que envió tardó demasiado en llegar. Vuelva atrás e inténtelo de nuevo.
refused-broken = No se cambió nada. Lo que envió llegó incompleto. Vuelva atrás e inténtelo de nuevo.
refused-room = No se cambió nada. Demasiadas personas usan este sitio en este momento. Inténtelo de nuevo en unos segundos.
refused-not-current = No se ha cambiado nada. Este sitio se está trasladando. Vuelva a intentarlo dentro de unos minutos.
