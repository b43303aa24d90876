//! The checks of an origin and a path in the settings of a login.

use url::Url;

use crate::{consumer::error::OperatorError, loopback::is_secure};

/// Whether a text is an origin to which secrets may be sent.
pub(super) fn is_origin(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| is_secure(&url) && url.origin().ascii_serialization() == text)
}

/// Checks the path of the login's routes.
pub(super) fn check_mount(mount: &str) -> Result<(), OperatorError> {
    let fit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    let segment = |s: &str| !s.is_empty() && !s.starts_with('.') && s.bytes().all(fit);
    match mount.strip_prefix('/') {
        Some(path) if path.split('/').all(segment) => Ok(()),
        _ => Err(OperatorError::MountMalformed),
    }
}
