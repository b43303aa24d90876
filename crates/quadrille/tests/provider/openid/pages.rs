//! The pages that users see (OpenID Connect Core, sections 3.1.2.1, 3.1.2.4 and 5.5).

use quadrille::provider::OpenId;
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
