//! Requests of clients to endpoints: a form, sent by POST, with the client's authentication.

use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, Uri,
    header::{ACCEPT, CONTENT_TYPE},
};

use super::ClientAuth;
use crate::form::FormWriter;

/// The reason why no message can be sent to a URL: a fault of the operator or of the server's
/// metadata.
///
/// ```
/// use quadrille::oauth2::{AuthorizationRequest, EndpointError};
///
/// let request = AuthorizationRequest::new("web");
/// assert_eq!(request.to_url("https://id.example/#top"), Err(EndpointError::Fragment));
/// assert_eq!(request.to_url("/oauth/authorize"), Err(EndpointError::Malformed));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// The URL is not an absolute URI.
    #[error("the URL is not an absolute URI")]
    Malformed,
    /// The URL has a fragment (RFC 6749, sections 3.1, 3.1.2 and 3.2).
    #[error("the URL has a fragment")]
    Fragment,
    /// The URL is not `https` or `http`.
    #[error("the URL is neither https nor http")]
    Scheme,
    /// A header cannot carry the client's credentials.
    #[error("the client's credentials cannot stand in a header")]
    Credentials,
}

pub(super) fn post_form(
    endpoint: &str,
    auth: &ClientAuth,
    mut body: FormWriter,
) -> Result<Request<Bytes>, EndpointError> {
    check_absolute(endpoint)?;
    let uri = Uri::try_from(endpoint).map_err(|_| EndpointError::Malformed)?;
    if !matches!(uri.scheme_str(), Some("https" | "http")) {
        return Err(EndpointError::Scheme);
    }
    let mut request = Request::new(Bytes::new());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri;
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    auth.apply(&mut body, headers)?;
    *request.body_mut() = Bytes::from(body.finish());
    Ok(request)
}

/// Checks that parameters can be appended to `url` and a header can carry the result.
pub(super) fn check_absolute(url: &str) -> Result<(), EndpointError> {
    if url.contains('#') {
        return Err(EndpointError::Fragment);
    }
    let (scheme, rest) = url.split_once(':').ok_or(EndpointError::Malformed)?;
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    if is_scheme && !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(())
    } else {
        Err(EndpointError::Malformed)
    }
}
