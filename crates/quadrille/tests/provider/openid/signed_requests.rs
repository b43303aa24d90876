//! Clients whose requests are in signed request objects alone (RFC 9101, section 10.5).

use quadrille::{
    jose::{Algorithm, KeySet, Protected, SigningKey},
    provider::{AuthorizationServer, DynamicRegistration, RequestObjects},
};
use serde_json::{Map, Value, json};
use url::Url;

use super::{asking, openid, world_of};
use crate::support::{Answer, Browser, CALLBACK, World};

async fn world(objects: Option<RequestObjects>) -> World {
    let registration = DynamicRegistration::open_to_anybody_so_that_strangers_add_clients();
    let offered = match objects {
        Some(objects) => openid().request_objects(objects),
        None => openid(),
    };
    let on =
        |server: AuthorizationServer| server.openid(offered).dynamic_registration(registration);
    world_of(|new| new, on).await
}

async fn register(world: &World, jwks: &Value) -> Answer {
    let metadata = json!({
        "redirect_uris": [CALLBACK],
        "jwks": jwks,
        "require_signed_request_object": true,
    });
    let text = metadata.to_string();
    world.request("POST", "/oauth/register", "application/json", &text).await
}

/// Dynamic Client Registration, section 2: a member of another specification.
#[tokio::test]
async fn a_client_that_registers_so_is_refused_whatever_it_has_not_signed() {
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let jwks = KeySet::from_iter([key.verifying_key().clone()]).to_json();
    let jwks: Value = serde_json::from_str(&jwks).unwrap();
    let objects = RequestObjects::new().accept_unsigned_ones_that_anybody_can_have_written();
    let mut world = world(Some(objects)).await;
    let registered = register(&world, &jwks).await.json();
    assert_eq!(registered["require_signed_request_object"], true, "{registered}");
    world.client.id = registered["client_id"].as_str().unwrap().into();
    world.sign_in("ada");
    let signed = |claims: &Value| key.sign(&Protected::plain(), claims.to_string().as_bytes());
    let plain = asking(&world, "openid", &[]).to_url("https://id.example/").unwrap();
    let plain = Url::parse(&plain).unwrap();
    let mut inside: Map<String, Value> =
        plain.query_pairs().map(|(name, value)| (name.into(), (*value).into())).collect();
    let (all, none) = (signed(&inside.clone().into()).unwrap(), signed(&json!({})).unwrap());
    inside.remove("state");
    inside.insert("prompt".to_owned(), "none".into());
    let without_state = signed(&inside.into()).unwrap();
    let unsigned = "eyJhbGciOiJub25lIn0.e30.";
    for (further, is_right) in [
        (vec![], false),
        (vec![("request", unsigned)], false),
        (vec![("request", &*none)], false),
        (vec![("request", &*all)], true),
        (vec![("request", &*all), ("prompt", "none")], true),
    ] {
        let answer = world.ask(&mut Browser::default(), &asking(&world, "openid", &further)).await;
        assert_eq!(answer.status() == 200, is_right, "{further:?}: {answer:?}");
    }
    // Parameters that the client did not sign do not count (RFC 9101, section 6.3).
    let further = [("request", &*without_state)];
    let answer = world.ask(&mut Browser::default(), &asking(&world, "openid", &further)).await;
    let page = answer.text();
    assert!(page.contains("error=consent_required") && !page.contains("state="), "{page}");
    let without = self::world(None).await;
    assert_eq!(register(&without, &jwks).await.error(), "invalid_client_metadata");
}
