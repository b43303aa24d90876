//! URLs of requests.

/// Whether a text contains only characters of a URL.
pub(crate) fn is_graphic(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}
