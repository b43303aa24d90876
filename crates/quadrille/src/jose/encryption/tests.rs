use serde_json::{Value, json};

use super::{agreement::Context, *};
use crate::{
    Secret,
    jose::{ContentEncryption, KeyError, KeyManagement, MAX_TOKEN_LEN, Protected, base64url},
};

const PAYLOAD: &[u8] = b"a letter of some bytes, \xff\0 not all of them text";

/// A key for each algorithm and payload, and its rules.
fn keys() -> Vec<(DecryptingKey, KeyManagement, ContentEncryption)> {
    let secret = Secret::from("GX1fBat3bV8zvF3Wz0kQ1mQkYdXn2c5v");
    let rsa = DecryptingKey::generate(KeyManagement::RsaOaep).unwrap();
    let mut rsa: Value = serde_json::from_str(rsa.to_private_jwk().unwrap().expose()).unwrap();
    rsa.as_object_mut().unwrap().remove("alg");
    let rsa = DecryptingKey::from_jwk(&Secret::from(rsa.to_string())).unwrap();
    let all = KeyManagement::ALL.into_iter();
    all.flat_map(|algorithm| ContentEncryption::ALL.map(|encryption| (algorithm, encryption)))
        .map(|(algorithm, encryption)| {
            let key = match algorithm {
                KeyManagement::RsaOaep | KeyManagement::RsaOaep256 => rsa.clone(),
                _ if algorithm.is_symmetric() => {
                    DecryptingKey::of_client_secret(&secret, algorithm, encryption).unwrap()
                }
                _ => DecryptingKey::generate(algorithm).unwrap(),
            };
            (key, algorithm, encryption)
        })
        .collect()
}

fn decrypt(token: &str, rules: Decryption, key: &DecryptingKey) -> Result<Decrypted, DecryptError> {
    Encrypted::parse(token)?.decrypt(rules, [key])
}

#[test]
fn a_token_is_read_by_its_recipient_alone_and_as_it_was_sent() {
    for (key, algorithm, encryption) in keys() {
        let rules = Decryption::only(algorithm, encryption);
        let encrypt = |payload| {
            let header = Protected::typ("JWT");
            key.encrypting_key().encrypt(algorithm, encryption, &header, payload).unwrap()
        };
        for payload in [PAYLOAD, b"", &[7; 4096]] {
            let token = encrypt(payload);
            assert_eq!(decrypt(&token, rules, &key).unwrap().payload(), payload);
            assert_ne!(token, encrypt(payload), "each token has a key or an IV of its own");
        }
        let token = encrypt(PAYLOAD);
        let parts: Vec<_> = token.split('.').collect();
        for changed in 0..5 {
            let mut bytes = base64url::decode(parts[changed]).unwrap();
            if changed == 0 {
                // The same header in another spelling.
                bytes.push(b' ');
            } else if let Some(last) = bytes.last_mut() {
                *last ^= 1;
            } else {
                bytes.push(0);
            }
            let mut parts: Vec<_> = parts.iter().map(ToString::to_string).collect();
            parts[changed] = base64url::encode(bytes);
            let error = decrypt(&parts.join("."), rules, &key).unwrap_err();
            assert_eq!(error, DecryptError::Failed, "{algorithm:?} {encryption:?} {changed}");
        }
        // A shorter tag would be guessed more easily.
        let short = token.rsplit_once('.').unwrap().0;
        let error = decrypt(&format!("{short}.AAAA"), rules, &key).unwrap_err();
        assert_eq!(error, DecryptError::Failed);
    }
}

#[test]
fn keys_are_read_as_they_were_written() {
    for (key, algorithm, encryption) in keys() {
        let stored = key.to_private_jwk().unwrap();
        let read = DecryptingKey::from_jwk(&stored).unwrap();
        assert_eq!(read.kid(), key.kid());
        let public = key.encrypting_key().to_jwk();
        assert_eq!(public.is_none(), algorithm.is_symmetric());
        let encrypting = match &public {
            Some(public) => EncryptingKey::from_jwk(public).unwrap(),
            None => key.encrypting_key().clone(),
        };
        let header = Protected::plain();
        let token = encrypting.encrypt(algorithm, encryption, &header, PAYLOAD).unwrap();
        let rules = Decryption::only(algorithm, encryption);
        assert_eq!(decrypt(&token, rules, &read).unwrap().payload(), PAYLOAD);
        if public.is_some() {
            let error = EncryptingKey::from_jwk(stored.expose()).unwrap_err();
            assert_eq!(error, KeyError::NotPublic);
        }
    }
}

#[test]
fn only_accepted_algorithms_are_tried() {
    let key = DecryptingKey::generate(KeyManagement::EcdhEs).unwrap();
    let (alg, enc) = (KeyManagement::EcdhEs, ContentEncryption::A256Gcm);
    let token = key.encrypting_key().encrypt(alg, enc, &Protected::plain(), PAYLOAD).unwrap();
    for (rules, is_accepted) in [
        (Decryption::PUBLIC_KEY, true),
        (Decryption::only(alg, enc), true),
        (Decryption::SYMMETRIC, false),
        (Decryption::only(alg, ContentEncryption::A128Gcm), false),
        (Decryption::only(KeyManagement::EcdhEsA256Kw, enc), false),
    ] {
        let error = decrypt(&token, rules, &key).err();
        assert_eq!(error, (!is_accepted).then_some(DecryptError::AlgorithmNotAccepted));
    }
    let other = DecryptingKey::generate(alg).unwrap();
    let unknown = decrypt(&token, Decryption::PUBLIC_KEY, &other).unwrap_err();
    assert_eq!(unknown, DecryptError::KeyUnknown);
    let same_name = other.with_kid(key.kid().unwrap());
    let failed = decrypt(&token, Decryption::PUBLIC_KEY, &same_name).unwrap_err();
    assert_eq!(failed, DecryptError::Failed);
    // Both are tried, as during a rotation.
    let found =
        Encrypted::parse(&token).unwrap().decrypt(Decryption::PUBLIC_KEY, [&same_name, &key]);
    assert_eq!(found.unwrap().payload(), PAYLOAD);
    let many = vec![&key; 5];
    let error = Encrypted::parse(&token).unwrap().decrypt(Decryption::PUBLIC_KEY, many);
    assert_eq!(error.unwrap_err(), DecryptError::KeyAmbiguous);
}

#[test]
fn a_header_is_exact() {
    let good = json!({ "alg": "dir", "enc": "A128GCM" });
    for (changes, expected) in [
        (json!({}), None),
        (json!({ "alg": "-" }), Some(DecryptError::HeaderMalformed("alg"))),
        (json!({ "enc": "-" }), Some(DecryptError::HeaderMalformed("enc"))),
        (json!({ "enc": 7 }), Some(DecryptError::HeaderMalformed("enc"))),
        (json!({ "alg": "DIR" }), Some(DecryptError::AlgorithmUnknown)),
        (json!({ "alg": "RSA1_5" }), Some(DecryptError::AlgorithmUnknown)),
        (json!({ "alg": "PBES2-HS256+A128KW" }), Some(DecryptError::AlgorithmUnknown)),
        (json!({ "alg": "none" }), Some(DecryptError::AlgorithmUnknown)),
        (json!({ "enc": "A192GCM" }), Some(DecryptError::AlgorithmUnknown)),
        (json!({ "zip": "DEF" }), Some(DecryptError::Compressed)),
        (json!({ "crit": [] }), Some(DecryptError::Critical)),
        (json!({ "kid": 7 }), Some(DecryptError::HeaderMalformed("kid"))),
        (json!({ "cty": ["JWT"] }), Some(DecryptError::HeaderMalformed("cty"))),
    ] {
        let mut header = good.clone();
        for (name, value) in changes.as_object().unwrap() {
            header[name] = value.clone();
        }
        header.as_object_mut().unwrap().retain(|_, value| *value != json!("-"));
        let token = format!("{}..AAAA.AAAA.AAAA", base64url::encode(header.to_string()));
        assert_eq!(Encrypted::parse(&token).err(), expected, "{changes}");
    }
    let header = base64url::encode(r#"{"alg":"dir","enc":"A128GCM"}"#);
    let twice = base64url::encode(r#"{"alg":"dir","alg":"dir","enc":"A128GCM"}"#);
    for (token, expected) in [
        ("".to_owned(), DecryptError::NotCompact),
        (format!("{header}.AAAA.AAAA"), DecryptError::NotCompact),
        (format!("{header}..AAAA.AAAA.AAAA."), DecryptError::NotCompact),
        (format!("{header}..AAAA.AA=A.AAAA"), DecryptError::NotBase64Url),
        (format!("{twice}..AAAA.AAAA.AAAA"), DecryptError::Repeated),
        ("A".repeat(MAX_TOKEN_LEN + 1), DecryptError::TooLong),
    ] {
        assert_eq!(Encrypted::parse(&token).unwrap_err(), expected, "{token:.40}");
    }
}

#[test]
fn an_ephemeral_key_is_on_the_curve_of_the_recipient() {
    let key = DecryptingKey::generate(KeyManagement::EcdhEs).unwrap();
    let (alg, enc) = (KeyManagement::EcdhEs, ContentEncryption::A128Gcm);
    let token = key.encrypting_key().encrypt(alg, enc, &Protected::plain(), PAYLOAD).unwrap();
    let (header, rest) = token.split_once('.').unwrap();
    let header: Value = serde_json::from_slice(&base64url::decode(header).unwrap()).unwrap();
    let x25519 = json!({ "kty": "OKP", "crv": "X25519", "x": "A".repeat(43) });
    let off = json!({ "kty": "EC", "crv": "P-256", "x": "A".repeat(43), "y": "A".repeat(43) });
    for (epk, expected) in [
        (json!(null), DecryptError::HeaderMalformed("epk")),
        (json!("epk"), DecryptError::HeaderMalformed("epk")),
        (x25519, DecryptError::HeaderMalformed("epk")),
        (json!({ "kty": "RSA", "n": "AAAA", "e": "AQAB" }), DecryptError::HeaderMalformed("epk")),
        (json!({ "kty": "EC", "crv": "P-256" }), DecryptError::Key(KeyError::Missing("x"))),
        (off, DecryptError::Key(KeyError::Invalid)),
    ] {
        let mut header = header.clone();
        header["epk"] = epk;
        let token = format!("{}.{rest}", base64url::encode(header.to_string()));
        assert_eq!(decrypt(&token, Decryption::PUBLIC_KEY, &key).unwrap_err(), expected);
    }
    for party in ["A".repeat(800), "A=".to_owned()] {
        let mut header = header.clone();
        header["apu"] = party.into();
        let token = format!("{}.{rest}", base64url::encode(header.to_string()));
        let error = decrypt(&token, Decryption::PUBLIC_KEY, &key).unwrap_err();
        assert_eq!(error, DecryptError::HeaderMalformed("apu"));
    }
}

#[test]
fn a_key_of_low_order_is_none() {
    let zero = [0; 32];
    let low = base64url::decode("4Ot6fDtBuK4WVuP68Z_EatoJjeucMrH9hmIFFl9JuAA").unwrap();
    for x in [&zero[..], &low] {
        let jwk = json!({ "kty": "OKP", "crv": "X25519", "x": base64url::encode(x) });
        assert_eq!(EncryptingKey::from_jwk(&jwk.to_string()).unwrap_err(), KeyError::Invalid);
    }
}

/// X25519 accepts every text as a key; some of them make the result the same for each private key.
#[test]
fn an_agreement_that_depends_on_one_side_alone_is_refused() {
    let bob = r#"{"kty":"OKP","crv":"X25519","d":"XasIfmJKikt54X-Lg4AO5m87sSkmGLb9HC-LJ_-I4Os",
        "x":"3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08"}"#;
    let key = DecryptingKey::from_jwk(&Secret::from(bob)).unwrap();
    let header = json!({
        "alg": "ECDH-ES",
        "enc": "A128GCM",
        "epk": { "kty": "OKP", "crv": "X25519", "x": base64url::encode([0; 32]) },
    });
    let token = format!("{}..AAAAAAAAAAAAAAAA.AAAA.AAAA", base64url::encode(header.to_string()));
    let error = decrypt(&token, Decryption::PUBLIC_KEY, &key).unwrap_err();
    assert_eq!(error, DecryptError::Key(KeyError::Invalid));
    let (alg, enc) = (KeyManagement::EcdhEsA128Kw, ContentEncryption::A128Gcm);
    let token = key.encrypting_key().encrypt(alg, enc, &Protected::plain(), PAYLOAD).unwrap();
    assert_eq!(decrypt(&token, Decryption::PUBLIC_KEY, &key).unwrap().payload(), PAYLOAD);
}

#[test]
fn the_key_of_rfc_7518_appendix_c_is_derived() {
    let bob = json!({
        "kty": "EC", "crv": "P-256",
        "x": "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",
        "y": "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck",
    });
    let alice = base64url::decode("0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo").unwrap();
    let alice = aws_lc_rs::agreement::PrivateKey::from_private_key(
        &aws_lc_rs::agreement::ECDH_P256,
        &alice,
    );
    let jwk = crate::jose::jwk::Jwk::parse(&bob.to_string()).unwrap();
    let bob = crate::jose::public::Public::read(&jwk).unwrap();
    let context = Context {
        algorithm: KeyManagement::EcdhEs,
        encryption: ContentEncryption::A128Gcm,
        producer: b"Alice",
        consumer: b"Bob",
    };
    let point = agreement::point(&bob).unwrap();
    let key = agreement::agree(&alice.unwrap(), &point, &context).unwrap();
    assert_eq!(base64url::encode(&*key), "VqqN6vgjbSBcIijNcacQGg");
}

#[test]
fn a_shared_key_has_the_length_of_its_algorithm() {
    let key = |bytes: usize, alg: &str| {
        let jwk = json!({ "kty": "oct", "k": base64url::encode(vec![7; bytes]), "alg": alg });
        DecryptingKey::from_jwk(&Secret::from(jwk.to_string())).map(|key| {
            let alg = KeyManagement::parse(alg).unwrap_or(KeyManagement::Direct);
            let enc = ContentEncryption::A128CbcHs256;
            key.encrypting_key().encrypt(alg, enc, &Protected::plain(), PAYLOAD).err()
        })
    };
    assert_eq!(key(16, "A128KW"), Ok(None));
    assert_eq!(key(32, "A256KW"), Ok(None));
    assert_eq!(key(32, "dir"), Ok(None));
    assert_eq!(key(32, "A128CBC-HS256"), Ok(None));
    assert_eq!(key(16, "dir"), Ok(Some(EncryptError::KeyUnusable)));
    assert_eq!(key(32, "A128KW"), Err(KeyError::OtherAlgorithm));
    assert_eq!(key(15, "dir"), Err(KeyError::Length { bits: 120 }));
    assert_eq!(key(32, "HS256"), Err(KeyError::UnknownAlgorithm));
}

#[test]
fn a_token_within_says_that_it_is_one() {
    let key = DecryptingKey::generate(KeyManagement::EcdhEs).unwrap();
    let (alg, enc) = (KeyManagement::EcdhEs, ContentEncryption::A256Gcm);
    for (header, payload, nested) in [
        (Protected::plain().cty("JWT"), "a.b.c", Ok("a.b.c")),
        (Protected::plain().cty("jwt"), "a.b.c", Ok("a.b.c")),
        (Protected::plain(), "a.b.c", Err(DecryptError::NotNested)),
        (Protected::plain().cty("text"), "a.b.c", Err(DecryptError::NotNested)),
    ] {
        let token = key.encrypting_key().encrypt(alg, enc, &header, payload.as_bytes()).unwrap();
        let decrypted = decrypt(&token, Decryption::PUBLIC_KEY, &key).unwrap();
        assert_eq!(decrypted.nested(), nested);
    }
}
