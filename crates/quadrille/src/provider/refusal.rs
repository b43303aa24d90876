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
    oauth2::{ClientAuthError, PresentedClient, RequestError},
};

use super::{
    client::{authenticate, error::AuthenticateError, grant_type::GrantType, record::Client},
    error::{ClientError, Error, endpoint::TokenError},
    reason::Disclosure,
    server::Inner,
    token::{
        grant::{error::DeviceCodeError, jwt_bearer},
        lookup::{self, Found},
    },
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
    let known = match tracing::enabled!(tracing::Level::INFO) {
        true => Known::of(inner, error, request).await,
        false => Known::default(),
    };
    write_refusal(endpoint, error, request, &known);
}

/// Logs that `endpoint` refused `request` before it read the client.
pub(crate) fn log_unread(endpoint: &'static str, error: &Error, request: &Request<Bytes>) {
    write_refusal(endpoint, error, request, &Known::default());
}

/// What the store knows of a refused request.
#[derive(Default)]
struct Known {
    /// The client, if it is registered.
    client: Option<Arc<Client>>,
    /// The client of the token of this server that the application refuses to exchange.
    exchanged: Option<Arc<str>>,
}

impl Known {
    async fn of(inner: &Inner, error: &Error, request: &Request<Bytes>) -> Self {
        let Some(params) = params(request) else { return Self::default() };
        let is_refused =
            matches!(error, Error::Client(ClientError::Token(TokenError::NotGranted(_))));
        let exchanged = match params.one("subject_token") {
            Ok(Some(token)) if is_refused => client_of_token(inner, token).await,
            _ => None,
        };
        Self { client: registered(inner, request, &params).await, exchanged }
    }
}

async fn registered(
    inner: &Inner,
    request: &Request<Bytes>,
    params: &Params<'_>,
) -> Option<Arc<Client>> {
    let id = match PresentedClient::parse(request.headers(), params) {
        Ok(presented) => return authenticate::named(inner, &presented).await.ok()?,
        Err(ClientAuthError::Missing) => client_of_issuer(inner, params).await?,
        Err(_) => named_in(params)?.into(),
    };
    let issuer = inner.issuer_id().await.ok()?;
    inner.store.client(issuer, &id).await.ok()?
}

/// The client of which the requests of an issuer are, if it signed the assertion.
async fn client_of_issuer(inner: &Inner, params: &Params<'_>) -> Option<Arc<str>> {
    let assertion = params.one("assertion").ok()??;
    let is_of_issuer = params.one("grant_type") == Ok(Some(GrantType::JwtBearer.as_str()));
    match is_of_issuer {
        true => jwt_bearer::client_of(inner, assertion).await.ok()?.cloned(),
        false => None,
    }
}

async fn client_of_token(inner: &Inner, token: &str) -> Option<Arc<str>> {
    match lookup::find(inner, token).await.ok()?? {
        Found::Access(record) => Some(record.grant.client.clone()),
        Found::Refresh(_, family) => Some(family.grant.client.clone()),
        Found::Credential(_) => None,
    }
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
    client.ok().map(|client| client.id.into_owned()).or_else(|| named_in(params))
}

/// The client that a request names which does not authenticate as it should: by a parameter, or as
/// the subject of an assertion with a malformed claim.
fn named_in(params: &Params<'_>) -> Option<String> {
    let of_assertion = || {
        let assertion = params.one("client_assertion").ok()??;
        Unverified::parse(assertion).ok()?.text_of_anybody("sub")
    };
    value(params, "client_id").or_else(of_assertion)
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

/// The method by which the client authenticates, by its name in the client's metadata (RFC 7591,
/// section 2).
fn method(request: &Request<Bytes>, params: &Params<'_>) -> (&'static str, Option<String>) {
    let presented = PresentedClient::parse(request.headers(), params).ok();
    let method = presented.map(|presented| presented.method().as_str().to_owned());
    ("token_endpoint_auth_method", method)
}

/// The claim, or the member of the header, of a token that nobody needs to have signed.
fn claim(token: &str, name: &str) -> Option<String> {
    let token = Unverified::parse(token).ok()?;
    match name {
        "kid" => return token.header().kid().map(ToOwned::to_owned),
        "typ" => return token.header().typ().map(ToOwned::to_owned),
        "alg" => return Some(token.header().algorithm().as_str().to_owned()),
        _ => {}
    }
    let Ok(claims) = token.claims_of_anybody() else { return token.text_of_anybody(name) };
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

fn write_refusal(endpoint: &'static str, error: &Error, request: &Request<Bytes>, known: &Known) {
    if let Error::Operator(reason) = error {
        tracing::error!(%reason, endpoint, "request failed");
        return;
    }
    if !tracing::enabled!(tracing::Level::INFO) {
        return;
    }
    let params = params(request);
    let presented = presented(request, params.as_ref());
    let client = match &known.client {
        Some(client) => Some(Sender::Client(&client.id)),
        None => presented.as_deref().map(Sender::Stranger),
    };
    let exchanged = known.exchanged.as_ref();
    let exchanged = exchanged.map(|client| ("subject_token.client_id", Some(client.to_string())));
    let blamed = exchanged.or(match error {
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
        Error::Client(ClientError::Authenticate(AuthenticateError::OtherMethod)) => {
            params.as_ref().map(|params| method(request, params))
        }
        Error::Client(error) => params.as_ref().and_then(|params| blamed(params, error)),
        _ => None,
    });
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
