//! The numbers of issuers, workers and rows, and the changes that other processes must know of.

use quadrille::{
    Timestamp,
    provider::store::{Changes, IssuerId, Issuers, Part, RowId, StoreError, Worker},
};

use super::{
    database::Database,
    dialect::Dialect,
    engine::Engine,
    fault::run,
    newest::Newest,
    reader::changes_of,
    registration,
    revoking::BeforeGrant,
    store::SqlStore,
    values::{Value, values},
};

pub(super) const FIND_ISSUER: &str = "SELECT number FROM quadrille_issuers WHERE issuer = $1";
const ADD_ISSUER: &str =
    "INSERT INTO quadrille_issuers (issuer) VALUES ($1) ON CONFLICT DO NOTHING";

const RENEW: &str = "UPDATE quadrille_workers SET expires = $3 WHERE number = $1 AND holder = $2";
/// The number that has been free for longest.
const FREE: &str = "SELECT number, expires FROM quadrille_workers WHERE expires <= $1
    ORDER BY expires, number LIMIT 1 FOR UPDATE SKIP LOCKED";
const LEASE: &str = "UPDATE quadrille_workers SET holder = $2, expires = $3 WHERE number = $1";

/// A row for each change after `$1`, or one without a change; each with the last position and the
/// first one that is kept.
const CHANGES: &str = "SELECT p.last,
        coalesce((SELECT min(position) FROM quadrille_changes), p.last + 1),
        c.position, c.issuer, c.told
    FROM quadrille_positions p LEFT JOIN
        (SELECT position, issuer, told FROM quadrille_changes
        WHERE position > $1 ORDER BY position LIMIT 4096) c ON true
    WHERE p.id = 1 ORDER BY c.position";

impl<E: Dialect> Part for SqlStore<E> {
    async fn newest(&self) -> Result<RowId, StoreError> {
        self.newest.run(Newest).await
    }

    async fn floor(&self) -> Result<RowId, StoreError> {
        self.before_grants.run(BeforeGrant::Floor).await
    }

    async fn changes(&self, issuer: IssuerId, position: i64) -> Result<Changes, StoreError> {
        self.run(|db| async move {
            let rows = db.all(CHANGES, values![position], |row| row.change(issuer)).await?;
            let changes = changes_of(rows, position);
            E::tell_up_to(&db, changes.position);
            Ok(changes)
        })
        .await
    }

    fn heard(&self) -> u64 {
        self.database.news().changes()
    }

    async fn sweep(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.run(|db| async move {
            let clients = registration::sweep_unused(&db, now).await?;
            Ok(clients + E::sweep(&db, now).await?)
        })
        .await
    }
}

impl<E: Dialect> Issuers for SqlStore<E> {
    async fn issuer(&self, issuer: &str) -> Result<IssuerId, StoreError> {
        let key = values![Value::key(issuer)];
        self.run(|db| async move {
            let find = || async {
                db.one(FIND_ISSUER, key.clone(), |row| Ok(IssuerId(row.number()?))).await
            };
            if let Some(found) = find().await? {
                return Ok(found);
            }
            db.run(ADD_ISSUER, key.clone()).await?;
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
        self.run(|db| async move {
            if let Some(ours) = renew {
                let ours_until = values![i64::from(ours.number), &holder, expires.millis()];
                if db.run(RENEW, ours_until).await? > 0 {
                    return Ok(Worker { expires, ..ours });
                }
            }
            let free = run(|| lease(&db, holder, now, expires)).await?;
            free.ok_or(StoreError::Busy)
        })
        .await
    }
}

async fn lease<E: Engine>(
    database: &Database<E>,
    holder: [u8; 16],
    now: Timestamp,
    expires: Timestamp,
) -> Result<Option<Worker>, StoreError> {
    let mut steps = database.begin().await?;
    let free = steps.one(FREE, values![now.millis()], |row| Ok((row.number()?, row.number()?)));
    let Some((number, not_before)) = free.await? else { return Ok(None) };
    steps.run(LEASE, values![number, &holder, expires.millis()]).await?;
    steps.commit().await?;
    let number = number.try_into().map_err(|_| StoreError::Corrupt("a worker"))?;
    let not_before = Timestamp::from_millis(not_before);
    Ok(Some(Worker { number, holder, expires, not_before }))
}
