//! The members of OpenID Connect in a document.

use std::time::Duration;

use quadrille::{
    Policy, Scopes, Timestamp,
    jose::{Algorithm, KeySet, Protected, SigningKey, SigningKeys, Unverified},
    provider::{AuthorizationServer, ClientMetadataDocuments, Logout, OpenId, RequestObjects},
};
use serde_json::{Map, Value, json};
use url::Url;

use super::{Web, as_the_client, assert_refused, assert_warned, page};
use crate::support::{Answer, Browser, World};

/// A provider with keys for ES256 and EdDSA, and request objects.
async fn world(web: &Web) -> World {
    let documents = ClientMetadataDocuments::fetched_by(web.clone());
    let key = |algorithm| {
        SigningKeys::new(SigningKey::generate(algorithm).unwrap(), Timestamp::default()).unwrap()
    };
    let openid = OpenId::new().request_objects(RequestObjects::new()).logout(Logout::new());
    let set = |server: AuthorizationServer| {
        server
            .signing_keys(key(Algorithm::Es256))
            .further_signing_keys(key(Algorithm::EdDsa))
            .openid(openid)
            .client_metadata_documents(documents)
    };
    let mut world =
        World::set_up(Policy::openid().acr_values(["gold", "pwd"]), |new| new, set).await;
    as_the_client(&mut world);
    world
}

/// The answer to a request with the scope `openid`, and with this request object.
async fn ask(world: &World, browser: &mut Browser, object: Option<&str>) -> Answer {
    let mut request = world.asking();
    request.scope = Some(Scopes::parse("openid").unwrap());
    request.extra.extend(object.map(|object| ("request".into(), object.into())));
    world.ask(browser, &request).await
}

#[tokio::test]
async fn members_have_the_effect_that_they_have_in_a_registration() {
    let web = Web::with(&json!({
        "default_max_age": 60,
        "id_token_signed_response_alg": "EdDSA",
        "post_logout_redirect_uris": ["https://app.example/bye"],
        "application_type": "native",
        "subject_type": "public",
        "require_pushed_authorization_requests": false,
    }));
    let world = world(&web).await;
    let mut browser = Browser::default();
    world.sign_in("ada");
    world.clock.advance(Duration::from_secs(61));
    let old = ask(&world, &mut browser, None).await;
    assert!(old.location().starts_with("/sign-in"), "{old:?}");
    world.sign_in("ada");
    let asked = ask(&world, &mut browser, None).await;
    let code = browser.answer(&world, &asked, "decision=all").await.query("code");
    let response = world.redeem(&code).await.json();
    let token = Unverified::parse(response["id_token"].as_str().unwrap()).unwrap();
    assert_eq!(token.header().algorithm(), Algorithm::EdDsa);
    let stored = world.server.client(super::ID).await.unwrap().unwrap();
    assert_eq!(stored.openid.post_logout_redirect_uris, ["https://app.example/bye"]);
    assert_eq!(stored.openid.default_max_age, Some(60));
    // Changed in the document, and stored with the next consent.
    web.put(&json!({ "default_acr_values": ["gold"] }));
    world.clock.advance(Duration::from_secs(3600));
    world.sign_in("ada");
    let weak = ask(&world, &mut browser, None).await;
    assert!(weak.location().starts_with("/sign-in"), "{weak:?}");
}

#[tokio::test]
async fn a_client_that_must_sign_its_requests_is_held_to_it() {
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let keys = KeySet::from_iter([key.verifying_key().clone()]).to_json();
    let keys: Value = serde_json::from_str(&keys).unwrap();
    let required = json!({ "require_signed_request_object": true, "jwks": keys });
    let web = Web::with(&required);
    let world = world(&web).await;
    world.sign_in("ada");
    let mut browser = Browser::default();
    let plain = ask(&world, &mut browser, None).await;
    assert_warned(&plain, 400, "invalid_request", "invalid_request");
    let of_another = SigningKey::generate(Algorithm::Es256).unwrap();
    let mut request = world.asking();
    request.scope = Some(Scopes::parse("openid").unwrap());
    let request = Url::parse(&request.to_url("https://id.example/").unwrap()).unwrap();
    let claims: Map<String, Value> =
        request.query_pairs().map(|(name, value)| (name.into(), (*value).into())).collect();
    let claims = Value::from(claims).to_string();
    for (key, is_right) in [(&of_another, false), (&key, true)] {
        let object = key.sign(&Protected::plain(), claims.as_bytes()).unwrap();
        let answer = ask(&world, &mut browser, Some(&object)).await;
        assert_eq!(answer.status() == 200, is_right, "{answer:?}");
    }
}

#[tokio::test]
async fn a_document_that_the_server_would_be_less_safe_than_is_refused() {
    let web = Web::default();
    let (world, plain) = (world(&web).await, super::world(&web).await);
    let private = r#"{"keys":[{"kty":"EC","crv":"P-256","d":"x","x":"x","y":"y"}]}"#;
    let private: Value = serde_json::from_str(private).unwrap();
    for change in [
        json!({ "require_signed_request_object": true }),
        json!({ "require_signed_request_object": true, "jwks": private }),
        json!({ "require_signed_request_object": "yes" }),
        json!({ "request_object_signing_alg": "ES256" }),
        json!({ "request_object_signing_alg": "HS256" }),
        json!({ "id_token_signed_response_alg": "PS512" }),
        json!({ "id_token_encrypted_response_alg": "ECDH-ES" }),
        json!({ "subject_type": "pairwise" }),
        json!({ "dpop_bound_access_tokens": true }),
        json!({ "tls_client_certificate_bound_access_tokens": true }),
        json!({ "require_pushed_authorization_requests": true }),
        json!({ "authorization_signed_response_alg": "ES256" }),
        json!({ "default_max_age": -1 }),
        json!({ "post_logout_redirect_uris": "https://app.example/" }),
        json!({ "frontchannel_logout_uri": "https://elsewhere.example/out" }),
        json!({ "backchannel_logout_uri": "https://10.0.0.1/out" }),
    ] {
        web.put(&change);
        assert_refused(&page(&world, &mut Browser::default()).await, 400);
    }
    for change in [
        json!({ "require_signed_request_object": true }),
        json!({ "dpop_bound_access_tokens": true }),
    ] {
        web.put(&change);
        assert_refused(&page(&plain, &mut Browser::default()).await, 400);
    }
    // Without OpenID Connect, its members have no use.
    web.put(&json!({ "id_token_signed_response_alg": "PS512", "default_max_age": 1 }));
    assert_eq!(page(&plain, &mut Browser::default()).await.status(), 200);
    // Keys that nobody needs may be anything.
    web.put(&json!({ "jwks": private, "jwks_uri": 7 }));
    assert_eq!(page(&world, &mut Browser::default()).await.status(), 200);
}
