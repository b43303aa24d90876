//! The operator's own keys to which request objects are encrypted.

use std::path::Path;

use quadrille::{
    Secret,
    jose::{DecryptingKey, KeyError},
};

use crate::{Failure, config::Settings, data::warn_if_others_can_read, refused::Refused};

/// The keys in the files of the settings, if request objects are on.
pub(crate) fn object_keys(settings: &Settings) -> Result<Vec<DecryptingKey>, Failure> {
    let openid = &settings.openid;
    let files = openid.request_object_keys.iter();
    files.filter(|_| openid.enabled && openid.request_objects).map(|path| read(path)).collect()
}

fn read(path: &Path) -> Result<DecryptingKey, Failure> {
    let text = std::fs::read_to_string(path).map(Secret::from);
    let text = text.map_err(|error| Failure::File { path: path.to_owned(), error })?;
    warn_if_others_can_read(path);
    let key = DecryptingKey::from_jwk(&text).and_then(|key| {
        // A shared secret cannot be published.
        key.encrypting_key().to_jwk().map(|_| key).ok_or(KeyError::OtherUse)
    });
    key.map_err(|reason| Refused::ObjectKey { path: path.to_owned(), reason }.into())
}
