//! The keys of a client: its public ones, and those that follow from its secret.

use std::sync::Arc;

use crate::{
    Secret, Timestamp,
    fetch::NotFetched,
    jose::{KeySet, TokenError, Unverified, Verification, Verified, VerifyingKey},
    provider::server::Inner,
};

use super::{
    record::{Client, SecretVerifier},
    registered_auth::{ClientKeys, RegisteredAuth},
    sealed::SecretUse,
};

/// The reason why the keys at the `jwks_uri` of a client are not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoKeys {
    /// They cannot be fetched. The client may be right, and the same request may succeed later.
    NotFetched,
    /// The document there is no set of keys.
    Unusable,
}

/// The public keys of a client (RFC 7591, section 2): those by which it authenticates, or others.
pub(crate) fn public(client: &Client) -> Option<&ClientKeys> {
    match &client.auth {
        Some(RegisteredAuth::PrivateKeyJwt { keys, .. }) => Some(keys),
        _ => client.openid.keys.as_ref(),
    }
}

/// The public keys of a client, fetched again within limits if those that are kept do not suffice.
pub(crate) async fn set(
    inner: &Inner,
    client: &Arc<Client>,
    keys: &ClientKeys,
    suffices: impl Fn(&KeySet) -> bool,
) -> Result<Arc<KeySet>, NoKeys> {
    let uri = match keys {
        ClientKeys::Jwks(json) => return Ok(inner.shared.client_keys.ready(client, json)),
        ClientKeys::JwksUri(uri) => uri,
    };
    let (Some(remote), Some(url)) = (&inner.remote_keys, ClientKeys::url(uri)) else {
        tracing::error!(client = %client.id, "nothing fetches the keys of this client");
        return Err(NoKeys::NotFetched);
    };
    remote.get(&url, &inner.env, suffices).await.map_err(|reason| {
        tracing::info!(client = %client.id, %reason, "the keys of this client are not known");
        match reason {
            NotFetched::Fetch(_) => NoKeys::NotFetched,
            NotFetched::Unusable(_) => NoKeys::Unusable,
        }
    })
}

/// Verifies a token by the client's secrets. Shared keys have no identifier.
pub(crate) fn verified_by_secret(
    inner: &Inner,
    client: &Client,
    text: &str,
    rules: &Verification,
) -> Result<Verified, TokenError> {
    let mut error = TokenError::KeyUnknown;
    for secret in secrets(inner, client, inner.now()) {
        let token = Unverified::parse(text)?;
        let verified = match VerifyingKey::hmac(token.header().algorithm(), &secret) {
            Ok(key) => token.verify_with(rules, &key),
            Err(_) => Err(TokenError::KeyUnusable),
        };
        match verified {
            Ok(verified) => return Ok(verified),
            Err(reason) => error = reason,
        }
    }
    Err(error)
}

/// The client's sealed secrets that have not expired, the oldest first: those that the server knows
/// itself.
pub(crate) fn secrets(
    inner: &Inner,
    client: &Client,
    now: Timestamp,
) -> impl DoubleEndedIterator<Item = Secret> {
    client.secrets.iter().filter_map(move |secret| match &secret.verifier {
        SecretVerifier::Sealed(sealed) if secret.expires.is_none_or(|expires| now < expires) => {
            let opened = open(inner, &client.id, sealed);
            if opened.is_none() {
                tracing::error!(client = %client.id, "a secret of this client cannot be opened");
            }
            opened
        }
        _ => None,
    })
}

/// The verifier of this client's HMACs by a secret.
pub(super) fn seal(inner: &Inner, client: &str, secret: &Secret) -> SecretVerifier {
    let sealed = inner.seal_of(client).seal(&inner.env, SecretUse::ClientAssertions, secret);
    SecretVerifier::Sealed(sealed.into())
}

/// The secret of a verifier that [`seal`] made for this client.
pub(super) fn open(inner: &Inner, client: &str, sealed: &str) -> Option<Secret> {
    inner.seal_of(client).open(SecretUse::ClientAssertions, sealed)
}
