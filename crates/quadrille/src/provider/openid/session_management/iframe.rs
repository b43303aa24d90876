//! The frame of the provider ("OP iframe", OpenID Connect Session Management, section 3.2), at
//! `check_session_iframe`.

use std::sync::LazyLock;

use bytes::Bytes;
use http::{HeaderValue, Response};

use crate::provider::{openid::script_page, server::Inner};

use super::browser_state::name;

/// The script of the page, the only one that runs there.
const SCRIPT: &str = include_str!("iframe.js");

/// The policy of the page. Pages of all sites may frame it: it shows nothing, has nothing to click, and
/// answers each page about its own session state alone.
static POLICY: LazyLock<HeaderValue> =
    LazyLock::new(|| script_page::policy(SCRIPT, "; form-action 'none'"));

/// The page.
pub(in crate::provider) fn page(inner: &Inner) -> Response<Bytes> {
    // The names of cookies need no escaping.
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Session</title></head>\
         <body data-cookie=\"{}\"><script>{SCRIPT}</script></body></html>",
        name(inner)
    );
    // The page is the same for everybody.
    script_page::page(html, &POLICY, "public, max-age=3600")
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
