//! The grants: the facts, the decision and the commit of each.

pub(crate) mod client_credentials;
pub(crate) mod code;
pub(crate) mod error;
pub(crate) mod refresh;

use std::time::Duration;

use crate::{
    Scopes, Timestamp,
    oauth2::{Resources, TokenResponse},
    provider::{
        client::record::{Client, GrantType},
        error::Error,
        server::Inner,
        store::{AccessRecord, FamilyRecord, Grant, RowId},
    },
};

use super::format::{Refresh, TokenKind, TokenSecret, TokenText, sha256};

/// The audience of a token: all granted APIs if the client names none (RFC 8707, section 2.2).
/// `None` if it names one that was not granted.
pub(crate) fn narrowed(granted: &Resources, wanted: &Resources) -> Option<Resources> {
    if wanted.is_empty() {
        return Some(granted.clone());
    }
    granted.narrowed(wanted)
}

/// Tokens to be stored and sent.
pub(crate) struct Minted {
    access: TokenText,
    pub(crate) record: AccessRecord,
    lifetime: Duration,
}

/// An access token in row `row`, for the given scopes of a grant.
pub(crate) fn mint(inner: &Inner, row: RowId, grant: Grant, now: Timestamp) -> Minted {
    let secret = TokenSecret::new(inner.env.random());
    let lifetime = inner.policy.access_token_lifetime;
    let record = AccessRecord {
        row,
        hash: sha256(&secret[..]),
        grant,
        expires: now + lifetime,
        binding: None,
    };
    Minted { access: inner.tokens.write(TokenKind::Access, row, &secret), record, lifetime }
}

/// The first refresh token for a grant, if the client may have one.
pub(crate) async fn first_refresh(
    inner: &Inner,
    client: &Client,
    grant: &Grant,
    now: Timestamp,
) -> Result<Option<(FamilyRecord, Refresh)>, Error> {
    let is_offered = inner.grant_types.contains(&GrantType::RefreshToken);
    if !is_offered || !client.grant_types.contains(&GrantType::RefreshToken) {
        return Ok(None);
    }
    let secret = TokenSecret::new(inner.env.random());
    let token = inner.tokens.first_refresh(inner.row().await?, secret);
    let ends = now + inner.policy.refresh_token_total_lifetime;
    let family = FamilyRecord {
        row: token.family,
        grant: grant.clone(),
        generation: 0,
        current: token.hash(),
        previous: None,
        rotated: now,
        rotated_scopes: grant.scopes.clone(),
        rotated_resources: grant.resources.clone(),
        expires: ends.min(now + inner.policy.refresh_token_idle_lifetime),
        ends,
    };
    Ok(Some((family, token)))
}

/// The latest time at which a token of a grant could still be valid: until then its revocation must
/// be remembered.
pub(crate) fn all_over(inner: &Inner, now: Timestamp) -> Timestamp {
    now + inner.policy.refresh_token_total_lifetime + inner.policy.access_token_lifetime
}

impl Minted {
    /// The answer (RFC 6749, section 5.1).
    pub(crate) fn response(&self, refresh: Option<&TokenText>, scopes: &Scopes) -> TokenResponse {
        let mut response = TokenResponse::new(self.access.as_str());
        response.expires_in = Some(self.lifetime);
        response.refresh_token = refresh.map(|refresh| refresh.as_str().into());
        response.scope = Some(scopes.clone());
        response
    }
}
