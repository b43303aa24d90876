//! What a store keeps for OAuth 1.0a (RFC 5849): temporary credentials, and the token credentials
//! that they buy.
//!
//! To check a signature one needs the secret itself, so that a hash will not do: it is kept sealed.

use std::sync::Arc;

use crate::{Scopes, Timestamp, provider::client::redirect_uri::RedirectUri};

use super::{AccessRecord, Grant, RowId, SecretHash};

/// A secret in a box that only the server's key ring opens.
pub type SealedSecret = Arc<[u8]>;

/// Temporary credentials (RFC 5849, section 2.1), from the client's first request until they are
/// exchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemporaryRecord {
    /// Their row. A client that was registered later (that is, with a greater number) has no part in
    /// them.
    pub row: RowId,
    /// How their identifier is recognised.
    pub identifier: Identifier,
    /// Their shared-secret.
    pub secret: SealedSecret,
    /// The `client_id` of who asked for them.
    pub client: Arc<str>,
    /// Where the person is sent back to; `None` for nowhere (`oob`).
    pub callback: Option<RedirectUri>,
    /// What was asked for.
    pub scopes: Scopes,
    /// When they stop being good, whatever has become of them.
    pub expires: Timestamp,
    /// What has become of them.
    pub state: TemporaryState,
}

/// How the identifier of credentials is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identifier {
    /// One of ours, which carries its row; this is the hash of its secret part.
    Row(SecretHash),
    /// One that the application made; this is the hash of all of it.
    Foreign(SecretHash),
}

impl Identifier {
    /// The hash.
    pub const fn hash(&self) -> &SecretHash {
        match self {
            Self::Row(hash) | Self::Foreign(hash) => hash,
        }
    }
}

/// What has become of temporary credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemporaryState {
    /// Nobody has answered yet.
    Pending,
    /// A person approved.
    Approved(Approval),
    /// They were exchanged for token credentials.
    Redeemed(Approval),
    /// A person said no.
    Denied,
}

/// What a person approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// The hash of the `oauth_verifier`.
    pub verifier: SecretHash,
    /// What the credentials buy.
    pub grant: Grant,
}

/// Token credentials (RFC 5849, section 2.3). They are all that their grant ever gives, and are
/// found under its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialRecord {
    /// What they stand for. The row is the number of the grant; the hash is that of the identifier;
    /// [`Timestamp::NEVER`] when they do not expire.
    pub access: Arc<AccessRecord>,
    /// Whether the identifier is one that the application made: see [`Identifier::Foreign`].
    pub is_foreign: bool,
    /// Their shared-secret.
    pub secret: SealedSecret,
}
