//! Clients that register themselves, and initial access tokens.

use std::sync::Arc;

use quadrille::{
    Timestamp,
    provider::store::{
        Admission, Admitted, InitialTokenRecord, IssuerId, Registrations, RowId, SWEEP_DELAY,
        SecretHash, StoreError, UnusedClient,
    },
};

use super::{
    clients::{add_client, remove_client},
    database::Database,
    dialect::Dialect,
    engine::{Engine, Write},
    fault::run,
    store::SqlStore,
    values::values,
};

const UNUSED: &str = "SELECT id, number, address, expires FROM quadrille_unused_clients
    WHERE issuer = $1 ORDER BY number";
const IS_UNUSED: &str = "SELECT 1 FROM quadrille_unused_clients WHERE issuer = $1 AND id = $2
    AND number = $3 AND address IS NOT DISTINCT FROM $4 AND expires = $5 FOR UPDATE";
const EXPIRED: &str =
    "SELECT issuer, id FROM quadrille_unused_clients WHERE expires < $1 LIMIT 1000";
const HAS_EXPIRED: &str = "SELECT 1 FROM quadrille_unused_clients
    WHERE issuer = $1 AND id = $2 AND expires < $3 FOR UPDATE";
const IS_TAKEN: &str =
    "SELECT 1 FROM quadrille_clients WHERE issuer = $1 AND id = $2 AND record <> ''";
const TAKE: &str = "UPDATE quadrille_initial_tokens SET uses = uses - 1
    WHERE issuer = $1 AND hash = $2 AND uses > 0";
const FORGET: &str =
    "DELETE FROM quadrille_initial_tokens WHERE issuer = $1 AND hash = $2 AND uses = 0";
static PUT: Write = Write {
    then: &["UPDATE quadrille_newest SET number = $7 WHERE number < $7"],
    ..Write::of(
        "INSERT INTO quadrille_initial_tokens (\"row\", issuer, hash, name, uses, expires)
        VALUES ($1, $2, $3, $4, $5, $6)",
    )
};

macro_rules! find {
    ($where:literal) => {
        concat!(
            "SELECT \"row\", hash, name, uses, expires FROM quadrille_initial_tokens
            WHERE issuer = $1",
            $where
        )
    };
}

const FIND: &str = find!(" AND hash = $2");
const LIST: &str = find!("");
const REMOVE: &str = "DELETE FROM quadrille_initial_tokens WHERE \"row\" = $1 AND issuer = $2";

impl<E: Dialect> Registrations for SqlStore<E> {
    async fn unused_clients(&self, issuer: IssuerId) -> Result<Vec<UnusedClient>, StoreError> {
        let key = values![issuer.0];
        self.run(|db| async move { db.all(UNUSED, key, |row| row.unused_client()).await }).await
    }

    async fn admit(&self, issuer: IssuerId, admission: Admission) -> Result<Admitted, StoreError> {
        self.run(|db| async move { run(|| admit(&db, issuer, &admission)).await }).await
    }

    async fn put_initial_token(
        &self,
        issuer: IssuerId,
        token: InitialTokenRecord,
    ) -> Result<(), StoreError> {
        self.write(|db| async move {
            let values = values![
                db.key(token.row),
                issuer.0,
                &token.hash,
                token.name.as_bytes(),
                i64::from(token.uses),
                token.expires.seconds(),
                token.row.0
            ];
            db.write(&PUT, values).await.map(drop)
        })
        .await
    }

    async fn initial_token(
        &self,
        issuer: IssuerId,
        hash: &SecretHash,
    ) -> Result<Option<InitialTokenRecord>, StoreError> {
        let key = values![issuer.0, hash];
        self.run(|db| async move { db.one(FIND, key, |row| row.initial_token()).await }).await
    }

    async fn initial_tokens(
        &self,
        issuer: IssuerId,
    ) -> Result<Vec<InitialTokenRecord>, StoreError> {
        self.run(|db| async move {
            let mut found = db.all(LIST, values![issuer.0], |row| row.initial_token()).await?;
            found.sort_unstable_by_key(|token| token.row);
            Ok(found)
        })
        .await
    }

    async fn remove_initial_token(&self, issuer: IssuerId, row: RowId) -> Result<bool, StoreError> {
        self.run(|db| async move { Ok(db.run(REMOVE, values![db.key(row), issuer.0]).await? > 0) })
            .await
    }
}

async fn admit<E: Engine>(
    database: &Database<E>,
    issuer: IssuerId,
    admission: &Admission,
) -> Result<Admitted, StoreError> {
    let Admission { client, token, instead_of, .. } = admission;
    let mut steps = database.begin().await?;
    if steps.finds(IS_TAKEN, values![issuer.0, client.id.as_bytes()]).await? {
        return Ok(Admitted::IdTaken);
    }
    if let Some(hash) = token {
        if steps.run(TAKE, values![issuer.0, hash]).await? == 0 {
            return Ok(Admitted::TokenSpent);
        }
        steps.run(FORGET, values![issuer.0, hash]).await?;
    }
    for other in instead_of {
        let from = other.from.map(|from| from.to_string());
        let (number, until) = (other.number.0, other.until.seconds());
        let unused = values![issuer.0, other.id.as_bytes(), number, from, until];
        if steps.finds(IS_UNUSED, unused).await? {
            remove_client(&mut steps, issuer, &other.id).await?;
        }
    }
    if !add_client(&mut steps, issuer, client).await? {
        return Ok(Admitted::IdTaken);
    }
    steps.commit().await?;
    Ok(Admitted::Registered)
}

/// Removes clients that were not used in time.
pub(super) async fn sweep_unused<E: Engine>(
    database: &Database<E>,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let (mut gone, until) = (0, (now - SWEEP_DELAY).seconds());
    let expired = database.all(EXPIRED, values![until], |row| {
        Ok((IssuerId(row.number()?), Arc::<str>::from(row.text()?)))
    });
    for (issuer, id) in expired.await? {
        let removed = run(|| async {
            let mut steps = database.begin().await?;
            let expired = values![issuer.0, id.as_bytes(), until];
            let removed = steps.finds(HAS_EXPIRED, expired).await?
                && remove_client(&mut steps, issuer, &id).await?;
            steps.commit().await?;
            Ok(removed)
        });
        gone += u64::from(removed.await?);
    }
    Ok(gone)
}
