use quadrille::provider::store::Issuers as _;

use super::*;
use crate::{
    config::{ConnectionSettings, DatabaseUrl},
    data::{
        Backend as _,
        tests::{
            servers,
            world::{Tested, add, none, session},
        },
    },
    sessions::Session,
};

async fn connected(url: &str) -> Connected {
    let settings = ConnectionSettings { connections: 8, ..ConnectionSettings::default() };
    connect(&DatabaseUrl::parse(url).unwrap(), &settings).await.unwrap()
}

async fn opened() -> Result<MySqlBackend, StoreError> {
    let connected = connected(&servers::mariadb_database()).await;
    MySqlBackend::open(connected, Env::system(), Opening::Made).await
}

#[tokio::test]
async fn statements_are_bounded_and_see_what_others_have_committed() {
    let connected = connected(&servers::mariadb_database()).await;
    let settings = "SELECT concat_ws(' ', @@innodb_lock_wait_timeout, @@max_statement_time,
        @@tx_isolation, @@autocommit)";
    let found: Vec<u8> = sqlx::query_scalar(settings).fetch_one(&connected.pool).await.unwrap();
    assert_eq!(String::from_utf8(found).unwrap(), "2 10.000000 READ-COMMITTED ON");
    assert!(!connected.is_durable, "as the server of the tests says");
}

/// The server of the tests would cut it.
#[tokio::test]
async fn what_does_not_fit_is_refused_and_not_cut() {
    let backend: Tested = Arc::new(opened().await.unwrap());
    let user = add(&backend, "ada").await;
    let long = Session { name: "x".repeat(65).into(), ..session(&user, 1) };
    let refused = backend.open_session(long, None, none()).await;
    assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
    assert_eq!(backend.sessions_of(&user.subject).await.unwrap(), []);
}

/// So processes whose clocks differ forgive no guesses.
#[tokio::test]
async fn failures_are_counted_by_the_clock_of_the_database() {
    let backend = opened().await.unwrap();
    let (now, hour) = (Env::system().now(), Duration::from_secs(3600));
    for clock in [now - hour, now + hour] {
        let time = backend.clock(clock).await.unwrap();
        assert!(now - hour / 2 < time && time < now + hour / 2, "{time:?}");
    }
}

/// A process that has a lease may issue tokens, which would not be in the new database.
#[tokio::test]
async fn a_note_is_replaced_only_while_no_process_holds_a_lease() {
    let backend = opened().await.unwrap();
    let now = Env::system().now();
    let (before, after) = (b"before".to_vec(), b"after".to_vec());
    backend.replace_sealed(Sealed::Moved, None, before.clone()).await.unwrap();
    let lease = backend.store.lease(None, [7; 16], now, now + Duration::from_secs(60)).await;
    let lease = lease.unwrap();
    let replace = |before: &[u8]| {
        backend.replace_unless_leased(Sealed::Moved, before.to_vec(), after.clone(), now)
    };
    assert!(!replace(&before).await.unwrap());
    assert_eq!(backend.leases(now).await.unwrap(), 1);
    backend.store.lease(Some(lease), [7; 16], now, now).await.unwrap();
    assert!(!replace(&after).await.unwrap(), "it is not as it was read");
    assert!(replace(&before).await.unwrap());
}

crate::data::tests::contract::backend_contract!(async |_| opened().await);
