//! Logins that another site begins (the class of CVE-2015-9284).

use axum::{Router, response::Html, routing::get};

use crate::support::{Provider, Site, consumer, decide, heading, in_a_browser, press, sign_in};

#[tokio::test(flavor = "multi_thread")]
async fn another_sites_link_asks_on_a_page_and_cancelling_links_nothing() {
    in_a_browser("linking", async |browser| {
        let provider = Provider::start(&[]);
        let album = consumer::with_users(&provider).await;
        let (login, page) = (album.near("/login/quadrille"), album.near("/album"));
        let temptation = format!(
            "<!doctype html><title>Win</title><a href={login}>By link</a> <a href={page}>By page</a>
            <form method=post action={login}><button>By form</button></form>"
        );
        let routes = Router::new().route("/", get(async || Html(temptation)));
        let elsewhere = Site::start(async |_| routes).await;

        let asked = async |way: &str| {
            browser.goto(elsewhere.far("/")).await.unwrap();
            press(browser, way).await;
            heading(browser, "Log in with Quadrille?").await;
        };
        let cancelled = async |user: u64| {
            press(browser, "Back to the site").await;
            heading(browser, &format!("{user} is not linked")).await;
        };

        browser.goto(album.near("/as/44")).await.unwrap();
        for way in ["By link", "By form", "By page"] {
            asked(way).await;
            browser.looks_good("asked").await;
            cancelled(44).await;
        }
        // The button on the page continues.
        asked("By page").await;
        press(browser, "Go on to Quadrille").await;
        sign_in(browser).await;
        decide(browser, "allow").await;
        heading(browser, "The album").await;
        browser.goto(album.near("/")).await.unwrap();
        heading(browser, "44 is linked").await;

        // With a remembered consent, only the page that asks stands between.
        browser.goto(album.near("/as/45")).await.unwrap();
        for way in ["By link", "By form"] {
            asked(way).await;
            cancelled(45).await;
        }
        // The site's own link needs no confirmation.
        press(browser, "Link").await;
        heading(browser, "45 is linked").await;
    })
    .await;
}
