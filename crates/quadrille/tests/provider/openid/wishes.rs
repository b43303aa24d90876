//! The wishes of a client that hold for longer than a request: offline access (OpenID Connect Core,
//! section 11), languages (section 5.2), and its defaults (Dynamic Client Registration, section 2).

use std::sync::{Arc, Mutex};

use quadrille::{
    Authentication, Policy,
    provider::{AuthorizationServer, ClaimsQuery, ClientOpenId, OpenId, UserClaims},
};
use serde_json::{Value, json};

use super::{asking, consented, may_request, openid, text, tokens, world_of};
use crate::support::{Browser, World};

const BOTH: &str = "openid offline_access";

async fn offline() -> World {
    let on = |server: AuthorizationServer| server.openid(openid().offline_access());
    let world = world_of(|new| new, on).await;
    may_request(&world, "openid offline_access photos:read").await;
    world
}

fn has_refresh(response: &Value) -> bool {
    response.get("refresh_token").is_some()
}

/// Section 11.
#[tokio::test]
async fn a_website_gets_a_refresh_token_if_its_user_was_asked() {
    let world = offline().await;
    let asked = [("prompt", "consent")];
    let response = tokens(&world, BOTH, &asked).await;
    assert!(has_refresh(&response), "{response}");
    let renewed = world.refresh(text(&response, "refresh_token")).await.json();
    assert!(renewed.get("id_token").is_some());
    // Not asked for, or ignored: remembered consents are no question.
    for (scope, further) in [("openid", &asked[..]), (BOTH, &[])] {
        world.server.revoke_consent("ada", &world.client.id).await.unwrap();
        let response = tokens(&world, scope, further).await;
        assert!(!has_refresh(&response), "{response}");
        assert_ne!(response["scope"], BOTH);
    }
    // Plain OAuth has its own rules.
    assert!(has_refresh(&tokens(&world, "photos:read", &[]).await));
    // The user may leave it out.
    let mut browser = Browser::default();
    let page = world.ask(&mut browser, &asking(&world, BOTH, &asked)).await;
    assert!(page.text().contains("scope=offline_access"), "{page:?}");
    let answer = browser.answer(&world, &page, "decision=only&scope=openid").await;
    assert!(!has_refresh(&world.redeem(&answer.query("code")).await.json()));
}

#[tokio::test]
async fn without_the_option_a_client_with_the_grant_type_gets_refresh_tokens() {
    let world = super::world().await;
    assert!(has_refresh(&tokens(&world, "openid", &[]).await));
}

/// Section 5.2.
#[tokio::test]
async fn the_application_learns_in_which_languages_a_client_wants_claims() {
    let seen = Arc::<Mutex<Vec<String>>>::default();
    let here = seen.clone();
    let source = move |query: ClaimsQuery| {
        let locales = query.locales().collect::<Vec<_>>().join(" ");
        here.lock().unwrap().push(locales);
        async { Ok(Some(UserClaims::from_iter([("name".to_owned(), json!("Ada"))]))) }
    };
    let on =
        move |server: AuthorizationServer| server.openid(OpenId::new().claims(["name"], source));
    let world = world_of(|new| new, on).await;
    may_request(&world, "openid profile").await;
    let wanted = [("claims_locales", "de-CH fr"), ("claims", r#"{"id_token":{"name":null}}"#)];
    let response = tokens(&world, "openid profile", &wanted).await;
    world.refresh(text(&response, "refresh_token")).await.json();
    let token = format!("Bearer {}", text(&response, "access_token"));
    let request = http::Request::get("/oauth/userinfo").header("authorization", token);
    let answer = world.send(request.body(axum::body::Body::empty()).unwrap()).await;
    assert_eq!(answer.json()["name"], "Ada");
    assert_eq!(*seen.lock().unwrap(), ["de-CH fr"; 3]);
    seen.lock().unwrap().clear();
    let plain = [("claims", r#"{"id_token":{"name":null}}"#), ("prompt", "consent")];
    tokens(&world, "openid profile", &plain).await;
    assert_eq!(*seen.lock().unwrap(), [""]);
}

/// Dynamic Client Registration, section 2: `default_acr_values`.
#[tokio::test]
async fn a_client_has_default_classes_that_a_request_replaces() {
    let policy = Policy::openid().acr_values(["urn:two-factors", "urn:password"]);
    let mut metadata = ClientOpenId::default();
    metadata.default_acr_values = vec!["urn:two-factors".into(), "urn:unknown".into()];
    let world = world_of(|new| new.openid(metadata), move |server| server.policy(policy)).await;
    let mut ada = Authentication::new("ada", world.env.now());
    ada.acr = Some("urn:password".into());
    *world.signed_in.lock().unwrap() = Some(ada);
    let ask = async |further: &[(&str, &str)]| {
        world.ask(&mut Browser::default(), &asking(&world, "openid", further)).await
    };
    let weak = ask(&[]).await;
    assert!(weak.location().starts_with("/sign-in?next="), "{weak:?}");
    assert_eq!(ask(&[("acr_values", "urn:password")]).await.status(), 200);
    let by_name = r#"{"id_token":{"acr":{"values":["urn:password"]}}}"#;
    assert_eq!(ask(&[("claims", by_name)]).await.status(), 200);
}

/// Section 2: `azp` is for tokens whose audience is somebody else, and these are for their client.
#[tokio::test]
async fn an_id_token_is_for_its_client_alone_and_names_no_other_party() {
    let world = super::world().await;
    let code = consented(&world, "openid", &[("resource", crate::support::API)]).await;
    let response = world.redeem(&code.query("code")).await.json();
    let token = super::id_token(&world, &response).await;
    assert_eq!(token.audience, [&*world.client.id]);
    assert_eq!(token.azp, None);
}
