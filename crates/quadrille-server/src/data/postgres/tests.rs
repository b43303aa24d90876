use quadrille::provider::store::Issuers as _;
use sqlx::Row as _;

use super::*;
use crate::data::{Backend as _, RecordedIssuer, tests::servers};

async fn connected(url: &str) -> Connected {
    let settings = ConnectionSettings { connections: 8, ..ConnectionSettings::default() };
    connect(&DatabaseUrl::parse(url).unwrap(), &settings).await.unwrap()
}

async fn setting(connected: &Connected, name: &str) -> String {
    let setting = sqlx::query_scalar("SELECT current_setting($1)").bind(name);
    setting.fetch_one(&connected.pool).await.unwrap()
}

#[tokio::test]
async fn a_commit_waits_for_the_disk_where_the_database_says_otherwise() {
    let url = servers::postgres_database();
    for (options, expected) in [
        ("?options=-c%20synchronous_commit%3Doff", "on"),
        ("?options=-c%20synchronous_commit%3Dremote_write", "remote_write"),
        ("", "on"),
    ] {
        let connected = connected(&[&url, options].concat()).await;
        assert_eq!(setting(&connected, "synchronous_commit").await, expected, "{options}");
        assert_eq!(setting(&connected, "lock_timeout").await, "2s");
        assert_eq!(setting(&connected, "statement_timeout").await, "10s");
    }
}

#[tokio::test]
async fn a_database_that_may_not_be_written_is_not_ready() {
    let url = servers::postgres_database();
    let backend =
        PostgresBackend::open(connected(&url).await, Env::system(), Opening::Made).await.unwrap();
    backend.check().await.unwrap();
    let only = "?options=-c%20default_transaction_read_only%3Don";
    let only = connected(&[&url, only].concat()).await;
    let only = PostgresBackend::open(only, Env::system(), Opening::Made).await.unwrap();
    let checked = only.check().await;
    assert!(matches!(checked, Err(StoreError::ReadOnly)), "{checked:?}");
}

/// So processes whose clocks differ forgive no guesses.
#[tokio::test]
async fn failures_are_counted_by_the_clock_of_the_database() {
    let url = servers::postgres_database();
    let backend =
        PostgresBackend::open(connected(&url).await, Env::system(), Opening::Made).await.unwrap();
    let (now, hour) = (Env::system().now(), Duration::from_secs(3600));
    for clock in [now - hour, now + hour] {
        let time = backend.clock(clock).await.unwrap();
        assert!(now - hour / 2 < time && time < now + hour / 2, "{time:?}");
    }
}

/// Behind a pooler in transaction mode, which does not know prepared statements, and with
/// settings of a session that others change.
#[tokio::test]
async fn a_pooler_is_noticed_and_each_transaction_has_its_own_settings() {
    let url = servers::postgres_database();
    let direct = connected(&url).await;
    assert!(!direct.is_pooled);
    let port = format!(":{}/", servers::postgres().port);
    let pooled = url.replace(&port, &format!(":{}/", servers::pgbouncer().port));
    let pooled = connected(&pooled).await;
    assert!(pooled.is_pooled);
    let backend = PostgresBackend::open(pooled, Env::system(), Opening::Made).await.unwrap();
    let careless = "SET synchronous_commit = off; SET lock_timeout = 0";
    for _ in 0..4 {
        sqlx::raw_sql(careless).execute(&backend.pool).await.unwrap();
    }
    let setting = async |name: &str| -> String {
        let setting = sqlx::query("SELECT current_setting($1)").bind(name);
        backend.store.fetch(setting).await.unwrap()[0].get(0)
    };
    assert_eq!(setting("synchronous_commit").await, "on");
    assert_eq!(setting("lock_timeout").await, "2s");
    // Statements of many connections, of which each would have its own numbers for them.
    let all = (0..40).map(|_| async { backend.mark().await.unwrap() });
    let mut all = all.map(Box::pin).collect::<Vec<_>>();
    while let Some(one) = all.pop() {
        let (first, second) = tokio::join!(one, backend.has_users());
        assert!(!first.is_empty() && !second.unwrap());
    }
}

#[tokio::test]
async fn statements_that_are_prepared_behind_a_pooler_that_knows_none_fail_with_its_name() {
    let url = servers::postgres_database();
    let port = format!(":{}/", servers::postgres().port);
    let url = url.replace(&port, &format!(":{}/", servers::pgbouncer().port));
    let prepared = ConnectionSettings {
        prepared_statements: Some(true),
        connections: 2,
        ..ConnectionSettings::default()
    };
    let url = DatabaseUrl::parse(&url).unwrap();
    let mut backends = Vec::new();
    // The second process has the first one's connection of the pooler, with its statements.
    let error = loop {
        let connected = connect(&url, &prepared).await.unwrap();
        match PostgresBackend::open(connected, Env::system(), Opening::Made).await {
            Ok(backend) => backends.push(backend),
            Err(error) => break error,
        }
        assert!(backends.len() < 20);
    };
    assert!(error.to_string().contains("a pooler such as PgBouncer"), "{error}");
}

/// A process that has a lease may issue tokens, which would not be in the new database.
#[tokio::test]
async fn a_note_is_replaced_only_while_no_process_holds_a_lease() {
    let url = servers::postgres_database();
    let backend =
        PostgresBackend::open(connected(&url).await, Env::system(), Opening::Made).await.unwrap();
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

/// A connection that listened through the pooler would leave what it asked for to others.
#[tokio::test]
async fn behind_a_pooler_announcements_break_off_no_statement() {
    let url = servers::postgres_database();
    let port = format!(":{}/", servers::postgres().port);
    let pooled = url.replace(&port, &format!(":{}/", servers::pgbouncer().port));
    let open = async |url: &str| {
        PostgresBackend::open(connected(url).await, Env::system(), Opening::Made).await
    };
    let (direct, pooled) = (open(&url).await.unwrap(), open(&pooled).await.unwrap());
    pooled.listen(None).unwrap();
    for _ in 0..200 {
        pooled.store.announce().await;
        direct.store.announce().await;
        pooled.mark().await.unwrap();
    }
}

#[tokio::test]
async fn a_process_hears_of_other_keys_and_of_another_issuer() {
    let url = servers::postgres_database();
    let backend = || async {
        PostgresBackend::open(connected(&url).await, Env::system(), Opening::Made).await
    };
    let (listening, other) = (backend().await.unwrap(), backend().await.unwrap());
    listening.listen(None).unwrap();
    let hour = Duration::from_secs(3600);
    // That it listens.
    let mut heard = listening.announced_after(0, hour).await;
    assert!(other.replace_sealed(Sealed::SigningKeys, None, b"sealed".to_vec()).await.unwrap());
    heard = listening.announced_after(heard, hour).await;
    assert!(!other.replace_sealed(Sealed::SigningKeys, None, b"other".to_vec()).await.unwrap());
    let issuer = "https://id.example".to_owned();
    other.record_issuer(RecordedIssuer { issuer, given: true }, None).await.unwrap();
    assert_eq!(listening.announced_after(heard, hour).await, heard + 1);
}

crate::data::tests::contract::backend_contract!(async |_| {
    let connected = connected(&servers::postgres_database()).await;
    PostgresBackend::open(connected, Env::system(), Opening::Made).await
});

mod behind_pgbouncer {
    use super::*;

    crate::data::tests::contract::backend_contract!(async |_| {
        let port = format!(":{}/", servers::postgres().port);
        let url = servers::postgres_database();
        let url = url.replace(&port, &format!(":{}/", servers::pgbouncer().port));
        PostgresBackend::open(connected(&url).await, Env::system(), Opening::Made).await
    });
}
