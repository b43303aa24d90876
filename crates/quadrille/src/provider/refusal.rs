//! Refusals in the log: the reason, the client, and the value at fault. Each reason says
//! which value may be logged (`Disclosure::blamed`): none that is, or may be, a secret.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request};

use crate::{
    RemoteAddress, Timestamp,
    form::{FormError, Limits, Params},
    guard::{
        log::{Refusal, write},
        masked::Sender,
    },
    jose::Unverified,
    oauth2::{PresentedClient, RequestError},
};

use super::{
    client::{authenticate, record::Client},
    error::{ClientError, Error},
    reason::Disclosure,
    server::Inner,
    token::grant::error::DeviceCodeError,
};

/// No limits: the request has been read already.
const EVERYTHING: Limits =
    Limits { bytes: usize::MAX, value_bytes: usize::MAX, parameters: usize::MAX };

/// Logs that `endpoint` refused `request`.
pub(crate) async fn log(
    inner: &Inner,
    endpoint: &'static str,
    error: &Error,
    request: &Request<Bytes>,
) {
    if matches!(error, Error::Client(ClientError::DeviceCode(DeviceCodeError::Pending))) {
        // The course of things, every few seconds.
        tracing::debug!(reason = %error, endpoint, "not yet");
        return;
    }
    let registered = match tracing::enabled!(tracing::Level::INFO) {
        true => registered(inner, request).await,
        false => None,
    };
    write_refusal(endpoint, error, request, registered.as_deref());
}

/// Logs that `endpoint` refused `request` before it read the client.
pub(crate) fn log_unread(endpoint: &'static str, error: &Error, request: &Request<Bytes>) {
    write_refusal(endpoint, error, request, None);
}

/// The client of a request, if it is registered.
async fn registered(inner: &Inner, request: &Request<Bytes>) -> Option<Arc<Client>> {
    let params = params(request)?;
    if let Ok(presented) = PresentedClient::parse(request.headers(), &params) {
        return authenticate::named(inner, &presented).await.ok()?;
    }
    let id = value(&params, "client_id")?;
    let issuer = inner.issuer_id().await.ok()?;
    inner.store.client(issuer, &id).await.ok()?
}

/// A request that is refused for its length or its form still has a client.
fn params(request: &Request<Bytes>) -> Option<Params<'_>> {
    let input: &[u8] = match *request.method() {
        Method::POST => request.body(),
        _ => request.uri().query().unwrap_or("").as_bytes(),
    };
    Params::parse_within(input, EVERYTHING).ok()
}

/// The identifier of the client, as the request has it.
fn presented(request: &Request<Bytes>, params: Option<&Params<'_>>) -> Option<String> {
    let params = params?;
    let client = PresentedClient::parse(request.headers(), params);
    client.ok().map(|client| client.id.into_owned()).or_else(|| value(params, "client_id"))
}

/// All values of a parameter.
fn value(params: &Params<'_>, name: &str) -> Option<String> {
    Some(params.many(name).collect::<Vec<_>>().join(" ")).filter(|value| !value.is_empty())
}

/// The parameter or the claim to blame, and its value.
fn blamed(params: &Params<'_>, error: &ClientError) -> Option<(&'static str, Option<String>)> {
    let Disclosure { blamed, blamed_claim, .. } = error.disclosed();
    let mut present = blamed.iter().filter_map(|name| Some((*name, value(params, name)?)));
    let (name, value) = present.next()?;
    match blamed_claim {
        None => Some((name, Some(value))),
        Some(name) => Some((name, claim(&value, name))),
    }
}

/// The claim of a token that nobody needs to have signed.
fn claim(token: &str, name: &str) -> Option<String> {
    let claims = Unverified::parse(token).ok()?.claims_of_anybody().ok()?;
    let seconds = |time: Option<Timestamp>| time.map(|time| time.seconds().to_string());
    match name {
        "iss" => claims.iss,
        "sub" => claims.sub,
        "aud" => Some(claims.aud.join(" ")),
        "exp" => seconds(claims.exp),
        "nbf" => seconds(claims.nbf),
        "iat" => seconds(claims.iat),
        _ => None,
    }
}

fn write_refusal(
    endpoint: &'static str,
    error: &Error,
    request: &Request<Bytes>,
    registered: Option<&Client>,
) {
    if let Error::Operator(reason) = error {
        tracing::error!(%reason, endpoint, "request failed");
        return;
    }
    if !tracing::enabled!(tracing::Level::INFO) {
        return;
    }
    let params = params(request);
    let presented = presented(request, params.as_ref());
    let client = match registered {
        Some(client) => Some(Sender::Client(&client.id)),
        None => presented.as_deref().map(Sender::Stranger),
    };
    let blamed = match error {
        Error::Client(ClientError::Request(RequestError::Form(FormError::ValueTooLong))) => {
            // Its name alone: a value of that length may be a token.
            let pairs = params.as_ref().into_iter().flat_map(Params::iter);
            pairs.max_by_key(|(name, value)| name.len() + value.len()).map(|(name, _)| (name, None))
        }
        Error::Client(ClientError::Request(RequestError::Form(
            FormError::NotUtf8 | FormError::BrokenPercent | FormError::Nul,
        ))) => {
            let mut names = params.as_ref().into_iter().flat_map(Params::broken_names);
            names.next().map(|name| (name, None))
        }
        Error::Client(error) => params.as_ref().and_then(|params| blamed(params, error)),
        _ => None,
    };
    let grant_type = params.as_ref().and_then(|params| value(params, "grant_type"));
    write(Refusal {
        endpoint,
        reason: error,
        client,
        grant_type: grant_type.as_deref(),
        blamed,
        from: RemoteAddress::of(request.extensions()),
    });
}

/// Logs that a request of this client was refused for a reason found after parsing.
pub(crate) fn log_of_client(endpoint: &'static str, error: &Error, client: &str) {
    if matches!(error, Error::Operator(_)) {
        // The page for this error logs it.
        return;
    }
    let client = Some(Sender::Client(client));
    write(Refusal { client, ..Refusal::new(endpoint, error) });
}
