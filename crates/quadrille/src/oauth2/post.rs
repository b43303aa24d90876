//! Requests of clients to endpoints: a form, sent by POST, with the client's authentication.

use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, Uri,
    header::{ACCEPT, CONTENT_TYPE},
};

use super::{
    ClientAuth,
    endpoint::{EndpointError, check_absolute},
};
use crate::form::FormWriter;

/// A request with this form to an endpoint.
pub(crate) fn post_form(
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
