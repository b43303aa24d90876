//! ID tokens and claims that a provider signs and then encrypts for the site.

use quadrille::{
    Env, Error, KeyRing, Login, Owner, Secret, SpecBuf,
    consumer::{Account, Begin, ClientKeys, Encryption, MemoryStorage, OAuth2Buf, ServiceError},
    jose::{
        Algorithm, ContentEncryption, DecryptError, DecryptingKey, KeyManagement, SigningKey,
        SigningKeys, TokenError, Unverified,
    },
    oidc::IdTokenRejected as Rejected,
    testing::{FakeService, ManualClock, OpenIdFault as Fault},
};
use serde_json::json;

use super::{ISSUER, World};
use crate::support::{SECRET, SITE};

const USUAL: Encryption = (KeyManagement::EcdhEsA256Kw, ContentEncryption::A256Gcm);

fn keys(decrypting: impl IntoIterator<Item = DecryptingKey>) -> ClientKeys {
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    ClientKeys::new(SigningKeys::new(key, Env::system().now()).unwrap()).decrypting(decrypting)
}

fn key(algorithm: KeyManagement) -> DecryptingKey {
    DecryptingKey::generate(algorithm).unwrap()
}

/// A site with these keys and a provider that knows them.
fn world(
    keys: &ClientKeys,
    change: impl FnOnce(SpecBuf<OAuth2Buf>) -> SpecBuf<OAuth2Buf>,
) -> World {
    let service = FakeService::openid(ISSUER, "our-id", SECRET)
        .user(json!({ "sub": "7", "sid": "s1", "email": "ada@example.com" }));
    let clock = ManualClock::new();
    service.tells_time(&clock.env());
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .client_keys(keys.clone())
        .with(change(SpecBuf::oidc("acme", ISSUER)).client("our-id", SECRET))
        .storage(MemoryStorage::new())
        .http(service.clone())
        .env(clock.env());
    World { service, login, clock }
}

async fn log_in(world: &World) -> quadrille::Result<Account> {
    world.log_in(7).await
}

fn rejected(reason: Rejected) -> Error {
    Error::Service { service: "acme".into(), error: ServiceError::IdTokenRejected(reason) }
}

#[tokio::test]
async fn an_encrypted_id_token_logs_in_and_is_kept_without_its_encryption() {
    for encryption in [
        USUAL,
        (KeyManagement::EcdhEs, ContentEncryption::A128CbcHs256),
        (KeyManagement::RsaOaep256, ContentEncryption::A256CbcHs512),
    ] {
        let keys = keys([key(encryption.0)]);
        let world = world(&keys, |spec| spec.encrypted_id_tokens(encryption.0, encryption.1));
        assert!(world.service.encrypts_to(&keys.jwks(), encryption));
        let account = log_in(&world).await.unwrap();
        let acme = world.login.linked_by_name(&account).await.unwrap();
        assert_eq!(acme.claims().unwrap().text("email"), Some("ada@example.com"));
        let (url, _) = world.leave(&Begin::new("acme")).await.unwrap();
        assert!(url.contains("response_type=code"), "{url}");
        let jar = quadrille::consumer::Jar::new(&http::HeaderMap::new());
        let out = world.login.log_out_at_service(&jar, "acme", &Owner::user("ada"), "/").await;
        let out = url::Url::parse(&out.unwrap().unwrap()).unwrap();
        let hint = out.query_pairs().find(|(name, _)| name == "id_token_hint").unwrap().1;
        assert!(Unverified::parse(&hint).is_ok(), "the provider gets the signed token");
    }
}

#[tokio::test]
async fn only_the_registered_encryption_is_opened() {
    let keys = keys([key(KeyManagement::EcdhEsA256Kw), key(KeyManagement::RsaOaep256)]);
    let world = world(&keys, |spec| spec.encrypted_id_tokens(USUAL.0, USUAL.1));
    let encrypted = |reason| Err(rejected(Rejected::Encrypted(reason)));
    assert_eq!(log_in(&world).await, encrypted(DecryptError::NotCompact), "it is not encrypted");
    for other in [
        (KeyManagement::RsaOaep256, USUAL.1),
        (KeyManagement::EcdhEsA256Kw, ContentEncryption::A128Gcm),
    ] {
        // A key without a limit serves for a neighbour of its algorithm, too.
        assert!(world.service.encrypts_to(&keys.jwks(), other), "{other:?}");
        assert_eq!(log_in(&world).await, encrypted(DecryptError::AlgorithmNotAccepted));
    }
    let strangers = self::keys([key(USUAL.0)]);
    assert!(world.service.encrypts_to(&strangers.jwks(), USUAL));
    assert_eq!(log_in(&world).await, encrypted(DecryptError::KeyUnknown));
    assert!(world.service.encrypts_to(&keys.jwks(), USUAL));
    log_in(&world).await.unwrap();
}

#[tokio::test]
async fn encryption_replaces_no_signature() {
    let keys = keys([key(USUAL.0)]);
    let world = world(&keys, |spec| spec.encrypted_id_tokens(USUAL.0, USUAL.1));
    assert!(world.service.encrypts_to(&keys.jwks(), USUAL));
    for (fault, expected) in [
        (Fault::SignatureWrong, Rejected::Token(TokenError::Signature)),
        (Fault::NonceOther, Rejected::NonceOther),
        (Fault::HmacWithPublicKey, Rejected::Token(TokenError::AlgorithmNotAccepted)),
    ] {
        world.service.misidentifies(fault);
        assert_eq!(log_in(&world).await, Err(rejected(expected)), "{fault:?}");
        world.service.recovers();
    }
}

#[tokio::test]
async fn an_encrypted_token_where_none_was_registered_is_none() {
    let keys = keys([key(USUAL.0)]);
    let world = world(&keys, |spec| spec);
    assert!(world.service.encrypts_to(&keys.jwks(), USUAL));
    let error = rejected(Rejected::Token(TokenError::Encrypted));
    assert_eq!(log_in(&world).await, Err(error));
}

/// OpenID Connect Core, section 10.2.1.
#[tokio::test]
async fn an_old_key_opens_what_was_encrypted_to_it() {
    let old = key(USUAL.0);
    let before = keys([old.clone()]);
    let after = keys([key(USUAL.0), old]);
    let world = world(&after, |spec| spec.encrypted_id_tokens(USUAL.0, USUAL.1));
    for known in [&before, &after] {
        assert!(world.service.encrypts_to(&known.jwks(), USUAL));
        log_in(&world).await.unwrap();
    }
}

/// OpenID Connect Core, sections 5.3.2 and 5.3.4.
#[tokio::test]
async fn claims_of_the_userinfo_endpoint_are_verified_where_they_are_signed() {
    let keys = keys([key(USUAL.0)]);
    for encrypts in [false, true] {
        let world = world(&keys, |spec| match encrypts {
            true => spec.encrypted_userinfo(USUAL.0, USUAL.1),
            false => spec.signed_userinfo(),
        });
        let account = log_in(&world).await.unwrap();
        let acme = world.login.linked_by_name(&account).await.unwrap();
        let error = acme.profile().await.unwrap_err();
        assert_eq!(error.code(), "userinfo_rejected", "a plain object: {error}");
        world.service.signs_userinfo();
        if encrypts {
            let error = acme.profile().await.unwrap_err();
            assert_eq!(error.code(), "userinfo_rejected", "signed alone: {error}");
            assert!(world.service.encrypts_to(&keys.jwks(), USUAL));
        }
        let profile = acme.profile().await.unwrap();
        assert_eq!(profile.email.as_deref(), Some("ada@example.com"));
        world.service.misidentifies(Fault::UserinfoOfAnother);
        let error = acme.profile().await.unwrap_err();
        assert_eq!(error.code(), "userinfo_of_another_subject");
    }
}

#[test]
fn keys_that_are_missing_are_noticed_at_start() {
    let check = |keys: Option<ClientKeys>, encryption: Encryption, public: bool| {
        let spec = SpecBuf::oidc("acme", ISSUER).encrypted_id_tokens(encryption.0, encryption.1);
        let client = match public {
            true => spec.public_client("our-id"),
            false => spec.client("our-id", Secret::from(SECRET)),
        };
        let login = Login::new(KeyRing::ephemeral(), SITE).with(client);
        let login = match keys {
            Some(keys) => login.client_keys(keys),
            None => login,
        };
        login.check().map_err(|error| error.code())
    };
    assert_eq!(check(None, USUAL, false), Err("client_keys_missing"));
    assert_eq!(check(Some(keys([])), USUAL, false), Err("client_keys_missing"));
    let rsa = keys([key(KeyManagement::RsaOaep256)]);
    assert_eq!(check(Some(rsa), USUAL, false), Err("client_keys_missing"));
    assert_eq!(check(Some(keys([key(USUAL.0)])), USUAL, false), Ok(()));
    let shared = (KeyManagement::Direct, ContentEncryption::A256Gcm);
    assert_eq!(check(None, shared, false), Ok(()), "the secret is the key");
    assert_eq!(check(None, shared, true), Err("credential_mismatch"));
}

#[test]
fn the_public_keys_of_both_kinds_are_in_one_set() {
    let keys = keys([key(KeyManagement::EcdhEsA256Kw)]);
    let set: serde_json::Value = serde_json::from_str(&keys.jwks()).unwrap();
    let uses: Vec<_> = set["keys"].as_array().unwrap().iter().map(|key| &key["use"]).collect();
    assert_eq!(uses, [&json!("sig"), &json!("enc")]);
    assert!(!keys.jwks().contains(r#""d":"#), "nothing private");
}
