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

/// With the row of [`FLOOR`], whose subject is null.
const SINCE: &str =
    "SELECT subject, last FROM quadrille_removed WHERE issuer = $1 AND subject IN [names]
    UNION ALL SELECT NULL, number FROM quadrille_newest";
const FLOOR: &str = "SELECT number FROM quadrille_newest";

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

/// A number above which that of a new grant must be. Requests that wait at the same time share a query.
pub(super) enum BeforeGrant {
    /// The number of the youngest client or revocation.
    Floor,
    /// The number since which a subject belongs to its user.
    Subject { issuer: IssuerId, subject: Box<str> },
}

impl<E: Dialect> Entry<E> for BeforeGrant {
    type Answer = RowId;
    const WRITES: bool = false;

    async fn run(
        database: &Database<E>,
        entries: &[&Self],
    ) -> Result<Vec<Turn<RowId>>, StoreError> {
        let mut subjects = BTreeMap::<_, BTreeSet<_>>::new();
        for entry in entries {
            if let Self::Subject { issuer, subject } = entry {
                subjects.entry(*issuer).or_default().insert(subject.as_bytes());
            }
        }
        let (mut floor, mut removed) = (None, HashMap::new());
        for (issuer, subjects) in subjects {
            let names: Vec<_> = subjects.into_iter().collect();
            for row in &E::rows_of_names(database, SINCE, issuer, &names).await? {
                let mut row = Reader::of(row, database.keys());
                match (row.optional_text()?.map(str::to_owned), RowId(row.number()?)) {
                    (Some(subject), last) => drop(removed.insert((issuer, subject), last)),
                    (None, newest) => floor = Some(newest),
                }
            }
        }
        if floor.is_none() {
            floor = database.one(FLOOR, Values::default(), |row| Ok(RowId(row.number()?))).await?;
        }
        let floor = floor.ok_or(StoreError::Corrupt("the newest number"))?;
        let answer = |entry: &&Self| match entry {
            Self::Floor => floor,
            Self::Subject { issuer, subject } => {
                removed.get(&(*issuer, String::from(&**subject))).copied().unwrap_or(RowId(0))
            }
        };
        Ok(entries.iter().map(|entry| Turn::Done(answer(entry))).collect())
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
