//! Answers on the wire.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};

use crate::{
    oauth1::Callback,
    oauth2::{AuthorizationResponse, ErrorResponse, ResponseMode},
};

use super::{
    client::{error::AuthenticateError, redirect_uri::RedirectUri},
    error::endpoint::{DeviceAuthorizationError, EndpointError},
    error::{ClientError, Error, OperatorError},
    meter,
    openid::form_post,
};

/// The reason why the body of a request was not read, among the request's extensions.
#[derive(Clone, Debug)]
pub(crate) struct Unread(pub(crate) EndpointError);

/// An answer for the browser: a redirect or a page.
///
/// With the feature `axum` a handler returns it; elsewhere it converts into an
/// `http::Response<Bytes>`.
///
/// ```
/// use bytes::Bytes;
/// use quadrille::provider::Reply;
///
/// fn send(reply: Reply) -> http::Response<Bytes> {
///     reply.into()
/// }
/// ```
#[derive(Debug)]
pub struct Reply(Box<Response<Bytes>>);

impl From<Response<Bytes>> for Reply {
    fn from(response: Response<Bytes>) -> Self {
        Self(Box::new(response))
    }
}

impl From<Reply> for Response<Bytes> {
    fn from(reply: Reply) -> Self {
        *reply.0
    }
}

/// An error for the client, and the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ToClient {
    pub(crate) error: ClientError,
    pub(crate) redirect_uri: RedirectUri,
    pub(crate) mode: ResponseMode,
    pub(crate) state: Option<String>,
    pub(crate) session_state: Option<String>,
}

/// The methods that an endpoint accepts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Methods {
    pub(crate) list: &'static [Method],
    /// As they stand in `Allow` (RFC 9110, section 10.2.1).
    pub(crate) names: &'static str,
}

impl Methods {
    pub(crate) const POST: Self = Self { list: &[Method::POST], names: "POST" };
    pub(crate) const GET_POST: Self =
        Self { list: &[Method::GET, Method::POST], names: "GET, POST" };
    pub(crate) const GET_HEAD: Self =
        Self { list: &[Method::GET, Method::HEAD], names: "GET, HEAD" };
    pub(crate) const GET_HEAD_PUT_DELETE: Self = Self {
        list: &[Method::GET, Method::HEAD, Method::PUT, Method::DELETE],
        names: "GET, HEAD, PUT, DELETE",
    };
    pub(crate) const GET_HEAD_POST: Self =
        Self { list: &[Method::GET, Method::HEAD, Method::POST], names: "GET, HEAD, POST" };
}

/// Refuses other methods than `methods`, and bodies that are too long.
pub(crate) fn admit(
    request: &Request<Bytes>,
    methods: Methods,
    body_limit: usize,
) -> Result<(), EndpointError> {
    if !methods.list.contains(request.method()) {
        return Err(EndpointError::Method(methods.names));
    }
    if let Some(Unread(error)) = request.extensions().get() {
        return Err(*error);
    }
    if request.body().len() > body_limit {
        return Err(EndpointError::BodyTooLong);
    }
    Ok(())
}

/// A failure of the authorization endpoint (RFC 6749, sections 4.1.2.1 and 4.2.2.1; RFC 9207).
pub(crate) fn redirect_error(to: &ToClient, issuer: &str) -> Result<Response<Bytes>, Error> {
    let mut error = ErrorResponse::new(to.error.code());
    if let Some(description) = to.error.description() {
        error = error.describe(description);
    }
    let (state, iss) = (to.state.clone(), Some(issuer.to_owned()));
    let session_state = to.session_state.clone();
    let answer = AuthorizationResponse::Error { error, state, iss, session_state };
    redirect(&to.redirect_uri, to.mode, &answer)
}

/// The answer of the authorization endpoint in the OAuth 1.0a dance (RFC 5849, section 2.2).
pub(crate) fn redirect_callback(
    uri: &RedirectUri,
    answer: &Callback,
) -> Result<Response<Bytes>, Error> {
    redirect_to(answer.to_url(uri.as_str()).try_into().ok())
}

/// An answer of the authorization endpoint (RFC 6749, sections 4.1.2 and 4.2.2; RFC 9207).
pub(crate) fn redirect(
    uri: &RedirectUri,
    mode: ResponseMode,
    answer: &AuthorizationResponse,
) -> Result<Response<Bytes>, Error> {
    if mode == ResponseMode::FormPost {
        return Ok(form_post::page(uri, &answer.fields()));
    }
    let url = answer.to_url(uri.as_str(), mode);
    redirect_to(url.ok().and_then(|url| HeaderValue::try_from(url).ok()))
}

/// A redirect to an address that was checked.
pub(crate) fn redirect_url(url: &str) -> Result<Response<Bytes>, Error> {
    redirect_to(url.try_into().ok())
}

fn redirect_to(location: Option<HeaderValue>) -> Result<Response<Bytes>, Error> {
    let location = location.ok_or(OperatorError::RedirectUri)?;
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, location);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(response)
}

/// An error of an endpoint that clients call.
pub(crate) fn error(error: &Error) -> Response<Bytes> {
    let code = error.code();
    let label = meter::label(&code);
    if let Some(limit) = error.limit() {
        meter::limited(limit);
    }
    let mut body = ErrorResponse::new(code);
    let mut status = None;
    if let Error::Operator(error) = error
        && error.is_in_the_code()
    {
        body = body.describe(error.to_string());
    }
    if let Error::Client(error) = error {
        status = error.disclosed().status;
        if let Some(description) = error.description() {
            body = body.describe(description);
        }
    }
    let mut response = body.to_response();
    meter::note(&mut response, label);
    *response.status_mut() = status.unwrap_or(response.status());
    let is_unavailable = response.status() == StatusCode::SERVICE_UNAVAILABLE;
    let headers = response.headers_mut();
    match error {
        Error::Client(ClientError::Endpoint(EndpointError::Method(allowed))) => {
            headers.insert(header::ALLOW, HeaderValue::from_static(allowed));
        }
        Error::Client(ClientError::Authenticate(AuthenticateError::Throttled(wait))) => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
            headers.remove(header::WWW_AUTHENTICATE);
        }
        Error::Client(ClientError::DeviceAuthorization(DeviceAuthorizationError::TooMany(
            wait,
        ))) => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        Error::Client(ClientError::Password(error)) => {
            if let Some(wait) = error.wait() {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
            }
        }
        // Keys elsewhere, of an issuer or a client, are fetched again after ten seconds.
        Error::Client(_) if is_unavailable => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
        }
        Error::Operator(_) if is_unavailable => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        _ => {}
    }
    response
}
