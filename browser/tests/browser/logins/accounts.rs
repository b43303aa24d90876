//! The page "Your linked accounts" of the example, on SQLite.

use axum::Router;
use quadrille::{Google, Heroku, KeyRing, Login, testing::FakeService};
use serde_json::json;

use crate::support::{Browser, Folder, Site, element, heading, in_a_browser, press};

#[path = "../../../../crates/quadrille-sqlx/examples/linked_accounts.rs"]
#[allow(dead_code, reason = "the tests have listeners of their own")]
mod linked_accounts;

async fn example(port: u16, folder: &Folder) -> Router {
    let google = FakeService::of::<Google>("id", "secret").user(json!({ "sub": "41" }));
    let heroku = FakeService::of::<Heroku>("id", "secret").user(json!({ "id": "7" }));
    let google = Google::new("id", "secret").hosted_at(google.listen(0).await.unwrap());
    let heroku = Heroku::new("id", "secret").hosted_at(heroku.listen(0).await.unwrap());
    let keys = KeyRing::new([&[7; 32]]).unwrap();
    let login = Login::new(keys, format!("http://localhost:{port}")).with(google).with(heroku);
    let url = format!("sqlite:{}?mode=rwc", folder.path().join("app.db").display());
    linked_accounts::on_database(&url, login).await.unwrap()
}

/// Approves the request on the emulator's page, and waits for the page of the example.
async fn allow(browser: &Browser) {
    press(browser, "Allow as").await;
    heading(browser, "Your linked accounts").await;
}

/// The accounts on the page.
async fn accounts(browser: &Browser) -> Vec<String> {
    heading(browser, "Your linked accounts").await;
    let lines = "return [...document.querySelectorAll('main > p')].map(line => line.textContent)";
    let lines = browser.execute(lines, vec![]).await.unwrap();
    serde_json::from_value(lines.json().clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_links_two_services_and_unlinks_one_but_not_the_last() {
    in_a_browser("accounts", async |browser| {
        let folder = Folder::new();
        let site = Site::start(async |port| example(port, &folder).await).await;
        browser.goto(site.near("/")).await.unwrap();
        press(browser, "Google").await;
        allow(browser).await;
        assert_eq!(accounts(browser).await, ["Google: 41"]);
        press(browser, "Link Heroku").await;
        allow(browser).await;
        assert_eq!(accounts(browser).await, ["Google: 41", "Heroku: 7"]);
        browser.looks_good("1-two").await;

        press(browser, "Unlink Google 41").await;
        assert_eq!(accounts(browser).await, ["Heroku: 7"]);
        press(browser, "Unlink Heroku 7").await;
        heading(browser, "This is your only account here").await;
        browser.looks_good("2-last").await;
        press(browser, "Your linked accounts").await;
        assert_eq!(accounts(browser).await, ["Heroku: 7"]);

        // The account that is left leads to the same user, and the other one to another user.
        press(browser, "Sign out").await;
        heading(browser, "Welcome").await;
        press(browser, "Google").await;
        allow(browser).await;
        assert_eq!(accounts(browser).await, ["Google: 41"]);
        press(browser, "Sign out").await;
        press(browser, "Heroku").await;
        allow(browser).await;
        assert_eq!(accounts(browser).await, ["Heroku: 7"]);
        element(browser, "//a[contains(., 'Link Google')]").await;
    })
    .await;
}
