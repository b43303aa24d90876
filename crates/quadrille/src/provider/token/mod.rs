//! Tokens: their text, their look-up, and the grants that issue them (RFC 6749, section 4).

pub(super) mod decided;
pub(super) mod disclosure;
pub(super) mod format;
pub(super) mod grant;
pub(super) mod issuers;
pub(super) mod jwt;
pub(super) mod lookup;
mod own_text;
pub(super) mod planned;
pub(super) mod prefix;
pub(super) mod revoke;
mod text;
pub(super) mod text_error;
