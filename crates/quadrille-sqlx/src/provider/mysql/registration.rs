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
    clients::{put, remove},
    database::{Database, key, values},
    revoking::remember_newest,
    rows::Reader,
    store::MySqlStore,
    sweep,
};

const UNUSED: &str = "SELECT id, number, address, expires FROM quadrille_unused_clients
    WHERE issuer = ? ORDER BY number";
const IS_UNUSED: &str = "SELECT 1 FROM quadrille_unused_clients WHERE issuer = ? AND id = ?
    AND number = ? AND address <=> ? AND expires = ? FOR UPDATE";
const EXPIRED: &str =
    "SELECT issuer, id FROM quadrille_unused_clients WHERE expires < ? LIMIT 1000";
const HAS_EXPIRED: &str = "SELECT 1 FROM quadrille_unused_clients
    WHERE issuer = ? AND id = ? AND expires < ? FOR UPDATE";
const IS_TAKEN: &str =
    "SELECT 1 FROM quadrille_clients WHERE issuer = ? AND id = ? AND record <> ''";
const TAKE: &str = "UPDATE quadrille_initial_tokens SET uses = uses - 1
    WHERE issuer = ? AND hash = ? AND uses > 0";
const FORGET: &str =
    "DELETE FROM quadrille_initial_tokens WHERE issuer = ? AND hash = ? AND uses = 0";
const PUT: &str = "INSERT INTO quadrille_initial_tokens (`row`, issuer, hash, name, uses, expires)
    VALUES (?, ?, ?, ?, ?, ?)";
const FIND: &str = "SELECT `row`, hash, name, uses, expires FROM quadrille_initial_tokens
    WHERE issuer = ? AND hash = ?";
const LIST: &str = "SELECT `row`, hash, name, uses, expires FROM quadrille_initial_tokens
    WHERE issuer = ? ORDER BY `row`";
const REMOVE: &str = "DELETE FROM quadrille_initial_tokens WHERE `row` = ? AND issuer = ?";

impl Registrations for MySqlStore {
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
                run(|| async {
                    let mut steps = database.begin().await?;
                    let values = values![
                        token.row.0,
                        issuer.0,
                        &token.hash[..],
                        token.name.as_bytes(),
                        i64::from(token.uses),
                        token.expires.seconds()
                    ];
                    steps.run(PUT, values).await?;
                    remember_newest(&mut steps, token.row).await?;
                    steps.commit().await
                })
                .await?;
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
                let key = values![issuer.0, &hash[..]];
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
                database.all(LIST, values![issuer.0], |row| row.initial_token()).await
            })
            .await
    }

    async fn remove_initial_token(&self, issuer: IssuerId, row: RowId) -> Result<bool, StoreError> {
        let database = self.database.clone();
        self.database
            .spawn(async move { Ok(database.run(REMOVE, values![row.0, issuer.0]).await? > 0) })
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
    let taken = values![issuer.0, client.id.as_bytes()];
    if steps.one(IS_TAKEN, taken, |_| Ok(())).await?.is_some() {
        return Ok(Admitted::IdTaken);
    }
    if let Some(hash) = token {
        if steps.run(TAKE, values![issuer.0, &hash[..]]).await? == 0 {
            return Ok(Admitted::TokenSpent);
        }
        steps.run(FORGET, values![issuer.0, &hash[..]]).await?;
    }
    for other in instead_of {
        let from = other.from.map(|from| from.to_string());
        let (number, until) = (other.number.0, other.until.seconds());
        let unused = values![issuer.0, key(&other.id)?, number, from, until];
        if steps.one(IS_UNUSED, unused, |_| Ok(())).await?.is_some() {
            remove(&mut steps, issuer, &other.id).await?;
        }
    }
    if !put(&mut steps, issuer, client, None).await? {
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
            let removed = steps.one(HAS_EXPIRED, expired, |_| Ok(())).await?.is_some()
                && remove(&mut steps, issuer, &id).await?;
            steps.commit().await?;
            Ok(removed)
        });
        gone += u64::from(removed.await?);
    }
    Ok(gone)
}
