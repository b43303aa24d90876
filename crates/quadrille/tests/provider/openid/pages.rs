//! The pages that users see (OpenID Connect Core, sections 3.1.2.1, 3.1.2.4 and 5.5).

use std::time::Duration;

use quadrille::{
    Authentication, Timestamp,
    form::Params,
    provider::{NewClient, OpenId},
};
use serde_json::json;

use super::{asking, id_token, may_request, text, world, world_of};
use crate::support::{Answer, Browser, World};

const CLAIMS: (&str, &str) = (
    "claims",
    r#"{"userinfo":{"email":null,"salary":null},"id_token":{"groups":null,"auth_time":null}}"#,
);

/// The page that the user gets who is signed in.
async fn page(world: &World, browser: &mut Browser, scope: &str) -> Answer {
    world.ask(browser, &asking(world, scope, &[CLAIMS])).await
}

fn claims_on(page: &Answer) -> Vec<&str> {
    assert_eq!(page.status(), 200, "{page:?}");
    page.text().lines().filter_map(|line| line.strip_prefix("claim=")).collect()
}

/// The userinfo response after an answer.
async fn given(world: &World, answer: &Answer) -> (serde_json::Value, Vec<String>) {
    let response = world.redeem(&answer.query("code")).await.json();
    let request = http::Request::get("/oauth/userinfo")
        .header("authorization", format!("Bearer {}", text(&response, "access_token")));
    let userinfo = world.send(request.body(axum::body::Body::empty()).unwrap()).await;
    let token = id_token(world, &response).await;
    let mut in_token: Vec<_> = token.extra.keys().cloned().collect();
    in_token.sort_unstable();
    (userinfo.json(), in_token)
}

/// Section 3.1.2.4.
#[tokio::test]
async fn claims_that_no_scope_covers_are_on_the_page_and_given_only_if_chosen() {
    let world = world().await;
    world.sign_in("ada");
    let mut browser = Browser::default();
    let shown = page(&world, &mut browser, "openid").await;
    assert_eq!(claims_on(&shown), ["email", "groups"]);
    let answer = browser.answer(&world, &shown, "decision=all&claim=email").await;
    let (userinfo, in_token) = given(&world, &answer).await;
    assert_eq!(userinfo, json!({"sub": "ada", "email": "ada@example.com"}));
    assert!(in_token.is_empty(), "{in_token:?}");

    // A page that knows nothing of claims gives none of them.
    let shown = page(&world, &mut browser, "openid").await;
    let answer = browser.answer(&world, &shown, "decision=all").await;
    assert_eq!(given(&world, &answer).await, (json!({"sub": "ada"}), vec![]));
}

#[tokio::test]
async fn a_scope_that_the_user_unticked_is_not_circumvented_by_a_name() {
    let world = world().await;
    world.sign_in("ada");
    let mut browser = Browser::default();
    let shown = page(&world, &mut browser, "openid email").await;
    assert_eq!(claims_on(&shown), ["groups"]);
    let fields = "decision=only&scope=openid&claim=email&claim=groups";
    let answer = browser.answer(&world, &shown, fields).await;
    let (userinfo, in_token) = given(&world, &answer).await;
    assert_eq!((userinfo, &*in_token), (json!({"sub": "ada"}), &["groups".to_owned()][..]));
}

#[tokio::test]
async fn a_remembered_consent_covers_the_claims_of_its_scopes_and_no_others() {
    let world = world().await;
    super::consented(&world, "openid email groups", &[]).await;
    let by_email = ("claims", r#"{"userinfo":{"email":null}}"#);
    let silent = ("prompt", "none");
    let mut browser = Browser::default();
    let answer = world.ask(&mut browser, &asking(&world, "openid", &[by_email, silent])).await;
    assert_eq!(given(&world, &answer).await.0, json!({"sub": "ada", "email": "ada@example.com"}));
    // A claim that is not given is no error (section 5.5), so there is none without a page either.
    let answer = world.ask(&mut browser, &asking(&world, "openid", &[CLAIMS, silent])).await;
    let (userinfo, in_token) = given(&world, &answer).await;
    assert_eq!(userinfo, json!({"sub": "ada", "email": "ada@example.com"}));
    assert!(in_token.is_empty(), "{in_token:?}");
    let shown = world.ask(&mut browser, &asking(&world, "openid", &[CLAIMS])).await;
    assert_eq!(shown.status(), 200);
}

#[tokio::test]
async fn a_client_gets_no_claim_by_its_name_whose_scope_it_may_not_request() {
    let world = world().await;
    may_request(&world, "openid").await;
    world.sign_in("ada");
    let mut browser = Browser::default();
    let shown = page(&world, &mut browser, "openid").await;
    // Nor is the user asked about it.
    assert!(claims_on(&shown).is_empty());
    let answer = browser.answer(&world, &shown, "decision=all&claim=email&claim=groups").await;
    let (userinfo, in_token) = given(&world, &answer).await;
    assert_eq!(userinfo, json!({"sub": "ada"}));
    assert!(in_token.is_empty(), "{in_token:?}");
}

/// Section 3.1.2.1; Initiating User Registration via OpenID Connect 1.0.
#[tokio::test]
async fn the_sign_in_page_learns_the_wishes_of_the_client() {
    let world =
        world_of(|new| new, |server| server.openid(OpenId::new().users_can_open_accounts())).await;
    let wishes = [
        ("prompt", "create select_account"),
        ("login_hint", "ada@example.com"),
        ("display", "popup"),
        ("ui_locales", "de-AT en"),
    ];
    let answer = world.ask(&mut Browser::default(), &asking(&world, "openid", &wishes)).await;
    let (_, shown) = answer.location().split_once("&create=").unwrap();
    assert_eq!(
        shown,
        "1&select_account=1&login_hint=ada%40example.com&display=popup&ui_locale=de-AT&ui_locale=en"
    );
    // `create` is a wish for a page, so it asks a user who is signed in, too.
    world.sign_in("ada");
    let create = asking(&world, "openid", &[("prompt", "create")]);
    let answer = world.ask(&mut Browser::default(), &create).await;
    assert!(answer.location().starts_with("/sign-in?next="));
}

const SELECT: (&str, &str) = ("prompt", "select_account");

/// The address to which the page for an account leads, and whether a choice suffices there.
async fn asked(world: &World, browser: &mut Browser, further: &[(&str, &str)]) -> (String, bool) {
    let answer = world.ask(browser, &asking(world, "openid", further)).await;
    let (page, query) = answer.location().split_once('?').unwrap();
    let params = Params::parse(query.as_bytes()).unwrap();
    (params.one("next").unwrap().unwrap().to_owned(), page == "/choose")
}

/// A server that asks no consent.
async fn trusting() -> World {
    world_of(NewClient::first_party, |server| server).await
}

fn signed_in(world: &World) -> Authentication {
    world.signed_in.lock().unwrap().clone().unwrap()
}

/// `true` if a request, from this address on, gets a code.
async fn is_granted(world: &World, browser: &mut Browser, address: &str) -> bool {
    let answer = browser.get(world, address).await;
    answer.location().contains("code=")
}

/// Section 3.1.2.1.
#[tokio::test]
async fn an_account_is_chosen_by_an_act_of_its_user_and_keeps_its_time_of_sign_in() {
    let world = trusting().await;
    let mut browser = Browser::default();
    // A user who is not signed in chooses by signing in.
    let (back, is_choice) = asked(&world, &mut browser, &[SELECT]).await;
    assert!(!is_choice);
    world.sign_in("ada");
    assert!(is_granted(&world, &mut browser, &back).await);

    let ada = signed_in(&world);
    world.clock.advance(Duration::from_secs(60));
    let (back, is_choice) = asked(&world, &mut browser, &[SELECT]).await;
    assert!(is_choice && !is_granted(&world, &mut browser, &back).await);
    let chosen = world.server.account_chosen(&back, &ada).unwrap();
    assert!(!chosen.is_choice());
    let answer = browser.get(&world, chosen.path_and_query()).await;
    let response = world.redeem(&answer.query("code")).await.json();
    let token = id_token(&world, &response).await;
    assert_eq!(token.auth_time.map(Timestamp::seconds), Some(ada.auth_time.seconds()));

    // Nor is a sign-in refused by which the user chooses another account.
    world.sign_in("bob");
    assert!(is_granted(&world, &mut browser, &back).await);
}

#[tokio::test]
async fn a_choice_is_for_one_request_and_one_sign_in() {
    let world = trusting().await;
    let mut browser = Browser::default();
    world.sign_in("ada");
    let ada = signed_in(&world);
    world.clock.advance(Duration::from_secs(60));
    let (back, _) = asked(&world, &mut browser, &[SELECT]).await;
    let chosen = world.server.account_chosen(&back, &ada).unwrap();
    let chosen = chosen.path_and_query();
    let (_, note) = chosen.rsplit_once('=').unwrap();
    // Another request with the note of this one.
    let (other, _) = asked(&world, &mut browser, &[SELECT, ("nonce", "other")]).await;
    let (other, _) = other.rsplit_once('=').unwrap();
    assert!(!is_granted(&world, &mut browser, &format!("{other}={note}")).await);
    // Another user, who was there before.
    let mut bob = ada.clone();
    bob.subject = "bob".into();
    let mut later = ada.clone();
    later.session = Some("another".into());
    for other in [bob, later] {
        *world.signed_in.lock().unwrap() = Some(other);
        assert!(!is_granted(&world, &mut browser, chosen).await);
    }
    *world.signed_in.lock().unwrap() = Some(ada.clone());
    assert!(is_granted(&world, &mut browser, chosen).await);
    // An address that this server has not made, and one that is old.
    let (bare, _) = back.rsplit_once("&quadrille_since=").unwrap();
    for wrong in [bare, "/", "/sign-in?quadrille_since=x", &back.replace("authorize", "other")] {
        assert!(world.server.account_chosen(wrong, &ada).is_none(), "{wrong}");
    }
    world.clock.advance(Duration::from_secs(3600));
    assert!(world.server.account_chosen(&back, &ada).is_none());
    assert!(!is_granted(&world, &mut browser, chosen).await);
}

#[tokio::test]
async fn a_choice_replaces_no_sign_in_that_the_request_demands() {
    let world = trusting().await;
    let mut browser = Browser::default();
    world.sign_in("ada");
    let ada = signed_in(&world);
    let response = {
        let (back, _) = asked(&world, &mut browser, &[SELECT]).await;
        let chosen = world.server.account_chosen(&back, &ada).unwrap();
        let answer = browser.get(&world, chosen.path_and_query()).await;
        world.redeem(&answer.query("code")).await.json()
    };
    let of_ada = text(&response, "id_token").to_owned();
    *world.signed_in.lock().unwrap() = Some(Authentication::new("bob", ada.auth_time));
    let bob = signed_in(&world);
    world.clock.advance(Duration::from_secs(60));
    for demand in [
        &[("prompt", "select_account login")][..],
        &[SELECT, ("max_age", "0")],
        &[SELECT, ("max_age", "59")],
        &[SELECT, ("id_token_hint", &of_ada)],
    ] {
        let (back, is_choice) = asked(&world, &mut browser, demand).await;
        assert!(!is_choice, "{demand:?}");
        let chosen = world.server.account_chosen(&back, &bob).unwrap();
        assert!(!is_granted(&world, &mut browser, chosen.path_and_query()).await, "{demand:?}");
    }
    let (back, is_choice) = asked(&world, &mut browser, &[SELECT, ("max_age", "60")]).await;
    assert!(is_choice);
    let chosen = world.server.account_chosen(&back, &bob).unwrap();
    assert!(is_granted(&world, &mut browser, chosen.path_and_query()).await);
}

/// Section 3.1.2.1.
#[tokio::test]
async fn a_demanded_sign_in_is_one_in_the_browser_that_was_sent_to_it() {
    let world = trusting().await;
    for demand in [&[("prompt", "login")][..], &[("max_age", "0")], &[SELECT]] {
        *world.signed_in.lock().unwrap() = None;
        let (mut mallory, mut ada) = (Browser::default(), Browser::default());
        let (back, _) = asked(&world, &mut mallory, demand).await;
        assert!(mallory.jar.keys().any(|name| name.starts_with("__Host-quadrille-id-browser-")));
        world.clock.advance(Duration::from_secs(1));
        // Ada, who has signed in for something else, gets the address from Mallory.
        world.sign_in("ada");
        assert!(!is_granted(&world, &mut ada, &back).await, "{demand:?}");
        let other = mallory.jar.keys().map(|name| (name.clone(), "A".repeat(22)));
        let mut with_other = Browser { jar: other.collect() };
        assert!(!is_granted(&world, &mut with_other, &back).await, "{demand:?}");
        // It is Ada's browser that has to demand it.
        world.clock.advance(Duration::from_secs(60));
        let (back, _) = asked(&world, &mut ada, demand).await;
        assert!(!is_granted(&world, &mut ada, &back).await);
        world.clock.advance(Duration::from_secs(1));
        world.sign_in("ada");
        assert!(is_granted(&world, &mut ada, &back).await, "{demand:?}");
    }
}

/// Section 3.1.2.1.
#[tokio::test]
async fn a_choice_of_an_account_is_of_the_browser_that_was_asked() {
    let world = trusting().await;
    let (mut mallory, mut ada) = (Browser::default(), Browser::default());
    world.sign_in("ada");
    let user = signed_in(&world);
    world.clock.advance(Duration::from_secs(60));
    let (back, _) = asked(&world, &mut mallory, &[SELECT]).await;
    let chosen = world.server.account_chosen(&back, &user).unwrap();
    assert!(!is_granted(&world, &mut ada, chosen.path_and_query()).await);
    assert!(is_granted(&world, &mut mallory, chosen.path_and_query()).await);
}
