//! The numbers of issuers, workers and rows, and the changes that other processes must know of.

use quadrille::{
    Timestamp,
    provider::store::{Changes, IssuerId, Issuers, Part, RowId, StoreError, Worker},
};
use sqlx::mysql::MySqlArguments;

use super::{
    super::{fault::run, reader::changes_of},
    database::{Database, key, values},
    registration,
    rows::Reader,
    store::MySqlStore,
    sweep,
};

const FIND_ISSUER: &str = "SELECT number FROM quadrille_issuers WHERE issuer = ?";
const ADD_ISSUER: &str = "INSERT IGNORE INTO quadrille_issuers (issuer) VALUES (?)";

const RENEW: &str = "UPDATE quadrille_workers SET expires = ? WHERE number = ? AND holder = ?";
/// The number that has been free for longest.
const FREE: &str = "SELECT number, expires FROM quadrille_workers WHERE expires <= ?
    ORDER BY expires, number LIMIT 1 FOR UPDATE";
const LEASE: &str = "UPDATE quadrille_workers SET holder = ?, expires = ? WHERE number = ?";

/// A row for each change after the position, or one without a change; each with the last position
/// and the first one that is kept.
const CHANGES: &str = "SELECT p.last,
        coalesce((SELECT min(position) FROM quadrille_changes), p.last + 1),
        c.position, c.issuer, c.told
    FROM quadrille_positions p LEFT JOIN
        (SELECT position, issuer, told FROM quadrille_changes
        WHERE position > ? ORDER BY position LIMIT 4096) c ON true
    WHERE p.id = 1 ORDER BY c.position";

const NEWEST: &str = "SELECT greatest((SELECT number FROM quadrille_newest WHERE id = 1),
    coalesce((SELECT max(`row`) FROM quadrille_codes), 0),
    coalesce((SELECT max(`row`) FROM quadrille_access_tokens), 0),
    coalesce((SELECT max(`row`) FROM quadrille_families), 0),
    coalesce((SELECT max(`row`) FROM quadrille_grants), 0),
    coalesce((SELECT max(`row`) FROM quadrille_pending), 0),
    coalesce((SELECT max(`row`) FROM quadrille_token_credentials), 0))";

impl Part for MySqlStore {
    async fn newest(&self) -> Result<RowId, StoreError> {
        let database = self.database.clone();
        self.database
            .spawn(async move {
                let newest =
                    database.one(NEWEST, MySqlArguments::default(), |row| Ok(RowId(row.number()?)));
                newest.await?.ok_or(StoreError::Corrupt("the newest number"))
            })
            .await
    }

    async fn changes(&self, issuer: IssuerId, position: i64) -> Result<Changes, StoreError> {
        let database = self.database.clone();
        self.database
            .spawn(async move {
                let read = |row: &mut Reader<'_>| row.change(issuer);
                let rows = database.all(CHANGES, values![position], read).await?;
                Ok(changes_of(rows, position))
            })
            .await
    }

    async fn sweep(&self, now: Timestamp) -> Result<u64, StoreError> {
        let database = self.database.clone();
        self.database
            .spawn(async move {
                let clients = registration::sweep_unused(&database, now).await?;
                Ok(clients + sweep::all(&database, now).await?)
            })
            .await
    }
}

impl Issuers for MySqlStore {
    async fn issuer(&self, issuer: &str) -> Result<IssuerId, StoreError> {
        let (database, issuer) = (self.database.clone(), issuer.to_owned());
        self.database
            .spawn(async move {
                let issuer = key(&issuer)?;
                let find = || async {
                    let key = values![issuer];
                    database.one(FIND_ISSUER, key, |row| Ok(IssuerId(row.number()?))).await
                };
                if let Some(found) = find().await? {
                    return Ok(found);
                }
                database.run(ADD_ISSUER, values![issuer]).await?;
                find().await?.ok_or(StoreError::Corrupt("an issuer"))
            })
            .await
    }

    async fn lease(
        &self,
        renew: Option<Worker>,
        holder: [u8; 16],
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<Worker, StoreError> {
        let database = self.database.clone();
        self.database
            .spawn(async move {
                if let Some(ours) = renew {
                    let renewed = values![expires.millis(), i64::from(ours.number), &holder[..]];
                    if database.run(RENEW, renewed).await? > 0 {
                        return Ok(Worker { expires, ..ours });
                    }
                }
                let free = run(|| lease(&database, holder, now, expires)).await?;
                free.ok_or(StoreError::Busy)
            })
            .await
    }
}

async fn lease(
    database: &Database,
    holder: [u8; 16],
    now: Timestamp,
    expires: Timestamp,
) -> Result<Option<Worker>, StoreError> {
    let mut steps = database.begin().await?;
    let free = steps.one(FREE, values![now.millis()], |row| Ok((row.number()?, row.number()?)));
    let Some((number, not_before)) = free.await? else { return Ok(None) };
    steps.run(LEASE, values![&holder[..], expires.millis(), number]).await?;
    steps.commit().await?;
    let number = number.try_into().map_err(|_| StoreError::Corrupt("a worker"))?;
    let not_before = Timestamp::from_millis(not_before);
    Ok(Some(Worker { number, holder, expires, not_before }))
}
