//! The consent page, its ticket, and the answers to it.

use std::time::Duration;

use quadrille::{
    KeyRing, Policy, Scopes,
    form::FormWriter,
    provider::{AuthorizationServer, Client, NewClient, store::MemoryStore},
};

use crate::support::{Answer, Browser, World};

async fn page(world: &World, browser: &mut Browser) -> Answer {
    world.ask(browser, &world.asking()).await
}

#[tokio::test]
async fn the_page_is_protected_and_lets_the_browser_go_back_to_the_client() {
    let world = World::new().await;
    world.sign_in("ada");
    let mut browser = Browser::default();
    let page = page(&world, &mut browser).await;
    let csp = page.header("content-security-policy");
    // Browsers would stop the application where it leads on, to another origin or into an app.
    assert!(!csp.contains("form-action"), "{csp}");
    assert!(csp.contains("frame-ancestors 'none'"));
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("x-frame-options"), "DENY");
    let cookie = page.header("set-cookie");
    assert!(cookie.starts_with("__Host-quadrille-id-ticket-"), "{cookie}");
    for attribute in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax", "; Max-Age=900"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
}

#[tokio::test]
async fn a_double_click_gets_the_same_redirect_and_one_code() {
    let world = World::new().await;
    world.sign_in("ada");
    let mut browser = Browser::default();
    let page = page(&world, &mut browser).await;
    let first = browser.answer(&world, &page, "decision=all").await;
    let second = browser.answer(&world, &page, "decision=all").await;
    assert_eq!(first.location(), second.location());
    let tokens = world.redeem(&first.query("code")).await.tokens();
    let third = browser.answer(&world, &page, "decision=all").await;
    assert_eq!((third.status(), third.reason()), (409, "ticket_answered"), "the code is spent");
    assert!(world.is_good(&tokens.access).await, "and what it bought lives");
}

#[tokio::test]
async fn another_answer_than_the_first_is_told_that_the_page_was_answered() {
    let world = World::new().await;
    world.sign_in("ada");
    let mut browser = Browser::default();
    let allowed = page(&world, &mut browser).await;
    browser.answer(&world, &allowed, "decision=all").await;
    for other in ["decision=deny", "decision=only&scope=photos:read"] {
        let answer = browser.answer(&world, &allowed, other).await;
        assert_eq!((answer.status(), answer.reason()), (409, "ticket_answered"), "{other}");
    }
    let mut asked = world.asking();
    asked.extra.push(("prompt".into(), "consent".into()));
    let denied = world.ask(&mut browser, &asked).await;
    let no = browser.answer(&world, &denied, "decision=deny").await;
    assert_eq!(no.query("error"), "access_denied");
    assert_eq!(no.query("state"), "xyz");
    let again = browser.answer(&world, &denied, "decision=deny").await;
    assert_eq!(no.location(), again.location());
    let yes = browser.answer(&world, &denied, "decision=all").await;
    assert_eq!(yes.reason(), "ticket_answered");
    let way_on = r#"<a class="button" href="/">Back to the site</a>"#;
    assert!(yes.text().contains(way_on), "{}", yes.text());
}

#[tokio::test]
async fn what_was_unticked_is_asked_for_again_though_it_was_granted_before() {
    let world = World::new().await;
    world.sign_in("ada");
    let mut browser = Browser::default();
    let first = page(&world, &mut browser).await;
    browser.answer(&world, &first, "decision=all").await;
    assert!(!page(&world, &mut browser).await.query("code").is_empty(), "consent is remembered");
    let mut asked = world.asking();
    asked.extra.push(("prompt".into(), "consent".into()));
    let second = world.ask(&mut browser, &asked).await;
    browser.answer(&world, &second, "decision=only&scope=photos:read").await;
    assert_eq!(page(&world, &mut browser).await.status(), 200, "one scope was taken back");
    let mut asked = world.asking();
    asked.scope = Some(Scopes::parse("photos:read").unwrap());
    let kept = world.ask(&mut browser, &asked).await;
    assert!(!kept.query("code").is_empty(), "the other one was not");
}

#[tokio::test]
async fn two_pages_for_different_scopes_are_both_remembered() {
    let world = World::new().await;
    world.sign_in("ada");
    let mut browser = Browser::default();
    let asked = |scope: &str| {
        let mut asked = world.asking();
        asked.scope = Some(Scopes::parse(scope).unwrap());
        asked
    };
    let read = world.ask(&mut browser, &asked("photos:read")).await;
    let write = world.ask(&mut browser, &asked("photos:write")).await;
    browser.answer(&world, &read, "decision=all").await;
    browser.answer(&world, &write, "decision=all").await;
    assert!(!page(&world, &mut browser).await.query("code").is_empty());
}

#[tokio::test]
async fn allowing_nothing_of_what_was_asked_for_is_a_no() {
    let world = World::new().await;
    world.sign_in("ada");
    let mut browser = Browser::default();
    let page = page(&world, &mut browser).await;
    let back = browser.answer(&world, &page, "decision=only&scope=admin").await;
    assert_eq!(back.query("error"), "access_denied");
}

#[tokio::test]
async fn nothing_that_was_not_asked_for_can_be_granted() {
    let world = World::new().await;
    world.sign_in("ada");
    let mut browser = Browser::default();
    let mut asked = world.asking();
    asked.scope = Some(Scopes::parse("photos:read").unwrap());
    let page = world.ask(&mut browser, &asked).await;
    let fields = "decision=only&scope=photos:read&scope=photos:write&scope=admin";
    let back = browser.answer(&world, &page, fields).await;
    assert_eq!(world.redeem(&back.query("code")).await.tokens().scope, "photos:read");
}

#[tokio::test]
async fn each_bad_ticket_has_its_own_reason() {
    let world = World::new().await;
    world.sign_in("ada");
    let mut browser = Browser::default();
    let page = page(&world, &mut browser).await;
    let ticket = page.ticket().to_owned();
    let post = |mut browser: Browser, ticket: &str, fields: &str| {
        let mut form = FormWriter::new();
        form.append("ticket", ticket);
        let form = format!("{}&{fields}", form.finish());
        let world = &world;
        async move {
            let answer = browser.post(world, "/oauth/consent", &form).await;
            (answer.status(), answer.reason().to_owned())
        }
    };
    let is = |status, reason: &str| (status, reason.to_owned());
    let all = "decision=all";
    let here = || browser.clone();

    let mut tampered = ticket.clone().into_bytes();
    tampered[60] ^= 1;
    let tampered = String::from_utf8(tampered).unwrap();
    assert_eq!(post(here(), &tampered, all).await, is(400, "ticket_tampered"));
    assert_eq!(post(here(), "", all).await, is(400, "ticket_missing"));
    assert_eq!(post(here(), "abc", all).await, is(400, "ticket_tampered"));
    let twice = format!("{all}&ticket={ticket}");
    assert_eq!(post(here(), &ticket, &twice).await, is(400, "ticket_missing"));
    assert_eq!(post(Browser::default(), &ticket, all).await, is(403, "ticket_other_browser"));
    assert_eq!(post(here(), &ticket, "x=y").await, is(400, "form_fields"));
    world.sign_in("grace");
    assert_eq!(post(here(), &ticket, all).await, is(403, "ticket_other_user"));
    assert_eq!(post(here(), &ticket, "decision=deny").await, is(403, "ticket_other_user"));
    world.sign_in("ada");
    let other =
        AuthorizationServer::new("https://other.example", MemoryStore::new(world.env.clone()));
    let request = http::Request::post("/oauth/consent")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("cookie", browser.jar.iter().map(|(n, v)| format!("{n}={v}")).collect::<String>())
        .body(format!("ticket={ticket}&decision=all").into())
        .unwrap();
    let keys = |byte| KeyRing::new([&[byte; 32]]).unwrap();
    let refused = |server: AuthorizationServer| {
        let page = server.answer::<()>(&request).unwrap_err();
        let page = http::Response::<bytes::Bytes>::from(page);
        let text = String::from_utf8(page.body().to_vec()).unwrap();
        text.split_once("<code>").unwrap().1.split_once("</code>").unwrap().0.to_owned()
    };
    assert_eq!(refused(other.unwrap().keys(keys(7))), "ticket_tampered", "another issuer's");
    assert_eq!(refused(world.server.clone().keys(keys(8))), "ticket_unknown_key");

    world.clock.advance(Duration::from_secs(15 * 60));
    assert_eq!(post(here(), &ticket, all).await, is(400, "ticket_expired"));
}

#[tokio::test]
async fn none_of_these_used_the_ticket_up() {
    let world = World::new().await;
    world.sign_in("ada");
    let mut browser = Browser::default();
    let page = page(&world, &mut browser).await;
    world.sign_in("grace");
    browser.answer(&world, &page, "decision=deny").await;
    Browser::default().answer(&world, &page, "decision=deny").await;
    browser.answer(&world, &page, "nonsense=1").await;
    world.sign_in("ada");
    let back = browser.answer(&world, &page, "decision=all").await;
    assert!(world.is_good(&world.redeem(&back.query("code")).await.tokens().access).await);
}

#[tokio::test]
async fn twenty_tabs_are_finished_in_any_order_and_cookies_stay_few() {
    let world = World::new().await;
    world.sign_in("ada");
    let mut browser = Browser::default();
    let mut tabs = Vec::new();
    for _ in 0..20 {
        // All at once: none of them has a cookie yet.
        let mut fresh = Browser::default();
        tabs.push(page(&world, &mut fresh).await);
        browser.jar.append(&mut fresh.jar);
    }
    for tab in tabs.iter().rev() {
        let back = browser.answer(&world, tab, "decision=all").await;
        world.redeem(&back.query("code")).await.tokens();
    }
    let mut asked = world.asking();
    asked.extra.push(("prompt".into(), "consent".into()));
    for _ in 0..20 {
        world.clock.advance(Duration::from_millis(1));
        world.ask(&mut browser, &asked).await;
    }
    assert_eq!(browser.jar.len(), 24, "the oldest went");
    let last = world.ask(&mut browser, &asked).await;
    let back = browser.answer(&world, &last, "decision=all").await;
    assert!(!back.query("code").is_empty());
}

#[tokio::test]
async fn a_client_that_was_removed_while_the_page_was_open_gets_nothing() {
    let world = World::new().await;
    world.sign_in("ada");
    let mut browser = Browser::default();
    let page = page(&world, &mut browser).await;
    world.server.remove_client(&world.client.id).await.unwrap();
    let answer = browser.answer(&world, &page, "decision=all").await;
    assert_eq!((answer.status(), answer.reason()), (400, "client_changed"));
}

#[tokio::test]
async fn the_application_can_show_problems_on_pages_of_its_own() {
    let world = World::new().await;
    let server = world.server.clone().problem_page(|problem| {
        let text = format!("{}: {}", problem.code(), problem.text());
        let mut response = http::Response::new(text.into());
        *response.status_mut() = problem.status();
        response
    });
    let request = http::Request::get("/oauth/authorize?client_id=nobody").body(bytes::Bytes::new());
    let reply = server.authorize(request.unwrap()).await.unwrap_err();
    let response = http::Response::<bytes::Bytes>::from(reply);
    assert_eq!(response.status(), 400);
    assert!(response.body().starts_with(b"unknown_client: "));
}

#[tokio::test]
async fn the_application_can_send_problems_to_an_address_of_its_own() {
    let world = World::new().await;
    for (address, start) in [
        ("/sorry", "/sorry?error=unknown_client&error_description="),
        ("https://www.example/e?a=b", "https://www.example/e?a=b&error=unknown_client&"),
    ] {
        let server = world.server.clone().problem_address(address.parse().unwrap());
        let request = http::Request::get("/oauth/authorize?client_id=nobody");
        let reply = server.authorize(request.body(bytes::Bytes::new()).unwrap()).await.unwrap_err();
        let response = http::Response::<bytes::Bytes>::from(reply);
        assert_eq!(response.status(), 303);
        let location = response.headers()["location"].to_str().unwrap();
        assert!(location.starts_with(start), "{location}");
        assert!(!location.contains(' ') && !location.contains("nobody"), "{location}");
    }
}

/// The address behind "Try again" on a page.
fn again(page: &Answer) -> Option<String> {
    let link = page.text().split_once("\">Try again</a>")?.0;
    let href = link.rsplit_once("href=\"")?.1.replace("&amp;", "&");
    Some(href).filter(|href| href.starts_with("/oauth/authorize?"))
}

#[tokio::test]
async fn an_answer_that_comes_too_late_or_again_has_a_way_on_to_the_same_request() {
    let world = World::new().await;
    world.sign_in("ada");
    let mut browser = Browser::default();
    let late = page(&world, &mut browser).await;
    world.clock.advance(Duration::from_secs(15 * 60));
    let refused = browser.answer(&world, &late, "decision=all").await;
    assert_eq!(refused.reason(), "ticket_expired");
    assert!(refused.text().contains("Try again, or go back"), "{}", refused.text());
    let page = browser.get(&world, &again(&refused).unwrap()).await;
    let told = browser.answer(&world, &page, "decision=all").await;
    assert_eq!(told.query("state"), "xyz");
    world.redeem(&told.query("code")).await.tokens();

    let answered = browser.answer(&world, &page, "decision=all").await;
    assert_eq!(answered.reason(), "ticket_answered");
    let told = browser.get(&world, &again(&answered).unwrap()).await;
    world.redeem(&told.query("code")).await.tokens();

    // Nothing is known of the request, or another user may begin it as well.
    let forged = browser.post(&world, "/oauth/consent", "ticket=abc&again=//evil.example").await;
    assert_eq!((forged.reason(), again(&forged)), ("ticket_tampered", None));
    assert!(!forged.text().contains("evil"), "{}", forged.text());
    world.sign_in("grace");
    let refused = browser.answer(&world, &page, "decision=all").await;
    assert_eq!(refused.reason(), "ticket_other_user");
    let page = browser.get(&world, &again(&refused).unwrap()).await;
    let told = browser.answer(&world, &page, "decision=all").await;
    world.redeem(&told.query("code")).await.tokens();

    // An application with a page of its own for problems gets the address with them.
    let server = world.server.clone().problem_address("/sorry".parse().unwrap());
    let request = http::Request::post("/oauth/consent")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("ticket={}", page.ticket()).into());
    let reply = server.answer::<()>(&request.unwrap()).unwrap_err();
    let response = http::Response::<bytes::Bytes>::from(reply);
    let location = response.headers()["location"].to_str().unwrap();
    assert!(location.contains("&again=%2Foauth%2Fauthorize%3F"), "{location}");
}

/// The names of so many scopes, each with characters that a form encodes.
fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("s:{number}")).collect()
}

/// A world that knows so many scopes more, and whose client may request them all.
async fn world_of(count: usize) -> World {
    let scopes: Scopes = names(count).iter().map(String::as_str).collect();
    let described: Vec<_> = names(count).into_iter().map(|name| (name, "Described")).collect();
    let world = World::set_up(Policy::safe(), |new| new, |server| server.scopes(described)).await;
    let edit = |_: &Client, new: NewClient| new.scopes(scopes.clone());
    world.server.edit_client(&world.client.id, edit).await.unwrap();
    world
}

#[tokio::test]
async fn a_page_with_a_thousand_scopes_is_answered_by_yes_some_and_no() {
    let world = world_of(1000).await;
    world.sign_in("ada");
    let mut browser = Browser::default();
    let state = "s".repeat(8 * 1024);
    let mut asked = world.asking();
    asked.state = Some(state.as_str().into());
    for (decision, ticked, granted) in
        [("all", 0, Some(1000)), ("only", 1000, Some(1000)), ("only", 999, Some(999))]
            .into_iter()
            .chain([("deny", 1000, None)])
    {
        let mut asked = asked.clone();
        asked.extra.push(("prompt".into(), "consent".into()));
        let page = world.ask(&mut browser, &asked).await;
        let mut form = FormWriter::new();
        form.append("decision", decision);
        for name in names(ticked) {
            form.append("scope", &name);
        }
        let back = browser.answer(&world, &page, &form.finish()).await;
        match granted {
            Some(count) => {
                let answer = world.redeem(&back.query("code")).await.json();
                let scopes = answer["scope"].as_str().unwrap().split(' ').count();
                assert_eq!(scopes, count, "{decision} {ticked}");
            }
            None => assert_eq!(back.query("error"), "access_denied"),
        }
    }
}

#[tokio::test]
async fn a_request_for_more_scopes_than_a_user_can_decide_on_is_the_client_s_fault() {
    let world = world_of(3000).await;
    world.sign_in("ada");
    let mut browser = Browser::default();
    let long = "s:".to_owned() + &"x".repeat(8 * 1024);
    for count in [1001, 1500] {
        let mut asked = world.asking();
        asked.scope = Some(names(count).iter().map(String::as_str).collect());
        let answer = world.ask(&mut browser, &asked).await;
        assert_eq!(answer.query("error"), "invalid_scope", "{count}");
        assert!(answer.query("error_description").contains("too many scopes"), "{count}");
    }
    // Without `scope`, a request is for all 3000.
    let all = world.ask(&mut browser, &world.asking()).await;
    assert_eq!(all.query("error"), "invalid_scope");
    let mut few = world.asking();
    few.scope = Some(names(2).iter().map(String::as_str).collect());
    let page = world.ask(&mut browser, &few).await;
    assert!(!browser.answer(&world, &page, "decision=all").await.query("code").is_empty());

    let described = [(long.clone(), "Long")];
    let world = World::set_up(Policy::safe(), |new| new, |server| server.scopes(described)).await;
    let edit = |_: &Client, new: NewClient| new.scopes(Scopes::of([&*long]));
    world.server.edit_client(&world.client.id, edit).await.unwrap();
    world.sign_in("ada");
    let answer = world.ask(&mut browser, &world.asking()).await;
    assert_eq!(answer.query("error"), "invalid_scope", "names of more than 8 KiB");
}
