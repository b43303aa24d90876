//! A storage that cannot be written for a while, when a service has just issued a new token.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use quadrille::{
    Result,
    consumer::{Context, MemoryStorage, StorageError},
    testing::storage::{Verb, Watch, WatchedStorage},
    transport::Purpose,
};

use crate::support::{Browser, World, pages};

const HOUR: Duration = Duration::from_secs(3600);

/// The number of the next changes that fail.
#[derive(Clone, Default)]
struct Failures(Arc<AtomicUsize>);

impl Failures {
    fn are(&self, times: usize) {
        self.0.store(times, Ordering::SeqCst);
    }
}

impl Watch for Failures {
    async fn before(&self, _: &Context<'_>, verb: Verb<'_>) -> Result<()> {
        let fewer = |failures: usize| failures.checked_sub(1);
        let fails = || self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fewer).is_ok();
        match verb {
            Verb::Replace(_) if fails() => Err(StorageError::Unwritable.into()),
            _ => Ok(()),
        }
    }
}

/// A visitor whose token has ended, at a service that rotates refresh tokens.
async fn visitor(failures: &Failures) -> (World, Browser) {
    let world = World::new();
    world.service.change(|its| its.expire(HOUR, true));
    let storage = WatchedStorage::new(MemoryStorage::new(), failures.clone());
    let mut browser = Browser::new(world.login().storage(storage).attach(pages()));
    browser.log_in(&world.service, "/album", 7).await;
    world.wait(HOUR);
    world.service.ends_access_tokens();
    (world, browser)
}

#[tokio::test(start_paused = true)]
async fn a_storage_that_fails_for_a_second_is_not_noticed() {
    let failures = Failures::default();
    let (world, mut browser) = visitor(&failures).await;
    failures.are(3);
    assert_eq!(browser.visit("/album").await.text, "You are user-7");
    assert_eq!(world.service.times_asked(Purpose::Refresh), 1);
}

#[tokio::test(start_paused = true)]
async fn a_new_token_that_cannot_be_stored_is_not_lost() {
    let failures = Failures::default();
    let (world, mut browser) = visitor(&failures).await;
    failures.are(usize::MAX);
    for _ in 0..3 {
        let page = browser.visit("/album").await;
        assert_eq!(page.status, 503);
        assert!(page.has_code("storage_failed"), "{page:?}");
        world.wait(HOUR);
    }
    // The refresh token that is stored is spent.
    failures.are(0);
    assert_eq!(browser.visit("/album").await.text, "You are user-7");
    assert_eq!(world.service.times_asked(Purpose::Refresh), 2);
    world.wait(HOUR);
    world.service.ends_access_tokens();
    assert_eq!(browser.visit("/album").await.text, "You are user-7");
    assert_eq!(world.service.times_asked(Purpose::Refresh), 3);
}
