//! Dynamic registrations (RFC 7591) in a store.

use std::{net::IpAddr, sync::Arc};

use crate::{Timestamp, provider::client::record::Client};

use super::ids::{RowId, SecretHash};

/// An initial access token (RFC 7591, section 3): the right to register a number of clients.
///
/// ```
/// use quadrille::{Timestamp, provider::store::{InitialTokenRecord, RowId}};
///
/// let token = InitialTokenRecord {
///     row: RowId(42),
///     hash: [7; 32],
///     name: "partners".into(),
///     uses: 3,
///     expires: Timestamp::from_seconds(1_800_000_000),
/// };
/// assert_eq!(token.uses, 3);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitialTokenRecord {
    /// The number of the row, by which the operator revokes the token.
    pub row: RowId,
    /// The hash of the token.
    pub hash: SecretHash,
    /// The name, for the operator.
    pub name: Arc<str>,
    /// The number of registrations that are left, at least 1.
    pub uses: u32,
    /// The expiry.
    pub expires: Timestamp,
}

/// A client that must be used until a certain time: the part of its record that each registration
/// of a stranger reads, which is short whatever the client has stored.
///
/// ```
/// use quadrille::provider::{Client, store::UnusedClient};
///
/// fn was_used(client: &Client) -> bool {
///     UnusedClient::of(client).is_none()
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnusedClient {
    /// The `client_id`.
    pub id: Arc<str>,
    /// The client's [`number`](Client::number).
    pub number: RowId,
    /// The address from which the client was registered.
    pub from: Option<IpAddr>,
    /// The time until which the client must be used, in whole seconds.
    pub until: Timestamp,
}

impl UnusedClient {
    /// The part of this record; `None` if the client need not be used.
    pub fn of(client: &Client) -> Option<Self> {
        let registration = client.registration.as_ref()?;
        Some(Self {
            id: Arc::clone(&client.id),
            number: client.number,
            from: registration.from,
            until: Timestamp::from_seconds(registration.unused_until?.seconds()),
        })
    }
}

/// The registration of a client by itself.
///
/// ```
/// use quadrille::provider::{Client, store::Admission};
///
/// fn of_anybody(client: Client) -> Admission {
///     Admission { client, token: None, instead_of: Vec::new() }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Admission {
    /// The client.
    pub client: Client,
    /// The hash of the initial access token, of which one use is taken.
    pub token: Option<SecretHash>,
    /// The clients to remove, if they are still unused.
    pub instead_of: Vec<UnusedClient>,
}

/// The result of an [`Admission`].
///
/// ```
/// use quadrille::provider::store::Admitted;
///
/// assert_ne!(Admitted::Registered, Admitted::TokenSpent);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Admitted {
    /// The client is stored.
    Registered,
    /// Another client has this `client_id`. Nothing was written.
    IdTaken,
    /// There is no such initial access token, or no use of it is left. Nothing was written.
    TokenSpent,
}
