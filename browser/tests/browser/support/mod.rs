//! Browsers, the servers behind their pages, and steps on these pages.

pub(crate) mod apache;
mod axe;
mod browser;
mod client;
pub(crate) mod consumer;
pub(crate) mod databases;
pub(crate) mod described;
mod provider;
mod site;

/// The program as a child process, shared with its own tests.
#[path = "../../../../crates/quadrille-server/tests/program/process.rs"]
#[allow(dead_code, reason = "these tests need a part of it")]
mod process;

pub(crate) use browser::{Browser, Colors, is_violation};
pub(crate) use client::Client;
pub(crate) use process::{Folder, eventually};
pub(crate) use provider::{Provider, TO_THIS_MACHINE};
pub(crate) use quadrille_demo::{PASSWORD, USER};
pub(crate) use site::Site;

use std::{rc::Rc, time::Duration};

use thirtyfour::prelude::*;
use tokio::task::LocalSet;

/// The time limit for a page on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
const OFTEN: Duration = Duration::from_millis(25);

/// Runs a test in a browser: see [`in_browsers`].
pub(crate) async fn in_a_browser(name: &'static str, test: impl AsyncFnOnce(&Browser) + 'static) {
    in_browsers([name], async move |[browser]: [&Browser; 1]| test(browser).await).await;
}

/// Runs a test in browsers of these names. Afterwards, their logs must not contain a violation of a
/// Content-Security-Policy.
pub(crate) async fn in_browsers<const N: usize>(
    names: [&'static str; N],
    test: impl AsyncFnOnce([&Browser; N]) + 'static,
) {
    let mut browsers = Vec::new();
    for name in names {
        browsers.push(Browser::start(name).await);
    }
    let browsers: Rc<[Browser; N]> = Rc::new(browsers.try_into().ok().unwrap());
    let tasks = LocalSet::new();
    let outcome = tasks
        .run_until(async {
            let browsers = Rc::clone(&browsers);
            // The test runs in a task of its own, so the browsers are closed even if it fails.
            tokio::task::spawn_local(async move { test(browsers.each_ref()).await }).await
        })
        .await;
    drop(tasks);
    let browsers = Rc::into_inner(browsers).expect("the test has ended");
    let mut violations = Vec::new();
    for browser in browsers {
        if outcome.is_err() {
            browser.keep("failed").await;
            eprintln!("the browser was at {}", browser.place().await);
        }
        violations.extend(browser.quit().await);
    }
    if let Err(failed) = outcome {
        std::panic::resume_unwind(failed.into_panic());
    }
    assert!(violations.is_empty(), "the browser complains: {violations:#?}");
}

/// Waits until the page has this heading.
pub(crate) async fn heading(browser: &WebDriver, text: &str) {
    element(browser, &format!("//h1[contains(normalize-space(.), \"{text}\")]")).await;
}

/// Waits for the element that `xpath` selects.
pub(crate) async fn element(browser: &WebDriver, xpath: &str) -> WebElement {
    let found = browser.query(By::XPath(xpath)).wait(PATIENCE, OFTEN).first().await;
    match found {
        Ok(element) => element,
        Err(error) => {
            let text = match browser.find(By::Tag("body")).await {
                Ok(body) => body.text().await.unwrap_or_default(),
                Err(error) => error.to_string(),
            };
            let at = browser.current_url().await.map(String::from).unwrap_or_default();
            panic!("no {xpath} at {at} ({error}). The page says:\n{text}");
        }
    }
}

/// Presses the button, or follows the link, with this text.
pub(crate) async fn press(browser: &WebDriver, text: &str) {
    let xpath = format!("//*[self::button or self::a][contains(normalize-space(.), \"{text}\")]");
    click(&element(browser, &xpath).await).await;
}

/// Clicks an element that leads to another page, and waits until this page is gone: the next page
/// may have the same heading.
async fn click(leads_on: &WebElement) {
    leads_on.click().await.unwrap();
    leads_on.wait_until().wait(PATIENCE, OFTEN).stale().await.expect("another page");
}

/// Fills in the provider's sign-in form and sends it.
pub(crate) async fn sign_in(browser: &WebDriver) {
    send(&fill_in(browser, PASSWORD).await).await;
}

/// Sends the form that has this field, and waits for the next page.
pub(crate) async fn send(field: &WebElement) {
    field.send_keys(Key::Enter + "").await.unwrap();
    field.wait_until().wait(PATIENCE, OFTEN).stale().await.expect("another page");
}

/// Fills in the provider's sign-in form. Returns its last field.
pub(crate) async fn fill_in(browser: &WebDriver, password: &str) -> WebElement {
    let name = element(browser, "//input[@name='username']").await;
    name.clear().await.unwrap();
    name.send_keys(USER).await.unwrap();
    let field = element(browser, "//input[@name='password']").await;
    field.send_keys(password).await.unwrap();
    field
}

/// Waits for the consent page and answers it.
pub(crate) async fn decide(browser: &WebDriver, decision: &str) {
    let button = format!("//button[@name='decision'][@value='{decision}']");
    click(&element(browser, &button).await).await;
}
