//! Request objects (OpenID Connect Core, section 6; RFC 9101).

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::body::Body;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use http::Request;
use quadrille::{
    KeyRing, Secret,
    jose::{
        Algorithm, ContentEncryption, DecryptingKey, EncryptingKey, KeyManagement, KeySet,
        Protected, SigningKey,
    },
    provider::{
        AuthorizationServer, ClientKeys, ClientOpenId, DynamicRegistration, FetchError, Fetched,
        NewClient, RegisteredAuth, RequestObjectSigning, RequestObjects, TokenFetcher,
    },
};
use serde_json::{Value, json};
use url::Url;

use super::{asking, consented, id_token, openid, text, world_of};
use crate::support::{Answer, Browser, ISSUER, World};

const URI: &str = "https://app.example/request.jwt";

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::Es256).unwrap()
}

fn jwks(key: &SigningKey) -> ClientKeys {
    ClientKeys::Jwks(KeySet::from_iter([key.verifying_key().clone()]).to_json().into())
}

async fn world_with(objects: RequestObjects, change: impl FnOnce(&mut ClientOpenId)) -> World {
    let mut metadata = ClientOpenId::default();
    change(&mut metadata);
    let on = |server: AuthorizationServer| server.openid(openid().request_objects(objects));
    world_of(|new| new.openid(metadata), on).await
}

/// A world whose client signs by this key.
async fn signing(key: &SigningKey, objects: RequestObjects) -> World {
    world_with(objects, |metadata| metadata.keys = Some(jwks(key))).await
}

fn signed(key: &SigningKey, claims: &Value) -> String {
    key.sign(&Protected::typ("oauth-authz-req+jwt"), claims.to_string().as_bytes()).unwrap()
}

fn unsigned(claims: &Value) -> String {
    let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.", part(r#"{"alg":"none"}"#), part(&claims.to_string()))
}

/// The answer to a request of a user who is signed in, with further parameters.
async fn ask(world: &World, further: &[(&str, &str)]) -> Answer {
    world.sign_in("ada");
    world.ask(&mut Browser::default(), &asking(world, "openid", further)).await
}

async fn refused(world: &World, further: &[(&str, &str)], error: &str) {
    let answer = ask(world, further).await;
    assert_eq!(answer.query("error"), error, "{further:?}: {answer:?}");
    assert_eq!(answer.query("state"), "xyz", "{further:?}");
}

/// Section 6.1, and RFC 9101, section 6.3.
#[tokio::test]
async fn what_a_client_has_signed_replaces_what_is_in_the_address() {
    let key = key();
    let world = signing(&key, RequestObjects::new()).await;
    let object = signed(
        &key,
        &json!({
            "iss": world.client.id, "aud": ISSUER, "exp": world.env.now().seconds() + 60,
            "client_id": world.client.id, "response_type": "code", "state": "signed",
            "nonce": "signed", "scope": "openid email", "max_age": 600,
        }),
    );
    let sent = [("request", &*object), ("nonce", "forged"), ("max_age", "x")];
    let answer = consented(&world, "openid", &sent).await;
    assert_eq!(answer.query("state"), "signed");
    let response = world.redeem(&answer.query("code")).await.json();
    assert_eq!(id_token(&world, &response).await.nonce.as_deref(), Some("signed"));
    assert!(text(&response, "scope").contains("email"), "{response}");
    // Not registered: an address outside that nobody reads.
    let inside = signed(&key, &json!({ "redirect_uri": world.client.redirect_uris[0].as_str() }));
    let sent = [("request", &*inside), ("prompt", "consent")];
    let mut request = asking(&world, "openid", &sent);
    request.redirect_uri = Some("https://evil.example/".into());
    assert_eq!(world.ask(&mut Browser::default(), &request).await.status(), 200);
    let inside = signed(&key, &json!({ "redirect_uri": "https://evil.example/" }));
    let answer = ask(&world, &[("request", &inside)]).await;
    assert_eq!(answer.reason(), "redirect_uri_not_registered");
}

/// RFC 9101, sections 6 and 7.
#[tokio::test]
async fn an_object_that_is_not_of_the_client_or_of_another_request_is_refused_at_the_client() {
    let key = key();
    let world = signing(&key, RequestObjects::new()).await;
    let now = world.env.now().seconds();
    let good = signed(&key, &json!({}));
    let typed = key.sign(&Protected::typ("at+jwt"), b"{}").unwrap();
    for object in [
        "x",
        "a.b.c",
        &signed(&self::key(), &json!({})),
        &format!("{good}A"),
        &typed,
        &unsigned(&json!({})),
        &signed(&key, &json!({ "client_id": "another" })),
        &signed(&key, &json!({ "response_type": "id_token" })),
        &signed(&key, &json!({ "exp": now - 60 })),
        &signed(&key, &json!({ "nbf": now + 60 })),
        &signed(&key, &json!({ "aud": "https://other.example" })),
        &signed(&key, &json!({ "aud": [] })),
        &signed(&key, &json!({ "aud": { "issuer": ISSUER } })),
        &signed(&key, &json!({ "aud": [ISSUER, 7] })),
        &signed(&key, &json!({ "iss": "another" })),
        &signed(&key, &json!({ "sub": world.client.id })),
        &signed(&key, &json!({ "request": good })),
        &signed(&key, &json!({ "request_uri": URI })),
        &key.sign(&Protected::plain(), br#"{"nonce":"a","nonce":"b"}"#).unwrap(),
    ] {
        refused(&world, &[("request", object)], "invalid_request_object").await;
    }
    refused(&world, &[("request_uri", URI)], "request_uri_not_supported").await;
    refused(&world, &[("request_uri", URI), ("request", &good)], "invalid_request").await;
    assert_eq!(ask(&world, &[("request", &good)]).await.status(), 200);
    // Parameters that are needed outside (OpenID Connect Core, section 6.1).
    let inside = signed(&key, &json!({ "response_type": "code", "client_id": world.client.id }));
    let url = format!("/oauth/authorize?client_id={}&request={inside}", world.client.id);
    let answer = Browser::default().get(&world, &url).await;
    assert_eq!(answer.query("error"), "invalid_request");
    let url = format!("/oauth/authorize?response_type=code&request={inside}");
    assert_eq!(Browser::default().get(&world, &url).await.status(), 400);
}

#[tokio::test]
async fn an_object_that_expires_while_the_user_signs_in_was_in_time() {
    let key = key();
    let world = signing(&key, RequestObjects::new()).await;
    let object = signed(&key, &json!({ "exp": world.env.now().seconds() + 60 }));
    let mut browser = Browser::default();
    let sent = world.ask(&mut browser, &asking(&world, "openid", &[("request", &object)])).await;
    let back = super::requests::back(&sent);
    world.clock.advance(Duration::from_secs(300));
    world.sign_in("ada");
    assert_eq!(browser.get(&world, &back).await.status(), 200);
    refused(&world, &[("request", &object)], "invalid_request_object").await;
    world.clock.advance(Duration::from_secs(24 * 3600));
    let late = browser.get(&world, &back).await;
    assert_eq!(late.query("error"), "invalid_request_object");
}

/// OpenID Connect Dynamic Client Registration, section 2: `request_object_signing_alg`.
#[tokio::test]
async fn the_registered_algorithm_is_the_only_one_and_none_needs_a_server_that_accepts_it() {
    let key = key();
    let objects = || RequestObjects::new().accept_unsigned_ones_that_anybody_can_have_written();
    let registered = |alg| {
        let keys = Some(jwks(&key));
        move |metadata: &mut ClientOpenId| {
            metadata.keys = keys;
            metadata.request_object_signing_alg = alg;
        }
    };
    let (plain, by_key) = (unsigned(&json!({})), signed(&key, &json!({})));
    let only = registered(Some(RequestObjectSigning::Signed(Algorithm::Es256)));
    let world = world_with(objects(), only).await;
    refused(&world, &[("request", &plain)], "invalid_request_object").await;
    assert_eq!(ask(&world, &[("request", &by_key)]).await.status(), 200);
    let world = world_with(objects(), registered(Some(RequestObjectSigning::Unsigned))).await;
    refused(&world, &[("request", &by_key)], "invalid_request_object").await;
    assert_eq!(ask(&world, &[("request", &plain)]).await.status(), 200);
    let world = world_with(objects(), registered(None)).await;
    assert_eq!(ask(&world, &[("request", &plain)]).await.status(), 200);
    assert_eq!(ask(&world, &[("request", &by_key)]).await.status(), 200);
}

/// Section 10.1: a secret that the server has as a hash verifies nothing.
#[tokio::test]
async fn the_secret_of_a_client_signs_if_the_server_knows_it() {
    let on = |server: AuthorizationServer| {
        server.openid(openid().request_objects(RequestObjects::new()))
    };
    let by_secret = |new: NewClient| new.auth(RegisteredAuth::ClientSecretJwt { alg: None });
    let known = world_of(by_secret, on).await;
    let hashed = world_of(|new| new, on).await;
    for (world, is_known) in [(known, true), (hashed, false)] {
        let secret = Secret::from(world.secret.clone());
        let hmac = SigningKey::hmac(Algorithm::Hs256, &secret).unwrap();
        let object = signed(&hmac, &json!({}));
        match is_known {
            true => assert_eq!(ask(&world, &[("request", &object)]).await.status(), 200),
            false => refused(&world, &[("request", &object)], "invalid_request_object").await,
        }
        let other = SigningKey::hmac(Algorithm::Hs256, &Secret::from("a".repeat(43))).unwrap();
        let object = signed(&other, &json!({}));
        refused(&world, &[("request", &object)], "invalid_request_object").await;
    }
}

/// A server with one object, which counts its requests.
#[derive(Clone, Default)]
struct Remote {
    object: Arc<Mutex<String>>,
    asked: Arc<AtomicUsize>,
}

impl TokenFetcher for Remote {
    async fn fetch_token(&self, url: &Url) -> Result<Fetched, FetchError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        assert_eq!(url.as_str(), URI, "without a fragment");
        match self.object.lock().unwrap().clone() {
            none if none.is_empty() => Err(FetchError::Status(404)),
            object => Ok(Fetched::new(object)),
        }
    }
}

/// Section 6.2.
#[tokio::test]
async fn an_object_at_a_registered_address_is_fetched_and_kept() {
    let (key, remote) = (key(), Remote::default());
    let objects = RequestObjects::new().by_reference(remote.clone());
    let world = world_with(objects, |metadata| {
        metadata.keys = Some(jwks(&key));
        metadata.request_uris = vec![format!("{URI}#1").into()];
    })
    .await;
    let asked = || remote.asked.load(Ordering::SeqCst);
    for other in ["http://app.example/request.jwt", "https://evil.example/", "x", "urn:a"] {
        refused(&world, &[("request_uri", other)], "invalid_request_uri").await;
    }
    assert_eq!(asked(), 0, "nobody is asked");
    refused(&world, &[("request_uri", URI)], "invalid_request_uri").await;
    assert_eq!(asked(), 1);
    *remote.object.lock().unwrap() = signed(&key, &json!({ "state": "first" }));
    world.clock.advance(Duration::from_secs(10));
    for _ in 0..3 {
        let answer = consented(&world, "openid", &[("request_uri", URI), ("prompt", "consent")]);
        assert_eq!(answer.await.query("state"), "first");
    }
    assert_eq!(asked(), 2, "it is kept");
    // The fragment of another version.
    let second = signed(&key, &json!({ "state": "second" }));
    let hash = BASE64_URL_SAFE_NO_PAD
        .encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, second.as_bytes()));
    *remote.object.lock().unwrap() = second;
    world.clock.advance(Duration::from_secs(10));
    let versioned = format!("{URI}#{hash}");
    let sent = [("request_uri", &*versioned), ("prompt", "consent")];
    assert_eq!(consented(&world, "openid", &sent).await.query("state"), "second");
    assert_eq!(asked(), 3);
    // Not one of the client's own.
    *remote.object.lock().unwrap() = unsigned(&json!({}));
    world.clock.advance(Duration::from_secs(3601));
    refused(&world, &[("request_uri", URI)], "invalid_request_object").await;
    *remote.object.lock().unwrap() = "a".repeat(20_000);
    world.clock.advance(Duration::from_secs(7201));
    refused(&world, &[("request_uri", URI)], "invalid_request_uri").await;
}

/// Section 6.1, and RFC 7519, section 5.2: signed, then encrypted.
#[tokio::test]
async fn an_object_is_encrypted_to_a_published_key() {
    let (key, ours) = (key(), DecryptingKey::generate(KeyManagement::EcdhEs).unwrap());
    let world = signing(&key, RequestObjects::new().encrypted_to([ours.clone()])).await;
    let jwks = world.send(Request::get("/oauth/jwks").body(Body::empty()).unwrap()).await;
    assert!(!jwks.text().contains(r#""d":"#), "{jwks:?}");
    let keys = KeySet::parse(jwks.text().as_bytes()).unwrap();
    let published = keys.encrypting_by(KeyManagement::EcdhEs).unwrap();
    assert_eq!(published.kid(), ours.kid());
    let encrypted = |object: &str, cty: &str| {
        let header = Protected::plain().cty(cty);
        let (alg, enc) = (KeyManagement::EcdhEs, ContentEncryption::A256Gcm);
        published.encrypt(alg, enc, &header, object.as_bytes()).unwrap()
    };
    let inside = signed(&key, &json!({ "state": "hidden" }));
    let sent = encrypted(&inside, "JWT");
    let answer = consented(&world, "openid", &[("request", &sent)]).await;
    assert_eq!(answer.query("state"), "hidden");
    // The last of the tag's characters is one of four.
    let other = if sent.ends_with('A') { 'Q' } else { 'A' };
    let broken = format!("{}{other}", &sent[..sent.len() - 1]);
    for object in [
        &*broken,
        &encrypted(&unsigned(&json!({})), "JWT"),
        &encrypted(&inside, "text"),
        &encrypted(&sent, "JWT"),
        &encrypted("{}", "JWT"),
    ] {
        refused(&world, &[("request", object)], "invalid_request_object").await;
    }
    let without = signing(&key, RequestObjects::new()).await;
    refused(&without, &[("request", &sent)], "invalid_request_object").await;
}

/// Section 6.1, and OpenID Connect Discovery, section 3: the keys of the application beside those of the
/// ring, each published with its algorithm.
#[tokio::test]
async fn an_object_is_encrypted_to_an_rsa_key_of_the_application_beside_the_ring() {
    let (key, ring) = (key(), KeyRing::ephemeral());
    let rsa = DecryptingKey::generate(KeyManagement::RsaOaep256).unwrap();
    let objects = RequestObjects::new().encrypted_to_keys_of(&ring, ISSUER).unwrap();
    let world = signing(&key, objects.encrypted_to([rsa.clone()])).await;
    let get = async |path: &str| world.send(Request::get(path).body(Body::empty()).unwrap()).await;
    let discovered = get("/.well-known/openid-configuration").await.json();
    assert_eq!(
        discovered["request_object_encryption_alg_values_supported"],
        json!([
            "RSA-OAEP-256",
            "ECDH-ES",
            "ECDH-ES+A128KW",
            "ECDH-ES+A256KW",
            "A128KW",
            "A256KW",
            "dir"
        ])
    );
    let jwks = get("/oauth/jwks").await;
    let published = jwks.json()["keys"].as_array().unwrap().clone();
    let published = published.iter().find(|one| one["kid"] == rsa.kid().unwrap()).unwrap().clone();
    assert_eq!((&published["use"], &published["alg"]), (&json!("enc"), &json!("RSA-OAEP-256")));
    assert!(published.get("d").is_none());
    let keys = KeySet::parse(jwks.text().as_bytes()).unwrap();
    let inside = signed(&key, &json!({ "state": "hidden" }));
    let header = Protected::plain().cty("JWT");
    let enc = ContentEncryption::A128CbcHs256;
    for alg in [KeyManagement::RsaOaep256, KeyManagement::EcdhEsA128Kw] {
        let to = keys.encrypting_by(alg).unwrap();
        let sent = to.encrypt(alg, enc, &header, inside.as_bytes()).unwrap();
        let asked = [("request", &*sent), ("prompt", "consent")];
        let answer = consented(&world, "openid", &asked).await;
        assert_eq!(answer.query("state"), "hidden", "{alg:?}");
        // A key that was changed, one of another length and a changed payload are the same error.
        let parts: Vec<_> = sent.split('.').collect();
        let other = |index: usize, part: &str| {
            let mut parts = parts.clone();
            parts[index] = part;
            parts.join(".")
        };
        let flipped = |part: &str| {
            let first = if part.starts_with('A') { "B" } else { "A" };
            format!("{first}{}", &part[1..])
        };
        for broken in [
            other(1, &flipped(parts[1])),
            other(1, &parts[1][4..]),
            other(1, ""),
            other(3, &flipped(parts[3])),
            other(4, &flipped(parts[4])),
        ] {
            refused(&world, &[("request", &broken)], "invalid_request_object").await;
        }
    }
    // The key is for its algorithm alone.
    let jwk = rsa.encrypting_key().to_jwk().unwrap().replace("RSA-OAEP-256", "RSA-OAEP");
    let to = EncryptingKey::from_jwk(&jwk).unwrap();
    let sent = to.encrypt(KeyManagement::RsaOaep, enc, &header, inside.as_bytes()).unwrap();
    refused(&world, &[("request", &sent)], "invalid_request_object").await;
}

/// OpenID Connect Discovery, section 3.
#[tokio::test]
async fn the_metadata_says_what_is_on() {
    let metadata = async |objects: Option<RequestObjects>| {
        let on = |server: AuthorizationServer| match objects {
            Some(objects) => server.openid(openid().request_objects(objects)),
            None => server,
        };
        let world = world_of(|new| new, on).await;
        let path = "/.well-known/openid-configuration";
        world.send(Request::get(path).body(Body::empty()).unwrap()).await.json()
    };
    let names = [
        "require_request_uri_registration",
        "request_object_signing_alg_values_supported",
        "request_object_encryption_alg_values_supported",
        "request_object_encryption_enc_values_supported",
    ];
    let off = metadata(None).await;
    assert_eq!(off["request_parameter_supported"], false);
    assert_eq!(off["request_uri_parameter_supported"], false);
    assert!(names.iter().all(|name| off.get(*name).is_none()), "{off}");
    let by_value = metadata(Some(RequestObjects::new())).await;
    assert_eq!(by_value["request_parameter_supported"], true);
    assert_eq!(by_value["request_uri_parameter_supported"], false);
    let has = |metadata: &Value, name: &str, value: &str| {
        metadata[name].as_array().unwrap().contains(&value.into())
    };
    let [registration, signing, alg, enc] = names;
    assert!(has(&by_value, signing, "ES256") && has(&by_value, signing, "HS256"));
    assert!(!has(&by_value, signing, "none"));
    assert!([registration, alg, enc].iter().all(|name| by_value.get(*name).is_none()));
    let key = DecryptingKey::generate(KeyManagement::EcdhEsA256Kw).unwrap();
    let all = RequestObjects::new()
        .by_reference(Remote::default())
        .accept_unsigned_ones_that_anybody_can_have_written()
        .encrypted_to([key]);
    let all = metadata(Some(all)).await;
    assert_eq!(all["request_uri_parameter_supported"], true);
    assert_eq!(all[registration], true);
    assert!(has(&all, signing, "none"));
    assert_eq!(all[alg], json!(["ECDH-ES+A256KW", "A128KW", "A256KW", "dir"]));
    assert!(has(&all, enc, "A128CBC-HS256"));
}

/// OpenID Connect Dynamic Client Registration, section 2.
#[tokio::test]
async fn a_client_registers_its_keys_and_addresses_itself() {
    let key = key();
    let ClientKeys::Jwks(keys) = jwks(&key) else { panic!("a set") };
    let keys: Value = serde_json::from_str(&keys).unwrap();
    let register = async |on: bool, members: Value| {
        let registration = DynamicRegistration::open_to_anybody_so_that_strangers_add_clients();
        let objects = RequestObjects::new().by_reference(Remote::default());
        let offered = if on { openid().request_objects(objects) } else { openid() };
        let change =
            |it: AuthorizationServer| it.openid(offered).dynamic_registration(registration);
        let world = world_of(|new| new, change).await;
        let mut metadata = json!({ "redirect_uris": ["https://app.example/callback"] });
        metadata.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let text = metadata.to_string();
        world.request("POST", "/oauth/register", "application/json", &text).await
    };
    let whole = json!({
        "jwks": keys,
        "request_object_signing_alg": "ES256",
        "request_uris": [URI],
    });
    let answer = register(true, whole.clone()).await;
    assert_eq!(answer.status(), 201, "{answer:?}");
    for (name, value) in whole.as_object().unwrap() {
        assert_eq!(answer.json()[name], *value, "{name}");
    }
    for members in [
        json!({ "request_object_signing_alg": "ES256" }),
        json!({ "request_object_signing_alg": "ES384", "jwks": keys }),
        json!({ "request_object_signing_alg": "HS256" }),
        json!({ "request_object_signing_alg": "none" }),
        json!({ "request_object_encryption_alg": "RSA-OAEP" }),
        json!({ "request_uris": ["https://localhost/request.jwt"] }),
    ] {
        let answer = register(true, members.clone()).await;
        assert_eq!(answer.error(), "invalid_client_metadata", "{members}: {answer:?}");
    }
    // A server that reads none has nothing to keep.
    let answer = register(false, whole).await;
    assert_eq!(answer.status(), 201, "{answer:?}");
    assert!(answer.json().get("request_uris").is_none());
    assert!(answer.json().get("jwks").is_none());
}
