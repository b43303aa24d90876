//! The last page: complete, and usable by keyboard, on a phone, in the dark and on paper.

use serde_json::json;
use thirtyfour::prelude::*;

use crate::support::{Browser, Colors, element};

/// Checks that the page has these chapters, no step without words, and no secret that the browser
/// knows. Returns its source.
pub(crate) async fn shows(browser: &Browser, chapters: &[&str]) -> String {
    let page = browser.source().await.unwrap();
    for chapter in chapters {
        assert!(page.contains(chapter), "{chapter} is missing");
    }
    assert!(!page.contains("Something else"), "a step has no words");
    assert!(!page.contains(quadrille_demo::PASSWORD), "the password is on the page");
    for cookie in browser.get_all_cookies().await.unwrap() {
        assert!(!page.contains(&cookie.value), "{} is on the page", cookie.name);
    }
    page
}

/// Opens the first arrow with this label by keyboard. Returns the text below it.
pub(crate) async fn opens(browser: &Browser, label: &str) -> String {
    let opened = turns(browser, label).await;
    opened.wait_until().displayed().await.unwrap();
    opened.text().await.unwrap()
}

/// Closes that arrow again.
pub(crate) async fn closes(browser: &Browser, label: &str) {
    turns(browser, label).await.wait_until().not_displayed().await.unwrap();
}

async fn turns(browser: &Browser, label: &str) -> WebElement {
    let arrow = element(browser, &format!("//details[.//code[contains(., '{label}')]]")).await;
    let summary = arrow.find(By::Tag("summary")).await.unwrap();
    summary.send_keys(Key::Enter + "").await.unwrap();
    arrow.find(By::ClassName("panel")).await.unwrap()
}

/// Follows a value: arrows without the value, more of them than `least`, are dimmed.
pub(crate) async fn follows(browser: &Browser, kind: &str, least: u64) {
    assert_eq!(dimmed(browser).await, 0);
    let value = browser.find(By::Id(format!("f-{kind}"))).await.unwrap();
    value.send_keys(" ").await.unwrap();
    browser
        .cdp(
            "Emulation.setEmulatedMedia",
            json!({ "features": [{ "name": "prefers-reduced-motion", "value": "reduce" }] }),
        )
        .await;
    assert!(dimmed(browser).await > least);
}

/// Returns to following every value.
pub(crate) async fn follow_all(browser: &Browser) {
    browser.find(By::Id("f-all")).await.unwrap().send_keys(" ").await.unwrap();
    assert_eq!(dimmed(browser).await, 0);
}

async fn dimmed(browser: &Browser) -> u64 {
    let script = "return [...document.querySelectorAll('.step .tag')].filter(tag => getComputedStyle(tag).opacity < 1).length";
    browser.execute(script, vec![]).await.unwrap().json().as_u64().unwrap()
}

/// Keeps pictures of the page in all colors, on a phone and on paper, numbered from `first`. Checks
/// that the page is accessible, and no wider than the screen.
pub(crate) async fn looks_good_everywhere(browser: &Browser, first: u8) {
    for (colors, name) in Colors::ALL {
        browser.colors(colors).await;
        browser.keep_whole(&format!("{first}-{name}")).await;
        browser.is_accessible(name).await;
    }
    browser.colors(Colors::Light).await;
    for width in [360, 820, 1280] {
        browser.width(width, 900).await;
        browser.fits(width).await;
    }
    browser.width(390, 844).await;
    browser.keep_whole(&format!("{}-phone", first + 1)).await;
    browser.is_accessible("on a phone").await;
    browser.width(800, 1100).await;
    browser.cdp("Emulation.setEmulatedMedia", json!({ "media": "print" })).await;
    browser.keep_whole(&format!("{}-paper", first + 2)).await;
    browser.cdp("Emulation.setEmulatedMedia", json!({ "media": "" })).await;
    browser.width(0, 0).await;
    let printed = browser.cdp("Page.printToPDF", json!({ "printBackground": true })).await;
    assert!(printed["data"].as_str().unwrap().len() > 50_000, "a drawing on paper");
}
