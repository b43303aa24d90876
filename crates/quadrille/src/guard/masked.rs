//! The texts of strangers in the log. A client may send its secret or a token in the wrong
//! parameter: an identifier and a secret are swapped easily.

use std::borrow::Cow;

use url::Url;

use super::user_information::without_user_information;

/// The most characters shown of a masked text.
const SHOWN: usize = 4;

/// The fewest characters of a generated secret or token.
const SECRET: usize = 20;

/// The fewest characters of a shared-secret that is told from an identifier by its form.
const SHARED_SECRET: usize = 32;

/// The sender of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sender<'a> {
    /// A registered client, with its identifier.
    Client(&'a str),
    /// The client that a signed request names (OAuth 1.0a), before it is looked up, or if there is
    /// none. An operator needs its identifier: other requests of OAuth 1.0a say nothing of the client.
    Signer(&'a str),
    /// Somebody with the identifier of no client, or of one that was not looked up.
    Stranger(&'a str),
}

impl<'a> Sender<'a> {
    /// The identifier for the log. One that belongs to no client may be a secret, and is masked,
    /// unless it is the URL of a client's document. That of a signed request is masked only if it has
    /// the form of a secret.
    pub(crate) fn masked(self) -> Cow<'a, str> {
        match self {
            Self::Client(id) => id.into(),
            Self::Signer(id) if !is_secret(id) => id.into(),
            Self::Stranger(id) if is_url(id) => mask_secrets(id),
            Self::Signer(id) | Self::Stranger(id) => mask(id).into(),
        }
    }
}

/// `true` for the form of a shared-secret: generated ones are of small letters, capitals and digits,
/// and longer than identifiers; a passphrase has spaces.
fn is_secret(id: &str) -> bool {
    let is_long = id.len() >= SHARED_SECRET && kinds(id) == 3;
    is_long || id.contains(char::is_whitespace)
}

/// `true` for the form of a client's document: a URL without a password or a query.
fn is_url(id: &str) -> bool {
    Url::parse(id).is_ok_and(|url| {
        let has_more = url.password().is_some() || url.query().is_some();
        url.scheme() == "https" && !has_more && url.username().is_empty()
    })
}

/// The text of a stranger for the log: the value of a parameter, a name, or a segment of a path.
/// Parts of it with the form of a generated secret are masked: at least 20 characters, of small
/// letters, capitals and digits, or two of these. So are the user name and password of a URL, in any form
/// in which it may be sent, percent-encoded or without a scheme.
///
/// ```
/// use quadrille::guard::mask_secrets;
///
/// assert_eq!(mask_secrets("photos:read"), "photos:read");
/// assert_eq!(mask_secrets("id 2YotnFZFEjr1zCsicMWpAA"), "id 2Yot... (22 characters)");
/// assert_eq!(mask_secrets("https://ada:lace@app.example/"), "https://...@app.example/");
/// ```
pub fn mask_secrets(text: &str) -> Cow<'_, str> {
    let without_users = without_user_information(text);
    let masked = mask_parts(&without_users);
    if masked == text { text.into() } else { masked.into_owned().into() }
}

fn mask_parts(text: &str) -> Cow<'_, str> {
    let has_paths = text.contains("://");
    let is_part =
        |c: char| c.is_ascii_alphanumeric() || "-_+=~".contains(c) || (c == '/' && !has_paths);
    let mut whole = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(is_part) {
        let (before, from) = rest.split_at(start);
        let (part, after) = from.split_at(from.find(|c| !is_part(c)).unwrap_or(from.len()));
        whole.push_str(before);
        match is_like_a_secret(part) {
            true => whole.push_str(&mask(part)),
            false => whole.push_str(part),
        }
        rest = after;
    }
    whole.push_str(rest);
    if whole == text { text.into() } else { whole.into() }
}

fn is_like_a_secret(part: &str) -> bool {
    part.len() >= SECRET && kinds(part) > 1
}

/// How many kinds of characters a text has, of small letters, capitals and digits.
fn kinds(text: &str) -> usize {
    let has = |kind: fn(&u8) -> bool| usize::from(text.as_bytes().iter().any(kind));
    let kinds = [u8::is_ascii_lowercase, u8::is_ascii_uppercase, u8::is_ascii_digit];
    kinds.into_iter().map(has).sum()
}

/// The first characters, a quarter of all at most, and the length: enough to find a mistyped
/// identifier, and too little to use a secret.
fn mask(text: &str) -> String {
    let length = text.chars().count();
    let start: String = text.chars().take(SHOWN.min(length / 4)).collect();
    format!("{start}... ({length} characters)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_of_no_client_is_masked_unless_it_is_a_url() {
        for (id, masked) in [
            ("photo-app", "ph... (9 characters)"),
            ("abc", "... (3 characters)"),
            ("geheimés Wort", "geh... (13 characters)"),
            ("GX1fBat3bV8zvF3Wz0kQ1mQkYdXn2c5vK7pL9rT4sUe", "GX1f... (43 characters)"),
            ("https://app.example/client.json", "https://app.example/client.json"),
            ("https://a:b@app.example/", "http... (24 characters)"),
            ("https://app.example/?secret=x", "http... (29 characters)"),
        ] {
            assert_eq!(Sender::Stranger(id).masked(), masked);
            assert_eq!(Sender::Client(id).masked(), id);
        }
    }

    #[test]
    fn the_client_of_a_signed_request_is_named_unless_it_has_the_form_of_a_secret() {
        for id in ["printer", "app.example", "731c0c3a54b8aa9b4c6ab4b3", "xvz1evFS4wEEPTGEFPHBog"] {
            assert_eq!(Sender::Signer(id).masked(), id);
        }
        for (secret, masked) in [
            ("GX1fBat3bV8zvF3Wz0kQ1mQkYdXn2c5vK7pL9rT4sUe", "GX1f... (43 characters)"),
            ("the secret of a printer", "the ... (23 characters)"),
        ] {
            assert_eq!(Sender::Signer(secret).masked(), masked);
        }
    }

    #[test]
    fn a_part_of_a_value_that_may_be_a_secret_is_masked() {
        for (text, masked) in [
            ("photos:read", "photos:read"),
            ("urn:ietf:params:oauth:grant-type:device_code", ""),
            ("https://www.googleapis.example/auth/userinfo.email", ""),
            ("authorization_code", ""),
            ("https://app.example:8443/callback/2?a=1", ""),
            ("photos 2YotnFZFEjr1zCsicMWpAA2YotnFZ write", "photos 2Yot... (29 characters) write"),
            (
                "https://a.example/2YotnFZFEjr1zCsicMWpAA",
                "https://a.example/2Yot... (22 characters)",
            ),
            ("6f1ed002ab5595859014ebf0951522d9", "6f1e... (32 characters)"),
            ("GXfBatbVzvFWzkQmQkYdXncvKpLrTsUe", "GXfB... (32 characters)"),
            ("1800014400", ""),
        ] {
            assert_eq!(mask_secrets(text), if masked.is_empty() { text } else { masked });
        }
    }
}
