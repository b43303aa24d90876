//! Revocation of a grant, and of all grants of a user.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use quadrille::{
    Timestamp,
    provider::store::{Change, IssuerId, RevokeAll, RowId, StoreError, user_column},
};

use super::{
    batches::{Entry, Turn},
    database::Database,
    dialect::Dialect,
    engine::{Engine, Write},
    reader::Reader,
    values::{Value, Values, values},
};

static REVOKE_GRANT: Write = Write {
    first: "INSERT INTO quadrille_revoked (\"row\", issuer, expires) VALUES ($2, $1, $3)
        ON CONFLICT DO NOTHING",
    in_turn: &[],
    then: &["DELETE FROM quadrille_token_credentials
        WHERE \"row\" = $2 AND issuer = $1 AND EXISTS (SELECT 1 FROM done)"],
    tells: Some(4),
    lives: None,
};

/// The client `$4` is empty for all clients; `$7` is true for a user who was removed.
pub(super) static REVOKE_ALL: Write = Write {
    first: "INSERT INTO quadrille_cut (issuer, actor, client, last, epoch)
        VALUES ($1, $3, $4, $5, 1) ON CONFLICT (issuer, actor, client) DO UPDATE
        SET last = greatest(quadrille_cut.last, excluded.last), epoch = quadrille_cut.epoch + 1",
    in_turn: &[],
    then: &[
        "DELETE FROM quadrille_consents
            WHERE issuer = $1 AND subject = $2 AND $4 IN ('', client)",
        "DELETE FROM quadrille_token_credentials
            WHERE issuer = $1 AND actor = $3 AND $4 IN ('', client) AND grant_id <= $5",
        "INSERT INTO quadrille_removed (issuer, subject, last) SELECT $1, $2, $5 FROM done WHERE $7
            ON CONFLICT (issuer, subject) DO UPDATE
            SET last = greatest(quadrille_removed.last, excluded.last)",
        "UPDATE quadrille_newest SET number = $5 WHERE number < $5",
    ],
    tells: Some(6),
    lives: None,
};

const SINCE: &str =
    "SELECT subject, last FROM quadrille_removed WHERE issuer = $1 AND subject IN [names]";

pub(super) async fn revoke_grant<E: Engine>(
    database: &Database<E>,
    issuer: IssuerId,
    grant: RowId,
    until: Timestamp,
) -> Result<bool, StoreError> {
    let change = change_column(&Change::Grant(grant))?;
    let values = values![issuer.0, database.key(grant), until.seconds(), change];
    database.write(&REVOKE_GRANT, values).await
}

pub(super) async fn revoke_all<E: Engine>(
    database: &Database<E>,
    issuer: IssuerId,
    what: &RevokeAll,
    last: RowId,
) -> Result<(), StoreError> {
    database.write(&REVOKE_ALL, all_values(issuer, what, last)?).await.map(drop)
}

/// A subject whose user is looked for: requests that wait at the same time share a query.
pub(super) struct SubjectSince {
    pub(super) issuer: IssuerId,
    pub(super) subject: Box<str>,
}

impl<E: Dialect> Entry<E> for SubjectSince {
    type Answer = RowId;
    const WRITES: bool = false;

    async fn run(
        database: &Database<E>,
        entries: &[&Self],
    ) -> Result<Vec<Turn<RowId>>, StoreError> {
        let mut subjects = BTreeMap::<_, BTreeSet<_>>::new();
        for entry in entries {
            subjects.entry(entry.issuer).or_default().insert(entry.subject.as_bytes());
        }
        let mut removed = HashMap::new();
        for (issuer, subjects) in subjects {
            let names: Vec<_> = subjects.into_iter().collect();
            for row in &E::rows_of_names(database, SINCE, issuer, &names).await? {
                let mut row = Reader::of(row, database.keys());
                removed.insert((issuer, row.text()?.to_owned()), RowId(row.number()?));
            }
        }
        let since = |entry: &&Self| removed.get(&(entry.issuer, String::from(&*entry.subject)));
        let answer = |entry| Turn::Done(since(entry).copied().unwrap_or(RowId(0)));
        Ok(entries.iter().map(answer).collect())
    }
}

/// The values of [`REVOKE_ALL`].
pub(super) fn all_values(
    issuer: IssuerId,
    what: &RevokeAll,
    last: RowId,
) -> Result<Values, StoreError> {
    let (subject, client) = (what.subject(), what.client().map_or("", |client| &**client));
    let change = change_column(&Change::Subject(Arc::clone(subject)))?;
    Ok(values![
        issuer.0,
        Value::key(subject),
        Value::actor(user_column(subject)),
        Value::key(client),
        last.0,
        change,
        matches!(what, RevokeAll::Removed(_))
    ])
}

/// A change in JSON.
pub(super) fn change_column(change: &Change) -> Result<String, StoreError> {
    serde_json::to_string(change).map_err(|_| StoreError::Corrupt("a change"))
}
