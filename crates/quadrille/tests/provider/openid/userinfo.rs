//! The userinfo endpoint (OpenID Connect Core, section 5.3).

use std::time::Duration;

use axum::body::Body;
use http::{Method, Request};
use quadrille::{
    jose::{Algorithm, Algorithms, KeySet, TokenType, Unverified, Verification},
    provider::ClientOpenId,
};
use serde_json::json;

use super::{id_token, text, tokens, world, world_with};
use crate::support::{API, Answer, World};

const FORM: &str = "application/x-www-form-urlencoded";

async fn send(world: &World, method: Method, token: &str, body: &str) -> Answer {
    let request = Request::builder().method(method).uri("/oauth/userinfo");
    let request = request.header("authorization", format!("Bearer {token}"));
    let request = match body {
        "" => request,
        _ => request.header("content-type", FORM),
    };
    world.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

async fn userinfo(world: &World, token: &str) -> Answer {
    send(world, Method::GET, token, "").await
}

/// Sections 5.3.1, 5.3.2 and 5.4.
#[tokio::test]
async fn it_says_what_the_scopes_grant_by_get_and_post() {
    let world = world().await;
    let response = tokens(&world, "openid email", &[]).await;
    let access = text(&response, "access_token");
    let expected = json!({"sub": "ada", "email": "ada@example.com", "email_verified": true});
    let form = format!("access_token={access}");
    for answer in [
        userinfo(&world, access).await,
        send(&world, Method::POST, access, "").await,
        send(&world, Method::POST, access, "a=b").await,
        world.request("POST", "/oauth/userinfo", FORM, &form).await,
    ] {
        assert_eq!(answer.status(), 200, "{answer:?}");
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.json(), expected);
    }
    assert_eq!(id_token(&world, &response).await.subject, "ada");
}

#[tokio::test]
async fn each_scope_gives_its_own_claims_and_empty_ones_are_omitted() {
    let world = world().await;
    for (scope, expected) in [
        ("openid", json!({"sub": "ada"})),
        // `nickname` is empty (section 5.3.2).
        ("openid profile", json!({"sub": "ada", "name": "Ada Lovelace"})),
        ("openid groups", json!({"sub": "ada", "groups": ["a", "b"]})),
    ] {
        let response = tokens(&world, scope, &[]).await;
        let answer = userinfo(&world, text(&response, "access_token")).await;
        assert_eq!(answer.json(), expected, "{scope}");
    }
}

/// Section 5.5: `claims` with `userinfo`, also after a refresh.
#[tokio::test]
async fn a_claim_that_is_requested_by_name_is_given_after_a_refresh_too() {
    let world = world().await;
    let asked = r#"{"userinfo":{"email":{"essential":true},"name":{"value":"Bob"},"groups":null}}"#;
    let response = tokens(&world, "openid", &[("claims", asked)]).await;
    let expected = json!({"sub": "ada", "email": "ada@example.com", "groups": ["a", "b"]});
    let answer = userinfo(&world, text(&response, "access_token")).await;
    assert_eq!(answer.json(), expected);
    let refreshed = world.refresh(text(&response, "refresh_token")).await.json();
    let answer = userinfo(&world, text(&refreshed, "access_token")).await;
    assert_eq!(answer.json(), expected);
}

/// Section 5.3.3, by RFC 6750, section 3.
#[tokio::test]
async fn a_token_that_does_not_suffice_gets_a_challenge() {
    let world = world().await;
    let path = "/oauth/userinfo";
    let nothing = world.request("GET", path, FORM, "").await;
    assert_eq!(nothing.status(), 401);
    assert_eq!(nothing.header("www-authenticate"), r#"Bearer scope="openid""#);
    assert_eq!(nothing.text(), "");

    let unknown = userinfo(&world, "unknown").await;
    assert_eq!(unknown.status(), 401);
    assert!(unknown.header("www-authenticate").contains(r#"error="invalid_token""#));

    let other = tokens(&world, "email", &[]).await;
    let other = userinfo(&world, text(&other, "access_token")).await;
    assert_eq!(other.status(), 403);
    let challenge = other.header("www-authenticate");
    assert!(challenge.contains(r#"error="insufficient_scope""#), "{challenge}");
    assert!(challenge.contains(r#"scope="openid""#), "{challenge}");

    let response = tokens(&world, "openid", &[]).await;
    let access = text(&response, "access_token");
    let twice = send(&world, Method::POST, access, &format!("access_token={access}")).await;
    assert_eq!(twice.status(), 400);
    assert!(twice.header("www-authenticate").contains(r#"error="invalid_request""#));
    let in_query = world.request("GET", &format!("{path}?access_token={access}"), FORM, "").await;
    assert_eq!(in_query.status(), 401);

    world.clock.advance(Duration::from_secs(3600));
    let expired = userinfo(&world, access).await;
    assert_eq!(expired.status(), 401);
    assert!(expired.header("www-authenticate").contains("expired"));
}

#[tokio::test]
async fn a_token_of_a_client_for_itself_or_for_another_api_tells_nothing() {
    let world = world().await;
    let machine = quadrille::provider::NewClient::confidential("Machine")
        .scopes(quadrille::Scopes::of(["openid", "photos:read"]));
    let machine = world.server.register(machine).await.unwrap();
    let auth = quadrille::oauth2::ClientAuth::Basic {
        client_id: (*machine.client.id).into(),
        client_secret: machine.secret.unwrap(),
    };
    let asked = |scope: Option<&str>| quadrille::oauth2::TokenRequest::ClientCredentials {
        scope: scope.map(|scope| quadrille::Scopes::parse(scope).unwrap()),
        resource: quadrille::oauth2::Resources::EMPTY,
    };
    // There is nobody whom the scope could be about.
    assert_eq!(world.token(&auth, &asked(Some("openid"))).await.error(), "invalid_scope");
    let own = world.token(&auth, &asked(None)).await.json();
    assert_eq!((own.get("id_token"), &own["scope"]), (None, &"photos:read".into()));
    assert_eq!(userinfo(&world, text(&own, "access_token")).await.status(), 403);

    let response = tokens(&world, "openid", &[("resource", API)]).await;
    let answer = userinfo(&world, text(&response, "access_token")).await;
    assert_eq!(answer.status(), 401);
    assert!(answer.header("www-authenticate").contains("not meant for this API"));
}

#[tokio::test]
async fn a_revoked_grant_a_closed_account_and_an_absent_directory_are_told_apart() {
    let world = world().await;
    let response = tokens(&world, "openid email", &[]).await;
    let access = text(&response, "access_token").to_owned();
    world.server.revoke_subject("ada").await.unwrap();
    assert_eq!(userinfo(&world, &access).await.status(), 401);
    for (subject, status) in [("closed", 401), ("unlucky", 503)] {
        world.clock.advance(Duration::from_secs(60));
        world.sign_in(subject);
        let mut browser = crate::support::Browser::default();
        let page = world.ask(&mut browser, &super::asking(&world, "openid email", &[])).await;
        let code = browser.answer(&world, &page, "decision=all").await.query("code");
        let response = world.redeem(&code).await.json();
        let answer = userinfo(&world, text(&response, "access_token")).await;
        assert_eq!(answer.status(), status, "{subject}: {answer:?}");
        assert_eq!(answer.headers().contains_key("www-authenticate"), status == 401);
    }
}

/// Section 5.3.2: signed, with `iss` and `aud`.
#[tokio::test]
async fn a_client_that_is_registered_for_it_gets_a_signed_response() {
    let mut metadata = ClientOpenId::default();
    metadata.userinfo_signed_response_alg = Some(Algorithm::Es256);
    let world = world_with(metadata).await;
    let response = tokens(&world, "openid email", &[]).await;
    let answer = userinfo(&world, text(&response, "access_token")).await;
    assert_eq!(answer.header("content-type"), "application/jwt");
    let jwks = world.send(Request::get("/oauth/jwks").body(Body::empty()).unwrap()).await;
    let keys = KeySet::parse(jwks.text().as_bytes()).unwrap();
    let rules = Verification::new(Algorithms::only(Algorithm::Es256), TokenType::Plain);
    let verified = Unverified::parse(answer.text()).unwrap().verify(&rules, &keys).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(verified.payload()).unwrap();
    let expected = json!({
        "sub": "ada", "email": "ada@example.com", "email_verified": true,
        "iss": "https://id.example", "aud": &*world.client.id,
    });
    assert_eq!(claims, expected);
}

/// Section 5.3: scripts of other origins may call it.
#[tokio::test]
async fn a_script_of_another_origin_may_call_it() {
    let world = world().await;
    let preflight = Request::options("/oauth/userinfo")
        .header("origin", "https://app.example")
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "authorization");
    let preflight = world.send(preflight.body(Body::empty()).unwrap()).await;
    assert_eq!(preflight.status(), 204);
    assert_eq!(preflight.header("access-control-allow-origin"), "*");
    assert_eq!(preflight.header("access-control-allow-methods"), "GET, POST");
    assert!(preflight.header("access-control-allow-headers").contains("authorization"));
    let refused = userinfo(&world, "unknown").await;
    assert_eq!(refused.header("access-control-allow-origin"), "*");
}

#[tokio::test]
async fn it_is_not_there_without_openid_connect() {
    let world = World::new().await;
    assert_eq!(userinfo(&world, "x").await.status(), 404);
}
