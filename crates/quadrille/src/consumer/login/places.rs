//! The checks of the settings of a login: its origin, its path and its storage.

use url::Url;

use crate::{
    consumer::{
        error::OperatorError,
        registration::Registration,
        service::{Protocol, RequestObjects},
    },
    loopback::is_secure,
};

use super::known_tenants::Tenants;

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

/// Checks organizations, and whether the storage is on the server where something must be kept there:
/// the registrations at organizations, and request objects that a provider gets from a URL.
pub(super) fn check_storage(
    clients: &[Registration],
    tenants: &[Tenants],
    is_in_browser: bool,
) -> Result<(), OperatorError> {
    for organizations in tenants.iter().filter_map(Tenants::as_organizations) {
        organizations.check()?;
    }
    if !is_in_browser {
        return Ok(());
    }
    let at_organizations = tenants.iter().filter(|one| one.as_organizations().is_some());
    let by_reference = clients.iter().filter(|client| match &client.spec.protocol {
        Protocol::OAuth2(oauth2) => {
            oauth2.openid.request_objects.is_some_and(RequestObjects::is_by_reference)
        }
        Protocol::OAuth1(_) => false,
    });
    let by_reference = by_reference.map(|client| &*client.spec.name);
    match at_organizations.map(Tenants::service).chain(by_reference).next() {
        Some(service) => Err(OperatorError::StorageInBrowser { service: service.into() }),
        None => Ok(()),
    }
}
