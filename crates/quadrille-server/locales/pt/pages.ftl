# Every page
signed-in-as = Conectado como { $user }
sign-out = Sair
your-applications = Seus aplicativos
error-title = Erro: { $title }
list-pair = { $before }, { $next }
yes = sim
no = não
not-you = Não é você? { $link }.
not-you-link = Entrar com outra conta
wait =
    { $minutes ->
        [0]
            { $seconds ->
                [one] um segundo
               *[other] { $seconds } segundos
            }
        [one] um minuto
       *[other] { $minutes } minutos
    }
date = { $day } de { month } de { $year }
time = { date }, { $clock } UTC
month =
    { $month ->
        [1] janeiro
        [2] fevereiro
        [3] março
        [4] abril
        [5] maio
        [6] junho
        [7] julho
        [8] agosto
        [9] setembro
        [10] outubro
        [11] novembro
       *[12] dezembro
    }

# sign-in.html
sign-in = Entrar
sign-in-to-continue = para continuar em { $client }
sign-in-already = Você está conectado como { $user }. { $link }, ou entre com outra conta.
sign-in-already-link = Continuar como { $user }
user-name = Nome de usuário
password = Senha
sign-in-empty-title = Falta alguma coisa
sign-in-empty = Digite seu nome de usuário e sua senha.
sign-in-wrong-title = Nome de usuário ou senha incorretos
sign-in-wrong = Confira ambos e tente novamente.
sign-in-busy-title = Muitas pessoas estão entrando
sign-in-busy = Tente novamente em alguns segundos.
sign-in-stale-title = Esta página ficou aberta por tempo demais
sign-in-stale = Digite sua senha novamente.
sign-in-no-cookie-title = Seu navegador não enviou nenhum cookie
sign-in-no-cookie = Para entrar é preciso um cookie. Permita cookies para este site e digite sua senha novamente.
sign-in-too-many-title = Tentativas demais
sign-in-too-many = Sua senha não foi verificada. Espere { wait } e tente novamente.
sign-in-too-many-others = Sua senha não foi verificada, pois muitas outras pessoas da sua rede tentam este nome de usuário. Espere { wait }, ou tente de outra rede ou em um navegador em que você já tenha entrado antes.

# choose-account.html
choose-account = Escolha uma conta
choose-account-continue = Continuar como { $user }
choose-account-other = Usar outra conta

# consent.html
consent-title-identity = { $client } pergunta quem é você
consent-title-access = { $client } pede acesso
consent-heading-identity = { $client } pergunta quem é você
consent-heading-access = { $client } pede acesso à sua conta
consent-heading-more = { $client } pede mais
consent-host = Ninguém aqui conhece este aplicativo. É assim que { $host } o chama; permita somente se você confia nesse site.
consent-registered-itself = Este aplicativo registrou a si mesmo e escolheu seu nome.
consent-trust-destination = Permita somente se você confia em { $destination }, para onde vai a resposta.
consent-trust-start = Permita somente se foi você que iniciou isto.
consent-device = Ele está em um dispositivo, que deve mostrar este código agora:
consent-device-code = O código do dispositivo
consent-device-asked = O dispositivo pediu em { $time }.
consent-device-asked-from = O dispositivo pediu em { $time }, do endereço { $address }.
consent-device-warning = Não foi você que iniciou isto, ou o código veio em uma mensagem ou por telefone? Então recuse.
consent-granted = Você já permite que ele possa
consent-wants = Ele quer
consent-wants-more = Agora ele também quer
consent-claim = Ver { $claim }: { $value }
consent-claim-unknown = Ver { $claim }: não conhecido aqui
consent-learns = { $claim }: { $value }
consent-resources = Em { $resources }, e em nenhum outro lugar.
consent-tick = Marque o que você permite.
consent-granted-stays = O que você já permite fica como está.
consent-untick = Desmarque o que você não permite.
consent-learns-user-name = Com qualquer coisa que você permitir, ele fica sabendo seu nome de usuário, { $user }.
consent-nothing-ticked = Se nada estiver marcado, ele não recebe acesso.
consent-nothing-new = Ele não pede nada de novo.
consent-only-user-name = Ele fica sabendo seu nome de usuário, { $user }, e nada mais.
consent-only-account = Ele fica sabendo que você tem uma conta aqui, e nada mais.
consent-allow = Permitir
consent-deny = Recusar
consent-to-app = Você voltará ao aplicativo neste dispositivo ({ $destination }). Se ele não abrir sozinho, volte a ele e feche esta página.
consent-to-destination = Você irá para { $destination }.
consent-to-device = O dispositivo continua sozinho.
consent-to-code = Será mostrado um código para você digitar lá.
take-back = Você pode retirar isto a qualquer momento em { $link }.
take-back-link = “Seus aplicativos”
consent-by = de { $owner }
consent-lookalike = Este não é o aplicativo { $client } que você já permitiu.
consent-lookalike-at = Aquele está em { $places }.
consent-lookalike-deny = Recuse se você se referia àquele.
consent-data = Como ele trata seus dados: { $links }
consent-policy = política de privacidade
consent-terms = termos de serviço
consent-lasts = Depois de { $duration } no máximo, ele precisa voltar aqui.
consent-last-allowed = A última vez que você lhe permitiu algo foi em { $date }.
consent-never-allowed = Até agora você não lhe permitiu nada.
consent-known-since = Ele é conhecido aqui desde { $date }.
consent-contacts = Perguntas a: { $contacts }.
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
        [one] { $count } dia
       *[other] { $count } dias
    }

# Scopes and claims
scope-openid = Saber quem é você
scope-profile = Ver seu nome de usuário e perfil
scope-email = Ver seu endereço de e-mail
scope-address = Ver seu endereço postal
scope-phone = Ver seu número de telefone
scope-offline-access = Agir por você na sua ausência
claim-preferred-username = Nome de usuário
claim-name = Nome completo
claim-given-name = Nome
claim-family-name = Sobrenome
claim-middle-name = Nome do meio
claim-nickname = Apelido
claim-profile = Página do perfil
claim-picture = Foto
claim-website = Site
claim-gender = Gênero
claim-birthdate = Data de nascimento
claim-zoneinfo = Fuso horário
claim-locale = Idioma
claim-email = Endereço de e-mail
claim-email-verified = Endereço de e-mail verificado
claim-phone-number = Número de telefone
claim-phone-number-verified = Número de telefone verificado
claim-address = Endereço postal
address-formatted = Endereço completo
address-street-address = Rua
address-postal-code = Código postal
address-locality = Cidade
address-region = Região
address-country = País

# device.html
device = Conectar um dispositivo
device-compare = Compare este código com o que seu dispositivo mostra. Se forem diferentes, feche esta página.
device-type = Digite o código que seu dispositivo mostra.
device-code = Código
device-continue = Continuar
device-warning = Continue somente se você iniciou isto em um dispositivo seu. Um código que veio em uma mensagem ou por telefone é uma tentativa de entrar na sua conta.
device-missing-title = Falta alguma coisa
device-missing = Digite o código que seu dispositivo mostra.
device-malformed-title = Isto não é um código
device-malformed = Um código tem oito letras e nenhum algarismo.
device-unknown-title = Nenhum dispositivo espera com este código
device-unknown = Compare-o com o código que seu dispositivo mostra agora.
device-expired-title = Este código expirou
device-expired = Faça seu dispositivo mostrar um novo e digite-o.
device-answered-title = Este código já foi usado
device-answered = Se seu dispositivo ainda espera, faça-o mostrar um novo.
device-too-many-title = Códigos demais foram tentados
device-too-many = Este não foi verificado. Espere { wait } e tente novamente.
device-unusable-title = Este código não pode ser usado
device-unusable = Faça seu dispositivo mostrar um novo e digite-o.

# verifier.html
verifier-hint = Ele vale uma vez, e por pouco tempo. Digite-o lá.
verifier-code = Seu código
verifier-warning = Ele é somente para { $client }. Não o dê a ninguém: quem o pede em uma mensagem ou por telefone quer entrar na sua conta.

# sign-out.html and signed-out.html
sign-out-question = Sair?
sign-out-asked-by = O aplicativo { $client } pede para encerrar sua sessão aqui.
sign-out-asked = Um aplicativo pede para encerrar sua sessão aqui.
sign-out-stay = Continuar conectado
sign-out-then = Depois você irá para { $destination }.
signed-out-applications = Os aplicativos mantêm o que você lhes permitiu.
signed-out-again = Entrar novamente
signed-out-everywhere-title = Você saiu em todos os lugares
signed-in-instead = Os aplicativos ficam sabendo que o usuário anterior saiu. Depois, esta página continua.
go-on = Continuar

# applications.html
account-may-act = Estes podem agir por você, até que você retire a permissão.
account-further = Outros aplicativos
account-nobody = Você não permitiu que nenhum aplicativo use sua conta. Quando permitir, ele aparecerá aqui, e você poderá retirar a permissão a qualquer momento.
account-host = Ninguém aqui conhece este aplicativo. É assim que { $host } o chama.
account-registered-itself = Ele registrou a si mesmo e escolheu seu nome.
account-answers-go = Suas respostas vão para { $destinations }.
account-known-since = Conhecido aqui desde { $date }, como { $id }
account-changed = Ele mudou de nome ou de endereço em { $date }, depois da sua permissão.
account-at = Em { $places }
account-open = Abrir { $client }
account-first-allowed = Permitido pela primeira vez em { $date }
account-last-token = último token em { $time }
account-tokens-end = seus tokens expiram o mais tardar em { $time }
account-no-token = não tem nenhum token agora
account-withdraw = Retirar
account-withdraw-label = Retirar o acesso de { $client }
account-tokens = Seus tokens de acesso
account-token-made = Este é o token { $name }. Copie-o agora: ele não será mostrado novamente.
account-tokens-hint = Um programa que tem um deles age por você até ele expirar. Revogar encerra isso imediatamente.
account-token-since = Desde { $date }
account-token-expires = expira em { $time }
account-token-revoke = Revogar
account-token-revoke-label = Revogar o token { $name }
account-token-sign-in = Para criar um token, { $link }: você entrou pela última vez há algum tempo.
account-token-sign-in-link = entre novamente
account-token-name = Nome de um novo token
account-token-valid = Válido por
account-token-days =
    { $days ->
        [one] { $days } dia
       *[other] { $days } dias
    }
account-token-make = Criar um token
account-token-bad-name = Dê ao token um nome de até 100 caracteres, pelo qual você o reconheça.
account-token-no-scope = Escolha o que um programa pode fazer com o token.
account-token-no-days = Escolha por quanto tempo o token é válido.
account-token-too-many = Você tem cem tokens. Revogue um de que não precisa mais.
account-profile = Seu perfil
account-profile-hint = Os aplicativos ficam sabendo dele o que você permite.
account-profile-more = Outros dados que você pode informar
account-profile-save = Salvar
account-profile-unknown = Nada foi alterado. Este site não guarda tal coisa.
account-profile-unseen = Nada foi alterado. { $claim }: sem caracteres de controle nem invisíveis.
account-profile-length = Nada foi alterado. { $claim }: de 1 a 1000 caracteres.
account-profile-line = Nada foi alterado. { $claim }: uma só linha, sem espaços no início nem no fim.
account-profile-url = Nada foi alterado. { $claim }: deve ser um endereço na web, como https://ada.example.
account-profile-email = Nada foi alterado. { $claim }: deve ser um endereço como ada@example.com.
account-profile-birthdate = Nada foi alterado. { $claim }: deve ser uma data como 1815-12-10, 0000-12-10 sem o ano, ou apenas um ano.
account-profile-wrong = Nada foi alterado. { $claim }: este valor não pode ser usado.
account-sessions = Onde você está conectado
account-session-here = este navegador
account-session-from = De { $address }
account-session-used = último uso { $ago }
account-session-signed-in = conectado em { $time }
account-session-end-label = Encerrar a sessão de { $browser } em { $address }, último uso em { $time }
account-sessions-hint = Se você não reconhece alguma, { $link }: isso encerra todas as outras. Os aplicativos mantêm o que você lhes permitiu.
account-sessions-hint-link = mude sua senha
account-sign-out-others = Sair em todos os outros lugares
account-sign-out-everywhere = Sair em todos os lugares
account-account = Sua conta
account-password-hint = Uma nova encerra sua sessão em todos os outros lugares.
account-data = Seus dados
account-data-hint = Um arquivo com tudo o que este site sabe sobre você. Não contém senha nem token.
account-data-download = Baixar seus dados
export-lead = Você entrou há algum tempo. Digite sua senha, para que mais ninguém obtenha seus dados.
account-deletion = Exclusão
account-deletion-hint = Sua conta e o acesso de todos os aplicativos, para sempre.
ago-second = agora mesmo
ago-minute =
    { $count ->
        [one] há { $count } minuto
       *[other] há { $count } minutos
    }
ago-hour =
    { $count ->
        [one] há { $count } hora
       *[other] há { $count } horas
    }
ago-day =
    { $count ->
        [one] há { $count } dia
       *[other] há { $count } dias
    }
browser-on-system = { $browser } no { $system }
browser-unknown = Um navegador desconhecido
note-withdrawn = Retirado. O aplicativo não pode mais agir por você.
note-nothing-withdrawn = Não havia nada a retirar. Nada foi alterado.
note-session-ended = Sessão encerrada lá. Aquele navegador precisa entrar novamente.
note-others-ended = Sessão encerrada em todos os outros lugares. Este navegador continua conectado.
note-password-changed = Sua senha foi alterada. Sua sessão foi encerrada em todos os outros lugares.
note-token-revoked = Revogado. Os programas que têm o token não podem mais agir por você.
note-profile-changed = Seu perfil foi alterado.
note-ended-before = Já havia terminado. Nada foi alterado.

# withdraw.html
withdraw-title = Retirar o acesso
withdraw-question = Retirar o acesso de { $client }?
withdraw-host = É assim que { $host } o chama.
withdraw-no-longer = Ele não poderá mais
withdraw-ends = O acesso termina imediatamente. O que ele mesmo guardou, continua com ele. Ele pode pedir novamente.
withdraw-ends-sign-ins = O acesso termina imediatamente, onde quer que você o use: { $count } sessões são encerradas. O que ele mesmo guardou, continua com ele. Ele pode pedir novamente.
keep-it = Manter

# password.html
password-change = Mudar sua senha
password-until-now = Sua senha atual
password-new = Nova senha
password-new-rules = Pelo menos { $least } caracteres de qualquer tipo, e nenhuma das senhas comuns que os invasores tentam primeiro.
password-again = Nova senha, mais uma vez
password-effect = Você continua conectado aqui e sai em todos os outros lugares. Os aplicativos mantêm o que você lhes permitiu.
password-change-button = Mudar a senha
cancel = Cancelar
password-wrong-title = Senha incorreta
password-wrong = Digite a senha com que você entra.
password-differ-title = As novas senhas são diferentes
password-differ = Digite a mesma nova senha duas vezes.
password-another-title = Escolha outra senha
password-too-short = Uma senha tem pelo menos { $least } caracteres.
password-too-long = Uma senha tem no máximo { $most } bytes.
password-common = Esta é uma das senhas mais comuns, que os invasores tentam primeiro.
password-same = Esta é a senha que você já tem.

# delete-account.html
delete-account = Excluir sua conta
delete-account-lead = A conta { $user } é excluída para sempre, com tudo o que este site sabe sobre você.
delete-account-sign-out = Você sai em todos os lugares e não pode mais entrar.
delete-account-applications = Aplicativos e tokens de acesso não podem mais agir por você aqui.
delete-account-stored = O que os próprios aplicativos guardaram, continua com eles.
delete-account-password = Sua senha
delete-account-button = Excluir a conta
deleted-account-title = Sua conta foi excluída
deleted-account = O que este site sabia sobre você não existe mais, e os aplicativos não podem mais agir por você aqui. O que eles mesmos guardaram, continua com eles.

# message.html
message-code = Para os responsáveis pelo aplicativo: { $code }
message-request-id = Se pedir ajuda, informe este número ao responsável pelo site: { $number }
signed-out-meanwhile = Nada foi permitido. Entre e responda novamente, ou volte ao aplicativo e comece lá.
foreign-form-title = Este formulário não é daqui
foreign-form = Nada foi alterado. Abra a página novamente e repita o que você queria fazer.
unreadable-form-title = Este formulário não pode ser lido
unreadable-form = Nada foi alterado. Abra a página novamente e repita o que você queria fazer.
not-found-title = Esta página não existe
not-found = Talvez o endereço esteja errado, ou a página não exista mais.
wrong-method-title = Esta página não pode ser usada assim
wrong-method = Abra-a pelo endereço, ou envie o formulário que está nela.
your-account-sign-out = Sua conta, onde você pode sair

# Requests that no page sees
refused-title = Esta solicitação foi recusada
refused-head = Nada foi alterado. Seu navegador enviou mais do que este site aceita (16 KiB), talvez cookies demais. Apague os cookies deste site e tente novamente.
refused-host = Nada foi alterado. Seu navegador, ou algo entre ele e este site, não disse qual site deseja.
refused-large = Nada foi alterado. O que você enviou é maior do que este site aceita (64 KiB). Volte e envie menos.
refused-slow = Nada foi alterado. O que você enviou demorou demais para chegar. Volte e tente novamente.
refused-broken = Nada foi alterado. O que você enviou chegou incompleto. Volte e tente novamente.
refused-room = Nada foi alterado. Pessoas demais usam este site neste momento. Tente novamente em alguns segundos.
refused-not-current = Nada foi alterado. Este site está sendo transferido. Tente novamente em alguns minutos.
