//! The secrets of an exchange, and the placeholders that a tape has in their place.

use std::{cmp::Reverse, collections::BTreeMap, fmt};

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE},
};
use url::{Url, form_urlencoded};

use crate::{form::FormWriter, transport::Purpose};

/// The fewest bytes of a secret that is looked for inside other texts. A shorter one is a part of
/// too many words, and is only compared with whole values.
const FINDABLE: usize = 8;

/// The fewest characters of a text that may be a secret in Base64.
const ENCODED: usize = 12;

/// The content of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// Credentials: a member such as `code` is a secret.
    Credentials,
    /// Data of the application, in which `code` and `state` are words as others.
    Data,
}

impl About {
    pub(super) const fn of(purpose: Purpose) -> Self {
        match purpose {
            Purpose::Api | Purpose::Identity | Purpose::Document => Self::Data,
            _ => Self::Credentials,
        }
    }
}

/// The ends of the names of secrets, without what separates words.
const ENDS: [&str; 13] = [
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "assertion",
    "signature",
    "apikey",
    "privatekey",
    "credential",
    "credentials",
    "cookie",
    "authorization",
];

/// The names of further secrets, and of members that are another in each request.
const NAMES: [&str; 9] = [
    "codeverifier",
    "devicecode",
    "dpop",
    "idtokenhint",
    "jwt",
    "oauthnonce",
    "oauthtimestamp",
    "oauthverifier",
    "samlresponse",
];

/// The same among credentials.
const OF_CREDENTIALS: [&str; 12] = [
    "code",
    "state",
    "nonce",
    "usercode",
    "verifier",
    "request",
    "sid",
    "sessionstate",
    "jti",
    "athash",
    "chash",
    "shash",
];

/// Whether the value of a member or a header with this name is a secret.
pub(super) fn is_secret(name: &str, about: About) -> bool {
    let name: String =
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    ENDS.iter().any(|end| name.ends_with(end))
        || NAMES.contains(&&*name)
        || (about == About::Credentials && OF_CREDENTIALS.contains(&&*name))
}

/// Whether a text looks like a secret wherever it stands: a signed token, or one with the prefix of
/// a service.
pub(super) fn is_credential(text: &str) -> bool {
    const PREFIXES: [&str; 12] = [
        "gho_",
        "ghp_",
        "ghu_",
        "ghs_",
        "ghr_",
        "github_pat_",
        "glpat-",
        "xoxb-",
        "xoxp-",
        "ya29.",
        "sk_live_",
        "EAAC",
    ];
    let is_prefixed = text.len() >= 20 && PREFIXES.iter().any(|prefix| text.starts_with(prefix));
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let is_signed = text.starts_with("eyJ")
        && text.len() > 24
        && text.matches('.').count() >= 2
        && text.bytes().all(is_part);
    is_prefixed || is_signed
}

/// Whether a text is a placeholder, such as `tape-access_token-1`.
pub(super) fn is_placeholder(text: &str) -> bool {
    number_of(text).is_some()
}

/// The name and the number of a placeholder.
fn number_of(text: &str) -> Option<(&str, u64)> {
    let (name, number) = text.strip_prefix("tape-")?.rsplit_once('-')?;
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let number = number.parse().ok()?;
    (!name.is_empty() && name.bytes().all(is_name)).then_some((name, number))
}

/// Whether a placeholder stands for a secret that no tape has: one of a request that is compared.
fn is_any(text: &str) -> bool {
    matches!(number_of(text), Some((_, 0)))
}

/// Whether a value on a tape and a value of a request are the same, or both secrets of which the
/// request has one of its own.
pub(super) fn is_alike(on_tape: &str, sent: &str) -> bool {
    on_tape == sent || (is_placeholder(on_tape) && is_any(sent))
}

/// The secrets that are known, with their placeholders.
#[derive(Clone, Default)]
pub(super) struct Secrets {
    known: BTreeMap<String, String>,
    counts: BTreeMap<String, u64>,
    /// Whether secrets get no placeholders of their own, because the request is only compared.
    is_comparing: bool,
}

impl Secrets {
    /// The same secrets, for a request that is compared.
    pub(super) fn comparing(&self) -> Self {
        Self { is_comparing: true, ..self.clone() }
    }

    /// Leaves the numbers of the placeholders in this text to them.
    pub(super) fn passes_over(&mut self, text: &str) {
        let is_end = |char: char| !(char.is_ascii_alphanumeric() || matches!(char, '-' | '_'));
        for (name, number) in text.split(is_end).filter_map(number_of) {
            let count = self.counts.entry(name.to_owned()).or_default();
            *count = number.max(*count);
        }
    }

    /// The placeholder for the value of a member.
    pub(super) fn stand_in(&mut self, name: &str, value: &str) -> String {
        if value.is_empty() || is_placeholder(value) {
            return value.to_owned();
        }
        if let Some(known) = self.known.get(value) {
            return known.clone();
        }
        let name: String = name
            .chars()
            .map(|char| if char.is_ascii_alphanumeric() { char.to_ascii_lowercase() } else { '_' })
            .collect();
        if self.is_comparing {
            return format!("tape-{name}-0");
        }
        let count = self.counts.entry(name.clone()).or_default();
        *count += 1;
        let placeholder = format!("tape-{name}-{count}");
        self.known.insert(value.to_owned(), placeholder.clone());
        placeholder
    }

    /// A text in which secrets are replaced: those that are known, those of parameters
    /// (`name=value`), and those that look like one.
    pub(super) fn clean(&mut self, text: &str, about: About) -> String {
        if let Some(known) = self.known.get(text) {
            return known.clone();
        }
        let is_between = |char: char| {
            char.is_whitespace()
                || matches!(char, '&' | '?' | '#' | ';' | ',' | '"' | '\'' | '<' | '>' | '(' | ')')
        };
        let mut clean = String::with_capacity(text.len());
        for piece in text.split_inclusive(is_between) {
            let word = piece.trim_end_matches(is_between);
            let end = piece.get(word.len()..).unwrap_or_default();
            match word.split_once('=') {
                Some((name, value)) if is_secret(name, about) && !value.is_empty() => {
                    let decoded = decoded(value);
                    clean += &format!("{name}={}", self.stand_in(name, &decoded));
                }
                _ if is_credential(word) => clean += &self.stand_in("token", word),
                _ => clean += word,
            }
            clean += end;
        }
        self.known_in(&clean)
    }

    /// A text in which the secrets that are known are replaced.
    pub(super) fn known_in(&self, text: &str) -> String {
        if let Some(known) = self.known.get(text) {
            return known.clone();
        }
        let mut clean = text.to_owned();
        for (secret, placeholder) in self.findable() {
            let encoded = encoded(secret);
            for secret in [secret.to_owned(), encoded.replace('+', "%20"), encoded] {
                if clean.contains(&secret) {
                    clean = clean.replace(&secret, placeholder);
                }
            }
        }
        clean
    }

    /// The secrets that are looked for in texts, a token before its signature.
    fn findable(&self) -> impl Iterator<Item = (&str, &str)> {
        let known = self.known.iter().filter(|(secret, _)| secret.len() >= FINDABLE);
        let mut known: Vec<_> = known.collect();
        known.sort_by_key(|(secret, _)| Reverse(secret.len()));
        known.into_iter().map(|(secret, placeholder)| (&**secret, &**placeholder))
    }

    /// Whether a text is or contains a secret, also in Base64 or as a part of a URL.
    pub(super) fn is_in(&self, text: &str) -> bool {
        self.known.contains_key(text)
            || self.is_in_bytes(text.as_bytes())
            || form_urlencoded::parse(text.as_bytes()).any(|(name, value)| {
                self.is_in_bytes(name.as_bytes()) || self.is_in_bytes(value.as_bytes())
            })
            || self.is_in_base64(text)
    }

    /// Whether bytes contain a secret.
    pub(super) fn is_in_bytes(&self, bytes: &[u8]) -> bool {
        let holds =
            |secret: &str| bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
        self.findable().any(|(secret, _)| holds(secret))
    }

    fn is_in_base64(&self, text: &str) -> bool {
        let is_end =
            |char: char| !(char.is_ascii_alphanumeric() || matches!(char, '+' | '/' | '-' | '_'));
        text.split(is_end).filter(|word| word.len() >= ENCODED).any(|word| {
            let padded = format!("{word}{}", "=".repeat((4 - word.len() % 4) % 4));
            let decoded = BASE64_STANDARD.decode(&padded);
            let decoded = decoded.or_else(|_| BASE64_URL_SAFE.decode(&padded));
            decoded.is_ok_and(|decoded| self.is_in_bytes(&decoded))
        })
    }
}

/// Omits the secrets.
impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").field("counts", &self.counts).finish_non_exhaustive()
    }
}

/// A value without the encoding of a form.
fn decoded(value: &str) -> String {
    let pair = format!("v={value}");
    let mut pairs = form_urlencoded::parse(pair.as_bytes());
    pairs.next().map_or_else(|| value.to_owned(), |(_, value)| value.into_owned())
}

/// A value as it stands in a URL.
fn encoded(value: &str) -> String {
    let mut form = FormWriter::new();
    form.append("", value);
    form.finish().trim_start_matches('=').to_owned()
}

/// A URL in which secrets are replaced.
pub(super) fn clean_url(secrets: &mut Secrets, url: &str, about: About) -> String {
    let Ok(mut parsed) = Url::parse(url) else { return secrets.clean(url, about) };
    if let Some(password) = parsed.password().map(decoded) {
        let placeholder = secrets.stand_in("password", &password);
        if parsed.set_password(Some(&placeholder)).is_err() {
            return secrets.clean(url, about);
        }
    }
    if parsed.query().is_some() {
        let pairs: Vec<_> = parsed
            .query_pairs()
            .map(|(name, value)| {
                let value = match is_secret(&name, about) {
                    true => secrets.stand_in(&name, &value),
                    false => secrets.clean(&value, about),
                };
                (name.into_owned(), value)
            })
            .collect();
        parsed.set_query(None);
        if !pairs.is_empty() {
            parsed.query_pairs_mut().extend_pairs(pairs);
        }
    }
    if let Some(fragment) = parsed.fragment().map(str::to_owned) {
        parsed.set_fragment(Some(&secrets.clean(&fragment, About::Credentials)));
    }
    secrets.known_in(parsed.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_known_in_each_spelling() {
        for name in [
            "access_token",
            "accessToken",
            "X-Api-Key",
            "client_secret",
            "Set-Cookie",
            "client_assertion",
            "oauth_signature",
            "code_verifier",
            "DPoP",
        ] {
            assert!(is_secret(name, About::Data), "{name}");
        }
        for name in ["token_type", "state", "code", "title", "oauth_signature_method"] {
            assert!(!is_secret(name, About::Data), "{name}");
        }
        assert!(is_secret("code", About::Credentials) && is_secret("state", About::Credentials));
    }

    #[test]
    fn a_secret_has_one_placeholder_wherever_it_stands() {
        let mut secrets = Secrets::default();
        assert_eq!(secrets.stand_in("access_token", "s3cret/token"), "tape-access_token-1");
        let text = "see https://api.example/?access_token=s3cret%2Ftoken&page=2 (s3cret/token)";
        assert_eq!(
            secrets.clean(text, About::Data),
            "see https://api.example/?access_token=tape-access_token-1&page=2 (tape-access_token-1)",
        );
        assert_eq!(secrets.stand_in("access_token", "another"), "tape-access_token-2");
        assert_eq!(secrets.stand_in("code", "tape-code-7"), "tape-code-7");
    }

    #[test]
    fn a_signed_token_is_a_secret_without_a_name() {
        let mut secrets = Secrets::default();
        let text = "the proof is eyJhbGciOiJub25lIn0.eyJzdWIiOiI3In0.c2lnbmF0dXJl, he said";
        assert_eq!(secrets.clean(text, About::Data), "the proof is tape-token-1, he said");
    }

    #[test]
    fn a_token_is_replaced_before_its_signature() {
        let mut secrets = Secrets::default();
        secrets.stand_in("id_token", "eyJh.eyJi.AAAAAAAAAAAA");
        secrets.stand_in("signature", "AAAAAAAAAAAA");
        let text = "hint:eyJh.eyJi.AAAAAAAAAAAA, signature:AAAAAAAAAAAA";
        assert_eq!(secrets.known_in(text), "hint:tape-id_token-1, signature:tape-signature-1");
    }

    #[test]
    fn a_secret_is_found_in_disguise() {
        let mut secrets = Secrets::default();
        secrets.stand_in("client_secret", "our secret/7");
        let basic = BASE64_STANDARD.encode("our-id:our secret/7");
        for text in ["our secret/7", "a=our%20secret%2F7", &basic, &format!("[{basic}]")] {
            assert!(secrets.is_in(text), "{text}");
        }
        assert!(!secrets.is_in("our-secret"));
    }

    #[test]
    fn urls_lose_the_secrets_of_each_part() {
        let mut secrets = Secrets::default();
        let url = "https://ada:p4ssw0rd-7@api.example/a?state=open&api_key=k3y-k3y-k3y#code=abc";
        assert_eq!(
            clean_url(&mut secrets, url, About::Data),
            "https://ada:tape-password-1@api.example/a?state=open&api_key=tape-api_key-1#code=tape-code-1",
        );
    }
}
