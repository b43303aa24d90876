//! Clients, and the rows that depend on them.

use std::sync::Arc;

use rusqlite::params;

use crate::provider::{
    client::record::Client,
    store::{Change, IssuerId, RowId, StoreError, UnusedClient},
};

use super::{
    Writes,
    rows::{client as read, kept_here},
};

impl Writes<'_> {
    pub(crate) fn put_client(
        &self,
        issuer: IssuerId,
        client: &Client,
        record: &str,
        before: Option<&Client>,
    ) -> Result<bool, StoreError> {
        if self.held_client(issuer, &client.id)?.as_deref() != before {
            return Ok(false);
        }
        let known = self.known_elsewhere(issuer, &client.id)?;
        if before.map(|before| before.number).or(known).is_some_and(|then| then != client.number) {
            self.forget_consents(issuer, &client.id)?;
            self.remove_credentials_of_client(issuer, &client.id, client.number)?;
        }
        self.run(
            "INSERT INTO quadrille_clients (issuer, id, number, record) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT DO UPDATE SET number = ?3, record = ?4",
            params![issuer.0, client.id, client.number.0, record],
        )?;
        self.note_unused(issuer, client)?;
        self.remember_newest(client.number)?;
        self.tell(issuer, &Change::Client(Arc::clone(&client.id)))?;
        Ok(true)
    }

    /// Adds clients, which may be many: other writes wait for the transaction.
    pub(crate) fn add_clients(
        &self,
        issuer: IssuerId,
        clients: &[(Client, String)],
    ) -> Result<Option<Arc<str>>, StoreError> {
        // In the order of the key, thousands of rows are appends to pages that are in memory.
        let mut by_id: Vec<_> = clients.iter().collect();
        by_id.sort_by(|(one, _), (other, _)| one.id.cmp(&other.id));
        let mut are_new = true;
        for (client, _) in &by_id {
            let sql = "SELECT record = '' FROM quadrille_clients WHERE issuer = ?1 AND id = ?2";
            match self.one(sql, params![issuer.0, client.id], |row| row.get(0))? {
                None => {}
                Some(true) => are_new = false,
                Some(false) => return Ok(Some(Arc::clone(&client.id))),
            }
        }
        if !are_new {
            for (client, record) in clients {
                self.put_client(issuer, client, record, None)?;
            }
            return Ok(None);
        }
        for (client, record) in by_id {
            self.run(
                "INSERT INTO quadrille_clients (issuer, id, number, record) VALUES (?1, ?2, ?3, ?4)",
                params![issuer.0, client.id, client.number.0, record],
            )?;
            if UnusedClient::of(client).is_some() {
                self.note_unused(issuer, client)?;
            }
        }
        for (client, _) in clients {
            self.note_change(issuer, &Change::Client(Arc::clone(&client.id)))?;
        }
        if let Some(newest) = clients.iter().map(|(client, _)| client.number).max() {
            self.forget_old_changes()?;
            self.remember_newest(newest)?;
        }
        Ok(None)
    }

    pub(crate) fn remove_client(
        &self,
        issuer: IssuerId,
        id: &Arc<str>,
    ) -> Result<bool, StoreError> {
        let removed = self.run(
            concat!(
                "DELETE FROM quadrille_clients WHERE issuer = ?1 AND id = ?2 AND ",
                kept_here!()
            ),
            params![issuer.0, id],
        )?;
        if removed == 0 {
            return Ok(false);
        }
        self.forget_unused(issuer, id)?;
        self.forget_consents(issuer, id)?;
        self.remove_credentials_of_client(issuer, id, RowId::MAX)?;
        self.tell(issuer, &Change::Client(Arc::clone(id)))?;
        Ok(true)
    }

    pub(crate) fn know_client(
        &self,
        issuer: IssuerId,
        id: &Arc<str>,
        number: Option<RowId>,
    ) -> Result<bool, StoreError> {
        if self.held_client(issuer, id)?.is_some() {
            return Ok(false);
        }
        if self.known_elsewhere(issuer, id)? == number {
            return Ok(true);
        }
        if let Some(number) = number {
            self.run(
                "INSERT INTO quadrille_clients (issuer, id, number, record)
                VALUES (?1, ?2, ?3, '') ON CONFLICT DO UPDATE SET number = ?3",
                params![issuer.0, id, number.0],
            )?;
            self.remember_newest(number)?;
        } else {
            self.run(
                "DELETE FROM quadrille_clients WHERE issuer = ?1 AND id = ?2",
                params![issuer.0, id],
            )?;
        }
        self.forget_consents(issuer, id)?;
        self.remove_credentials_of_client(issuer, id, number.unwrap_or(RowId::MAX))?;
        self.tell(issuer, &Change::Client(Arc::clone(id)))?;
        Ok(true)
    }

    /// The number of a client with this id that is kept elsewhere.
    fn known_elsewhere(&self, issuer: IssuerId, id: &str) -> Result<Option<RowId>, StoreError> {
        self.one(
            "SELECT number FROM quadrille_clients WHERE issuer = ?1 AND id = ?2 AND record = ''",
            params![issuer.0, id],
            |row| row.get("number").map(RowId),
        )
    }

    /// The client with this id, within the transaction.
    pub(super) fn held_client(
        &self,
        issuer: IssuerId,
        id: &str,
    ) -> Result<Option<Arc<Client>>, StoreError> {
        let held: Option<String> = self.one(
            concat!(
                "SELECT record FROM quadrille_clients WHERE issuer = ?1 AND id = ?2 AND ",
                kept_here!()
            ),
            params![issuer.0, id],
            |row| row.get("record"),
        )?;
        held.map(|record| read(&record)).transpose()
    }

    fn forget_consents(&self, issuer: IssuerId, client: &str) -> Result<usize, StoreError> {
        self.run(
            "DELETE FROM quadrille_consents WHERE issuer = ?1 AND client = ?2",
            params![issuer.0, client],
        )
    }
}
