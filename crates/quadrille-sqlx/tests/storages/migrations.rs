//! The tables.

use quadrille::consumer::{StorageError, TokenStorage};
use quadrille_sqlx::MigrateError;
use tokio::task::JoinSet;

use crate::{
    databases::{Database, Storage as _},
    on_each_database,
    world::{OLD, World, account, find, token},
};

on_each_database! {
    processes_that_start_at_once_make_the_tables_once
    a_database_of_a_newer_version_is_left_alone
    migrations_may_be_run_by_hand
    the_version_before_finds_its_accounts_and_so_does_the_next_one
    the_way_back_leaves_other_versions_alone
    a_database_without_tables_says_so
    tables_with_two_prefixes_are_apart
}

async fn processes_that_start_at_once_make_the_tables_once<D: Database>() {
    let database = D::new().await;
    let mut processes = Vec::new();
    for _ in 0..8 {
        processes.push(database.open().await);
    }
    let mut all = JoinSet::new();
    for storage in processes {
        all.spawn(async move { storage.migrate().await });
    }
    for migrated in all.join_all().await {
        assert_eq!(migrated, Ok(()));
    }
    assert_eq!(database.numbers(VERSIONS).await, [1, 2]);

    // Again, with accounts in them, and without the right to write.
    let (world, storage) = (World::new(), database.open().await);
    let login = world.login(&[OLD], &storage);
    let (cx, alice) = (login.storage_context().unwrap(), account("alice", "7"));
    storage.link(&cx, &alice, &token("one")).await.unwrap();
    assert_eq!(storage.migrate().await, Ok(()));
    assert_eq!(database.open_read_only().await.migrate().await, Ok(()));
    assert!(find(&login, &storage, &alice).await.unwrap().is_some());
}

async fn a_database_of_a_newer_version_is_left_alone<D: Database>() {
    let (database, storage) = D::migrated().await;
    database.run("INSERT INTO quadrille_migrations (version) VALUES (7)").await;
    let newer = Err(MigrateError::Newer { found: 7, known: 2 });
    assert_eq!(storage.check().await, newer);
    assert_eq!(storage.migrate().await, newer);
    assert_eq!(database.numbers(VERSIONS).await, [1, 2, 7]);
}

async fn migrations_may_be_run_by_hand<D: Database>() {
    let database = D::new().await;
    let storage = database.open_with("by_hand_").await;
    assert_eq!(storage.check().await, Err(MigrateError::Older { found: 0, known: 2 }));
    database.run(&storage.migrations_sql()).await;
    assert_eq!(storage.check().await, Ok(()));
    assert_eq!(storage.migrate().await, Ok(()));
    let (world, alice) = (World::new(), account("alice", "7"));
    let login = world.login(&[OLD], &storage);
    let cx = login.storage_context().unwrap();
    storage.link(&cx, &alice, &token("one")).await.unwrap();
    assert_eq!(database.numbers("SELECT linked FROM by_hand_accounts").await, [1]);
}

const VERSIONS: &str = "SELECT version FROM quadrille_migrations ORDER BY version";

async fn the_version_before_finds_its_accounts_and_so_does_the_next_one<D: Database>() {
    let (database, storage) = D::migrated().await;
    let (world, alice) = (World::new(), account("alice", "7"));
    let login = world.login(&[OLD], &storage);
    let cx = login.storage_context().unwrap();
    storage.link(&cx, &alice, &token("one")).await.unwrap();
    database.run("INSERT INTO quadrille_users (id, ways) VALUES (1, 0)").await;

    // By hand, while nobody reads, and by processes that do it at once.
    for by_hand in [true, false] {
        if by_hand {
            database.run(&storage.migrations_back_sql().unwrap()).await;
        } else {
            let mut processes = Vec::new();
            for _ in 0..4 {
                processes.push(database.open().await);
            }
            let mut all = JoinSet::new();
            for storage in processes {
                all.spawn(async move { storage.migrate_back().await });
            }
            assert_eq!(all.join_all().await, [Ok(()); 4]);
        }
        assert_eq!(database.numbers(VERSIONS).await, [1]);
        assert_eq!(storage.check().await, Err(MigrateError::Older { found: 1, known: 2 }));
        assert_eq!(storage.migrate_back().await, Ok(()));
        assert!(find(&login, &storage, &alice).await.unwrap().is_some());

        assert_eq!(storage.migrate().await, Ok(()));
        assert_eq!(database.numbers(VERSIONS).await, [1, 2]);
        assert!(find(&login, &storage, &alice).await.unwrap().is_some());
        assert_eq!(database.numbers("SELECT COUNT(*) FROM quadrille_users").await, [0]);
    }
}

async fn the_way_back_leaves_other_versions_alone<D: Database>() {
    let (database, storage) = D::migrated().await;
    database.run("INSERT INTO quadrille_users (id, ways) VALUES (1, 0)").await;
    database.run("INSERT INTO quadrille_migrations (version) VALUES (7)").await;
    let newer = Err(MigrateError::Newer { found: 7, known: 2 });
    assert_eq!(storage.migrate_back().await, newer);
    assert_eq!(database.numbers(VERSIONS).await, [1, 2, 7]);
    assert_eq!(database.numbers("SELECT id FROM quadrille_users").await, [1]);

    let none = D::new().await.open().await;
    assert_eq!(none.migrate_back().await, Err(MigrateError::Older { found: 0, known: 1 }));
}

async fn a_database_without_tables_says_so<D: Database>() {
    let database = D::new().await;
    let storage = database.open().await;
    let (world, alice) = (World::new(), account("alice", "7"));
    let login = world.login(&[OLD], &storage);
    let cx = login.storage_context().unwrap();
    let error = find(&login, &storage, &alice).await.unwrap_err();
    assert_eq!(error, StorageError::NotMigrated.into());
    let error = storage.link(&cx, &alice, &token("one")).await.unwrap_err();
    assert_eq!((error.status().as_u16(), error), (500, StorageError::NotMigrated.into()));
}

async fn tables_with_two_prefixes_are_apart<D: Database>() {
    let database = D::new().await;
    let (one, two) = (database.open_with("one_").await, database.open_with("two_").await);
    one.migrate().await.unwrap();
    two.migrate().await.unwrap();
    let (world, alice) = (World::new(), account("alice", "7"));
    let login = world.login(&[OLD], &one);
    one.link(&login.storage_context().unwrap(), &alice, &token("one")).await.unwrap();
    assert!(find(&login, &one, &alice).await.unwrap().is_some());
    assert!(find(&login, &two, &alice).await.unwrap().is_none());
}
