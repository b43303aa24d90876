//! The look-up of a token of any kind, for revocation and introspection.

use std::sync::Arc;

use super::format::{self, Refresh, TokenKind, sha256};
use crate::provider::{
    error::Error,
    oauth1,
    server::Inner,
    store::{AccessRecord, CredentialRecord, FamilyRecord, Grant, TokenRef},
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
        Some(TokenKind::Code | TokenKind::Temporary) => return Ok(None),
        Some(TokenKind::Credential) => {
            return Ok(oauth1::verify::credential(inner, text).await?.map(Found::Credential));
        }
        Some(TokenKind::Access) => match inner.tokens.read(TokenKind::Access, text) {
            Ok(read) => TokenRef::Row { row: read.row, hash: read.hash },
            Err(_) => return Ok(None),
        },
        None => TokenRef::Foreign { hash: sha256(text.as_bytes()) },
    };
    match (inner.store.access(issuer, &access).await?, access) {
        // Identifiers that the application made look like foreign tokens.
        (None, TokenRef::Foreign { .. }) => {
            Ok(oauth1::verify::credential(inner, text).await?.map(Found::Credential))
        }
        (found, _) => Ok(found.map(Found::Access)),
    }
}
