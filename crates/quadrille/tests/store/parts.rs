//! Clients and users in tables of an application's own, which change without telling.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use quadrille::{
    Timestamp,
    provider::{
        Client,
        store::{
            ClientTable, Clients as _, Grants, IssuerId, MemoryStore, Part as _, Parts, Redeemed,
            RevokeAll, RowId, SqliteStore, Store, StoreError, UserTable,
        },
    },
    testing::{ManualClock, cached},
};
use tempfile::TempDir;

use crate::{
    everything::{ALL, alive, grant_everything},
    world::{CLIENT, client, is_good, issue, issuer, sqlite, token},
};

/// One row at most. Clones share it.
#[derive(Clone, Debug, Default)]
struct Table(Arc<Mutex<Row>>);

#[derive(Clone, Debug, Default)]
enum Row {
    #[default]
    Missing,
    Fails,
    /// The number of the client.
    Client(i64),
    /// The time since which alice is a user, in seconds after the start.
    Alice(u64),
}

impl Table {
    fn set(&self, row: Row) {
        *self.0.lock().unwrap() = row;
    }

    fn row(&self) -> Result<Row, StoreError> {
        match self.0.lock().unwrap().clone() {
            Row::Fails => Err(StoreError::failed("the database is away")),
            row => Ok(row),
        }
    }
}

impl ClientTable for Table {
    async fn find(&self, id: &str) -> Result<Option<Client>, StoreError> {
        match self.row()? {
            Row::Client(number) if id.eq_ignore_ascii_case(CLIENT) => {
                Ok(Some(client(CLIENT, number)))
            }
            _ => Ok(None),
        }
    }
}

impl UserTable for Table {
    async fn since(&self, subject: &str) -> Result<Option<Timestamp>, StoreError> {
        match self.row()? {
            Row::Alice(seconds) if subject == "alice" => {
                Ok(Some(start() + Duration::from_secs(seconds)))
            }
            _ => Ok(None),
        }
    }
}

/// Grants of the tests are from the beginning of row numbers.
fn start() -> Timestamp {
    RowId(0).time()
}

fn file(clock: &ManualClock) -> (Arc<SqliteStore>, TempDir) {
    let (store, folder) = sqlite(clock.env());
    (Arc::new(store), folder)
}

struct World<S> {
    clock: ManualClock,
    users: Table,
    parts: S,
    issuer: IssuerId,
    _folder: TempDir,
}

/// A store with a table of users, and everything of alice in the rows from 1000.
async fn with_alice() -> World<impl Store> {
    let clock = ManualClock::new();
    let (store, folder) = file(&clock);
    let users = Table::default();
    users.set(Row::Alice(0));
    let parts = Parts::of(store).user_table(users.clone());
    let issuer = issuer(&parts).await;
    grant_everything(&parts, issuer, (1000, "alice"), &clock).await;
    World { clock, users, parts, issuer, _folder: folder }
}

/// Everything of alice is dead while `row` is in the table, and nothing is used up by it.
async fn blocks(
    parts: &impl Store,
    issuer: IssuerId,
    (table, blocked, unblocked): (&Table, Row, Row),
    row: i64,
    clock: &ManualClock,
) {
    let what = format!("{blocked:?}");
    table.set(blocked);
    let left = alive(parts, issuer, (row, "alice"), clock).await;
    assert!(left.is_empty(), "{left:?} lives with {what}");
    table.set(unblocked);
    assert_eq!(alive(parts, issuer, (row, "alice"), clock).await, ALL, "after {what}");
}

#[tokio::test]
async fn a_user_who_is_blocked_has_nothing_and_everything_again() {
    let World { clock, users, parts, issuer, _folder } = with_alice().await;
    blocks(&parts, issuer, (&users, Row::Missing, Row::Alice(0)), 1000, &clock).await;
    users.set(Row::Alice(1));
    assert!(!is_good(&parts, issuer, 1001).await, "it is of an earlier user with the subject");
}

#[tokio::test]
async fn a_client_that_is_blocked_has_nothing_and_everything_again() {
    let clock = ManualClock::new();
    let (store, _folder) = file(&clock);
    let clients = Table::default();
    clients.set(Row::Client(5));
    let parts = Parts::of(store).client_table(clients.clone());
    let issuer = parts_issuer(&parts).await;
    assert!(parts.client(issuer, CLIENT).await.unwrap().is_some());
    grant_everything(&parts, issuer, (1000, "alice"), &clock).await;
    blocks(&parts, issuer, (&clients, Row::Missing, Row::Client(5)), 1000, &clock).await;

    // Another client has the id, and then, by mistake, the first one again.
    grant_everything(&parts, issuer, (3000, "alice"), &clock).await;
    clients.set(Row::Client(5000));
    assert!(parts.client(issuer, CLIENT).await.unwrap().is_some());
    let left = alive(&parts, issuer, (3000, "alice"), &clock).await;
    assert!(left.is_empty(), "{left:?} was inherited");
    clients.set(Row::Client(5));
    parts.client(issuer, CLIENT).await.unwrap();
    assert!(parts.consents(issuer, "alice").await.unwrap().is_empty(), "they are gone for good");
}

async fn parts_issuer(parts: &impl Store) -> IssuerId {
    parts.issuer("https://id.example").await.unwrap()
}

#[tokio::test]
async fn a_table_that_fails_uses_nothing_up() {
    let World { clock, users, parts, issuer, _folder } = with_alice().await;
    users.set(Row::Fails);
    let code = parts.redeem(issuer, RowId(1010), issue(1011, 1010, clock.now())).await;
    assert!(matches!(code, Err(StoreError::Failed(_))), "{code:?}");
    assert!(parts.access(issuer, &token(1001)).await.is_err());
    assert!(parts.family(issuer, RowId(1002)).await.is_err());
    assert!(parts.consents(issuer, "alice").await.is_err());
    users.set(Row::Alice(0));
    assert_eq!(alive(&parts, issuer, (1000, "alice"), &clock).await, ALL);
}

#[tokio::test]
async fn a_code_that_was_redeemed_names_its_grant_also_when_the_user_is_gone() {
    let World { clock, users, parts, issuer, _folder } = with_alice().await;
    let redeem = async |row| {
        parts.redeem(issuer, RowId(row), issue(row + 1, row, clock.now())).await.unwrap()
    };
    assert_eq!(redeem(1010).await, Redeemed::Issued);
    users.set(Row::Missing);
    assert_eq!(redeem(1010).await, Redeemed::Replayed(RowId(1010)));
    assert_eq!(redeem(9999).await, Redeemed::Unknown);
}

#[tokio::test]
async fn a_cache_in_front_forgets_within_half_a_second() {
    let clock = ManualClock::new();
    let (store, _folder) = file(&clock);
    let (users, clients) = (Table::default(), Table::default());
    users.set(Row::Alice(0));
    clients.set(Row::Client(1));
    let parts = Parts::of(store).client_table(clients.clone()).user_table(users.clone());
    let serving = cached(parts, clock.env());
    let issuer = parts_issuer(&serving).await;
    serving.client(issuer, CLIENT).await.unwrap().unwrap();
    serving.issue(issuer, issue(100, 100, clock.now())).await.unwrap();
    for (table, there) in [(&users, Row::Alice(0)), (&clients, Row::Client(1))] {
        for _ in 0..2 {
            assert!(is_good(&serving, issuer, 100).await);
        }
        table.set(Row::Missing);
        assert!(is_good(&serving, issuer, 100).await, "this is what makes it fast");
        clock.advance(Duration::from_millis(500));
        assert!(!is_good(&serving, issuer, 100).await);
        table.set(there);
        assert!(is_good(&serving, issuer, 100).await, "an absence is not remembered");
    }
}

#[tokio::test]
async fn an_id_in_the_table_is_compared_with_case() {
    let clock = ManualClock::new();
    let (store, _folder) = file(&clock);
    let clients = Table::default();
    clients.set(Row::Client(1));
    let parts = Parts::of(store).client_table(clients);
    let issuer = parts_issuer(&parts).await;
    assert!(parts.client(issuer, CLIENT).await.unwrap().is_some());
    assert!(parts.client(issuer, &CLIENT.to_uppercase()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_position_of_long_ago_in_the_changes_of_two_parts_is_a_gap() {
    let clock = ManualClock::new();
    let memory = || MemoryStore::new(clock.env());
    let parts = Parts::of(Arc::new(memory())).clients(memory());
    let issuer = issuer(&parts).await;
    let start = parts.changes(issuer, -1).await.unwrap().position;
    let mut position = start;
    for _ in 0..1100 {
        let alice = RevokeAll::Subject("alice".into());
        parts.revoke_all(issuer, alice, RowId(1)).await.unwrap();
        let told = parts.changes(issuer, position).await.unwrap();
        assert_eq!((told.gap, told.changes.len()), (false, 1));
        position = told.position;
    }
    let late = parts.changes(issuer, start).await.unwrap();
    assert!(late.gap);
    assert!(!parts.changes(issuer, late.position).await.unwrap().gap);
}
