//! Encrypted answers: nested tokens for one client (OpenID Connect Core, sections 5.3.2, 10.2 and 16.14).

use std::sync::Arc;

use crate::{
    jose::{DecryptingKey, EncryptingKey, Protected},
    provider::{
        client::{
            own_keys::{self, NoKeys},
            record::Client,
        },
        error::{Error, OperatorError, endpoint::TokenError},
        server::Inner,
    },
};

use super::messages::MessageEncryption;

/// The type of a payload that is a token itself (RFC 7519, section 5.2).
const NESTED: Protected<'static> = Protected::plain().cty("JWT");

/// Encrypts a signed token for a client, if it is registered so: such a client is never answered in
/// the clear.
pub(crate) async fn of_token(
    inner: &Inner,
    client: &Arc<Client>,
    encryption: Option<MessageEncryption>,
    token: String,
) -> Result<String, Error> {
    match encryption {
        None => Ok(token),
        // Few clients are: the futures of all are smaller for the box.
        Some(encryption) => Box::pin(encrypt(inner, client, encryption, &NESTED, &token)).await,
    }
}

/// Encrypts claims that are not signed for a client.
pub(crate) async fn of_claims(
    inner: &Inner,
    client: &Arc<Client>,
    encryption: MessageEncryption,
    claims: &str,
) -> Result<String, Error> {
    encrypt(inner, client, encryption, &Protected::plain(), claims).await
}

async fn encrypt(
    inner: &Inner,
    client: &Arc<Client>,
    encryption: MessageEncryption,
    header: &Protected<'_>,
    payload: &str,
) -> Result<String, Error> {
    let key = key(inner, client, encryption).await?;
    let encrypted = key.encrypt(encryption.alg, encryption.enc, header, payload.as_bytes());
    Ok(encrypted.map_err(OperatorError::Encrypt)?)
}

/// The key of a client: a public one, or one that follows from its newest secret.
async fn key(
    inner: &Inner,
    client: &Arc<Client>,
    MessageEncryption { alg, enc }: MessageEncryption,
) -> Result<EncryptingKey, TokenError> {
    let missing = TokenError::EncryptionKeyMissing;
    if alg.is_symmetric() {
        let secret = own_keys::secrets(inner, client, inner.now()).next_back().ok_or(missing)?;
        let key = DecryptingKey::of_client_secret(&secret, alg, enc).map_err(|_| missing)?;
        return Ok(key.encrypting_key().clone());
    }
    let keys = own_keys::public(client).ok_or(missing)?;
    let has_key = |keys: &crate::jose::KeySet| keys.encrypting_by(alg).is_some();
    let keys =
        own_keys::set(inner, client, keys, has_key).await.map_err(|reason| match reason {
            NoKeys::NotFetched => TokenError::EncryptionKeysUnknown,
            NoKeys::Unusable => missing,
        })?;
    keys.encrypting_by(alg).cloned().ok_or(missing)
}
