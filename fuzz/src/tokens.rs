//! Signed tokens and keys: what is accepted, beside the crate jsonwebtoken over another library of
//! algorithms.

use std::{collections::BTreeMap, sync::LazyLock};

use arbitrary::{Arbitrary, Unstructured};
use aws_lc_rs::hmac;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{DecodingKey, Validation, jwk::Jwk};
use quadrille::{
    Secret, Timestamp,
    jose::{
        Algorithm, Algorithms, Claims, KeySet, Protected, SigningKey, SigningKeys, TokenType,
        Unverified, Verification, VerifyingKey,
    },
};
use serde_json::{Map, Value};

/// Keys of the specifications: RFC 7515, appendices A.1 to A.3, and RFC 8037, appendix A.1.
const RFC7515: &str = include_str!("../../crates/quadrille/tests/vectors/rfc7515.json");
const RFC8037: &str = include_str!("../../crates/quadrille/tests/vectors/rfc8037.json");

struct Key {
    signing: SigningKey,
    other: DecodingKey,
}

static KEYS: LazyLock<Vec<Key>> = LazyLock::new(|| {
    let tokens = [RFC7515, RFC8037].map(|file| {
        let file: Value = serde_json::from_str(file).expect("JSON");
        file["tokens"].as_array().expect("an array").clone()
    });
    tokens.into_iter().flatten().filter_map(|case| key(&case)).collect()
});

fn key(case: &Value) -> Option<Key> {
    let algorithm = Algorithm::parse(case["alg"].as_str()?)?;
    // The other crate does not know it.
    if algorithm == Algorithm::Es512 {
        return None;
    }
    let jwk = &case["jwk"];
    let signing = SigningKey::from_jwk(algorithm, &Secret::from(jwk.to_string())).ok()?;
    let other: Jwk = match signing.verifying_key().to_jwk() {
        Some(jwk) => serde_json::from_str(&jwk).expect("a JWK that we wrote"),
        None => serde_json::from_value(jwk.clone()).expect("a JWK"),
    };
    Some(Key { signing, other: DecodingKey::from_jwk(&other).expect("a key") })
}

#[derive(Arbitrary, Debug)]
enum Act<'a> {
    /// A token that we sign, changed on its way.
    Sent { key: u8, typ: Option<&'a str>, payload: &'a [u8], edits: Vec<(u16, u8)> },
    /// A token of a party that has the key and writes what it likes.
    Odd { header: &'a [u8], payload: &'a [u8] },
    /// A text without a key.
    Forged { token: &'a str },
    /// The keys of another party.
    Keys { set: &'a [u8] },
}

/// The parts of most headers, claims and keys.
const WORDS: [&str; 40] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "{\"alg\":\"HS256\"",
    "\"alg\":\"none\"",
    "\"alg\":\"HS384\"",
    "\"typ\":\"JWT\"",
    "\"typ\":\"at+jwt\"",
    "\"typ\":7",
    "\"kid\":\"a\"",
    "\"crit\":[\"b64\"]",
    "\"crit\":[]",
    "\"b64\":false",
    "\"b64\":true",
    "\"jwk\":{}",
    "\"\\u0061lg\":\"HS256\"",
    "\"iss\":\"i\"",
    "\"aud\":\"a\"",
    "\"aud\":[\"a\",\"b\"]",
    "\"aud\":7",
    "\"exp\":1",
    "\"exp\":1.5",
    "\"exp\":1e30",
    "\"exp\":\"1\"",
    "\"exp\":-1",
    "\"x\":{\"a\":1}",
    "\"x\":{\"a\":1,\"a\":2}",
    "\\u0000",
    "\"kty\":\"EC\"",
    "\"kty\":\"OKP\"",
    "\"crv\":\"P-256\"",
    "\"crv\":\"Ed25519\"",
    "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"",
    "\"use\":\"sig\"",
    "\"keys\":[",
    "null",
];

fn words(bytes: &[u8]) -> Vec<u8> {
    let word = |byte: &u8| match WORDS.get(usize::from(*byte) / 2) {
        Some(word) => word.as_bytes().to_vec(),
        None => vec![*byte],
    };
    bytes.iter().flat_map(word).collect()
}

/// The target `tokens`.
pub fn tokens(data: &[u8]) {
    for act in crate::acts(&mut Unstructured::new(data), 4) {
        match act {
            Act::Sent { key, typ, payload, edits } => sent(key, typ, &words(payload), &edits),
            Act::Odd { header, payload } => odd(&words(header), &words(payload)),
            Act::Forged { token } => forged(token),
            Act::Keys { set } => keys(&words(set)),
        }
    }
}

fn rules(key: &SigningKey) -> Verification {
    let algorithms = Algorithms::only(key.algorithm());
    Verification::new(algorithms, TokenType::AnyBecauseTheKeySignsNothingElse)
}

fn verified(token: &str, key: &SigningKey) -> Option<Vec<u8>> {
    let token = Unverified::parse(token).ok()?;
    let verified = token.verify_with(&rules(key), key.verifying_key()).ok()?;
    Some(verified.payload().to_vec())
}

/// The claims that the other crate reads.
fn elsewhere(token: &str, key: &Key) -> Option<Value> {
    let name = key.signing.algorithm().as_str();
    let mut validation = Validation::new(name.parse().expect("an algorithm"));
    validation.required_spec_claims.clear();
    (validation.validate_exp, validation.validate_aud) = (false, false);
    jsonwebtoken::decode(token, &key.other, &validation).ok().map(|token| token.claims)
}

/// Checks that a token is read as it was signed, here and elsewhere, and not if it was changed.
fn sent(at: u8, typ: Option<&str>, payload: &[u8], edits: &[(u16, u8)]) {
    let key = &KEYS[usize::from(at) % KEYS.len()];
    let header = typ.map_or(Protected::plain(), Protected::typ);
    let token = key.signing.sign(&header, payload).expect("a token");
    let fits = token.len() <= 16 * 1024 && !payload.is_empty();
    assert_eq!(verified(&token, &key.signing).as_deref(), fits.then_some(payload));
    if let Ok(claims) = Claims::parse(payload) {
        let plain: Value = serde_json::from_slice(payload).expect("we read it");
        assert_eq!(elsewhere(&token, key), Some(plain), "elsewhere it is read otherwise");
        assert_eq!(Claims::parse(&claims.to_json()), Ok(in_seconds(claims)));
    }
    let mut changed = token.clone().into_bytes();
    for (at, byte) in edits {
        // From the end, where base64url may have bits that no byte uses.
        let at = changed.len() - 1 - usize::from(*at) % changed.len();
        changed[at] = edited(changed[at], *byte);
    }
    if let Ok(changed) = String::from_utf8(changed) {
        let accepted = verified(&changed, &key.signing).is_some();
        assert_eq!(accepted, fits && changed == token, "{changed} for {token}");
    }
}

const BASE64URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A digit of base64url with other bits, or any other byte.
fn edited(byte: u8, edit: u8) -> u8 {
    match (BASE64URL.iter().position(|digit| *digit == byte), edit) {
        (Some(value), 0..64) => BASE64URL[value ^ usize::from(edit)],
        _ => edit.wrapping_sub(64),
    }
}

/// What is left of claims once they are written.
fn in_seconds(mut claims: Claims) -> Claims {
    let whole = |time: Option<Timestamp>| time.map(|time| Timestamp::from_seconds(time.seconds()));
    claims.exp = whole(claims.exp);
    claims.nbf = whole(claims.nbf);
    claims.iat = whole(claims.iat);
    claims
}

/// Checks what is accepted of a header and of claims against the rules in words.
fn odd(header: &[u8], payload: &[u8]) {
    let secret = "the secret of a party that writes what it likes";
    let encode = |bytes| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let signed = format!("{}.{}", encode(header), encode(payload));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), signed.as_bytes());
    let token = format!("{signed}.{}", encode(tag.as_ref()));
    let key = SigningKey::hmac(Algorithm::Hs256, &Secret::from(secret)).expect("a key");
    let accepted = verified(&token, &key).is_some();
    if accepted {
        let members: Map<String, Value> = serde_json::from_slice(header).expect("an object");
        assert_eq!(members["alg"], "HS256");
        assert!(!members.contains_key("crit") && members.get("b64").is_none_or(|b64| *b64 == true));
        assert!(is_plain(header, &members), "a member is repeated");
    }
    if Claims::parse(payload).is_ok() {
        let members: Map<String, Value> = serde_json::from_slice(payload).expect("an object");
        assert!(is_plain(payload, &members), "a member is repeated");
        let claims =
            Unverified::parse(&token).ok().and_then(|token| token.claims_of_anybody().ok());
        let other =
            Key { signing: key, other: DecodingKey::from_secret(secret.as_bytes()).unwrap() };
        if let (true, Some(read)) = (accepted && claims.is_some(), elsewhere(&token, &other)) {
            assert_eq!(read, Value::Object(members), "elsewhere it is read otherwise");
        }
    }
}

/// Whether an object has as many members in its text as in a map, at its top.
fn is_plain(json: &[u8], members: &Map<String, Value>) -> bool {
    struct Count(usize);
    impl<'de> serde::Deserialize<'de> for Count {
        fn deserialize<D: serde::Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
            struct Counter;
            impl<'de> serde::de::Visitor<'de> for Counter {
                type Value = Count;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("an object")
                }
                fn visit_map<A: serde::de::MapAccess<'de>>(
                    self,
                    mut map: A,
                ) -> Result<Count, A::Error> {
                    let mut count = 0;
                    while map.next_entry::<String, serde::de::IgnoredAny>()?.is_some() {
                        count += 1;
                    }
                    Ok(Count(count))
                }
            }
            reader.deserialize_map(Counter)
        }
    }
    serde_json::from_slice::<Count>(json).is_ok_and(|count| count.0 == members.len())
}

/// Checks that no text is a token without a key.
fn forged(token: &str) {
    for key in &*KEYS {
        assert!(verified(token, &key.signing).is_none(), "{token}");
    }
}

/// Checks that keys are written as they were read.
fn keys(set: &[u8]) {
    if let Ok(text) = std::str::from_utf8(set) {
        let _ = SigningKeys::from_json(&Secret::from(text));
        let _ = VerifyingKey::from_jwk(text);
        for algorithm in Algorithm::ALL {
            let _ = SigningKey::from_jwk(algorithm, &Secret::from(text));
        }
    }
    let Ok(keys) = KeySet::parse(set) else { return };
    let thumbprints = |keys: &KeySet| -> BTreeMap<_, _> {
        let each = |key: &VerifyingKey| (key.thumbprint(), key.kid().map(str::to_owned));
        keys.iter().map(each).collect()
    };
    let again = KeySet::parse(keys.to_json().as_bytes()).expect("a set that we wrote");
    assert_eq!(thumbprints(&again), thumbprints(&keys));
    assert!(again.skipped().is_empty() && keys.iter().all(|key| !key.is_shared()));
}
