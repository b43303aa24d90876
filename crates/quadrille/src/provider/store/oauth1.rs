//! Token credentials of OAuth 1.0a (RFC 5849, section 2.3).
//!
//! To check a signature one needs the secret itself, so that a hash will not do: it is kept sealed.

use std::sync::Arc;

use super::AccessRecord;

/// A secret in a box that only the server's key ring opens.
pub type SealedSecret = Arc<[u8]>;

/// Token credentials (RFC 5849, section 2.3). They are all that their grant ever gives, and are
/// found under its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialRecord {
    /// What they stand for. The row is the number of the grant; the hash is that of the identifier;
    /// [`Timestamp::NEVER`](crate::Timestamp::NEVER) when they do not expire.
    pub access: Arc<AccessRecord>,
    /// Whether the identifier is one that the application made: see
    /// [`Identifier::Foreign`](super::Identifier::Foreign).
    pub is_foreign: bool,
    /// Their shared-secret.
    pub secret: SealedSecret,
}
