//! The choice of an account, and the way back to an application.

use crate::support::{Provider, Site, decide, element, heading, in_a_browser, press, sign_in};

#[tokio::test(flavor = "multi_thread")]
async fn a_user_goes_on_with_the_account_that_is_signed_in_or_signs_in_with_another() {
    in_a_browser("choosing", async |browser| {
        let provider = Provider::start(&["--set", "openid=true"]);
        let callback = Site::blank().await;
        let begins = ["--initiate-login-uri", "https://printer.example/login"];
        let client = provider.add("Photo printer", &callback.far("/callback"), &begins);
        let question = client.question();
        browser.goto(format!("{question}&login_hint=grace%40example.com")).await.unwrap();
        let hint = element(browser, "//input[@name='username']").await;
        assert_eq!(hint.value().await.unwrap().as_deref(), Some("grace@example.com"));
        sign_in(browser).await;
        decide(browser, "allow").await;
        browser.wait_until_at(&callback.far("/callback?code=")).await;

        let choose = format!("{question}&prompt=select_account&login_hint=grace");
        browser.goto(&choose).await.unwrap();
        heading(browser, "Choose an account").await;
        browser.looks_good("1-choice").await;
        press(browser, "Use another account").await;
        heading(browser, "Sign in").await;
        let hint = element(browser, "//input[@name='username']").await;
        assert_eq!(hint.value().await.unwrap().as_deref(), Some("grace"));
        browser.looks_good("2-another").await;
        browser.back().await.unwrap();
        press(browser, "Continue as ").await;
        browser.wait_until_at(&callback.far("/callback?code=")).await;

        browser.goto(provider.url("/")).await.unwrap();
        let open = element(browser, "//a[.='Open Photo printer']").await;
        let to = open.attr("href").await.unwrap().unwrap();
        assert!(to.starts_with("https://printer.example/login?iss=http"), "{to}");
        browser.looks_good("3-account").await;
    })
    .await;
}
