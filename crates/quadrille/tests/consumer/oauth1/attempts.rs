use std::time::Duration;

use http::StatusCode;
use quadrille::{KeyRing, transport::Purpose};

use super::{World, client, come_back, leave, log_in, pages};
use crate::support::Browser;

fn attempts(browser: &Browser) -> usize {
    browser.cookies.keys().filter(|name| name.contains("try1-")).count()
}

#[tokio::test]
async fn of_twenty_tabs_the_last_eight_finish_in_any_order_and_the_others_have_a_way_on() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    let mut tabs = Vec::new();
    for tab in 0..20 {
        world.wait(Duration::from_secs(1));
        tabs.push((tab, leave(&mut browser, &format!("/album?tab={tab}")).await));
        assert!(attempts(&browser) <= 8);
    }
    assert!(browser.cookie_header().len() < 4096, "{} bytes", browser.cookie_header().len());
    tabs.sort_by_key(|(tab, _)| (tab * 7) % 20);
    for (tab, url) in tabs {
        let query = world.service.consent(&url, 7).unwrap();
        let back = come_back(&mut browser, &query).await;
        if tab < 12 {
            assert_eq!(back.status, StatusCode::BAD_REQUEST, "{tab}: {back:?}");
            assert!(back.has_code("attempt_cookie_missing"), "{}", back.text);
            assert!(back.text.contains("href=\"/login/library\""), "a way on: {}", back.text);
        } else {
            assert_eq!(back.refresh(), Some(&*format!("/album?tab={tab}")), "{back:?}");
        }
    }
    assert_eq!(browser.go("/album").await.text, "You are user-7");
    assert_eq!(attempts(&browser), 0, "attempts that are over leave no cookie");
}

#[tokio::test]
async fn tabs_that_open_at_once_do_not_see_each_other_and_all_finish() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    let mut tabs = Vec::new();
    for tab in 0..20 {
        let mut first_visit = Browser::new(browser.app.clone());
        tabs.push((tab, leave(&mut first_visit, &format!("/album?tab={tab}")).await));
        browser.cookies.append(&mut first_visit.cookies);
    }
    for (tab, url) in tabs.into_iter().rev() {
        let query = world.service.consent(&url, 7).unwrap();
        let back = come_back(&mut browser, &query).await;
        assert_eq!(back.refresh(), Some(&*format!("/album?tab={tab}")), "{back:?}");
    }
}

#[tokio::test]
async fn pages_with_long_addresses_leave_room_for_fewer_attempts() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    let long = "x".repeat(900);
    let mut last = String::new();
    for _ in 0..20 {
        world.wait(Duration::from_secs(1));
        last = leave(&mut browser, &format!("/album?q={long}")).await;
        assert!(browser.cookie_header().len() < 4200, "{} bytes", browser.cookie_header().len());
    }
    let query = world.service.consent(&last, 7).unwrap();
    let back = come_back(&mut browser, &query).await;
    assert_eq!(back.refresh(), Some(&*format!("/album?q={long}")), "the newest is kept");
}

#[tokio::test]
async fn another_browsers_answer_has_no_effect() {
    let world = World::new();
    let app = world.login().attach(pages());
    let mut mallory = Browser::new(app.clone());
    let url = leave(&mut mallory, "/login/library").await;
    let query = world.service.consent(&url, 666).unwrap();
    let mut alice = Browser::new(app);
    leave(&mut alice, "/login/library").await;
    let before = alice.cookies.clone();
    let page = come_back(&mut alice, &query).await;
    assert!(page.has_code("attempt_cookie_missing"), "{page:?}");
    assert_eq!(alice.cookies, before);
    // Not even a denial.
    let denial = query.replace("oauth_verifier", "oauth_problem=user_refused&x");
    assert!(come_back(&mut alice, &denial).await.has_code("attempt_cookie_missing"));
    assert_eq!(alice.cookies, before);
    assert_eq!(world.service.times_asked(Purpose::RedeemCode), 0);
    assert_eq!(come_back(&mut mallory, &query).await.refresh(), Some("/"), "hers is still good");
}

#[tokio::test]
async fn a_stolen_cookie_name_or_a_changed_cookie_opens_nothing() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    let url = leave(&mut browser, "/login/library").await;
    let query = world.service.consent(&url, 7).unwrap();
    let (name, value) = browser.cookies.pop_first().unwrap();
    for index in (0..value.len()).step_by(7) {
        let mut bytes = value.clone().into_bytes();
        bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
        browser.cookies.insert(name.clone(), String::from_utf8(bytes).unwrap());
        let page = come_back(&mut browser, &query).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "byte {index}: {page:?}");
    }
    // Under another mount and site, the same cookie is none.
    let elsewhere = world.login().at("/other");
    browser.app = elsewhere.attach(pages());
    browser.cookies.insert(name.replace("quadrille-", "quadrille-_2fother-"), value.clone());
    let page = browser.visit(&format!("/other/library/authorized?{query}")).await;
    assert!(
        page.has_code("attempt_cookie_missing") || page.has_code("attempt_expired"),
        "{page:?}"
    );
    assert_eq!(world.service.times_asked(Purpose::RedeemCode), 0);
}

#[tokio::test]
async fn broken_callbacks_are_refused_and_burn_nothing() {
    let world = World::new();
    let second = client().named("second");
    let login = world.login().with(second);
    let mut browser = Browser::new(login.attach(pages()));
    let url = leave(&mut browser, "/album").await;
    let good = world.service.consent(&url, 7).unwrap();
    let (token, verifier) = good.split_once('&').unwrap();
    let long = "x".repeat(60_000);
    for (query, code) in [
        ("", "state_unknown"),
        ("oauth_verifier=x", "state_unknown"),
        ("oauth_token=&oauth_verifier=x", "state_unknown"),
        ("oauth_problem=user_refused", "state_unknown"),
        ("oauth_token=made-up&oauth_verifier=x", "attempt_cookie_missing"),
        ("denied=made-up", "attempt_cookie_missing"),
        (&*format!("{token}x&{verifier}"), "attempt_cookie_missing"),
        (&*format!("{token}&{token}&{verifier}"), "callback_malformed"),
        (&*format!("{token}&{verifier}&{verifier}"), "callback_malformed"),
        (&*format!("{token}&oauth_verifier=%zz"), "callback_malformed"),
        (&*format!("{token}&oauth_verifier=%ff"), "callback_malformed"),
        (&*format!("{token}&oauth_verifier=%00"), "callback_malformed"),
        (&*format!("{token}&oauth_verifier={long}"), "callback_malformed"),
    ] {
        let page = come_back(&mut browser, query).await;
        let shown = &query[..query.len().min(80)];
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{shown}: {page:?}");
        assert!(page.has_code(code), "{shown} is not {code}: {}", page.text);
        assert!(page.text.contains("Back to the site"), "{shown}");
    }
    let page = browser.visit(&format!("/login/second/authorized?{good}")).await;
    assert!(page.has_code("state_unknown"), "another service's: {page:?}");
    assert_eq!(world.service.times_asked(Purpose::RedeemCode), 0);
    let back = come_back(&mut browser, &good).await;
    assert_eq!(back.refresh(), Some("/album"), "the true answer is still good: {back:?}");
}

#[tokio::test]
async fn an_attempt_lasts_an_hour() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    for (minutes, good) in [(59, true), (61, false)] {
        let url = leave(&mut browser, "/login/library").await;
        world.wait(Duration::from_secs(minutes * 60));
        let query = world.service.consent(&url, 7).unwrap();
        let page = come_back(&mut browser, &query).await;
        assert_eq!(page.refresh().is_some(), good, "{page:?}");
        assert_eq!(page.has_code("attempt_expired"), !good);
    }
}

#[tokio::test]
async fn keys_can_be_turned_while_visitors_are_away() {
    let world = World::new();
    let (old, new) = ([1; 32], [2; 32]);
    let login = |keys: &[&[u8; 32]]| {
        world.login_with(KeyRing::new(keys.iter().copied()).unwrap(), client())
    };
    let mut browser = Browser::new(login(&[&old]).attach(pages()));
    let url = leave(&mut browser, "/login/library").await;
    let query = world.service.consent(&url, 7).unwrap();
    browser.app = login(&[&new]).attach(pages());
    assert!(come_back(&mut browser, &query).await.has_code("attempt_expired"));
    browser.app = login(&[&new, &old]).attach(pages());
    assert_eq!(come_back(&mut browser, &query).await.refresh(), Some("/"));
}

#[tokio::test]
async fn the_back_button_after_a_login_leads_on() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    let url = leave(&mut browser, "/album").await;
    let query = world.service.consent(&url, 7).unwrap();
    come_back(&mut browser, &query).await;
    let again = come_back(&mut browser, &query).await;
    assert_eq!(again.location(), "/album", "{again:?}");
    assert_eq!(world.service.times_asked(Purpose::RedeemCode), 1, "a verifier is redeemed once");
    world.wait(Duration::from_secs(60));
    assert!(come_back(&mut browser, &query).await.has_code("attempt_cookie_missing"));
    log_in(&world, &mut browser, "/login/library", 7).await;
}

#[tokio::test]
async fn a_repeated_token_or_verifier_is_refused_and_what_nobody_reads_does_not_matter() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    let url = leave(&mut browser, "/album").await;
    let good = world.service.consent(&url, 7).unwrap();
    let (token, verifier) = good.split_once('&').unwrap();
    for query in [
        format!("{token}&{token}&{verifier}"),
        format!("{token}&{verifier}&{verifier}"),
        format!("oauth_token=other&{token}&{verifier}"),
        format!("{token}&{verifier}&oauth%5Ftoken=other"),
        format!("{token}&{verifier}&oauth_problem=a&oauth_problem=b"),
    ] {
        let page = come_back(&mut browser, &query).await;
        assert!(page.has_code("callback_malformed"), "{query}: {page:?}");
    }
    assert_eq!(world.service.times_asked(Purpose::RedeemCode), 0);
    let odd = format!("utm=100%&x=%ff&x=1&{token}&{verifier}&oauth_problem=");
    assert_eq!(come_back(&mut browser, &odd).await.refresh(), Some("/album"));
}
