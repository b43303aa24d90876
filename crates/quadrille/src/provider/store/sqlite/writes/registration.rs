//! Dynamic registrations: clients that nobody has used yet, and initial access tokens.

use rusqlite::params;

use crate::{
    Timestamp,
    provider::{
        client::record::Client,
        store::{
            Admission, Admitted, InitialTokenRecord, IssuerId, RowId, SWEEP_DELAY, StoreError,
            UnusedClient,
        },
    },
};

use super::Writes;

/// The number of unused clients that a sweep removes.
const PER_SWEEP: usize = 1000;

impl Writes<'_> {
    pub(crate) fn admit(
        &self,
        issuer: IssuerId,
        admission: &Admission,
        record: &str,
    ) -> Result<Admitted, StoreError> {
        let Admission { client, token, instead_of } = admission;
        if self.held_client(issuer, &client.id)?.is_some() {
            return Ok(Admitted::IdTaken);
        }
        if let Some(hash) = token {
            let taken = self.run(
                "UPDATE quadrille_initial_tokens SET uses = uses - 1
                WHERE issuer = ?1 AND hash = ?2 AND uses > 0",
                params![issuer.0, hash],
            )?;
            if taken == 0 {
                return Ok(Admitted::TokenSpent);
            }
            self.run(
                "DELETE FROM quadrille_initial_tokens
                WHERE issuer = ?1 AND hash = ?2 AND uses = 0",
                params![issuer.0, hash],
            )?;
        }
        for other in instead_of {
            let mut is_unused = self.connection.prepare_cached(
                "SELECT 1 FROM quadrille_unused_clients
                WHERE issuer = ?1 AND id = ?2 AND number = ?3 AND address IS ?4 AND expires = ?5",
            )?;
            let from = other.from.map(|from| from.to_string());
            let (number, until) = (other.number.0, other.until.seconds());
            if is_unused.exists(params![issuer.0, other.id, number, from, until])? {
                self.remove_client(issuer, &other.id)?;
            }
        }
        self.put_client(issuer, client, record, None)?;
        Ok(Admitted::Registered)
    }

    /// Remembers until when a client must be used, if it must.
    pub(super) fn note_unused(&self, issuer: IssuerId, client: &Client) -> Result<(), StoreError> {
        match UnusedClient::of(client) {
            Some(unused) => self.run(
                "INSERT INTO quadrille_unused_clients (issuer, id, number, address, expires)
                VALUES (?1, ?2, ?3, ?4, ?5)
                ON CONFLICT DO UPDATE SET number = ?3, address = ?4, expires = ?5",
                params![
                    issuer.0,
                    unused.id,
                    unused.number.0,
                    unused.from.map(|from| from.to_string()),
                    unused.until.seconds()
                ],
            )?,
            None => self.forget_unused(issuer, &client.id)?,
        };
        Ok(())
    }

    pub(super) fn forget_unused(&self, issuer: IssuerId, id: &str) -> Result<usize, StoreError> {
        self.run(
            "DELETE FROM quadrille_unused_clients WHERE issuer = ?1 AND id = ?2",
            params![issuer.0, id],
        )
    }

    /// Removes clients that were never used in time.
    pub(super) fn sweep_unused(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut expired = self.connection.prepare_cached(
            "SELECT issuer, id FROM quadrille_unused_clients WHERE expires < ?1 LIMIT ?2",
        )?;
        let expired = expired
            .query_map(params![(now - SWEEP_DELAY).seconds(), PER_SWEEP], |row| {
                Ok((IssuerId(row.get("issuer")?), row.get::<_, String>("id")?))
            })?;
        let mut gone = 0;
        for found in expired.collect::<Result<Vec<_>, _>>()? {
            let (issuer, id) = found;
            self.remove_client(issuer, &id.into())?;
            gone += 1;
        }
        Ok(gone)
    }

    pub(crate) fn put_initial_token(
        &self,
        issuer: IssuerId,
        token: &InitialTokenRecord,
    ) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO quadrille_initial_tokens (row, issuer, hash, name, uses, expires)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                token.row.0,
                issuer.0,
                token.hash,
                token.name,
                token.uses,
                token.expires.seconds()
            ],
        )?;
        self.remember_newest(token.row)
    }

    pub(crate) fn remove_initial_token(
        &self,
        issuer: IssuerId,
        row: RowId,
    ) -> Result<bool, StoreError> {
        let removed = self.run(
            "DELETE FROM quadrille_initial_tokens WHERE row = ?1 AND issuer = ?2",
            params![row.0, issuer.0],
        )?;
        Ok(removed > 0)
    }
}
