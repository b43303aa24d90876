//! The names of secrets, and the texts that are secrets without a name.

use crate::transport::Purpose;

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

/// What a name says about its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// Everything under the name is a secret.
    Whole,
    /// A text under the name is a secret, and an object is data: the name is a word, too.
    Text,
    /// A text that looks random may be a secret. It is not replaced, because the name is common.
    Unclear,
}

/// The ends of the names of secrets, without what separates words.
const ENDS: [&str; 37] = [
    "token",
    "tokens",
    "secret",
    "secrets",
    "password",
    "passwords",
    "passwd",
    "pwd",
    "passphrase",
    "passcode",
    "assertion",
    "signature",
    "signature256",
    "hmac",
    "apikey",
    "apikeys",
    "privatekey",
    "accesskey",
    "accesskeyid",
    "secretkey",
    "sharedkey",
    "signingkey",
    "encryptionkey",
    "subscriptionkey",
    "masterkey",
    "sessionkey",
    "sessionid",
    "connectionstring",
    "credential",
    "credentials",
    "cookie",
    "authorization",
    "otp",
    "csrf",
    "xsrf",
    "recoverycodes",
    "backupcodes",
];

/// The names of further secrets, and of members that are another in each request.
const NAMES: [&str; 18] = [
    "appsecretproof",
    "backupcode",
    "bearer",
    "codeverifier",
    "cookies",
    "devicecode",
    "dpop",
    "idtokenhint",
    "jwt",
    "nextnonce",
    "oauthnonce",
    "oauthtimestamp",
    "oauthverifier",
    "phpsessid",
    "recoverycode",
    "samlresponse",
    "svsig",
    "xlinesignature",
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

/// The names of secrets that are names of data, too.
const WORDS: [&str; 6] = ["pass", "pat", "pin", "session", "sessions", "sig"];

/// The names of which nobody knows.
const UNCLEAR: [&str; 7] = ["auth", "code", "key", "keys", "sid", "ticket", "verifier"];

/// A name without what separates words.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

/// The rule for values with this name; `None` if the name says nothing.
pub(super) fn rule(name: &str, about: About) -> Option<Rule> {
    let name = plain(name);
    let is_secret = ENDS.iter().any(|end| name.ends_with(end))
        || NAMES.contains(&&*name)
        || (about == About::Credentials && OF_CREDENTIALS.contains(&&*name));
    match &*name {
        _ if is_secret => Some(Rule::Whole),
        name if WORDS.contains(&name) => Some(Rule::Text),
        name if UNCLEAR.contains(&name) => Some(Rule::Unclear),
        _ => None,
    }
}

/// Whether a number with the name of a secret is one, and no count (`max_tokens`).
pub(super) fn is_number(name: &str) -> bool {
    let name = plain(name);
    name == "pass" || ["otp", "pin", "passcode", "password"].iter().any(|end| name.ends_with(end))
}

/// Whether a member with this private part of a JSON Web Key is in a key (RFC 7518, section 6).
pub(super) fn is_of_key(name: &str) -> bool {
    matches!(name, "d" | "p" | "q" | "dp" | "dq" | "qi" | "k")
}

/// The prefixes of tokens of services.
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

/// The same, of texts with a digit, since they begin other words, too.
const PREFIXES_WITH_DIGITS: [&str; 31] = [
    "1//0",
    "AIza",
    "AKIA",
    "ASIA",
    "ATATT",
    "EAAB",
    "EAAG",
    "GOCSPX-",
    "SG.",
    "dckr_pat_",
    "dop_v1_",
    "figd_",
    "gldt-",
    "glptt-",
    "glrt-",
    "hf_",
    "hvs.",
    "lin_api_",
    "npm_",
    "ntn_",
    "pypi-",
    "rk_live_",
    "shpat_",
    "shpss_",
    "sk-",
    "sk_test_",
    "sq0",
    "whsec_",
    "xapp-",
    "xoxe",
    "xoxs-",
];

/// Whether a text looks like a secret wherever it stands: a signed token, or one with the prefix of
/// a service.
pub(super) fn is_credential(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let is_prefixed = text.len() >= 20
        && (PREFIXES.iter().any(|prefix| text.starts_with(prefix))
            || (text.contains(|char: char| char.is_ascii_digit())
                && PREFIXES_WITH_DIGITS.iter().any(|prefix| text.starts_with(prefix))));
    let is_signed = text.starts_with("eyJ")
        && text.len() > 24
        && text.matches('.').count() >= 2
        && text.bytes().all(is_part);
    is_prefixed || is_signed
}

/// Whether a text is a token rather than a word: letters and digits, and nothing between words.
pub(super) fn is_likely(text: &str) -> bool {
    let has = |is: fn(&char) -> bool| text.chars().any(|char| is(&char));
    text.len() >= 12
        && has(char::is_ascii_digit)
        && has(char::is_ascii_alphabetic)
        && !has(|char| char.is_whitespace())
}

/// Whether a text looks random.
pub(super) fn is_random(text: &str) -> bool {
    let count = |is: fn(&u8) -> bool| text.bytes().filter(is).count();
    let is_part =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'+' | b'=' | b'~');
    text.len() >= 16
        && text.bytes().all(is_part)
        && count(u8::is_ascii_digit) >= 3
        && count(u8::is_ascii_alphabetic) >= 3
}

/// Whether a text is a placeholder, such as `tape-access_token-1`.
pub(super) fn is_placeholder(text: &str) -> bool {
    number_of(text).is_some()
}

/// The name and the number of a placeholder.
pub(super) fn number_of(text: &str) -> Option<(&str, u64)> {
    let (name, number) = text.strip_prefix("tape-")?.rsplit_once('-')?;
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let number = number.parse().ok()?;
    (!name.is_empty() && name.bytes().all(is_name)).then_some((name, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_known_in_each_spelling() {
        for name in "access_token accessToken X-Api-Key client_secret Set-Cookie client_assertion \
                     oauth_signature code_verifier DPoP pwd newPassword tokens x-hub-signature-256 hmac \
                     Ocp-Apim-Subscription-Key AWSAccessKeyId otp session_id csrf recovery_codes token[]"
            .split(' ')
            .filter(|name| !name.is_empty())
        {
            assert_eq!(rule(name, About::Data), Some(Rule::Whole), "{name}");
        }
        for name in ["pass", "pin", "pat", "sig", "session"] {
            assert_eq!(rule(name, About::Data), Some(Rule::Text), "{name}");
        }
        for name in ["key", "code", "ticket"] {
            assert_eq!(rule(name, About::Data), Some(Rule::Unclear), "{name}");
        }
        for name in
            ["token_type", "state", "title", "id", "oauth_signature_method", "laptop", "shopping"]
        {
            assert_eq!(rule(name, About::Data), None, "{name}");
        }
        for name in ["code", "state"] {
            assert_eq!(rule(name, About::Credentials), Some(Rule::Whole), "{name}");
        }
    }

    #[test]
    fn a_random_text_is_told_from_a_word() {
        for text in ["uNkNoWnCaNaRy0123456789", "550e8400-e29b-41d4-a716-446655440000"] {
            assert!(is_random(text), "{text}");
        }
        for text in
            ["ENG-1234", "photos/2024/summer.jpg", "ssh-rsa AAAAB3NzaC1yc2E 123", "not_found"]
        {
            assert!(!is_random(text), "{text}");
        }
    }
}
