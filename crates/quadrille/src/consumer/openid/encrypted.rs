//! The encrypted tokens of a provider (OpenID Connect Core, section 10.2): signed, and then encrypted.

use std::borrow::Cow;

use crate::{
    consumer::{
        client_keys::ClientKeys,
        error::OperatorError,
        registration::Settled,
        service::{Credential, Encryption},
        site::Site,
    },
    jose::{DecryptError, DecryptingKey, Decryption, Encrypted},
};

/// Opens the tokens that a provider encrypts by the registered algorithms, and no others.
pub(super) struct Opener {
    rules: Decryption,
    keys: Keys,
}

enum Keys {
    Site(ClientKeys),
    Secret(DecryptingKey),
}

/// A signed token. It was encrypted if the provider encrypts.
pub(crate) struct Signed<'t>(Cow<'t, str>);

impl Signed<'_> {
    /// The text of the token.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Opener {
    /// The opener for the encryption that a service uses, if it does.
    ///
    /// # Errors
    /// [`OperatorError::ClientKeysMissing`] without a key of the site that decrypts, and
    /// [`OperatorError::CredentialMismatch`] for a shared key without a secret.
    pub(super) fn of(
        service: &Settled,
        site: &Site,
        encryption: Option<Encryption>,
    ) -> Result<Option<Self>, OperatorError> {
        let Some((algorithm, content)) = encryption else { return Ok(None) };
        let name = || Box::from(&*service.name);
        let keys = match (algorithm.is_symmetric(), &service.credential) {
            (true, Credential::Secret(secret)) => {
                let key = DecryptingKey::of_client_secret(secret, algorithm, content);
                let malformed = |_| OperatorError::SecretMalformed { service: name() };
                Keys::Secret(key.map_err(malformed)?)
            }
            (true, _) => return Err(OperatorError::CredentialMismatch { service: name() }),
            (false, _) => {
                let fits = |key: &DecryptingKey| key.encrypting_key().encrypts_by(algorithm);
                let keys = site.client_keys.as_ref();
                let keys = keys.filter(|keys| keys.that_decrypt().iter().any(fits));
                let missing = || OperatorError::ClientKeysMissing { service: name() };
                Keys::Site(keys.cloned().ok_or_else(missing)?)
            }
        };
        Ok(Some(Self { rules: Decryption::only(algorithm, content), keys }))
    }

    /// The signed token in an encrypted one.
    pub(super) fn open(&self, token: &str) -> Result<Signed<'static>, DecryptError> {
        let token = Encrypted::parse(token)?;
        let keys = match &self.keys {
            Keys::Site(keys) => keys.that_decrypt(),
            Keys::Secret(key) => std::slice::from_ref(key),
        };
        let opened = token.decrypt(self.rules, keys)?;
        Ok(Signed(opened.nested()?.to_owned().into()))
    }
}

/// The signed token of a provider, by this opener if it encrypts. One that should be encrypted and is
/// not is rejected.
pub(super) fn opened<'t>(
    opener: Option<&Opener>,
    token: &'t str,
) -> Result<Signed<'t>, DecryptError> {
    match opener {
        Some(opener) => opener.open(token),
        None => Ok(Signed(token.into())),
    }
}

/// As [`opened`], for a token that may be encrypted or not (Back-Channel Logout, section 2.4).
pub(super) fn opened_if_encrypted<'t>(
    opener: Option<&Opener>,
    token: &'t str,
) -> Result<Signed<'t>, DecryptError> {
    opened(opener.filter(|_| Encrypted::is_one(token)), token)
}

/// Whether a body is a JWT, signed or encrypted, perhaps as a text of JSON.
pub(super) fn is_jwt(body: &[u8]) -> bool {
    let text = std::str::from_utf8(body).unwrap_or_default().trim().trim_matches('"');
    let fit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    // A header begins with `{"`.
    text.starts_with("ey") && text.bytes().all(fit) && matches!(text.split('.').count(), 3 | 5)
}
