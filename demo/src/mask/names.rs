//! The kinds of values, by the names of parameters, members and headers.

use crate::value::Kind;

/// The parameters and members that hold no secret.
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

/// The parameters whose value is a URL with parameters of its own.
pub(super) const URLS: &[&str] = &["next", "oauth_callback", "return_to"];

/// The headers that matter to the dance.
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

/// The kind of the value of this name. An `oauth_token` is a temporary one at first: the response
/// with the lasting one has another kind (`token_kind`), and the first kind of a value stays.
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

/// Whether the name has a kind of its own.
#[cfg(test)]
pub(crate) fn is_known(name: &str) -> bool {
    let listed = [HARMLESS, URLS, TELLING].concat().contains(&name);
    listed || kind(name) != Kind::Other
}

/// The kind of a value in the response with the token credentials of OAuth 1.0a.
pub(super) fn token_kind(name: &str) -> Kind {
    match name {
        "oauth_token" => Kind::Token,
        "oauth_token_secret" => Kind::TokenSecret,
        _ => kind(name),
    }
}

/// The characters that are shown. Four characters of a long random text reveal nothing; four of a
/// password might. A value that belongs to one message is no secret: a signature fits one request
/// only.
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
