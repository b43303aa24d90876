//! The sessions of a user.

use crate::support::{Browser, Provider, fill_in, heading, in_browsers, press, send, sign_in};

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
