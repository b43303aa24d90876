//! The numbers of issuers, workers and rows, and the changes that other processes must know of.

use quadrille::{
    Timestamp,
    provider::store::{Changes, IssuerId, Issuers, Part, RowId, StoreError, Worker},
};

use sqlx::Row as _;

use super::{
    super::{fault::reason, reader::changes_of},
    database::{Database, values},
    registration,
    rows::Reader,
    store::PgStore,
    sweep,
};

const ISSUER: &str = "WITH new AS (INSERT INTO quadrille_issuers (issuer) VALUES ($1)
        ON CONFLICT DO NOTHING RETURNING number)
    SELECT number FROM new UNION ALL SELECT number FROM quadrille_issuers WHERE issuer = $1";
const KNOWN_ISSUER: &str = "SELECT number FROM quadrille_issuers WHERE issuer = $1";

const RENEW: &str = "UPDATE quadrille_workers SET expires = $3
    WHERE number = $1 AND holder = $2 RETURNING 1";
/// The number that has been free for longest.
const LEASE: &str = "WITH free AS MATERIALIZED (SELECT number, expires FROM quadrille_workers
        WHERE expires <= $3 ORDER BY expires, number LIMIT 1 FOR UPDATE SKIP LOCKED)
    UPDATE quadrille_workers w SET holder = $1, expires = $2 FROM free
    WHERE w.number = free.number RETURNING w.number, free.expires";

/// A row for each change after `$1`, or one without a change; each with the last position and the
/// first one that is kept.
const CHANGES: &str = "SELECT p.last,
        coalesce((SELECT min(position) FROM quadrille_changes), p.last + 1),
        c.position, c.issuer, c.change
    FROM quadrille_positions p LEFT JOIN LATERAL
        (SELECT position, issuer, change FROM quadrille_changes
        WHERE position > $1 ORDER BY position LIMIT 4096) c ON true
    ORDER BY c.position";

/// The tables whose rows are numbered, but for those that count as `quadrille_newest`.
const NUMBERED: [&str; 6] =
    ["codes", "access_tokens", "families", "grants", "pending", "token_credentials"];

impl Part for PgStore {
    async fn newest(&self) -> Result<RowId, StoreError> {
        let database = self.database.clone();
        self.database.spawn(async move { newest(&database).await }).await
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

impl Issuers for PgStore {
    async fn issuer(&self, issuer: &str) -> Result<IssuerId, StoreError> {
        let (database, issuer) = (self.database.clone(), issuer.to_owned());
        self.database
            .spawn(async move {
                let key = values![issuer.as_bytes()];
                let mut found = database
                    .one(KNOWN_ISSUER, key.clone(), |row| Ok(IssuerId(row.number()?)))
                    .await?;
                while found.is_none() {
                    // The statement does not see the number that another process drew meanwhile.
                    found = database
                        .one(ISSUER, key.clone(), |row| Ok(IssuerId(row.number()?)))
                        .await?;
                }
                found.ok_or(StoreError::Corrupt("an issuer"))
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
                    let key = values![i64::from(ours.number), &holder[..], expires.millis()];
                    if database.did(RENEW, key).await? {
                        return Ok(Worker { expires, ..ours });
                    }
                }
                let lease = values![&holder[..], expires.millis(), now.millis()];
                let free = database.one(LEASE, lease, |row| {
                    let number = row.number()?;
                    let number = number.try_into().map_err(|_| StoreError::Corrupt("a worker"))?;
                    let not_before = Timestamp::from_millis(row.number()?);
                    Ok(Worker { number, holder, expires, not_before })
                });
                free.await?.ok_or(StoreError::Busy)
            })
            .await
    }
}

async fn newest(database: &Database) -> Result<RowId, StoreError> {
    let keys = database.keys();
    let sql = || {
        let ranges = keys.ranges();
        let greatest = |table: &&str| {
            let greatest = |(first, last): &(i64, i64)| {
                format!(
                    "(SELECT max(\"row\") FROM quadrille_{table} \
                     WHERE \"row\" BETWEEN {first} AND {last})"
                )
            };
            ranges.iter().map(greatest).collect::<Vec<_>>()
        };
        let all: Vec<_> = NUMBERED.iter().flat_map(greatest).collect();
        format!("SELECT (SELECT number FROM quadrille_newest), ARRAY[{}]", all.join(", "))
    };
    let rows = database.newest_rows(sql).await?;
    let mut newest = 0;
    for row in &rows {
        let number: i64 = row.try_get(0).map_err(reason)?;
        let greatest: Vec<Option<i64>> = row.try_get(1).map_err(reason)?;
        newest = greatest.into_iter().flatten().map(|key| keys.unmix(key)).fold(number, i64::max);
    }
    Ok(RowId(newest))
}
