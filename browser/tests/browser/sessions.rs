//! The account page: sessions, personal access tokens and consents of a user.

use quadrille_demo::PASSWORD;

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
        assert_eq!(page.matches("signed in <time").count(), 2, "{page}");
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
            if said == "Withdrawn" {
                heading(home, "Withdraw the access of Photo printer?").await;
                home.looks_good("2-withdraw").await;
                send(&element(home, "//button[.='Withdraw']").await).await;
            }
            element(home, &format!("//p[@role='status'][starts-with(., '{said}')]")).await;
            let page = home.source().await.unwrap();
            assert!(!page.contains("backup script") || said != "Revoked", "{page}");
        }
        home.looks_good("3-ended").await;
        account(office, &provider).await;
        heading(office, "Sign in").await;
        let page = home.source().await.unwrap();
        assert!(page.contains("calendar-synchronisation") && !page.contains("Photo printer"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_changes_the_password_gets_the_data_and_deletes_the_account() {
    in_browsers(["own-account", "own-account-office"], async |[browser, office]| {
        let provider = Provider::start(&["--set", "let_users_delete_their_accounts=true"]);
        for browser in [office, browser] {
            account(browser, &provider).await;
            sign_in(browser).await;
            heading(browser, "Your applications").await;
        }
        account(browser, &provider).await;
        element(browser, "//button[.='Download your data']").await;
        element(browser, "//button[.='Sign out all others']").await;
        browser.looks_good("1-account").await;
        press(browser, "Change your password").await;
        heading(browser, "Change your password").await;
        browser.looks_good("2-password").await;
        let new = "another horse altogether";
        let fill = async |password: &str, new: &str| {
            for (field, text) in [("password", password), ("new", new), ("again", new)] {
                let field = element(browser, &format!("//input[@name='{field}']")).await;
                field.send_keys(text).await.unwrap();
            }
            send(&element(browser, "//input[@name='again']").await).await;
        };
        fill("not the password", new).await;
        element(browser, "//strong[.='Wrong password']").await;
        browser.looks_good("3-wrong").await;
        fill(PASSWORD, new).await;
        element(browser, "//p[@role='status'][starts-with(., 'Your password was changed')]").await;
        account(office, &provider).await;
        heading(office, "Sign in").await;

        press(browser, "Delete your account").await;
        heading(browser, "Delete your account").await;
        browser.looks_good("4-delete").await;
        let password = element(browser, "//input[@name='password']").await;
        password.send_keys(new).await.unwrap();
        send(&password).await;
        heading(browser, "Your account is deleted").await;
        browser.looks_good("5-deleted").await;
    })
    .await;
}
