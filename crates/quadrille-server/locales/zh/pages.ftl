# Every page
signed-in-as = 已登录：{ $user }
sign-out = 退出登录
your-applications = 您的应用
error-title = 错误：{ $title }
list-pair = { $before }、{ $next }
yes = 是
no = 否
not-you = 不是您本人？{ $link }。
not-you-link = 使用其他账户登录
wait =
    { $minutes ->
        [0] { $seconds } 秒
       *[other] { $minutes } 分钟
    }
date = { $year }年{ month }{ $day }日
time = { date } { $clock } UTC
month = { $month }月

# sign-in.html
sign-in = 登录
sign-in-to-continue = 以继续前往 { $client }
sign-in-already = 您已登录为 { $user }。{ $link }，或使用其他账户登录。
sign-in-already-link = 以 { $user } 继续
user-name = 用户名
password = 密码
sign-in-empty-title = 有内容未填写
sign-in-empty = 请输入您的用户名和密码。
sign-in-wrong-title = 用户名或密码错误
sign-in-wrong = 请检查两者后重试。
sign-in-busy-title = 当前登录人数较多
sign-in-busy = 请几秒后重试。
sign-in-stale-title = 此页面打开的时间过长
sign-in-stale = 请重新输入密码。
sign-in-no-cookie-title = 您的浏览器没有发送 Cookie
sign-in-no-cookie = 登录需要 Cookie。请允许此网站使用 Cookie，然后重新输入密码。
sign-in-too-many-title = 尝试次数过多
sign-in-too-many = 未检查您的密码。请等待 { wait }后重试。
sign-in-too-many-others = 由于您所在网络中有许多人在尝试此用户名，未检查您的密码。请等待 { wait }，或从其他网络重试，或使用您以前登录过的浏览器。

# choose-account.html
choose-account = 选择账户
choose-account-continue = 以 { $user } 继续
choose-account-other = 使用其他账户

# consent.html
consent-title-identity = { $client } 想知道您是谁
consent-title-access = { $client } 请求访问
consent-heading-identity = { $client } 想知道您是谁
consent-heading-access = { $client } 请求访问您的账户
consent-heading-more = { $client } 请求更多权限
consent-host = 本站不认识此应用。该名称由 { $host } 提供；仅在您信任该网站时才允许。
consent-registered-itself = 此应用自行注册，并自行选择了名称。
consent-trust-destination = 仅在您信任 { $destination }（接收答复的地址）时才允许。
consent-trust-start = 仅在由您本人发起时才允许。
consent-device = 它在一台设备上运行，该设备现在应显示此代码：
consent-device-code = 设备代码
consent-device-asked = 设备请求时间：{ $time }。
consent-device-asked-from = 设备请求时间：{ $time }，来自地址 { $address }。
consent-device-warning = 如果不是您本人发起，或者代码来自短信或电话，请拒绝。
consent-granted = 您已允许它
consent-wants = 它想要
consent-wants-more = 现在它还想要
consent-claim = 查看{ $claim }：{ $value }
consent-claim-unknown = 查看{ $claim }：本站没有此信息
consent-learns = { $claim }：{ $value }
consent-resources = 仅限于 { $resources }，不包括其他地方。
consent-tick = 请勾选您允许的内容。
consent-granted-stays = 您已允许的内容保持不变。
consent-untick = 请取消勾选您不允许的内容。
consent-learns-user-name = 只要您允许任何一项，它就会得知您的用户名 { $user }。
consent-nothing-ticked = 如果什么都不勾选，它将无法访问。
consent-nothing-new = 它没有请求新的内容。
consent-only-user-name = 它只会得知您的用户名 { $user }，不会得知其他信息。
consent-only-account = 它只会得知您在此有账户，不会得知其他信息。
consent-allow = 允许
consent-deny = 拒绝
consent-to-app = 您将返回此设备上的应用（{ $destination }）。如果它没有自动打开，请返回该应用并关闭此页面。
consent-to-destination = 您将前往 { $destination }。
consent-to-device = 设备会自动继续。
consent-to-code = 将向您显示一个代码，请在应用中输入。
take-back = 您可以随时在{ $link }中撤回。
take-back-link = “您的应用”
consent-by = 由 { $owner } 提供
consent-lookalike = 这不是您以前允许过的 { $client }。
consent-lookalike-at = 那个应用位于 { $places }。
consent-lookalike-deny = 如果您指的是那个应用，请拒绝。
consent-data = 它如何处理您的数据：{ $links }
consent-policy = 隐私政策
consent-terms = 服务条款
consent-lasts = 最晚在 { $duration }后，它必须再次到此处。
consent-last-allowed = 您上次允许它的日期：{ $date }。
consent-never-allowed = 您以前没有允许过它任何内容。
consent-known-since = 它自 { $date } 起在此登记。
consent-contacts = 如有疑问，请联系：{ $contacts }。
duration-second = { $count } 秒
duration-minute = { $count } 分钟
duration-hour = { $count } 小时
duration-day = { $count } 天

# Scopes and claims
scope-openid = 知道您是谁
scope-profile = 查看您的用户名和个人资料
scope-email = 查看您的电子邮件地址
scope-address = 查看您的邮寄地址
scope-phone = 查看您的电话号码
scope-offline-access = 在您离开时代您操作
claim-preferred-username = 用户名
claim-name = 姓名
claim-given-name = 名字
claim-family-name = 姓氏
claim-middle-name = 中间名
claim-nickname = 昵称
claim-profile = 个人主页
claim-picture = 照片
claim-website = 网站
claim-gender = 性别
claim-birthdate = 出生日期
claim-zoneinfo = 时区
claim-locale = 语言
claim-email = 电子邮件地址
claim-email-verified = 电子邮件地址已验证
claim-phone-number = 电话号码
claim-phone-number-verified = 电话号码已验证
claim-address = 邮寄地址
address-formatted = 完整地址
address-street-address = 街道
address-postal-code = 邮政编码
address-locality = 城市
address-region = 地区
address-country = 国家

# device.html
device = 连接设备
device-compare = 请将此代码与您的设备显示的代码进行比较。如果不同，请关闭此页面。
device-type = 请输入您的设备显示的代码。
device-code = 代码
device-continue = 继续
device-warning = 仅在您在自己的设备上发起了此操作时才继续。来自短信或电话的代码是有人试图进入您的账户。
device-missing-title = 有内容未填写
device-missing = 请输入您的设备显示的代码。
device-malformed-title = 这不是代码
device-malformed = 代码由八个字母组成，不含数字。
device-unknown-title = 没有设备在等待此代码
device-unknown = 请将它与您的设备现在显示的代码进行比较。
device-expired-title = 此代码已过期
device-expired = 请让您的设备显示新代码，然后输入。
device-answered-title = 此代码已被使用
device-answered = 如果您的设备仍在等待，请让它显示新代码。
device-too-many-title = 尝试的代码过多
device-too-many = 未检查此代码。请等待 { wait }后重试。
device-unusable-title = 此代码无法使用
device-unusable = 请让您的设备显示新代码，然后输入。

# verifier.html
verifier-hint = 仅一次有效，且时间不长。请在应用中输入。
verifier-code = 您的代码
verifier-warning = 它仅供 { $client } 使用。不要告诉任何人：通过短信或电话索要它的人想进入您的账户。

# sign-out.html and signed-out.html
sign-out-question = 要退出登录吗？
sign-out-asked-by = 应用 { $client } 请求让您在此退出登录。
sign-out-asked = 有一个应用请求让您在此退出登录。
sign-out-stay = 保持登录
sign-out-then = 然后您将前往 { $destination }。
signed-out-applications = 您允许的应用会保留您给予的权限。
signed-out-again = 重新登录
signed-out-everywhere-title = 您已在所有地方退出登录
signed-in-instead = 正在告知应用上一位用户已退出登录。随后此页面将继续。
go-on = 继续

# applications.html
account-may-act = 在您撤回之前，这些应用可以代您操作。
account-further = 更多应用
account-nobody = 您尚未允许任何应用使用您的账户。一旦允许，它会列在这里，您可以随时撤回。
account-host = 本站不认识此应用。该名称由 { $host } 提供。
account-registered-itself = 它自行注册，并自行选择了名称。
account-answers-go = 它的答复发送到 { $destinations }。
account-known-since = 自 { $date } 起在此登记，标识为 { $id }
account-changed = 在您允许之后，它于 { $date } 更改了名称或地址。
account-at = 位于 { $places }
account-open = 打开 { $client }
account-first-allowed = 首次允许：{ $date }
account-last-token = 最近的令牌：{ $time }
account-tokens-end = 令牌最晚失效：{ $time }
account-no-token = 目前没有令牌
account-withdraw = 撤回
account-withdraw-label = 撤回 { $client } 的访问权限
account-tokens = 您的访问令牌
account-token-made = 这是令牌 { $name }。请立即复制：它不会再次显示。
account-tokens-hint = 持有令牌的程序在令牌过期之前可以代您操作。吊销会立即终止。
account-token-since = 创建于 { $date }
account-token-expires = 过期时间：{ $time }
account-token-revoke = 吊销
account-token-revoke-label = 吊销令牌 { $name }
account-token-sign-in = 要创建令牌，{ $link }：距您上次登录已有一段时间。
account-token-sign-in-link = 请重新登录
account-token-name = 新令牌的名称
account-token-valid = 有效期
account-token-days = { $days } 天
account-token-make = 创建令牌
account-token-bad-name = 请为令牌取一个便于辨认的名称，最多 100 个字符。
account-token-no-scope = 请选择持有令牌的程序可以做什么。
account-token-no-days = 请选择令牌的有效期。
account-token-too-many = 您已有一百个令牌。请吊销一个不再需要的令牌。
account-profile = 您的个人资料
account-profile-hint = 应用只会得知您允许的内容。
account-profile-more = 您可以填写的其他信息
account-profile-save = 保存
account-profile-unknown = 没有任何更改。本站不保存此类信息。
account-profile-unseen = 没有任何更改。{ $claim }：请勿使用控制字符和不可见字符。
account-profile-length = 没有任何更改。{ $claim }：请使用 1 到 1000 个字符。
account-profile-line = 没有任何更改。{ $claim }：请使用一行，首尾不含空格。
account-profile-url = 没有任何更改。{ $claim }：必须是网址，例如 https://ada.example。
account-profile-email = 没有任何更改。{ $claim }：必须是类似 ada@example.com 的地址。
account-profile-birthdate = 没有任何更改。{ $claim }：必须是类似 1815-12-10 的日期、不含年份的 0000-12-10，或仅年份。
account-profile-wrong = 没有任何更改。{ $claim }：此值无法使用。
account-sessions = 您登录的位置
account-session-here = 此浏览器
account-session-from = 来自 { $address }
account-session-used = 上次使用：{ $ago }
account-session-signed-in = 登录时间：{ $time }
account-session-end-label = 让 { $address } 的 { $browser } 退出登录，上次使用：{ $time }
account-sessions-hint = 如果有您不认识的，{ $link }：这会终止所有其他登录。您允许的应用会保留您给予的权限。
account-sessions-hint-link = 请更改您的密码
account-sign-out-others = 在其他所有地方退出登录
account-sign-out-everywhere = 在所有地方退出登录
account-account = 您的账户
account-password-hint = 新密码会使您在其他所有地方退出登录。
account-data = 您的数据
account-data-hint = 包含本站所知的关于您的一切的文件。其中没有密码和令牌。
account-data-download = 下载您的数据
export-lead = 您登录已有一段时间。请输入密码，以免他人取得您的数据。
account-deletion = 删除
account-deletion-hint = 永久删除您的账户和所有应用的访问权限。
ago-second = 刚刚
ago-minute = { $count } 分钟前
ago-hour = { $count } 小时前
ago-day = { $count } 天前
browser-on-system = { $browser }（{ $system }）
browser-unknown = 未知浏览器
note-withdrawn = 已撤回。该应用不能再代您操作。
note-nothing-withdrawn = 没有可撤回的内容。没有任何更改。
note-session-ended = 已在那里退出登录。那个浏览器需要重新登录。
note-others-ended = 已在其他所有地方退出登录。此浏览器仍保持登录。
note-password-changed = 您的密码已更改。您已在其他所有地方退出登录。
note-token-revoked = 已吊销。持有该令牌的程序不能再代您操作。
note-profile-changed = 您的个人资料已更改。
note-ended-before = 它此前已经结束。没有任何更改。

# withdraw.html
withdraw-title = 撤回访问权限
withdraw-question = 要撤回 { $client } 的访问权限吗？
withdraw-host = 该名称由 { $host } 提供。
withdraw-no-longer = 它将不能再
withdraw-ends = 它的访问权限会立即终止。它自己保存的内容仍会保留。它可以再次请求。
withdraw-ends-sign-ins = 无论您在何处使用它，它的访问权限都会立即终止：{ $count } 个登录将结束。它自己保存的内容仍会保留。它可以再次请求。
keep-it = 保留

# password.html
password-change = 更改密码
password-until-now = 您目前的密码
password-new = 新密码
password-new-rules = 至少 { $least } 个任意字符，且不能是攻击者最先尝试的常见密码。
password-again = 再次输入新密码
password-effect = 您在此处保持登录，并在其他所有地方退出登录。您允许的应用会保留您给予的权限。
password-change-button = 更改密码
cancel = 取消
password-wrong-title = 密码错误
password-wrong = 请输入您用于登录的密码。
password-differ-title = 两次输入的新密码不同
password-differ = 请两次输入相同的新密码。
password-another-title = 请选择其他密码
password-too-short = 密码至少需要 { $least } 个字符。
password-too-long = 密码最多为 { $most } 个字节。
password-common = 这是攻击者最先尝试的最常见密码之一。
password-same = 这是您目前的密码。

# delete-account.html
delete-account = 删除您的账户
delete-account-lead = 账户 { $user } 以及本站所知的关于您的一切将被永久删除。
delete-account-sign-out = 您将在所有地方退出登录，并且无法再次登录。
delete-account-applications = 应用和访问令牌将不能再在此代您操作。
delete-account-stored = 应用自己保存的内容仍会保留。
delete-account-password = 您的密码
delete-account-button = 删除账户
deleted-account-title = 您的账户已删除
deleted-account = 本站所知的关于您的信息已删除，应用不能再在此代您操作。它们自己保存的内容仍会保留。

# message.html
message-code = 供应用的运营人员参考：{ $code }
message-request-id = 如需帮助，请告知网站运营者此编号：{ $number }
signed-out-meanwhile = 没有允许任何内容。请登录后重新答复，或返回应用在那里开始。
foreign-form-title = 此表单不是来自本站
foreign-form = 没有任何更改。请重新打开页面，再次进行您的操作。
unreadable-form-title = 无法读取此表单
unreadable-form = 没有任何更改。请重新打开页面，再次进行您的操作。
not-found-title = 没有此页面
not-found = 地址可能有误，或者页面已不存在。
wrong-method-title = 此页面不能这样使用
wrong-method = 请通过其地址打开，或提交页面上的表单。
your-account-sign-out = 您的账户，您可以在那里退出登录

# Requests that no page sees
refused-title = 此请求被拒绝
refused-head = 没有任何更改。您的浏览器附带发送的内容超过了本站的上限（16 KiB），可能是 Cookie 过多。请删除本站的 Cookie，然后重试。
refused-host = 没有任何更改。您的浏览器，或它与本站之间的某个环节，没有说明要访问哪个网站。
refused-large = 没有任何更改。您发送的内容超过了本站的上限（64 KiB）。请返回并减少内容。
refused-slow = 没有任何更改。您发送的内容到达得太慢。请返回并重试。
refused-broken = 没有任何更改。您发送的内容没有完整到达。请返回并重试。
refused-room = 没有任何更改。目前使用本站的人太多。请在几秒钟后重试。
refused-not-current = 没有任何更改。本网站正在迁移。请几分钟后再试。
