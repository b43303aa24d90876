//! What `serve` checks beside the settings themselves before it opens its data, for `config`.

use std::{io, path::Path};

use crate::{Failure, audit, config::Settings, data::given_ring, issuer::Issuer};

use super::{client_documents, object_keys, pages};

/// Checks the settings as `serve` does: that they fit one another, the key ring of the environment, and
/// the files that they name. Opens no data, and leaves nothing behind.
///
/// # Errors
/// The failure with which `serve` would end.
pub(crate) fn check(settings: &Settings) -> Result<(), Failure> {
    settings.registration.check(settings)?;
    given_ring(settings)?;
    let here = || Issuer::loopback(settings.listen);
    let issuer = settings.issuer.clone().unwrap_or_else(here);
    let name = settings.name.as_deref().unwrap_or(issuer.authority());
    pages(name, &issuer, settings)?;
    object_keys(settings)?;
    client_documents(settings, name)?;
    settings
        .audit_log
        .as_deref()
        .map_or(Ok(()), |path| audit::check(path).map_err(|error| audit_log_fails(path, error)))
}

/// The failure to open the audit log.
pub(crate) fn audit_log_fails(path: &Path, error: io::Error) -> Failure {
    Failure::SettingFile { setting: "audit_log", path: path.to_owned(), error }
}
