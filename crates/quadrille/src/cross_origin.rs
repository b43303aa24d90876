//! Cross-origin requests of scripts (Fetch Standard, section 3.3), at endpoints without cookies.

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};

/// Lets scripts of any origin read a response, which no cookie of the request influences.
pub(crate) fn for_any_origin(mut response: Response<Bytes>) -> Response<Bytes> {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let exposed = HeaderValue::from_static("www-authenticate, retry-after");
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    response
}

/// The response to a preflight request of a browser, for an endpoint with these `methods`.
pub(crate) fn preflight<B>(request: &Request<B>, methods: &'static str) -> Option<Response<Bytes>> {
    if request.method() != http::Method::OPTIONS {
        return None;
    }
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_METHODS, methods),
        // The asterisk does not cover the first.
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, *"),
        (header::ACCESS_CONTROL_MAX_AGE, "7200"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Some(for_any_origin(response))
}
