//! Devices without a browser: their user types a code in here.

use serde_json::{Value, json};

use crate::support::{
    Browser, Provider, decide, element, heading, in_a_browser, press, send, sign_in,
};

/// A name with words, and with one word, that are longer than a line.
const LONG: &str = "The Television-and-Picture-Frame-Society_of_Llanfairpwllgwyngyll";

/// A device that runs a client, and its codes.
struct Device<'p> {
    provider: &'p Provider,
    client: String,
    codes: Value,
}

impl<'p> Device<'p> {
    async fn new(provider: &'p Provider, client: &str) -> Self {
        let client = client.to_owned();
        let mut device = Self { provider, client, codes: Value::Null };
        device.codes = device.post("/oauth/device_authorization", &[]).await;
        device
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> Value {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let form = [form, &[("client_id", &*self.client)]].concat();
        let answer = http.post(self.provider.url(path)).form(&form).send().await.unwrap();
        answer.json().await.unwrap()
    }

    fn shows(&self) -> &str {
        self.codes["user_code"].as_str().unwrap()
    }

    fn link(&self) -> &str {
        self.codes["verification_uri_complete"].as_str().unwrap()
    }

    async fn polls(&self) -> Value {
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("device_code", self.codes["device_code"].as_str().unwrap()),
        ];
        self.post("/oauth/token", &form).await
    }

    async fn calls_the_api(&self, tokens: &Value) -> u16 {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let token = tokens["access_token"].as_str().unwrap();
        let call = http.get(self.provider.url("/api/me")).bearer_auth(token);
        call.send().await.unwrap().status().as_u16()
    }
}

/// Types a code into the form, as a user does, and sends it.
async fn type_in(browser: &Browser, code: &str) {
    let field = element(browser, "//input[@name='user_code']").await;
    field.clear().await.unwrap();
    field.send_keys(code).await.unwrap();
    send(&field).await;
}

async fn problem(browser: &Browser, title: &str) {
    element(browser, &format!("//*[@role='alert']//strong[.='{title}']")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_types_the_code_of_a_device_and_lets_it_in() {
    in_a_browser("devices", async |browser| {
        let provider =
            Provider::start(&["--device", "--set", "name=Quadrille of Saint-Jean-de-Luz"]);
        let client = provider.add_device(LONG);
        let device = Device::new(&provider, &client).await;
        browser.goto(provider.url("/device")).await.unwrap();
        sign_in(browser).await;
        heading(browser, "Connect a device").await;
        browser.looks_good("1-type").await;
        let active = browser.active_element().await.unwrap();
        assert_eq!(active.attr("name").await.unwrap().as_deref(), Some("user_code"));

        type_in(browser, "BCDF-GHJK").await;
        problem(browser, "No device waits with this code").await;
        browser.looks_good("2-wrong").await;
        type_in(browser, "12").await;
        problem(browser, "This is no code").await;

        type_in(browser, &device.shows().to_lowercase().replace('-', " ")).await;
        heading(browser, "asks for access to your account").await;
        let shown = element(browser, "//output").await.text().await.unwrap();
        assert_eq!(shown, device.shows());
        browser.looks_good("3-consent").await;
        assert_eq!(device.polls().await["error"], "authorization_pending");
        decide(browser, "allow").await;
        heading(browser, "has access").await;
        browser.looks_good("4-allowed").await;
        assert!(device.polls().await["access_token"].is_string());

        browser.goto(device.link()).await.unwrap();
        press(browser, "Continue").await;
        problem(browser, "This code was used before").await;
        browser.looks_good("5-used").await;
        browser.goto(provider.url("/")).await.unwrap();
        heading(browser, "Your applications").await;
        element(browser, &format!("//h2[.='{LONG}']")).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_from_a_link_is_compared_and_denied_and_one_that_has_expired_is_called_so() {
    in_a_browser("devices-link", async |browser| {
        let provider = Provider::start(&["--device", "--set", "device.code_lifetime=90s"]);
        let client = provider.add_device("Television");
        let device = Device::new(&provider, &client).await;
        browser.goto(device.link()).await.unwrap();
        sign_in(browser).await;
        // The sign-in kept the code.
        let field = element(browser, "//input[@name='user_code']").await;
        assert_eq!(field.value().await.unwrap().as_deref(), Some(device.shows()));
        browser.looks_good("1-link").await;
        press(browser, "Continue").await;
        decide(browser, "deny").await;
        heading(browser, "Television was not let in").await;
        browser.looks_good("2-denied").await;
        assert_eq!(device.polls().await["error"], "access_denied");
        drop(provider);

        let provider = Provider::start(&["--device", "--set", "device.code_lifetime=1s"]);
        let client = provider.add_device("Television");
        let device = Device::new(&provider, &client).await;
        browser.goto(provider.url("/device")).await.unwrap();
        sign_in(browser).await;
        loop {
            // Before the second is over, the consent page is shown.
            browser.goto(device.link()).await.unwrap();
            press(browser, "Continue").await;
            if browser.source().await.unwrap().contains("This code has expired") {
                break;
            }
            element(browser, "//button[@value='allow']").await;
        }
        problem(browser, "This code has expired").await;
        browser.looks_good("3-expired").await;
        for _ in 0..10 {
            type_in(browser, "BCDF-GHJK").await;
        }
        problem(browser, "Too many codes were tried").await;
        browser.looks_good("4-too-many").await;
        assert_eq!(device.polls().await, json!({ "error": "expired_token" }));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_allows_a_part_of_the_scopes_and_takes_the_access_back() {
    in_a_browser("devices-part", async |browser| {
        let provider = Provider::start(&["--device"]);
        let client = provider.add_device("Television");
        let device = Device::new(&provider, &client).await;
        browser.goto(device.link()).await.unwrap();
        sign_in(browser).await;
        press(browser, "Continue").await;
        let write = element(browser, "//input[@type='checkbox'][@value='photos:write']").await;
        write.click().await.unwrap();
        // The key Enter in a tick box decides nothing.
        write.send_keys("\u{e007}").await.unwrap();
        browser.looks_good("1-part").await;
        decide(browser, "allow").await;
        heading(browser, "has access").await;
        let tokens = device.polls().await;
        assert_eq!(tokens["scope"], "photos:read");
        assert_eq!(device.calls_the_api(&tokens).await, 200);

        browser.goto(provider.url("/")).await.unwrap();
        element(browser, "//h2[.='Television']").await;
        assert!(!browser.source().await.unwrap().contains("Add photos"));
        press(browser, "Withdraw").await;
        heading(browser, "Withdraw the access of").await;
        press(browser, "Withdraw").await;
        element(browser, "//*[@role='status'][starts-with(., 'Withdrawn.')]").await;
        browser.looks_good("2-withdrawn").await;
        assert!(!browser.source().await.unwrap().contains("Television"));
        assert_eq!(device.calls_the_api(&tokens).await, 401);
    })
    .await;
}
