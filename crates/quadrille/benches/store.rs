//! What a store costs by itself, without HTTP: `cargo bench -p quadrille --features sqlite,testing
//! --bench store`. The whole server is measured in `bench/`.
//!
//! Beside SQLite stands the writer that one would write first: rows under random keys, a channel,
//! a transaction for whatever waits, a one-shot channel for each answer.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a bench")]
#![allow(clippy::print_stdout, missing_docs, reason = "a bench")]

use std::{
    future::Future,
    path::Path,
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use quadrille::{
    Actor, Env, Scopes, Timestamp,
    oauth2::Resources,
    provider::{
        Client,
        store::{
            AccessRecord, FamilyRecord, Grant, Grants as _, Issue, IssuerId, MemoryStore, Rotation,
            RowId, RowIds, SecretHash, SqliteStore, Store, TokenRef,
        },
    },
    testing::cached,
};
use tokio::sync::oneshot;

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(memory());
    for waiters in [1, 16, 64, 128] {
        runtime.block_on(sqlite(waiters));
    }
}

async fn memory() {
    let env = Env::system();
    let store = Arc::new(MemoryStore::new(env.clone()));
    let rows = RowIds::new(env.clone());
    time("row number", 1_000_000, async |_| rows.draw(&*store).await.unwrap().0).await;
    let issuer = issuer(&*store).await;
    let template = template(&env);
    let before = resident();
    let mut tokens = Vec::with_capacity(1_000_000);
    for _ in 0..1_000_000 {
        tokens.push(rows.draw(&*store).await.unwrap());
    }
    let listed = resident() - before;
    for count in [100_000, 1_000_000] {
        let from = if count == 100_000 { 0 } else { 100_000 };
        time("memory: issue", count - from, async |index| {
            store.issue(issuer, issue(&template, tokens[from + index])).await.unwrap();
            0
        })
        .await;
        println!("memory: {} bytes per token", (resident() - before - listed) / count);
    }
    let one = tokens[500_000];
    for (name, row) in [("one token", 0), ("all over", 7919)] {
        time(&format!("memory: access, {name}"), 1_000_000, async |index| {
            let row = if row == 0 { one } else { tokens[index * row % tokens.len()] };
            let token = TokenRef::Row { row, hash: hash(row) };
            i64::from(store.access(issuer, &token).await.unwrap().is_some())
        })
        .await;
    }
    let cached = cached(Arc::clone(&store), env.clone());
    time("cached: access, one token", 1_000_000, async |_| {
        let token = TokenRef::Row { row: one, hash: hash(one) };
        i64::from(cached.access(issuer, &token).await.unwrap().is_some())
    })
    .await;
    rotate("memory: rotate", &*store, &rows, issuer, &template, 300_000).await;
}

async fn rotate(
    name: &str,
    store: &impl Store,
    rows: &RowIds,
    issuer: IssuerId,
    template: &Grant,
    count: usize,
) {
    let row = rows.draw(store).await.unwrap();
    let now = Timestamp::from_seconds(1_900_000_000);
    let family = FamilyRecord {
        row,
        grant: Grant { id: row, ..template.clone() },
        generation: 0,
        current: hash(RowId(0)),
        previous: None,
        rotated: now,
        expires: now,
        ends: now,
    };
    let access = issue(template, rows.draw(store).await.unwrap()).access;
    store.issue(issuer, Issue { access, family: Some(family) }).await.unwrap();
    time(name, count, async |index| {
        let family = store.family(issuer, row).await.unwrap().unwrap();
        let rotation = Rotation {
            family: row,
            generation: family.generation,
            presented: family.current,
            successor: Some(hash(RowId(index as i64 + 1))),
            rotated: now,
            expires: now,
            access: issue(template, rows.draw(store).await.unwrap()).access,
        };
        store.rotate(issuer, rotation).await.unwrap();
        0
    })
    .await;
}

async fn sqlite(waiters: usize) {
    let folder = tempfile::tempdir().unwrap();
    let env = Env::system();
    let store = Arc::new(SqliteStore::open(folder.path().join("ours.db"), env.clone()).unwrap());
    let issuer = issuer(&*store).await;
    let rows = Arc::new(RowIds::new(env.clone()));
    let template = template(&env);
    let plain = Arc::new(Plain::start(&folder.path().join("plain.db")));
    let per_waiter = if waiters == 1 { 200 } else { 8_000 / waiters };
    let mut figures = [const { Vec::new() }; 2];
    for _ in 0..5 {
        let ours = {
            let (store, rows, template) = (store.clone(), rows.clone(), template.clone());
            load(waiters, per_waiter, move |_| {
                let (store, rows, template) = (store.clone(), rows.clone(), template.clone());
                async move {
                    let row = rows.draw(&*store).await.unwrap();
                    store.issue(issuer, issue(&template, row)).await.unwrap();
                }
            })
            .await
        };
        figures[0].push(ours);
        let theirs = {
            let (plain, env) = (plain.clone(), env.clone());
            load(waiters, per_waiter, move |_| {
                let (plain, env) = (plain.clone(), env.clone());
                async move { plain.insert(env.random()).await }
            })
            .await
        };
        figures[1].push(theirs);
    }
    for (name, mut figures) in ["ours", "plain"].into_iter().zip(figures) {
        figures.sort_unstable();
        let (wall, cpu) = figures[2];
        println!("sqlite, {waiters:3} waiters: {name:5} {wall:6} ns a row, {cpu:6} ns of CPU");
    }
    if waiters == 1 {
        let one = rows.draw(&*store).await.unwrap();
        store.issue(issuer, issue(&template, one)).await.unwrap();
        time("sqlite: access", 100_000, async |_| {
            let token = TokenRef::Row { row: one, hash: hash(one) };
            i64::from(store.access(issuer, &token).await.unwrap().is_some())
        })
        .await;
    }
    store.close();
    let size = std::fs::metadata(folder.path().join("ours.db")).unwrap().len();
    println!("sqlite: {} bytes in the file per token", size / (5 * waiters * per_waiter) as u64);
}

/// In nanoseconds per operation, by the clock and of CPU time.
async fn load<F: Future<Output = ()> + Send>(
    waiters: usize,
    per_waiter: usize,
    operation: impl Fn(usize) -> F + Clone + Send + 'static,
) -> (u64, u64) {
    let (start, cpu) = (Instant::now(), cpu());
    let tasks: Vec<_> = (0..waiters)
        .map(|_| {
            let operation = operation.clone();
            tokio::spawn(async move {
                for index in 0..per_waiter {
                    operation(index).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let count = (waiters * per_waiter) as u64;
    let cpu = self::cpu() - cpu;
    (start.elapsed().as_nanos() as u64 / count, cpu.as_nanos() as u64 / count)
}

/// In CPU time: others may use the machine.
async fn time(name: &str, count: usize, mut operation: impl AsyncFnMut(usize) -> i64) {
    let start = cpu();
    let mut sum = 0;
    for index in 0..count {
        sum += operation(index).await;
    }
    std::hint::black_box(sum);
    println!("{name}: {} ns", (cpu() - start).as_nanos() / count as u128);
}

async fn issuer(store: &impl Store) -> IssuerId {
    let issuer = store.issuer("https://id.example").await.unwrap();
    let client: Client = serde_json::from_value(serde_json::json!({
        "id": "bench-client", "number": 1, "name": "Bench", "client_type": "confidential",
        "secrets": [], "redirect_uris": [], "scopes": "read write",
        "grant_types": ["client_credentials"], "first_party": false, "created": 0,
    }))
    .unwrap();
    store.put_client(issuer, client, None).await.unwrap();
    issuer
}

fn template(_: &Env) -> Grant {
    let client: Arc<str> = "bench-client".into();
    Grant {
        id: RowId(0),
        actor: Actor::Client(client.clone()),
        client,
        scopes: Scopes::of(["read", "write"]),
        resources: Resources::EMPTY,
        authentication: None,
        details: None,
    }
}

fn issue(template: &Grant, row: RowId) -> Issue {
    let grant = Grant { id: row, ..template.clone() };
    let expires = Timestamp::from_seconds(1_900_000_000);
    Issue {
        access: AccessRecord {
            row,
            hash: hash(row),
            grant,
            expires,
            binding: None,
            exchange: None,
        },
        family: None,
    }
}

fn hash(row: RowId) -> SecretHash {
    let mut hash = [0x5a; 32];
    hash[..8].copy_from_slice(&row.0.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64).to_be_bytes());
    hash
}

fn cpu() -> Duration {
    let mut total = 0;
    for task in std::fs::read_dir("/proc/self/task").unwrap() {
        let path = task.unwrap().path().join("schedstat");
        let text = std::fs::read_to_string(path).unwrap_or_default();
        total += text.split(' ').next().and_then(|time| time.parse().ok()).unwrap_or(0);
    }
    Duration::from_nanos(total)
}

fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

type Insert = ([u8; 32], oneshot::Sender<bool>);

struct Plain(mpsc::SyncSender<Insert>);

impl Plain {
    fn start(path: &Path) -> Self {
        let (sender, receiver) = mpsc::sync_channel::<Insert>(65_536);
        let db = rusqlite::Connection::open(path).unwrap();
        db.execute_batch(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=5000;
            PRAGMA cache_size=-65536; PRAGMA mmap_size=1073741824;
            CREATE TABLE tok(hash BLOB PRIMARY KEY, kind INTEGER NOT NULL, client TEXT NOT NULL,
                usr INTEGER NOT NULL, scope TEXT NOT NULL, exp INTEGER NOT NULL) WITHOUT ROWID",
        )
        .unwrap();
        std::thread::spawn(move || {
            let mut batch = Vec::new();
            while let Ok(first) = receiver.recv() {
                batch.push(first);
                while batch.len() < 1024 {
                    let Ok(next) = receiver.try_recv() else { break };
                    batch.push(next);
                }
                db.prepare_cached("BEGIN IMMEDIATE").unwrap().execute([]).unwrap();
                let sql =
                    "INSERT INTO tok(hash,kind,client,usr,scope,exp) VALUES(?1,?2,?3,?4,?5,?6)";
                for (hash, _) in &batch {
                    db.prepare_cached(sql)
                        .unwrap()
                        .execute(rusqlite::params![
                            &hash[..],
                            0,
                            "bench",
                            7,
                            "profile email",
                            1_900_000_000
                        ])
                        .unwrap();
                }
                db.prepare_cached("COMMIT").unwrap().execute([]).unwrap();
                for (_, reply) in batch.drain(..) {
                    let _ = reply.send(true);
                }
            }
        });
        Self(sender)
    }

    async fn insert(&self, hash: [u8; 32]) {
        let (reply, answer) = oneshot::channel();
        self.0.try_send((hash, reply)).unwrap();
        assert!(answer.await.unwrap());
    }
}
