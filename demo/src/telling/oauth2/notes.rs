//! What is said about parameters, headers and values.

use super::super::shared;
use crate::{message::Message, value::Kind};

/// What a parameter, header or member is for.
pub(super) fn note(name: &str, message: &Message) -> &'static str {
    let back = message.is_back_channel();
    match name {
        "access_token" => "Opens the API. Whoever holds it can use it, so hardly anyone does.",
        "authorization" if message.parameter("grant_type").is_some() => {
            "The website proves that it is this client."
        }
        "authorization" if back && message.parameter("token").is_some() => {
            "The website proves that it is this client."
        }
        "authorization" => "The token, where it belongs: not in the address.",
        "cache-control" if back => "A token is not for caches.",
        "client_id" => "Who is asking. Not a secret.",
        "code" => "The claim check: once, for a minute, for this client.",
        "code_challenge" => "The hash of a secret. It can be shown to anyone.",
        "code_challenge_method" => "How it was hashed. “plain” would be refused.",
        "code_verifier" => "The secret itself: hash it and compare.",
        "error" => "Why there is no code.",
        "expires_in" => "In seconds.",
        "grant_type" => "What is being traded for a token.",
        "iss" => "Who is answering. An answer from anyone else is thrown away.",
        "redirect_uri" if back => "Must be the one of the authorization request.",
        "redirect_uri" => "Where to answer. Must be registered, to the letter.",
        "refresh_token" => "Gets the next access token. Changes at every use.",
        "response_type" => "“A code, please, no token through the browser.”",
        "scope" => "What it is about, and no more.",
        "token" => "The one to forget.",
        "token_type" => "Whoever bears it may use it.",
        _ => shared::note(name),
    }
}

/// What is said about a value where it is told who saw it.
pub(super) const fn remark(kind: Kind) -> &'static str {
    match kind {
        Kind::Challenge => "A hash: everybody may see it.",
        Kind::Code => "Passes through the browser, so it is worth little.",
        Kind::Verifier => "Shown once, at the very end.",
        Kind::ClientSecret => "Says which website is calling.",
        Kind::AccessToken => "Opens the API.",
        Kind::RefreshToken => "Gets the next access token.",
        _ => shared::remark(kind),
    }
}
