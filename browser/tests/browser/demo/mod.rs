//! The demo, used as intended and otherwise.

mod dances;
pub(crate) mod drawing;
mod oauth1;
mod running;

pub(crate) use dances::{OAUTH1, OAUTH2};
pub(crate) use running::visit;

use serde_json::json;
use thirtyfour::prelude::*;

use crate::support::{Browser, decide, element, heading, press, sign_in};

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_dance_from_the_first_page_to_the_drawing_of_it() {
    visit("dance", async |browser, demo| {
        browser.goto(&demo.website).await.unwrap();
        browser.keep("1-website").await;
        OAUTH2.begin(browser, demo).await;
        browser.keep("2-sign-in").await;
        sign_in(browser).await;
        element(browser, "//button[@value='allow']").await;
        browser.keep("3-consent").await;
        OAUTH2.agree(browser, demo).await;
        browser.keep_whole("4-photos").await;
        OAUTH2.end(browser).await;
        let page = drawing::shows(browser, OAUTH2.chapters).await;
        assert!(page.contains("This token opens nothing"), "the revoked token is tried");

        let arrow = drawing::opens(browser, "POST /oauth/token").await;
        assert!(arrow.contains("code_verifier"));
        drawing::follows(browser, "code", 10).await;
        browser.keep_whole("6-follow-the-code").await;
        drawing::follow_all(browser).await;
        browser.keep_whole("5-drawing").await;
        drawing::looks_good_everywhere(browser, 7).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_no_is_told_so_and_may_think_again() {
    visit("deny", async |browser, demo| OAUTH2.refuse(browser, demo).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_back_button_leads_nowhere_bad() {
    visit("back", async |browser, demo| {
        OAUTH2.begin(browser, demo).await;
        sign_in(browser).await;
        element(browser, "//button[@value='allow']").await;
        // Back from the consent page to the sign-in page, and forward again.
        browser.back().await.unwrap();
        element(browser, "//body").await;
        browser.keep("1-back-from-consent").await;
        browser.forward().await.unwrap();
        OAUTH2.agree(browser, demo).await;
        // Back from the photos to the consent page, which says that it was answered.
        while !browser.place().await.starts_with(&demo.provider) {
            browser.back().await.unwrap();
        }
        browser.keep("2-back-from-the-photos").await;
        decide(browser, "allow").await;
        heading(browser, "Already answered").await;
        browser.keep("3-answered-again").await;
        // The token from the first answer is still valid.
        browser.goto(format!("{}/prints", demo.website)).await.unwrap();
        heading(browser, "Here they are").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_double_click_on_allow_counts_once() {
    visit("double-click", async |browser, demo| {
        OAUTH2.begin(browser, demo).await;
        sign_in(browser).await;
        let allow = element(browser, "//button[@value='allow']").await;
        browser.action_chain().double_click_element(&allow).perform().await.unwrap();
        // If the website was quicker than the second click, the code is redeemed, and the provider
        // says that it already has the answer. Either way there was one answer, and it counts.
        let there = "contains(., 'Here they are') or contains(., 'Already answered')";
        element(browser, &format!("//h1[{there}]")).await;
        browser.keep("1-clicked-twice").await;
        browser.goto(format!("{}/prints", demo.website)).await.unwrap();
        heading(browser, "Here they are").await;
        // The tokens are valid: they can be used, and refreshed.
        press(browser, "Let an hour pass").await;
        heading(browser, "Here they are").await;
        assert_eq!(browser.find_all(By::Tag("img")).await.unwrap().len(), 6);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_tabs_opened_at_once_finish_in_the_wrong_order() {
    visit("twenty-tabs", async |browser, demo| {
        browser.goto(&demo.website).await.unwrap();
        let open = "for (let tab = 0; tab < 20; tab++) window.open('/prints')";
        browser.execute(open, vec![]).await.unwrap();
        let mut tabs = browser.windows().await.unwrap();
        tabs.remove(0);
        assert_eq!(tabs.len(), 20);
        for tab in &tabs {
            browser.turn_to(tab).await;
            element(browser, "//input[@name='password']").await;
        }
        // The last tab first, then every other one, then the rest.
        let order = (0..20).rev().step_by(2).chain((0..20).step_by(2));
        for (nth, tab) in order.enumerate() {
            browser.turn_to(&tabs[tab]).await;
            sign_in(browser).await;
            if nth == 0 {
                decide(browser, "allow").await;
            }
            heading(browser, "Here they are").await;
            assert_eq!(browser.place().await, format!("{}/prints", demo.website), "tab {tab}");
        }
        browser.keep("1-the-last-tab").await;
        // After twenty logins, the page shows one dance.
        browser.goto(format!("{}/dance", demo.website)).await.unwrap();
        heading(browser, "The dance that just happened").await;
        let redeemed = "//strong[contains(., 'The code is redeemed')]";
        assert_eq!(browser.find_all(By::XPath(redeemed)).await.unwrap().len(), 1);
        browser.keep_whole("2-drawing").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_with_the_cookie_lost_ends_on_a_page_with_a_way_on() {
    visit("cookie-lost", async |browser, demo| {
        OAUTH2.begin(browser, demo).await;
        forget_cookies_of(browser, &demo.website).await;
        sign_in(browser).await;
        decide(browser, "allow").await;
        browser.wait_until_at(&demo.website).await;
        element(browser, "//h1").await;
        browser.keep("1-lost").await;
        assert!(browser.find_all(By::Tag("img")).await.unwrap().is_empty(), "nobody is logged in");
        // The page offers another try, which works.
        element(browser, "//main//a | //body//a").await.click().await.unwrap();
        if browser.find_all(By::XPath("//a[contains(., 'Print my photos')]")).await.unwrap().len()
            == 1
        {
            press(browser, "Print my photos").await;
        }
        heading(browser, "Here they are").await;
        browser.keep("2-tried-again").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_said_so_on_the_page_and_the_right_one_goes_on() {
    visit("wrong-password", async |browser, demo| {
        browser.goto(format!("{}/prints", demo.website)).await.unwrap();
        let name = element(browser, "//input[@name='username']").await;
        name.send_keys("nobody").await.unwrap();
        let password = element(browser, "//input[@name='password']").await;
        password.send_keys("not the password" + Key::Enter).await.unwrap();
        element(browser, "//*[@role='alert']").await;
        browser.keep("1-wrong").await;
        sign_in(browser).await;
        OAUTH2.agree(browser, demo).await;
    })
    .await;
}

async fn forget_cookies_of(browser: &Browser, site: &str) {
    let cookies = browser.cdp("Network.getCookies", json!({ "urls": [site] })).await;
    let cookies = cookies["cookies"].as_array().unwrap();
    assert!(!cookies.is_empty(), "there is something to forget");
    for cookie in cookies {
        let which = json!({ "name": cookie["name"], "url": site });
        browser.cdp("Network.deleteCookies", which).await;
    }
}
