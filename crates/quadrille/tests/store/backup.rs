//! A backup of a file that is in use, and a database that was restored from one.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicI64, Ordering},
};

use quadrille::{
    provider::store::{Grants as _, SqliteStore, StoreError},
    testing::ManualClock,
};

use crate::{
    everything::{alive, grant_everything},
    world::{is_good, issue, issuer, open, sqlite},
};

/// As many as make a backup of several portions.
const BEFORE: i64 = 30_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_has_the_state_of_one_moment_while_tokens_are_issued() {
    let clock = ManualClock::new();
    let (store, folder) = sqlite(clock.env());
    let (store, now) = (Arc::new(store), clock.now());
    let issuer = issuer(&*store).await;
    let first: Vec<_> = (1..=BEFORE)
        .map(|row| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.issue(issuer, issue(row, row, now)).await.unwrap() })
        })
        .collect();
    for issued in first {
        issued.await.unwrap();
    }

    let (last, is_over) = (Arc::new(AtomicI64::new(BEFORE)), Arc::new(AtomicBool::new(false)));
    let writing = tokio::spawn({
        let (store, last, is_over) = (Arc::clone(&store), Arc::clone(&last), Arc::clone(&is_over));
        async move {
            let mut row = BEFORE;
            while !is_over.load(Ordering::Relaxed) {
                row += 1;
                store.issue(issuer, issue(row, row, now)).await.unwrap();
                last.store(row, Ordering::Relaxed);
            }
        }
    });
    let (from, to) = (folder.path().join("quadrille.db"), folder.path().join("copy"));
    let progress = tokio::task::spawn_blocking({
        let (last, to) = (Arc::clone(&last), to.clone());
        move || {
            let mut told = Vec::new();
            SqliteStore::back_up(from, to, |progress| {
                told.push((progress.copied, progress.total, last.load(Ordering::Relaxed)));
            })
            .unwrap();
            told
        }
    })
    .await
    .unwrap();
    is_over.store(true, Ordering::Relaxed);
    writing.await.unwrap();

    let (copied, total, _) = progress[progress.len() - 1];
    assert_eq!(copied, total);
    assert!(progress.len() > 3 && progress.is_sorted(), "{progress:?}");
    let mode = std::os::unix::fs::PermissionsExt::mode(&to.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    assert!(!folder.path().join("copy-wal").exists(), "one file");

    let copy = SqliteStore::open(&to, clock.env()).unwrap();
    let integrity = copy.read(|db| {
        let checked = db.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0));
        Ok::<_, StoreError>(checked?)
    });
    assert_eq!(integrity.await.unwrap(), "ok");
    for row in [1, BEFORE / 2, BEFORE] {
        assert!(is_good(&copy, issuer, row).await, "{row}");
    }
    let mut is_there = Vec::new();
    for row in BEFORE..=last.load(Ordering::Relaxed) {
        is_there.push(is_good(&copy, issuer, row).await);
    }
    assert!(is_there.is_sorted_by(|a, b| a >= b), "nothing is missing in between");
}

#[tokio::test]
async fn a_backup_replaces_nothing_and_leaves_nothing_half_done() {
    let (store, folder) = sqlite(ManualClock::new().env());
    let [from, to] = ["quadrille.db", "copy"].map(|name| folder.path().join(name));
    std::fs::write(&to, "precious").unwrap();
    let failed = SqliteStore::back_up(&from, &to, |_| ()).unwrap_err();
    assert!(matches!(failed, StoreError::Unopenable(_)), "{failed}");
    assert_eq!(std::fs::read(&to).unwrap(), b"precious");
    drop(store);

    let [missing, unmade] = ["missing", "unmade"].map(|name| folder.path().join(name));
    SqliteStore::back_up(&missing, &unmade, |_| ()).unwrap_err();
    std::fs::write(folder.path().join("text"), "no database at all, ".repeat(400)).unwrap();
    SqliteStore::back_up(folder.path().join("text"), &unmade, |_| ()).unwrap_err();
    assert!(!missing.exists() && !unmade.exists());
}

#[tokio::test]
async fn codes_of_a_restored_database_are_not_redeemed_twice() {
    let clock = ManualClock::new();
    let (store, folder) = sqlite(clock.env());
    let issuer = issuer(&store).await;
    grant_everything(&store, issuer, (1000, "alice"), &clock).await;
    let copy = folder.path().join("copy");
    SqliteStore::back_up(folder.path().join("quadrille.db"), &copy, |_| ()).unwrap();
    assert!(alive(&store, issuer, (1000, "alice"), &clock).await.contains(&"code"));
    drop(store);

    std::fs::rename(&copy, folder.path().join("quadrille.db")).unwrap();
    let restored = open(folder.path(), clock.env());
    let now = clock.now();
    restored.write(move |tx| SqliteStore::end_unfinished(tx, now)).await.unwrap();
    assert_eq!(
        alive(&restored, issuer, (1000, "alice"), &clock).await,
        ["access token", "refresh token", "token credentials", "consent", "listed grant"]
    );
}
