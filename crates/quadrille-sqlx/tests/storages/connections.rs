//! The connections of a pool on which accounts are read.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use quadrille::consumer::TokenStorage as _;
use quadrille_sqlx::SqliteStorage;
use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};
use tokio::task::JoinSet;

use crate::{
    databases::{Database, SqliteFile},
    world::{OLD, World, account, find, token},
};

/// A pool with one connection, and how often `before_acquire` was asked about it.
async fn with_one_connection(options: SqliteConnectOptions) -> (SqlitePool, Arc<AtomicUsize>) {
    let asked = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&asked);
    let pool = SqlitePoolOptions::new().max_connections(1).before_acquire(move |_, _| {
        counted.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { Ok(true) })
    });
    (pool.connect_with(options).await.unwrap(), asked)
}

#[tokio::test]
async fn an_account_is_read_on_an_idle_connection_untested() {
    let (database, storage) = SqliteFile::migrated().await;
    let (world, alice) = (World::new(), account("alice", "7"));
    let login = world.login(&[OLD], &storage);
    let cx = login.storage_context().unwrap();
    storage.link(&cx, &alice, &token("one")).await.unwrap();
    let (pool, asked) = with_one_connection(database.options()).await;
    let reading = SqliteStorage::new(pool.clone());
    for _ in 0..3 {
        assert!(find(&login, &reading, &alice).await.unwrap().is_some());
        while pool.num_idle() == 0 {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(asked.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn readers_wait_for_the_only_connection() {
    let (database, storage) = SqliteFile::migrated().await;
    let (world, alice) = (World::new(), account("alice", "7"));
    let login = world.login(&[OLD], &storage);
    let cx = login.storage_context().unwrap();
    storage.link(&cx, &alice, &token("one")).await.unwrap();
    let (pool, _) = with_one_connection(database.options()).await;
    let mut readers = JoinSet::new();
    for _ in 0..20 {
        let (login, alice, pool) = (login.clone(), alice.clone(), pool.clone());
        readers.spawn(async move { find(&login, &SqliteStorage::new(pool), &alice).await });
    }
    for read in readers.join_all().await {
        assert!(read.unwrap().is_some());
    }
}
