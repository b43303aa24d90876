//! The look-up of a token of any kind, for revocation and introspection.

use std::sync::Arc;

use super::format::{self, NoToken, Presented, Refresh, TokenKind, sha256};
use crate::provider::{
    error::Error,
    server::Inner,
    store::{AccessRecord, CredentialRecord, FamilyRecord, Grant, SubjectToken, TokenRef},
};

/// A token whose grant is alive. The caller checks its expiry and, for a refresh token, its
/// generation.
pub(crate) enum Found {
    Access(Arc<AccessRecord>),
    /// A genuine refresh token, and its family.
    Refresh(Refresh, Arc<FamilyRecord>),
    /// Token credentials of OAuth 1.0a, by their identifier: proof of nothing without a signature.
    Credential(Arc<CredentialRecord>),
}

impl Found {
    pub(crate) fn grant(&self) -> &Grant {
        match self {
            Self::Access(access) => &access.grant,
            Self::Refresh(_, family) => &family.grant,
            Self::Credential(held) => &held.access.grant,
        }
    }
}

/// Finds a token of any kind; `None` if it is invalid.
pub(crate) async fn find(inner: &Inner, text: &str) -> Result<Option<Found>, Error> {
    let issuer = inner.issuer_id().await?;
    let access = match format::kind(text) {
        Some(TokenKind::Refresh) => {
            let Ok(token) = inner.tokens.read_refresh(text) else { return Ok(None) };
            let family = inner.store.family(issuer, token.family).await?;
            return Ok(family.map(|family| Found::Refresh(token, family)));
        }
        Some(TokenKind::Code | TokenKind::Temporary | TokenKind::JwtId | TokenKind::Device) => {
            return Ok(None);
        }
        Some(TokenKind::Credential) => {
            return Ok(credential(inner, text).await?.map(Found::Credential));
        }
        Some(TokenKind::Access) | None => match access_reference(inner, text) {
            Some(access) => access,
            None => return Ok(None),
        },
    };
    match (self::access(inner, &access).await?, access) {
        // Identifiers that the application made look like foreign tokens.
        (None, TokenRef::Foreign { .. }) => {
            Ok(credential(inner, text).await?.map(Found::Credential))
        }
        (found, _) => Ok(found.map(Found::Access)),
    }
}

/// A live access token, as are the tokens from which it was exchanged (RFC 8693).
pub(crate) async fn access(
    inner: &Inner,
    token: &TokenRef,
) -> Result<Option<Arc<AccessRecord>>, Error> {
    let found = inner.store.access(inner.issuer_id().await?, token).await?;
    let Some(record) = found else { return Ok(None) };
    if record.exchange.is_none() {
        return Ok(Some(record));
    }
    Ok(exchanges(inner, &record).await?.map(|_| record))
}

/// The greatest number of tokens of which each was exchanged for the next: more than are issued.
const LONGEST_CHAIN: usize = 16;

/// The number of exchanges from which an access token comes. `None` if one of their subject tokens
/// is dead.
pub(crate) async fn exchanges(
    inner: &Inner,
    record: &Arc<AccessRecord>,
) -> Result<Option<usize>, Error> {
    let (issuer, now) = (inner.issuer_id().await?, inner.now());
    let mut record = Arc::clone(record);
    for count in 0..LONGEST_CHAIN {
        let Some(exchange) = &record.exchange else { return Ok(Some(count)) };
        let token = match &exchange.subject {
            None => return Ok(Some(count + 1)),
            Some(SubjectToken::Access { row, hash }) => TokenRef::Row { row: *row, hash: *hash },
            Some(SubjectToken::Foreign { hash }) => TokenRef::Foreign { hash: *hash },
            Some(SubjectToken::Refresh { family }) => {
                let family = inner.store.family(issuer, *family).await?;
                let is_alive = family.is_some_and(|it| now < it.expires.min(it.ends));
                return Ok(is_alive.then_some(count + 1));
            }
        };
        match inner.store.access(issuer, &token).await? {
            Some(subject) if now < subject.expires => record = subject,
            _ => return Ok(None),
        }
    }
    Ok(None)
}

/// The token credentials with this identifier, expired or not.
pub(crate) async fn credential(
    inner: &Inner,
    token: &str,
) -> Result<Option<Arc<CredentialRecord>>, Error> {
    let Some(found) = reference(inner, TokenKind::Credential, token) else { return Ok(None) };
    Ok(inner.store.credential(inner.issuer_id().await?, &found).await?)
}

/// The reference to a token; `None` if it is one of ours, but damaged or of another kind.
pub(crate) fn reference(inner: &Inner, kind: TokenKind, text: &str) -> Option<TokenRef> {
    referred(inner.tokens.read(kind, text), text)
}

/// The reference to an access token of either format: see [`reference`].
pub(crate) fn access_reference(inner: &Inner, text: &str) -> Option<TokenRef> {
    referred(inner.tokens.read_access(text), text)
}

fn referred(read: Result<Presented, NoToken>, text: &str) -> Option<TokenRef> {
    match read {
        Ok(read) => Some(TokenRef::Row { row: read.row, hash: read.hash }),
        Err(NoToken::Foreign) => Some(TokenRef::Foreign { hash: sha256(text.as_bytes()) }),
        Err(reason) => {
            tracing::debug!(%reason, "no token of ours");
            None
        }
    }
}
