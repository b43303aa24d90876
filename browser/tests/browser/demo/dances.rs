//! The steps that both dances have.

use thirtyfour::prelude::*;

use crate::support::{Browser, decide, element, heading, press, sign_in};

use super::running::Running;

/// One of the two dances, as users see it.
pub(crate) struct Dance {
    /// The link on the first page.
    pub(crate) begin: &'static str,
    /// The path of the photos.
    pub(crate) prints: &'static str,
    /// The chapters of the drawing.
    pub(crate) chapters: &'static [&'static str],
    /// The words of the drawing about a refusal.
    pub(crate) refusal: &'static str,
    /// The words of the drawing about issued tokens.
    pub(crate) issued: &'static str,
}

pub(crate) const OAUTH2: Dance = Dance {
    begin: "Print my photos",
    prints: "/prints",
    chapters: &[
        "You ask for something",
        "You say who you are, to the provider only",
        "You decide",
        "The code becomes a token, behind the browser’s back",
        "The website uses the token",
        "Time passes: a fresh token",
        "You take it back",
    ],
    refusal: "The answer is no",
    issued: "The tokens",
};

pub(crate) const OAUTH1: Dance = Dance {
    begin: "Print them, signed",
    prints: "/oauth1/prints",
    chapters: &[
        "You ask for something",
        "The question is put down at the provider",
        "You say who you are, to the provider only",
        "You decide",
        "The verifier becomes a token, and a secret to sign with",
        "The website signs what it asks",
        "Time passes: signed anew",
        "You take it back",
    ],
    refusal: "The browser brings the refusal",
    issued: "A token, and its secret",
};

impl Dance {
    /// Goes from the website's first page to the provider's sign-in page.
    pub(crate) async fn begin(&self, browser: &Browser, demo: &Running) {
        browser.goto(&demo.website).await.unwrap();
        press(browser, self.begin).await;
        element(browser, "//input[@name='password']").await;
        assert!(browser.place().await.starts_with(&demo.provider), "signing in is the provider’s");
    }

    /// From the consent page to the photos.
    pub(crate) async fn agree(&self, browser: &Browser, demo: &Running) {
        decide(browser, "allow").await;
        heading(browser, "Here they are").await;
        let here = format!("{}{}", demo.website, self.prints);
        assert_eq!(browser.place().await, here, "nothing is left in the address");
        let pictures = browser.find_all(By::Tag("img")).await.unwrap();
        assert_eq!(pictures.len(), 6);
        for picture in pictures {
            assert_eq!(picture.prop("naturalWidth").await.unwrap().as_deref(), Some("320"));
        }
    }

    /// From the first page to the photos.
    pub(crate) async fn dance(&self, browser: &Browser, demo: &Running) {
        self.begin(browser, demo).await;
        sign_in(browser).await;
        self.agree(browser, demo).await;
    }

    /// From the photos, an hour later, to the last page with the drawing.
    pub(crate) async fn end(&self, browser: &Browser) {
        press(browser, "Let an hour pass").await;
        heading(browser, "Here they are").await;
        press(browser, "Disconnect").await;
        heading(browser, "The dance that just happened").await;
    }

    /// The user denies, sees a page that says so, and logs in after all.
    pub(crate) async fn refuse(&self, browser: &Browser, demo: &Running) {
        self.begin(browser, demo).await;
        sign_in(browser).await;
        decide(browser, "deny").await;
        element(browser, "//h1").await;
        browser.wait_until_at(&demo.website).await;
        browser.keep("1-denied").await;
        assert!(browser.find_all(By::Tag("img")).await.unwrap().is_empty());

        browser.goto(format!("{}/dance", demo.website)).await.unwrap();
        for said in ["You say no", self.refusal] {
            element(browser, &format!("//strong[contains(., '{said}')]")).await;
        }
        let page = browser.source().await.unwrap();
        assert!(!page.contains(self.issued), "nothing was issued");
        browser.keep_whole("2-drawing").await;

        browser.goto(format!("{}{}", demo.website, self.prints)).await.unwrap();
        self.agree(browser, demo).await;
    }
}
