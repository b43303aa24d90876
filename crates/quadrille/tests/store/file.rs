//! The file: who may read it, what is said when it is not as it should be, and what its writer does
//! when something fails.

use std::{
    path::Path,
    sync::{Arc, mpsc},
    time::Duration,
};

use quadrille::{
    Env,
    provider::store::{
        Grants as _, Issuers as _, OnceKeys as _, Part as _, PendingKind, PendingRef, PendingState,
        RowId, SWEEP_DELAY, SqliteStore, StoreError, TokenRef,
    },
    testing::ManualClock,
};
use rusqlite::Connection;

use crate::world::{access, code, grant, hash, is_good, issue, issuer, open, sqlite};

fn failure(path: &Path) -> StoreError {
    SqliteStore::open(path, Env::system()).unwrap_err()
}

#[cfg(unix)]
#[tokio::test]
async fn it_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;

    let (store, folder) = sqlite(Env::system());
    issuer(&store).await;
    let mut count = 0;
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
        count += 1;
    }
    assert_eq!(count, 3, "the database, its log, and the log's index");
}

#[tokio::test]
async fn no_secret_and_no_foreign_uri_gets_into_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("file:odd?mode=memory")).unwrap();
    let path = folder.path().join("file:odd?mode=memory").join("a b.db");
    let store = SqliteStore::open(&path, Env::system()).unwrap();
    issuer(&store).await;
    assert!(path.exists());
}

#[test]
fn a_folder_that_is_not_there_is_told_from_a_bad_file() {
    let folder = tempfile::tempdir().unwrap();
    let missing = failure(&folder.path().join("nowhere").join("quadrille.db"));
    assert!(matches!(missing, StoreError::Unopenable(_)), "{missing:?}");
    let directory = failure(folder.path());
    assert!(matches!(directory, StoreError::Unopenable(_)), "{directory:?}");

    let garbage = folder.path().join("garbage.db");
    std::fs::write(&garbage, [b'x'; 10_000]).unwrap();
    let error = failure(&garbage);
    assert!(matches!(error, StoreError::Corrupt(_)), "{error:?}");
    assert!(error.to_string().contains("restore it from a backup"));
    assert_eq!(std::fs::read(&garbage).unwrap(), [b'x'; 10_000], "it is left as it was");
}

#[tokio::test]
async fn a_file_from_a_later_version_is_refused() {
    let (store, folder) = sqlite(Env::system());
    let later = "INSERT INTO quadrille_migrations (namespace, version, applied)
        VALUES ('quadrille/store', 99, 0)";
    store.write(move |tx| Ok::<_, StoreError>(tx.execute_batch(later)?)).await.unwrap();
    drop(store);
    let error = failure(&folder.path().join("quadrille.db"));
    assert!(matches!(error, StoreError::Newer { found: 99, known: 1..99 }), "{error:?}");
    assert!(error.to_string().contains("99"));
}

/// The file as it was with three migrations: temporary credentials in each state, in rows 1 to 4,
/// of which the last has an identifier of others.
const WITH_TEMPORARY_CREDENTIALS: &str = "
    INSERT INTO quadrille_issuers (number, issuer) VALUES (1, 'https://id.example');
    INSERT INTO quadrille_temporary_credentials
        (row, issuer, identifier, is_foreign, secret, client, callback, asked, expires, state)
        VALUES (1, 1, zeroblob(32), 0, x'00ff', 'app', 'https://app.example/?a=b%20c', 'a b', 9000, 0),
        (2, 1, zeroblob(32), 0, x'00ff', 'app', 'oob', 'a b', 9000, 1),
        (3, 1, zeroblob(32), 0, x'00ff', 'app', 'oob', '', 9000, 2),
        (4, 1, zeroblob(32), 1, x'', 'app', 'oob', '', 9000, 3);
    UPDATE quadrille_temporary_credentials SET verifier = zeroblob(32), grant_id = row + 10,
        actor = 'ualice', scopes = 'a', resources = '', auth = '{\"at\":7}' WHERE state IN (1, 2);";

#[tokio::test]
async fn a_file_from_an_earlier_version_keeps_what_waits_for_a_user() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("quadrille.db");
    let old = Connection::open(&path).unwrap();
    old.execute_batch(
        "CREATE TABLE quadrille_migrations (namespace TEXT NOT NULL, version INTEGER NOT NULL,
        applied INTEGER NOT NULL, PRIMARY KEY (namespace, version)) STRICT, WITHOUT ROWID;
        INSERT INTO quadrille_migrations VALUES ('quadrille/store', 1, 0), ('quadrille/store', 2, 0),
        ('quadrille/store', 3, 0);",
    )
    .unwrap();
    for migration in [
        include_str!("../../migrations/sqlite/0001_store.sql"),
        include_str!("../../migrations/sqlite/0002_oauth1.sql"),
        include_str!("../../migrations/sqlite/0003_newest.sql"),
        WITH_TEMPORARY_CREDENTIALS,
    ] {
        old.execute_batch(migration).unwrap();
    }
    drop(old);

    let store = SqliteStore::open(&path, Env::system()).unwrap();
    let issuer = store.issuer("https://id.example").await.unwrap();
    let mut states = Vec::new();
    for row in 1..=4 {
        let token = match row {
            4 => TokenRef::Foreign { hash: [0; 32] },
            _ => TokenRef::Row { row: RowId(row), hash: [0; 32] },
        };
        let found = store.pending(issuer, &PendingRef::Identifier(token)).await.unwrap().unwrap();
        assert_eq!((&*found.client, found.expires.seconds()), ("app", 9000));
        assert_eq!(found.scopes.as_str(), if row < 3 { "a b" } else { "" });
        let PendingKind::Temporary(temporary) = &found.kind else { panic!("{found:?}") };
        assert_eq!(&*temporary.secret, if row < 4 { &[0_u8, 0xff][..] } else { &[] });
        let callback = temporary.callback.as_ref().map(ToString::to_string);
        assert_eq!(callback.as_deref(), (row == 1).then_some("https://app.example/?a=b%20c"));
        states.push(found.state.clone());
    }
    let [
        PendingState::Pending,
        PendingState::Approved(approved),
        PendingState::Redeemed(redeemed),
        PendingState::Denied,
    ] = &states[..]
    else {
        panic!("{states:?}")
    };
    for (approval, number) in [(approved, 12), (redeemed, 13)] {
        assert_eq!(approval.proof, Some([0; 32]));
        let grant = &approval.grant;
        assert_eq!((grant.id, grant.scopes.as_str()), (RowId(number), "a"));
        assert_eq!(grant.authentication.as_ref().unwrap().auth_time.seconds(), 7);
    }
    assert_eq!(store.newest().await.unwrap(), RowId(4));
}

/// What an application has in the file before the store comes to it.
const AN_APPLICATION: &str = "
    CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    CREATE TABLE sessions (id TEXT PRIMARY KEY, user INTEGER NOT NULL);
    CREATE TABLE clients (id INTEGER PRIMARY KEY, company TEXT NOT NULL);
    CREATE TABLE tickets (id INTEGER PRIMARY KEY, complaint TEXT NOT NULL);
    CREATE TABLE migrations (version INTEGER PRIMARY KEY);
    CREATE TABLE issuers (bank TEXT); CREATE TABLE workers (name TEXT);
    CREATE TABLE changes (what TEXT); CREATE TABLE codes (area TEXT);
    CREATE TABLE access_tokens (token TEXT); CREATE TABLE families (name TEXT);
    CREATE TABLE foreign_tokens (token TEXT); CREATE TABLE once (upon TEXT);
    CREATE TABLE consents (given TEXT); CREATE TABLE revoked (what TEXT);
    CREATE TABLE cut (film TEXT); CREATE TABLE temporary_credentials (badge TEXT);
    CREATE TABLE pending (what TEXT);
    CREATE TABLE token_credentials (token TEXT); CREATE TABLE program_users (name TEXT);
    CREATE TABLE program_issuer (name TEXT);
    CREATE INDEX sessions_of_subject ON sessions (user);
    CREATE INDEX foreign_temporary_credentials ON temporary_credentials (badge);
    CREATE INDEX pending_of_user_code ON pending (what);
    CREATE INDEX foreign_token_credentials ON token_credentials (token);
    CREATE INDEX token_credentials_of_actor ON token_credentials (token);
    CREATE VIEW broken AS SELECT * FROM not_there_any_more;
    CREATE TRIGGER on_sessions AFTER DELETE ON sessions BEGIN DELETE FROM clients; END;
    INSERT INTO users VALUES (1, 'ada'); INSERT INTO sessions VALUES ('abc', 1);
    INSERT INTO clients VALUES (1, 'Acme'); INSERT INTO tickets VALUES (1, 'too loud');
    INSERT INTO migrations VALUES (41);
    PRAGMA user_version = 41; PRAGMA application_id = 271828;";

/// The application's part of the file: its schema, rows and numbers.
fn the_applications(db: &Connection) -> Vec<String> {
    let all = |sql: &str| {
        let mut statement = db.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        rows.collect::<Result<Vec<_>, _>>().unwrap()
    };
    [
        all("SELECT name || coalesce(sql, '') FROM sqlite_schema
            WHERE tbl_name NOT LIKE 'quadrille\\_%' ESCAPE '\\' ORDER BY name"),
        all("SELECT id || user FROM sessions"),
        all("SELECT id || company FROM clients"),
        all("SELECT id || complaint FROM tickets"),
        all("SELECT version || '' FROM migrations"),
        all("SELECT user_version || '' FROM pragma_user_version"),
        all("SELECT application_id || '' FROM pragma_application_id"),
    ]
    .concat()
}

#[tokio::test]
async fn an_application_keeps_its_tables_of_the_same_names_in_the_same_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("application.db");
    let application = Connection::open(&path).unwrap();
    application.execute_batch(AN_APPLICATION).unwrap();
    let before = the_applications(&application);
    assert!(before.contains(&"1Acme".to_owned()) && before.contains(&"271828".to_owned()));

    let clock = ManualClock::new();
    let store = SqliteStore::open(&path, clock.env()).unwrap();
    let issuer = issuer(&store).await;
    for row in 100..200 {
        store.issue(issuer, issue(row, row, clock.now())).await.unwrap();
    }
    clock.advance(Duration::from_hours(24 * 400));
    assert_eq!(store.sweep(clock.now()).await.unwrap(), 100);
    assert_eq!(the_applications(&application), before);

    let ours = "SELECT count(*) FROM sqlite_schema WHERE tbl_name LIKE 'quadrille%'
        AND name NOT LIKE 'quadrille\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let odd: i64 = application.query_row(ours, [], |row| row.get(0)).unwrap();
    assert_eq!(odd, 0, "each of ours begins with quadrille_");
}

#[tokio::test]
async fn an_application_may_call_its_own_migrations_quadrille() {
    let (store, _folder) = sqlite(Env::system());
    let own: &[&str] = &["CREATE TABLE clients (company TEXT)", "CREATE TABLE more (x TEXT)"];
    store.migrate("quadrille", own).await.unwrap();
    let count = "SELECT count(*) FROM sqlite_schema WHERE name IN ('clients', 'more')";
    let count = store.read(|db| Ok::<i64, StoreError>(db.query_row(count, [], |row| row.get(0))?));
    assert_eq!(count.await.unwrap(), 2);
}

#[tokio::test]
async fn a_damaged_row_is_told_and_spoils_no_other() {
    let (store, _folder) = sqlite(Env::system());
    let issuer = issuer(&store).await;
    let now = Env::system().now();
    for row in [100, 101] {
        store.put_code(issuer, code(row, now)).await.unwrap();
    }
    let damage = "UPDATE quadrille_codes SET auth = '{' WHERE row = 100";
    store.write(move |tx| Ok::<_, StoreError>(tx.execute_batch(damage)?)).await.unwrap();
    let error = store.code(issuer, RowId(100)).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt("an authentication")), "{error:?}");
    assert!(store.code(issuer, RowId(101)).await.unwrap().is_some());
}

#[tokio::test]
async fn a_full_disk_is_told_and_nothing_needs_a_restart_afterwards() {
    let (store, _folder) = sqlite(Env::system());
    let issuer = issuer(&store).await;
    let now = Env::system().now();
    limit(&store, "PRAGMA max_page_count = 1").await;
    let mut row = 1000;
    let error = loop {
        match store.issue(issuer, issue(row, row, now)).await {
            Ok(_) => row += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::Full), "{error:?}");
    assert!(!is_good(&store, issuer, row).await);
    assert!(is_good(&store, issuer, row - 1).await, "it can still be read");
    limit(&store, "PRAGMA max_page_count = 100000").await;
    store.issue(issuer, issue(row, row, now)).await.unwrap();
    assert!(is_good(&store, issuer, row).await);
}

#[tokio::test]
async fn a_read_only_file_is_told() {
    let (store, _folder) = sqlite(Env::system());
    let issuer = issuer(&store).await;
    let now = Env::system().now();
    store.issue(issuer, issue(100, 100, now)).await.unwrap();
    limit(&store, "PRAGMA query_only = 1").await;
    let error = store.issue(issuer, issue(101, 101, now)).await.unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly), "{error:?}");
    assert!(is_good(&store, issuer, 100).await);
}

/// Sets something on the writer's connection.
async fn limit(store: &SqliteStore, pragma: &'static str) {
    let set = move |db: &Connection| db.query_row(pragma, [], |_| Ok(()));
    let done = store.write(move |tx| Ok::<_, StoreError>(set(tx))).await;
    // Some answer with a row, and some do not.
    assert!(matches!(done, Ok(Ok(()) | Err(rusqlite::Error::QueryReturnedNoRows))), "{done:?}");
}

#[tokio::test]
async fn a_lock_held_by_another_program_is_waited_for_then_told_and_stops_no_reader() {
    let (store, folder) = sqlite(Env::system());
    let issuer = issuer(&store).await;
    let now = Env::system().now();
    store.issue(issuer, issue(100, 100, now)).await.unwrap();
    let other = Connection::open(folder.path().join("quadrille.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let store = Arc::new(store);
    let blocked = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.issue(issuer, issue(101, 101, now)).await }
    });
    tokio::task::yield_now().await;
    assert!(is_good(&*store, issuer, 100).await);
    let error = blocked.await.unwrap().unwrap_err();
    assert!(matches!(error, StoreError::Busy), "{error:?}");
    let waiting = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.issue(issuer, issue(101, 101, now)).await }
    });
    tokio::task::yield_now().await;
    other.execute_batch("COMMIT").unwrap();
    waiting.await.unwrap().unwrap();
    assert!(is_good(&*store, issuer, 101).await);
}

/// Has the writer wait, so that what is asked for meanwhile is done together.
struct Held {
    release: mpsc::Sender<()>,
    task: tokio::task::JoinHandle<Result<(), StoreError>>,
}

impl Held {
    async fn new(store: &Arc<SqliteStore>) -> Self {
        let (release, wait) = mpsc::channel::<()>();
        let (started, start) = tokio::sync::oneshot::channel();
        let store = Arc::clone(store);
        let task = tokio::spawn(async move {
            let hold = move |_: &rusqlite::Transaction<'_>| {
                started.send(()).unwrap();
                wait.recv().unwrap();
                Ok(())
            };
            store.write(hold).await
        });
        start.await.unwrap();
        Self { release, task }
    }

    async fn release(self) {
        self.release.send(()).unwrap();
        self.task.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_write_that_fails_does_not_fail_its_neighbours() {
    let (store, _folder) = sqlite(Env::system());
    let issuer = issuer(&store).await;
    let now = Env::system().now();
    store.issue(issuer, issue(120, 120, now)).await.unwrap();
    let store = Arc::new(store);
    let held = Held::new(&store).await;
    let tasks: Vec<_> = (100..150)
        .map(|row| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.issue(issuer, issue(row, row, now)).await })
        })
        .collect();
    tokio::task::yield_now().await;
    held.release().await;
    for (row, task) in (100..).zip(tasks) {
        let done = task.await.unwrap();
        assert_eq!(done.is_ok(), row != 120, "{row}: {done:?}");
        assert!(is_good(&*store, issuer, row).await);
    }
}

#[tokio::test]
async fn closing_does_what_is_waiting_and_takes_no_more() {
    let (store, folder) = sqlite(Env::system());
    let issuer = issuer(&store).await;
    let now = Env::system().now();
    let store = Arc::new(store);
    let held = Held::new(&store).await;
    let tasks: Vec<_> = (100..150)
        .map(|row| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.issue(issuer, issue(row, row, now)).await })
        })
        .collect();
    tokio::task::yield_now().await;
    let closing = tokio::task::spawn_blocking({
        let store = Arc::clone(&store);
        move || store.close()
    });
    held.release().await;
    closing.await.unwrap();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let late = store.issue(issuer, issue(200, 200, now)).await.unwrap_err();
    assert!(matches!(late, StoreError::Closed), "{late:?}");
    let files = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(files, 1, "the log is moved into the database");
    let store = open(folder.path(), Env::system());
    for row in 100..150 {
        assert!(is_good(&store, issuer, row).await);
    }
}

#[tokio::test]
async fn the_programs_own_write_is_all_or_nothing() {
    #[derive(Debug, PartialEq)]
    enum Refused {
        NotToday,
        Store,
    }
    impl From<StoreError> for Refused {
        fn from(_: StoreError) -> Self {
            Self::Store
        }
    }
    let (store, _folder) = sqlite(Env::system());
    store.migrate("notes", &["CREATE TABLE notes (text TEXT NOT NULL)"]).await.unwrap();
    let refused = store.write(|tx| {
        tx.execute("INSERT INTO notes (text) VALUES ('lost')", []).map_err(|_| Refused::Store)?;
        Err::<(), _>(Refused::NotToday)
    });
    assert_eq!(refused.await, Err(Refused::NotToday));
    let panicked = store.write(|tx| {
        tx.execute("INSERT INTO notes (text) VALUES ('lost')", []).map_err(|_| Refused::Store)?;
        if tx.is_autocommit() { Ok(()) } else { panic!("on purpose") }
    });
    assert_eq!(panicked.await, Err(Refused::Store));
    let written = store.write(|tx| {
        Ok::<_, StoreError>(tx.execute("INSERT INTO notes (text) VALUES ('kept')", [])?)
    });
    assert_eq!(written.await.unwrap(), 1);
    let notes = store.read(|db| {
        let mut notes = db.prepare("SELECT text FROM notes")?;
        let notes = notes.query_map([], |row| row.get::<_, String>(0))?;
        Ok::<_, StoreError>(notes.collect::<Result<Vec<_>, _>>()?)
    });
    assert_eq!(notes.await.unwrap(), ["kept"]);
}

#[tokio::test]
async fn the_programs_own_tables_are_brought_up_to_date_step_by_step() {
    const FIRST: &str = "CREATE TABLE notes (text TEXT NOT NULL)";
    const SECOND: &str = "ALTER TABLE notes ADD COLUMN title TEXT";
    const BROKEN: &str = "CREATE TABLE more (x TEXT); CREATE TABLE notes (text TEXT)";
    let (store, _folder) = sqlite(Env::system());
    store.migrate("notes", &[FIRST]).await.unwrap();
    store.migrate("notes", &[FIRST, SECOND]).await.unwrap();
    store.migrate("notes", &[FIRST, SECOND]).await.unwrap();
    assert!(store.migrate("notes", &[FIRST, SECOND, BROKEN]).await.is_err());
    let tables = "SELECT count(*) FROM sqlite_schema WHERE name = 'more'";
    let count = store.read(|db| Ok::<i64, StoreError>(db.query_row(tables, [], |row| row.get(0))?));
    assert_eq!(count.await.unwrap(), 0, "all or nothing");
    let newer = store.migrate("notes", &[FIRST]).await.unwrap_err();
    assert!(matches!(newer, StoreError::Newer { found: 2, known: 1 }), "{newer:?}");
    store.migrate("others", &["CREATE TABLE others (x TEXT)"]).await.unwrap();
}

#[tokio::test]
async fn what_expired_goes_as_fast_as_it_comes_also_where_commits_come_one_at_a_time() {
    let clock = ManualClock::new();
    let (store, _folder) = sqlite(clock.env());
    let issuer = issuer(&store).await;
    for round in 0..10 {
        for key in 0..40 {
            let (number, expires) = (round * 100 + key, clock.now() + Duration::from_secs(60));
            store.remember_once(issuer, "nonce", hash(number), expires).await.unwrap();
            let mut access = access(number, grant(number, "alice"), clock.now());
            access.expires = expires;
            store.import(issuer, access).await.unwrap();
        }
        for table in ["quadrille_once", "quadrille_foreign_tokens", "quadrille_access_tokens"] {
            let sql = format!("SELECT count(*) FROM {table}");
            let count = |db: &Connection| db.query_row(&sql, [], |row| row.get(0));
            let left: i64 = store.read(|db| Ok::<_, StoreError>(count(db)?)).await.unwrap();
            assert!(left <= 60, "{left} in {table} after round {round}, of which 40 are alive");
        }
        clock.advance(SWEEP_DELAY + Duration::from_secs(600));
    }
}
