//! Signatures and encryption of ID tokens and of the userinfo endpoint, by each algorithm.

use quadrille::{
    Secret,
    consumer::{Client, Dynamic, Encryption},
    jose::{Algorithm, ContentEncryption, DecryptingKey, KeyManagement},
};
use serde_json::json;

use super::world::{Plan, Registered, SECRET, World, keys, service};

#[tokio::test]
async fn a_user_is_who_tokens_of_each_signature_say() {
    let mut world = World::new(Algorithm::ALL.map(|algorithm| {
        let alg = algorithm.as_str();
        let metadata = json!({
            "id_token_signed_response_alg": alg,
            "userinfo_signed_response_alg": alg,
        });
        service(format!("signed-{}", alg.to_lowercase()), metadata, move |spec, id| {
            let spec = spec.id_tokens_signed_by(algorithm).userinfo_signed_by(algorithm);
            spec.client(id, SECRET)
        })
    }))
    .await;
    world.margot_everywhere().await;
}

/// A client whose ID tokens and userinfo responses are encrypted.
fn encrypted((algorithm, content): Encryption) -> Registered {
    let (alg, enc) = (algorithm.as_str(), content.as_str());
    let metadata = json!({
        "id_token_encrypted_response_alg": alg,
        "id_token_encrypted_response_enc": enc,
        "userinfo_signed_response_alg": "ES256",
        "userinfo_encrypted_response_alg": alg,
        "userinfo_encrypted_response_enc": enc,
    });
    let name = format!("{alg}-{enc}").to_lowercase().replace('+', "-");
    service(name, metadata, move |spec, id| -> Client<Dynamic> {
        let spec = spec.encrypted_id_tokens(algorithm, content);
        spec.encrypted_userinfo(algorithm, content).client(id, SECRET)
    })
}

#[tokio::test]
async fn a_user_is_who_tokens_of_each_encryption_say() {
    let wrapped = KeyManagement::ALL.into_iter().filter(|one| *one != KeyManagement::Direct);
    let wrapped = wrapped.zip(ContentEncryption::ALL.into_iter().cycle());
    // The length of this key depends on the content encryption.
    let direct = ContentEncryption::ALL.map(|content| (KeyManagement::Direct, content));
    let asymmetric = KeyManagement::ALL.into_iter().filter(|algorithm| !algorithm.is_symmetric());
    let decrypting = asymmetric.map(|algorithm| DecryptingKey::generate(algorithm).unwrap());
    let usual =
        Plan::new(wrapped.chain(direct).map(encrypted)).keys(keys(Algorithm::Es256, decrypting));

    // RFC 8037, appendix A.6.
    let x25519 = r#"{"kty":"OKP","crv":"X25519","kid":"Bob",
        "d":"XasIfmJKikt54X-Lg4AO5m87sSkmGLb9HC-LJ_-I4Os",
        "x":"3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08"}"#;
    let key = DecryptingKey::from_jwk(&Secret::from(x25519)).unwrap();
    let on_x25519 = [
        (KeyManagement::EcdhEs, ContentEncryption::A256Gcm),
        (KeyManagement::EcdhEsA256Kw, ContentEncryption::A256Gcm),
    ];
    let other = Plan::new(on_x25519.map(encrypted)).keys(keys(Algorithm::Es256, [key]));
    let mut world = World::of([usual, other]).await;
    world.margot_everywhere().await;
    // The provider knows its token again when she signs out.
    let out = "/login/rsa-oaep-a128gcm/logout?at_service=1&next=/album";
    let page = world.open_one("margot's", "margot", out).await;
    assert_eq!(page.text, "an album", "{page:?}");
}
