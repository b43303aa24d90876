//! Secrets of imported clients that are easy to find out. They are imported: clients keep their secrets.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::provider::{client::secrets::SHORTEST_CHOSEN, guessing::imported::Imported};

/// The number of iterations that RFC 8018, section 4.2, recommends at least.
const FEWEST_ITERATIONS: u32 = 1000;

/// A secret of an imported client that is easy to find out.
///
/// ```
/// use quadrille::provider::{WeakSecret, Weakness};
///
/// fn told(weak: &WeakSecret) -> String {
///     format!("{}: {}", weak.client, weak.weakness)
/// }
///
/// let words = "the length of a secret is 4, and of a safe one 12 or more";
/// assert_eq!(Weakness::Short(4).to_string(), words);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WeakSecret {
    /// The `client_id`.
    pub client: Arc<str>,
    /// The reason.
    pub weakness: Weakness,
}

/// The reason why a secret is easy to find out.
///
/// ```
/// use quadrille::provider::Weakness;
///
/// assert!(Weakness::Short(6).to_string().starts_with("the length of a secret is 6"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Weakness {
    /// The secret has this number of characters, fewer than one of a client's own choice needs.
    #[error("the length of a secret is {0}, and of a safe one {least} or more", least = SHORTEST_CHOSEN)]
    Short(usize),
    /// The verifier has this number of iterations of PBKDF2, fewer than RFC 8018, section 4.2, recommends.
    #[error(
        "the iterations of a verifier (PBKDF2) are {0}, and of a safe one {least} or many more",
        least = FEWEST_ITERATIONS
    )]
    Iterations(u32),
}

/// The weak secrets of a line.
pub(super) fn of(line: &Map<String, Value>) -> Vec<Weakness> {
    let mut found = Vec::new();
    let mut plain = |text: Option<&Value>| {
        let length = text.and_then(Value::as_str).map(str::len);
        found.extend(length.filter(|length| *length < SHORTEST_CHOSEN).map(Weakness::Short));
    };
    plain(line.get("client_secret"));
    plain(line.get("oauth1_secret"));
    let keys = line.get("oauth1").and_then(|oauth1| oauth1.get("keys"));
    for key in items(keys) {
        plain(key.get("credential").and_then(|credential| credential.get("plain")));
    }
    let verifiers = || items(line.get("secrets")).filter_map(|secret| secret.get("verifier"));
    verifiers().for_each(|verifier| plain(verifier.get("plain")));
    for verifier in verifiers() {
        let text = verifier.as_str().or_else(|| verifier.get("imported")?.as_str());
        let iterations = text.and_then(|text| Imported::parse(text).ok()?.iterations());
        let few = iterations.filter(|iterations| *iterations < FEWEST_ITERATIONS);
        found.extend(few.map(Weakness::Iterations));
    }
    found
}

/// The elements of an array; none of another value.
fn items(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_secrets_and_few_iterations_are_found_wherever_they_are() {
        let hash = "A".repeat(43);
        let pbkdf2 = |rounds: u32| format!("pbkdf2_sha256${rounds}$salt${hash}=");
        let secrets =
            |verifier: Value| serde_json::json!({ "secrets": [{ "verifier": verifier }] });
        for (line, expected) in [
            (serde_json::json!({ "client_secret": "a" }), Some(Weakness::Short(1))),
            (serde_json::json!({ "client_secret": "twelve chars" }), None),
            (serde_json::json!({ "oauth1_secret": "eleven char" }), Some(Weakness::Short(11))),
            (
                serde_json::json!({ "oauth1": { "keys": [{ "credential": { "plain": "ab" } }] } }),
                Some(Weakness::Short(2)),
            ),
            (secrets(serde_json::json!({ "plain": "abc" })), Some(Weakness::Short(3))),
            (secrets(pbkdf2(1).into()), Some(Weakness::Iterations(1))),
            (
                secrets(serde_json::json!({ "imported": pbkdf2(999) })),
                Some(Weakness::Iterations(999)),
            ),
            (secrets(pbkdf2(1000).into()), None),
            (secrets("0".repeat(64).into()), None),
        ] {
            assert_eq!(of(line.as_object().unwrap()).first().copied(), expected, "{line}");
        }
    }
}
