//! URLs that requests may go to.

/// Whether a text is made of the characters that a URL may have.
pub(crate) fn is_graphic(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}
