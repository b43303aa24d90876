//! Every page in the language of the browser, from left to right and from right to left.

use quadrille::{
    KeyRing, Login, Service, Spec,
    consumer::{Begin, MemoryStorage},
};
use serde_json::json;

use crate::support::{
    Browser, Client, Provider, Site, decide, element, fill_in, in_a_browser, send, sign_in,
};

/// The texts of pages by which a test knows them.
struct Words {
    tag: &'static str,
    dir: &'static str,
    sign_in: &'static str,
    wrong: &'static str,
    consent: &'static str,
    account: &'static str,
    device: &'static str,
    withdraw: &'static str,
    password: &'static str,
    nothing: &'static str,
}

const LANGUAGES: [Words; 2] = [
    Words {
        tag: "de",
        dir: "ltr",
        sign_in: "Anmelden",
        wrong: "Falscher Benutzername oder falsches Passwort",
        consent: "bittet um Zugriff auf Ihr Konto",
        account: "Ihre Anwendungen",
        device: "Gerät verbinden",
        withdraw: "Photo Prints",
        password: "Passwort",
        nothing: "Diese Seite gibt es nicht",
    },
    Words {
        tag: "ar",
        dir: "rtl",
        sign_in: "تسجيل الدخول",
        wrong: "اسم المستخدم أو كلمة المرور غير صحيحة",
        consent: "يطلب الوصول إلى حسابك",
        account: "تطبيقاتك",
        device: "توصيل جهاز",
        withdraw: "Photo Prints",
        password: "كلمة المرور",
        nothing: "لا توجد صفحة كهذه",
    },
];

/// A service of the provider's that has no callback.
struct Terminal;

impl Service for Terminal {
    const SPEC: Spec = Spec::oauth1(
        "terminal",
        "oauth/request_token",
        "oauth/authorize",
        "oauth/access_token",
        "api",
    )
    .signature_method(quadrille::oauth1::SignatureMethod::HmacSha256)
    .identity("me", "sub")
    .build();
}

/// The address at which a user lets a program in that is told a code.
async fn terminal(provider: &Provider) -> String {
    let (id, secret) = provider.add_terminal("Terminal");
    let client = Terminal::client(id, secret).hosted_at(provider.url(""));
    let login = Login::new(KeyRing::ephemeral(), "http://localhost")
        .with(client)
        .storage(MemoryStorage::new());
    login.begin_out_of_band(&Begin::new("terminal")).await.unwrap().url
}

/// Has the browser ask for pages in this language.
async fn accept(browser: &Browser, language: &str) {
    browser.cdp("Network.enable", json!({})).await;
    let headers = json!({ "headers": { "Accept-Language": language } });
    browser.cdp("Network.setExtraHTTPHeaders", headers).await;
}

impl Words {
    /// Waits for a page with a heading, in the direction of the language, and keeps pictures of it.
    async fn see(&self, browser: &Browser, heading: &str, what: &str) {
        let page = format!("//html[@dir='{}']//h1[contains(., \"{heading}\")]", self.dir);
        element(browser, &page).await;
        browser.looks_good(&format!("{}-{what}", self.tag)).await;
    }

    /// Goes to a page, and looks at it.
    async fn visit(&self, browser: &Browser, url: &str, heading: &str, what: &str) {
        browser.goto(url).await.unwrap();
        self.see(browser, heading, what).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_fits_every_screen_in_german_and_arabic() {
    in_a_browser("languages", async |browser| {
        let provider = Provider::with_scopes(
            "scopes=photos:read=See your photos",
            &[
                "--device",
                "--oauth1",
                "--set=openid=true",
                "--set=let_users_delete_their_accounts=true",
                "--set=personal_access_token_scopes=photos:read",
            ],
        );
        let callback = Site::blank().await;
        for words in LANGUAGES {
            accept(browser, words.tag).await;
            let scopes = ["--scope", "photos:read", "--scope", "openid", "--scope", "email"];
            let client = provider.add_with("Photo Prints", &callback.far("/callback"), &scopes);
            walk(browser, &words, (&provider, &client), &callback.far("/callback?code=")).await;
            provider.remove(&client);
        }
    })
    .await;
}

/// Looks at every page of the provider.
async fn walk(
    browser: &Browser,
    words: &Words,
    (provider, client): (&Provider, &Client),
    end: &str,
) {
    let question = client.question_for("openid email photos:read");
    words.visit(browser, &question, words.sign_in, "01-sign-in").await;
    send(&fill_in(browser, "not the password").await).await;
    element(browser, &format!("//strong[.=\"{}\"]", words.wrong)).await;
    words.see(browser, words.sign_in, "02-wrong").await;
    sign_in(browser).await;
    words.see(browser, words.consent, "03-consent").await;
    decide(browser, "allow").await;
    browser.wait_until_at(end).await;
    let choose = format!("{question}&prompt=select_account");
    words.visit(browser, &choose, "", "04-choose-account").await;
    words.visit(browser, &provider.url("/"), words.account, "05-account").await;
    let withdraw = provider.url(&format!("/applications/withdraw?client_id={}", client.id));
    words.visit(browser, &withdraw, words.withdraw, "06-withdraw").await;
    words.visit(browser, &provider.url("/password"), words.password, "07-password").await;
    words.visit(browser, &provider.url("/account/delete"), "", "08-delete-account").await;
    words.visit(browser, &provider.url("/account/export"), "", "08-export").await;
    let device = provider.url("/device?user_code=ABCD");
    words.visit(browser, &device, words.device, "09-device").await;
    words.visit(browser, &terminal(provider).await, words.consent, "10-terminal").await;
    decide(browser, "allow").await;
    element(browser, "//output[@class='verifier']").await;
    words.see(browser, "Terminal", "11-verifier").await;
    words.visit(browser, &provider.url("/nothing"), words.nothing, "12-nothing").await;
    let wrong = provider.url("/oauth/authorize?client_id=nobody");
    words.visit(browser, &wrong, "", "13-problem").await;
    let sign_out = provider.url(&format!("/oauth/logout?client_id={}", client.id));
    words.visit(browser, &sign_out, "", "14-sign-out").await;
    let button = element(browser, "//button[@class='primary']").await;
    button.click().await.unwrap();
    element(browser, "//a[contains(@href, '/sign-in')]").await;
    words.see(browser, "", "15-signed-out").await;
    browser.delete_all_cookies().await.unwrap();
}
