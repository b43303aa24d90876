//! Session management (OpenID Connect Session Management 1.0).

use serde_json::Value;

use crate::{
    browser::{Browser, Page},
    flow::PASSWORD,
    process::{Folder, Program},
};

const ON: [&str; 4] = ["--set", "openid=true", "--set", "openid_session_management=true"];

/// The state that the frame of the provider reads.
fn state(browser: &Browser) -> Option<String> {
    browser.cookie("state").map(|(_, value)| value)
}

async fn sign_in(program: &Program, browser: &Browser, user: &str) -> Page {
    let page = browser.get(&program.url("/sign-in")).await;
    browser.sign_in(&page, user, PASSWORD).await
}

/// OpenID Connect Session Management, section 3.2: a sign-in, a sign-out and another user change the
/// state; another sign-in of the same user, in the same session, does not.
#[tokio::test]
async fn the_pages_change_the_state_of_the_browser_with_its_user() {
    let folder = Folder::new();
    let program = Program::start_with(&folder, &ON);
    program.add_user("ada", PASSWORD);
    program.add_user("bob", PASSWORD);
    let browser = Browser::new();
    sign_in(&program, &browser, "ada").await;
    let ada = state(&browser).unwrap();
    sign_in(&program, &browser, "ada").await;
    assert_eq!(state(&browser).as_ref(), Some(&ada));
    let home = sign_in(&program, &browser, "bob").await;
    let bob = state(&browser).unwrap();
    assert_ne!(bob, ada);
    let mut states = vec![ada, bob];
    let mut home = home;
    for way in ["/sign-out", "/sign-out/everywhere"] {
        let mut form = home.form("form");
        form.action = form.action.join(way).unwrap();
        browser.submit(&form).await;
        states.push(state(&browser).unwrap());
        home = sign_in(&program, &browser, "bob").await;
        states.push(state(&browser).unwrap());
    }
    states.sort_unstable();
    states.dedup();
    assert_eq!(states.len(), 6, "{states:?}");
}

/// OpenID Connect Session Management, section 3.3: by the setting alone.
#[tokio::test]
async fn the_frame_is_there_with_the_setting_alone() {
    let folder = Folder::new();
    let discovered = async |program: &Program| {
        let page = Browser::new().get(&program.url("/.well-known/openid-configuration")).await;
        serde_json::from_str::<Value>(&page.html).unwrap()
    };
    let program = Program::start_with(&folder, &ON[..2]);
    assert!(discovered(&program).await["check_session_iframe"].is_null());
    program.add_user("ada", PASSWORD);
    let browser = Browser::new();
    sign_in(&program, &browser, "ada").await;
    assert_eq!(state(&browser), None);
    program.stop();
    let program = Program::start_with(&folder, &ON);
    let frame = discovered(&program).await["check_session_iframe"].as_str().unwrap().to_owned();
    let page = browser.get(&frame).await;
    assert_eq!(page.status, 200);
    assert!(!page.header("content-security-policy").contains("frame-ancestors"));
}
