# Every page
signed-in-as = Connecté en tant que { $user }
sign-out = Se déconnecter
your-applications = Vos applications
error-title = Erreur : { $title }
list-pair = { $before }, { $next }
yes = oui
no = non
not-you = Ce n’est pas vous ? { $link }.
not-you-link = Se connecter avec un autre compte
wait =
    { $minutes ->
        [0]
            { $seconds ->
                [one] une seconde
               *[other] { $seconds } secondes
            }
        [one] une minute
       *[other] { $minutes } minutes
    }
date =
    { $day ->
        [1] 1er { month } { $year }
       *[other] { $day } { month } { $year }
    }
time = { date }, { $clock } UTC
month =
    { $month ->
        [1] janvier
        [2] février
        [3] mars
        [4] avril
        [5] mai
        [6] juin
        [7] juillet
        [8] août
        [9] septembre
        [10] octobre
        [11] novembre
       *[12] décembre
    }

# sign-in.html
sign-in = Se connecter
sign-in-to-continue = pour continuer vers { $client }
sign-in-already = Vous êtes connecté en tant que { $user }. { $link }, ou connectez-vous avec un autre compte.
sign-in-already-link = Continuer en tant que { $user }
user-name = Nom d’utilisateur
password = Mot de passe
sign-in-empty-title = Il manque quelque chose
sign-in-empty = Saisissez votre nom d’utilisateur et votre mot de passe.
sign-in-wrong-title = Nom d’utilisateur ou mot de passe incorrect
sign-in-wrong = Vérifiez les deux et réessayez.
sign-in-busy-title = Beaucoup de personnes se connectent
sign-in-busy = Réessayez dans quelques secondes.
sign-in-stale-title = Cette page est restée ouverte trop longtemps
sign-in-stale = Saisissez de nouveau votre mot de passe.
sign-in-no-cookie-title = Votre navigateur n’a pas envoyé de cookie
sign-in-no-cookie = La connexion nécessite un cookie. Autorisez les cookies pour ce site, puis saisissez de nouveau votre mot de passe.
sign-in-too-many-title = Trop de tentatives
sign-in-too-many = Votre mot de passe n’a pas été vérifié. Attendez { wait }, puis réessayez.
sign-in-too-many-others = Votre mot de passe n’a pas été vérifié, car beaucoup d’autres personnes de votre réseau essaient ce nom d’utilisateur. Attendez { wait }, ou réessayez depuis un autre réseau ou dans un navigateur où vous vous êtes déjà connecté.

# choose-account.html
choose-account = Choisir un compte
choose-account-continue = Continuer en tant que { $user }
choose-account-other = Utiliser un autre compte

# consent.html
consent-title-identity = { $client } demande qui vous êtes
consent-title-access = { $client } demande un accès
consent-heading-identity = { $client } demande qui vous êtes
consent-heading-access = { $client } demande l’accès à votre compte
consent-heading-more = { $client } en demande davantage
consent-host = Personne ici ne connaît cette application. C’est le nom que lui donne { $host } ; n’autorisez que si vous faites confiance à ce site.
consent-registered-itself = Cette application s’est enregistrée elle-même et a choisi son nom.
consent-trust-destination = N’autorisez que si vous faites confiance à { $destination }, où va la réponse.
consent-trust-start = N’autorisez que si vous l’avez lancée vous-même.
consent-device = Elle fonctionne sur un appareil, qui doit afficher ce code maintenant :
consent-device-code = Le code de l’appareil
consent-device-asked = L’appareil a fait sa demande le { $time }.
consent-device-asked-from = L’appareil a fait sa demande le { $time }, depuis l’adresse { $address }.
consent-device-warning = Vous n’avez pas lancé cela vous-même, ou le code est arrivé par message ou par téléphone ? Alors refusez.
consent-granted = Vous l’autorisez déjà à
consent-wants = Elle souhaite
consent-wants-more = Elle souhaite maintenant aussi
consent-claim = Voir { $claim } : { $value }
consent-claim-unknown = Voir { $claim } : inconnu ici
consent-learns = { $claim } : { $value }
consent-resources = Auprès de { $resources }, et nulle part ailleurs.
consent-tick = Cochez ce que vous autorisez.
consent-granted-stays = Ce que vous avez déjà autorisé ne change pas.
consent-untick = Décochez ce que vous n’autorisez pas.
consent-learns-user-name = Avec toute autorisation, elle apprend votre nom d’utilisateur, { $user }.
consent-nothing-ticked = Si rien n’est coché, elle n’obtient aucun accès.
consent-nothing-new = Elle ne demande rien de nouveau.
consent-only-user-name = Elle apprend votre nom d’utilisateur, { $user }, et rien d’autre.
consent-only-account = Elle apprend que vous avez un compte ici, et rien d’autre.
consent-allow = Autoriser
consent-deny = Refuser
consent-to-app = Vous reviendrez à l’application sur cet appareil ({ $destination }). Si elle ne s’ouvre pas d’elle-même, retournez-y et fermez cette page.
consent-to-destination = Vous serez dirigé vers { $destination }.
consent-to-device = L’appareil continue de lui-même.
consent-to-code = Un code vous sera montré, à saisir dans l’application.
take-back = Vous pouvez revenir sur ce choix à tout moment dans { $link }.
take-back-link = « Vos applications »
consent-by = par { $owner }
consent-lookalike = Ce n’est pas l’application { $client } que vous avez déjà autorisée.
consent-lookalike-at = Celle-là se trouve à { $places }.
consent-lookalike-deny = Refusez si vous pensiez à celle-là.
consent-data = Comment elle traite vos données : { $links }
consent-policy = politique de confidentialité
consent-terms = conditions d’utilisation
consent-lasts = Après { $duration } au plus tard, elle doit revenir ici.
consent-last-allowed = Vous l’avez autorisée pour la dernière fois le { $date }.
consent-never-allowed = Vous ne l’avez encore jamais autorisée.
consent-known-since = Elle est connue ici depuis le { $date }.
consent-contacts = Questions à lui adresser : { $contacts }.
duration-second =
    { $count ->
        [one] { $count } seconde
       *[other] { $count } secondes
    }
duration-minute =
    { $count ->
        [one] { $count } minute
       *[other] { $count } minutes
    }
duration-hour =
    { $count ->
        [one] { $count } heure
       *[other] { $count } heures
    }
duration-day =
    { $count ->
        [one] { $count } jour
       *[other] { $count } jours
    }

# Scopes and claims
scope-openid = Savoir qui vous êtes
scope-profile = Voir votre nom d’utilisateur et votre profil
scope-email = Voir votre adresse e-mail
scope-address = Voir votre adresse postale
scope-phone = Voir votre numéro de téléphone
scope-offline-access = Agir pour vous en votre absence
claim-preferred-username = Nom d’utilisateur
claim-name = Nom
claim-given-name = Prénom
claim-family-name = Nom de famille
claim-middle-name = Deuxième prénom
claim-nickname = Surnom
claim-profile = Page de profil
claim-picture = Photo
claim-website = Site web
claim-gender = Genre
claim-birthdate = Date de naissance
claim-zoneinfo = Fuseau horaire
claim-locale = Langue
claim-email = Adresse e-mail
claim-email-verified = Adresse e-mail vérifiée
claim-phone-number = Numéro de téléphone
claim-phone-number-verified = Numéro de téléphone vérifié
claim-address = Adresse postale
address-formatted = Adresse complète
address-street-address = Rue
address-postal-code = Code postal
address-locality = Ville
address-region = Région
address-country = Pays

# device.html
device = Connecter un appareil
device-compare = Comparez ce code avec celui qu’affiche votre appareil. S’ils diffèrent, fermez cette page.
device-type = Saisissez le code qu’affiche votre appareil.
device-code = Code
device-continue = Continuer
device-warning = Ne continuez que si vous avez lancé cela sur un appareil à vous. Un code arrivé par message ou par téléphone est une tentative d’entrer dans votre compte.
device-missing-title = Il manque quelque chose
device-missing = Saisissez le code qu’affiche votre appareil.
device-malformed-title = Ce n’est pas un code
device-malformed = Un code a huit lettres et aucun chiffre.
device-unknown-title = Aucun appareil n’attend avec ce code
device-unknown = Comparez-le avec le code qu’affiche maintenant votre appareil.
device-expired-title = Ce code a expiré
device-expired = Faites afficher un nouveau code par votre appareil et saisissez-le.
device-answered-title = Ce code a déjà été utilisé
device-answered = Si votre appareil attend encore, faites-lui afficher un nouveau code.
device-too-many-title = Trop de codes ont été essayés
device-too-many = Celui-ci n’a pas été vérifié. Attendez { wait }, puis réessayez.
device-unusable-title = Ce code ne peut pas être utilisé
device-unusable = Faites afficher un nouveau code par votre appareil et saisissez-le.

# verifier.html
verifier-hint = Il est valable une fois, et peu de temps. Saisissez-le dans l’application.
verifier-code = Votre code
verifier-warning = Il est pour { $client } uniquement. Ne le donnez à personne : qui vous le demande par message ou par téléphone veut entrer dans votre compte.

# sign-out.html and signed-out.html
sign-out-question = Se déconnecter ?
sign-out-asked-by = L’application { $client } demande à vous déconnecter ici.
sign-out-asked = Une application demande à vous déconnecter ici.
sign-out-stay = Rester connecté
sign-out-then = Vous irez ensuite vers { $destination }.
signed-out-applications = Les applications gardent ce que vous leur avez autorisé.
signed-out-again = Se reconnecter
signed-out-everywhere-title = Vous êtes déconnecté partout
signed-in-instead = Les applications apprennent que l’utilisateur précédent est déconnecté. Ensuite, cette page continue.
go-on = Continuer

# applications.html
account-may-act = Elles peuvent agir pour vous, jusqu’à ce que vous retiriez cette autorisation.
account-further = Autres applications
account-nobody = Vous n’avez autorisé aucune application à utiliser votre compte. Dès que vous le ferez, elle apparaîtra ici, et vous pourrez retirer l’autorisation à tout moment.
account-host = Personne ici ne connaît cette application. C’est le nom que lui donne { $host }.
account-registered-itself = Elle s’est enregistrée elle-même et a choisi son nom.
account-answers-go = Ses réponses vont à { $destinations }.
account-known-since = Connue ici depuis le { $date }, sous { $id }
account-changed = Elle a changé de nom ou d’adresse le { $date }, après votre autorisation.
account-at = Auprès de { $places }
account-open = Ouvrir { $client }
account-first-allowed = Autorisée pour la première fois le { $date }
account-last-token = dernier jeton le { $time }
account-tokens-end = ses jetons expirent au plus tard le { $time }
account-no-token = elle n’a aucun jeton actuellement
account-withdraw = Retirer
account-withdraw-label = Retirer l’accès de { $client }
account-tokens = Vos jetons d’accès
account-token-made = Voici le jeton { $name }. Copiez-le maintenant : il ne sera plus affiché.
account-tokens-hint = Un programme qui en possède un agit pour vous jusqu’à son expiration. La révocation y met fin aussitôt.
account-token-since = Depuis le { $date }
account-token-expires = expire le { $time }
account-token-revoke = Révoquer
account-token-revoke-label = Révoquer le jeton { $name }
account-token-sign-in = Pour créer un jeton, { $link } : votre dernière connexion remonte à quelque temps.
account-token-sign-in-link = reconnectez-vous
account-token-name = Nom d’un nouveau jeton
account-token-valid = Valable pendant
account-token-days =
    { $days ->
        [one] { $days } jour
       *[other] { $days } jours
    }
account-token-make = Créer un jeton
account-token-bad-name = Donnez au jeton un nom d’au plus 100 caractères, auquel vous le reconnaîtrez.
account-token-no-scope = Choisissez ce qu’un programme peut faire avec ce jeton.
account-token-no-days = Choisissez la durée de validité du jeton.
account-token-too-many = Vous avez cent jetons. Révoquez-en un dont vous n’avez plus besoin.
account-profile = Votre profil
account-profile-hint = Les applications en apprennent ce que vous autorisez.
account-profile-more = Autres informations que vous pouvez ajouter
account-profile-save = Enregistrer
account-profile-unknown = Rien n’a été modifié. Ce site n’enregistre rien de tel.
account-profile-unseen = Rien n’a été modifié. { $claim } : n’utilisez ni caractères de contrôle ni caractères invisibles.
account-profile-length = Rien n’a été modifié. { $claim } : utilisez de 1 à 1000 caractères.
account-profile-line = Rien n’a été modifié. { $claim } : utilisez une seule ligne, sans espace au début ni à la fin.
account-profile-url = Rien n’a été modifié. { $claim } : ce doit être une adresse web, comme https://ada.example.
account-profile-email = Rien n’a été modifié. { $claim } : ce doit être une adresse comme ada@example.com.
account-profile-birthdate = Rien n’a été modifié. { $claim } : ce doit être une date comme 1815-12-10, 0000-12-10 sans l’année, ou une année seule.
account-profile-wrong = Rien n’a été modifié. { $claim } : cette valeur ne peut pas être utilisée.
account-sessions = Où vous êtes connecté
account-session-here = ce navigateur
account-session-from = Depuis { $address }
account-session-used = dernière utilisation { $ago }
account-session-signed-in = connecté le { $time }
account-session-end-label = Déconnecter { $browser } à { $address }, dernière utilisation le { $time }
account-sessions-hint = Si vous ne reconnaissez pas l’une d’elles, { $link } : cela met fin à toutes les autres. Les applications gardent ce que vous leur avez autorisé.
account-sessions-hint-link = changez votre mot de passe
account-sign-out-others = Se déconnecter partout ailleurs
account-sign-out-everywhere = Se déconnecter partout
account-account = Votre compte
account-password-hint = Un nouveau mot de passe vous déconnecte partout ailleurs.
account-data = Vos données
account-data-hint = Un fichier avec tout ce que ce site sait de vous. Il ne contient ni mot de passe ni jeton.
account-data-download = Télécharger vos données
export-lead = Votre connexion remonte à un certain temps. Saisissez votre mot de passe, afin que personne d’autre n’obtienne vos données.
account-deletion = Suppression
account-deletion-hint = Votre compte et l’accès de toutes les applications, définitivement.
ago-second = à l’instant
ago-minute =
    { $count ->
        [one] il y a { $count } minute
       *[other] il y a { $count } minutes
    }
ago-hour =
    { $count ->
        [one] il y a { $count } heure
       *[other] il y a { $count } heures
    }
ago-day =
    { $count ->
        [one] il y a { $count } jour
       *[other] il y a { $count } jours
    }
browser-on-system = { $browser } sur { $system }
browser-unknown = Un navigateur inconnu
note-withdrawn = Autorisation retirée. L’application ne peut plus agir pour vous.
note-nothing-withdrawn = Il n’y avait rien à retirer. Rien n’a été modifié.
note-session-ended = Déconnecté là-bas. Ce navigateur devra se reconnecter.
note-others-ended = Déconnecté partout ailleurs. Ce navigateur est toujours connecté.
note-password-changed = Votre mot de passe a été changé. Vous êtes déconnecté partout ailleurs.
note-token-revoked = Jeton révoqué. Les programmes qui le possèdent ne peuvent plus agir pour vous.
note-profile-changed = Votre profil a été modifié.
note-ended-before = Cela avait déjà pris fin. Rien n’a été modifié.

# withdraw.html
withdraw-title = Retirer l’accès
withdraw-question = Retirer l’accès de { $client } ?
withdraw-host = C’est le nom que lui donne { $host }.
withdraw-no-longer = Elle ne pourra plus
withdraw-ends = Son accès prend fin aussitôt. Ce qu’elle a enregistré elle-même, elle le garde. Elle pourra vous le redemander.
withdraw-ends-sign-ins = Son accès prend fin aussitôt, partout où vous l’utilisez : { $count } connexions prennent fin. Ce qu’elle a enregistré elle-même, elle le garde. Elle pourra vous le redemander.
keep-it = Conserver

# password.html
password-change = Changer votre mot de passe
password-until-now = Votre mot de passe actuel
password-new = Nouveau mot de passe
password-new-rules = Au moins { $least } caractères de toute sorte, et aucun des mots de passe courants que les pirates essaient en premier.
password-again = Nouveau mot de passe, encore une fois
password-effect = Vous restez connecté ici et êtes déconnecté partout ailleurs. Les applications gardent ce que vous leur avez autorisé.
password-change-button = Changer le mot de passe
cancel = Annuler
password-wrong-title = Mot de passe incorrect
password-wrong = Saisissez le mot de passe avec lequel vous vous connectez.
password-differ-title = Les nouveaux mots de passe diffèrent
password-differ = Saisissez deux fois le même nouveau mot de passe.
password-another-title = Choisissez un autre mot de passe
password-too-short = Un mot de passe a au moins { $least } caractères.
password-too-long = Un mot de passe a au plus { $most } octets.
password-common = C’est l’un des mots de passe les plus courants, que les pirates essaient en premier.
password-same = C’est votre mot de passe actuel.

# delete-account.html
delete-account = Supprimer votre compte
delete-account-lead = Le compte { $user } est supprimé définitivement, avec tout ce que ce site sait de vous.
delete-account-sign-out = Vous êtes déconnecté partout et ne pouvez plus vous connecter.
delete-account-applications = Les applications et les jetons d’accès ne peuvent plus agir pour vous ici.
delete-account-stored = Ce que les applications ont enregistré elles-mêmes, elles le gardent.
delete-account-password = Votre mot de passe
delete-account-button = Supprimer le compte
deleted-account-title = Votre compte est supprimé
deleted-account = Ce que ce site savait de vous est effacé, et les applications ne peuvent plus agir pour vous ici. Ce qu’elles ont enregistré elles-mêmes, elles le gardent.

# message.html
message-code = Pour les responsables de l’application : { $code }
message-request-id = Si vous demandez de l’aide, indiquez ce numéro à l’exploitant du site : { $number }
signed-out-meanwhile = Rien n’a été autorisé. Connectez-vous et répondez de nouveau, ou retournez à l’application et recommencez là-bas.
foreign-form-title = Ce formulaire ne vient pas d’ici
foreign-form = Rien n’a été modifié. Ouvrez de nouveau la page et refaites ce que vous vouliez faire.
unreadable-form-title = Ce formulaire est illisible
unreadable-form = Rien n’a été modifié. Ouvrez de nouveau la page et refaites ce que vous vouliez faire.
not-found-title = Cette page n’existe pas
not-found = L’adresse est peut-être mal saisie, ou la page n’existe plus.
wrong-method-title = Cette page ne s’utilise pas ainsi
wrong-method = Ouvrez-la par son adresse, ou envoyez le formulaire qui s’y trouve.
your-account-sign-out = Votre compte, où vous pouvez vous déconnecter

# Requests that no page sees
refused-title = Cette requête a été refusée
refused-head = Rien n’a été modifié. Votre navigateur a joint plus que ce site n’accepte (16 Kio), peut-être trop de cookies. Supprimez les cookies de ce site, puis réessayez.
refused-host = Rien n’a été modifié. Votre navigateur, ou un intermédiaire entre lui et ce site, n’a pas dit quel site il demande.
refused-large = Rien n’a été modifié. Ce que vous avez envoyé dépasse ce que ce site accepte (64 Kio). Revenez en arrière et envoyez-en moins.
refused-slow = Rien n’a été modifié. Ce que vous avez envoyé a mis trop de temps à arriver. Revenez en arrière et réessayez.
refused-broken = Rien n’a été modifié. Ce que vous avez envoyé est arrivé incomplet. Revenez en arrière et réessayez.
refused-room = Rien n’a été modifié. Trop de personnes utilisent ce site en ce moment. Réessayez dans quelques secondes.
refused-not-current = Rien n’a été modifié. Ce site est en cours de déplacement. Réessayez dans quelques minutes.
