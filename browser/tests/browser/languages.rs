//! Pages in the language of the browser, from left to right and from right to left.

use serde_json::json;

use crate::support::{
    Browser, Provider, Site, decide, element, fill_in, in_a_browser, send, sign_in,
};

/// Has the browser ask for pages in this language.
async fn accept(browser: &Browser, language: &str) {
    browser.cdp("Network.enable", json!({})).await;
    let headers = json!({ "headers": { "Accept-Language": language } });
    browser.cdp("Network.setExtraHTTPHeaders", headers).await;
}

/// Waits for a page with a heading in a language, which goes in this direction.
async fn page(browser: &Browser, dir: &str, heading: &str) {
    element(browser, &format!("//html[@dir='{dir}']//h1[contains(., \"{heading}\")]")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_in_german_and_arabic_fit_every_screen() {
    in_a_browser("languages", async |browser| {
        let provider = Provider::with_scopes(
            "scopes=photos:read=See your photos",
            &["--device", "--set", "openid=true"],
        );
        let callback = Site::blank().await;
        for (language, dir, [sign, wrong, consent, account, device]) in [
            (
                "de",
                "ltr",
                [
                    "Anmelden",
                    "Falscher Benutzername oder falsches Passwort",
                    "bittet um Zugriff auf Ihr Konto",
                    "Ihre Anwendungen",
                    "Gerät verbinden",
                ],
            ),
            (
                "ar",
                "rtl",
                [
                    "تسجيل الدخول",
                    "اسم المستخدم أو كلمة المرور غير صحيحة",
                    "يطلب الوصول إلى حسابك",
                    "تطبيقاتك",
                    "توصيل جهاز",
                ],
            ),
        ] {
            accept(browser, language).await;
            let looks = async |what: &str| browser.looks_good(&format!("{language}-{what}")).await;
            let scopes = ["--scope", "photos:read", "--scope", "openid", "--scope", "email"];
            let client = provider.add_with("Photo Prints", &callback.far("/callback"), &scopes);
            browser.goto(client.question_for("openid email photos:read")).await.unwrap();
            page(browser, dir, sign).await;
            looks("1-sign-in").await;
            send(&fill_in(browser, "not the password").await).await;
            element(browser, &format!("//strong[.=\"{wrong}\"]")).await;
            looks("2-wrong").await;
            sign_in(browser).await;
            page(browser, dir, consent).await;
            looks("3-consent").await;
            decide(browser, "allow").await;
            browser.wait_until_at(&callback.far("/callback?code=")).await;
            browser.goto(provider.url("/")).await.unwrap();
            page(browser, dir, account).await;
            looks("4-account").await;
            browser.goto(provider.url("/device?user_code=ABCD")).await.unwrap();
            page(browser, dir, device).await;
            looks("5-device").await;
            browser.delete_all_cookies().await.unwrap();
        }
    })
    .await;
}
