//! A user or a client that is deleted in a transaction of the application's own.

use std::time::Duration;

use quadrille::{
    Env,
    provider::store::{
        Clients as _, Grants as _, Issue, Part as _, RowId, SqliteStore, StoreError,
    },
    testing::{ManualClock, cached},
};
use rusqlite::Connection;

use crate::{
    everything::{ALL, alive, grant_everything},
    process::{Process, folder, ready, tell},
    world::{CLIENT, access, client, grant, issuer, open, put_client, sqlite, token},
};

const ISSUER: &str = "https://id.example";

async fn people(store: &SqliteStore) -> Vec<String> {
    let people = store.read(|db| {
        let mut found = db.prepare("SELECT id FROM people ORDER BY id")?;
        let found = found.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok::<Vec<String>, StoreError>(found)
    });
    people.await.unwrap()
}

const PEOPLE: &[&str] =
    &["CREATE TABLE people (id TEXT PRIMARY KEY); INSERT INTO people VALUES ('alice'), ('bob')"];

fn delete_alice(transaction: &rusqlite::Transaction<'_>) -> Result<(), StoreError> {
    transaction.execute("DELETE FROM people WHERE id = 'alice'", [])?;
    SqliteStore::forget_subject(transaction, ISSUER, "alice")
}

#[tokio::test]
async fn a_user_and_all_grants_go_in_one_transaction_or_stay() {
    let clock = ManualClock::new();
    let (store, folder) = sqlite(clock.env());
    let serving = cached(open(folder.path(), clock.env()), clock.env());
    store.migrate("people", PEOPLE).await.unwrap();
    let issuer = issuer(&store).await;
    for (row, subject) in [(1000, "alice"), (2000, "alice"), (3000, "bob"), (4000, "bob")] {
        grant_everything(&store, issuer, (row, subject), &clock).await;
        assert!(serving.access(issuer, &token(row + 1)).await.unwrap().is_some());
    }

    let failed = store.write(|tx| {
        delete_alice(tx)?;
        Err::<(), _>(StoreError::failed("the application changed its mind"))
    });
    failed.await.unwrap_err();
    clock.advance(Duration::from_millis(500));
    assert_eq!(people(&store).await, ["alice", "bob"]);
    assert_eq!(alive(&serving, issuer, (1000, "alice"), &clock).await, ALL);

    store.write(delete_alice).await.unwrap();
    clock.advance(Duration::from_millis(500));
    assert_eq!(people(&store).await, ["bob"]);
    let dead = alive(&serving, issuer, (2000, "alice"), &clock).await;
    assert!(dead.is_empty(), "{dead:?} outlived the user");
    assert_eq!(alive(&serving, issuer, (3000, "bob"), &clock).await, ALL);

    let removed = serving.subject_since(issuer, "alice").await.unwrap().unwrap();
    assert!(removed > RowId(2000) && serving.newest().await.unwrap() >= removed);
    assert_eq!(serving.subject_since(issuer, "bob").await.unwrap(), Some(RowId(0)));
    // The next user with the subject.
    let row = removed.0 + 1;
    let next = Issue { access: access(row, grant(row, "alice"), clock.now()), family: None };
    assert!(serving.issue(issuer, next).await.unwrap());
    assert!(serving.access(issuer, &token(row)).await.unwrap().is_some());

    // A request that is under way found the user signed in.
    let late = Issue { access: access(5001, grant(5000, "alice"), clock.now()), family: None };
    assert!(!serving.issue(issuer, late).await.unwrap());
    assert_eq!(serving.access(issuer, &token(5001)).await.unwrap(), None);
    assert_eq!(alive(&serving, issuer, (4000, "bob"), &clock).await, ALL);
}

#[tokio::test]
async fn the_statements_do_the_same_with_another_driver() {
    let clock = ManualClock::new();
    let (store, folder) = sqlite(clock.env());
    let serving = cached(open(folder.path(), clock.env()), clock.env());
    let issuer = issuer(&store).await;
    let odd = "o'hara \"\\ {\u{e9}}";
    for (row, subject) in [(1000, odd), (2000, "bob")] {
        grant_everything(&store, issuer, (row, subject), &clock).await;
        assert!(serving.access(issuer, &token(row + 1)).await.unwrap().is_some());
    }
    let mut other = Connection::open(folder.path().join("quadrille.db")).unwrap();
    let forget = |other: &mut Connection, issuer: &str, commits: bool| {
        let transaction = other.transaction().unwrap();
        let rows =
            SqliteStore::FORGET_SUBJECT.map(|sql| transaction.execute(sql, [issuer, odd]).unwrap());
        if commits {
            transaction.commit().unwrap();
        }
        rows[5]
    };
    assert_eq!(forget(&mut other, ISSUER, false), 1);
    assert_eq!(forget(&mut other, "https://id.example/", true), 0, "there is no such issuer");
    clock.advance(Duration::from_millis(500));
    assert!(serving.access(issuer, &token(1001)).await.unwrap().is_some(), "rolled back");
    assert_eq!(forget(&mut other, ISSUER, true), 1);
    clock.advance(Duration::from_millis(500));
    let dead = alive(&serving, issuer, (1000, odd), &clock).await;
    assert!(dead.is_empty(), "{dead:?} outlived the user");
    assert_eq!(alive(&serving, issuer, (2000, "bob"), &clock).await, ALL);
}

#[tokio::test]
async fn a_client_and_all_grants_go_in_one_transaction_or_stay() {
    let clock = ManualClock::new();
    let (store, folder) = sqlite(clock.env());
    let serving = cached(open(folder.path(), clock.env()), clock.env());
    let issuer = issuer(&store).await;
    for (row, subject) in [(1000, "alice"), (2000, "alice")] {
        grant_everything(&store, issuer, (row, subject), &clock).await;
        assert!(serving.access(issuer, &token(row + 1)).await.unwrap().is_some());
    }
    put_client(&store, issuer, client("other", 2)).await;
    let failed = store.write(|tx| {
        SqliteStore::forget_client(tx, ISSUER, CLIENT)?;
        Err::<(), _>(StoreError::failed("the application changed its mind"))
    });
    failed.await.unwrap_err();
    clock.advance(Duration::from_millis(500));
    assert_eq!(alive(&serving, issuer, (1000, "alice"), &clock).await, ALL);

    store.write(|tx| SqliteStore::forget_client(tx, ISSUER, CLIENT)).await.unwrap();
    clock.advance(Duration::from_millis(500));
    let dead = alive(&serving, issuer, (2000, "alice"), &clock).await;
    assert!(dead.is_empty(), "{dead:?} outlived the client");
    assert_eq!(serving.client(issuer, CLIENT).await.unwrap(), None);
    assert!(serving.client(issuer, "other").await.unwrap().is_some());

    put_client(&store, issuer, client(CLIENT, 9000)).await;
    clock.advance(Duration::from_millis(500));
    let dead = alive(&serving, issuer, (2000, "alice"), &clock).await;
    assert!(dead.is_empty(), "{dead:?} came back with another client");
    let unknown = store.write(|tx| SqliteStore::forget_client(tx, "https://other.example", CLIENT));
    assert!(matches!(unknown.await, Err(StoreError::UnknownIssuer)));
}

#[tokio::test]
async fn an_issuer_that_the_store_does_not_know_is_an_error_and_deletes_nobody() {
    let (store, _folder) = sqlite(Env::system());
    store.migrate("people", PEOPLE).await.unwrap();
    issuer(&store).await;
    let deleted = store.write(|tx| {
        tx.execute("DELETE FROM people WHERE id = 'alice'", [])?;
        SqliteStore::forget_subject(tx, "https://id.example/", "alice")
    });
    assert!(matches!(deleted.await, Err(StoreError::UnknownIssuer)));
    assert_eq!(people(&store).await, ["alice", "bob"]);
}

#[tokio::test]
async fn a_process_that_is_killed_deletes_the_user_with_everything_or_nothing() {
    let clock = ManualClock::new();
    let (store, folder) = sqlite(clock.env());
    store.migrate("people", PEOPLE).await.unwrap();
    let issuer = issuer(&store).await;
    for row in [1000, 2000] {
        grant_everything(&store, issuer, (row, "alice"), &clock).await;
    }
    let test = "forget::deletes_alice_and_stops_before_the_commit";
    let mut killed = Process::start(test, folder.path(), 0);
    killed.kill();
    assert_eq!(people(&store).await, ["alice", "bob"]);
    assert_eq!(alive(&store, issuer, (1000, "alice"), &clock).await, ALL);
    let mut goes_on = Process::start(test, folder.path(), 0);
    goes_on.go();
    assert_eq!(goes_on.told(), ["deleted"]);
    assert_eq!(people(&store).await, ["bob"]);
    let dead = alive(&store, issuer, (2000, "alice"), &clock).await;
    assert!(dead.is_empty(), "{dead:?} outlived the user");
}

#[tokio::test]
#[ignore = "run by another test, as a process"]
async fn deletes_alice_and_stops_before_the_commit() {
    let store = open(&folder(), Env::system());
    let deleted = store.write(|tx| {
        delete_alice(tx)?;
        ready();
        Ok::<_, StoreError>(())
    });
    deleted.await.unwrap();
    tell("deleted");
}
