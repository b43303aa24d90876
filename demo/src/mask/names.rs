//! What the names of parameters, members and headers say about their values.

use crate::value::Kind;

/// Parameters and members that hold no secret.
pub(super) const HARMLESS: &[&str] = &[
    "client_id",
    "code_challenge_method",
    "decision",
    "error",
    "error_description",
    "expires_in",
    "grant_type",
    "iss",
    "limit",
    "oauth_callback_confirmed",
    "oauth_consumer_key",
    "oauth_problem",
    "oauth_signature_method",
    "oauth_timestamp",
    "oauth_version",
    "photos",
    "realm",
    "redirect_uri",
    "response_type",
    "scope",
    "title",
    "token_type",
    "token_type_hint",
    "username",
];

/// Parameters whose value is a URL with parameters of its own.
pub(super) const URLS: &[&str] = &["next", "oauth_callback", "return_to"];

/// Headers that matter to the dance.
pub(super) const TELLING: &[&str] = &[
    "authorization",
    "cache-control",
    "content-security-policy",
    "content-type",
    "cookie",
    "host",
    "location",
    "origin",
    "pragma",
    "referer",
    "referrer-policy",
    "refresh",
    "retry-after",
    "set-cookie",
    "www-authenticate",
    "x-frame-options",
];

/// What the value of this name is. An `oauth_token` is a temporary one unless it is known otherwise:
/// the answer that brings the lasting one says so (`token_kind`), and the first kind sticks.
pub(super) fn kind(name: &str) -> Kind {
    match name {
        "state" => Kind::State,
        "code" => Kind::Code,
        "code_challenge" => Kind::Challenge,
        "code_verifier" => Kind::Verifier,
        "access_token" | "token" => Kind::AccessToken,
        "refresh_token" => Kind::RefreshToken,
        "client_secret" => Kind::ClientSecret,
        "password" => Kind::Password,
        "oauth_token" => Kind::TemporaryToken,
        "oauth_token_secret" => Kind::TemporarySecret,
        "oauth_verifier" => Kind::OAuthVerifier,
        "oauth_nonce" => Kind::Nonce,
        "oauth_signature" => Kind::Signature,
        _ => Kind::Other,
    }
}

/// Whether anything is known of the name.
#[cfg(test)]
pub(crate) fn is_known(name: &str) -> bool {
    let listed = [HARMLESS, URLS, TELLING].concat().contains(&name);
    listed || kind(name) != Kind::Other
}

/// The same in the answer that brings the token credentials of OAuth 1.0a.
pub(super) fn token_kind(name: &str) -> Kind {
    match name {
        "oauth_token" => Kind::Token,
        "oauth_token_secret" => Kind::TokenSecret,
        _ => kind(name),
    }
}

/// Four characters of a long random text give nothing away; of a password they might. What belongs
/// to one message is no secret: a signature fits this request and no other.
pub(super) fn shown(kind: Kind, secret: &str, length: usize) -> String {
    let head: String = secret.chars().take(4).collect();
    match length {
        0..=200 if kind.is_of_one_message() => secret.to_owned(),
        _ if kind == Kind::Password => "•".repeat(8),
        0..20 => "•".repeat(8),
        20..40 => format!("{head}••••"),
        _ => format!("{head}••{}", secret.chars().skip(length - 4).collect::<String>()),
    }
}
