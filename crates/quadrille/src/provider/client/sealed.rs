//! Secrets that the server must know itself, sealed for the client that they belong to: a row copied
//! to another client does not open.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::{Env, KeyRing, Secret};

/// The use of a sealed secret: one sealed for another use does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SecretUse {
    /// The secret of `client_secret_jwt`.
    ClientAssertions,
    /// The shared-secret of a client of OAuth 1.0a.
    OAuth1Client,
    /// The shared-secret of temporary credentials.
    TemporaryCredentials,
    /// The shared-secret of token credentials.
    TokenCredentials,
}

impl SecretUse {
    const fn purpose(self) -> &'static str {
        match self {
            Self::ClientAssertions => "provider client secret",
            Self::OAuth1Client => "provider oauth1 client",
            Self::TemporaryCredentials => "provider oauth1 temporary",
            Self::TokenCredentials => "provider oauth1 token",
        }
    }
}

/// A sealed secret, with a view to the newest key of the ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Again<T> {
    /// It is sealed under the newest key.
    IsNewest,
    /// It was sealed under an older key, and this is the same under the newest.
    Resealed(T),
    /// It does not open: its key is not in the ring, or it was changed by others.
    Unreadable,
}

/// The seal of the secrets of one client.
pub(crate) struct ClientSeal<'a> {
    ring: &'a KeyRing,
    context: String,
}

impl<'a> ClientSeal<'a> {
    /// The seal of this client of the issuer.
    pub(crate) fn new(ring: &'a KeyRing, issuer: &str, client: &str) -> Self {
        // No issuer has a space.
        Self { ring, context: format!("{issuer} {client}") }
    }

    /// Seals a secret as a text.
    pub(crate) fn seal(&self, env: &Env, usage: SecretUse, secret: &Secret) -> String {
        self.ring.seal(env, usage.purpose(), &self.context, secret.expose().as_bytes())
    }

    /// Opens a secret that [`seal`](Self::seal) sealed for this client.
    pub(crate) fn open(&self, usage: SecretUse, sealed: &str) -> Option<Secret> {
        secret(&self.ring.open(usage.purpose(), &self.context, sealed).ok()?)
    }

    /// Seals a sealed text again, if it is under an older key.
    pub(crate) fn again(&self, env: &Env, usage: SecretUse, sealed: &str) -> Again<String> {
        let Ok(bytes) = BASE64_URL_SAFE_NO_PAD.decode(sealed) else { return Again::Unreadable };
        match self.again_bytes(env, usage, &bytes) {
            Again::IsNewest => Again::IsNewest,
            Again::Resealed(bytes) => Again::Resealed(BASE64_URL_SAFE_NO_PAD.encode(bytes)),
            Again::Unreadable => Again::Unreadable,
        }
    }

    /// [`again`](Self::again) without base64.
    pub(crate) fn again_bytes(&self, env: &Env, usage: SecretUse, sealed: &[u8]) -> Again<Vec<u8>> {
        match self.open_bytes(usage, sealed) {
            None => Again::Unreadable,
            Some(_) if self.ring.is_under_newest_key(sealed) => Again::IsNewest,
            Some(secret) => Again::Resealed(self.seal_bytes(env, usage, &secret)),
        }
    }

    /// Seals a secret as bytes.
    pub(crate) fn seal_bytes(&self, env: &Env, usage: SecretUse, secret: &Secret) -> Vec<u8> {
        self.ring.seal_bytes(env, usage.purpose(), &self.context, secret.expose().as_bytes())
    }

    /// Opens a secret that [`seal_bytes`](Self::seal_bytes) sealed for this client.
    pub(crate) fn open_bytes(&self, usage: SecretUse, sealed: &[u8]) -> Option<Secret> {
        secret(&self.ring.open_bytes(usage.purpose(), &self.context, sealed).ok()?)
    }
}

fn secret(plain: &[u8]) -> Option<Secret> {
    std::str::from_utf8(plain).ok().map(Secret::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://id.example";

    #[test]
    fn a_secret_opens_for_its_own_client_issuer_and_use_only() {
        let (env, ring) = (Env::system(), KeyRing::ephemeral());
        let seal = |issuer, client| ClientSeal::new(&ring, issuer, client);
        let (printer, secret) = (seal(ISSUER, "printer"), Secret::from("kd94hf93k423kf44"));
        for usage in [
            SecretUse::ClientAssertions,
            SecretUse::OAuth1Client,
            SecretUse::TemporaryCredentials,
            SecretUse::TokenCredentials,
        ] {
            let text = printer.seal(&env, usage, &secret);
            let bytes = printer.seal_bytes(&env, usage, &secret);
            assert_eq!(printer.open(usage, &text), Some(secret.clone()));
            assert_eq!(printer.open_bytes(usage, &bytes), Some(secret.clone()));
            for other in [seal(ISSUER, "album"), seal("https://other.example", "printer")] {
                assert_eq!(other.open(usage, &text), None);
                assert_eq!(other.open_bytes(usage, &bytes), None);
            }
            let other_use = match usage {
                SecretUse::OAuth1Client => SecretUse::TokenCredentials,
                _ => SecretUse::OAuth1Client,
            };
            assert_eq!(printer.open(other_use, &text), None);
            assert_eq!(printer.open_bytes(other_use, &bytes), None);
        }
    }
}
