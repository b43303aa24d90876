//! Clients, and the rows that depend on them.

use std::sync::Arc;

use quadrille::provider::{
    Client,
    store::{Change, Clients, IssuerId, RowId, StoreError, UnusedClient},
};

use super::{
    super::fault::run,
    database::{Database, Steps, key, values},
    revoking::{remember_newest, tell},
    store::MySqlStore,
};

const FIND: &str =
    "SELECT record FROM quadrille_clients WHERE issuer = ? AND id = ? AND record <> ''";
const LIST: &str =
    "SELECT record FROM quadrille_clients WHERE issuer = ? AND record <> '' ORDER BY id";
const NUMBER: &str = "SELECT number FROM quadrille_clients WHERE issuer = ? AND id = ?";

const LOCK: &str = "SELECT number, record FROM quadrille_clients
    WHERE issuer = ? AND id = ? FOR UPDATE";
const ADD: &str = "INSERT INTO quadrille_clients (issuer, id, number, record) VALUES (?, ?, ?, ?)";
const REPLACE: &str =
    "UPDATE quadrille_clients SET number = ?, record = ? WHERE issuer = ? AND id = ?";
const REMOVE: &str = "DELETE FROM quadrille_clients WHERE issuer = ? AND id = ?";
const NOTE_UNUSED: &str = "INSERT INTO quadrille_unused_clients
    (issuer, id, number, address, expires) VALUES (?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE
    number = VALUES(number), address = VALUES(address), expires = VALUES(expires)";
const FORGET_UNUSED: &str = "DELETE FROM quadrille_unused_clients WHERE issuer = ? AND id = ?";
const CONSENTS: &str =
    "DELETE FROM quadrille_consents WHERE issuer = ? AND client = ? AND number <> ?";
const CREDENTIALS: &str = "DELETE FROM quadrille_token_credentials
    WHERE issuer = ? AND client = ? AND grant_id < ?";

/// No client has this number.
const NONE: i64 = -2;

impl Clients for MySqlStore {
    async fn client(&self, issuer: IssuerId, id: &str) -> Result<Option<Arc<Client>>, StoreError> {
        let (database, id) = (self.database.clone(), id.to_owned());
        self.database
            .spawn(async move {
                let key = values![issuer.0, id.as_bytes()];
                database.one(FIND, key, |row| row.client()).await
            })
            .await
    }

    async fn clients(&self, issuer: IssuerId) -> Result<Vec<Arc<Client>>, StoreError> {
        let database = self.database.clone();
        self.database
            .spawn(async move { database.all(LIST, values![issuer.0], |row| row.client()).await })
            .await
    }

    async fn put_client(
        &self,
        issuer: IssuerId,
        client: Client,
        before: Option<Arc<Client>>,
    ) -> Result<bool, StoreError> {
        let database = self.database.clone();
        self.database
            .spawn(async move {
                run(|| async {
                    let mut steps = database.begin().await?;
                    let put = put(&mut steps, issuer, &client, before.as_deref()).await?;
                    steps.commit().await?;
                    Ok(put)
                })
                .await
            })
            .await
    }

    async fn add_clients(
        &self,
        issuer: IssuerId,
        clients: Vec<Client>,
    ) -> Result<Option<Arc<str>>, StoreError> {
        let database = self.database.clone();
        self.database
            .spawn(async move {
                run(|| async {
                    let mut steps = database.begin().await?;
                    for client in &clients {
                        if !put(&mut steps, issuer, client, None).await? {
                            return Ok(Some(Arc::clone(&client.id)));
                        }
                    }
                    steps.commit().await?;
                    Ok(None)
                })
                .await
            })
            .await
    }

    async fn remove_client(&self, issuer: IssuerId, id: &str) -> Result<bool, StoreError> {
        let (database, id) = (self.database.clone(), Arc::from(id));
        self.database
            .spawn(async move {
                run(|| async {
                    let mut steps = database.begin().await?;
                    let removed = remove(&mut steps, issuer, &id).await?;
                    steps.commit().await?;
                    Ok(removed)
                })
                .await
            })
            .await
    }
}

pub(super) async fn known_client(
    database: &Database,
    issuer: IssuerId,
    id: &str,
) -> Result<Option<RowId>, StoreError> {
    let key = values![issuer.0, id.as_bytes()];
    database.one(NUMBER, key, |row| Ok(RowId(row.number()?))).await
}

pub(super) async fn know_client(
    database: &Database,
    issuer: IssuerId,
    id: &Arc<str>,
    number: Option<RowId>,
) -> Result<bool, StoreError> {
    run(|| async {
        let mut steps = database.begin().await?;
        let held = lock(&mut steps, issuer, id).await?;
        if held.as_ref().is_some_and(|(_, client)| client.is_some()) {
            return Ok(false);
        }
        if held.as_ref().map(|(number, _)| *number) == number {
            return Ok(true);
        }
        match number {
            Some(number) => {
                write(&mut steps, issuer, id, number, b"", held.is_some()).await?;
                remember_newest(&mut steps, number).await?;
            }
            None => steps.run(REMOVE, values![issuer.0, key(id)?]).await.map(drop)?,
        }
        forget(&mut steps, issuer, id, number).await?;
        steps.commit().await?;
        Ok(true)
    })
    .await
}

/// Stores a client in the place of `before`. `false` if another one is held.
pub(super) async fn put(
    steps: &mut Steps<'_>,
    issuer: IssuerId,
    client: &Client,
    before: Option<&Client>,
) -> Result<bool, StoreError> {
    let record = serde_json::to_vec(client).map_err(|_| StoreError::Corrupt("a client"))?;
    let held = lock(steps, issuer, &client.id).await?;
    if held.as_ref().and_then(|(_, client)| client.as_deref()) != before {
        return Ok(false);
    }
    write(steps, issuer, &client.id, client.number, &record, held.is_some()).await?;
    match UnusedClient::of(client) {
        Some(unused) => {
            let from = unused.from.map(|from| from.to_string());
            let (number, until) = (unused.number.0, unused.until.seconds());
            let noted = values![issuer.0, key(&unused.id)?, number, from, until];
            steps.run(NOTE_UNUSED, noted).await?;
        }
        None => steps.run(FORGET_UNUSED, values![issuer.0, key(&client.id)?]).await.map(drop)?,
    }
    remember_newest(steps, client.number).await?;
    forget(steps, issuer, &client.id, Some(client.number)).await?;
    Ok(true)
}

/// Removes a client that is kept here.
pub(super) async fn remove(
    steps: &mut Steps<'_>,
    issuer: IssuerId,
    id: &Arc<str>,
) -> Result<bool, StoreError> {
    if !matches!(lock(steps, issuer, id).await?, Some((_, Some(_)))) {
        return Ok(false);
    }
    steps.run(REMOVE, values![issuer.0, key(id)?]).await?;
    steps.run(FORGET_UNUSED, values![issuer.0, key(id)?]).await?;
    forget(steps, issuer, id, None).await?;
    Ok(true)
}

/// The row of a client, locked: its number, and the client unless it is kept elsewhere.
async fn lock(
    steps: &mut Steps<'_>,
    issuer: IssuerId,
    id: &str,
) -> Result<Option<(RowId, Option<Arc<Client>>)>, StoreError> {
    steps
        .one(LOCK, values![issuer.0, id.as_bytes()], |row| {
            let number = RowId(row.number()?);
            Ok((number, if row.is_empty()? { None } else { Some(row.client()?) }))
        })
        .await
}

/// Writes the row of a client.
async fn write(
    steps: &mut Steps<'_>,
    issuer: IssuerId,
    id: &str,
    number: RowId,
    record: &[u8],
    is_held: bool,
) -> Result<(), StoreError> {
    let id = key(id)?;
    if is_held {
        steps.run(REPLACE, values![number.0, record, issuer.0, id]).await?;
    } else if !steps.insert(ADD, values![issuer.0, id, number.0, record]).await? {
        // Another process has inserted it meanwhile.
        return Err(StoreError::Busy);
    }
    Ok(())
}

/// Removes what belongs to the client under other numbers than this one, and tells the change.
async fn forget(
    steps: &mut Steps<'_>,
    issuer: IssuerId,
    id: &Arc<str>,
    number: Option<RowId>,
) -> Result<(), StoreError> {
    let kept = number.map_or(NONE, |number| number.0);
    steps.run(CONSENTS, values![issuer.0, key(id)?, kept]).await?;
    let below = number.unwrap_or(RowId::MAX);
    steps.run(CREDENTIALS, values![issuer.0, key(id)?, below.0]).await?;
    tell(steps, issuer, &Change::Client(Arc::clone(id))).await
}
