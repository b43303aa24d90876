//! The numbers of issuers and of workers.

use rusqlite::params;

use crate::{
    Timestamp,
    provider::store::{IssuerId, RowId, StoreError, Worker},
};

use super::Writes;

impl Writes<'_> {
    pub(crate) fn issuer(&self, issuer: &str) -> Result<IssuerId, StoreError> {
        self.run(
            "INSERT INTO quadrille_issuers (issuer)
            VALUES (?1) ON CONFLICT DO NOTHING",
            [issuer],
        )?;
        let number = self.one(
            "SELECT number FROM quadrille_issuers
                WHERE issuer = ?1",
            [issuer],
            |row| row.get("number"),
        )?;
        number.map(IssuerId).ok_or(StoreError::Corrupt("an issuer"))
    }

    /// For [`Part::newest`](crate::provider::store::Part::newest).
    pub(crate) fn remember_newest(&self, number: RowId) -> Result<(), StoreError> {
        let sql = "UPDATE quadrille_newest SET number = ?1 WHERE number < ?1";
        self.run(sql, [number.0]).map(|_| ())
    }

    pub(crate) fn lease(
        &self,
        renew: Option<Worker>,
        holder: [u8; 16],
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<Worker, StoreError> {
        if let Some(ours) = renew
            && 0 < self.run(
                "UPDATE quadrille_workers SET expires = ?3 WHERE number = ?1 AND holder = ?2",
                params![ours.number, holder, expires.millis()],
            )?
        {
            return Ok(Worker { expires, ..ours });
        }
        // The number that has been free for longest, or the first that was never leased.
        let free = self.one(
            "SELECT number, expires FROM quadrille_workers
            WHERE expires <= ?1 ORDER BY expires LIMIT 1",
            [now.millis()],
            |row| Ok((row.get("number")?, Timestamp::from_millis(row.get("expires")?))),
        )?;
        let (number, not_before) = match free {
            Some(free) => free,
            None => {
                let next = "SELECT coalesce(max(number) + 1, 0) FROM quadrille_workers";
                let next = self.one(next, [], |row| row.get(0))?.unwrap_or(0);
                if next > 1023 {
                    return Err(StoreError::Busy);
                }
                (next, Timestamp::default())
            }
        };
        self.run(
            "INSERT INTO quadrille_workers (number, holder, expires) VALUES (?1, ?2, ?3)
            ON CONFLICT DO UPDATE SET holder = ?2, expires = ?3",
            params![number, holder, expires.millis()],
        )?;
        Ok(Worker { number, holder, expires, not_before })
    }
}
