//! What goes wrong in a database.

use std::time::Duration;

use quadrille::{
    Error, KeyRing, Login, Owner,
    consumer::{Account, Change, StorageError, TokenStorage},
};
use quadrille_sqlx::SqliteStorage;
use sqlx::{Connection as _, SqliteConnection, SqlitePool};

use crate::{
    databases::{Database, Postgres, SqliteFile, down},
    on_each_database,
    world::{LEASE, NEW, OLD, World, account, find, token},
};

on_each_database! {
    a_database_that_may_not_be_written_is_503_and_loses_nothing
    a_row_opens_for_its_own_account_only
    no_token_is_in_the_database_as_it_is
    keys_may_hold_any_text_that_fits
    a_key_that_is_gone_is_not_an_account_that_is_gone
}

fn is_503(error: &Error, reason: StorageError) -> bool {
    *error == reason.into() && error.status() == 503 && error.is_transient()
}

async fn a_database_that_may_not_be_written_is_503_and_loses_nothing<D: Database>() {
    let (database, storage) = D::migrated().await;
    let (world, alice) = (World::new(), account("alice", "7"));
    let login = world.login(&[OLD], &storage);
    let cx = login.storage_context().unwrap();
    storage.link(&cx, &alice, &token("one")).await.unwrap();
    let before = find(&login, &storage, &alice).await.unwrap().unwrap();

    let only = database.open_read_only().await;
    let two = token("two");
    for error in [
        only.link(&cx, &alice, &two).await.unwrap_err(),
        only.replace(&cx, &before, Change::Token(&two)).await.unwrap_err(),
        only.replace(&cx, &before, Change::NeedsLinkingAgain).await.unwrap_err(),
        only.unlink(&cx, &alice).await.unwrap_err(),
        only.lease(&cx, &alice, 1, LEASE).await.unwrap_err(),
        only.release(&cx, &alice, 1).await.unwrap_err(),
    ] {
        assert!(is_503(&error, StorageError::Unwritable), "{error}");
    }
    assert_eq!(find(&login, &only, &alice).await.unwrap(), Some(before));
}

#[tokio::test]
async fn a_database_that_is_down_is_503() {
    let (postgres, mysql) = down();
    let (world, alice) = (World::new(), account("alice", "7"));
    let closed = SqlitePool::connect("sqlite::memory:").await.unwrap();
    closed.close().await;
    let closed = SqliteStorage::new(closed);
    let login = world.login(&[OLD], &closed);
    for error in [
        find(&login, &postgres, &alice).await.unwrap_err(),
        find(&login, &mysql, &alice).await.unwrap_err(),
        find(&login, &closed, &alice).await.unwrap_err(),
    ] {
        assert!(is_503(&error, StorageError::Unavailable), "{error}");
    }
}

#[tokio::test]
async fn a_full_database_is_503_and_loses_nothing() {
    let (database, storage) = SqliteFile::migrated().await;
    let (world, alice) = (World::new(), account("alice", "7"));
    let login = world.login(&[OLD], &storage);
    let cx = login.storage_context().unwrap();
    storage.link(&cx, &alice, &token("one")).await.unwrap();
    let before = find(&login, &storage, &alice).await.unwrap().unwrap();

    let pages = database.numbers("PRAGMA page_count").await[0].to_string();
    let full = database.options().pragma("max_page_count", pages);
    let full = SqliteStorage::new(SqlitePool::connect_with(full).await.unwrap());
    let large = token("x".repeat(100_000));
    let error = full.replace(&cx, &before, Change::Token(&large)).await.unwrap_err();
    assert!(is_503(&error, StorageError::Unwritable), "{error}");
    let error = full.link(&cx, &account("bob", "7"), &large).await.unwrap_err();
    assert!(is_503(&error, StorageError::Unwritable), "{error}");
    assert_eq!(find(&login, &full, &alice).await.unwrap(), Some(before.clone()));
    // It can be written again when there is room.
    storage.replace(&cx, &before, Change::Token(&large)).await.unwrap();
    assert!(find(&login, &full, &alice).await.unwrap().unwrap().token == large);
}

#[tokio::test]
async fn a_database_that_stays_locked_is_503() {
    let (database, storage) = SqliteFile::migrated().await;
    let (world, alice) = (World::new(), account("alice", "7"));
    let login = world.login(&[OLD], &storage);
    let cx = login.storage_context().unwrap();
    let options = database.options().busy_timeout(Duration::from_secs(2));
    let waiting = SqliteStorage::new(SqlitePool::connect_with(options.clone()).await.unwrap());
    let mut writer = SqliteConnection::connect_with(&options).await.unwrap();
    let lock = writer.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let error = waiting.link(&cx, &alice, &token("one")).await.unwrap_err();
    assert!(is_503(&error, StorageError::Unavailable), "{error}");
    drop(lock);
    writer.close().await.unwrap();
    waiting.link(&cx, &alice, &token("one")).await.unwrap();
}

#[tokio::test]
async fn a_database_that_is_slow_is_503_and_loses_nothing() {
    let (database, storage) = Postgres::migrated().await;
    let (world, alice) = (World::new(), account("alice", "7"));
    let login = world.login(&[OLD], &storage);
    let cx = login.storage_context().unwrap();
    storage.link(&cx, &alice, &token("one")).await.unwrap();
    let before = find(&login, &storage, &alice).await.unwrap().unwrap();
    let impatient = database.open_impatient().await;
    let mut other = database.connect().await;
    let mut lock = other.begin().await.unwrap();
    sqlx::query("LOCK TABLE quadrille_accounts").execute(&mut *lock).await.unwrap();
    let two = token("two");
    for error in [
        find(&login, &impatient, &alice).await.unwrap_err(),
        impatient.replace(&cx, &before, Change::Token(&two)).await.unwrap_err(),
    ] {
        assert!(is_503(&error, StorageError::Unavailable), "{error}");
    }
    lock.rollback().await.unwrap();
    assert_eq!(find(&login, &impatient, &alice).await.unwrap(), Some(before));
}

async fn a_row_opens_for_its_own_account_only<D: Database>() {
    let (database, storage) = D::migrated().await;
    let (world, alice) = (World::new(), account("alice", "7"));
    let login = world.login(&[OLD], &storage);
    let cx = login.storage_context().unwrap();
    storage.link(&cx, &alice, &token("one")).await.unwrap();
    let elsewhere = Account { service: "github~acme".into(), ..account("mallory", "8") };
    for (column, text, moved) in [
        ("owner", "u:mallory", account("mallory", "7")),
        ("subject", "8", account("mallory", "8")),
        ("service", "github~acme", elsewhere),
    ] {
        let bytes = format!("CAST('{text}' AS {})", D::BYTES);
        database.run(&format!("UPDATE quadrille_accounts SET {column} = {bytes}")).await;
        let error = find(&login, &storage, &moved).await.unwrap_err();
        assert_eq!(error, StorageError::Unreadable.into(), "{column}");
        assert_eq!(error.status(), 500);
    }
    // Nor at another site with the same keys.
    let other = Login::new(KeyRing::new([&OLD]).unwrap(), "https://other.example")
        .with(quadrille::GitHub::new("our-id", "our-secret"))
        .storage(storage.clone());
    storage.link(&cx, &alice, &token("one")).await.unwrap();
    let error = find(&other, &storage, &alice).await.unwrap_err();
    assert_eq!(error, StorageError::Unreadable.into());
}

async fn no_token_is_in_the_database_as_it_is<D: Database>() {
    let (database, storage) = D::migrated().await;
    let (world, alice) = (World::new(), account("alice", "7"));
    let login = world.login(&[OLD], &storage);
    let cx = login.storage_context().unwrap();
    storage.link(&cx, &alice, &token("one")).await.unwrap();
    let sealed = database.bytes("SELECT token FROM quadrille_accounts").await;
    assert!(sealed.len() > 50);
    assert!(!sealed.windows(6).any(|window| window == b"canary"));
}

async fn keys_may_hold_any_text_that_fits<D: Database>() {
    let (_database, storage) = D::migrated().await;
    let world = World::new();
    let login = world.login(&[OLD], &storage);
    let cx = login.storage_context().unwrap();
    let longest = "\u{1f600}".repeat(128);
    let texts = ["\0", "a\0", "a", "%_'\"\\;--", "\u{1f600}", "e\u{301}", "\u{e9}", &longest];
    let all = texts.map(|text| Account { owner: Owner::from_key(text), ..account("", text) });
    for (number, account) in all.iter().enumerate() {
        storage.link(&cx, account, &token(number)).await.unwrap();
    }
    for (number, account) in all.iter().enumerate() {
        let found = find(&login, &storage, account).await.unwrap().unwrap();
        assert!(found.account == *account && found.token == token(number), "{account:?}");
    }
    let mut page = storage.accounts(&cx, "github", None, 100).await.unwrap();
    assert!(page.is_sorted_by_key(|stored| stored.account.clone()));
    assert_eq!(page.len(), all.len());

    // What a column would cut is refused, and never found.
    let long = |text: &str| [&longest, text].concat();
    let seen = page.pop().unwrap();
    for account in [
        Account { owner: Owner::from_key(&long("a")), ..account("", "7") },
        account("alice", &long("b")),
        Account { service: "s".repeat(129).into(), ..account("alice", "7") },
    ] {
        let error = storage.link(&cx, &account, &token("long")).await.unwrap_err();
        assert_eq!(error, StorageError::KeyTooLong.into());
        assert_eq!(find(&login, &storage, &account).await.unwrap(), None);
        assert!(!storage.unlink(&cx, &account).await.unwrap());
        let error = storage.lease(&cx, &account, 1, LEASE).await.unwrap_err();
        assert_eq!(error, StorageError::KeyTooLong.into());
    }
    assert!(find(&login, &storage, &seen.account).await.unwrap().is_some());
}

async fn a_key_that_is_gone_is_not_an_account_that_is_gone<D: Database>() {
    let (_database, storage) = D::migrated().await;
    let (world, alice) = (World::new(), account("alice", "7"));
    let before = world.login(&[OLD], &storage);
    let cx = before.storage_context().unwrap();
    storage.link(&cx, &alice, &token("one")).await.unwrap();
    let after = world.login(&[NEW], &storage);
    let error = find(&after, &storage, &alice).await.unwrap_err();
    assert_eq!(error.code(), "key_unknown");
    assert!(find(&before, &storage, &alice).await.unwrap().is_some());
}
