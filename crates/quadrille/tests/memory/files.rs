//! A cache in files: whose folder it is, what is in it, and what is removed.

use std::{
    fs::{self, Permissions},
    io::ErrorKind,
    os::unix::fs::{PermissionsExt as _, chown, symlink},
    path::Path,
    process::Command,
    time::Duration,
};

use quadrille::{
    provider::store::{RowId, VolatileCache as _, VolatileEntry, VolatileFiles, VolatileKey},
    testing::ManualClock,
};
use tempfile::TempDir;

struct World {
    clock: ManualClock,
    folder: TempDir,
    cache: VolatileFiles,
}

impl World {
    fn new() -> Self {
        let (clock, folder) = (ManualClock::new(), tempfile::tempdir().unwrap());
        let cache = VolatileFiles::open(folder.path(), clock.env()).unwrap();
        Self { clock, folder, cache }
    }

    async fn add(&self, name: u16, seconds: u64) -> bool {
        let now = self.clock.now();
        let entry = VolatileEntry::new(vec![7], now + Duration::from_secs(seconds));
        let entry = entry.row(RowId(name.into()));
        self.cache.add(&key(name), entry, now).await.unwrap()
    }

    async fn has(&self, name: u16) -> bool {
        self.cache.find(&key(name), self.clock.now()).await.unwrap().is_some()
    }

    fn entries(&self) -> usize {
        let files = fs::read_dir(self.folder.path()).unwrap();
        files.filter(|file| file.as_ref().unwrap().path().to_str().unwrap().contains("-1-")).count()
    }
}

fn key(name: u16) -> VolatileKey {
    VolatileKey::new("test", 1, &name.to_be_bytes())
}

fn refused(folder: &Path) -> String {
    let error = VolatileFiles::open(folder, ManualClock::new().env()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
    error.to_string()
}

#[test]
fn a_folder_of_others_or_one_that_they_can_write_is_refused() {
    let above = tempfile::tempdir().unwrap();
    let folder = above.path().join("cache");
    VolatileFiles::open(&folder, ManualClock::new().env()).unwrap();
    let mode = fs::metadata(&folder).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let set = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    for mode in [0o777, 0o1777, 0o770, 0o702] {
        set(&folder, mode);
        assert!(refused(&folder).contains("chmod go-w"), "{mode:o}");
    }
    set(&folder, 0o755);
    set(above.path(), 0o777);
    assert!(refused(&folder).contains("others can replace the folder"));
    set(above.path(), 0o1777);
    VolatileFiles::open(&folder, ManualClock::new().env()).unwrap();
    set(above.path(), 0o700);
    let deep = above.path().join("one").join("two").join("cache");
    VolatileFiles::open(&deep, ManualClock::new().env()).unwrap();
    let one = above.path().join("one");
    set(&one, 0o777);
    assert!(refused(&deep).contains("others can replace the folder"));
    set(&one, 0o755);
    let link = above.path().join("link");
    symlink(&folder, &link).unwrap();
    assert!(refused(&link).contains("it is a link"));
    if chown(&one, None, Some(4321)).is_ok() {
        set(&one, 0o775);
        assert!(refused(&deep).contains("others can replace the folder"));
        set(&one, 0o755);
        chown(&one, Some(4321), None).unwrap();
        assert!(refused(&deep).contains("another user can replace the folder"));
    }
    if chown(&folder, Some(4321), None).is_ok() {
        assert!(refused(&folder).contains("belongs to another user"));
    }
}

#[tokio::test]
async fn a_folder_with_other_files_is_refused_and_they_stay() {
    for name in [
        "my-thesis.txt",
        "signing-keys",
        "quadrille.db-wal",
        "lock17",
        "a-b-c",
        "1-0g",
        "dump-2026-11-28",
        "report-2025-11.partial",
        "a-b-00.entry",
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(name), "kept").unwrap();
        assert!(refused(folder.path()).contains(name));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is written");
        // Nor are they removed from the folder of a cache, if they come later.
        let world = World::new();
        fs::write(world.folder.path().join(name), "kept").unwrap();
        fs::create_dir(world.folder.path().join("test-1-00.entry")).unwrap();
        assert_eq!(world.cache.sweep(world.clock.now()).await.unwrap(), 0);
        for entry in 0..70 {
            assert!(world.add(entry, 60).await, "{name}");
        }
        assert_eq!(fs::read(world.folder.path().join(name)).unwrap(), b"kept");
    }
}

#[tokio::test]
async fn what_no_cache_wrote_is_no_entry() {
    let world = World::new();
    let path = |name: u16| world.folder.path().join(format!("{}.entry", key(name).as_str()));
    for name in 0..4 {
        world.add(name, 60).await;
        fs::copy(path(name), world.folder.path().join("copy")).unwrap();
        fs::remove_file(path(name)).unwrap();
        match name {
            0 => assert!(Command::new("mkfifo").arg(path(name)).status().unwrap().success()),
            1 => symlink("/dev/zero", path(name)).unwrap(),
            2 => symlink("copy", path(name)).unwrap(),
            _ => fs::write(path(name), vec![b'0'; 2 << 20]).unwrap(),
        }
        assert!(!world.has(name).await, "{name}");
        assert!(world.add(name, 60).await && world.has(name).await, "it is replaced");
    }
    // What is written goes into no other file.
    fs::write(world.folder.path().join("kept"), "kept").unwrap();
    symlink("kept", path(9).with_extension("entry.partial")).unwrap();
    assert!(world.add(9, 60).await && world.has(9).await);
    assert_eq!(fs::read(world.folder.path().join("kept")).unwrap(), b"kept");
}

#[tokio::test]
async fn expired_files_behind_many_others_are_removed() {
    for by_sweep in [true, false] {
        let world = World::new();
        for name in 0..2400 {
            world.add(name, if name % 8 == 0 { 10 } else { 600 }).await;
        }
        assert_eq!(world.entries(), 2400);
        world.clock.advance(Duration::from_secs(11));
        if by_sweep {
            while world.cache.sweep(world.clock.now()).await.unwrap() > 0 {}
            assert_eq!(world.entries(), 2100);
            continue;
        }
        // Four sweeps, of a share of the files each.
        for name in 3000..3256 {
            world.add(name, 600).await;
        }
        assert_eq!(world.entries(), 2100 + 256);
    }
}

#[tokio::test]
async fn a_process_that_stands_still_with_a_lock_does_not_keep_others_waiting() {
    let world = World::new();
    let locks = (0..=16).map(|share| {
        let path = world.folder.path().join(format!("lock{share}"));
        let lock = fs::File::create(path).unwrap();
        lock.lock().unwrap();
        lock
    });
    let locks: Vec<_> = locks.collect();
    let refused = world.cache.remove(&key(1)).await.unwrap_err();
    assert_eq!(refused.kind(), "cache_unavailable", "{refused}");
    drop(locks);
    world.cache.remove(&key(1)).await.unwrap();
}

#[tokio::test]
async fn without_the_greatest_number_the_entries_are_lost_too() {
    for content in [None, Some(""), Some("12x")] {
        let world = World::new();
        world.add(7, 600).await;
        assert_eq!(world.cache.newest().await.unwrap(), RowId(7));
        let newest = world.folder.path().join("newest");
        match content {
            None => fs::remove_file(&newest).unwrap(),
            Some(content) => fs::write(&newest, content).unwrap(),
        }
        let again = VolatileFiles::open(world.folder.path(), world.clock.env()).unwrap();
        assert_eq!(again.newest().await.unwrap(), RowId(0));
        assert!(!world.has(7).await, "its number is not known");
        assert!(world.add(8, 600).await);
        assert_eq!(again.newest().await.unwrap(), RowId(8));
    }
}

#[tokio::test]
async fn a_folder_that_others_can_write_or_that_was_replaced_is_not_used() {
    let above = tempfile::tempdir().unwrap();
    let (path, moved) = (above.path().join("cache"), above.path().join("moved"));
    let (clock, set) = (ManualClock::new(), |mode| {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    });
    let cache = VolatileFiles::open(&path, clock.env()).unwrap();
    let entry = || VolatileEntry::new(vec![7], clock.now() + Duration::from_secs(60));
    assert!(cache.add(&key(1), entry(), clock.now()).await.unwrap());
    let is_used = async || {
        let found = cache.find(&key(1), clock.now()).await;
        let added = cache.add(&key(2), entry(), clock.now()).await;
        assert_eq!(found.is_ok(), added.is_ok());
        found.is_ok()
    };
    set(0o777);
    assert!(!is_used().await);
    set(0o700);
    assert!(is_used().await);
    fs::rename(&path, &moved).unwrap();
    fs::create_dir(&path).unwrap();
    set(0o700);
    assert!(!is_used().await, "another folder");
    fs::remove_dir(&path).unwrap();
    symlink(&moved, &path).unwrap();
    assert!(!is_used().await, "a link");
    fs::remove_file(&path).unwrap();
    fs::rename(&moved, &path).unwrap();
    assert!(is_used().await);
}

#[tokio::test]
async fn a_folder_that_is_gone_or_that_others_can_write_is_told() {
    let world = World::new();
    world.cache.check().await.unwrap();
    let path = world.folder.path();
    fs::set_permissions(path, Permissions::from_mode(0o777)).unwrap();
    assert_eq!(world.cache.check().await.unwrap_err().kind(), "cache_unavailable");
    fs::set_permissions(path, Permissions::from_mode(0o700)).unwrap();
    world.cache.check().await.unwrap();
    assert_eq!(
        fs::read_dir(path)
            .unwrap()
            .filter(|file| { file.as_ref().unwrap().path().to_str().unwrap().contains("check") })
            .count(),
        0,
        "it leaves nothing behind"
    );
    fs::remove_dir_all(path).unwrap();
    assert_eq!(world.cache.check().await.unwrap_err().kind(), "cache_unavailable");
}
