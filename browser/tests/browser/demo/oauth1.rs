//! The second dance: OAuth 1.0a, between the same two sites.

use thirtyfour::prelude::*;

use crate::support::{Browser, Colors, element, heading, press, sign_in};

use super::{
    dances::{OAUTH1, OAUTH2},
    drawing,
    running::{Running, visit},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_dance_of_oauth1_from_the_first_page_to_the_signatures() {
    visit("oauth1", async |browser, demo| {
        browser.goto(&demo.website).await.unwrap();
        browser.keep_whole("01-website").await;
        on_a_phone(browser, "02-website-phone").await;
        browser.colors(Colors::Dark).await;
        browser.keep_whole("03-website-dark").await;
        browser.colors(Colors::Light).await;
        browser.is_accessible("the website").await;
        OAUTH1.begin(browser, demo).await;
        sign_in(browser).await;
        // The same page as in the other dance, with the client and the scopes.
        element(browser, "//h1[contains(., 'Sixpence Prints')]").await;
        element(browser, "//*[contains(., 'See the photos in your album')]").await;
        browser.keep("04-consent").await;
        OAUTH1.agree(browser, demo).await;
        browser.keep_whole("05-photos").await;
        OAUTH1.end(browser).await;
        let page = drawing::shows(browser, OAUTH1.chapters).await;
        for words in ["A signed call", "The call, signed anew", "This token opens nothing"] {
            assert!(page.contains(words), "{words}");
        }
        the_signatures(browser, demo).await;
        browser.keep_whole("08-drawing").await;
        drawing::follows(browser, "token-secret", 10).await;
        browser.keep_whole("09-follow-the-token-secret").await;
        drawing::follow_all(browser).await;
        // With a signature open, which is the widest content of the page.
        drawing::opens(browser, "POST /oauth/request_token").await;
        drawing::opens(browser, "GET /api/photos").await;
        drawing::looks_good_everywhere(browser, 10).await;
    })
    .await;
}

/// Opens each signed request to its base string, the key and the signature.
async fn the_signatures(browser: &Browser, demo: &Running) {
    let signed = browser.find_all(By::ClassName("proof")).await.unwrap();
    assert_eq!(signed.len(), 6, "two for credentials, two calls, the end, and once more");
    let first = drawing::opens(browser, "POST /oauth/request_token").await;
    assert!(first.contains("nothing: there is no token yet"), "{first}");
    assert!(first.contains("oauth_callback"), "{first}");
    browser.keep_whole("06-request-token").await;
    drawing::closes(browser, "POST /oauth/request_token").await;
    let call = drawing::opens(browser, "GET /api/photos").await;
    let api = format!("{}/api/photos", demo.provider);
    for part in ["GET", &api, "limit=6", "HMAC-SHA256(", "token secret", "client secret"] {
        assert!(call.contains(part), "{part} is missing: {call}");
    }
    let encoded = api.replace(':', "%3A").replace('/', "%2F");
    assert!(call.contains(&format!("GET&{encoded}&limit%3D6%26oauth_consumer_key%3D")), "{call}");
    browser.keep_whole("07-call").await;
    drawing::closes(browser, "GET /api/photos").await;
}

async fn on_a_phone(browser: &Browser, name: &str) {
    browser.width(390, 844).await;
    browser.fits(390).await;
    browser.keep_whole(name).await;
    browser.width(0, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_has_consented_and_signed_out_signs_in_and_goes_straight_on() {
    visit("oauth1-signed-out", async |browser, demo| {
        OAUTH2.dance(browser, demo).await;
        browser.goto(&demo.provider).await.unwrap();
        browser.delete_all_cookies().await.unwrap();
        OAUTH1.begin(browser, demo).await;
        let page = browser.source().await.unwrap();
        assert!(page.contains("to continue to") && page.contains("Sixpence Prints"), "{page}");
        sign_in(browser).await;
        // The form leads over the provider and the website's callback to the photos: no consent is asked.
        heading(browser, "Here they are").await;
        assert_eq!(browser.place().await, format!("{}{}", demo.website, OAUTH1.prints));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_no_to_the_second_dance_is_told_so_and_may_think_again() {
    visit("oauth1-deny", async |browser, demo| OAUTH1.refuse(browser, demo).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_dances_are_there_to_compare_and_neither_disturbs_the_other() {
    visit("both", async |browser, demo| {
        OAUTH2.dance(browser, demo).await;
        browser.goto(format!("{}/dance", demo.website)).await.unwrap();
        press(browser, "Now dance OAuth 1.0a").await;
        // The user gave consent for the other dance already.
        heading(browser, "Here they are").await;
        press(browser, "See the dance").await;
        let page = drawing::shows(browser, &OAUTH1.chapters[..2]).await;
        assert!(!page.contains("code verifier"), "nothing of the other dance");
        press(browser, "See OAuth 2").await;
        let page = drawing::shows(browser, &["The code becomes a token"]).await;
        assert!(!page.contains("The signature"), "nothing is signed there");
        // Either dance fetches the photos.
        for dance in [OAUTH2, OAUTH1] {
            browser.goto(format!("{}{}", demo.website, dance.prints)).await.unwrap();
            heading(browser, "Here they are").await;
        }
        browser.goto(&demo.website).await.unwrap();
        browser.keep_whole("1-website-after-both").await;
    })
    .await;
}
