use std::time::Duration;

use http::StatusCode;
use quadrille::{KeyRing, transport::Purpose};

use crate::support::{Browser, World, pages};

#[tokio::test]
async fn twenty_tabs_opened_at_once_finish_in_any_order() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    // None of them sees another's cookie: they leave before any answer is there.
    let mut tabs = Vec::new();
    for tab in 0..20 {
        let mut first_visit = Browser::new(browser.app.clone());
        let away = first_visit.go(&format!("/album?tab={tab}")).await;
        browser.cookies.append(&mut first_visit.cookies);
        tabs.push((tab, away.location().to_owned()));
    }
    assert_eq!(browser.cookies.len(), 20);
    assert!(browser.cookie_header().len() < 2048, "{} bytes", browser.cookie_header().len());
    tabs.sort_by_key(|(tab, _)| (tab * 7) % 20);
    for (tab, url) in tabs {
        let query = world.service.consent(&url, 7).unwrap();
        let back = browser.visit(&format!("/login/github/authorized?{query}")).await;
        assert_eq!(back.refresh(), Some(&*format!("/album?tab={tab}")), "{back:?}");
    }
    assert_eq!(browser.go("/album").await.text, "You are user-7");
    assert!(
        !browser.cookies.keys().any(|name| name.contains("try-")),
        "attempts that are over leave no cookie: {:?}",
        browser.cookies.keys()
    );
}

#[tokio::test]
async fn logins_that_are_never_finished_do_not_pile_up() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    let mut last = String::new();
    for _ in 0..100 {
        world.wait(Duration::from_secs(1));
        last = browser.visit("/login/github").await.location().to_owned();
    }
    assert!(browser.cookie_header().len() < 2048, "{} bytes", browser.cookie_header().len());
    let query = world.service.consent(&last, 7).unwrap();
    let back = browser.visit(&format!("/login/github/authorized?{query}")).await;
    assert_eq!(back.refresh(), Some("/"), "the newest is kept");
}

#[tokio::test]
async fn an_answer_without_its_cookie_changes_nothing_and_offers_another_try() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    let away = browser.go("/album").await;
    let query = world.service.consent(away.location(), 7).unwrap();
    browser.cookies.clear();
    let page = browser.visit(&format!("/login/github/authorized?{query}")).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    assert!(page.has_code("attempt_cookie_missing"));
    assert!(page.text.contains("/login/github?next=%2Falbum"), "{}", page.text);
    assert_eq!(world.service.times_asked(Purpose::RedeemCode), 0, "the code was not burnt");
}

#[tokio::test]
async fn another_browsers_answer_is_worth_nothing() {
    let world = World::new();
    let app = world.login().attach(pages());
    let mut mallory = Browser::new(app.clone());
    let away = mallory.visit("/login/github").await;
    let query = world.service.consent(away.location(), 666).unwrap();
    let mut alice = Browser::new(app);
    alice.visit("/login/github").await;
    let page = alice.visit(&format!("/login/github/authorized?{query}")).await;
    assert!(page.has_code("attempt_cookie_missing"), "{page:?}");
    assert_eq!(alice.visit("/maybe").await.text, "nobody");
    // And Mallory's own is still good.
    let back = mallory.visit(&format!("/login/github/authorized?{query}")).await;
    assert_eq!(back.refresh(), Some("/"));
}

#[tokio::test]
async fn an_attempt_lasts_an_hour() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    for (minutes, good) in [(59, true), (61, false)] {
        let away = browser.visit("/login/github").await;
        world.wait(Duration::from_secs(minutes * 60));
        let query = world.service.consent(away.location(), 7).unwrap();
        let page = browser.visit(&format!("/login/github/authorized?{query}")).await;
        assert_eq!(page.refresh().is_some(), good, "{page:?}");
        assert_eq!(page.has_code("attempt_expired"), !good);
    }
}

#[tokio::test]
async fn keys_can_be_turned_while_visitors_are_away() {
    let world = World::new();
    let (old, new) = ([1; 32], [2; 32]);
    let before = world.login_with(KeyRing::new([&old]).unwrap());
    let after = world.login_with(KeyRing::new([&new, &old]).unwrap());
    let much_later = world.login_with(KeyRing::new([&new]).unwrap());
    let mut browser = Browser::new(before.attach(pages()));
    let away = browser.visit("/login/github").await.location().to_owned();
    let query = world.service.consent(&away, 7).unwrap();
    let callback = format!("/login/github/authorized?{query}");
    browser.app = much_later.attach(pages());
    assert!(browser.visit(&callback).await.has_code("attempt_expired"));
    browser.app = after.attach(pages());
    assert_eq!(browser.go(&callback).await.text, "You are user-7");
    // What was sealed under the old key opens as long as it is in the ring; after that it is an
    // error for whoever runs the site, not a visitor without an account.
    browser.app = before.attach(pages());
    browser.log_in(&world.service, "/login/github", 8).await;
    browser.app = after.attach(pages());
    assert_eq!(browser.visit("/maybe").await.text, "number 8");
    browser.app = much_later.attach(pages());
    let page = browser.visit("/maybe").await;
    assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(page.has_code("key_unknown"));
}

#[tokio::test]
async fn the_back_button_after_a_login_leads_on() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    let away = browser.go("/album").await;
    let query = world.service.consent(away.location(), 7).unwrap();
    let callback = format!("/login/github/authorized?{query}");
    browser.visit(&callback).await;
    let again = browser.visit(&callback).await;
    assert_eq!(again.location(), "/album", "{again:?}");
    assert_eq!(world.service.times_asked(Purpose::RedeemCode), 1, "a code is redeemed once");
}

fn state_of(url: &str) -> String {
    let url = url::Url::parse(url).unwrap();
    let state = url.query_pairs().find(|(name, _)| name == "state").unwrap();
    state.1.into_owned()
}

#[tokio::test]
async fn state_fits_into_250_characters_however_long_the_page_is() {
    let world = World::new();
    for length in [0, 1, 20, 60, 80, 90, 100, 200, 500, 1000] {
        let mut browser = Browser::new(world.login().attach(pages()));
        let page = format!("/album?{}", "x".repeat(length));
        let away = browser.go(&page).await.location().to_owned();
        let state = state_of(&away);
        assert!(state.len() < 250, "{length}: {} characters", state.len());
        assert!(browser.cookie_header().len() < 2048, "{length}");
        let query = world.service.consent(&away, 7).unwrap();
        let back = browser.visit(&format!("/login/github/authorized?{query}")).await;
        assert_eq!(back.refresh(), Some(&*page), "{length}: {back:?}");
        let left: Vec<_> = browser.cookies.keys().filter(|name| !name.contains("token")).collect();
        assert!(
            !left.iter().any(|name| name.contains("try-") || name.contains("page-")),
            "an attempt that is over leaves nothing: {left:?}"
        );
    }
}

#[tokio::test]
async fn tabs_with_long_pages_all_finish_and_the_newest_come_back_to_theirs() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    let page = |tab: u64| format!("/album?tab={tab}&{}", "x".repeat(600));
    let mut tabs = Vec::new();
    for tab in 0..10 {
        world.wait(Duration::from_secs(1));
        tabs.push((tab, browser.go(&page(tab)).await.location().to_owned()));
        assert!(browser.cookie_header().len() < 4096, "{}", browser.cookie_header().len());
    }
    for (tab, url) in tabs {
        let query = world.service.consent(&url, 7).unwrap();
        let back = browser.visit(&format!("/login/github/authorized?{query}")).await;
        let expected = if tab < 8 { "/".to_owned() } else { page(tab) };
        assert_eq!(back.refresh(), Some(&*expected), "{tab}: {back:?}");
    }
}

#[tokio::test]
async fn the_rest_of_one_attempt_is_no_rest_of_another() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    let page = |name: &str| format!("/album?{name}{}", "x".repeat(300));
    let first = browser.go(&page("first")).await.location().to_owned();
    let names = |browser: &Browser| {
        let names = browser.cookies.keys().filter(|name| name.contains("page-"));
        names.cloned().collect::<Vec<_>>()
    };
    let of_first = names(&browser).remove(0);
    let second = browser.go(&page("second")).await.location().to_owned();
    let of_second = names(&browser).into_iter().find(|name| *name != of_first).unwrap();
    let swapped = browser.cookies[&of_second].clone();
    browser.cookies.insert(of_first, swapped);
    let query = world.service.consent(&first, 7).unwrap();
    let back = browser.visit(&format!("/login/github/authorized?{query}")).await;
    assert_eq!(back.refresh(), Some("/"), "{back:?}");
    let query = world.service.consent(&second, 7).unwrap();
    let back = browser.visit(&format!("/login/github/authorized?{query}")).await;
    assert_eq!(back.refresh(), Some(&*page("second")), "{back:?}");
}
