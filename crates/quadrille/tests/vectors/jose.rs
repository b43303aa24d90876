//! The examples of the JOSE specifications.

use quadrille::{
    Secret, Timestamp,
    jose::{
        Algorithm, Algorithms, ClaimsError, ClaimsPolicy, ContentEncryption, DecryptingKey,
        Decryption, Encrypted, KeyManagement, KeySet, Protected, SigningKey, TokenType, Unverified,
        Verification, VerifyingKey,
    },
};

use super::{Value, load, text};

const RFC7515: &str = include_str!("rfc7515.json");
const RFC7516: &str = include_str!("rfc7516.json");
const RFC7517: &str = include_str!("rfc7517.json");
const RFC7519: &str = include_str!("rfc7519.json");
const RFC7520: &str = include_str!("rfc7520.json");
const RFC7638: &str = include_str!("rfc7638.json");
const RFC8037: &str = include_str!("rfc8037.json");

fn algorithm(case: &Value) -> Algorithm {
    Algorithm::parse(text(case, "alg").unwrap()).unwrap()
}

fn private(case: &Value) -> SigningKey {
    SigningKey::from_jwk(algorithm(case), &Secret::from(case["jwk"].to_string())).unwrap()
}

fn rules(algorithm: Algorithm) -> Verification {
    Verification::new(Algorithms::only(algorithm), TokenType::Plain)
}

#[test]
fn signatures_of_the_specifications_are_right_and_made_again() {
    let cases = [RFC7515, RFC8037].map(|file| load(file, "tokens"));
    for case in cases.into_iter().flatten() {
        let (key, token) = (private(&case), text(&case, "token").unwrap());
        let rules = rules(key.algorithm());
        let verified =
            Unverified::parse(token).unwrap().verify_with(&rules, key.verifying_key()).unwrap();
        let payload = text(&case, "payload").unwrap();
        assert_eq!(verified.payload(), payload.as_bytes(), "{case}");

        let again = key.without_kid().sign(&Protected::plain(), payload.as_bytes()).unwrap();
        if case.get("signed_again").is_some() {
            assert_eq!(again, token);
        }
        let again = Unverified::parse(&again).unwrap();
        assert!(again.verify_with(&rules, key.verifying_key()).is_ok(), "{case}");
    }
}

#[test]
fn tokens_that_are_never_accepted_say_why() {
    for case in [RFC7515, RFC7519].map(|file| load(file, "refused")).into_iter().flatten() {
        let error = Unverified::parse(text(&case, "token").unwrap()).unwrap_err();
        assert_eq!(format!("{error:?}"), text(&case, "error").unwrap(), "{case}");
    }
}

#[test]
fn claims_are_read_as_in_rfc_7519() {
    for case in load(RFC7519, "tokens") {
        let (key, token) = (private(&case), text(&case, "token").unwrap());
        let verified = Unverified::parse(token)
            .unwrap()
            .verify_with(&rules(key.algorithm()), key.verifying_key())
            .unwrap();
        let iss = text(&case, "iss").unwrap();
        let exp = Timestamp::from_seconds(case["exp"].as_i64().unwrap());
        // It is for nobody, so nobody accepts it.
        let policy = ClaimsPolicy::new(iss, "https://api.example");
        assert_eq!(verified.claims(&policy, exp).unwrap_err(), ClaimsError::Missing("aud"));
        let token = Unverified::parse(token).unwrap();
        let claims = token.claims_of_anybody().unwrap();
        assert_eq!((claims.iss.as_deref(), claims.exp), (Some(iss), Some(exp)));
        assert_eq!(claims.extra[text(&case, "claim").unwrap()], true);
    }
}

#[test]
fn key_sets_are_read_as_in_rfc_7517() {
    for case in load(RFC7517, "sets") {
        let set = KeySet::parse(case["set"].to_string().as_bytes()).unwrap();
        let kids: Vec<_> = set.iter().filter_map(VerifyingKey::kid).collect();
        assert_eq!(case["usable"], Value::from(kids), "{case}");
        let skipped: Vec<_> = set.skipped().iter().map(|why| format!("{why:?}")).collect();
        assert_eq!(case["skipped"], Value::from(skipped), "{case}");
    }
}

#[test]
fn private_keys_are_read_as_in_rfc_7517() {
    for case in load(RFC7517, "private") {
        let jwk = Secret::from(case["jwk"].to_string());
        let read = SigningKey::from_jwk(algorithm(&case), &jwk);
        let error = read.as_ref().err().map(|error| format!("{error:?}"));
        assert_eq!(error.as_deref(), text(&case, "error"), "{case}");
        let Ok(key) = read else { continue };
        assert_eq!(key.kid(), text(&case["jwk"], "kid"));
        // Each number is written as it was read.
        let written: Value = serde_json::from_str(key.to_private_jwk().unwrap().expose()).unwrap();
        for (name, value) in case["jwk"].as_object().unwrap() {
            assert_eq!(&written[name], value, "{name}");
        }
    }
}

#[test]
fn thumbprints_are_those_of_the_specifications() {
    for case in [RFC7638, RFC8037].map(|file| load(file, "thumbprints")).into_iter().flatten() {
        let key = VerifyingKey::from_jwk(&case["jwk"].to_string()).unwrap();
        assert_eq!(key.thumbprint().as_deref(), text(&case, "thumbprint"));
        let written: Value = serde_json::from_str(&key.to_jwk().unwrap()).unwrap();
        for name in ["kty", "crv", "x", "n", "e", "kid", "alg"] {
            assert_eq!(written.get(name), case["jwk"].get(name), "{name}");
        }
    }
}

#[test]
fn keys_for_other_purposes_are_not_read() {
    for case in load(RFC8037, "keys") {
        let error = VerifyingKey::from_jwk(&case["jwk"].to_string()).unwrap_err();
        assert_eq!(Some(&*format!("{error:?}")), text(&case, "error"));
    }
}

#[test]
fn encrypted_tokens_of_the_specifications_are_read_and_made_again() {
    for case in [RFC7516, RFC7520].map(|file| load(file, "tokens")).into_iter().flatten() {
        let key = DecryptingKey::from_jwk(&Secret::from(case["jwk"].to_string())).unwrap();
        let algorithm = KeyManagement::parse(text(&case, "alg").unwrap()).unwrap();
        let encryption = ContentEncryption::parse(text(&case, "enc").unwrap()).unwrap();
        let rules = Decryption::only(algorithm, encryption);
        let payload = text(&case, "payload").unwrap().as_bytes();
        let token = Encrypted::parse(text(&case, "token").unwrap()).unwrap();
        assert_eq!(token.decrypt(rules, [&key]).unwrap().payload(), payload, "{case}");

        let header = Protected::plain();
        let again = key.encrypting_key().encrypt(algorithm, encryption, &header, payload).unwrap();
        let again = Encrypted::parse(&again).unwrap();
        assert_eq!(again.decrypt(rules, [&key]).unwrap().payload(), payload, "{case}");
        // Each number is written as it was read.
        let written: Value = serde_json::from_str(key.to_private_jwk().unwrap().expose()).unwrap();
        for name in ["kty", "crv", "x", "y", "d", "n", "e", "p", "q", "dp", "dq", "qi", "k"] {
            assert_eq!(written.get(name), case["jwk"].get(name), "{name}");
        }
    }
}

#[test]
fn encrypted_tokens_that_are_never_accepted_say_why() {
    for case in [RFC7516, RFC7520].map(|file| load(file, "refused")).into_iter().flatten() {
        let error = Encrypted::parse(text(&case, "token").unwrap()).unwrap_err();
        assert_eq!(format!("{error:?}"), text(&case, "error").unwrap(), "{case}");
    }
}
