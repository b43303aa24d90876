//! Codes and tokens: issued, redeemed, rotated, by batches.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use quadrille::{
    Env, Timestamp,
    provider::store::{
        AccessRecord, Issue, IssuerId, Redeemed, Rotated, Rotation, RowId, StoreError,
    },
};

use super::{
    batches::{Entry, Turn},
    columns::{access_columns, access_values, alive, family_columns},
    database::Database,
    dialect::{Buys, Dialect, Turning},
    engine::{Engine, Write},
    reader::Reader,
};

/// The values are those of `access_values`.
static IMPORT: Write = Write {
    then: &["INSERT INTO quadrille_foreign_tokens (issuer, hash, \"row\", expires)
        SELECT $1, $9, $2, $10 FROM done ON CONFLICT (hash, issuer) DO UPDATE
        SET \"row\" = excluded.\"row\", expires = excluded.expires"],
    ..Write::of(concat!(
        "INSERT INTO quadrille_access_tokens (issuer, ",
        access_columns!(),
        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
    ))
};

const CODES: &str = concat!(
    "SELECT t.\"row\", t.issuer, t.redeemed, t.grant_id, ",
    alive!(),
    " FROM quadrille_codes t WHERE t.\"row\" IN [keys]"
);

const FAMILIES: &str = concat!(
    "SELECT t.\"row\", t.issuer, ",
    family_columns!(),
    " FROM quadrille_families t WHERE t.\"row\" IN [keys] AND ",
    alive!()
);

/// Imports a foreign access token.
pub(super) async fn import<E: Engine>(
    database: &Database<E>,
    issuer: IssuerId,
    access: &AccessRecord,
) -> Result<(), StoreError> {
    database.write(&IMPORT, access_values(database, issuer, access)?).await.map(drop)
}

/// Tokens to issue.
pub(super) struct Issuing {
    pub(super) issuer: IssuerId,
    pub(super) issue: Issue,
}

impl<E: Dialect> Entry<E> for Issuing {
    type Answer = bool;

    async fn run(database: &Database<E>, entries: &[&Self]) -> Result<Vec<Turn<bool>>, StoreError> {
        let issues: Vec<_> = entries.iter().map(|entry| (entry.issuer, &entry.issue)).collect();
        Ok(E::issue(database, &issues).await?.into_iter().map(Turn::Done).collect())
    }
}

/// A code to redeem.
pub(super) struct Redeeming {
    pub(super) issuer: IssuerId,
    pub(super) code: RowId,
    pub(super) issue: Issue,
}

impl<E: Dialect> Entry<E> for Redeeming {
    type Answer = Redeemed;

    async fn run(
        database: &Database<E>,
        entries: &[&Self],
    ) -> Result<Vec<Turn<Redeemed>>, StoreError> {
        let key = |entry: &Self| (database.key(entry.code), entry.issuer.0);
        let firsts = firsts(entries, key);
        let redeemed: Vec<_> =
            firsts.iter().map(|entry| (entry.issuer, entry.code, &entry.issue)).collect();
        let won = winners(&firsts, &E::redeem(database, Buys::Code, &redeemed).await?, key);
        Ok(turns(database, entries, &won, Redeemed::Issued, (CODES, key), |_, found| {
            let Some(row) = found else { return Ok(Some(Redeemed::Unknown)) };
            Ok(match (row.flag()?, row.number()?, row.flag()?) {
                (true, grant, _) => Some(Redeemed::Replayed(RowId(grant))),
                (false, _, false) => Some(Redeemed::Revoked),
                (false, _, true) => None,
            })
        })
        .await)
    }
}

/// A refresh token to rotate.
pub(super) struct Rotating {
    issuer: IssuerId,
    rotation: Rotation,
    until: Timestamp,
}

impl Rotating {
    /// A rotation that may be carried out within `limit` from now.
    pub(super) fn within(limit: Duration, issuer: IssuerId, rotation: Rotation) -> Self {
        Self { issuer, rotation, until: Env::system().steady() + limit }
    }

    fn turning(&self) -> Turning<'_> {
        Turning { issuer: self.issuer, rotation: &self.rotation, until: self.until }
    }
}

impl<E: Dialect> Entry<E> for Rotating {
    type Answer = Rotated;

    async fn run(
        database: &Database<E>,
        entries: &[&Self],
    ) -> Result<Vec<Turn<Rotated>>, StoreError> {
        let key = |entry: &Self| (database.key(entry.rotation.family), entry.issuer.0);
        let firsts = firsts(entries, key);
        let rotations: Vec<_> = firsts.iter().map(|entry| entry.turning()).collect();
        let won = winners(&firsts, &E::rotate(database, &rotations).await?, key);
        Ok(turns(database, entries, &won, Rotated::Issued, (FAMILIES, key), |entry, found| {
            let Some(row) = found else { return Ok(Some(Rotated::Gone)) };
            let (family, rotation) = (row.family()?, &entry.rotation);
            let is_unchanged =
                family.generation == rotation.generation && family.current == rotation.presented;
            Ok((!is_unchanged).then(|| Rotated::Lost(Arc::new(family))))
        })
        .await)
    }
}

/// A row, and its issuer.
type Key = (i64, i64);

/// The first entry of each key: a statement changes a row once.
fn firsts<'e, T>(entries: &[&'e T], key: impl Fn(&T) -> Key) -> Vec<&'e T> {
    let mut seen = HashSet::new();
    entries.iter().filter(|entry| seen.insert(key(entry))).copied().collect()
}

/// The keys whose first entries won.
fn winners<T>(firsts: &[&T], won: &[bool], key: impl Fn(&T) -> Key) -> HashSet<Key> {
    firsts.iter().zip(won).filter(|(_, won)| **won).map(|(entry, _)| key(entry)).collect()
}

/// The turns of entries, after the first one of each key took part in a write. Those that did not win
/// are answered by what the query finds of their rows: row and issuer come first, then the columns
/// of `read`, which returns `None` if the entry could win now.
async fn turns<E: Dialect, T, A: Clone>(
    database: &Database<E>,
    entries: &[&T],
    won: &HashSet<Key>,
    winner: A,
    (state, key): (&'static str, impl Fn(&T) -> Key),
    read: impl Fn(&T, Option<&mut Reader<'_, E::Row>>) -> Result<Option<A>, StoreError>,
) -> Vec<Turn<A>> {
    let mut seen = HashSet::new();
    let firsts: Vec<_> = entries.iter().map(|entry| seen.insert(key(entry))).collect();
    let has_won = |entry: &T, is_first: bool| is_first && won.contains(&key(entry));
    let losers = entries.iter().zip(&firsts).filter(|(entry, first)| !has_won(entry, **first));
    let mut keys: Vec<_> = losers.map(|(entry, _)| key(entry).0).collect();
    keys.sort_unstable();
    keys.dedup();
    let found = match keys.is_empty() {
        true => Ok(Vec::new()),
        false => E::rows_of_keys(database, state, &keys).await,
    };
    let of_key = |row| {
        let mut reader = Reader::of(row, database.keys());
        Ok(((reader.number()?, reader.number()?), reader))
    };
    let found = found
        .as_ref()
        .map_err(StoreError::clone)
        .and_then(|rows| rows.iter().map(of_key).collect::<Result<HashMap<Key, _>, StoreError>>());
    let turn = |(entry, &is_first): (&&T, &bool)| {
        if has_won(entry, is_first) {
            return Turn::Done(winner.clone());
        }
        let answer = match &found {
            Ok(found) => read(entry, found.get(&key(entry)).cloned().as_mut()),
            Err(error) => Err(error.clone()),
        };
        match answer {
            Ok(Some(answer)) => Turn::Done(answer),
            Ok(None) if is_first => Turn::Failed(StoreError::Busy),
            Ok(None) => Turn::Again,
            Err(error) => Turn::Failed(error),
        }
    };
    entries.iter().zip(&firsts).map(turn).collect()
}
