//! The operator's own keys to which request objects are encrypted.

use std::path::Path;

use quadrille::{
    Secret,
    jose::{DecryptingKey, KeyError},
};

use crate::{
    Failure, config::Settings, data::warn_if_others_can_read, named_file, refused::Refused,
};

/// The greatest length of an identifier of a key.
const LONGEST: usize = 255;

/// The keys in the files of the settings, if request objects are on. Clients tell keys by their
/// identifiers, so each has another one.
pub(crate) fn object_keys(settings: &Settings) -> Result<Vec<DecryptingKey>, Failure> {
    let openid = &settings.openid;
    let mut keys: Vec<DecryptingKey> = Vec::new();
    for path in
        openid.request_object_keys.iter().filter(|_| openid.enabled && openid.request_objects)
    {
        let key = read(path)?;
        if keys.iter().any(|known| known.kid() == key.kid()) {
            let kid = key.kid().unwrap_or_default().to_owned();
            return Err(Refused::ObjectKeyRepeated { path: path.to_owned(), kid }.into());
        }
        keys.push(key);
    }
    Ok(keys)
}

fn read(path: &Path) -> Result<DecryptingKey, Failure> {
    let text = named_file::text(path).map(|text| Secret::from(text.as_str()));
    let text = text.map_err(|error| {
        let setting = "openid_request_object_keys";
        Failure::SettingFile { setting, path: path.to_owned(), error }
    })?;
    warn_if_others_can_read(path);
    let key = DecryptingKey::from_jwk(&text).and_then(|key| {
        // A shared secret cannot be published.
        key.encrypting_key().to_jwk().map(|_| key).ok_or(KeyError::OtherUse)
    });
    let key = key.map_err(|reason| Refused::ObjectKey { path: path.to_owned(), reason })?;
    let is_plain = |kid: &str| {
        (1..=LONGEST).contains(&kid.len()) && kid.bytes().all(|byte| byte.is_ascii_graphic())
    };
    match key.kid().is_some_and(is_plain) {
        true => Ok(key),
        false => Err(Refused::ObjectKeyId { path: path.to_owned() }.into()),
    }
}
