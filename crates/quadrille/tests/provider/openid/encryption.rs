//! Encrypted ID tokens and userinfo responses (OpenID Connect Core, sections 5.3.2, 10.2 and 16.14).

use std::sync::{Arc, Mutex};

use axum::body::Body;
use http::Request;
use quadrille::{
    Secret,
    jose::{
        Algorithm, ContentEncryption, DecryptingKey, Decryption, Encrypted, KeyManagement, KeySet,
        Protected, SigningKey,
    },
    oauth2::{ClientAuth, Resources, TokenRequest},
    provider::{
        AuthorizationServer, ClientKeys, ClientOpenId, DynamicRegistration, FetchError, Fetched,
        Fetcher, MessageEncryption, NewClient, RedirectUri, RegisteredAuth, RegistrationError,
        RequestObjects,
    },
};
use serde_json::{Value, json};
use url::Url;

use super::{asking, consented, openid, text, tokens, verified, world_of};
use crate::support::{Answer, Browser, ISSUER, World};

const KEYS: &str = "https://app.example/jwks.json";

fn on(server: AuthorizationServer) -> AuthorizationServer {
    server.openid(openid().encrypted_responses())
}

fn jwks(key: &DecryptingKey) -> String {
    KeySet::default().with_encrypting([key.encrypting_key().clone()]).to_json()
}

/// A client whose answers are encrypted.
fn encrypted(alg: KeyManagement, enc: ContentEncryption, keys: Option<ClientKeys>) -> ClientOpenId {
    let mut metadata = ClientOpenId::default();
    let encryption = Some(MessageEncryption { alg, enc });
    metadata.id_token_encrypted_response = encryption;
    metadata.userinfo_encrypted_response = encryption;
    metadata.keys = keys;
    metadata
}

async fn userinfo(world: &World, response: &Value) -> Answer {
    let token = format!("Bearer {}", text(response, "access_token"));
    let request = Request::get("/oauth/userinfo").header("authorization", token);
    world.send(request.body(Body::empty()).unwrap()).await
}

/// The text within a token, which says whether that is a token itself.
fn opened(
    token: &str,
    key: &DecryptingKey,
    (alg, enc): (KeyManagement, ContentEncryption),
) -> (String, bool) {
    let read = Encrypted::parse(token).unwrap();
    let opened = read.decrypt(Decryption::only(alg, enc), [key]).unwrap();
    let text = std::str::from_utf8(opened.payload()).unwrap().to_owned();
    (text, opened.nested().is_ok())
}

/// Sections 5.3.2 and 10.2.
#[tokio::test]
async fn a_client_that_wants_it_gets_tokens_that_it_alone_can_read() {
    let by = (KeyManagement::EcdhEsA256Kw, ContentEncryption::A256Gcm);
    let key = DecryptingKey::generate(by.0).unwrap();
    let keys = ClientKeys::Jwks(jwks(&key).into());
    let mut metadata = encrypted(by.0, by.1, Some(keys));
    let world = world_of(|new| new.openid(metadata.clone()), on).await;
    let response = tokens(&world, "openid email", &[]).await;
    let (token, is_nested) = opened(text(&response, "id_token"), &key, by);
    assert!(is_nested);
    let (id_token, algorithm) = verified(&world, &token).await;
    assert_eq!((&*id_token.subject, algorithm), ("ada", Algorithm::Rs256));
    assert!(id_token.at_hash.is_some());
    // Claims that are not signed are no token.
    let answer = userinfo(&world, &response).await;
    assert_eq!(answer.header("content-type"), "application/jwt");
    let (claims, is_nested) = opened(answer.text(), &key, by);
    assert!(!is_nested);
    let claims: Value = serde_json::from_str(&claims).unwrap();
    assert_eq!(claims["email"], "ada@example.com");
    metadata.userinfo_signed_response_alg = Some(Algorithm::Es256);
    let signed = |_: &_, new: NewClient| new.openid(metadata.clone());
    world.server.edit_client(&world.client.id, signed).await.unwrap();
    let (token, is_nested) = opened(userinfo(&world, &response).await.text(), &key, by);
    assert!(is_nested && token.split('.').count() == 3, "{token}");
}

/// Section 10.2.
#[tokio::test]
async fn the_secret_encrypts_if_the_server_knows_it() {
    let by = (KeyManagement::Direct, ContentEncryption::A128CbcHs256);
    let metadata = encrypted(by.0, by.1, None);
    let by_secret = |new: NewClient| {
        new.openid(metadata.clone()).auth(RegisteredAuth::ClientSecretJwt { alg: None })
    };
    let world = world_of(by_secret, on).await;
    let code = consented(&world, "openid", &[]).await.query("code");
    let secret = Secret::from(world.secret.clone());
    let hmac = SigningKey::hmac(Algorithm::Hs256, &secret).unwrap();
    let auth = ClientAuth::signed(&hmac, &world.client.id, ISSUER, "1", world.env.now()).unwrap();
    let verifier = world.verifier();
    let asked = TokenRequest::AuthorizationCode {
        code: &code,
        redirect_uri: world.client.redirect_uris.first().map(RedirectUri::as_str),
        code_verifier: Some(verifier.expose()),
        resource: Resources::EMPTY,
    };
    let response = world.token(&auth, &asked).await.json();
    let key = DecryptingKey::of_client_secret(&secret, by.0, by.1).unwrap();
    let (token, _) = opened(text(&response, "id_token"), &key, by);
    assert_eq!(verified(&world, &token).await.0.subject, "ada");
    let hashed = NewClient::confidential("Hashed").redirect_uri("https://app.example/cb");
    let refused = world.server.register(hashed.openid(metadata.clone())).await.unwrap_err();
    assert!(matches!(refused, RegistrationError::Messages(_)), "{refused}");
}

/// Sections 6.1 and 10.2: a request object.
#[tokio::test]
async fn a_request_is_encrypted_by_the_secret_if_the_server_knows_it() {
    let ours = DecryptingKey::generate(KeyManagement::EcdhEs).unwrap();
    let offered = |objects: RequestObjects| {
        move |server: AuthorizationServer| server.openid(openid().request_objects(objects))
    };
    let by_secret = |new: NewClient| new.auth(RegisteredAuth::ClientSecretJwt { alg: None });
    let on = RequestObjects::new().encrypted_to([ours]);
    let worlds = [
        (world_of(by_secret, offered(on.clone())).await, true),
        (world_of(|new| new, offered(on)).await, false),
        (world_of(by_secret, offered(RequestObjects::new())).await, false),
    ];
    for (world, is_known) in worlds {
        let secret = Secret::from(world.secret.clone());
        let hmac = SigningKey::hmac(Algorithm::Hs256, &secret).unwrap();
        let object = hmac.sign(&Protected::plain(), br#"{"state":"hidden"}"#).unwrap();
        for (alg, enc) in [
            (KeyManagement::Direct, ContentEncryption::A128CbcHs256),
            (KeyManagement::A128Kw, ContentEncryption::A256Gcm),
            (KeyManagement::A256Kw, ContentEncryption::A256CbcHs512),
        ] {
            let sent = |secret: &Secret| {
                let key = DecryptingKey::of_client_secret(secret, alg, enc).unwrap();
                let header = Protected::plain().cty("JWT");
                key.encrypting_key().encrypt(alg, enc, &header, object.as_bytes()).unwrap()
            };
            let (sent, other) = (sent(&secret), sent(&Secret::from("a".repeat(43))));
            world.sign_in("ada");
            let ask = async |object: &str| {
                let further = [("request", object), ("prompt", "consent")];
                world.ask(&mut Browser::default(), &asking(&world, "openid", &further)).await
            };
            assert_eq!(ask(&sent).await.status() == 200, is_known, "{alg:?}");
            assert_eq!(ask(&other).await.query("error"), "invalid_request_object", "{alg:?}");
        }
    }
}

/// A server of the client's keys, which may be away.
#[derive(Clone, Default)]
struct Keys(Arc<Mutex<Option<String>>>);

impl Fetcher for Keys {
    async fn fetch(&self, _: &Url) -> Result<Fetched, FetchError> {
        let jwks = self.0.lock().unwrap().clone();
        jwks.map(Fetched::new).ok_or(FetchError::Unreachable)
    }
}

#[tokio::test]
async fn without_the_key_of_the_client_nothing_is_sent_in_the_clear() {
    let by = (KeyManagement::EcdhEs, ContentEncryption::A128CbcHs256);
    let (key, remote) = (DecryptingKey::generate(by.0).unwrap(), Keys::default());
    let metadata = encrypted(by.0, by.1, Some(ClientKeys::JwksUri(KEYS.into())));
    let served = remote.clone();
    let change = move |server: AuthorizationServer| on(server).client_keys_fetched_by(served);
    let world = world_of(|new| new.openid(metadata), change).await;
    let code = consented(&world, "openid", &[]).await.query("code");
    let refused = world.redeem(&code).await;
    assert_eq!((refused.status(), &*refused.error()), (503, "temporarily_unavailable"));
    assert_eq!(refused.header("retry-after"), "10");
    assert!(!refused.text().contains("token\""), "{refused:?}");
    // Nothing was used up.
    *remote.0.lock().unwrap() = Some(jwks(&key));
    world.clock.advance(std::time::Duration::from_secs(10));
    let response = world.redeem(&code).await.json();
    let (token, is_nested) = opened(text(&response, "id_token"), &key, by);
    assert!(is_nested && verified(&world, &token).await.0.subject == "ada");
    // The client has another key now, of another kind.
    let other = DecryptingKey::generate(KeyManagement::RsaOaep256).unwrap();
    *remote.0.lock().unwrap() = Some(jwks(&other));
    world.clock.advance(std::time::Duration::from_secs(601));
    let answer = userinfo(&world, &response).await;
    assert_eq!(answer.status(), 503, "{answer:?}");
    assert!(!answer.text().contains("ada"), "{answer:?}");
}

/// OpenID Connect Discovery, section 3; Dynamic Client Registration, section 2.
#[tokio::test]
async fn the_metadata_and_the_registration_have_it_where_it_is_on() {
    let key = DecryptingKey::generate(KeyManagement::EcdhEs).unwrap();
    let set: Value = serde_json::from_str(&jwks(&key)).unwrap();
    let names = [
        "id_token_encryption_alg_values_supported",
        "id_token_encryption_enc_values_supported",
        "userinfo_encryption_alg_values_supported",
        "userinfo_encryption_enc_values_supported",
    ];
    for is_on in [false, true] {
        let registration = DynamicRegistration::open_to_anybody_so_that_strangers_add_clients();
        let change = |server: AuthorizationServer| match is_on {
            true => on(server).dynamic_registration(registration),
            false => server.dynamic_registration(registration),
        };
        let world = world_of(|new| new, change).await;
        let path = "/.well-known/openid-configuration";
        let metadata = world.send(Request::get(path).body(Body::empty()).unwrap()).await.json();
        assert!(names.iter().all(|name| metadata.get(*name).is_some() == is_on), "{metadata}");
        let members = json!({
            "redirect_uris": ["https://app.example/callback"],
            "jwks": set,
            "id_token_encrypted_response_alg": "ECDH-ES",
        });
        let body = members.to_string();
        let answer = world.request("POST", "/oauth/register", "application/json", &body).await;
        if is_on {
            let registered = answer.json();
            assert_eq!(registered["id_token_encrypted_response_enc"], "A128CBC-HS256");
            assert_eq!(registered["jwks"], set);
        } else {
            assert_eq!(answer.error(), "invalid_client_metadata", "{answer:?}");
        }
    }
}
