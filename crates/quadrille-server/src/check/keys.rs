//! The key set of a provider (RFC 7517; OpenID Connect Core 1.0, section 10.1).

use std::collections::HashSet;

use quadrille::jose::{Algorithm, KeyManagement, KeySet};
use serde_json::{Map, Value, json};

use super::{
    ask::Answer,
    metadata::list,
    report::{Findings, Found, Quote},
};

const CORE_10_1: &str = "OpenID Connect Core 1.0, section 10.1";
const CORE_10_1_1: &str = "OpenID Connect Core 1.0, section 10.1.1";
const DISCOVERY_3: &str = "OpenID Connect Discovery 1.0, section 3";
const RFC_7517_5: &str = "RFC 7517, section 5";
const RFC_7517_9_2: &str = "RFC 7517, section 9.2";

/// Members that only a private or a shared key has (RFC 7518, section 6).
const SECRET: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

pub(super) fn check(answer: &Answer, document: &Map<String, Value>, part: &mut Findings) {
    let is_read = answer.object().and_then(|set| set.get("keys")?.as_array().cloned());
    let found = Found::is(is_read.is_some(), || answer.shown());
    part.must(RFC_7517_5, "the key set is an object with the member `keys`, a list", found);
    let Some(keys) = is_read else { return };
    let keys: Vec<_> = keys.iter().filter_map(Value::as_object).collect();
    let secret =
        keys.iter().find_map(|key| SECRET.into_iter().find(|name| key.contains_key(*name)));
    let found = Found::is(secret.is_none(), || secret.unwrap_or("").quote());
    part.must(RFC_7517_9_2, "no key has a member of a private or a shared key", found);
    names(&keys, part);
    uses(&keys, part);
    usable(answer, &keys, document, part);
    let kept = answer.header("cache-control");
    let found = Found::is(kept.contains("max-age"), || kept.quote());
    let requirement = "`Cache-Control` has `max-age`, so that clients know when to fetch anew";
    part.should(CORE_10_1_1, requirement, found);
}

/// A token names its key by `kid` where there are several.
fn names(keys: &[&Map<String, Value>], part: &mut Findings) {
    let named: Vec<_> =
        keys.iter().filter_map(|key| key.get("kid").and_then(Value::as_str)).collect();
    if keys.len() > 1 {
        let found = Found::is(named.len() == keys.len(), || {
            format!("{} of {} have one", named.len(), keys.len())
        });
        part.must(CORE_10_1, "each of several keys has a `kid`", found);
    }
    let mut seen = HashSet::new();
    let twice = named.iter().find(|kid| !seen.insert(**kid));
    let found = Found::is(twice.is_none(), || twice.map(Quote::quote).unwrap_or_default());
    part.should("RFC 7517, section 4.5", "no two keys have the same `kid`", found);
}

fn uses(keys: &[&Map<String, Value>], part: &mut Findings) {
    let has = |value| keys.iter().any(|key| key.get("use").and_then(Value::as_str) == Some(value));
    if has("sig") && has("enc") {
        let without = keys.iter().filter(|key| !key.contains_key("use")).count();
        let found = Found::is(without == 0, || format!("{without} without"));
        part.must(DISCOVERY_3, "each key has a `use`, as there are both kinds", found);
    }
}

/// The reason why this program can neither verify with a key nor encrypt to it.
fn unusable(key: &Map<String, Value>) -> Option<String> {
    let set = KeySet::parse(json!({ "keys": [key] }).to_string().as_bytes()).ok()?;
    let encrypts = KeyManagement::ALL.iter().any(|by| set.encrypting_by(*by).is_some());
    set.skipped().first().filter(|_| !encrypts).map(ToString::to_string)
}

/// The keys that a client can use.
fn usable(
    answer: &Answer,
    keys: &[&Map<String, Value>],
    document: &Map<String, Value>,
    part: &mut Findings,
) {
    let set = match KeySet::parse(answer.text.as_bytes()) {
        Ok(set) => set,
        Err(error) => {
            part.must(RFC_7517_5, "the key set can be read", Found::wrong(error.to_string()));
            return;
        }
    };
    let skipped = keys.iter().filter_map(|key| unusable(key)).collect::<Vec<_>>();
    let found = Found::is(skipped.is_empty(), || skipped.join("; ").quote());
    part.should(RFC_7517_5, "each key is one that this program can use", found);
    for name in list(document, "id_token_signing_alg_values_supported") {
        let Some(algorithm) = Algorithm::parse(name) else { continue };
        // Tokens of these are signed with the client's secret.
        if name.starts_with("HS") {
            continue;
        }
        let has = set.iter().any(|key| key.verifies(algorithm));
        let requirement = format!("there is a key for {name}, which the metadata name");
        part.must(CORE_10_1, requirement, Found::is(has, || "none".into()));
    }
}
