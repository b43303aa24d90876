//! Libraries for signed tokens that others wrote: PyJWT, joserfc and npm's jose. Each verifies our
//! tokens by our keys, and we verify theirs, by every algorithm that they know.

use quadrille::{
    Secret, Timestamp,
    jose::{
        Algorithm, Algorithms, Claims, ClaimsPolicy, KeySet, Protected, SigningKey, TokenType,
        Unverified, Verification, VerifyingKey,
    },
};
use serde_json::{Map, Value, json};
use tokio::process::Command;

use crate::support::{ask, node, python};

fn claims() -> Claims {
    let mut claims = Claims::default();
    claims.iss = Some("https://id.example".into());
    claims.sub = Some("ada \"lovelace\" \u{e9}\u{1f980}".into());
    claims.aud = vec!["https://api.example".into()];
    // Far away, since the others have clocks of their own.
    claims.exp = Some(Timestamp::from_seconds(4_000_000_000));
    claims.jti = Some("1".into());
    claims.extra.insert("scope".into(), "photos:read".into());
    claims.extra.insert("cnf".into(), json!({ "jkt": "abc" }));
    claims
}

async fn asked(program: Command, keys: &[SigningKey]) -> Map<String, Value> {
    let mut all = Map::new();
    for key in keys {
        let private: Value = serde_json::from_str(key.to_private_jwk().unwrap().expose()).unwrap();
        let public = key.verifying_key().to_jwk().map(|jwk| serde_json::from_str(&jwk).unwrap());
        let token = key.sign_claims(&Protected::typ("at+jwt"), &claims()).unwrap();
        let one =
            json!({ "private": private, "public": public.unwrap_or(Value::Null), "token": token });
        all.insert(key.algorithm().as_str().to_owned(), one);
    }
    ask(program, &Value::from(all)).await
}

/// Verifies a token that the other library signed, and reads what it says.
fn verify(token: &Value, key: &VerifyingKey, algorithm: Algorithm) {
    let rules = Verification::new(Algorithms::only(algorithm), TokenType::Plain);
    let policy = ClaimsPolicy::new("https://id.example", "https://api.example");
    let token = Unverified::parse(token.as_str().unwrap()).unwrap();
    let verified =
        token.verify_with(&rules, key).unwrap_or_else(|why| panic!("{algorithm:?} {why}"));
    assert_eq!(verified.claims(&policy, Timestamp::from_seconds(3_999_999_999)), Ok(claims()));
}

fn check(name: &str, answer: &Value, ours: &SigningKey) {
    let algorithm = ours.algorithm();
    let expected: Value = serde_json::from_slice(&claims().to_json()).unwrap();
    assert_eq!(answer["claims"], expected, "{name}");
    assert_eq!(answer["header"]["typ"], "at+jwt");
    assert_eq!(answer["header"]["alg"], name);
    assert_eq!(answer["header"].get("kid").and_then(Value::as_str), ours.kid());
    if let (Some(theirs), Some(ours)) =
        (answer.get("thumbprint"), ours.verifying_key().thumbprint())
    {
        assert_eq!(*theirs, ours, "{name}");
    }
    verify(&answer["token"], ours.verifying_key(), algorithm);

    let own = &answer["own"];
    let private = Secret::from(own["private"].to_string());
    let read = SigningKey::from_jwk(algorithm, &private).unwrap();
    verify(&own["token"], read.verifying_key(), algorithm);
    if algorithm.is_symmetric() {
        return;
    }
    let set = json!({ "keys": [own["public"]] });
    let set = KeySet::parse(set.to_string().as_bytes()).unwrap();
    assert_eq!(set.skipped(), [], "{name}");
    verify(&own["token"], set.iter().next().unwrap(), algorithm);
    let read = SigningKey::from_pem(algorithm, own["pem"].as_str().unwrap()).unwrap();
    verify(&own["token"], read.verifying_key(), algorithm);
}

async fn every_algorithm(program: Command, least: usize) {
    let keys = Algorithm::ALL.map(|algorithm| SigningKey::generate(algorithm).unwrap());
    let answers = asked(program, &keys).await;
    assert!(answers.len() >= least, "{:?}", answers.keys());
    for (name, answer) in &answers {
        let ours = keys.iter().find(|key| key.algorithm().as_str() == name).unwrap();
        check(name, answer, ours);
    }
}

#[tokio::test]
async fn pyjwt_and_we_verify_each_other() {
    // It knows Ed25519 by its older name only.
    every_algorithm(python("tokens/with_pyjwt.py"), Algorithm::ALL.len() - 1).await;
}

#[tokio::test]
async fn joserfc_and_we_verify_each_other() {
    every_algorithm(python("tokens/with_joserfc.py"), Algorithm::ALL.len()).await;
}

#[tokio::test]
async fn jose_of_node_and_we_verify_each_other() {
    every_algorithm(node("tokens/with_jose.js"), Algorithm::ALL.len()).await;
}
