//! A key of the ring that is replaced while clients sign with secrets that it sealed.

use std::{sync::Arc, time::Duration};

use axum::{Router, routing::get};
use quadrille::{
    KeyRing, Policy, Scopes,
    guard::Access,
    oauth2::AuthMethod,
    provider::{
        AuthorizationServer, ExportedSecrets, NewClient, RegisteredAuth, ResealProgress,
        store::{MemoryStore, SqliteStore, Store, StoredTable, StoredValue, Transfer},
    },
    testing::ManualClock,
};

use crate::{
    logged::logged,
    oauth1_support::{SECRET, Signing, client, offered, problem},
    support::{CALLBACK, ISSUER, Photos, World},
};

const OLD: [u8; 32] = [7; 32];
const NEW: [u8; 32] = [9; 32];

/// The server of a world with another ring.
fn server<S: Store>(world: &World, store: &Arc<S>, keys: &[&[u8; 32]]) -> AuthorizationServer {
    AuthorizationServer::new(ISSUER, Arc::clone(store))
        .unwrap()
        .keys(KeyRing::new(keys.iter().copied()).unwrap())
        .env(world.env.clone())
        .scope::<Photos>()
        .oauth1(offered().remember_nonces_in_the_store())
}

fn counted(progress: ResealProgress) -> (u64, u64, u64, u64) {
    (progress.seen, progress.older, progress.bound, progress.unreadable)
}

/// Adds the same token credentials with an identifier that the application made.
async fn add_foreign(store: &impl Transfer) {
    let (issuer, table) = (store.issuer(ISSUER).await.unwrap(), StoredTable::TokenCredentials);
    let mut rows = store.rows(issuer, table, None, 10).await.unwrap();
    let place = table.columns().iter().position(|(name, _)| *name == "is_foreign").unwrap();
    for row in &mut rows {
        let Some(StoredValue::Number(grant)) = row.0.first_mut() else { panic!("{row:?}") };
        *grant += 1;
        *row.0.get_mut(place).unwrap() = StoredValue::Number(1);
    }
    assert_eq!(store.put_rows(issuer, table, rows).await.unwrap(), 1);
}

/// The answer of a process with this ring to a signed request.
async fn signed(world: &mut World, server: &AuthorizationServer, signing: &Signing) -> String {
    let photos = get(|_: Access<Photos>| async { "" });
    world.app = server.attach(Router::new().route("/api/photos", photos));
    world.clock.advance(Duration::from_secs(5));
    let answer = signing.photos(world).await;
    if answer.status() == 200 { "200".to_owned() } else { problem(&answer) }
}

async fn secrets_outlive_the_key_that_sealed_them<S: Store + Transfer>(
    store: S,
    clock: ManualClock,
) {
    let store = Arc::new(store);
    let new = client(NewClient::confidential("Photo printer").redirect_uri(CALLBACK));
    let with =
        |server: AuthorizationServer| server.oauth1(offered().remember_nonces_in_the_store());
    let mut world = World::build(Arc::clone(&store), clock, Policy::safe(), new, with).await;
    let signing = Signing::new(&world);
    let signing = signing.with(&signing.linked(&world, "ada").await);
    let robot =
        NewClient::confidential("Robot").auth(RegisteredAuth::ClientSecretJwt { alg: None });
    let robot = world.server.register(robot.scopes(Scopes::EMPTY)).await.unwrap();
    assert_eq!(robot.client.auth.as_ref().unwrap().method(), AuthMethod::ClientSecretJwt);

    add_foreign(&*store).await;

    let (old, both) = (server(&world, &store, &[&OLD]), server(&world, &store, &[&NEW, &OLD]));
    assert_eq!(counted(old.reseal(&*store).finish().await.unwrap()), (4, 0, 0, 0));
    let new = server(&world, &store, &[&NEW]);
    let broken = new.reseal(&*store).only_count().finish().await.unwrap();
    assert_eq!(counted(broken), (4, 0, 0, 4), "the key that sealed them is not in the ring");
    assert_eq!(counted(new.reseal(&*store).finish().await.unwrap()), (4, 0, 0, 4), "they stay");
    assert_eq!(counted(both.reseal(&*store).only_count().finish().await.unwrap()), (4, 3, 1, 0));
    // It is broken off after the clients, and begun again.
    let mut reseal = both.reseal(&*store);
    assert_eq!(reseal.next().await.unwrap().map(counted), Some((2, 2, 0, 0)));
    drop(reseal);
    assert_eq!(signed(&mut world, &both, &signing).await, "200", "requests go on meanwhile");
    assert_eq!(counted(both.reseal(&*store).finish().await.unwrap()), (4, 1, 1, 0));
    assert_eq!(counted(both.reseal(&*store).finish().await.unwrap()), (4, 0, 1, 0));
    assert_eq!(signed(&mut world, &both, &signing).await, "200");

    let new = server(&world, &store, &[&NEW]);
    let counts = counted(new.reseal(&*store).only_count().finish().await.unwrap());
    assert_eq!(counts, (4, 0, 0, 1), "what was bound to the old key has ended");
    let refused = signed(&mut world, &new, &signing).await;
    assert_eq!(refused, "token_rejected", "the identifier needs the old key");
    let kept = new.reveal_oauth1_secrets(&world.client.id).await.unwrap();
    assert_eq!(kept.iter().map(quadrille::Secret::expose).collect::<Vec<_>>(), [SECRET]);
    let kept = new.client(&robot.client.id).await.unwrap().unwrap();
    let line = new.export_client(&kept, ExportedSecrets::InPlainText).unwrap();
    assert!(line.contains(robot.secret.unwrap().expose()), "{line}");
}

#[tokio::test]
async fn in_memory_secrets_outlive_the_key_that_sealed_them() {
    let clock = ManualClock::new();
    secrets_outlive_the_key_that_sealed_them(MemoryStore::new(clock.env()), clock).await;
}

#[tokio::test]
async fn in_sqlite_secrets_outlive_the_key_that_sealed_them() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let store = SqliteStore::open(folder.path().join("id.db"), clock.env()).unwrap();
    secrets_outlive_the_key_that_sealed_them(store, clock).await;
}

#[tokio::test]
async fn a_store_that_was_used_under_another_ring_is_pointed_out() {
    let (clock, folder) = (ManualClock::new(), tempfile::tempdir().unwrap());
    let third = [8; 32];
    for (keys, is_told) in [
        (vec![&OLD], false),
        (vec![&OLD], false),
        (vec![&NEW, &OLD], false),
        (vec![&NEW], false),
        (vec![&third], true),
    ] {
        let store = SqliteStore::open(folder.path().join("id.db"), clock.env()).unwrap();
        let server = AuthorizationServer::new(ISSUER, store).unwrap().env(clock.env());
        let server = server.keys(KeyRing::new(keys.iter().copied()).unwrap());
        let (clients, told) = logged(server.clients()).await;
        assert!(clients.unwrap().is_empty());
        let words = "the store was used under another key ring";
        assert_eq!(told.contains(words), is_told, "{keys:?}: {told}");
    }
}
