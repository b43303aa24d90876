//! The rows of a store, to be moved into another one.

use std::future::Future;

use super::{IssuerId, KnownSince, RowId, Store, StoreError};

/// A value of a [`StoredRow`].
///
/// ```
/// use quadrille::provider::store::StoredValue;
///
/// assert_ne!(StoredValue::Number(0), StoredValue::Null);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StoredValue {
    /// No value.
    Null,
    /// A number, the seconds of a time, or 0 and 1 for a flag.
    Number(i64),
    /// A text.
    Text(String),
    /// Bytes, such as a hash.
    Bytes(Vec<u8>),
}

/// The type of a column, for databases that tell more of them apart than [`StoredValue`] does.
///
/// ```
/// use quadrille::provider::store::{StoredColumn, StoredTable};
///
/// let (name, column) = StoredTable::Codes.columns()[0];
/// assert_eq!((name, column), ("row", StoredColumn::Row));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoredColumn {
    /// The number of a row ([`RowId`]).
    Row,
    /// Any other number.
    Number,
    /// 0 or 1.
    Flag,
    /// A text of the server, such as scopes.
    Text,
    /// A text that a person or a client chose, which may have any character.
    Name,
    /// Bytes.
    Bytes,
}

use StoredColumn::{Bytes, Flag, Name, Number, Row, Text};

/// The columns of a grant.
macro_rules! with_grant {
    ([$($before:expr),*], [$($after:expr),*]) => {
        &[
            $($before,)*
            ("grant_id", Number),
            ("client", Name),
            ("actor", Name),
            ("scopes", Text),
            ("resources", Text),
            ("auth", Text),
            $($after,)*
        ]
    };
}

/// A table of a store, without what its processes have for themselves (leases, changes).
///
/// ```
/// use quadrille::provider::store::StoredTable;
///
/// assert_eq!(StoredTable::ALL[0], StoredTable::Clients);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoredTable {
    /// Clients, also those that are kept elsewhere.
    Clients,
    /// Clients that must be used until a certain time.
    UnusedClients,
    /// Initial access tokens.
    InitialTokens,
    /// Ends of all grants of a user, or of a user to a client.
    Cut,
    /// The subjects of users who were removed.
    Removed,
    /// Revoked grants.
    Revoked,
    /// Consents.
    Consents,
    /// Authorization codes.
    Codes,
    /// Access tokens.
    AccessTokens,
    /// Families of refresh tokens.
    Families,
    /// The grants of users that have tokens.
    Grants,
    /// The rows of imported tokens.
    ForeignTokens,
    /// Answered consent pages.
    Tickets,
    /// Keys that were used once.
    Once,
    /// Requests that wait for a user.
    Pending,
    /// Token credentials (OAuth 1.0a).
    TokenCredentials,
}

impl StoredTable {
    /// All tables, in the order in which they are moved.
    pub const ALL: [Self; 16] = [
        Self::Clients,
        Self::UnusedClients,
        Self::InitialTokens,
        Self::Cut,
        Self::Removed,
        Self::Revoked,
        Self::Consents,
        Self::Codes,
        Self::AccessTokens,
        Self::Families,
        Self::Grants,
        Self::ForeignTokens,
        Self::Tickets,
        Self::Once,
        Self::Pending,
        Self::TokenCredentials,
    ];

    /// The name, without the prefix of a store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clients => "clients",
            Self::UnusedClients => "unused_clients",
            Self::InitialTokens => "initial_tokens",
            Self::Cut => "cut",
            Self::Removed => "removed",
            Self::Revoked => "revoked",
            Self::Consents => "consents",
            Self::Codes => "codes",
            Self::AccessTokens => "access_tokens",
            Self::Families => "families",
            Self::Grants => "grants",
            Self::ForeignTokens => "foreign_tokens",
            Self::Tickets => "tickets",
            Self::Once => "once",
            Self::Pending => "pending",
            Self::TokenCredentials => "token_credentials",
        }
    }

    /// The columns, without the number of the issuer. Those of the [key](Self::key) come first.
    pub const fn columns(self) -> &'static [(&'static str, StoredColumn)] {
        match self {
            Self::Clients => &[("id", Name), ("number", Number), ("record", Text)],
            Self::UnusedClients => {
                &[("id", Name), ("number", Number), ("address", Text), ("expires", Number)]
            }
            Self::InitialTokens => &[
                ("row", Row),
                ("hash", Bytes),
                ("name", Name),
                ("uses", Number),
                ("expires", Number),
            ],
            Self::Cut => &[("actor", Name), ("client", Name), ("last", Number)],
            Self::Removed => &[("subject", Name), ("last", Number)],
            Self::Revoked => &[("grant_id", Number), ("expires", Number)],
            Self::Consents => &[
                ("subject", Name),
                ("client", Name),
                ("resources", Text),
                ("scopes", Text),
                ("given", Number),
                ("data", Text),
            ],
            Self::Codes => with_grant!(
                [("row", Row)],
                [
                    ("hash", Bytes),
                    ("expires", Number),
                    ("redirect_uri", Name),
                    ("challenge", Name),
                    ("redeemed", Flag)
                ]
            ),
            Self::AccessTokens => with_grant!(
                [("row", Row)],
                [("hash", Bytes), ("expires", Number), ("binding", Text), ("exchange", Text)]
            ),
            Self::Families => with_grant!(
                [("row", Row)],
                [
                    ("generation", Number),
                    ("current", Bytes),
                    ("previous", Bytes),
                    ("rotated", Number),
                    ("expires", Number),
                    ("ends", Number)
                ]
            ),
            Self::Grants => with_grant!([], [("family", Row), ("expires", Number)]),
            Self::ForeignTokens => &[("hash", Bytes), ("row", Row), ("expires", Number)],
            Self::Tickets => &[("ticket", Bytes), ("code", Row), ("expires", Number)],
            Self::Once => &[("space", Text), ("hash", Bytes), ("expires", Number)],
            Self::Pending => with_grant!(
                [
                    ("row", Row),
                    ("identifier", Bytes),
                    ("is_foreign", Flag),
                    ("user_code", Bytes),
                    ("asked", Text),
                    ("asked_resources", Text),
                    ("expires", Number),
                    ("state", Number),
                    ("kind", Text),
                    ("proof", Bytes)
                ],
                []
            ),
            Self::TokenCredentials => with_grant!(
                [],
                [
                    ("hash", Bytes),
                    ("is_foreign", Flag),
                    ("secret", Bytes),
                    ("expires", Number),
                    ("binding", Text)
                ]
            ),
        }
    }

    /// The number of columns that are the key, within an issuer.
    pub const fn key(self) -> usize {
        match self {
            Self::Cut | Self::Once => 2,
            Self::Consents => 3,
            _ => 1,
        }
    }
}

/// A row: the values of [`StoredTable::columns`].
///
/// ```
/// use quadrille::provider::store::{StoredRow, StoredValue};
///
/// let row = StoredRow(vec![StoredValue::Number(42), StoredValue::Number(1_800_000_000)]);
/// assert_eq!(row.0.len(), 2);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoredRow(pub Vec<StoredValue>);

impl StoredRow {
    /// The value in a column of the table that the row is of.
    ///
    /// ```
    /// use quadrille::provider::store::{StoredRow, StoredTable, StoredValue};
    ///
    /// let row = StoredRow(vec![StoredValue::Text("bob".into()), StoredValue::Number(7)]);
    /// assert_eq!(row.value(StoredTable::Removed, "last"), Some(&StoredValue::Number(7)));
    /// ```
    pub fn value(&self, table: StoredTable, column: &str) -> Option<&StoredValue> {
        let place = table.columns().iter().position(|(name, _)| *name == column)?;
        self.0.get(place)
    }
}

/// A store whose rows can be moved into another store, which keeps every consent and every token
/// under the same issuer and key ring. No server may use either of them meanwhile. Only
/// [`rows`](Self::rows) and [`swap_secret`](Self::swap_secret) are also for a store in use.
///
/// ```
/// use quadrille::provider::store::{IssuerId, StoreError, StoredTable, Transfer};
///
/// async fn copy(from: &impl Transfer, to: &impl Transfer, issuer: &str) -> Result<u64, StoreError> {
///     let (source, target) = (from.issuer(issuer).await?, to.issuer(issuer).await?);
///     let mut count = 0;
///     for table in StoredTable::ALL {
///         let mut page = from.rows(source, table, None, 1000).await?;
///         while let Some(last) = page.last().cloned() {
///             count += to.put_rows(target, table, page).await?;
///             page = from.rows(source, table, Some(last), 1000).await?;
///         }
///     }
///     to.raise_newest(from.newest().await?).await?;
///     to.raise_known_since(from.uses_known_since().await?).await?;
///     Ok(count)
/// }
/// ```
pub trait Transfer: Store {
    /// At most `limit` rows of an issuer, ordered by the store's own key, after the row `after`, which
    /// may be gone.
    fn rows(
        &self,
        issuer: IssuerId,
        table: StoredTable,
        after: Option<StoredRow>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<StoredRow>, StoreError>> + Send;

    /// Stores rows that [`rows`](Self::rows) of another store returned, at once. Those whose key is
    /// there already stay as they are. Returns the number of new rows. No change is told.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if a row has other columns, and those of the database.
    fn put_rows(
        &self,
        issuer: IssuerId,
        table: StoredTable,
        rows: Vec<StoredRow>,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Replaces the sealed secret of the token credentials of a grant if it is `before`, and nothing
    /// else; `false` if it is another one, or the credentials are gone. The secret itself is the same,
    /// so no change is told. [`Reseal`](crate::provider::Reseal) calls it, while servers use the store.
    fn swap_secret(
        &self,
        issuer: IssuerId,
        grant: RowId,
        before: Vec<u8>,
        after: Vec<u8>,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Raises [`Part::newest`](super::Part::newest) to that of the other store, whose greatest number may be of a
    /// row that is gone.
    fn raise_newest(&self, newest: RowId) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Raises [`Grants::uses_known_since`](super::Grants::uses_known_since) and
    /// [`OnceKeys::keys_known_since`](super::OnceKeys::keys_known_since) to those of the other store.
    fn raise_known_since(
        &self,
        since: KnownSince,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}
