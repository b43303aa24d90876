//! Clients, and the rows that depend on them.

use std::sync::Arc;

use quadrille::{
    Timestamp,
    provider::{
        Client,
        store::{Change, Clients, IssuerId, RowId, StoreError, UnusedClient},
    },
};

use super::{
    database::{Database, Steps},
    dialect::Dialect,
    engine::{Engine, Write},
    fault::run,
    revoking::change_column,
    store::SqlStore,
    values::{Value, Values, values},
};

/// What follows when client `$2` of issuer `$1` has got the number `$3`: `$5` is the change, `$6` and
/// `$7` are the address and the end of a client that must be used.
const AFTER_PUT: &[&str] = &[
    "INSERT INTO quadrille_unused_clients (issuer, id, number, address, expires)
        SELECT $1, $2, $3, $6, $7 FROM done WHERE $7 IS NOT NULL
        ON CONFLICT (issuer, id) DO UPDATE SET number = excluded.number,
        address = excluded.address, expires = excluded.expires",
    "DELETE FROM quadrille_unused_clients WHERE issuer = $1 AND id = $2
        AND $7 IS NULL AND EXISTS (SELECT 1 FROM done)",
    "DELETE FROM quadrille_consents WHERE issuer = $1 AND client = $2
        AND number <> $3 AND EXISTS (SELECT 1 FROM done)",
    "DELETE FROM quadrille_token_credentials WHERE issuer = $1
        AND client = $2 AND grant_id < $3 AND EXISTS (SELECT 1 FROM done)",
    "UPDATE quadrille_newest SET number = $3
        WHERE number < $3 AND EXISTS (SELECT 1 FROM done)",
];

/// The record is `$4`, empty for a client that is kept elsewhere.
static ADD: Write = Write {
    first: "INSERT INTO quadrille_clients (issuer, id, number, record)
        VALUES ($1, $2, $3, $4) ON CONFLICT (issuer, id) DO UPDATE
        SET number = excluded.number, record = excluded.record
        WHERE quadrille_clients.record = ''
        AND (excluded.record <> '' OR quadrille_clients.number <> excluded.number)",
    in_turn: &[
        // The lock that the last one needs: an insert that meets a row has one that it shares.
        "SELECT 1 FROM quadrille_clients WHERE issuer = $1 AND id = $2 FOR UPDATE",
        "INSERT INTO quadrille_clients (issuer, id, number, record)
            VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        "UPDATE quadrille_clients SET number = $3, record = $4 WHERE issuer = $1 AND id = $2
            AND record = '' AND ($4 <> '' OR number <> $3)",
    ],
    then: AFTER_PUT,
    tells: Some(5),
    lives: None,
};

/// The record before is `$8`.
static REPLACE: Write = Write {
    first: "UPDATE quadrille_clients SET number = $3, record = $4
        WHERE issuer = $1 AND id = $2 AND record = $8",
    in_turn: &[],
    then: AFTER_PUT,
    tells: Some(5),
    lives: None,
};

/// `$3` says whether the client is kept here; `$4` is the change.
static REMOVE: Write = Write {
    first: "DELETE FROM quadrille_clients WHERE issuer = $1 AND id = $2 AND (record <> '') = $3",
    in_turn: &[],
    then: &[
        "DELETE FROM quadrille_unused_clients
            WHERE issuer = $1 AND id = $2 AND EXISTS (SELECT 1 FROM done)",
        "DELETE FROM quadrille_consents
            WHERE issuer = $1 AND client = $2 AND EXISTS (SELECT 1 FROM done)",
        "DELETE FROM quadrille_token_credentials
            WHERE issuer = $1 AND client = $2 AND EXISTS (SELECT 1 FROM done)",
    ],
    tells: Some(4),
    lives: None,
};

const FIND: &str =
    "SELECT record FROM quadrille_clients WHERE issuer = $1 AND id = $2 AND record <> ''";
const LIST: &str =
    "SELECT record FROM quadrille_clients WHERE issuer = $1 AND record <> '' ORDER BY id";
const NUMBER: &str = "SELECT number FROM quadrille_clients WHERE issuer = $1 AND id = $2";

impl<E: Dialect> Clients for SqlStore<E> {
    async fn client(&self, issuer: IssuerId, id: &str) -> Result<Option<Arc<Client>>, StoreError> {
        let key = values![issuer.0, id.as_bytes()];
        self.run(|db| async move { db.one(FIND, key, |row| row.client()).await }).await
    }

    async fn clients(&self, issuer: IssuerId) -> Result<Vec<Arc<Client>>, StoreError> {
        self.run(|db| async move { db.all(LIST, values![issuer.0], |row| row.client()).await })
            .await
    }

    async fn put_client(
        &self,
        issuer: IssuerId,
        client: Client,
        before: Option<Arc<Client>>,
    ) -> Result<bool, StoreError> {
        let mut values = put_values(issuer, &client)?;
        self.run(|db| async move {
            let Some(before) = before else { return db.write(&ADD, values).await };
            // The text may be another one than ours for the same client, of an earlier version.
            let key = values![issuer.0, client.id.as_bytes()];
            let held = db.one(FIND, key, |row| {
                let text = row.text()?.to_owned();
                let client = serde_json::from_str::<Client>(&text);
                Ok((text, client.map_err(|_| StoreError::Corrupt("a client"))?))
            });
            let Some((text, _)) = held.await?.filter(|(_, held)| *held == *before) else {
                return Ok(false);
            };
            values.push(text);
            db.write(&REPLACE, values).await
        })
        .await
    }

    async fn add_clients(
        &self,
        issuer: IssuerId,
        clients: Vec<Client>,
    ) -> Result<Option<Arc<str>>, StoreError> {
        self.run(|db| async move {
            run(|| async {
                let mut steps = db.begin().await?;
                for client in &clients {
                    if !add_client(&mut steps, issuer, client).await? {
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
        let values = remove_values(issuer, &Arc::from(id), true)?;
        self.run(|db| async move { db.write(&REMOVE, values).await }).await
    }
}

pub(super) async fn known_client<E: Engine>(
    database: &Database<E>,
    issuer: IssuerId,
    id: &str,
) -> Result<Option<RowId>, StoreError> {
    let key = values![issuer.0, id.as_bytes()];
    database.one(NUMBER, key, |row| Ok(RowId(row.number()?))).await
}

pub(super) async fn know_client<E: Engine>(
    database: &Database<E>,
    issuer: IssuerId,
    id: &Arc<str>,
    number: Option<RowId>,
) -> Result<bool, StoreError> {
    let did = match number {
        Some(number) => {
            let record = (String::new(), None);
            database.write(&ADD, values_of(issuer, id, number, record)?).await?
        }
        None => database.write(&REMOVE, remove_values(issuer, id, false)?).await?,
    };
    let key = values![issuer.0, id.as_bytes()];
    Ok(did || database.one(FIND, key, |_| Ok(())).await?.is_none())
}

/// Stores a new client. `false` if its id is taken.
pub(super) async fn add_client<E: Engine>(
    steps: &mut Steps<E>,
    issuer: IssuerId,
    client: &Client,
) -> Result<bool, StoreError> {
    steps.write(&ADD, &put_values(issuer, client)?).await
}

/// Removes a client that is kept here.
pub(super) async fn remove_client<E: Engine>(
    steps: &mut Steps<E>,
    issuer: IssuerId,
    id: &Arc<str>,
) -> Result<bool, StoreError> {
    steps.write(&REMOVE, &remove_values(issuer, id, true)?).await
}

/// Removes a client, whether it is kept here or elsewhere.
pub(super) async fn forget_client<E: Engine>(
    steps: &mut Steps<E>,
    issuer: IssuerId,
    id: &Arc<str>,
) -> Result<bool, StoreError> {
    let was_here = remove_client(steps, issuer, id).await?;
    Ok(was_here || steps.write(&REMOVE, &remove_values(issuer, id, false)?).await?)
}

fn put_values(issuer: IssuerId, client: &Client) -> Result<Values, StoreError> {
    let record = serde_json::to_string(client).map_err(|_| StoreError::Corrupt("a client"))?;
    values_of(issuer, &client.id, client.number, (record, UnusedClient::of(client)))
}

/// The values of [`ADD`], and the first ones of [`REPLACE`].
fn values_of(
    issuer: IssuerId,
    id: &Arc<str>,
    number: RowId,
    (record, unused): (String, Option<UnusedClient>),
) -> Result<Values, StoreError> {
    let from = unused.as_ref().and_then(|unused| unused.from).map(|from| from.to_string());
    let until = unused.map(|unused| unused.until);
    let change = change_column(&Change::Client(Arc::clone(id)))?;
    let until = until.map(Timestamp::seconds);
    Ok(values![issuer.0, Value::key(id), number.0, record, change, from, until])
}

fn remove_values(
    issuer: IssuerId,
    id: &Arc<str>,
    is_kept_here: bool,
) -> Result<Values, StoreError> {
    let change = change_column(&Change::Client(Arc::clone(id)))?;
    Ok(values![issuer.0, id.as_bytes(), is_kept_here, change])
}
