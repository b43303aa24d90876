//! New keys of clients for OAuth 1.0a, and the registration of a client that begins with one.

use crate::{
    Secret,
    oauth1::{KeyError, RsaVerifyingKey, SignatureMethod},
    provider::{server::Inner, token::format::TokenSecret},
};

use super::{
    super::sealed::SecretUse,
    record::{Credential, Key, Registration},
};

/// A new key for a client to sign with.
///
/// ```
/// use quadrille::provider::{NewClient, oauth1::NewKey};
///
/// let client = NewClient::confidential("Photo printer")
///     .redirect_uri("https://printer.example/callback")
///     .oauth1(NewKey::Secret);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NewKey {
    /// A shared-secret, to be generated.
    Secret,
    /// A shared-secret that the client has from elsewhere. An observer of one signed request can
    /// try any number of guesses at it.
    ChosenSecret(Secret),
    /// A shared-secret that another server has issued, however short: 1 to 1024 printable ASCII
    /// characters. An observer of one signed request can try any number of guesses at it.
    ImportedSecret(Secret),
    /// The public half of an RSA key of 2048 bits and up, in PEM.
    RsaPublicKey(String),
    /// The public half of an RSA key of 1024 bits and up, in PEM. Short keys can be broken at a
    /// price.
    RsaPublicKeyOf1024BitsAndUpAsOldInstallationsHaveThem(String),
}

/// The reason why a key was refused.
///
/// ```
/// use quadrille::provider::oauth1::NewKeyError;
///
/// assert!(NewKeyError::ShortSecret.to_string().contains("16 characters"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NewKeyError {
    /// The PEM holds no RSA public key, or a short one.
    #[error(transparent)]
    Rsa(#[from] KeyError),
    /// The chosen secret is too short.
    #[error("a chosen shared-secret needs at least 16 characters")]
    ShortSecret,
    /// The imported secret is empty or too long, or has other characters.
    #[error("an imported shared-secret has 1 to 1024 printable ASCII characters")]
    ImportedSecret,
    /// None of the signature methods of the client is for its key (RFC 5849, section 3.4).
    #[error(
        "none of the client's signature methods is for its key: RSA needs an RSA key, HMAC and \
         PLAINTEXT need a shared-secret"
    )]
    Methods,
    /// The client has settings of OAuth 1.0a and no key.
    #[error("a client that has settings of OAuth 1.0a needs a key to sign with")]
    Missing,
}

/// The part of [`NewClient`](super::super::NewClient) that belongs to OAuth 1.0a.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewRegistration {
    pub(crate) key: Option<NewKey>,
    pub(crate) out_of_band: bool,
    pub(crate) methods: Vec<SignatureMethod>,
}

impl NewRegistration {
    /// The part of a registered client, whose keys remain whatever is generated.
    pub(crate) fn again(registration: &Registration) -> Self {
        let Registration { out_of_band, methods, .. } = registration.clone();
        Self { key: Some(NewKey::Secret), out_of_band, methods }
    }

    /// Checks the key.
    pub(crate) fn check(&self) -> Result<(), NewKeyError> {
        self.key.as_ref().ok_or(NewKeyError::Missing)?.check()
    }

    /// The registration of a client in a table of the application's own; `None` if the key is to be
    /// generated, which only the server can.
    pub(crate) fn in_table(&self) -> Option<Registration> {
        let credential = match self.key.as_ref()? {
            NewKey::Secret => return None,
            NewKey::ChosenSecret(secret) | NewKey::ImportedSecret(secret) => {
                Credential::SharedSecretInTable(secret.clone())
            }
            NewKey::RsaPublicKey(pem) => Credential::RsaPublicKey(pem.as_str().into()),
            NewKey::RsaPublicKeyOf1024BitsAndUpAsOldInstallationsHaveThem(pem) => {
                Credential::ShortRsaPublicKey(pem.as_str().into())
            }
        };
        Some(self.with(credential))
    }

    fn with(&self, credential: Credential) -> Registration {
        let keys = vec![Key { credential, expires: None }];
        Registration { keys, out_of_band: self.out_of_band, methods: self.methods.clone() }
    }

    /// The registration of this client, and the secret if one was generated.
    pub(crate) fn register(
        &self,
        inner: &Inner,
        client: &str,
    ) -> Result<(Registration, Option<Secret>), NewKeyError> {
        let key = self.key.as_ref().ok_or(NewKeyError::Missing)?;
        let (credential, secret) = key.make(inner, client)?;
        Ok((self.with(credential), secret))
    }
}

/// `true` for printable ASCII characters, 1 to 1024 of them: VSCHAR of RFC 6749, appendix A.2.
pub(crate) fn is_secret(text: &str) -> bool {
    (1..=1024).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Seals a shared-secret of this client under the server's key ring.
pub(crate) fn seal(inner: &Inner, client: &str, secret: &Secret) -> String {
    inner.seal_of(client).seal(&inner.env, SecretUse::OAuth1Client, secret)
}

/// Opens a shared-secret that [`seal`] sealed for this client.
pub(crate) fn open(inner: &Inner, client: &str, sealed: &str) -> Option<Secret> {
    inner.seal_of(client).open(SecretUse::OAuth1Client, sealed)
}

/// `true` if this key of the client is the shared-secret `chosen`.
pub(crate) fn is_shared_secret(inner: &Inner, client: &str, key: &Key, chosen: &Secret) -> bool {
    let Credential::SharedSecret(sealed) = &key.credential else { return false };
    let now = inner.now();
    key.expires.is_none_or(|expires| now < expires)
        && open(inner, client, sealed).is_some_and(|known| known == *chosen)
}

impl NewKey {
    /// Checks the key.
    pub(crate) fn check(&self) -> Result<(), NewKeyError> {
        match self {
            Self::Secret => {}
            Self::ChosenSecret(secret) if secret.expose().len() < 16 => {
                return Err(NewKeyError::ShortSecret);
            }
            Self::ChosenSecret(_) => {}
            Self::ImportedSecret(secret) if !is_secret(secret.expose()) => {
                return Err(NewKeyError::ImportedSecret);
            }
            Self::ImportedSecret(_) => {}
            Self::RsaPublicKey(pem) => drop(RsaVerifyingKey::from_pem(pem)?),
            Self::RsaPublicKeyOf1024BitsAndUpAsOldInstallationsHaveThem(pem) => drop(
                RsaVerifyingKey::from_pem_of_1024_bits_and_up_as_old_installations_have_them(pem)?,
            ),
        }
        Ok(())
    }

    /// The key of this client to store, and the secret if one was generated.
    pub(crate) fn make(
        &self,
        inner: &Inner,
        client: &str,
    ) -> Result<(Credential, Option<Secret>), NewKeyError> {
        self.check()?;
        let seal = |secret: &Secret| Credential::SharedSecret(seal(inner, client, secret).into());
        Ok(match self {
            Self::Secret => {
                let secret = inner.oauth1.secret(&TokenSecret::new(inner.env.random()));
                let secret = Secret::from(secret);
                (seal(&secret), Some(secret))
            }
            Self::ChosenSecret(secret) | Self::ImportedSecret(secret) => (seal(secret), None),
            Self::RsaPublicKey(pem) => (Credential::RsaPublicKey(pem.as_str().into()), None),
            Self::RsaPublicKeyOf1024BitsAndUpAsOldInstallationsHaveThem(pem) => {
                (Credential::ShortRsaPublicKey(pem.as_str().into()), None)
            }
        })
    }
}
