//! URLs of endpoints and clients, to which messages are sent (RFC 6749, section 3).

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Uri, header::ACCEPT};

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

/// A request to an endpoint that answers in JSON, yet without credentials and body.
pub(super) fn request_to(method: Method, endpoint: &str) -> Result<Request<Bytes>, EndpointError> {
    check_absolute(endpoint)?;
    let uri = Uri::try_from(endpoint).map_err(|_| EndpointError::Malformed)?;
    if !matches!(uri.scheme_str(), Some("https" | "http")) {
        return Err(EndpointError::Scheme);
    }
    let mut request = Request::new(Bytes::new());
    (*request.method_mut(), *request.uri_mut()) = (method, uri);
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
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
