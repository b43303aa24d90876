//! Cookies ignore ports: programs at two ports of one host see each other's cookies.

use crate::support::{
    Browser, Provider, Site, consumer, decide, heading, in_a_browser, press, sign_in,
};

async fn is_signed_in(browser: &Browser, provider: &Provider) {
    browser.goto(provider.url("/")).await.unwrap();
    heading(browser, "Your applications").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_providers_on_one_host_do_not_sign_each_other_out() {
    in_a_browser("two-providers", async |browser| {
        let callback = Site::blank().await;
        let add = |provider: &Provider| provider.add("Printer", &callback.far("/callback"), &[]);
        let (one, other) = (Provider::start(&[]), Provider::start(&[]));
        let clients = [add(&one), add(&other)];
        // Both sign-in pages are open, then both consent pages.
        let second = browser.new_tab().await.unwrap();
        let first = browser.windows().await.unwrap().remove(0);
        let dances = [(&first, &one, &clients[0]), (&second, &other, &clients[1])];
        for (tab, _, client) in dances {
            browser.turn_to(tab).await;
            browser.goto(client.question()).await.unwrap();
        }
        for (tab, ..) in dances {
            browser.turn_to(tab).await;
            sign_in(browser).await;
        }
        for (tab, _, client) in dances {
            browser.turn_to(tab).await;
            decide(browser, "allow").await;
            client.redeem(&browser.wait_until_at(&callback.far("/callback?code=")).await).await;
        }
        for (_, provider, client) in dances {
            is_signed_in(browser, provider).await;
            // No further page asks anything.
            browser.goto(client.question()).await.unwrap();
            client.redeem(&browser.wait_until_at(&callback.far("/callback?code=")).await).await;
        }

        // Signing out at one provider leaves the other session.
        browser.goto(one.url("/")).await.unwrap();
        press(browser, "Sign out").await;
        heading(browser, "You are signed out").await;
        is_signed_in(browser, &other).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_applications_on_one_host_keep_their_logins_apart() {
    in_a_browser("two-applications", async |browser| {
        let provider = Provider::start(&[]);
        let albums =
            [consumer::without_users(&provider).await, consumer::without_users(&provider).await];
        browser.goto(albums[0].near("/album")).await.unwrap();
        sign_in(browser).await;
        decide(browser, "allow").await;
        heading(browser, "The album").await;
        browser.goto(albums[1].near("/")).await.unwrap();
        heading(browser, "0 is not linked").await;
        press(browser, "Link").await;
        decide(browser, "allow").await;
        heading(browser, "0 is linked").await;
        for album in &albums {
            browser.goto(album.near("/")).await.unwrap();
            heading(browser, "0 is linked").await;
        }
    })
    .await;
}
