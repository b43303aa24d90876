//! A rotation whose caller was told an error, and which the database receives later.

use std::time::Duration;

use quadrille::{
    Env,
    provider::store::{Grants as _, Issue, Rotated, RowId, StoreError},
};
use quadrille_sqlx::{PgStore, StoreOptions};
use sqlx::postgres::PgPoolOptions;

use super::{
    becomes,
    proxy::Network,
    world::{access, family, issuer, rotation},
};
use crate::{
    databases::{Database as _, Postgres},
    servers,
};

const LIMIT: Duration = Duration::from_millis(500);

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_that_arrives_after_it_was_given_up_does_nothing() {
    let database = Postgres::new().await;
    let network = Network::to(servers::postgres().port);
    let pool = PgPoolOptions::new().max_connections(1);
    let through = database.options().port(network.port).application_name("held back");
    let pool = pool.connect_with(through).await.unwrap();
    let options = StoreOptions::new().statement_limit(LIMIT);
    options.migrate(&pool).await.unwrap();
    let store = PgStore::open_with(pool, Env::system(), &options).await.unwrap();
    let issuer = issuer(&store).await;
    let family = family(1000);
    let issue = Issue { access: access(1000, family.grant.clone()), family: Some(family.clone()) };
    assert!(store.issue(issuer, issue).await.unwrap());
    assert_eq!(store.longest_rotation(), LIMIT);

    let all = "SELECT pid::bigint FROM pg_stat_activity WHERE application_name = 'held back'";
    let held = database.numbers(all).await;
    network.drops_packets_at("UPDATE quadrille_families t SET", false);
    let given_up = store.rotate(issuer, rotation(&family, 1001)).await;
    assert!(matches!(given_up, Err(StoreError::Unavailable(_))), "{given_up:?}");
    assert!(network.is_dropping());
    network.is_mended();
    // Until the server has read all of the connection that was given up.
    let is_over = || async { !database.numbers(all).await.iter().any(|pid| held.contains(pid)) };
    becomes("the connection ends", is_over).await;

    let find = || async { store.family(issuer, RowId(1000)).await };
    becomes("the database is within reach", || async { find().await.is_ok() }).await;
    let found = find().await.unwrap().unwrap();
    assert_eq!((found.generation, found.current), (0, family.current));
    let turned = store.rotate(issuer, rotation(&found, 1002)).await;
    assert!(matches!(turned, Ok(Rotated::Issued)), "{turned:?}");
}
