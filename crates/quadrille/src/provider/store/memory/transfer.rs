//! The rows of the memory, to be moved into another store.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, atomic::Ordering},
};

use crate::{
    Timestamp,
    provider::store::{
        IssuerId, KnownSince, RowId, StoreError, StoredRow, StoredTable, Transfer, UnusedClient,
    },
};

use super::{
    MemoryStore,
    moved::{self, BAD, Fields, Row},
    realm::{Realm, Revoked, Seconds, Ticket},
    shards::{Place, lock, read, write},
};

impl Transfer for MemoryStore {
    /// Reads the whole table for each page.
    async fn rows(
        &self,
        issuer: IssuerId,
        table: StoredTable,
        after: Option<StoredRow>,
        limit: u32,
    ) -> Result<Vec<StoredRow>, StoreError> {
        let mut rows = self.realm(issuer)?.rows(table)?;
        rows.sort_unstable();
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        // The other values of that row may have changed since.
        let key = |row: &StoredRow| row.0.get(..table.key()).map(<[_]>::to_vec);
        let after = after.as_ref().map(key);
        let rest =
            rows.into_iter().filter(|row| after.as_ref().is_none_or(|last| key(row) > *last));
        Ok(rest.take(limit).collect())
    }

    async fn put_rows(
        &self,
        issuer: IssuerId,
        table: StoredTable,
        rows: Vec<StoredRow>,
    ) -> Result<u64, StoreError> {
        let realm = self.realm(issuer)?;
        // All of them are read before the first one is stored.
        let width = table.columns().len();
        if rows.iter().any(|row| row.0.len() != width) {
            return Err(BAD);
        }
        let puts = rows.into_iter().map(|row| put(table, row)).collect::<Result<Vec<_>, _>>()?;
        let now = self.env.now();
        self.may_sweep(now);
        let new = puts.into_iter().map(|put| u64::from(put(&realm, now))).sum();
        Ok(new)
    }

    async fn swap_secret(
        &self,
        issuer: IssuerId,
        grant: RowId,
        before: Vec<u8>,
        after: Vec<u8>,
    ) -> Result<bool, StoreError> {
        Ok(self.realm(issuer)?.credentials.swap_secret(grant, &before, &after))
    }

    async fn raise_newest(&self, newest: RowId) -> Result<(), StoreError> {
        self.saw(newest);
        Ok(())
    }

    async fn raise_known_since(&self, since: KnownSince) -> Result<(), StoreError> {
        let mut known = lock(&self.known_since);
        *known = known.max(since);
        Ok(())
    }
}

impl Realm {
    /// All rows of a table.
    fn rows(&self, table: StoredTable) -> Result<Vec<StoredRow>, StoreError> {
        match table {
            StoredTable::Clients => {
                let clients = read(&self.clients);
                let here = clients.all().map(|client| moved::client(client));
                let elsewhere = clients
                    .all_elsewhere()
                    .map(|(id, number)| Ok(Row::new().text(id).number(number.0).text("").end()));
                here.chain(elsewhere).collect()
            }
            StoredTable::UnusedClients => {
                let clients = read(&self.clients);
                let unused = clients.unused().filter_map(|client| UnusedClient::of(client));
                Ok(unused.map(|client| moved::unused_client(&client)).collect())
            }
            StoredTable::InitialTokens => {
                Ok(self.initial_tokens.all().iter().map(moved::initial_token).collect())
            }
            StoredTable::Cut => {
                let cut = read(&self.cut);
                let row = |((subject, client), last): (&(Arc<str>, Option<Arc<str>>), &RowId)| {
                    let actor = super::super::user_column(subject);
                    Row::new()
                        .text(&actor)
                        .text(client.as_deref().unwrap_or(""))
                        .number(last.0)
                        .end()
                };
                Ok(cut.iter().map(row).collect())
            }
            StoredTable::Removed => {
                let removed = read(&self.removed);
                let row = |(subject, last): (&Arc<str>, &RowId)| {
                    Row::new().text(subject).number(last.0).end()
                };
                Ok(removed.iter().map(row).collect())
            }
            StoredTable::Revoked => Ok(self
                .revoked
                .collected(|grant, until| Row::new().number(grant.0).number(until.0).end())),
            StoredTable::Consents => lock(&self.consents).values().map(moved::consent).collect(),
            StoredTable::Codes => {
                self.codes.collected(|_, code| moved::code(code)).into_iter().collect()
            }
            StoredTable::AccessTokens => self.tokens.all().iter().map(moved::access).collect(),
            StoredTable::Families => {
                self.families.collected(|_, family| moved::family(family)).into_iter().collect()
            }
            StoredTable::Grants => self.grants.all().iter().map(moved::listed).collect(),
            StoredTable::ForeignTokens => Ok(self.foreign.collected(|hash, place| {
                Row::new().bytes(hash).number(place.row.0).number(place.expires).end()
            })),
            StoredTable::Tickets => Ok(self.tickets.collected(|ticket, used| {
                let code = used.code.map(|code| code.0);
                Row::new().bytes(ticket).optional_number(code).number(used.expires).end()
            })),
            StoredTable::Once => Ok(self.once.collected(|(space, hash), until| {
                Row::new().text(space).bytes(hash).number(until.0).end()
            })),
            StoredTable::Pending => {
                self.pending.all().iter().map(|held| moved::pending(held)).collect()
            }
            StoredTable::TokenCredentials => {
                self.credentials.all().iter().map(|held| moved::credential(held)).collect()
            }
        }
    }
}

/// The change that stores a row. It returns whether the row is new.
type Put = Box<dyn FnOnce(&Realm, Timestamp) -> bool + Send>;

/// Reads a row.
fn put(table: StoredTable, row: StoredRow) -> Result<Put, StoreError> {
    let mut fields = Fields::of(row);
    Ok(match table {
        StoredTable::Clients => {
            let (id, number, record) = (fields.text()?, fields.row()?, fields.text()?);
            let client = match record.is_empty() {
                true => None,
                false => Some(moved::read_client(&record)?),
            };
            Box::new(move |realm, _| {
                let mut clients = write(&realm.clients);
                let is_new = clients.number(&id).is_none();
                match client {
                    _ if !is_new => {}
                    Some(client) => drop(clients.insert(client)),
                    None => clients.know(&id, Some(number)),
                }
                is_new
            })
        }
        // The record of the client says it.
        StoredTable::UnusedClients => Box::new(|_, _| false),
        StoredTable::InitialTokens => {
            let token = fields.initial_token()?;
            Box::new(move |realm, _| realm.initial_tokens.add(token))
        }
        StoredTable::Cut => {
            let (actor, client, last) = (fields.text()?, fields.text()?, fields.row()?);
            let subject = actor.strip_prefix('u').ok_or(BAD)?.into();
            let key = (subject, (!client.is_empty()).then(|| client.into()));
            Box::new(move |realm, _| {
                realm.any_revoked.store(true, Ordering::SeqCst);
                let mut cut = write(&realm.cut);
                !cut.contains_key(&key) && cut.insert(key, last).is_none()
            })
        }
        StoredTable::Removed => {
            let (subject, last): (Arc<str>, _) = (fields.text()?.into(), fields.row()?);
            Box::new(move |realm, _| {
                let mut removed = write(&realm.removed);
                !removed.contains_key(&subject) && removed.insert(subject, last).is_none()
            })
        }
        StoredTable::Revoked => {
            let (grant, until) = (fields.row()?, Revoked(fields.number()?));
            Box::new(move |realm, now| {
                realm.any_revoked.store(true, Ordering::SeqCst);
                realm.revoked.lock(&grant).add(grant, until, now)
            })
        }
        StoredTable::Consents => {
            let consent = fields.consent()?;
            Box::new(move |realm, _| {
                let (subject, client) = (Arc::clone(&consent.subject), Arc::clone(&consent.client));
                let key = (subject, client, consent.resources.clone());
                let mut consents = lock(&realm.consents);
                !consents.contains_key(&key) && consents.insert(key, consent).is_none()
            })
        }
        StoredTable::Codes => {
            let code = Arc::new(fields.code()?);
            Box::new(move |realm, now| realm.codes.lock(&code.row).add(code.row, code, now))
        }
        StoredTable::AccessTokens => {
            let access = fields.access()?;
            Box::new(move |realm, now| realm.tokens.add(access, now))
        }
        StoredTable::Families => {
            let family = Arc::new(fields.family()?);
            Box::new(move |realm, now| {
                realm.families.lock(&family.row).add(family.row, family, now)
            })
        }
        StoredTable::Grants => {
            let (grant, family, ends) =
                (fields.grant()?, fields.optional_row()?, fields.seconds()?);
            Box::new(move |realm, now| realm.grants.list(&grant, family, ends, now))
        }
        StoredTable::ForeignTokens => {
            let (hash, row, expires) = (fields.hash()?, fields.row()?, fields.number()?);
            Box::new(move |realm, now| {
                realm.foreign.lock(&hash).add(hash, Place { row, expires }, now)
            })
        }
        StoredTable::Tickets => {
            let (ticket, code) = (fields.hash()?, fields.optional_row()?);
            let used = Ticket { code, expires: fields.number()? };
            Box::new(move |realm, now| realm.tickets.lock(&ticket).add(ticket, used, now))
        }
        StoredTable::Once => {
            let key = (space(&fields.text()?), fields.hash()?);
            let until = Seconds(fields.number()?);
            Box::new(move |realm, now| realm.once.lock(&key).add(key, until, now))
        }
        StoredTable::Pending => {
            let pending = fields.pending()?;
            Box::new(move |realm, now| {
                !realm.pending.has(pending.row) && realm.pending.put(pending, now)
            })
        }
        StoredTable::TokenCredentials => {
            let credential = fields.credential()?;
            Box::new(move |realm, now| {
                !realm.credentials.has(credential.access.row)
                    && realm.credentials.put(credential, || true, now)
            })
        }
    })
}

/// The name of a space, as the verbs give it. There are a few in a program, and each is kept once.
fn space(name: &str) -> &'static str {
    static SPACES: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);
    let mut spaces = lock(&SPACES);
    let known = spaces.get_or_insert_default();
    if let Some(space) = known.get(name) {
        return space;
    }
    let space: &'static str = Box::leak(name.into());
    known.insert(space);
    space
}
