//! The page on which users type codes in, and the consent page that follows (RFC 8628, sections
//! 3.3 and 5.4).

use std::time::Duration;

use axum::body::Body;
use http::Request;
use quadrille::provider::{GrantType, NewClient};

use super::{begin, decide, poll, refused, type_in, world};
use crate::support::{Browser, World};

#[tokio::test]
async fn a_user_types_the_code_and_allows_and_the_device_goes_on() {
    let world = world().await;
    let codes = begin(&world).await;
    world.sign_in("ada");
    let mut browser = Browser::default();
    let empty = browser.get(&world, "/device").await;
    assert_eq!((refused(&empty), empty.text().contains("code=\n")), ("None", true));
    let since = world.env.now().seconds();
    world.clock.advance(Duration::from_secs(3));
    let page = type_in(&world, &mut browser, &codes.user).await;
    for shown in [
        "client=Television",
        "scope=photos:read See your photos",
        &format!("device={} from=203.0.113.9 since={since}\n", codes.user),
    ] {
        assert!(page.text().contains(shown), "{}", page.text());
    }
    assert_eq!(page.header("x-frame-options"), "DENY");
    let done = browser.answer(&world, &page, "decision=all").await;
    assert!(done.text().contains("Television has access"), "{}", done.text());
    let tokens = poll(&world, &codes.device).await.tokens();
    assert_eq!(tokens.scope, "photos:read photos:write");
    assert!(world.is_good(&tokens.access).await);
    let photos = world.photos(&tokens.access).await;
    assert_eq!(photos.text(), format!("User(\"ada\") by {}", world.client.id));
    assert_eq!(world.refresh(&tokens.refresh.unwrap()).await.status(), 200);
}

#[tokio::test]
async fn a_code_in_the_link_stands_in_the_form_and_is_confirmed_twice() {
    let world = world().await;
    let codes = begin(&world).await;
    let mut browser = Browser::default();
    let sign_in = browser.get(&world, &codes.link).await;
    // The way back keeps the code.
    assert_eq!(sign_in.query("next"), codes.link);
    world.sign_in("ada");
    let form = browser.get(&world, &codes.link).await;
    assert_eq!(refused(&form), "None");
    assert!(form.text().contains(&format!("code={}\n", codes.user)), "{}", form.text());
    assert_eq!(poll(&world, &codes.device).await.error(), "authorization_pending");
    let page = type_in(&world, &mut browser, &codes.user).await;
    browser.answer(&world, &page, "decision=all").await;
    poll(&world, &codes.device).await.tokens();
}

#[tokio::test]
async fn a_code_that_was_typed_while_the_session_ended_survives_the_sign_in() {
    let world = world().await;
    let codes = begin(&world).await;
    let mut browser = Browser::default();
    let typed = codes.user.to_lowercase().replace('-', " ");
    let sign_in = type_in(&world, &mut browser, &typed).await;
    let back = sign_in.query("next");
    world.sign_in("ada");
    let form = browser.get(&world, &back).await;
    assert!(form.text().contains(&format!("code={}\n", codes.user)), "{}", form.text());
}

#[tokio::test]
async fn neither_consent_of_old_nor_the_providers_own_client_skips_the_page() {
    let world = world().await;
    let own = NewClient::public("Own").id("own").first_party().grant_types([GrantType::DeviceCode]);
    world.server.register(own).await.unwrap();
    world.sign_in("ada");
    for _ in 0..2 {
        // At the second round the consent is remembered.
        let codes = begin(&world).await;
        decide(&world, &codes.user, "decision=all").await;
        poll(&world, &codes.device).await.tokens();
    }
    let own = quadrille::oauth2::ClientAuth::None { client_id: "own".into() };
    let codes = super::codes(&world.send(super::asking(&own, &[])).await);
    let page = type_in(&world, &mut Browser::default(), &codes.user).await;
    assert!(page.text().contains("client=Own") && !page.ticket().is_empty());
    assert_eq!(super::poll_as(&world, &own, &codes.device).await.error(), "authorization_pending");
}

#[tokio::test]
async fn no_is_no_and_part_of_the_scopes_is_a_part() {
    let world = world().await;
    world.sign_in("ada");
    let codes = begin(&world).await;
    let page = decide(&world, &codes.user, "decision=deny").await;
    assert!(page.text().contains("Television was not let in"), "{}", page.text());
    for _ in 0..2 {
        assert_eq!(poll(&world, &codes.device).await.error(), "access_denied");
    }
    let codes = begin(&world).await;
    decide(&world, &codes.user, "decision=only&scope=photos:read").await;
    assert_eq!(poll(&world, &codes.device).await.tokens().scope, "photos:read");
}

#[tokio::test]
async fn codes_that_lead_nowhere_are_told_apart() {
    let world = world().await;
    world.sign_in("ada");
    let mut browser = Browser::default();
    let mut reason = async |code: &str| {
        let page = type_in(&world, &mut browser, code).await;
        refused(&page).to_owned()
    };
    assert_eq!(reason(" ").await, "Some(Missing)");
    assert_eq!(reason("ABC").await, "Some(Malformed)");
    assert_eq!(reason("<script>").await, "Some(Malformed)");
    assert_eq!(reason("BCDF-GHJK").await, "Some(Unknown)");
    let codes = begin(&world).await;
    decide(&world, &codes.user, "decision=all").await;
    assert_eq!(reason(&codes.user).await, "Some(Answered)");
    poll(&world, &codes.device).await.tokens();
    assert_eq!(reason(&codes.user).await, "Some(Answered)");
    let denied = begin(&world).await;
    decide(&world, &denied.user, "decision=deny").await;
    assert_eq!(reason(&denied.user).await, "Some(Answered)");
    let late = begin(&world).await;
    world.clock.advance(Duration::from_secs(900));
    assert_eq!(reason(&late.user).await, "Some(Expired)");
    let codes = begin(&world).await;
    world.server.remove_client(&world.client.id).await.unwrap();
    assert_eq!(reason(&codes.user).await, "Some(Unknown)");
}

#[tokio::test]
async fn a_page_that_was_open_too_long_or_is_answered_otherwise_grants_nothing() {
    let world = world().await;
    world.sign_in("ada");
    let mut browser = Browser::default();
    let codes = begin(&world).await;
    world.clock.advance(Duration::from_secs(600));
    let page = type_in(&world, &mut browser, &codes.user).await;
    // The page lives no longer than the code, and a browser keeps its cookie no longer.
    world.clock.advance(Duration::from_secs(300));
    for mut browser in [browser.clone(), Browser::default()] {
        let late = browser.answer(&world, &page, "decision=all").await;
        assert_eq!(late.reason(), "ticket_expired");
    }
    assert_eq!(poll(&world, &codes.device).await.error(), "expired_token");

    let codes = begin(&world).await;
    let page = type_in(&world, &mut browser, &codes.user).await;
    for _ in 0..2 {
        let done = browser.answer(&world, &page, "decision=all").await;
        assert_eq!(done.status(), 200, "a double click");
    }
    let no = browser.answer(&world, &page, "decision=deny").await;
    assert_eq!((no.status(), no.reason()), (409, "ticket_answered"));
    let stolen = Browser::default().answer(&world, &page, "decision=all").await;
    assert_eq!(stolen.reason(), "ticket_other_browser");
    poll(&world, &codes.device).await.tokens();
}

#[tokio::test]
async fn of_two_users_who_answer_the_first_one_counts() {
    let world = world().await;
    let codes = begin(&world).await;
    let (mut adas, mut eves) = (Browser::default(), Browser::default());
    world.sign_in("ada");
    let of_ada = type_in(&world, &mut adas, &codes.user).await;
    world.sign_in("eve");
    let of_eve = type_in(&world, &mut eves, &codes.user).await;
    let other = adas.answer(&world, &of_ada, "decision=all").await;
    assert_eq!(other.reason(), "ticket_other_user");
    eves.answer(&world, &of_eve, "decision=deny").await;
    world.sign_in("ada");
    let late = adas.answer(&world, &of_ada, "decision=all").await;
    assert_eq!(late.reason(), "ticket_answered");
    assert_eq!(poll(&world, &codes.device).await.error(), "access_denied");
}

#[tokio::test]
async fn a_client_that_lost_the_grant_while_the_page_was_open_gets_nothing() {
    let world = world().await;
    world.sign_in("ada");
    let mut browser = Browser::default();
    let codes = begin(&world).await;
    let page = type_in(&world, &mut browser, &codes.user).await;
    let edit = |_: &_, new: NewClient| {
        new.redirect_uris(["https://app.example/cb"]).grant_types([GrantType::AuthorizationCode])
    };
    world.server.edit_client(&world.client.id, edit).await.unwrap();
    let answer = browser.answer(&world, &page, "decision=all").await;
    assert_eq!(answer.reason(), "client_changed");
    assert_eq!(poll(&world, &codes.device).await.error(), "unauthorized_client");
}

#[tokio::test]
async fn nobody_but_the_user_sends_the_form() {
    let world = world().await;
    let codes = begin(&world).await;
    world.sign_in("ada");
    let send = async |world: &World, header: &'static str, value: &'static str| {
        let request = Request::post("/device")
            .header("content-type", "application/x-www-form-urlencoded")
            .header(header, value)
            .body(Body::from(format!("user_code={}", codes.user)));
        world.send(request.unwrap()).await
    };
    for (header, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        // The code stands in the form, and nothing was looked up.
        assert_eq!(refused(&send(&world, header, value).await), "None", "{header}");
    }
    let page = send(&world, "sec-fetch-site", "same-origin").await;
    assert!(page.text().contains("device="), "{}", page.text());
    let head = Request::head(&codes.link).body(Body::empty()).unwrap();
    assert_eq!(world.send(head).await.status(), 204);
    let prefetch = Request::get(&codes.link).header("sec-purpose", "prefetch");
    assert_eq!(world.send(prefetch.body(Body::empty()).unwrap()).await.status(), 503);
    assert_eq!(world.request("PUT", "/device", "", "").await.status(), 405);
    let twice = world.request("GET", "/device?user_code=a&user_code=b", "", "").await;
    assert_eq!((twice.status(), twice.reason()), (400, "invalid_request"));
}
