//! Pages of the server with one script of its own, and no other.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderValue, Response, header};

use crate::provider::token::format::sha256;

/// The policy of a page on which `script` alone runs. `further` are more directives, each with a
/// semicolon before it.
pub(in crate::provider) fn policy(script: &str, further: &str) -> HeaderValue {
    let hash = BASE64_STANDARD.encode(sha256(script.as_bytes()));
    let policy =
        format!("default-src 'none'; script-src 'sha256-{hash}'; base-uri 'none'{further}");
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// A page with this policy and `Cache-Control`.
pub(in crate::provider) fn page(
    html: String,
    policy: &HeaderValue,
    kept: &'static str,
) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(html));
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, kept),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, policy.clone());
    response
}
