//! What the kinds of databases do in ways of their own.

use quadrille::{
    Timestamp,
    provider::store::{
        Answer, Issue, IssuerId, Rotation, RowId, StoreError, StoredRow, StoredTable,
    },
};

use super::{
    database::Database,
    engine::{Engine, Write},
    values::Values,
};

/// A row that buys tokens once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Buys {
    Code,
    Pending,
}

/// A rotation of a refresh token.
#[derive(Clone, Copy, Debug)]
pub struct Turning<'r> {
    pub issuer: IssuerId,
    pub rotation: &'r Rotation,
    /// The time after which it must not be carried out, by the steady clock of this process: its
    /// caller has been told by then that it failed.
    pub until: Timestamp,
}

/// An [`Engine`] with the verbs whose statements have another shape in each database.
pub trait Dialect: Engine {
    /// The most entries of a batch.
    const BATCH: usize;

    /// Stores an answer and its consent. `false` if it is not the first one. The values are those of
    /// the write.
    fn answer(
        database: &Database<Self>,
        write: &'static Write,
        values: Values,
        issuer: IssuerId,
        answer: &Answer,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Stores codes. The values are the issuer and those of `code_columns`.
    fn put_codes(
        database: &Database<Self>,
        codes: Vec<Values>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Issues tokens. Returns for each entry whether its grant is alive; nothing is stored of others.
    fn issue(
        database: &Database<Self>,
        entries: &[(IssuerId, &Issue)],
    ) -> impl Future<Output = Result<Vec<bool>, StoreError>> + Send;

    /// Redeems rows, each at most once in the entries, and issues the tokens that they buy. Returns
    /// for each entry whether it won.
    fn redeem(
        database: &Database<Self>,
        buys: Buys,
        entries: &[(IssuerId, RowId, &Issue)],
    ) -> impl Future<Output = Result<Vec<bool>, StoreError>> + Send;

    /// Rotates refresh tokens, of each family at most one. Returns for each entry whether it won; one
    /// that is too late does not.
    fn rotate(
        database: &Database<Self>,
        entries: &[Turning<'_>],
    ) -> impl Future<Output = Result<Vec<bool>, StoreError>> + Send;

    /// The rows of a query with these keys, in place of `[keys]`.
    fn rows_of_keys(
        database: &Database<Self>,
        sql: &'static str,
        keys: &[i64],
    ) -> impl Future<Output = Result<Vec<Self::Row>, StoreError>> + Send;

    /// The rows of a query about the issuer `$1` with these names, in place of `[names]`.
    fn rows_of_names(
        database: &Database<Self>,
        sql: &'static str,
        issuer: IssuerId,
        names: &[&[u8]],
    ) -> impl Future<Output = Result<Vec<Self::Row>, StoreError>> + Send;

    /// The condition that the consent `c` has not ended.
    const CONSENT_LIVES: &str;

    /// Stores rows of another store whose keys are new, at once, and returns their number.
    fn put_rows(
        database: &Database<Self>,
        issuer: IssuerId,
        table: StoredTable,
        rows: Vec<StoredRow>,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// The rows of a query with these keys, in a read-only replica that has all changes up to the last
    /// half second. `None` if there is none, or if it has no answer.
    fn rows_of_replica(
        database: &Database<Self>,
        sql: &'static str,
        keys: &[i64],
    ) -> impl Future<Output = Option<Vec<Self::Row>>> + Send {
        let _ = (database, sql, keys);
        std::future::ready(None)
    }

    /// A cache gets the changes up to this position, so no replica may be behind it.
    fn tell_up_to(database: &Database<Self>, position: i64) {
        let _ = (database, position);
    }

    /// Removes a few expired rows while others go on, after a number of writes.
    fn sweep_beside(database: &Database<Self>, writes: usize);

    /// Removes expired rows of all tables, a bounded number; returns their number.
    fn sweep(
        database: &Database<Self>,
        now: Timestamp,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;
}
