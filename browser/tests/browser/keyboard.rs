//! Pages by the keyboard alone: each control in the order in which it is read, with a ring around it, and
//! none that keeps the keyboard.

use quadrille_demo::{PASSWORD, USER};
use serde_json::Value;
use thirtyfour::prelude::*;
use tokio::time::timeout;

use crate::support::{Browser, PATIENCE, Provider, Site, element, heading, in_a_browser};

/// The control that has the keyboard, `null` without one; whether a ring of two pixels at least is around it,
/// and whether it is within the window.
const HERE: &str = "
    const control = document.activeElement;
    if (!control || control === document.body) return null;
    const style = getComputedStyle(control), box = control.getBoundingClientRect();
    return {
        name: control.labels?.[0]?.innerText || control.getAttribute('aria-label') || control.innerText.trim(),
        at: [...document.querySelectorAll('*')].indexOf(control),
        ring: control.matches(':focus-visible') && style.outlineStyle !== 'none'
            && parseFloat(style.outlineWidth) >= 2,
        seen: box.top >= 0 && box.left >= 0 && box.bottom <= innerHeight + 1 && box.right <= innerWidth + 1,
    };";

/// The places of all controls in the page, in the order in which they are read.
const CONTROLS: &str = "
    const all = [...document.querySelectorAll('*')];
    return all.filter(one => one.matches('a[href], button, select, input:not([type=hidden])')
        && one.checkVisibility() && !one.disabled).map(one => all.indexOf(one));";

/// Puts the keyboard before the first control.
const BEGIN: &str = "
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute('tabindex');
    window.scrollTo(0, 0);";

async fn key(browser: &Browser, keys: impl Into<TypingData>) {
    let typed = browser.action_chain().send_keys(keys).perform().await;
    // The driver looks for the control once more, when the next page is there already.
    if let Err(error) = typed
        && !error.to_string().contains("aborted by navigation")
    {
        panic!("{error}");
    }
}

/// Waits until the address begins with this.
async fn arrive(browser: &Browser, begins: &str) {
    let arrived = timeout(PATIENCE, async { while !browser.place().await.starts_with(begins) {} });
    assert!(arrived.await.is_ok(), "still at {}", browser.place().await);
}

/// Moves back to the control before.
async fn back(browser: &Browser) {
    let keys = browser.action_chain().key_down(Key::Shift).send_keys(Key::Tab + "");
    keys.key_up(Key::Shift).perform().await.unwrap();
}

async fn here(browser: &Browser) -> Value {
    browser.execute(HERE, vec![]).await.unwrap().json().clone()
}

/// The name of the control that has the keyboard.
async fn name(browser: &Browser) -> String {
    here(browser).await["name"].as_str().unwrap_or_default().to_owned()
}

/// Walks through the page with the key Tab, and back with Shift. Returns the names of the controls.
async fn walk(browser: &Browser) -> Vec<String> {
    let controls = browser.execute(CONTROLS, vec![]).await.unwrap().json().clone();
    let controls = controls.as_array().unwrap();
    browser.execute(BEGIN, vec![]).await.unwrap();
    let mut names = Vec::new();
    for control in controls {
        key(browser, Key::Tab + "").await;
        let here = here(browser).await;
        assert_eq!(here["at"], *control, "{}: {here}", browser.place().await);
        for what in ["ring", "seen"] {
            assert_eq!(here[what], Value::Bool(true), "{what}: {here}");
        }
        names.push(here["name"].as_str().unwrap().to_owned());
    }
    // The last one lets go of the keyboard.
    key(browser, Key::Tab + "").await;
    let after = here(browser).await;
    let last = controls.last().unwrap();
    assert_ne!(after["at"], *last, "{after}");
    back(browser).await;
    assert_eq!(here(browser).await["at"], *last, "back again");
    names
}

/// Moves on to the control of this name.
async fn tab_to(browser: &Browser, wanted: &str) {
    for _ in 0..60 {
        if name(browser).await == wanted {
            return;
        }
        key(browser, Key::Tab + "").await;
    }
    panic!("{wanted} is not reached at {}", browser.place().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_signs_in_and_answers_by_the_keyboard_alone() {
    in_a_browser("keyboard", async |browser| {
        let provider = Provider::start(&[]);
        let callback = Site::blank().await;
        let client = provider.add("Album", &callback.far("/callback"), &[]);
        let question = client.question_for("photos:read photos:write");
        browser.goto(&question).await.unwrap();
        heading(browser, "Sign in").await;
        assert_eq!(name(browser).await, "User name", "there one begins");
        assert_eq!(walk(browser).await[1..], ["User name", "Password", "Sign in"]);

        tab_to(browser, "User name").await;
        key(browser, USER).await;
        key(browser, Key::Tab + "").await;
        key(browser, PASSWORD).await;
        key(browser, Key::Enter + "").await;
        heading(browser, "asks for access to your account").await;
        let names = walk(browser).await;
        let see = names.iter().position(|name| name.starts_with("See your photos")).unwrap();
        assert!(names[see + 1].starts_with("Add photos"), "{names:?}");
        assert_eq!(names[see + 2..see + 4], ["Allow", "Deny"], "{names:?}");

        let add = names[see + 1].clone();
        tab_to(browser, &add).await;
        let ticked = "return document.activeElement.checked";
        let is_ticked = async || browser.execute(ticked, vec![]).await.unwrap().json().clone();
        assert_eq!(is_ticked().await, Value::Bool(true));
        key(browser, " ").await;
        assert_eq!(is_ticked().await, Value::Bool(false));
        back(browser).await;
        assert!(name(browser).await.starts_with("See your photos"));
        tab_to(browser, "Allow").await;
        key(browser, Key::Enter + "").await;
        arrive(browser, &callback.far("/callback?code=")).await;

        // Space presses a button, too.
        browser.goto(&format!("{question}&prompt=consent")).await.unwrap();
        element(browser, "//button[@value='deny']").await;
        tab_to(browser, "Deny").await;
        key(browser, " ").await;
        arrive(browser, &callback.far("/callback?error=access_denied")).await;

        browser.goto(provider.url("/")).await.unwrap();
        heading(browser, "Your applications").await;
        let names = walk(browser).await;
        for wanted in ["Sign out", "Withdraw access of Album", "Change your password"] {
            assert!(names.iter().any(|name| name == wanted), "{wanted}: {names:?}");
        }
        tab_to(browser, "Withdraw access of Album").await;
        key(browser, " ").await;
        heading(browser, "Withdraw the access of").await;
        assert_eq!(walk(browser).await[1..], ["Withdraw", "Keep it"]);
        tab_to(browser, "Keep it").await;
        key(browser, Key::Enter + "").await;
        heading(browser, "Your applications").await;
        tab_to(browser, "Change your password").await;
        key(browser, " ").await;
        heading(browser, "Change your password").await;
        assert_eq!(name(browser).await, "Your password until now");
        let fields = ["Your password until now", "New password", "New password, once more"];
        assert_eq!(walk(browser).await[1..4], fields);
        tab_to(browser, "Cancel").await;
        key(browser, Key::Enter + "").await;
        heading(browser, "Your applications").await;
        tab_to(browser, "Sign out").await;
        key(browser, Key::Enter + "").await;
        heading(browser, "You are signed out").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_lets_a_device_in_by_the_keyboard_alone() {
    in_a_browser("keyboard-device", async |browser| {
        let provider = Provider::start(&["--device"]);
        let client = provider.add_device("Television");
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let begin = http.post(provider.url("/oauth/device_authorization"));
        let codes = begin.form(&[("client_id", &*client)]).send().await.unwrap();
        let codes: Value = codes.json().await.unwrap();
        browser.goto(provider.url("/device")).await.unwrap();
        heading(browser, "Sign in").await;
        key(browser, USER).await;
        key(browser, Key::Tab + "").await;
        key(browser, PASSWORD).await;
        key(browser, Key::Enter + "").await;
        heading(browser, "Connect a device").await;
        assert_eq!(name(browser).await, "Code", "there one begins");
        assert_eq!(walk(browser).await[1..3], ["Code", "Continue"]);
        tab_to(browser, "Code").await;
        key(browser, codes["user_code"].as_str().unwrap()).await;
        key(browser, Key::Enter + "").await;
        heading(browser, "asks for access to your account").await;
        walk(browser).await;
        tab_to(browser, "Allow").await;
        key(browser, " ").await;
        heading(browser, "has access").await;
    })
    .await;
}
