//! Token credentials of OAuth 1.0a (RFC 5849, section 2.3).
//!
//! Checking a signature takes the secret itself, not a hash, so it is stored sealed.

use std::sync::Arc;

use super::{
    AccessRecord,
    ids::{TokenRef, is_same},
};

/// A secret in a box that only the server's key ring opens.
pub type SealedSecret = Arc<[u8]>;

/// Token credentials (RFC 5849, section 2.3): the only product of their grant, found under its
/// number.
///
/// ```
/// use quadrille::{Timestamp, provider::store::CredentialRecord};
///
/// fn is_expired(record: &CredentialRecord, now: Timestamp) -> bool {
///     now >= record.access.expires
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialRecord {
    /// The grant, and the expiry ([`Timestamp::NEVER`](crate::Timestamp::NEVER) for none). The row
    /// is the number of the grant, the hash that of the identifier.
    pub access: Arc<AccessRecord>,
    /// `true` if the application made the identifier: see
    /// [`Identifier::Foreign`](super::Identifier::Foreign).
    pub is_foreign: bool,
    /// The token shared-secret, sealed.
    pub secret: SealedSecret,
}

impl CredentialRecord {
    /// `true` if the reference is that of these credentials, compared in constant time.
    pub fn is_found_by(&self, token: &TokenRef) -> bool {
        let is_foreign = matches!(token, TokenRef::Foreign { .. });
        is_foreign == self.is_foreign && is_same(&self.access.hash, token.hash())
    }
}
