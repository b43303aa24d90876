//! Libraries for encrypted tokens that others wrote: joserfc and npm's jose. Each opens our tokens, and
//! we open theirs, by every algorithm of the key and of the payload.

use quadrille::{
    Secret,
    jose::{ContentEncryption, DecryptingKey, Decryption, Encrypted, KeyManagement, Protected},
};
use serde_json::{Map, Value, json};
use tokio::process::Command;

use crate::support::{ask, node, python};

const PAYLOAD: &str = "e30.e30.AAAA, of ada \"lovelace\" \u{e9}\u{1f980}";

/// RFC 8037, appendix A.6.
const X25519: &str = r#"{"kty":"OKP","crv":"X25519","kid":"Bob",
    "d":"XasIfmJKikt54X-Lg4AO5m87sSkmGLb9HC-LJ_-I4Os",
    "x":"3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08"}"#;

type Case = (String, DecryptingKey, KeyManagement, ContentEncryption);

fn cases() -> Vec<Case> {
    let secret = Secret::from("GX1fBat3bV8zvF3Wz0kQ1mQkYdXn2c5v");
    let mut cases = Vec::new();
    for algorithm in KeyManagement::ALL {
        let generated = DecryptingKey::generate(algorithm);
        for encryption in ContentEncryption::ALL {
            let key = match &generated {
                Ok(key) => key.clone(),
                Err(_) => DecryptingKey::of_client_secret(&secret, algorithm, encryption).unwrap(),
            };
            let name = format!("{} {}", algorithm.as_str(), encryption.as_str());
            cases.push((name, key, algorithm, encryption));
        }
    }
    let key = DecryptingKey::from_jwk(&Secret::from(X25519)).unwrap();
    for algorithm in [KeyManagement::EcdhEs, KeyManagement::EcdhEsA256Kw] {
        let name = format!("{} on X25519", algorithm.as_str());
        cases.push((name, key.clone(), algorithm, ContentEncryption::A256Gcm));
    }
    cases
}

fn told((_, key, algorithm, encryption): &Case) -> Value {
    let header = Protected::plain().cty("JWT");
    let token = key.encrypting_key().encrypt(*algorithm, *encryption, &header, PAYLOAD.as_bytes());
    let jwk = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    json!({
        "alg": algorithm.as_str(),
        "enc": encryption.as_str(),
        "private": jwk(key.to_private_jwk().unwrap().expose()),
        "public": key.encrypting_key().to_jwk().map(|text| jwk(&text)),
        "token": token.unwrap(),
    })
}

async fn each_other(program: Command) {
    let cases = cases();
    let ours: Map<_, _> = cases.iter().map(|case| (case.0.clone(), told(case))).collect();
    let answers = ask(program, &Value::from(ours)).await;
    for (name, key, algorithm, encryption) in &cases {
        let answer = &answers[name];
        assert_eq!(answer["payload"], PAYLOAD, "{name}");
        assert_eq!(answer["header"]["cty"], "JWT", "{name}");
        assert_eq!(answer["header"].get("kid").and_then(Value::as_str), key.kid(), "{name}");
        let theirs = Encrypted::parse(answer["token"].as_str().unwrap()).unwrap();
        let rules = Decryption::only(*algorithm, *encryption);
        let opened = theirs.decrypt(rules, [key]).unwrap_or_else(|why| panic!("{name}: {why}"));
        assert_eq!(opened.nested(), Ok(PAYLOAD), "{name}");
    }
}

#[tokio::test]
async fn joserfc_and_we_open_each_others_tokens() {
    each_other(python("tokens/encrypted_joserfc.py")).await;
}

#[tokio::test]
async fn jose_of_node_and_we_open_each_others_tokens() {
    each_other(node("tokens/encrypted_jose.js")).await;
}
