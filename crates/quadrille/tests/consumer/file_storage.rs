//! The storage in files: the contract, crashes, faults of the disk, other processes.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use quadrille::{
    KeyRing, Login, Owner, Result,
    consumer::{Account, Change, FileStorage, Replaced, StorageError, Stored, Token, TokenStorage},
    testing::storage_contract,
};
use tempfile::TempDir;

use crate::{canary::logged, support::World};

const OLD: [u8; 32] = [1; 32];
const NEW: [u8; 32] = [2; 32];

storage_contract!(contract, || {
    let folder = tempfile::tempdir().unwrap();
    (FileStorage::open(folder.path().join("tokens")).unwrap(), folder)
});

/// A storage in a new folder.
fn storage() -> (TempDir, PathBuf, FileStorage) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/tokens");
    let storage = FileStorage::open(&path).unwrap();
    (folder, path, storage)
}

fn login(keys: &[[u8; 32]]) -> Login {
    World::new().login_with(KeyRing::new(keys).unwrap())
}

fn account(owner: &str, subject: &str) -> Account {
    Account { owner: Owner::user(owner), service: "github".into(), subject: subject.into() }
}

fn token(name: impl std::fmt::Display) -> Token {
    Token::new(format!("access-canary-{name}")).refresh_token(format!("refresh-canary-{name}"))
}

async fn find(login: &Login, storage: &FileStorage, account: &Account) -> Result<Option<Stored>> {
    let Account { owner, service, subject } = account;
    storage.load(&login.storage_context()?, owner, service, Some(subject)).await
}

/// The files of accounts.
fn files(path: &Path) -> Vec<PathBuf> {
    let all = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    all.filter(|path| path.extension().is_some_and(|end| end == "json")).collect()
}

#[tokio::test]
async fn what_is_stored_outlives_the_process_and_shows_no_token() {
    let (_folder, path, storage) = storage();
    let (login, alice) = (login(&[OLD]), account("alice", "7"));
    let cx = login.storage_context().unwrap();
    storage.link(&cx, &alice, &token("one")).await.unwrap();
    assert!(storage.lease(&cx, &alice, 1, Duration::from_secs(15)).await.unwrap());
    let again = FileStorage::open(&path).unwrap();
    assert!(find(&login, &again, &alice).await.unwrap().unwrap().token == token("one"));
    for file in fs::read_dir(&path).unwrap() {
        let file = file.unwrap();
        let content = fs::read(file.path()).unwrap();
        assert!(!content.windows(6).any(|window| window == b"canary"), "{file:?}");
        assert!(!file.file_name().to_str().unwrap().contains("alice"), "{file:?}");
    }
    assert!(storage.unlink(&cx, &alice).await.unwrap());
    assert_eq!(files(&path).len(), 0, "the last account takes its file along");
}

#[cfg(unix)]
#[tokio::test]
async fn folder_and_files_are_for_one_user_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_folder, path, storage) = storage();
    let (login, alice) = (login(&[OLD]), account("alice", "7"));
    let cx = login.storage_context().unwrap();
    storage.link(&cx, &alice, &token("one")).await.unwrap();
    assert!(storage.lease(&cx, &alice, 1, Duration::from_secs(15)).await.unwrap());
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    for file in fs::read_dir(&path).unwrap() {
        let file = file.unwrap();
        assert_eq!(mode(&file.path()), 0o600, "{file:?}");
    }
}

#[tokio::test]
async fn a_crash_in_the_middle_leaves_the_old_token() {
    let (_folder, path, storage) = storage();
    let (login, alice) = (login(&[OLD]), account("alice", "7"));
    let cx = login.storage_context().unwrap();
    storage.link(&cx, &alice, &token("one")).await.unwrap();
    // Half of the new file, which was not renamed.
    let file = files(&path).pop().unwrap();
    let new = PathBuf::from([file.to_str().unwrap(), ".new"].concat());
    fs::write(&new, "{\"format\":1,\"own").unwrap();
    let again = FileStorage::open(&path).unwrap();
    let seen = find(&login, &again, &alice).await.unwrap().unwrap();
    assert!(seen.token == token("one"));
    assert_eq!(again.accounts(&cx, "github", None, 10).await.unwrap().len(), 1);
    let two = token("two");
    let done = again.replace(&cx, &seen, Change::Token(&two)).await.unwrap();
    assert!(matches!(done, Replaced::Done(_)));
    assert!(!new.exists());
}

#[test]
fn a_file_that_is_damaged_is_named_in_the_log_and_no_account_that_is_gone() {
    let (_folder, path, storage) = storage();
    let log = logged(async {
        let (login, alice) = (login(&[OLD]), account("alice", "7"));
        let cx = login.storage_context().unwrap();
        storage.link(&cx, &alice, &token("one")).await.unwrap();
        let seen = find(&login, &storage, &alice).await.unwrap().unwrap();
        let file = files(&path).pop().unwrap();
        let good = fs::read_to_string(&file).unwrap();
        storage.link(&cx, &account("bob", "7"), &token("bob")).await.unwrap();
        let bobs = files(&path).into_iter().find(|other| *other != file).unwrap();
        let newer = good.replacen("\"format\":1", "\"format\":2", 1);
        for (content, reason) in [
            (String::new(), StorageError::Unreadable),
            (good[..good.len() / 2].to_owned(), StorageError::Unreadable),
            (good.replace("u:alice", "u:mallory"), StorageError::Unreadable),
            (fs::read_to_string(&bobs).unwrap(), StorageError::Unreadable),
            (newer, StorageError::Newer),
        ] {
            fs::write(&file, &content).unwrap();
            let error = find(&login, &storage, &alice).await.unwrap_err();
            assert_eq!((error.status().as_u16(), error), (500, reason.into()), "{content}");
            // Nothing is written over what a newer version can read, or a person can mend.
            let two = token("two");
            assert_eq!(storage.link(&cx, &alice, &two).await.unwrap_err(), reason.into());
            let error = storage.replace(&cx, &seen, Change::Token(&two)).await.unwrap_err();
            assert_eq!(error, reason.into());
            assert_eq!(storage.unlink(&cx, &alice).await.unwrap_err(), reason.into());
            assert_eq!(fs::read_to_string(&file).unwrap(), content);
        }
        fs::remove_file(bobs).unwrap();
        fs::write(&file, good).unwrap();
        assert_eq!(find(&login, &storage, &alice).await.unwrap(), Some(seen));
    });
    let file = files(&path).pop().unwrap();
    let file = file.file_name().unwrap().to_str().unwrap();
    let errors = log.lines().filter(|line| line.contains("the storage of tokens failed"));
    assert!(errors.clone().count() >= 20, "{log}");
    assert!(errors.clone().all(|line| line.contains(file)), "{log}");
    assert!(errors.clone().any(|line| line.contains("newer version")), "{log}");
    assert!(!log.contains("canary"), "{log}");
}

#[tokio::test]
async fn a_folder_that_is_gone_is_503_and_no_account_that_is_gone() {
    let (_folder, path, storage) = storage();
    let (login, alice) = (login(&[OLD]), account("alice", "7"));
    let cx = login.storage_context().unwrap();
    storage.link(&cx, &alice, &token("one")).await.unwrap();
    // A disk that is not mounted leaves an empty folder.
    let elsewhere = path.with_extension("elsewhere");
    fs::rename(&path, &elsewhere).unwrap();
    for is_empty in [false, true] {
        if is_empty {
            fs::create_dir(&path).unwrap();
        }
        for error in [
            find(&login, &storage, &alice).await.unwrap_err(),
            storage.accounts(&cx, "github", None, 10).await.unwrap_err(),
            storage.link(&cx, &alice, &token("two")).await.unwrap_err(),
        ] {
            assert_eq!(error, StorageError::Unavailable.into());
            assert_eq!(error.status(), 503);
        }
    }
    fs::remove_dir_all(&path).unwrap();
    fs::rename(&elsewhere, &path).unwrap();
    assert!(find(&login, &storage, &alice).await.unwrap().is_some());
}

#[test]
fn programs_that_start_at_once_make_the_folder_once() {
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        std::thread::scope(|threads| {
            for _ in 0..8 {
                threads.spawn(|| FileStorage::open(&path).unwrap());
            }
        });
        assert_eq!(fs::read_to_string(path.join("format")).unwrap(), "1\n");
    }
}

#[test]
fn a_folder_of_a_newer_version_is_left_alone() {
    let (_folder, path, _) = storage();
    fs::write(path.join("format"), "2\n").unwrap();
    assert_eq!(FileStorage::open(&path).unwrap_err(), StorageError::Newer);
    fs::write(path.join("format"), "two").unwrap();
    assert_eq!(FileStorage::open(&path).unwrap_err(), StorageError::Unreadable);
    fs::remove_dir_all(&path).unwrap();
    fs::write(&path, "a file").unwrap();
    assert_eq!(FileStorage::open(&path).unwrap_err(), StorageError::Unavailable);
}

#[tokio::test]
async fn leases_that_are_damaged_are_over() {
    let (_folder, path, storage) = storage();
    let (login, alice) = (login(&[OLD]), account("alice", "7"));
    let cx = login.storage_context().unwrap();
    let lease = Duration::from_secs(15);
    assert!(storage.lease(&cx, &alice, 1, lease).await.unwrap());
    assert!(!storage.lease(&cx, &alice, 2, lease).await.unwrap());
    let all = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path());
    let leases = all.into_iter().find(|path| path.extension().is_some_and(|end| end == "leases"));
    fs::write(leases.unwrap(), "").unwrap();
    assert!(storage.lease(&cx, &alice, 2, lease).await.unwrap());
}

#[tokio::test]
async fn after_resealing_the_old_key_is_not_needed() {
    let (_folder, _path, storage) = storage();
    let (old, both, new) = (login(&[OLD]), login(&[NEW, OLD]), login(&[NEW]));
    for number in 0..120 {
        let cx = old.storage_context().unwrap();
        let account = account(&(number % 50).to_string(), &number.to_string());
        storage.link(&cx, &account, &token(number)).await.unwrap();
    }
    let cx = both.storage_context().unwrap();
    let mut reseal = storage.reseal(&cx).await.unwrap();
    let first = reseal.next().await.unwrap().unwrap();
    assert_eq!((first.seen, first.total, first.resealed), (100, 120, 100));
    let rest = storage.reseal(&cx).await.unwrap().after(first.last.unwrap()).finish().await;
    assert_eq!(rest.unwrap().resealed, 20);
    for number in 0..120 {
        let account = account(&(number % 50).to_string(), &number.to_string());
        let found = find(&new, &storage, &account).await.unwrap().unwrap();
        assert!(found.token == token(number), "{number}");
    }
}

const WORK: &str = "QUADRILLE_TEST_WORK";
const FOLDER: &str = "QUADRILLE_TEST_FOLDER";
const ROUNDS: u32 = 50;

/// Runs this file's test of the same name in a process of its own, which does `work`.
fn process(program: &mut Command, work: &str, path: &Path) -> Command {
    let mut process = std::mem::replace(program, Command::new(""));
    process.args(["--exact", "file_storage::the_work_of_another_process", "--nocapture"]);
    process.env(WORK, work).env(FOLDER, path);
    process
}

fn this_program() -> Command {
    Command::new(std::env::current_exe().unwrap())
}

#[tokio::test]
async fn the_work_of_another_process() {
    let Ok(work) = std::env::var(WORK) else { return };
    let storage = FileStorage::open(std::env::var_os(FOLDER).unwrap()).unwrap();
    let (login, alice) = (login(&[OLD]), account("alice", "7"));
    let cx = login.storage_context().unwrap();
    let mut seen = find(&login, &storage, &alice).await.unwrap().unwrap();
    if work == "count" {
        for _ in 0..ROUNDS {
            loop {
                let count: u32 = seen.token.access_token.expose().parse().unwrap();
                let next = Token::new((count + 1).to_string());
                match storage.replace(&cx, &seen, Change::Token(&next)).await.unwrap() {
                    Replaced::Done(now) => {
                        seen = now;
                        break;
                    }
                    Replaced::Changed(now) => seen = now.unwrap(),
                }
            }
        }
    } else {
        let large = token("x".repeat(100_000));
        for error in [
            storage.replace(&cx, &seen, Change::Token(&large)).await.unwrap_err(),
            storage.link(&cx, &account("bob", "7"), &large).await.unwrap_err(),
        ] {
            assert_eq!(error, StorageError::Unwritable.into());
            assert_eq!(error.status(), 503);
        }
        assert_eq!(find(&login, &storage, &alice).await.unwrap(), Some(seen));
        assert_eq!(storage.accounts(&cx, "github", None, 10).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn two_processes_count_together_and_none_loses_a_change() {
    let (_folder, path, storage) = storage();
    let (login, alice) = (login(&[OLD]), account("alice", "7"));
    let cx = login.storage_context().unwrap();
    storage.link(&cx, &alice, &Token::new("0")).await.unwrap();
    let both = [0, 1].map(|_| process(&mut this_program(), "count", &path).spawn().unwrap());
    for mut one in both {
        assert!(one.wait().unwrap().success());
    }
    let found = find(&login, &storage, &alice).await.unwrap().unwrap();
    assert_eq!(found.token.access_token.expose(), (2 * ROUNDS).to_string());
}

/// A process whose files may have no more bytes, and one that may not write to the folder.
#[cfg(unix)]
#[tokio::test]
async fn a_full_or_read_only_disk_is_503_and_loses_nothing() {
    let (folder, path, storage) = storage();
    let (login, alice) = (login(&[OLD]), account("alice", "7"));
    let cx = login.storage_context().unwrap();
    storage.link(&cx, &alice, &token("one")).await.unwrap();
    storage.link(&cx, &account("bob", "7"), &token("bob")).await.unwrap();
    storage.unlink(&cx, &account("bob", "7")).await.unwrap();

    let mut full = Command::new("sh");
    full.args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\""]);
    full.arg(std::env::current_exe().unwrap());
    let done = process(&mut full, "fail", &path).output().unwrap();
    assert!(done.status.success(), "{done:?}");
    assert!(find(&login, &storage, &alice).await.unwrap().unwrap().token == token("one"));
    assert_eq!(fs::read_dir(&path).unwrap().filter(is_new).count(), 0);

    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let allow = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    for file in fs::read_dir(&path).unwrap() {
        allow(&file.unwrap().path(), 0o444);
    }
    for folder in [folder.path(), &folder.path().join("deep"), &path] {
        allow(folder, 0o555);
    }
    // Root may write everywhere.
    let mut reader = Command::new("setpriv");
    reader.args(["--reuid=nobody", "--clear-groups"]).arg(std::env::current_exe().unwrap());
    let mut reader = if is_root { reader } else { this_program() };
    let done = process(&mut reader, "fail", &path).output().unwrap();
    assert!(done.status.success(), "{done:?}");
    for folder in [folder.path(), &folder.path().join("deep"), &path] {
        allow(folder, 0o700);
    }
}

#[cfg(unix)]
fn is_new(entry: &std::io::Result<fs::DirEntry>) -> bool {
    entry.as_ref().unwrap().path().extension().is_some_and(|end| end == "new")
}

/// In a folder that other users of the machine may write to.
#[cfg(unix)]
#[tokio::test]
async fn what_others_put_in_the_place_of_a_file_is_neither_followed_nor_waited_for() {
    use std::os::unix::fs::symlink;

    let (folder, path, storage) = storage();
    let (login, alice) = (login(&[OLD]), account("alice", "7"));
    let cx = login.storage_context().unwrap();
    storage.link(&cx, &alice, &token("one")).await.unwrap();
    let seen = find(&login, &storage, &alice).await.unwrap();
    let file = files(&path).pop().unwrap();
    let elsewhere = folder.path().join("elsewhere");
    fs::rename(&file, &elsewhere).unwrap();
    let unreadable = async |what: &str| {
        let found = async {
            let found = find(&login, &storage, &alice).await;
            assert_eq!(found.unwrap_err(), StorageError::Unreadable.into(), "{what}");
            let linked = storage.link(&cx, &alice, &token("two")).await;
            assert_eq!(linked.unwrap_err(), StorageError::Unreadable.into(), "{what}");
        };
        if tokio::time::timeout(Duration::from_secs(20), found).await.is_err() {
            // Or the test would not end, either.
            fs::write(&file, "").unwrap();
            panic!("{what} keeps the storage waiting");
        }
        let _ = fs::remove_file(&file).or_else(|_| fs::remove_dir(&file));
    };

    symlink(&elsewhere, &file).unwrap();
    unreadable("a link").await;
    fs::create_dir(&file).unwrap();
    unreadable("a folder").await;
    assert!(Command::new("mkfifo").arg(&file).status().unwrap().success());
    unreadable("a pipe").await;
    let padded = fs::read_to_string(&elsewhere).unwrap() + &" ".repeat(20 << 20);
    fs::write(&file, padded).unwrap();
    unreadable("a huge file").await;

    fs::rename(&elsewhere, &file).unwrap();
    assert_eq!(find(&login, &storage, &alice).await.unwrap(), seen, "nothing was lost");
    for lock in 0..64 {
        let lock = path.join(format!("lock-{lock:02}"));
        let _ = fs::remove_file(&lock);
        symlink(&elsewhere, lock).unwrap();
    }
    assert!(storage.link(&cx, &alice, &token("two")).await.is_err());
    assert!(!elsewhere.exists(), "no file is made at the other end");
    assert_eq!(find(&login, &storage, &alice).await.unwrap(), seen);
}

#[tokio::test]
async fn a_number_that_somebody_made_the_greatest_ends_no_linking() {
    let (_folder, path, storage) = storage();
    let (login, alice) = (login(&[OLD]), account("alice", "7"));
    let cx = login.storage_context().unwrap();
    storage.link(&cx, &alice, &token("one")).await.unwrap();
    let file = files(&path).pop().unwrap();
    let greatest = format!("\"linked\":{}", u64::MAX);
    let content = fs::read_to_string(&file).unwrap();
    fs::write(&file, content.replacen("\"linked\":1", &greatest, 1)).unwrap();
    let other = account("alice", "8");
    storage.link(&cx, &other, &token("two")).await.unwrap();
    let current = storage.load(&cx, &alice.owner, "github", None).await.unwrap().unwrap();
    assert_eq!(current.account, other, "the one linked last");
    assert!(find(&login, &storage, &alice).await.unwrap().is_some());
}
