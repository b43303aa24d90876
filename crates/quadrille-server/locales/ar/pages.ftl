# Every page
signed-in-as = تم تسجيل الدخول باسم { $user }
sign-out = تسجيل الخروج
your-applications = تطبيقاتك
error-title = خطأ: { $title }
list-pair = { $before }، { $next }
yes = نعم
no = لا
not-you = لست أنت؟ { $link }.
not-you-link = سجّل الدخول بحساب آخر
wait =
    { $minutes ->
        [0]
            { $seconds ->
                [one] ثانية واحدة
                [two] ثانيتين
                [few] { $seconds } ثوانٍ
               *[other] { $seconds } ثانية
            }
        [one] دقيقة واحدة
        [two] دقيقتين
        [few] { $minutes } دقائق
       *[other] { $minutes } دقيقة
    }
date = { $day } { month } { $year }
time = { date }، { $clock } بالتوقيت العالمي
month =
    { $month ->
        [1] يناير
        [2] فبراير
        [3] مارس
        [4] أبريل
        [5] مايو
        [6] يونيو
        [7] يوليو
        [8] أغسطس
        [9] سبتمبر
        [10] أكتوبر
        [11] نوفمبر
       *[12] ديسمبر
    }

# sign-in.html
sign-in = تسجيل الدخول
sign-in-to-continue = للمتابعة إلى { $client }
sign-in-already = تم تسجيل دخولك باسم { $user }. { $link }، أو سجّل الدخول بحساب آخر.
sign-in-already-link = تابع باسم { $user }
user-name = اسم المستخدم
password = كلمة المرور
sign-in-empty-title = هناك شيء ناقص
sign-in-empty = اكتب اسم المستخدم وكلمة المرور.
sign-in-wrong-title = اسم المستخدم أو كلمة المرور غير صحيحة
sign-in-wrong = تحقق منهما وحاول مرة أخرى.
sign-in-busy-title = كثيرون يسجّلون الدخول الآن
sign-in-busy = حاول مرة أخرى بعد بضع ثوانٍ.
sign-in-stale-title = بقيت هذه الصفحة مفتوحة مدة طويلة
sign-in-stale = اكتب كلمة المرور مرة أخرى.
sign-in-no-cookie-title = لم يرسل متصفحك ملف تعريف الارتباط
sign-in-no-cookie = يحتاج تسجيل الدخول إلى ملف تعريف ارتباط. اسمح بملفات تعريف الارتباط لهذا الموقع، ثم اكتب كلمة المرور مرة أخرى.
sign-in-too-many-title = محاولات كثيرة جدًا
sign-in-too-many = لم يتم التحقق من كلمة المرور. انتظر { wait }، ثم حاول مرة أخرى.
sign-in-too-many-others = لم يتم التحقق من كلمة المرور، لأن كثيرين غيرك من شبكتك يجرّبون اسم المستخدم هذا. انتظر { wait }، أو حاول من شبكة أخرى، أو من متصفح سبق أن سجّلت الدخول منه.

# choose-account.html
choose-account = اختر حسابًا
choose-account-continue = المتابعة باسم { $user }
choose-account-other = استخدام حساب آخر

# consent.html
consent-title-identity = { $client } يسأل من أنت
consent-title-access = { $client } يطلب الوصول
consent-heading-identity = { $client } يسأل من أنت
consent-heading-access = { $client } يطلب الوصول إلى حسابك
consent-heading-more = { $client } يطلب المزيد
consent-host = لا أحد هنا يعرف هذا التطبيق. هكذا يسمّيه { $host }؛ اسمح له فقط إذا كنت تثق بذلك الموقع.
consent-registered-itself = سجّل هذا التطبيق نفسه بنفسه واختار اسمه.
consent-trust-destination = اسمح له فقط إذا كنت تثق بـ { $destination }، حيث تُرسل الإجابة.
consent-trust-start = اسمح له فقط إذا كنت أنت من بدأ ذلك.
consent-device = يعمل التطبيق على جهاز، ويجب أن يعرض الجهاز الآن هذا الرمز:
consent-device-code = رمز الجهاز
consent-device-asked = أرسل الجهاز طلبه في { $time }.
consent-device-asked-from = أرسل الجهاز طلبه في { $time } من العنوان { $address }.
consent-device-warning = لم تبدأ ذلك بنفسك، أو وصلك الرمز في رسالة أو عبر الهاتف؟ إذن ارفض.
consent-granted = ما سمحت به له من قبل
consent-wants = يريد التطبيق
consent-wants-more = يريد الآن أيضًا
consent-claim = الاطلاع على { $claim }: { $value }
consent-claim-unknown = الاطلاع على { $claim }: غير معروف هنا
consent-learns = { $claim }: { $value }
consent-resources = لدى { $resources } فقط، وليس في أي مكان آخر.
consent-tick = ضع علامة على ما تسمح به.
consent-granted-stays = ما سمحت به من قبل يبقى كما هو.
consent-untick = أزل العلامة عمّا لا تسمح به.
consent-learns-user-name = مع أي شيء تسمح به، يعرف التطبيق اسم المستخدم الخاص بك، { $user }.
consent-nothing-ticked = إذا لم تضع أي علامة، فلن يحصل على الوصول.
consent-nothing-new = لا يطلب شيئًا جديدًا.
consent-only-user-name = يعرف اسم المستخدم الخاص بك، { $user }، ولا شيء غيره.
consent-only-account = يعرف أن لديك حسابًا هنا، ولا شيء غير ذلك.
consent-allow = سماح
consent-deny = رفض
consent-to-app = ستعود إلى التطبيق على هذا الجهاز ({ $destination }). إذا لم يُفتح من تلقاء نفسه، فعُد إليه وأغلق هذه الصفحة.
consent-to-destination = ستنتقل إلى { $destination }.
consent-to-device = يتابع الجهاز من تلقاء نفسه.
consent-to-code = سيظهر لك رمز لتكتبه في التطبيق.
take-back = يمكنك سحب ذلك في أي وقت من صفحة { $link }.
take-back-link = «تطبيقاتك»
consent-by = من { $owner }
consent-lookalike = هذا ليس التطبيق { $client } الذي سمحت له من قبل.
consent-lookalike-at = ذلك التطبيق موجود على { $places }.
consent-lookalike-deny = ارفض إذا كنت تقصد ذلك التطبيق.
consent-data = كيف يتعامل مع بياناتك: { $links }
consent-policy = سياسة الخصوصية
consent-terms = شروط الخدمة
consent-lasts = عليه العودة إلى هنا بعد { $duration } على الأكثر.
consent-last-allowed = آخر مرة سمحت له بشيء كانت في { $date }.
consent-never-allowed = لم تسمح له بأي شيء من قبل.
consent-known-since = معروف هنا منذ { $date }.
consent-contacts = للاستفسار: { $contacts }.
duration-second =
    { $count ->
        [one] ثانية واحدة
        [two] ثانيتين
        [few] { $count } ثوانٍ
       *[other] { $count } ثانية
    }
duration-minute =
    { $count ->
        [one] دقيقة واحدة
        [two] دقيقتين
        [few] { $count } دقائق
       *[other] { $count } دقيقة
    }
duration-hour =
    { $count ->
        [one] ساعة واحدة
        [two] ساعتين
        [few] { $count } ساعات
       *[other] { $count } ساعة
    }
duration-day =
    { $count ->
        [one] يوم واحد
        [two] يومين
        [few] { $count } أيام
        [many] { $count } يومًا
        [365] { $count } يومًا
       *[other] { $count } يوم
    }

# Scopes and claims
scope-openid = معرفة من أنت
scope-profile = الاطلاع على اسم المستخدم وملفك الشخصي
scope-email = الاطلاع على عنوان بريدك الإلكتروني
scope-address = الاطلاع على عنوانك البريدي
scope-phone = الاطلاع على رقم هاتفك
scope-offline-access = التصرف نيابةً عنك في غيابك
claim-preferred-username = اسم المستخدم
claim-name = الاسم الكامل
claim-given-name = الاسم الأول
claim-family-name = اسم العائلة
claim-middle-name = الاسم الأوسط
claim-nickname = اللقب
claim-profile = صفحة الملف الشخصي
claim-picture = الصورة
claim-website = الموقع الإلكتروني
claim-gender = الجنس
claim-birthdate = تاريخ الميلاد
claim-zoneinfo = المنطقة الزمنية
claim-locale = اللغة
claim-email = عنوان البريد الإلكتروني
claim-email-verified = تم التحقق من عنوان البريد الإلكتروني
claim-phone-number = رقم الهاتف
claim-phone-number-verified = تم التحقق من رقم الهاتف
claim-address = العنوان البريدي
address-formatted = العنوان الكامل
address-street-address = الشارع
address-postal-code = الرمز البريدي
address-locality = المدينة
address-region = المنطقة
address-country = البلد

# device.html
device = توصيل جهاز
device-compare = قارن هذا الرمز بالرمز الذي يعرضه جهازك. إذا اختلفا، فأغلق هذه الصفحة.
device-type = اكتب الرمز الذي يعرضه جهازك.
device-code = الرمز
device-continue = متابعة
device-warning = تابع فقط إذا بدأت ذلك على جهاز لك. أما الرمز الذي وصل في رسالة أو عبر الهاتف فهو محاولة للدخول إلى حسابك.
device-missing-title = هناك شيء ناقص
device-missing = اكتب الرمز الذي يعرضه جهازك.
device-malformed-title = هذا ليس رمزًا
device-malformed = يتكون الرمز من ثمانية أحرف لاتينية بلا أرقام.
device-unknown-title = لا يوجد جهاز ينتظر بهذا الرمز
device-unknown = قارنه بالرمز الذي يعرضه جهازك الآن.
device-expired-title = انتهت صلاحية هذا الرمز
device-expired = اطلب من جهازك عرض رمز جديد، واكتبه.
device-answered-title = استُخدم هذا الرمز من قبل
device-answered = إذا كان جهازك لا يزال ينتظر، فاطلب منه عرض رمز جديد.
device-too-many-title = جُرّبت رموز كثيرة جدًا
device-too-many = لم يتم التحقق من هذا الرمز. انتظر { wait }، ثم حاول مرة أخرى.
device-unusable-title = لا يمكن استخدام هذا الرمز
device-unusable = اطلب من جهازك عرض رمز جديد، واكتبه.

# verifier.html
verifier-hint = يصلح مرة واحدة ولمدة قصيرة. اكتبه في التطبيق.
verifier-code = رمزك
verifier-warning = إنه لـ { $client } وحده. لا تعطه لأحد: من يطلبه في رسالة أو عبر الهاتف يريد الدخول إلى حسابك.

# sign-out.html and signed-out.html
sign-out-question = هل تريد تسجيل الخروج؟
sign-out-asked-by = يطلب التطبيق { $client } تسجيل خروجك من هنا.
sign-out-asked = يطلب أحد التطبيقات تسجيل خروجك من هنا.
sign-out-stay = البقاء مسجّل الدخول
sign-out-then = ثم تنتقل إلى { $destination }.
signed-out-applications = تحتفظ التطبيقات بما سمحت لها به.
signed-out-again = تسجيل الدخول مرة أخرى
signed-out-everywhere-title = تم تسجيل خروجك من كل مكان
signed-in-instead = تُبلَّغ التطبيقات بخروج المستخدم السابق. ثم تتابع هذه الصفحة.
go-on = متابعة

# applications.html
account-may-act = يمكن لهذه التطبيقات التصرف نيابةً عنك إلى أن تسحب ذلك منها.
account-further = تطبيقات أخرى
account-nobody = لم تسمح لأي تطبيق باستخدام حسابك. عندما تسمح لأحدها، سيظهر هنا، ويمكنك سحب ذلك في أي وقت.
account-host = لا أحد هنا يعرف هذا التطبيق. هكذا يسمّيه { $host }.
account-registered-itself = سجّل نفسه بنفسه واختار اسمه.
account-answers-go = تُرسل إجاباته إلى { $destinations }.
account-known-since = معروف هنا منذ { $date }، بالمعرّف { $id }
account-changed = غيّر اسمه أو عنوانه في { $date }، بعد أن سمحت له.
account-at = لدى { $places }
account-open = فتح { $client }
account-first-allowed = سُمح له أول مرة في { $date }
account-last-token = آخر رمز وصول { $time }
account-tokens-end = تنتهي رموز وصوله في موعد أقصاه { $time }
account-no-token = ليس لديه رمز وصول الآن
account-withdraw = سحب
account-withdraw-label = سحب وصول { $client }
account-tokens = رموز الوصول الخاصة بك
account-token-made = هذا هو رمز الوصول { $name }. انسخه الآن: لن يظهر مرة أخرى.
account-tokens-hint = البرنامج الذي يملك أحدها يتصرف نيابةً عنك حتى تنتهي صلاحيته. الإلغاء ينهي ذلك فورًا.
account-token-since = منذ { $date }
account-token-expires = تنتهي صلاحيته { $time }
account-token-revoke = إلغاء
account-token-revoke-label = إلغاء رمز الوصول { $name }
account-token-sign-in = لإنشاء رمز وصول، { $link }: مضى وقت على آخر تسجيل دخول لك.
account-token-sign-in-link = سجّل الدخول مرة أخرى
account-token-name = اسم رمز الوصول الجديد
account-token-valid = صالح لمدة
account-token-days =
    { $days ->
        [one] يوم واحد
        [two] يومين
        [few] { $days } أيام
        [many] { $days } يومًا
        [365] { $days } يومًا
       *[other] { $days } يوم
    }
account-token-make = إنشاء رمز وصول
account-token-bad-name = أعط رمز الوصول اسمًا لا يزيد على 100 حرف، تعرفه به.
account-token-no-scope = اختر ما يمكن لبرنامج يملك رمز الوصول أن يفعله.
account-token-no-days = اختر مدة صلاحية رمز الوصول.
account-token-too-many = لديك مئة رمز وصول. ألغِ واحدًا لم تعد تحتاج إليه.
account-profile = ملفك الشخصي
account-profile-hint = تعرف التطبيقات منه ما تسمح لها به.
account-profile-more = بيانات أخرى يمكنك إضافتها
account-profile-save = حفظ
account-profile-unknown = لم يتغير شيء. لا يحتفظ هذا الموقع بمثل ذلك.
account-profile-unseen = لم يتغير شيء. { $claim }: لا تستخدم رموز التحكم ولا الرموز غير المرئية.
account-profile-length = لم يتغير شيء. { $claim }: استخدم من 1 إلى 1000 حرف.
account-profile-line = لم يتغير شيء. { $claim }: استخدم سطرًا واحدًا بلا مسافات في بدايته أو نهايته.
account-profile-url = لم يتغير شيء. { $claim }: يجب أن يكون عنوانًا على الويب، مثل https://ada.example.
account-profile-email = لم يتغير شيء. { $claim }: يجب أن يكون عنوانًا مثل ada@example.com.
account-profile-birthdate = لم يتغير شيء. { $claim }: يجب أن يكون تاريخًا مثل 1815-12-10، أو 0000-12-10 بلا سنة، أو سنة وحدها.
account-profile-wrong = لم يتغير شيء. { $claim }: لا يمكن استخدام هذه القيمة.
account-sessions = أماكن تسجيل دخولك
account-session-here = هذا المتصفح
account-session-from = من { $address }
account-session-used = آخر استخدام { $ago }
account-session-signed-in = تسجيل الدخول { $time }
account-session-end-label = تسجيل خروج { $browser } من { $address }، آخر استخدام { $time }
account-sessions-hint = إذا لم تتعرف على أحدها، { $link }: ذلك ينهي كل ما عداه. تحتفظ التطبيقات بما سمحت لها به.
account-sessions-hint-link = فغيّر كلمة المرور
account-sign-out-others = تسجيل الخروج من كل مكان آخر
account-sign-out-everywhere = تسجيل الخروج من كل مكان
account-account = حسابك
account-password-hint = كلمة المرور الجديدة تسجّل خروجك من كل مكان آخر.
account-data = بياناتك
account-data-hint = ملف بكل ما يعرفه هذا الموقع عنك. لا يحتوي على كلمة مرور ولا رمز وصول.
account-data-download = تنزيل بياناتك
export-lead = مضى بعض الوقت على تسجيل دخولك. اكتب كلمة المرور حتى لا يحصل أحد غيرك على بياناتك.
account-deletion = الحذف
account-deletion-hint = حسابك ووصول جميع التطبيقات، نهائيًا.
ago-second = الآن
ago-minute =
    { $count ->
        [one] قبل دقيقة واحدة
        [two] قبل دقيقتين
        [few] قبل { $count } دقائق
       *[other] قبل { $count } دقيقة
    }
ago-hour =
    { $count ->
        [one] قبل ساعة واحدة
        [two] قبل ساعتين
        [few] قبل { $count } ساعات
       *[other] قبل { $count } ساعة
    }
ago-day =
    { $count ->
        [one] قبل يوم واحد
        [two] قبل يومين
        [few] قبل { $count } أيام
        [many] قبل { $count } يومًا
        [365] قبل { $count } يومًا
       *[other] قبل { $count } يوم
    }
browser-on-system = { $browser } على { $system }
browser-unknown = متصفح غير معروف
note-withdrawn = تم السحب. لم يعد بإمكان التطبيق التصرف نيابةً عنك.
note-nothing-withdrawn = لم يكن هناك ما يُسحب. لم يتغير شيء.
note-session-ended = تم تسجيل الخروج هناك. على ذلك المتصفح تسجيل الدخول مرة أخرى.
note-others-ended = تم تسجيل الخروج من كل مكان آخر. لا يزال هذا المتصفح مسجّل الدخول.
note-password-changed = تم تغيير كلمة المرور. تم تسجيل خروجك من كل مكان آخر.
note-token-revoked = تم الإلغاء. لم يعد بإمكان البرامج التي تملك رمز الوصول التصرف نيابةً عنك.
note-profile-changed = تم تغيير ملفك الشخصي.
note-ended-before = كان قد انتهى من قبل. لم يتغير شيء.

# withdraw.html
withdraw-title = سحب الوصول
withdraw-question = هل تريد سحب وصول { $client }؟
withdraw-host = هكذا يسمّيه { $host }.
withdraw-no-longer = لن يمكنه بعد ذلك
withdraw-ends = ينتهي وصوله فورًا. ما خزّنه بنفسه يبقى لديه. ويمكنه أن يطلب منك مرة أخرى.
withdraw-ends-sign-ins =
    { $count ->
        [two] ينتهي وصوله فورًا أينما كنت تستخدمه: ينتهي تسجيلا دخول. ما خزّنه بنفسه يبقى لديه. ويمكنه أن يطلب منك مرة أخرى.
        [few] ينتهي وصوله فورًا أينما كنت تستخدمه: تنتهي { $count } تسجيلات دخول. ما خزّنه بنفسه يبقى لديه. ويمكنه أن يطلب منك مرة أخرى.
       *[other] ينتهي وصوله فورًا أينما كنت تستخدمه: ينتهي { $count } تسجيل دخول. ما خزّنه بنفسه يبقى لديه. ويمكنه أن يطلب منك مرة أخرى.
    }
keep-it = الإبقاء عليه

# password.html
password-change = تغيير كلمة المرور
password-until-now = كلمة المرور الحالية
password-new = كلمة المرور الجديدة
password-new-rules =
    { $least ->
        [few] { $least } أحرف على الأقل من أي نوع، وليست من كلمات المرور الشائعة التي يجرّبها المهاجمون أولًا.
       *[other] { $least } حرفًا على الأقل من أي نوع، وليست من كلمات المرور الشائعة التي يجرّبها المهاجمون أولًا.
    }
password-again = كلمة المرور الجديدة مرة أخرى
password-effect = تبقى مسجّل الدخول هنا، ويُسجَّل خروجك من كل مكان آخر. تحتفظ التطبيقات بما سمحت لها به.
password-change-button = تغيير كلمة المرور
cancel = إلغاء الأمر
password-wrong-title = كلمة المرور غير صحيحة
password-wrong = اكتب كلمة المرور التي تسجّل بها الدخول.
password-differ-title = كلمتا المرور الجديدتان مختلفتان
password-differ = اكتب كلمة المرور الجديدة نفسها مرتين.
password-another-title = اختر كلمة مرور أخرى
password-too-short =
    { $least ->
        [few] تتكون كلمة المرور من { $least } أحرف على الأقل.
       *[other] تتكون كلمة المرور من { $least } حرفًا على الأقل.
    }
password-too-long =
    { $most ->
        [few] لا تزيد كلمة المرور على { $most } بايتات.
       *[other] لا تزيد كلمة المرور على { $most } بايت.
    }
password-common = هذه من أكثر كلمات المرور شيوعًا، والتي يجرّبها المهاجمون أولًا.
password-same = هذه هي كلمة المرور الحالية.

# delete-account.html
delete-account = حذف حسابك
delete-account-lead = يُحذف الحساب { $user } نهائيًا، مع كل ما يعرفه هذا الموقع عنك.
delete-account-sign-out = يُسجَّل خروجك من كل مكان، ولن يمكنك تسجيل الدخول مرة أخرى.
delete-account-applications = لن يعود بإمكان التطبيقات ورموز الوصول التصرف نيابةً عنك هنا.
delete-account-stored = ما خزّنته التطبيقات بنفسها يبقى لديها.
delete-account-password = كلمة المرور
delete-account-button = حذف الحساب
deleted-account-title = تم حذف حسابك
deleted-account = حُذف ما كان هذا الموقع يعرفه عنك، ولم يعد بإمكان التطبيقات التصرف نيابةً عنك هنا. ما خزّنته بنفسها يبقى لديها.

# message.html
message-code = للقائمين على التطبيق: { $code }
message-request-id = إذا طلبت المساعدة، فأخبر القائم على الموقع بهذا الرقم: { $number }
signed-out-meanwhile = لم يُسمح بشيء. سجّل الدخول وأجب مرة أخرى، أو عُد إلى التطبيق وابدأ هناك.
foreign-form-title = هذا النموذج ليس من هنا
foreign-form = لم يتغير شيء. افتح الصفحة مرة أخرى وأعد ما أردت فعله.
unreadable-form-title = تعذّرت قراءة هذا النموذج
unreadable-form = لم يتغير شيء. افتح الصفحة مرة أخرى وأعد ما أردت فعله.
not-found-title = لا توجد صفحة كهذه
not-found = ربما كُتب العنوان خطأً، أو لم تعد الصفحة موجودة.
wrong-method-title = لا يمكن استخدام هذه الصفحة هكذا
wrong-method = افتحها من عنوانها، أو أرسل النموذج الموجود فيها.
your-account-sign-out = حسابك، حيث يمكنك تسجيل الخروج

# Requests that no page sees
refused-title = رُفض هذا الطلب
refused-head = لم يتغير شيء. أرسل متصفحك أكثر مما يقبله هذا الموقع (16 كيبيبايت)، وربما كان السبب كثرة ملفات تعريف الارتباط. احذف ملفات تعريف الارتباط الخاصة بهذا الموقع، ثم أعد المحاولة.
refused-host = لم يتغير شيء. لم يذكر متصفحك، أو شيء بينه وبين هذا الموقع، أيّ موقع يريد.
refused-large = لم يتغير شيء. ما أرسلته أكبر مما يقبله هذا الموقع (64 كيبيبايت). ارجع وأرسل أقل.
refused-slow = لم يتغير شيء. استغرق وصول ما أرسلته وقتًا طويلًا. ارجع وأعد المحاولة.
refused-broken = لم يتغير شيء. وصل ما أرسلته ناقصًا. ارجع وأعد المحاولة.
refused-room = لم يتغير شيء. يستخدم هذا الموقع عدد كبير جدًا من الأشخاص الآن. أعد المحاولة بعد بضع ثوانٍ.
refused-not-current = لم يتغير شيء. يجري نقل هذا الموقع الآن. حاول مرة أخرى بعد بضع دقائق.
