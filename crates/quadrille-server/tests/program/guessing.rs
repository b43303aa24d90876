//! Guessing at passwords, and the person whose password it is.

use std::time::{Duration, Instant};

use reqwest::StatusCode;

use crate::{
    browser::Browser,
    flow::{PASSWORD, Stage},
    process::Program,
};

/// What is promised: "within seconds".
const SECONDS: Duration = Duration::from_secs(15);

/// Guesses at a name, one after the other or all at once; how many were looked at.
async fn guess(stage: &Stage, name: &str, addresses: &[String], each: usize) -> usize {
    let mut guessers = tokio::task::JoinSet::new();
    for address in addresses {
        for _ in 0..each {
            let (browser, name) = (Browser::at(address), name.to_owned());
            let url = stage.program.url("/sign-in");
            guessers.spawn(async move {
                let page = browser.get(&url).await;
                browser.sign_in(&page, &name, "wrong password").await.status
            });
        }
    }
    let all = guessers.join_all().await;
    all.iter().filter(|status| **status == StatusCode::FORBIDDEN).count()
}

#[expect(clippy::disallowed_methods, reason = "the time that a person waits is what is measured")]
fn watch() -> Instant {
    Instant::now()
}

/// Signs in, in time.
async fn gets_in(program: &Program, browser: &Browser) {
    let began = watch();
    let page = browser.get(&program.url("/sign-in")).await;
    let page = browser.sign_in(&page, "ada", PASSWORD).await;
    assert_eq!((page.status, page.url.path()), (StatusCode::OK, "/"), "{}", page.html);
    assert!(began.elapsed() < SECONDS, "{:?}", began.elapsed());
}

fn proxied() -> Stage {
    Stage::with(&["--trusted-proxy", "127.0.0.1"])
}

fn addresses(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("198.51.{}.{}", n / 250, n % 250 + 1)).collect()
}

#[tokio::test]
async fn guesses_from_everywhere_do_not_lock_the_person_out_not_even_over_a_restart() {
    let stage = proxied();
    assert_eq!(guess(&stage, "ada", &addresses(14), 10).await, 140);
    gets_in(&stage.program, &Browser::at("192.0.2.1")).await;

    let Stage { program, folder, .. } = stage;
    let issuer = program.listening.clone();
    program.stop();
    let program =
        Program::start_with(&folder, &["--listen", &issuer, "--trusted-proxy", "127.0.0.1"]);
    let began = watch();
    gets_in(&program, &Browser::at("192.0.2.2")).await;
    assert!(began.elapsed() > Duration::from_secs(2), "what was counted still counts");
}

#[tokio::test]
async fn guesses_from_the_persons_own_address_do_not_lock_them_out() {
    let stage = Stage::new();
    let guesser = Browser::new();
    let mut page = guesser.get(&stage.program.url("/sign-in")).await;
    for _ in 0..12 {
        page = guesser.sign_in(&page, "ada", "wrong password").await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
    }
    gets_in(&stage.program, &Browser::new()).await;
}

#[tokio::test]
async fn a_flood_that_fills_every_seat_does_not_touch_a_browser_that_is_known() {
    let stage = proxied();
    let home = Browser::at("192.0.2.1");
    gets_in(&stage.program, &home).await;
    let mut page = home.get(&stage.program.url("/")).await.form("form");
    page.action = stage.program.url("/sign-out").parse().unwrap();
    home.submit(&page).await;
    assert!(home.cookie("device").is_some() && home.cookie("session").is_none());

    // At the same address, too.
    let flood = ["192.0.2.1".to_owned()];
    let (looked_at, ()) = tokio::join!(guess(&stage, "ada", &flood, 60), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        gets_in(&stage.program, &home).await;
    });
    assert!(looked_at <= 15, "{looked_at} of 60 guesses at once were looked at");
}

#[tokio::test]
async fn a_stolen_device_cookie_is_good_for_ten_guesses() {
    let stage = proxied();
    let (home, thief) = (Browser::at("192.0.2.1"), Browser::at("203.0.113.7"));
    gets_in(&stage.program, &home).await;
    thief.keep(home.cookie("device").unwrap());
    let page = thief.get(&stage.program.url("/sign-in")).await;
    assert!(page.html.contains("name=\"password\""), "it opens nothing");
    let mut guesses = tokio::task::JoinSet::new();
    let thief = std::sync::Arc::new(thief);
    let form = page.form("username").with("username", "ada").with("password", "wrong password");
    for _ in 0..60 {
        let (thief, form) = (thief.clone(), form.clone());
        guesses.spawn(async move { thief.submit(&form).await.status });
    }
    let statuses = guesses.join_all().await;
    let looked_at = statuses.iter().filter(|status| **status == StatusCode::FORBIDDEN).count();
    assert!((20..=30).contains(&looked_at), "{looked_at} of 60 guesses at once were looked at");
    // For the owner it was one of several.
    home.cookies.lock().unwrap().retain(|name, _| name.contains("device"));
    gets_in(&stage.program, &home).await;
}

#[tokio::test]
async fn a_network_of_ipv6_is_one_guesser_whatever_address_it_takes() {
    let stage = proxied();
    let one: Vec<_> = (0..40).map(|n| format!("2001:db8:0:7::{n:x}")).collect();
    let looked_at = guess(&stage, "ada", &one, 1).await;
    assert!(looked_at <= 15, "{looked_at} of 40 guesses at once were looked at");
    gets_in(&stage.program, &Browser::at("2001:db8:0:8::1")).await;
}

#[tokio::test]
async fn a_network_that_tries_every_name_makes_its_people_wait_and_no_more() {
    let stage = proxied();
    let office = ["192.0.2.1".to_owned()];
    for n in 0..11 {
        assert_eq!(guess(&stage, &format!("name {n}"), &office, 10).await, 10);
    }
    gets_in(&stage.program, &Browser::at("192.0.2.1")).await;
}

#[tokio::test]
async fn what_happened_to_an_account_is_in_the_log_and_what_was_typed_by_mistake_is_not() {
    let stage = proxied();
    let browser = Browser::at("192.0.2.1");
    let page = browser.get(&stage.program.url("/sign-in")).await;
    browser.sign_in(&page, "ada", "wrong password").await;
    browser.sign_in(&page, "typed my passw0rd here", "wrong password").await;
    stage.dance(&browser).await;
    let log = stage.program.log();
    let audit: Vec<_> = log.lines().filter(|line| line.contains("audit")).collect();
    for (event, account) in [
        ("sign_in_failed", true),
        ("sign_in_failed", false),
        ("sign_in", true),
        ("consent_given", true),
    ] {
        let found = audit.iter().any(|line| {
            line.contains(&format!("event=\"{event}\""))
                && line.contains("address=192.0.2.1")
                && line.contains("account=\"Ada\"") == account
        });
        assert!(found, "{event} {account}: {audit:#?}");
    }
    assert!(!log.contains("passw0rd"), "{log}");
}
