//! Names of services and of their tenants, which occur in paths, cookies' names, and storage keys.

use crate::consumer::error::{BrowserError, OperatorError};

/// The character between a service's name and its tenant's. RFC 3986 leaves it alone in paths, RFC
/// 6265 allows it in cookies' names, and no service's name has it.
pub(crate) const SEPARATOR: char = '~';
/// The greatest length of a service's name.
const LONGEST_SERVICE: usize = 40;
/// The greatest length of a tenant's name.
const LONGEST_TENANT: usize = 64;
/// The length to which an unknown service's name is shortened in errors.
const LONGEST_SHOWN: usize = 64;

/// Checks the name of a service from the configuration.
pub(crate) fn check_service(name: &str) -> Result<(), OperatorError> {
    let fit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if name.is_empty() || name.len() > LONGEST_SERVICE || !name.bytes().all(fit) {
        return Err(OperatorError::ServiceNameMalformed { service: name.into() });
    }
    Ok(())
}

/// Checks the name of a tenant from a request.
pub(crate) fn check_tenant(name: &str) -> Result<(), BrowserError> {
    let fit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if (1..=LONGEST_TENANT).contains(&name.len()) && name.bytes().all(fit) {
        Ok(())
    } else {
        Err(BrowserError::TenantUnknown)
    }
}

/// The error for a name from a request, made fit for a log.
pub(crate) fn unknown(name: &str) -> OperatorError {
    let fit = |char: char| if char.is_ascii_graphic() { char } else { char::REPLACEMENT_CHARACTER };
    let shown = name.chars().take(LONGEST_SHOWN).map(fit).collect::<String>();
    OperatorError::ServiceUnknown { service: shown.into() }
}
