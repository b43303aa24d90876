//! The growth of the stores that come with the library.

use std::path::Path;

use quadrille::{
    provider::store::{MemoryStore, SqliteStore, StoreError},
    testing::ManualClock,
};
use tempfile::{TempDir, tempdir, tempdir_in};

use crate::{
    growth::{a_family_that_turns_is_one_row, a_year_leaves_a_bounded_store},
    world::open,
};

/// A file that waits for no disk.
fn in_memory(clock: &ManualClock) -> (SqliteStore, TempDir) {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempdir_in(memory) } else { tempdir() }.unwrap();
    (open(folder.path(), clock.env()), folder)
}

#[tokio::test]
async fn a_year_leaves_a_bounded_store_in_memory() {
    let clock = ManualClock::new();
    a_year_leaves_a_bounded_store(&MemoryStore::new(clock.env()), &clock, async || 0).await;
}

#[tokio::test]
async fn a_year_leaves_a_bounded_file() {
    let clock = ManualClock::new();
    let (store, _folder) = in_memory(&clock);
    let bytes = async || {
        let pages = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
        let count = store.read(|db| Ok(db.query_row(pages, [], |row| row.get::<_, i64>(0))?));
        let count: Result<_, StoreError> = count.await;
        count.unwrap().cast_unsigned()
    };
    a_year_leaves_a_bounded_store(&store, &clock, bytes).await;
}

#[tokio::test]
async fn a_family_that_turned_a_hundred_thousand_times_is_one_row_in_memory() {
    let clock = ManualClock::new();
    a_family_that_turns_is_one_row(&MemoryStore::new(clock.env()), &clock, 100_000).await;
}

/// `QUADRILLE_ROTATIONS=100000` for as many.
#[tokio::test]
async fn a_family_that_turned_often_is_one_row_in_a_file() {
    let clock = ManualClock::new();
    let (store, _folder) = in_memory(&clock);
    let times = std::env::var("QUADRILLE_ROTATIONS").map_or(5000, |text| text.parse().unwrap());
    a_family_that_turns_is_one_row(&store, &clock, times).await;
}
