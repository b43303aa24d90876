//! A user who is deleted in a transaction of the application's own.

use std::time::Duration;

use quadrille::{
    Env, Scopes,
    provider::store::{
        Answer, Approval, Bought, Consent, CredentialRecord, DeviceCode, Grant, Grants, Identifier,
        Issue, IssuerId, Outcome, PendingKind, PendingRecord, PendingState, Redeemed, RowId,
        SqliteStore, Store, StoreError, TicketUse,
    },
    testing::{ManualClock, cached},
};
use rusqlite::Connection;

use crate::{
    process::{Process, folder, ready, tell},
    world::{CLIENT, access, code, family, grant, hash, issuer, open, sqlite, token},
};

const ISSUER: &str = "https://id.example";

/// Gives a user something of each kind, in rows from `row` on.
async fn grant_everything(
    store: &impl Store,
    issuer: IssuerId,
    (row, subject): (i64, &str),
    clock: &ManualClock,
) {
    let now = clock.now();
    let of = |id| grant(id, subject);
    let issue = Issue {
        access: access(row + 1, of(row), now),
        family: Some(family(row + 2, of(row), now)),
    };
    store.issue(issuer, issue).await.unwrap();
    let mut waiting = code(row + 10, now);
    waiting.grant = of(row + 10);
    let consent = Consent {
        subject: subject.into(),
        client: CLIENT.into(),
        resources: waiting.grant.resources.clone(),
        scopes: Scopes::of(["photos"]),
        given: now,
        data: serde_json::Map::new(),
    };
    let mut ticket = [0; 16];
    ticket[..8].copy_from_slice(&row.to_be_bytes());
    let used = TicketUse { ticket, until: now + Duration::from_secs(600) };
    let answer = Answer {
        outcome: Outcome::Ticket(used, Some(waiting)),
        asked: Scopes::of(["photos"]),
        consent: Some(consent),
    };
    store.answer(issuer, answer).await.unwrap();
    for (place, kind) in [(20, "device"), (30, "credential")] {
        let pending = PendingRecord {
            row: RowId(row + place),
            identifier: Identifier::Row(hash(row + place)),
            user_code: None,
            client: CLIENT.into(),
            scopes: Scopes::of(["photos"]),
            resources: of(row).resources,
            expires: now + Duration::from_secs(600),
            state: PendingState::Approved(Approval { proof: None, grant: of(row + place + 1) }),
            kind: PendingKind::Device(DeviceCode { from: None }),
        };
        store.put_pending(issuer, pending).await.unwrap();
        if kind == "credential" {
            let access = access(row + place + 1, of(row + place + 1), now);
            let secret = b"sealed".as_slice().into();
            let bought = CredentialRecord { access: access.into(), is_foreign: false, secret };
            let bought = Bought::Credential(bought);
            let redeemed = store.redeem_pending(issuer, RowId(row + place), bought).await;
            assert_eq!(redeemed.unwrap(), Redeemed::Issued);
        }
    }
}

/// The kinds that are alive, with one code or device code redeemed if it buys something.
async fn alive(
    store: &impl Store,
    issuer: IssuerId,
    (row, subject): (i64, &str),
    clock: &ManualClock,
) -> Vec<&'static str> {
    let now = clock.now();
    let (mut alive, of) = (Vec::new(), |id| -> Grant { grant(id, subject) });
    if store.access(issuer, &token(row + 1)).await.unwrap().is_some() {
        alive.push("access token");
    }
    if store.family(issuer, RowId(row + 2)).await.unwrap().is_some() {
        alive.push("refresh token");
    }
    let issue = Issue { access: access(row + 11, of(row + 10), now), family: None };
    if store.redeem(issuer, RowId(row + 10), issue).await.unwrap() == Redeemed::Issued {
        alive.push("code");
    }
    let issue = Issue { access: access(row + 22, of(row + 21), now), family: None };
    let bought = Bought::Tokens(issue.into());
    if store.redeem_pending(issuer, RowId(row + 20), bought).await.unwrap() == Redeemed::Issued {
        alive.push("device code");
    }
    if store.credential(issuer, &token(row + 31)).await.unwrap().is_some() {
        alive.push("token credentials");
    }
    if !store.consents(issuer, subject).await.unwrap().is_empty() {
        alive.push("consent");
    }
    if !store.grants(issuer, subject).await.unwrap().is_empty() {
        alive.push("listed grant");
    }
    alive
}

const ALL: [&str; 7] = [
    "access token",
    "refresh token",
    "code",
    "device code",
    "token credentials",
    "consent",
    "listed grant",
];

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

    // A request that is under way found the user signed in.
    let late = Issue { access: access(5001, grant(5000, "alice"), clock.now()), family: None };
    serving.issue(issuer, late).await.unwrap();
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
        rows[3]
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
