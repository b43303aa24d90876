//! What `serve` checks beside the settings themselves before it opens its data, for `config`.

use crate::{Failure, config::Settings, data::given_ring, issuer::Issuer};

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
    Ok(())
}
