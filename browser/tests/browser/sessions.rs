//! The account page: sessions, personal access tokens and consents of a user.

use crate::support::{
    Browser, Provider, Site, decide, element, fill_in, heading, in_browsers, press, send, sign_in,
};

async fn account(browser: &Browser, provider: &Provider) {
    browser.goto(provider.url("/")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_everywhere_ends_the_session_of_another_browser_and_so_does_a_new_password() {
    in_browsers(["sessions-home", "sessions-office"], async |browsers| {
        let provider = Provider::start(&[]);
        let [home, office] = browsers;
        for browser in browsers {
            account(browser, &provider).await;
            sign_in(browser).await;
            heading(browser, "Your applications").await;
        }
        account(home, &provider).await;
        let page = home.source().await.unwrap();
        assert_eq!(page.matches("Signed in <time").count(), 2, "{page}");
        assert_eq!(page.matches("this browser").count(), 1, "{page}");
        press(home, "Sign out everywhere").await;
        heading(home, "You are signed out everywhere").await;
        for browser in browsers {
            account(browser, &provider).await;
            heading(browser, "Sign in").await;
            sign_in(browser).await;
            heading(browser, "Your applications").await;
        }

        let new = "another horse altogether";
        provider.set_password(new);
        for browser in browsers {
            account(browser, &provider).await;
            heading(browser, "Sign in").await;
        }
        sign_in(office).await;
        heading(office, "Sign in").await;
        send(&fill_in(office, new).await).await;
        heading(office, "Your applications").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_page_makes_a_token_and_shows_it_once() {
    in_browsers(["account-token"], async |[browser]| {
        let provider = Provider::start(&["--set", "personal_access_token_scopes=photos:read"]);
        account(browser, &provider).await;
        sign_in(browser).await;
        element(browser, "//h2[.='Your access tokens']").await;
        browser.looks_good("1-form").await;
        let name = element(browser, "//input[@name='name']").await;
        name.send_keys("backup script").await.unwrap();
        element(browser, "//input[@name='scope:photos:read']").await.click().await.unwrap();
        press(browser, "Make a token").await;
        let token = element(browser, "//code[@class='token']").await.text().await.unwrap();
        assert!(token.len() > 20, "{token}");
        browser.looks_good("2-made").await;
        account(browser, &provider).await;
        element(browser, "//h2[.='Your access tokens']").await;
        let page = browser.source().await.unwrap();
        assert!(page.contains("backup script") && !page.contains(&token), "{page}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_page_ends_one_session_one_token_and_one_consent() {
    in_browsers(["account-home", "account-office"], async |[home, office]| {
        let provider = Provider::start(&[]);
        let callback = Site::blank().await;
        let client = provider.add("Photo printer", &callback.far("/callback"), &[]);
        home.goto(client.question()).await.unwrap();
        sign_in(home).await;
        decide(home, "allow").await;
        home.wait_until_at(&callback.far("/callback?code=")).await;
        account(office, &provider).await;
        sign_in(office).await;
        provider.add_token("backup script", &["--scope", "photos:read"]);
        provider.add_token("calendar-synchronisation-of-the-whole-family", &[]);
        account(home, &provider).await;
        heading(home, "Your applications").await;
        home.looks_good("1-all").await;

        // By keyboard, as every button.
        for (button, said) in [
            ("Sign out ", "Signed out there"),
            ("Revoke the token backup script", "Revoked"),
            ("Withdraw access of Photo printer", "Withdrawn"),
        ] {
            let button = format!("//button[starts-with(@aria-label, '{button}')]");
            send(&element(home, &button).await).await;
            element(home, &format!("//p[@role='status'][starts-with(., '{said}')]")).await;
            let page = home.source().await.unwrap();
            assert!(!page.contains("backup script") || said != "Revoked", "{page}");
        }
        home.looks_good("2-ended").await;
        account(office, &provider).await;
        heading(office, "Sign in").await;
        let page = home.source().await.unwrap();
        assert!(page.contains("calendar-synchronisation") && !page.contains("Photo printer"));
    })
    .await;
}
