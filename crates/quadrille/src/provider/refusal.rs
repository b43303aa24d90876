//! Refusals in the log: the reason, the client, and the value at fault. Each reason says
//! which value may be logged (`Disclosure::blamed`): none that is, or may be, a secret.

use bytes::Bytes;
use http::{Method, Request};

use crate::{
    form::{FormError, Limits, Params},
    guard::log::{Refusal, write},
    oauth2::{PresentedClient, RequestError},
};

use super::error::{ClientError, Error};

/// No limits: the request has been read already.
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
            // Its name alone: a value of that length may be a token.
            let pairs = params.as_ref().into_iter().flat_map(Params::iter);
            pairs.max_by_key(|(name, value)| name.len() + value.len()).map(|(name, _)| (name, None))
        }
        Error::Client(error) => {
            error.disclosed().blamed.and_then(|name| Some((name, Some(value(name)?))))
        }
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

/// Logs that a request of this client was refused for a reason found after parsing.
pub(crate) fn log_of_client(endpoint: &'static str, error: &Error, client: &str) {
    if matches!(error, Error::Operator(_)) {
        // The page for this error logs it.
        return;
    }
    write(Refusal { endpoint, reason: error, client: Some(client), blamed: None, from: None });
}
