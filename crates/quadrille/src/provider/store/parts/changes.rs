//! The changes of several parts as those of one store.

use crate::{
    Timestamp,
    provider::store::{
        Change, Changes, Clients, Grants, IssuerId, Issuers, OnceKeys, Part, RowId, StoreError,
        UserTable,
    },
};

use super::Parts;

impl<I: Issuers, C: Clients, G: Grants, O: OnceKeys, U: UserTable> Part for Parts<I, C, G, O, U> {
    async fn newest(&self) -> Result<RowId, StoreError> {
        let mut newest = self.issuers.newest().await?;
        if self.apart.clients {
            newest = newest.max(self.clients.newest().await?);
        }
        if self.apart.grants {
            newest = newest.max(self.grants.newest().await?);
        }
        Ok(newest)
    }

    async fn floor(&self) -> Result<RowId, StoreError> {
        let mut floor = self.issuers.floor().await?;
        if self.apart.clients {
            floor = floor.max(self.clients.floor().await?);
        }
        if self.apart.grants {
            floor = floor.max(self.grants.floor().await?);
        }
        Ok(floor)
    }

    fn is_cacheable(&self) -> bool {
        self.issuers.is_cacheable()
            || self.apart.clients && self.clients.is_cacheable()
            || self.apart.grants && self.grants.is_cacheable()
            || self.apart.once && self.once.is_cacheable()
    }

    fn heard(&self) -> u64 {
        let clients = if self.apart.clients { self.clients.heard() } else { 0 };
        // A sum is another number if one of them is.
        self.grants.heard().wrapping_add(clients)
    }

    async fn changes(&self, issuer: IssuerId, position: i64) -> Result<Changes, StoreError> {
        let (of_clients, of_grants) = self.positions().find(position).unwrap_or((-1, -1));
        let mut told = self.grants.changes(issuer, of_grants).await?;
        let mut clients = of_clients;
        if self.are_clients_elsewhere() {
            // The part with the clients tells them.
            told.changes.retain(|change| !matches!(change, Change::Client(_)));
            let theirs = self.clients.changes(issuer, of_clients).await?;
            clients = theirs.position;
            told.gap |= theirs.gap;
            told.changes.extend(theirs.changes);
        }
        // Users come and go without telling.
        told.gap |= self.users.is_some();
        if told.gap {
            told.changes.clear();
        }
        told.position = self.positions().number((clients, told.position));
        Ok(told)
    }

    async fn sweep(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut rows = self.issuers.sweep(now).await?;
        if self.apart.clients {
            rows += self.clients.sweep(now).await?;
        }
        if self.apart.grants {
            rows += self.grants.sweep(now).await?;
        }
        if self.apart.once {
            rows += self.once.sweep(now).await?;
        }
        Ok(rows)
    }
}
