# Every page
signed-in-as = { $user } としてサインイン中
sign-out = サインアウト
your-applications = 許可したアプリ
error-title = エラー: { $title }
list-pair = { $before }、{ $next }
yes = はい
no = いいえ
not-you = ご本人ではありませんか？{ $link }。
not-you-link = 別のアカウントでサインインしてください
wait =
    { $minutes ->
        [0] { $seconds } 秒
       *[other] { $minutes } 分
    }
date = { $year }年{ month }{ $day }日
time = { date } { $clock } UTC
month = { $month }月

# sign-in.html
sign-in = サインイン
sign-in-to-continue = { $client } に進みます
sign-in-already = { $user } としてサインインしています。{ $link }か、別のアカウントでサインインしてください。
sign-in-already-link = { $user } として続ける
user-name = ユーザー名
password = パスワード
sign-in-empty-title = 入力されていない項目があります
sign-in-empty = ユーザー名とパスワードを入力してください。
sign-in-wrong-title = ユーザー名またはパスワードが違います
sign-in-wrong = 両方を確認して、もう一度お試しください。
sign-in-busy-title = 現在、サインインが混み合っています
sign-in-busy = 数秒後にもう一度お試しください。
sign-in-stale-title = このページは長い時間開かれたままでした
sign-in-stale = パスワードをもう一度入力してください。
sign-in-no-cookie-title = ブラウザーから Cookie が送られませんでした
sign-in-no-cookie = サインインには Cookie が必要です。このサイトの Cookie を許可してから、パスワードをもう一度入力してください。
sign-in-too-many-title = 試行回数が多すぎます
sign-in-too-many = パスワードは確認されませんでした。{ wait }待ってから、もう一度お試しください。
sign-in-too-many-others = お使いのネットワークからこのユーザー名が何度も試されているため、パスワードは確認されませんでした。{ wait }待つか、別のネットワークから、または以前にサインインしたことのあるブラウザーでお試しください。

# choose-account.html
choose-account = アカウントの選択
choose-account-continue = { $user } として続ける
choose-account-other = 別のアカウントを使う

# consent.html
consent-title-identity = { $client } がご本人の確認を求めています
consent-title-access = { $client } がアクセスを求めています
consent-heading-identity = { $client } がご本人の確認を求めています
consent-heading-access = { $client } がアカウントへのアクセスを求めています
consent-heading-more = { $client } が追加の許可を求めています
consent-host = このアプリは、このサイトでは確認されていません。名前は { $host } が付けたものです。そのサイトを信頼できる場合にのみ許可してください。
consent-registered-itself = このアプリは自らを登録し、名前も自ら付けました。
consent-trust-destination = 回答の送り先である { $destination } を信頼できる場合にのみ許可してください。
consent-trust-start = ご自身で始めた操作である場合にのみ許可してください。
consent-device = このアプリは機器の上で動いています。その機器に今、次のコードが表示されているはずです。
consent-device-code = 機器のコード
consent-device-asked = 機器からの要求: { $time }。
consent-device-asked-from = 機器からの要求: { $time }、アドレス { $address } から。
consent-device-warning = ご自身で始めた操作ではない場合や、コードがメッセージや電話で届いた場合は、拒否してください。
consent-granted = すでに許可していること
consent-wants = このアプリが求めていること
consent-wants-more = 今回さらに求めていること
consent-claim = { $claim }の表示: { $value }
consent-claim-unknown = { $claim }の表示: 登録されていません
consent-learns = { $claim }: { $value }
consent-resources = 対象は { $resources } のみです。
consent-tick = 許可するものにチェックを入れてください。
consent-granted-stays = すでに許可していることは変わりません。
consent-untick = 許可しないもののチェックを外してください。
consent-learns-user-name = 何かを許可すると、アプリにユーザー名 { $user } が伝わります。
consent-nothing-ticked = チェックが一つもない場合、アクセスは許可されません。
consent-nothing-new = 新しく求めているものはありません。
consent-only-user-name = アプリに伝わるのはユーザー名 { $user } だけです。
consent-only-account = アプリに伝わるのは、ここにアカウントがあることだけです。
consent-allow = 許可
consent-deny = 拒否
consent-to-app = この機器のアプリ（{ $destination }）に戻ります。自動で開かない場合は、アプリに戻ってこのページを閉じてください。
consent-to-destination = { $destination } に移動します。
consent-to-device = 機器は自動で先に進みます。
consent-to-code = アプリに入力するコードが表示されます。
take-back = この許可は、{ $link }からいつでも取り消せます。
take-back-link = 「許可したアプリ」
consent-by = 提供: { $owner }
consent-lookalike = これは、以前に許可した { $client } ではありません。
consent-lookalike-at = 以前に許可したものは { $places } にあります。
consent-lookalike-deny = そちらのつもりだった場合は、拒否してください。
consent-data = データの取り扱い: { $links }
consent-policy = プライバシーポリシー
consent-terms = 利用規約
consent-lasts = 遅くとも { $duration }後には、もう一度ここでの確認が必要です。
consent-last-allowed = 最後に許可した日: { $date }。
consent-never-allowed = これまでに何も許可していません。
consent-known-since = { $date }からここに登録されています。
consent-contacts = お問い合わせ先: { $contacts }。
duration-second = { $count } 秒
duration-minute = { $count } 分
duration-hour = { $count } 時間
duration-day = { $count } 日

# Scopes and claims
scope-openid = ご本人であることの確認
scope-profile = ユーザー名とプロフィールの表示
scope-email = メールアドレスの表示
scope-address = 住所の表示
scope-phone = 電話番号の表示
scope-offline-access = 不在のときの代理操作
claim-preferred-username = ユーザー名
claim-name = 氏名
claim-given-name = 名
claim-family-name = 姓
claim-middle-name = ミドルネーム
claim-nickname = ニックネーム
claim-profile = プロフィールページ
claim-picture = 写真
claim-website = ウェブサイト
claim-gender = 性別
claim-birthdate = 生年月日
claim-zoneinfo = タイムゾーン
claim-locale = 言語
claim-email = メールアドレス
claim-email-verified = メールアドレス確認済み
claim-phone-number = 電話番号
claim-phone-number-verified = 電話番号確認済み
claim-address = 住所
address-formatted = 住所全体
address-street-address = 番地
address-postal-code = 郵便番号
address-locality = 市区町村
address-region = 都道府県
address-country = 国

# device.html
device = 機器の接続
device-compare = このコードを、機器に表示されているコードと比べてください。違う場合は、このページを閉じてください。
device-type = 機器に表示されているコードを入力してください。
device-code = コード
device-continue = 続ける
device-warning = ご自分の機器で始めた操作である場合にのみ続けてください。メッセージや電話で届いたコードは、アカウントに侵入しようとするものです。
device-missing-title = 入力されていない項目があります
device-missing = 機器に表示されているコードを入力してください。
device-malformed-title = これはコードではありません
device-malformed = コードは 8 文字のアルファベットで、数字は含まれません。
device-unknown-title = このコードで待っている機器はありません
device-unknown = 機器に今表示されているコードと比べてください。
device-expired-title = このコードは期限切れです
device-expired = 機器に新しいコードを表示させ、それを入力してください。
device-answered-title = このコードはすでに使われています
device-answered = 機器がまだ待っている場合は、新しいコードを表示させてください。
device-too-many-title = コードの試行回数が多すぎます
device-too-many = このコードは確認されませんでした。{ wait }待ってから、もう一度お試しください。
device-unusable-title = このコードは使えません
device-unusable = 機器に新しいコードを表示させ、それを入力してください。

# verifier.html
verifier-hint = 有効なのは一度だけで、時間も限られています。アプリに入力してください。
verifier-code = あなたのコード
verifier-warning = { $client } 専用のコードです。人に教えないでください。メッセージや電話でコードを尋ねる人は、アカウントに侵入しようとしています。

# sign-out.html and signed-out.html
sign-out-question = サインアウトしますか？
sign-out-asked-by = アプリ { $client } が、ここからのサインアウトを求めています。
sign-out-asked = あるアプリが、ここからのサインアウトを求めています。
sign-out-stay = サインインしたままにする
sign-out-then = その後、{ $destination } に進みます。
signed-out-applications = アプリに与えた許可は、そのまま残ります。
signed-out-again = もう一度サインインする
signed-out-everywhere-title = すべての場所からサインアウトしました
signed-in-instead = 前のユーザーのサインアウトをアプリに伝えています。その後、このページは先に進みます。
go-on = 進む

# applications.html
account-may-act = これらのアプリは、許可を取り消すまで、あなたに代わって操作できます。
account-further = ほかのアプリ
account-nobody = アカウントの使用を許可したアプリはありません。許可するとここに表示され、いつでも取り消せます。
account-host = このアプリは、このサイトでは確認されていません。名前は { $host } が付けたものです。
account-registered-itself = このアプリは自らを登録し、名前も自ら付けました。
account-answers-go = 回答の送り先: { $destinations }
account-known-since = { $date }から、{ $id } として登録されています
account-changed = { $date }、あなたが許可した後に、名前またはアドレスが変更されました。
account-at = 対象: { $places }
account-open = { $client } を開く
account-first-allowed = 最初の許可: { $date }
account-last-token = 最後のトークン: { $time }
account-tokens-end = トークンの最終期限: { $time }
account-no-token = 現在トークンはありません
account-withdraw = 取り消す
account-withdraw-label = { $client } のアクセスを取り消す
account-tokens = アクセストークン
account-token-made = これがトークン { $name } です。今すぐコピーしてください。再び表示されることはありません。
account-tokens-hint = トークンを持つプログラムは、期限が切れるまで、あなたに代わって操作します。失効させると、すぐに使えなくなります。
account-token-since = 作成: { $date }
account-token-expires = 期限: { $time }
account-token-revoke = 失効させる
account-token-revoke-label = トークン { $name } を失効させる
account-token-sign-in = トークンを作成するには、{ $link }。前回のサインインから時間がたっています。
account-token-sign-in-link = もう一度サインインしてください
account-token-name = 新しいトークンの名前
account-token-valid = 有効期間
account-token-days = { $days } 日
account-token-make = トークンを作成
account-token-bad-name = 見分けがつくように、100 文字以内の名前をトークンに付けてください。
account-token-no-scope = トークンを持つプログラムに許可する操作を選んでください。
account-token-no-days = トークンの有効期間を選んでください。
account-token-too-many = トークンが 100 個あります。不要になったものを失効させてください。
account-profile = プロフィール
account-profile-hint = アプリには、許可した内容だけが伝わります。
account-profile-more = ほかに入力できる項目
account-profile-save = 保存
account-profile-unknown = 何も変更されませんでした。このサイトはその情報を保存しません。
account-profile-unseen = 何も変更されませんでした。{ $claim }: 制御文字や見えない文字は使えません。
account-profile-length = 何も変更されませんでした。{ $claim }: 1～1000 文字で入力してください。
account-profile-line = 何も変更されませんでした。{ $claim }: 前後に空白のない 1 行で入力してください。
account-profile-url = 何も変更されませんでした。{ $claim }: https://ada.example のようなウェブアドレスを入力してください。
account-profile-email = 何も変更されませんでした。{ $claim }: ada@example.com のようなアドレスを入力してください。
account-profile-birthdate = 何も変更されませんでした。{ $claim }: 1815-12-10 のような日付、年を省いた 0000-12-10、または年だけを入力してください。
account-profile-wrong = 何も変更されませんでした。{ $claim }: この値は使えません。
account-sessions = サインインしている場所
account-session-here = このブラウザー
account-session-from = アドレス: { $address }
account-session-used = 最後の使用: { $ago }
account-session-signed-in = サインイン: { $time }
account-session-end-label = { $address } の { $browser } をサインアウト、最後の使用: { $time }
account-sessions-hint = 心当たりのないものがある場合は、{ $link }。ほかはすべて終了します。アプリに与えた許可は、そのまま残ります。
account-sessions-hint-link = パスワードを変更してください
account-sign-out-others = ほかのすべての場所からサインアウト
account-sign-out-everywhere = すべての場所からサインアウト
account-account = アカウント
account-password-hint = 新しくすると、ほかのすべての場所からサインアウトします。
account-data = あなたのデータ
account-data-hint = このサイトがあなたについて持つ情報すべてのファイルです。パスワードとトークンは含まれません。
account-data-download = データをダウンロード
export-lead = サインインしてから時間がたっています。ほかの人にデータが渡らないように、パスワードを入力してください。
account-deletion = 削除
account-deletion-hint = アカウントと、すべてのアプリのアクセスが完全に削除されます。
ago-second = たった今
ago-minute = { $count } 分前
ago-hour = { $count } 時間前
ago-day = { $count } 日前
browser-on-system = { $browser }（{ $system }）
browser-unknown = 不明なブラウザー
note-withdrawn = 取り消しました。アプリは、あなたに代わって操作できなくなりました。
note-nothing-withdrawn = 取り消すものはありませんでした。何も変更されていません。
note-session-ended = サインアウトさせました。そのブラウザーでは、もう一度サインインが必要です。
note-others-ended = ほかのすべての場所からサインアウトしました。このブラウザーはサインインしたままです。
note-password-changed = パスワードを変更しました。ほかのすべての場所からサインアウトしました。
note-token-revoked = 失効させました。そのトークンを持つプログラムは、あなたに代わって操作できなくなりました。
note-profile-changed = プロフィールを変更しました。
note-ended-before = すでに終了していました。何も変更されていません。

# withdraw.html
withdraw-title = アクセスの取り消し
withdraw-question = { $client } のアクセスを取り消しますか？
withdraw-host = 名前は { $host } が付けたものです。
withdraw-no-longer = できなくなること
withdraw-ends = アクセスはすぐに終了します。アプリ自身が保存したものは残ります。アプリは再び許可を求めることができます。
withdraw-ends-sign-ins = アクセスは、お使いのすべての場所ですぐに終了します（サインイン { $count } 件）。アプリ自身が保存したものは残ります。アプリは再び許可を求めることができます。
keep-it = そのままにする

# password.html
password-change = パスワードの変更
password-until-now = 現在のパスワード
password-new = 新しいパスワード
password-new-rules = { $least } 文字以上で、文字の種類は自由です。攻撃者が最初に試す、よくあるパスワードは使えません。
password-again = 新しいパスワード（もう一度）
password-effect = ここではサインインしたままで、ほかのすべての場所からサインアウトします。アプリに与えた許可は、そのまま残ります。
password-change-button = パスワードを変更
cancel = キャンセル
password-wrong-title = パスワードが違います
password-wrong = サインインに使っているパスワードを入力してください。
password-differ-title = 新しいパスワードが一致しません
password-differ = 同じ新しいパスワードを 2 回入力してください。
password-another-title = 別のパスワードを選んでください
password-too-short = パスワードは { $least } 文字以上にしてください。
password-too-long = パスワードは { $most } バイト以下にしてください。
password-common = これは、攻撃者が最初に試す、特によくあるパスワードの一つです。
password-same = これは現在のパスワードと同じです。

# delete-account.html
delete-account = アカウントの削除
delete-account-lead = アカウント { $user } は、このサイトがあなたについて持つ情報すべてとともに、完全に削除されます。
delete-account-sign-out = すべての場所からサインアウトし、二度とサインインできなくなります。
delete-account-applications = アプリとアクセストークンは、ここであなたに代わって操作できなくなります。
delete-account-stored = アプリ自身が保存したものは残ります。
delete-account-password = パスワード
delete-account-button = アカウントを削除
deleted-account-title = アカウントを削除しました
deleted-account = このサイトがあなたについて持っていた情報は削除され、アプリはここであなたに代わって操作できなくなりました。アプリ自身が保存したものは残ります。

# message.html
message-code = アプリの運営者向け: { $code }
message-request-id = お問い合わせの際は、この番号を運営者にお知らせください: { $number }
signed-out-meanwhile = 何も許可されませんでした。サインインしてもう一度回答するか、アプリに戻って最初からやり直してください。
foreign-form-title = このフォームは、このサイトのものではありません
foreign-form = 何も変更されませんでした。ページをもう一度開いて、操作をやり直してください。
unreadable-form-title = このフォームは読み取れません
unreadable-form = 何も変更されませんでした。ページをもう一度開いて、操作をやり直してください。
not-found-title = このページはありません
not-found = アドレスが間違っているか、ページがなくなった可能性があります。
wrong-method-title = このページはそのようには使えません
wrong-method = アドレスから開くか、ページにあるフォームを送信してください。
your-account-sign-out = サインアウトできるアカウントページ

# Requests that no page sees
refused-title = このリクエストは拒否されました
refused-head = 何も変更されませんでした。ブラウザーから送られた情報が、このサイトの上限（16 KiB）を超えています。Cookie が多すぎる可能性があります。このサイトの Cookie を削除してから、もう一度お試しください。
refused-host = 何も変更されませんでした。ブラウザー、またはこのサイトとの間にあるものが、どのサイトを求めているかを示しませんでした。
refused-large = 何も変更されませんでした。送信された内容が、このサイトの上限（64 KiB）を超えています。戻って、内容を減らしてください。
refused-slow = 何も変更されませんでした。送信された内容の到着に時間がかかりすぎました。戻って、もう一度お試しください。
refused-broken = 何も変更されませんでした。送信された内容が完全には届きませんでした。戻って、もう一度お試しください。
refused-room = 何も変更されませんでした。ただいまこのサイトは混み合っています。数秒後にもう一度お試しください。
refused-not-current = 何も変更されていません。このサイトは現在移転中です。数分後にもう一度お試しください。
