//! What the log says of a refusal: why, of which client, and which value is to blame. The one place
//! that decides which values may stand in the log: none that is, or may be, a secret.

use std::borrow::Cow;

use bytes::Bytes;
use http::{Method, Request, request::Parts};

use crate::{
    oauth1::{Problem, SignedRequest},
    oauth2::{
        PresentedClient, RequestError,
        form::{FormError, Limits, Params},
    },
};

use super::{
    access::AccessError,
    error::{ClientError, Error},
    guessing::throttle::RemoteAddress,
    oauth1::OAuth1Error,
};

/// How much of a value is logged, in characters: anybody can send long ones.
const MOST: usize = 200;

/// How much of a request is looked at: as much as has been read of it.
const EVERYTHING: Limits =
    Limits { bytes: usize::MAX, value_bytes: usize::MAX, parameters: usize::MAX };

/// Logs that `endpoint` refused `request`.
pub(crate) fn log(endpoint: &'static str, error: &Error, request: &Request<Bytes>) {
    if let Error::Operator(reason) = error {
        tracing::error!(%reason, endpoint, "request failed");
        return;
    }
    if !tracing::enabled!(tracing::Level::INFO) {
        return;
    }
    let input: &[u8] = match *request.method() {
        Method::POST => request.body(),
        _ => request.uri().query().unwrap_or("").as_bytes(),
    };
    // A request that is refused for its length or its form still has a client.
    let params = Params::parse_within(input, EVERYTHING).ok();
    let value = |name: &'static str| {
        let params = params.as_ref()?;
        Some(params.many(name).collect::<Vec<_>>().join(" ")).filter(|value| !value.is_empty())
    };
    let presented = params.as_ref();
    let presented = presented.and_then(|params| {
        PresentedClient::parse(request.headers(), params).ok().map(|client| client.id.into_owned())
    });
    let client = presented.or_else(|| value("client_id"));
    let blamed = match error {
        Error::Client(ClientError::Request(RequestError::Form(FormError::ValueTooLong))) => {
            // Its name alone: what is that long may be a token.
            let pairs = params.as_ref().into_iter().flat_map(Params::iter);
            pairs.max_by_key(|(name, value)| name.len() + value.len()).map(|(name, _)| (name, None))
        }
        Error::Client(error) => parameter(error).and_then(|name| Some((name, Some(value(name)?)))),
        _ => None,
    };
    write(Refusal {
        endpoint,
        reason: error,
        client: client.as_deref(),
        blamed,
        from: request.extensions().get().copied(),
    });
}

/// Logs that a request of this client was refused, when all else that it said was right.
pub(crate) fn log_of_client(endpoint: &'static str, error: &Error, client: &str) {
    if matches!(error, Error::Operator(_)) {
        // The page that says so logs it.
        return;
    }
    write(Refusal { endpoint, reason: error, client: Some(client), blamed: None, from: None });
}

/// Logs that a request of OAuth 1.0a was refused.
pub(crate) fn log_signed(endpoint: &'static str, error: &OAuth1Error, parts: &Parts, body: &[u8]) {
    if *error == OAuth1Error::Unavailable {
        tracing::error!(reason = %error, endpoint, "request failed");
        return;
    }
    if !tracing::enabled!(tracing::Level::INFO) {
        return;
    }
    let signed = SignedRequest::read(parts, body).ok().flatten();
    let client = signed.as_ref().map(SignedRequest::client);
    let value = |name: &'static str| {
        let value = signed.as_ref()?.parameter(name).ok().flatten();
        value.map(Cow::into_owned)
    };
    let blamed = blamed_in_signed(error).and_then(|name| Some((name, Some(value(name)?))));
    let from = parts.extensions.get().copied();
    write(Refusal { endpoint, reason: error, client, blamed, from });
}

/// Logs that a good token of this client is not good for a request, because of this property of it.
pub(crate) fn log_token(error: &AccessError, client: &str, (name, value): (&'static str, &str)) {
    let (client, blamed) = (Some(client), Some((name, Some(value.to_owned()))));
    write(Refusal { endpoint: "api", reason: error, client, blamed, from: None });
}

struct Refusal<'a, E> {
    endpoint: &'static str,
    reason: &'a E,
    client: Option<&'a str>,
    /// The parameter, and its value where that may stand in the log.
    blamed: Option<(&'a str, Option<String>)>,
    from: Option<RemoteAddress>,
}

fn write<E: std::fmt::Display>(refusal: Refusal<'_, E>) {
    let Refusal { endpoint, reason, client, blamed, from } = refusal;
    let (parameter, value) = blamed.unzip();
    // Debug: what a stranger sent must not begin a line of its own.
    let client = client.map(shortened).map(tracing::field::debug);
    let (parameter, value) = (parameter.map(shortened), value.flatten());
    let value = value.as_deref().map(shortened).map(tracing::field::debug);
    let from = from.map(|from| tracing::field::display(from.0));
    tracing::info!(%reason, endpoint, client, parameter, value, from, "request refused");
}

fn shortened(text: &str) -> &str {
    text.char_indices().nth(MOST).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

/// The parameter whose value is to blame, if it may stand in the log.
const fn parameter(error: &ClientError) -> Option<&'static str> {
    Some(match error {
        ClientError::UnknownClient | ClientError::Document(_) => "client_id",
        ClientError::RedirectUriNotRegistered | ClientError::RedirectUriDiffers => "redirect_uri",
        ClientError::ScopeNotAllowed
        | ClientError::ScopeNotGranted
        | ClientError::Request(RequestError::MalformedScope) => "scope",
        ClientError::ResourceUnknown
        | ClientError::ResourceNotGranted
        | ClientError::Request(RequestError::MalformedResource) => "resource",
        ClientError::GrantTypeNotAllowed
        | ClientError::PublicClientForItself
        | ClientError::Request(RequestError::UnsupportedGrantType) => "grant_type",
        ClientError::Request(RequestError::UnsupportedResponseType) => "response_type",
        ClientError::Request(RequestError::MalformedChallenge) => "code_challenge",
        ClientError::Request(RequestError::UnknownChallengeMethod) => "code_challenge_method",
        ClientError::ResponseMode => "response_mode",
        ClientError::RequestUri => "request_uri",
        ClientError::PromptNoneAmongOthers => "prompt",
        _ => return None,
    })
}

/// The same in a signed request. The identifier of a token is left out, the signature too, which is
/// a secret with PLAINTEXT.
fn blamed_in_signed(error: &OAuth1Error) -> Option<&'static str> {
    match error {
        OAuth1Error::CallbackNotRegistered => Some("oauth_callback"),
        OAuth1Error::ScopeNotAllowed => Some("scope"),
        OAuth1Error::NonceUsed => Some("oauth_nonce"),
        OAuth1Error::NoKey => Some("oauth_signature_method"),
        error => match error.problem()? {
            Problem::SignatureMethodRejected => Some("oauth_signature_method"),
            Problem::TimestampRefused => Some("oauth_timestamp"),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_stranger_sends_is_cut_at_a_character() {
        assert_eq!(shortened("scope"), "scope");
        let long = "é".repeat(MOST + 1);
        assert_eq!(shortened(&long), "é".repeat(MOST));
    }
}
