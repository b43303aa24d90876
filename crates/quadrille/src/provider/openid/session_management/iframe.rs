//! The frame of the provider ("OP iframe", OpenID Connect Session Management, section 3.2), at
//! `check_session_iframe`.

use std::sync::LazyLock;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderValue, Response, header};

use crate::provider::{server::Inner, token::format::sha256};

use super::browser_state::name;

/// The script of the page, the only one that runs there.
const SCRIPT: &str = include_str!("iframe.js");

/// The policy of the page. Pages of all sites may frame it: it shows nothing, has nothing to click, and
/// answers each page about its own session state alone.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = BASE64_STANDARD.encode(sha256(SCRIPT.as_bytes()));
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'"
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

/// The page.
pub(in crate::provider) fn page(inner: &Inner) -> Response<Bytes> {
    // The names of cookies need no escaping.
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Session</title></head>\
         <body data-cookie=\"{}\"><script>{SCRIPT}</script></body></html>",
        name(inner)
    );
    let mut response = Response::new(Bytes::from(html));
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        // The page is the same for everybody.
        (header::CACHE_CONTROL, "public, max-age=3600"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, LazyLock::force(&POLICY).clone());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_is_one_element_whose_text_browsers_hash_as_it_is() {
        assert!(!SCRIPT.contains("</") && !SCRIPT.contains("<!--"), "it would end there");
        assert!(!SCRIPT.contains('\r'), "browsers read another text");
        let policy = POLICY.to_str().unwrap();
        assert!(policy.contains("script-src 'sha256-"), "{policy}");
        for limit in ["frame-ancestors", "unsafe", "sandbox"] {
            assert!(!policy.contains(limit), "{policy}");
        }
    }
}
