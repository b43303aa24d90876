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
    super::fault::run,
    database::{Database, Steps, values},
    revoking::{change_column, tell},
    store::PgStore,
};

/// What follows when client `$2` of issuer `$1` has got the number `$3`: `$5` is the change, `$6` and
/// `$7` are the address and the end of a client that must be used.
macro_rules! after_put {
    () => {
        concat!(
            ", noted AS (INSERT INTO quadrille_unused_clients (issuer, id, number, address, expires)
                SELECT $1, $2, $3, $6, $7 FROM done WHERE $7 IS NOT NULL
                ON CONFLICT (issuer, id) DO UPDATE SET number = excluded.number,
                address = excluded.address, expires = excluded.expires),
            used AS (DELETE FROM quadrille_unused_clients WHERE issuer = $1 AND id = $2
                AND $7 IS NULL AND EXISTS (SELECT 1 FROM done)),
            consents AS (DELETE FROM quadrille_consents WHERE issuer = $1 AND client = $2
                AND number <> $3 AND EXISTS (SELECT 1 FROM done)),
            credentials AS (DELETE FROM quadrille_token_credentials WHERE issuer = $1
                AND client = $2 AND grant_id < $3 AND EXISTS (SELECT 1 FROM done)),
            newest AS (UPDATE quadrille_newest SET number = $3
                WHERE number < $3 AND EXISTS (SELECT 1 FROM done)), ",
            tell!("$1", "$5"),
            " SELECT 1 FROM done"
        )
    };
}

/// The record is `$4`, empty for a client that is kept elsewhere.
const ADD: &str = concat!(
    "WITH done AS (INSERT INTO quadrille_clients (issuer, id, number, record)
        VALUES ($1, $2, $3, $4) ON CONFLICT (issuer, id) DO UPDATE
        SET number = excluded.number, record = excluded.record
        WHERE quadrille_clients.record = ''
        AND (excluded.record <> '' OR quadrille_clients.number <> excluded.number)
        RETURNING 1)",
    after_put!()
);

/// The record before is `$8`.
const REPLACE: &str = concat!(
    "WITH done AS (UPDATE quadrille_clients SET number = $3, record = $4
        WHERE issuer = $1 AND id = $2 AND record = $8 RETURNING 1)",
    after_put!()
);

/// `$3` says whether the client is kept here; `$4` is the change.
const REMOVE: &str = concat!(
    "WITH done AS (DELETE FROM quadrille_clients
        WHERE issuer = $1 AND id = $2 AND (record <> '') = $3 RETURNING 1),
    noted AS (DELETE FROM quadrille_unused_clients
        WHERE issuer = $1 AND id = $2 AND EXISTS (SELECT 1 FROM done)),
    consents AS (DELETE FROM quadrille_consents
        WHERE issuer = $1 AND client = $2 AND EXISTS (SELECT 1 FROM done)),
    credentials AS (DELETE FROM quadrille_token_credentials
        WHERE issuer = $1 AND client = $2 AND EXISTS (SELECT 1 FROM done)), ",
    tell!("$1", "$4"),
    " SELECT 1 FROM done"
);

const FIND: &str =
    "SELECT record FROM quadrille_clients WHERE issuer = $1 AND id = $2 AND record <> ''";
const LIST: &str =
    "SELECT record FROM quadrille_clients WHERE issuer = $1 AND record <> '' ORDER BY id";
const NUMBER: &str = "SELECT number FROM quadrille_clients WHERE issuer = $1 AND id = $2";

impl Clients for PgStore {
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
                let Some(before) = before else {
                    return database.did(ADD, put_values(issuer, &client)?).await;
                };
                // The text may be another one than ours for the same client, of an earlier version.
                let key = values![issuer.0, client.id.as_bytes()];
                let held = database
                    .one(FIND, key, |row| {
                        let text = row.text()?.to_owned();
                        let client = serde_json::from_str::<Client>(&text);
                        let client = client.map_err(|_| StoreError::Corrupt("a client"))?;
                        Ok((text, client))
                    })
                    .await?;
                let Some((text, _)) = held.filter(|(_, held)| *held == *before) else {
                    return Ok(false);
                };
                let mut values = put_values(issuer, &client)?;
                sqlx::Arguments::add(&mut values, text).map_err(StoreError::failed)?;
                database.did(REPLACE, values).await
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
        let (database, id) = (self.database.clone(), Arc::from(id));
        self.database
            .spawn(async move { database.did(REMOVE, remove_values(issuer, &id, true)?).await })
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
    let did = match number {
        Some(number) => {
            let record = (String::new(), None);
            database.did(ADD, values_of(issuer, id, number, record)?).await?
        }
        None => database.did(REMOVE, remove_values(issuer, id, false)?).await?,
    };
    let key = values![issuer.0, id.as_bytes()];
    Ok(did || !database.did(FIND, key).await?)
}

/// Stores a new client. `false` if its id is taken.
pub(super) async fn add_client(
    steps: &mut Steps<'_>,
    issuer: IssuerId,
    client: &Client,
) -> Result<bool, StoreError> {
    steps.did(ADD, put_values(issuer, client)?).await
}

/// Removes a client that is kept here.
pub(super) async fn remove_client(
    steps: &mut Steps<'_>,
    issuer: IssuerId,
    id: &Arc<str>,
) -> Result<bool, StoreError> {
    steps.did(REMOVE, remove_values(issuer, id, true)?).await
}

fn put_values(
    issuer: IssuerId,
    client: &Client,
) -> Result<sqlx::postgres::PgArguments, StoreError> {
    let record = serde_json::to_string(client).map_err(|_| StoreError::Corrupt("a client"))?;
    values_of(issuer, &client.id, client.number, (record, UnusedClient::of(client)))
}

/// The values of [`ADD`], and the first ones of [`REPLACE`].
fn values_of(
    issuer: IssuerId,
    id: &Arc<str>,
    number: RowId,
    (record, unused): (String, Option<UnusedClient>),
) -> Result<sqlx::postgres::PgArguments, StoreError> {
    let from = unused.as_ref().and_then(|unused| unused.from).map(|from| from.to_string());
    let until: Option<Timestamp> = unused.map(|unused| unused.until);
    let change = change_column(&Change::Client(Arc::clone(id)))?;
    Ok(values![
        issuer.0,
        id.as_bytes(),
        number.0,
        record,
        change,
        from,
        until.map(Timestamp::seconds)
    ])
}

fn remove_values(
    issuer: IssuerId,
    id: &Arc<str>,
    is_kept_here: bool,
) -> Result<sqlx::postgres::PgArguments, StoreError> {
    let change = change_column(&Change::Client(Arc::clone(id)))?;
    Ok(values![issuer.0, id.as_bytes(), is_kept_here, change])
}
