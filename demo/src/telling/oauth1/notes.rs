//! What is said about parameters, headers and values.

use super::super::shared;
use crate::{message::Message, value::Kind};

/// What a parameter, header or member is for.
pub(super) fn note(name: &str, message: &Message) -> &'static str {
    let back = message.is_back_channel();
    match name {
        "authorization" => "Who asks, for whom, and the proof: not in the address.",
        "cache-control" if back => "A secret is not for caches.",
        "limit" => "The API’s own, and signed like the others.",
        "oauth_callback" => "Where to answer. Signed, so that nobody on the way can change it.",
        "oauth_callback_confirmed" => "“I have taken note of where to answer.”",
        "oauth_consumer_key" => "Who is asking. Not a secret.",
        "oauth_nonce" => "Drawn for this request. It is taken once.",
        "oauth_problem" => "Why there is no verifier.",
        "oauth_signature" => "No secret: it fits this request and no other.",
        "oauth_signature_method" => "How it is signed. It is signed itself.",
        "oauth_timestamp" => "Seconds since 1970. Far from now would be refused.",
        "oauth_token" if !back => "The name of the question.",
        "oauth_token" if message.is_request() => "Names the secret that it is signed with.",
        "oauth_token" => "A name. It opens nothing by itself.",
        "oauth_token_secret" => "To sign with. On the wire here, and never again.",
        "oauth_verifier" => "Whoever brings this has been there.",
        "oauth_version" => "“1.0”, with or without the “a”.",
        "realm" => "What it is about. It is not signed, and says nothing to this provider.",
        "scope" => "What it is about, and no more.",
        _ => shared::note(name),
    }
}

/// What is said about a value where it is told who saw it.
pub(super) const fn remark(kind: Kind) -> &'static str {
    match kind {
        Kind::TemporaryToken => "The name of a question. Everybody may see it.",
        Kind::TemporarySecret => "Came once, past the browser, to sign one request.",
        Kind::LoginCookie => "Holds the temporary secret, sealed: only the website can open it.",
        Kind::OAuthVerifier => "Passes through the browser, so it is worth little by itself.",
        Kind::ClientSecret => "Signed every request, and was in none.",
        Kind::Token => "Named in each call. It opens nothing by itself.",
        Kind::TokenSecret => "Came once, and has signed ever since.",
        Kind::Nonce => "Another in each request. No request is taken twice.",
        Kind::Signature => "No secret: each fits one request.",
        _ => shared::remark(kind),
    }
}
