//! Requests of clients to endpoints: a form, sent by POST, with the client's authentication.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, header::CONTENT_TYPE};

use super::{
    ClientAuth,
    endpoint::{EndpointError, request_to},
};
use crate::form::FormWriter;

/// A request with this form to an endpoint.
pub(crate) fn post_form(
    endpoint: &str,
    auth: &ClientAuth,
    mut body: FormWriter,
) -> Result<Request<Bytes>, EndpointError> {
    let mut request = request_to(Method::POST, endpoint)?;
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    auth.apply(&mut body, headers)?;
    *request.body_mut() = Bytes::from(body.finish());
    Ok(request)
}
