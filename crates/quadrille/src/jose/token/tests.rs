use super::*;
use crate::{
    Secret,
    jose::{Algorithm, KeyError, TokenError},
};

/// Signs any header and payload, as an attacker who has a key can.
fn forge(key: &SigningKey, header: &str, payload: &str) -> String {
    let mut token = base64url::encode(header);
    token.push('.');
    base64url::encode_into(payload, &mut token);
    let signature = key.signature(token.as_bytes()).unwrap();
    token.push('.');
    base64url::encode_into(signature, &mut token);
    token
}

fn key(algorithm: Algorithm) -> SigningKey {
    SigningKey::generate(algorithm).unwrap()
}

fn public_key(typ: TokenType) -> Verification {
    Verification::new(Algorithms::PUBLIC_KEY, typ)
}

fn set(keys: &[&SigningKey]) -> KeySet {
    keys.iter().map(|key| key.verifying_key().clone()).collect()
}

fn verify(token: &str, rules: &Verification, keys: &KeySet) -> Result<Vec<u8>, TokenError> {
    let verified = Unverified::parse(token)?.verify(rules, keys)?;
    Ok(verified.payload().to_vec())
}

const PLAIN: Verification = Verification::new(Algorithms::PUBLIC_KEY, TokenType::Plain);

#[test]
fn the_public_key_is_no_secret_for_an_hmac_in_any_form() {
    let rsa = key(Algorithm::Rs256);
    let jwk = rsa.verifying_key().to_jwk().unwrap();
    for secret in [jwk.clone(), rsa.verifying_key().bare_jwk().unwrap(), format!("{jwk}\n")] {
        let forger = SigningKey::hmac(Algorithm::Hs256, &Secret::from(secret)).unwrap();
        let token = forger.sign(&Protected::plain(), b"{}").unwrap();
        let error = verify(&token, &PLAIN, &set(&[&rsa])).unwrap_err();
        assert_eq!(error, TokenError::AlgorithmNotAccepted);
        // Not even a verifier with the wrong rules accepts it.
        let symmetric = Verification::new(Algorithms::SYMMETRIC, TokenType::Plain);
        let error = verify(&token, &symmetric, &set(&[&rsa])).unwrap_err();
        assert_eq!(error, TokenError::KeyUnusable);
        let token = Unverified::parse(&token).unwrap();
        let error = token.verify_with(&symmetric, rsa.verifying_key()).unwrap_err();
        assert_eq!(error, TokenError::KeyUnusable);
    }
}

#[test]
fn a_token_does_not_choose_its_algorithm() {
    let key = key(Algorithm::Es256);
    let token = key.sign(&Protected::plain(), b"{}").unwrap();
    let keys = set(&[&key]);
    assert!(verify(&token, &PLAIN, &keys).is_ok());
    let only = Verification::new(Algorithms::only(Algorithm::Ps256), TokenType::Plain);
    assert_eq!(verify(&token, &only, &keys), Err(TokenError::AlgorithmNotAccepted));
    for (alg, expected) in [
        (r#""none""#, TokenError::Unsecured),
        (r#""None""#, TokenError::AlgorithmUnknown),
        (r#""es256""#, TokenError::AlgorithmUnknown),
        (r#""ES256K""#, TokenError::AlgorithmUnknown),
        (r#""""#, TokenError::AlgorithmUnknown),
        (r#""ES384""#, TokenError::KeyUnusable),
        (r#""RS256""#, TokenError::KeyUnusable),
        (r#""HS256""#, TokenError::AlgorithmNotAccepted),
        ("null", TokenError::HeaderMalformed("alg")),
        (r#"["ES256"]"#, TokenError::HeaderMalformed("alg")),
    ] {
        let token = forge(&key, &format!(r#"{{"alg":{alg}}}"#), "{}");
        assert_eq!(verify(&token, &PLAIN, &keys), Err(expected), "{alg}");
    }
    let token = forge(&key, "{}", "{}");
    assert_eq!(verify(&token, &PLAIN, &keys), Err(TokenError::HeaderMalformed("alg")));
}

#[test]
fn a_key_that_is_limited_to_an_algorithm_verifies_no_other() {
    let rsa = key(Algorithm::Rs256);
    let token = forge(&rsa, r#"{"alg":"RS256"}"#, "{}");
    let confused = forge(&rsa, r#"{"alg":"PS256"}"#, "{}");
    let limited = set(&[&rsa]).to_json();
    let free = limited.replace(r#","alg":"RS256""#, "");
    for (keys, expected) in [(&limited, TokenError::KeyUnusable), (&free, TokenError::Signature)] {
        let keys = KeySet::parse(keys.as_bytes()).unwrap();
        assert!(verify(&token, &PLAIN, &keys).is_ok());
        assert_eq!(verify(&confused, &PLAIN, &keys), Err(expected));
    }
}

#[test]
fn a_header_with_anything_that_is_not_understood_is_rejected() {
    let key = key(Algorithm::Es256);
    for (header, expected) in [
        (r#"{"alg":"ES256","crit":["exp"],"exp":1}"#, TokenError::Critical),
        (r#"{"alg":"ES256","crit":[]}"#, TokenError::Critical),
        (r#"{"alg":"ES256","crit":null}"#, TokenError::Critical),
        (r#"{"alg":"ES256","b64":false,"crit":["b64"]}"#, TokenError::NotEncoded),
        (r#"{"alg":"ES256","b64":false}"#, TokenError::NotEncoded),
        (r#"{"alg":"ES256","b64":"no"}"#, TokenError::NotEncoded),
        (r#"{"alg":"ES256","alg":"ES256"}"#, TokenError::Repeated),
        (r#"{"alg":"ES256","\u0061lg":"none"}"#, TokenError::Repeated),
        (r#"{"alg":"ES256","x":{"y":1,"y":2}}"#, TokenError::Repeated),
        (r#"{"alg":"ES256","kid":7}"#, TokenError::HeaderMalformed("kid")),
        (r#"{"alg":"ES256","typ":null}"#, TokenError::HeaderMalformed("typ")),
        (r#"{"alg":"ES256","cty":[]}"#, TokenError::HeaderMalformed("cty")),
        (r#"["ES256"]"#, TokenError::HeaderMalformed("the JSON")),
        (r#"{"alg":"ES256"}x"#, TokenError::HeaderMalformed("the JSON")),
        ("", TokenError::HeaderMalformed("the JSON")),
    ] {
        let token = forge(&key, header, "{}");
        assert_eq!(verify(&token, &PLAIN, &set(&[&key])), Err(expected), "{header}");
    }
    // Where a key is, or what it is, is not a token's to say.
    let header = r#"{"alg":"ES256","jku":"https://evil.example","x5u":"https://evil.example"}"#;
    assert!(verify(&forge(&key, header, "{}"), &PLAIN, &set(&[&key])).is_ok());
}

#[test]
fn a_token_of_another_form_is_named() {
    let key = key(Algorithm::Es256);
    let token = key.sign(&Protected::plain(), br#"{"a":1}"#).unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (header, payload) = signed.split_once('.').unwrap();
    for (token, expected) in [
        (String::new(), TokenError::NotCompact),
        ("abc".to_owned(), TokenError::NotCompact),
        (signed.to_owned(), TokenError::NotCompact),
        (format!("{token}.{signature}"), TokenError::NotCompact),
        (format!("{token}.{signature}.{signature}"), TokenError::Encrypted),
        (format!("{header}..{signature}"), TokenError::Detached),
        (format!("{header}.{payload}=.{signature}"), TokenError::NotBase64Url),
        (format!("{token}=="), TokenError::NotBase64Url),
        (format!("{token}\n"), TokenError::NotBase64Url),
        (format!(" {token}"), TokenError::NotBase64Url),
        (format!("{{\"payload\":\"{payload}\"}}"), TokenError::JsonSerialization),
        (format!("{token}{}", "A".repeat(MAX_TOKEN_LEN)), TokenError::TooLong),
        (format!("{signed}."), TokenError::Signature),
    ] {
        assert_eq!(verify(&token, &PLAIN, &set(&[&key])), Err(expected), "{token:.200}");
    }
    assert!(Unverified::parse_up_to(&token, token.len()).is_ok());
    let error = Unverified::parse_up_to(&token, token.len() - 1).unwrap_err();
    assert_eq!(error, TokenError::TooLong);
}

#[test]
fn a_token_is_accepted_for_its_type_only() {
    let key = key(Algorithm::EdDsa);
    let keys = set(&[&key]);
    for (typ, is, is_or_plain, plain) in [
        (None, false, true, true),
        (Some("JWT"), false, true, true),
        (Some("jwt"), false, true, true),
        (Some("application/jwt"), false, true, true),
        (Some("at+jwt"), true, true, false),
        (Some("AT+JWT"), true, true, false),
        (Some("application/at+jwt"), true, true, false),
        (Some("Application/AT+jwt"), true, true, false),
        (Some("dpop+jwt"), false, false, false),
        (Some("application/"), false, false, false),
        (Some("at+jwt "), false, false, false),
        (Some(""), false, false, false),
    ] {
        let header = typ.map_or(Protected::plain(), Protected::typ);
        let token = key.sign(&header, b"{}").unwrap();
        for (expected, accepted) in [
            (TokenType::Is("at+jwt"), is),
            (TokenType::IsOrPlain("at+jwt"), is_or_plain),
            (TokenType::Plain, plain),
            (TokenType::AnyBecauseTheKeySignsNothingElse, true),
        ] {
            let verified = verify(&token, &public_key(expected), &keys);
            let error = verified.err();
            assert_eq!(error, (!accepted).then_some(TokenError::OtherType), "{typ:?}");
        }
    }
}

#[test]
fn keys_are_found_by_identifier_or_tried_if_they_are_few() {
    let keys: Vec<_> = (0..6).map(|_| key(Algorithm::EdDsa)).collect();
    let [a, b, ..] = &*keys else { panic!() };
    let other = key(Algorithm::Es256);
    let named = |key: &SigningKey| key.sign(&Protected::plain(), b"{}").unwrap();
    let nameless = |key: &SigningKey| named(&key.without_kid());
    let all: Vec<_> = keys.iter().collect();

    assert!(verify(&named(b), &PLAIN, &set(&all)).is_ok());
    assert_eq!(verify(&named(b), &PLAIN, &set(&[a])), Err(TokenError::KeyUnknown));
    assert_eq!(verify(&named(b), &PLAIN, &set(&[])), Err(TokenError::KeyUnknown));
    assert_eq!(verify(&nameless(b), &PLAIN, &set(&[])), Err(TokenError::KeyUnknown));
    // A key without an identifier is not the one that the token names.
    assert_eq!(verify(&named(b), &PLAIN, &set(&[&b.without_kid()])), Err(TokenError::KeyUnknown));

    assert!(verify(&nameless(b), &PLAIN, &set(&[a, &other, b])).is_ok());
    assert_eq!(verify(&nameless(b), &PLAIN, &set(&[a, &other])), Err(TokenError::Signature));
    assert_eq!(verify(&nameless(b), &PLAIN, &set(&all)), Err(TokenError::KeyAmbiguous));

    // Several keys of one identifier: of another kind, and of the same.
    let same = [a.with_kid("1"), b.with_kid("1"), other.with_kid("1")];
    let keys = set(&same.each_ref());
    for key in &same {
        assert!(verify(&named(key), &PLAIN, &keys).is_ok(), "{key:?}");
    }
    let stranger = key(Algorithm::EdDsa).with_kid("1");
    assert_eq!(verify(&named(&stranger), &PLAIN, &keys), Err(TokenError::Signature));
}

#[test]
fn a_proof_brings_a_public_key_of_its_own() {
    let rules = public_key(TokenType::Is("dpop+jwt"));
    let key = key(Algorithm::Es256);
    let proves = |header: &str| {
        let token = forge(&key, header, "{}");
        Unverified::parse(&token)?.verify_with_its_own_key(&rules).map(|proof| {
            assert_eq!(proof.key().thumbprint(), key.verifying_key().thumbprint());
        })
    };
    let jwk = key.verifying_key().bare_jwk().unwrap();
    let header = |jwk: &str| format!(r#"{{"typ":"dpop+jwt","alg":"ES256","jwk":{jwk}}}"#);
    assert_eq!(proves(&header(&jwk)), Ok(()));
    let private = key.to_private_jwk().unwrap();
    let other = SigningKey::generate(Algorithm::Es256).unwrap();
    let other = other.verifying_key().bare_jwk().unwrap();
    for (header, expected) in [
        (header(private.expose()), KeyError::NotPublic.into()),
        (header(r#"{"kty":"oct","k":"AAAA"}"#), KeyError::NotPublic.into()),
        (header("null"), KeyError::Malformed("jwk").into()),
        (header(&other), TokenError::Signature),
        (r#"{"typ":"dpop+jwt","alg":"ES256"}"#.to_owned(), KeyError::Missing("jwk").into()),
        (header(&jwk).replace("dpop+jwt", "JWT"), TokenError::OtherType),
    ] {
        assert_eq!(proves(&header), Err(expected), "{header}");
    }
}

#[test]
fn no_message_or_debug_text_has_a_part_of_a_token_or_a_key() {
    let key = SigningKey::hmac(Algorithm::Hs256, &Secret::from("canary".repeat(8))).unwrap();
    let claims = br#"{"sub":"canary","iss":"https://id.example"}"#;
    let token = key.sign(&Protected::plain(), claims).unwrap();
    let unverified = Unverified::parse(&token).unwrap();
    let mut said = format!("{key:?} {:?} {unverified:?}", key.verifying_key());
    said += &format!("{:?}", unverified.claims_of_anybody().unwrap());
    let rules = Verification::new(Algorithms::SYMMETRIC, TokenType::Plain);
    let verified = unverified.verify_with(&rules, key.verifying_key()).unwrap();
    said += &format!("{verified:?} {:?}", verified.header());
    assert!(!said.contains("canary") && !said.contains("Y2FuYXJ5"), "{said}");
}
