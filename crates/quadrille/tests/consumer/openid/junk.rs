//! Tokens that anybody can send, with a key that the provider does not have.

use std::time::Duration;

use http::HeaderMap;
use quadrille::{
    Google, KeyRing, Login, Owner,
    consumer::{Jar, PresentedIdToken},
    jose::{Algorithm, Protected, SigningKey},
    testing::{FakeService, Fault, ManualClock},
    transport::Purpose,
};
use serde_json::{Value, json};

use super::{ISSUER, World};
use crate::support::{SECRET, SITE};

/// The metadata and the keys.
const DOCUMENTS: usize = 2;

/// A logout token that anybody could write, with these changes.
fn junk(world: &World, header: &Protected<'_>, change: &Value) -> String {
    let key = SigningKey::generate(Algorithm::Es256).unwrap().with_kid("junk");
    let now = world.clock.now().seconds();
    let mut claims = json!({
        "iss": ISSUER, "aud": "our-id", "sub": "7", "jti": "x", "iat": now, "exp": now + 120,
        "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
    });
    for (name, value) in change.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    key.sign(header, claims.to_string().as_bytes()).unwrap()
}

async fn is_ended(world: &World, token: &str) -> bool {
    world.login.end_by_logout_token("acme", token).await.is_ok()
}

/// Back-Channel Logout, section 2.6.
#[tokio::test]
async fn what_is_no_logout_token_for_us_is_worth_no_request_for_keys() {
    let world = World::new();
    world.log_in(7).await.unwrap();
    assert_eq!(world.fetched(), DOCUMENTS);
    let logout = Protected::typ("logout+jwt");
    for change in [
        json!({ "iss": "https://evil.example" }),
        json!({ "aud": "another" }),
        json!({ "exp": 1 }),
        json!({ "iat": null }),
        json!({ "iat": world.clock.now().seconds() + 3600 }),
        json!({ "jti": null }),
        json!({ "sub": null }),
        json!({ "nonce": "n" }),
        json!({ "events": {} }),
    ] {
        assert!(!is_ended(&world, &junk(&world, &logout, &change)).await);
        assert_eq!(world.fetched(), DOCUMENTS, "{change}");
    }
    let of_another_type = junk(&world, &Protected::typ("at+jwt"), &json!({}));
    assert!(!is_ended(&world, &of_another_type).await);
    assert_eq!(world.fetched(), DOCUMENTS);
}

/// Back-Channel Logout, section 2.6.
#[tokio::test]
async fn junk_lets_neither_a_login_nor_for_long_a_logout_wait_for_a_new_key() {
    let world = World::new();
    world.log_in(7).await.unwrap();
    let junk = junk(&world, &Protected::typ("logout+jwt"), &json!({}));
    for _ in 0..50 {
        assert!(!is_ended(&world, &junk).await);
    }
    assert_eq!(world.fetched(), DOCUMENTS + 2, "within limits of its own");
    world.service.suffers(Fault::KeysRotated);
    // The ID token of a login comes from the provider itself.
    world.log_in(7).await.unwrap();
    let ends = json!({ "sub": "7" });
    let after_login = world.service.logout_token("our-id", &ends).unwrap();
    assert!(is_ended(&world, &after_login).await, "the login has brought the key");
    world.service.suffers(Fault::KeysRotated);
    world.clock.advance(Duration::from_secs(10));
    let genuine = world.service.logout_token("our-id", &ends).unwrap();
    assert!(is_ended(&world, &genuine).await);
}

/// Back-Channel Logout, section 2.6.
#[tokio::test]
async fn a_logout_token_by_a_new_key_ends_a_session_at_once() {
    let world = World::new();
    world.log_in(7).await.unwrap();
    world.service.suffers(Fault::KeysRotated);
    let genuine = world.service.logout_token("our-id", &json!({ "sub": "7" })).unwrap();
    assert!(is_ended(&world, &genuine).await);
}

#[tokio::test]
async fn presented_id_tokens_with_unknown_keys_let_no_login_wait() {
    let google = FakeService::of::<Google>("our-id", SECRET);
    let clock = ManualClock::new();
    google.tells_time(&clock.env());
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with(Google::new("our-id", SECRET).accept_id_tokens())
        .storage(quadrille::consumer::MemoryStorage::new())
        .http(google.clone())
        .env(clock.env());
    google.link(&login, "google", &Owner::user("ada"), 7).await;
    let other = FakeService::of::<Google>("our-id", SECRET);
    other.tells_time(&clock.env());
    for _ in 0..3 {
        other.suffers(Fault::KeysRotated);
    }
    let text = "a text of an app, long enough";
    let nonce = "does not matter: the key is unknown";
    let junk = other.id_token("our-id", 7, nonce).unwrap();
    let presented = PresentedIdToken::new(&junk).with_text_of_the_app(text);
    let before = google.times_asked(Purpose::Document);
    for _ in 0..20 {
        let jar = Jar::new(&HeaderMap::new());
        let finished = login.finish_with_id_token(&jar, "google", &presented, &Owner::NOBODY).await;
        assert_eq!(finished.unwrap_err().code(), "id_token_rejected");
    }
    assert!(google.times_asked(Purpose::Document) <= before + 2);
    google.suffers(Fault::KeysRotated);
    google.link(&login, "google", &Owner::user("ada"), 7).await;
}
