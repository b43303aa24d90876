//! A store with a fault.

use std::{
    any::Any,
    collections::HashMap,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use quadrille::{
    Env, Timestamp,
    provider::{
        Client,
        store::{
            Admission, Admitted, Changes, Clients, InitialTokenRecord, IssuerId, Issuers,
            KnownSince, OnceKeys, Part, Registrations, RowId, SWEEP_DELAY, SecretHash, SqliteStore,
            StoreError, UnusedClient, Worker,
        },
    },
};
use tempfile::{TempDir, tempdir, tempdir_in};

use crate::world::open;

use super::fault::Fault::{self, *};

pub(super) type Stored<T> = Result<T, StoreError>;

/// A store that is right but for one thing.
pub(super) struct Faulty {
    pub(super) inner: SqliteStore,
    pub(super) fault: Fault,
    /// How many have looked before they write.
    looked: AtomicUsize,
    /// The newest number that the store admits to.
    cap: Mutex<Option<RowId>>,
    /// What was found first, by verb and argument.
    first: Mutex<HashMap<String, Arc<dyn Any + Send + Sync>>>,
}

impl Faulty {
    pub(super) fn new(fault: Fault, env: Env) -> (Self, TempDir) {
        // What counts here is not that it is durable.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempdir_in(memory) } else { tempdir() }.unwrap();
        let inner = open(folder.path(), env);
        if let NeverGoes(table) = fault {
            let path = folder.path().join("quadrille.db");
            let trigger = format!(
                "CREATE TRIGGER never BEFORE DELETE ON {table} BEGIN SELECT RAISE(IGNORE); END"
            );
            rusqlite::Connection::open(path).unwrap().execute_batch(&trigger).unwrap();
        }
        (
            Self {
                inner,
                fault,
                looked: AtomicUsize::new(0),
                cap: Mutex::default(),
                first: Mutex::default(),
            },
            folder,
        )
    }

    pub(super) async fn sql(&self, sql: impl Into<String>) -> Stored<()> {
        let sql = sql.into();
        self.inner.write(move |tx| Ok(tx.execute_batch(&sql)?)).await
    }

    /// So that two of those who race look before either writes, however slow the machine is.
    pub(super) async fn until_another_looks_too(&self) {
        self.looked.fetch_add(1, Ordering::SeqCst);
        for _ in 0..2000 {
            if self.looked.load(Ordering::SeqCst) > 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// One number.
    pub(super) async fn number(&self, sql: &'static str) -> Stored<i64> {
        self.inner.read(|db| Ok(db.query_row(sql, [], |row| row.get(0))?)).await
    }

    /// The state of a pending request.
    pub(super) async fn state(&self, row: RowId) -> Stored<i64> {
        let sql = "SELECT state FROM quadrille_pending WHERE row = ?1";
        self.inner.read(|db| Ok(db.query_row(sql, [row.0], |row| row.get(0))?)).await
    }

    pub(super) fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    /// What the verb found the first time, if that is the fault.
    pub(super) fn first<T: Send + Sync + 'static>(
        &self,
        verb: &'static str,
        argument: impl std::fmt::Debug,
        found: Option<Arc<T>>,
    ) -> Option<Arc<T>> {
        let (true, Some(found)) = (self.is(IsReadOnce(verb)), &found) else { return found };
        let mut first = self.first.lock().unwrap();
        let key = format!("{verb} {argument:?}");
        let kept = first.entry(key).or_insert_with(|| Arc::clone(found) as _);
        Arc::clone(kept).downcast().ok()
    }

    /// What the verb found once.
    pub(super) fn known<T: Send + Sync + 'static>(
        &self,
        verb: &'static str,
        argument: impl std::fmt::Debug,
    ) -> Option<Arc<T>> {
        let first = self.first.lock().unwrap();
        Arc::clone(first.get(&format!("{verb} {argument:?}"))?).downcast().ok()
    }

    pub(super) fn issuer(&self, verb: &str, issuer: IssuerId) -> IssuerId {
        if matches!(self.fault, MixesIssuers(mixed) if mixed == verb) {
            IssuerId(1)
        } else {
            issuer
        }
    }

    /// Does what the fault does before and after the verb.
    pub(super) async fn around<T>(
        &self,
        verb: &str,
        done: impl Future<Output = Stored<T>>,
    ) -> Stored<T> {
        let is_meant = |faulty: &str| faulty == verb || (faulty == "*" && verb != "sweep");
        match self.fault {
            Keeps(faulty, table) if is_meant(faulty) => {
                self.sql(format!("CREATE TABLE kept AS SELECT * FROM {table}")).await?;
                let done = done.await;
                let back =
                    format!("INSERT OR IGNORE INTO {table} SELECT * FROM kept; DROP TABLE kept");
                self.sql(back).await?;
                done
            }
            ForgetsTheNumberOf(faulty) if is_meant(faulty) => {
                let before = self.inner.newest().await?;
                let done = done.await;
                *self.cap.lock().unwrap() = Some(before);
                done
            }
            First(faulty, sql) if is_meant(faulty) => {
                self.sql(sql).await?;
                done.await
            }
            Also(faulty, sql) if is_meant(faulty) => {
                let done = done.await;
                self.sql(sql).await?;
                done
            }
            TellsNothing(faulty) | TellsAgain(faulty) if is_meant(faulty) => {
                let newest = "SELECT coalesce(max(position), 0) FROM quadrille_changes";
                let before = self.number(newest).await?;
                let done = done.await;
                let has_told = self.number(newest).await? > before;
                match self.fault {
                    TellsNothing(_) if has_told => {
                        let newest = "(SELECT max(position) FROM quadrille_changes)";
                        self.sql(format!(
                            "DELETE FROM quadrille_changes WHERE position = {newest}"
                        ))
                        .await?;
                    }
                    TellsAgain(_) if !has_told => {
                        let again = "INSERT INTO quadrille_changes (issuer, change) SELECT issuer,
                            change FROM quadrille_changes ORDER BY position DESC LIMIT 1";
                        self.sql(again).await?;
                    }
                    _ => {}
                }
                done
            }
            _ => done.await,
        }
    }
}

impl Part for Faulty {
    async fn newest(&self) -> Stored<RowId> {
        let cap = *self.cap.lock().unwrap();
        let newest = self.inner.newest().await?;
        Ok(cap.map_or(newest, |cap| cap.min(newest)))
    }

    async fn floor(&self) -> Stored<RowId> {
        let floor = self.inner.floor().await?;
        Ok(match self.fault {
            FloorForgetsClients => RowId(0),
            FloorForgetsRevocations => floor.min(RowId(10_000)),
            _ => floor,
        })
    }

    async fn changes(&self, issuer: IssuerId, position: i64) -> Stored<Changes> {
        let mut told = self.inner.changes(self.issuer("changes", issuer), position).await?;
        if self.is(ChangesAreReversed) {
            told.changes.reverse();
        }
        let jumps = told.position > position + 1 && !told.gap;
        if self.is(ChangesSkipARow) && jumps {
            told.changes.remove(0);
        }
        if self.is(ChangesTellARowTwice) && jumps {
            told.position -= 1;
        }
        if self.is(ChangesAreAheadOfThemselves) {
            told.position += 1;
        }
        if self.is(ChangesHaveNoGaps) {
            told.gap = false;
        }
        Ok(told)
    }

    async fn sweep(&self, now: Timestamp) -> Stored<u64> {
        let mut early = Duration::from_secs(self.is(SweepIsASecondEarly).into());
        if self.is(SweepsWithoutDelay) {
            early = SWEEP_DELAY + Duration::from_secs(1);
        }
        let gone = self.around("sweep", self.inner.sweep(now + early)).await?;
        Ok(if self.is(SweepSaysNothing) { 0 } else { gone })
    }
}

impl Issuers for Faulty {
    async fn issuer(&self, issuer: &str) -> Stored<IssuerId> {
        let issuer =
            if self.is(IssuersIgnoreASlash) { issuer.trim_end_matches('/') } else { issuer };
        self.inner.issuer(issuer).await
    }

    async fn lease(
        &self,
        renew: Option<Worker>,
        holder: [u8; 16],
        now: Timestamp,
        expires: Timestamp,
    ) -> Stored<Worker> {
        if let (Some(renew), true) = (renew, self.is(RenewalIgnoresTheHolder)) {
            return Ok(Worker { holder, expires, ..renew });
        }
        let then = match self.fault {
            ExpiredLeasesAreKept => Timestamp::default(),
            LeasesEndLate => now - Duration::from_millis(1),
            _ => now,
        };
        let leased = self.inner.lease(renew, holder, then, expires).await;
        if let (Err(StoreError::Busy), true) = (&leased, self.is(LeaseStealsWhenAllAreHeld)) {
            return Ok(Worker { number: 7, holder, expires, not_before: now });
        }
        let mut worker = leased?;
        if self.is(LeasesAreShared) {
            worker.number = 0;
        }
        if self.is(LeaseForgetsTheTimeBefore) {
            worker.not_before = Timestamp::default();
        }
        Ok(worker)
    }
}

impl Clients for Faulty {
    async fn client(&self, issuer: IssuerId, id: &str) -> Stored<Option<Arc<Client>>> {
        let issuer = self.issuer("client", issuer);
        let found = self.inner.client(issuer, id).await?;
        if self.is(ClientsIgnoreCase) {
            let all = self.inner.clients(issuer).await?;
            return Ok(all.into_iter().find(|client| client.id.eq_ignore_ascii_case(id)));
        }
        if self.is(ClientsIgnoreSpaces) && found.is_none() {
            return self.inner.client(issuer, id.trim_end()).await;
        }
        Ok(self.first("client", id, found))
    }

    async fn clients(&self, issuer: IssuerId) -> Stored<Vec<Arc<Client>>> {
        let mut clients = self.inner.clients(issuer).await?;
        if self.is(ClientsAreUnordered) {
            clients.reverse();
        }
        Ok(clients)
    }

    async fn put_client(
        &self,
        issuer: IssuerId,
        client: Client,
        mut before: Option<Arc<Client>>,
    ) -> Stored<bool> {
        let held = self.inner.client(issuer, &client.id).await?;
        if self.is(PutClientOverwrites) || (self.is(PutClientRevives) && held.is_none()) {
            before = held;
        } else if self.is(PutClientIsNotAtomic) && held.is_some() && held == before {
            self.until_another_looks_too().await;
            loop {
                let held = self.inner.client(issuer, &client.id).await?;
                if self.inner.put_client(issuer, client.clone(), held).await? {
                    return Ok(true);
                }
            }
        }
        self.around("put_client", self.inner.put_client(issuer, client, before)).await
    }

    async fn add_clients(
        &self,
        issuer: IssuerId,
        clients: Vec<Client>,
    ) -> Stored<Option<Arc<str>>> {
        let issuer = self.issuer("add_clients", issuer);
        if self.is(AddClientsStopsInTheMiddle) {
            for client in clients {
                let id = Arc::clone(&client.id);
                if !self.inner.put_client(issuer, client, None).await? {
                    return Ok(Some(id));
                }
            }
            return Ok(None);
        }
        self.around("add_clients", self.inner.add_clients(issuer, clients)).await
    }

    async fn remove_client(&self, issuer: IssuerId, id: &str) -> Stored<bool> {
        let issuer = self.issuer("remove_client", issuer);
        self.around("remove_client", self.inner.remove_client(issuer, id)).await
    }
}

impl Registrations for Faulty {
    async fn unused_clients(&self, issuer: IssuerId) -> Stored<Vec<UnusedClient>> {
        self.inner.unused_clients(self.issuer("unused_clients", issuer)).await
    }

    async fn admit(&self, issuer: IssuerId, mut admission: Admission) -> Stored<Admitted> {
        let issuer = self.issuer("admit", issuer);
        for held in self.inner.unused_clients(issuer).await? {
            for other in admission.instead_of.iter_mut().filter(|other| other.id == held.id) {
                let is_same = other.number == held.number;
                if self.is(AdmitComparesOnlyTheNumber) && is_same
                    || self.is(AdmitComparesOnlyTheId) && !is_same
                {
                    *other = held.clone();
                }
            }
        }
        if self.is(AdmitIsNotAtomic) {
            let hash = admission.token.unwrap();
            let found = self.inner.initial_token(issuer, &hash).await?;
            self.until_another_looks_too().await;
            let Some(found) = found else { return Ok(Admitted::TokenSpent) };
            self.inner.remove_initial_token(issuer, found.row).await?;
            self.inner.put_client(issuer, admission.client, None).await?;
            return Ok(Admitted::Registered);
        }
        self.around("admit", self.inner.admit(issuer, admission)).await
    }

    async fn put_initial_token(&self, issuer: IssuerId, token: InitialTokenRecord) -> Stored<()> {
        self.around("put_initial_token", self.inner.put_initial_token(issuer, token)).await
    }

    async fn initial_token(
        &self,
        issuer: IssuerId,
        hash: &SecretHash,
    ) -> Stored<Option<InitialTokenRecord>> {
        self.inner.initial_token(self.issuer("initial_token", issuer), hash).await
    }

    async fn initial_tokens(&self, issuer: IssuerId) -> Stored<Vec<InitialTokenRecord>> {
        self.inner.initial_tokens(self.issuer("initial_tokens", issuer)).await
    }

    async fn remove_initial_token(&self, issuer: IssuerId, row: RowId) -> Stored<bool> {
        let issuer = self.issuer("remove_initial_token", issuer);
        self.around("remove_initial_token", self.inner.remove_initial_token(issuer, row)).await
    }
}

impl OnceKeys for Faulty {
    async fn remember_once(
        &self,
        issuer: IssuerId,
        space: &'static str,
        key: SecretHash,
        expires: Timestamp,
    ) -> Stored<bool> {
        let issuer = self.issuer("remember_once", issuer);
        let space = match self.fault {
            SpacesAreOne => "one",
            SpacesIgnoreCase if space == "Nonce" => "nonce",
            _ => space,
        };
        let mut wide = expires;
        if self.is(KeysAreKnownForEver) {
            wide = expires + Duration::from_hours(24);
        }
        if let KeysAreKnownForLess(seconds) = self.fault {
            wide = expires - Duration::from_secs(seconds);
        }
        if self.is(RememberIsNotAtomic) {
            let before = self.number("SELECT count(*) FROM quadrille_once").await?;
            self.until_another_looks_too().await;
            let new = self.inner.remember_once(issuer, space, key, wide).await?;
            return Ok(new || before == 0);
        }
        self.around("remember_once", self.inner.remember_once(issuer, space, key, wide)).await
    }

    async fn keys_known_since(&self) -> Stored<KnownSince> {
        self.inner.keys_known_since().await
    }
}
