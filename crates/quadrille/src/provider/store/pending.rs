//! Pending requests, which a client began and a user has yet to answer.
//!
//! One record serves temporary credentials (RFC 5849, section 2.1), device codes (RFC 8628), pushed
//! authorization requests (RFC 9126) and backchannel requests (OpenID Connect CIBA).
//! [`PendingKind`] holds the part of one protocol; a store keeps it as JSON and never looks inside.

use std::{fmt::Write as _, net::IpAddr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{Scopes, Timestamp, oauth2::Resources, provider::client::redirect_uri::RedirectUri};

use super::{
    ids::{RowId, SecretHash, TokenRef, is_same},
    oauth1::{CredentialRecord, SealedSecret},
    records::{Grant, Issue},
};

/// A request that waits for a user, from the client's first request until it has expired.
///
/// ```
/// use quadrille::{
///     Scopes, Timestamp, oauth2::Resources,
///     provider::store::{
///         Identifier, PendingKind, PendingRecord, PendingState, RowId, TemporaryCredentials,
///     },
/// };
///
/// let pending = PendingRecord {
///     row: RowId(7),
///     identifier: Identifier::Row([1; 32]),
///     user_code: None,
///     client: "app".into(),
///     scopes: Scopes::parse("photos")?,
///     resources: Resources::EMPTY,
///     expires: Timestamp::from_seconds(1_800_000_000),
///     state: PendingState::Pending,
///     kind: PendingKind::Temporary(TemporaryCredentials {
///         secret: b"sealed".as_slice().into(),
///         callback: Some("https://app.example/back".parse()?),
///     }),
/// };
/// assert_eq!(pending.identifier.hash(), &[1; 32]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingRecord {
    /// The number of the row. A client registered later (with a greater number) has no part in it.
    pub row: RowId,
    /// The identifier issued to the client (`oauth_token`, `device_code`, `request_uri`,
    /// `auth_req_id`).
    pub identifier: Identifier,
    /// The hash of the code by which the user finds the request, if it is not the identifier: the
    /// `user_code` of RFC 8628, or the code in a link. A user code is short, so its hash must be
    /// keyed.
    pub user_code: Option<SecretHash>,
    /// The `client_id` of the client that made the request.
    pub client: Arc<str>,
    /// The requested scopes.
    pub scopes: Scopes,
    /// The requested APIs (RFC 8707); empty for the server's own.
    pub resources: Resources,
    /// The expiry of the request, in any state.
    pub expires: Timestamp,
    /// The state of the request.
    pub state: PendingState,
    /// The part of one protocol.
    pub kind: PendingKind,
}

impl PendingRecord {
    /// `true` if the hash in the reference is that of this request, compared in constant time.
    pub fn is_found_by(&self, reference: &PendingRef) -> bool {
        match (reference, &self.identifier, &self.user_code) {
            (PendingRef::Identifier(TokenRef::Row { hash, .. }), Identifier::Row(held), _)
            | (PendingRef::Identifier(TokenRef::Foreign { hash }), Identifier::Foreign(held), _)
            | (PendingRef::UserCode(hash), _, Some(held)) => is_same(held, hash),
            _ => false,
        }
    }
}

/// The identifier of a record, as a hash.
///
/// ```
/// use quadrille::provider::store::Identifier;
///
/// let identifier = Identifier::Row([7; 32]);
/// assert_eq!(identifier.hash(), &[7; 32]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identifier {
    /// An identifier of ours, which carries its row: the hash of its secret part.
    Row(SecretHash),
    /// An identifier that the application made: the hash of all of it.
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

/// A reference to a pending request.
///
/// ```
/// use quadrille::provider::store::{PendingRef, RowId, TokenRef};
///
/// let by_its_client = PendingRef::Identifier(TokenRef::Row { row: RowId(7), hash: [1; 32] });
/// let by_the_user = PendingRef::UserCode([2; 32]);
/// assert_ne!(by_its_client, by_the_user);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PendingRef {
    /// The identifier issued to its client.
    Identifier(TokenRef),
    /// The hash of the user's code: see [`PendingRecord::user_code`].
    UserCode(SecretHash),
}

/// The state of a pending request.
///
/// ```
/// use quadrille::provider::store::PendingState;
///
/// fn may_be_answered(state: &PendingState) -> bool {
///     matches!(state, PendingState::Pending)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PendingState {
    /// The user has not answered.
    Pending,
    /// The user approved it.
    Approved(Approval),
    /// The client has redeemed it.
    Redeemed(Approval),
    /// The user denied it.
    Denied,
}

/// The approval of a pending request.
///
/// ```
/// use quadrille::provider::store::Approval;
///
/// fn needs_a_verifier(approval: &Approval) -> bool {
///     approval.proof.is_some()
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// The hash of the proof that the user carries to the client (the `oauth_verifier` of RFC
    /// 5849); `None` if the identifier suffices.
    pub proof: Option<SecretHash>,
    /// The grant that the request buys.
    pub grant: Grant,
}

/// The part of a pending request that belongs to one protocol.
///
/// ```
/// use quadrille::provider::store::{PendingKind, TemporaryCredentials};
///
/// let secret = b"sealed".as_slice().into();
/// let kind = PendingKind::Temporary(TemporaryCredentials { secret, callback: None });
/// let json = serde_json::to_string(&kind)?;
/// assert_eq!(serde_json::from_str::<PendingKind>(&json)?, kind);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PendingKind {
    /// Temporary credentials (RFC 5849, section 2.1).
    Temporary(TemporaryCredentials),
    /// A device code (RFC 8628, section 3.2).
    Device(DeviceCode),
}

impl PendingKind {
    pub(in crate::provider) const fn temporary(&self) -> Option<&TemporaryCredentials> {
        match self {
            Self::Temporary(temporary) => Some(temporary),
            Self::Device(_) => None,
        }
    }

    pub(in crate::provider) const fn device(&self) -> Option<&DeviceCode> {
        match self {
            Self::Device(device) => Some(device),
            Self::Temporary(_) => None,
        }
    }
}

/// The part of a pending request that belongs to RFC 5849.
///
/// ```
/// use quadrille::provider::store::TemporaryCredentials;
///
/// let shown_to_the_user = TemporaryCredentials { secret: [1, 2].into(), callback: None };
/// let json = serde_json::to_string(&shown_to_the_user)?;
/// assert_eq!(json, r#"{"secret":"0102","callback":null}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemporaryCredentials {
    /// The shared-secret, sealed; hexadecimal digits in JSON.
    #[serde(serialize_with = "write_hex", deserialize_with = "read_hex")]
    pub secret: SealedSecret,
    /// The `oauth_callback`, to which the user is redirected; `None` for `oob`.
    pub callback: Option<RedirectUri>,
}

/// The part of a pending request that belongs to RFC 8628.
///
/// ```
/// use quadrille::provider::store::DeviceCode;
///
/// let asked = DeviceCode { from: Some([192, 0, 2, 7].into()) };
/// assert_eq!(serde_json::to_string(&asked)?, r#"{"from":"192.0.2.7"}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceCode {
    /// The address from which the device requested the code; `None` if it is unknown. Users see it.
    pub from: Option<IpAddr>,
}

/// The purchase of a redeemed pending request.
///
/// ```
/// use quadrille::provider::store::{Bought, RowId};
///
/// fn row(bought: &Bought) -> RowId {
///     match bought {
///         Bought::Tokens(issue) => issue.access.row,
///         Bought::Credential(record) => record.access.row,
///     }
/// }
/// ```
#[derive(Clone, Debug)]
pub enum Bought {
    /// An access token, and perhaps a refresh token.
    Tokens(Box<Issue>),
    /// Token credentials (RFC 5849, section 2.3).
    Credential(CredentialRecord),
}

fn write_hex<S: Serializer>(secret: &SealedSecret, serializer: S) -> Result<S::Ok, S::Error> {
    let mut text = String::with_capacity(secret.len() * 2);
    for byte in &**secret {
        let _ = write!(text, "{byte:02x}");
    }
    serializer.serialize_str(&text)
}

fn read_hex<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SealedSecret, D::Error> {
    let text = String::deserialize(deserializer)?;
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| {
        let pair = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16).ok().filter(|_| !pair.starts_with('+'))
    };
    let secret = rest.is_empty().then(|| pairs.iter().map(byte).collect::<Option<_>>());
    secret.flatten().ok_or_else(|| D::Error::custom("hexadecimal digits"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(secret: &str) -> Result<TemporaryCredentials, serde_json::Error> {
        serde_json::from_str(&format!(r#"{{"secret":{secret:?},"callback":null}}"#))
    }

    proptest! {
        #[test]
        fn a_device_code_is_read_as_it_was_written(from: Option<IpAddr>) {
            let kind = PendingKind::Device(DeviceCode { from });
            let json = serde_json::to_string(&kind).unwrap();
            prop_assert_eq!(serde_json::from_str::<PendingKind>(&json).unwrap(), kind);
        }

        #[test]
        fn a_kind_is_read_as_it_was_written(secret: Vec<u8>, is_shown: bool) {
            let callback = "https://app.example/back?a=b%20c".parse().unwrap();
            let callback = (!is_shown).then_some(callback);
            let secret = secret.into();
            let kind = PendingKind::Temporary(TemporaryCredentials { secret, callback });
            let json = serde_json::to_string(&kind).unwrap();
            prop_assert_eq!(serde_json::from_str::<PendingKind>(&json).unwrap(), kind);
        }

        #[test]
        fn a_secret_is_whole_bytes_of_hexadecimal_digits(text in "[0-9a-fA-F+ ]{0,6}") {
            let is_hex = text.len() % 2 == 0 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            prop_assert_eq!(read(&text).is_ok(), is_hex);
        }
    }
}
