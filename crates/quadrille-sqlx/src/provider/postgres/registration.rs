//! Clients that register themselves, and initial access tokens.

use std::sync::Arc;

use quadrille::{
    Timestamp,
    provider::store::{
        Admission, Admitted, InitialTokenRecord, IssuerId, Registrations, RowId, SecretHash,
        StoreError, UnusedClient,
    },
};

use super::{
    super::fault::run,
    clients::{add_client, remove_client},
    database::{Database, values},
    rows::Reader,
    store::PgStore,
    sweep,
};

const UNUSED: &str = "SELECT id, number, address, expires FROM quadrille_unused_clients
    WHERE issuer = $1 ORDER BY number";
const IS_UNUSED: &str = "SELECT 1 FROM quadrille_unused_clients WHERE issuer = $1 AND id = $2
    AND number = $3 AND address IS NOT DISTINCT FROM $4 AND expires = $5 FOR UPDATE";
const EXPIRED: &str = "SELECT issuer, id, number FROM quadrille_unused_clients
    WHERE expires < $1 LIMIT 1000";
const HAS_EXPIRED: &str = "SELECT 1 FROM quadrille_unused_clients
    WHERE issuer = $1 AND id = $2 AND expires < $3 FOR UPDATE";
const IS_TAKEN: &str =
    "SELECT 1 FROM quadrille_clients WHERE issuer = $1 AND id = $2 AND record <> ''";
const TAKE: &str = "UPDATE quadrille_initial_tokens SET uses = uses - 1
    WHERE issuer = $1 AND hash = $2 AND uses > 0 RETURNING 1";
const FORGET: &str = "DELETE FROM quadrille_initial_tokens
    WHERE issuer = $1 AND hash = $2 AND uses = 0";
const PUT: &str = "WITH newest AS (UPDATE quadrille_newest SET number = $7 WHERE number < $7)
    INSERT INTO quadrille_initial_tokens (\"row\", issuer, hash, name, uses, expires)
    VALUES ($1, $2, $3, $4, $5, $6)";
const FIND: &str = "SELECT \"row\", hash, name, uses, expires FROM quadrille_initial_tokens
    WHERE issuer = $1 AND ($2::bytea IS NULL OR hash = $2)";
const REMOVE: &str = "DELETE FROM quadrille_initial_tokens WHERE \"row\" = $1 AND issuer = $2
    RETURNING 1";

impl Registrations for PgStore {
    async fn unused_clients(&self, issuer: IssuerId) -> Result<Vec<UnusedClient>, StoreError> {
        let database = self.database.clone();
        self.database
            .spawn(async move {
                database.all(UNUSED, values![issuer.0], |row| row.unused_client()).await
            })
            .await
    }

    async fn admit(&self, issuer: IssuerId, admission: Admission) -> Result<Admitted, StoreError> {
        let database = self.database.clone();
        self.database.spawn(async move { run(|| admit(&database, issuer, &admission)).await }).await
    }

    async fn put_initial_token(
        &self,
        issuer: IssuerId,
        token: InitialTokenRecord,
    ) -> Result<(), StoreError> {
        let database = self.database.clone();
        self.database
            .spawn(async move {
                let values = values![
                    database.key(token.row),
                    issuer.0,
                    &token.hash[..],
                    token.name.as_bytes(),
                    i64::from(token.uses),
                    token.expires.seconds(),
                    token.row.0
                ];
                database.rows(PUT, values).await?;
                sweep::beside(&database, 1);
                Ok(())
            })
            .await
    }

    async fn initial_token(
        &self,
        issuer: IssuerId,
        hash: &SecretHash,
    ) -> Result<Option<InitialTokenRecord>, StoreError> {
        let (database, hash) = (self.database.clone(), *hash);
        self.database
            .spawn(async move {
                let key = values![issuer.0, Some(&hash[..])];
                database.one(FIND, key, |row| row.initial_token()).await
            })
            .await
    }

    async fn initial_tokens(
        &self,
        issuer: IssuerId,
    ) -> Result<Vec<InitialTokenRecord>, StoreError> {
        let database = self.database.clone();
        self.database
            .spawn(async move {
                let key = values![issuer.0, None::<&[u8]>];
                let mut found = database.all(FIND, key, |row| row.initial_token()).await?;
                found.sort_unstable_by_key(|token| token.row);
                Ok(found)
            })
            .await
    }

    async fn remove_initial_token(&self, issuer: IssuerId, row: RowId) -> Result<bool, StoreError> {
        let database = self.database.clone();
        self.database
            .spawn(async move { database.did(REMOVE, values![database.key(row), issuer.0]).await })
            .await
    }
}

async fn admit(
    database: &Database,
    issuer: IssuerId,
    admission: &Admission,
) -> Result<Admitted, StoreError> {
    let Admission { client, token, instead_of, .. } = admission;
    let mut steps = database.begin().await?;
    if steps.did(IS_TAKEN, values![issuer.0, client.id.as_bytes()]).await? {
        return Ok(Admitted::IdTaken);
    }
    if let Some(hash) = token {
        if !steps.did(TAKE, values![issuer.0, &hash[..]]).await? {
            return Ok(Admitted::TokenSpent);
        }
        steps.rows(FORGET, values![issuer.0, &hash[..]]).await?;
    }
    for other in instead_of {
        let from = other.from.map(|from| from.to_string());
        let (number, until) = (other.number.0, other.until.seconds());
        let unused = values![issuer.0, other.id.as_bytes(), number, from, until];
        if steps.did(IS_UNUSED, unused).await? {
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
pub(super) async fn sweep_unused(database: &Database, now: Timestamp) -> Result<u64, StoreError> {
    let read = |row: &mut Reader<'_>| Ok((IssuerId(row.number()?), Arc::<str>::from(row.text()?)));
    let mut gone = 0;
    for (issuer, id) in database.all(EXPIRED, values![now.seconds()], read).await? {
        let removed = run(|| async {
            let mut steps = database.begin().await?;
            let expired = values![issuer.0, id.as_bytes(), now.seconds()];
            let removed = steps.did(HAS_EXPIRED, expired).await?
                && remove_client(&mut steps, issuer, &id).await?;
            steps.commit().await?;
            Ok(removed)
        });
        gone += u64::from(removed.await?);
    }
    Ok(gone)
}
