//! A storage that cannot be written for a while, when a service has just issued a new token.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use quadrille::{
    Owner, Result,
    consumer::{
        Account, Change, Context, MemoryStorage, Replaced, StorageError, Stored, Token,
        TokenStorage,
    },
    transport::Purpose,
};

use crate::support::{Browser, World, pages};

const HOUR: Duration = Duration::from_secs(3600);

/// A storage whose next changes fail.
#[derive(Clone, Default)]
struct Failing {
    storage: Arc<MemoryStorage>,
    failures: Arc<AtomicUsize>,
}

impl Failing {
    fn fails(&self, times: usize) {
        self.failures.store(times, Ordering::SeqCst);
    }
}

impl TokenStorage for Failing {
    fn is_durable(&self) -> bool {
        false
    }

    async fn link(&self, cx: &Context<'_>, account: &Account, token: &Token) -> Result<()> {
        self.storage.link(cx, account, token).await
    }

    async fn load(
        &self,
        cx: &Context<'_>,
        owner: &Owner,
        service: &str,
        subject: Option<&str>,
    ) -> Result<Option<Stored>> {
        self.storage.load(cx, owner, service, subject).await
    }

    async fn replace(
        &self,
        cx: &Context<'_>,
        seen: &Stored,
        change: Change<'_>,
    ) -> Result<Replaced> {
        let fewer = |failures: usize| failures.checked_sub(1);
        if self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fewer).is_ok() {
            return Err(StorageError::Unwritable.into());
        }
        self.storage.replace(cx, seen, change).await
    }

    async fn unlink(&self, cx: &Context<'_>, account: &Account) -> Result<bool> {
        self.storage.unlink(cx, account).await
    }

    async fn accounts(
        &self,
        cx: &Context<'_>,
        service: &str,
        after: Option<&Account>,
        limit: usize,
    ) -> Result<Vec<Stored>> {
        self.storage.accounts(cx, service, after, limit).await
    }
}

/// A visitor whose token has ended, at a service that rotates refresh tokens.
async fn visitor(storage: &Failing) -> (World, Browser) {
    let world = World::new();
    world.service.change(|its| its.expire(HOUR, true));
    let mut browser = Browser::new(world.login().storage(storage.clone()).attach(pages()));
    browser.log_in(&world.service, "/album", 7).await;
    world.wait(HOUR);
    world.service.ends_access_tokens();
    (world, browser)
}

#[tokio::test(start_paused = true)]
async fn a_storage_that_fails_for_a_second_is_not_noticed() {
    let storage = Failing::default();
    let (world, mut browser) = visitor(&storage).await;
    storage.fails(3);
    assert_eq!(browser.visit("/album").await.text, "You are user-7");
    assert_eq!(world.service.times_asked(Purpose::Refresh), 1);
}

#[tokio::test(start_paused = true)]
async fn a_new_token_that_cannot_be_stored_is_not_lost() {
    let storage = Failing::default();
    let (world, mut browser) = visitor(&storage).await;
    storage.fails(usize::MAX);
    for _ in 0..3 {
        let page = browser.visit("/album").await;
        assert_eq!(page.status, 503);
        assert!(page.has_code("storage_failed"), "{page:?}");
        world.wait(HOUR);
    }
    // The refresh token that is stored is spent.
    storage.fails(0);
    assert_eq!(browser.visit("/album").await.text, "You are user-7");
    assert_eq!(world.service.times_asked(Purpose::Refresh), 2);
    world.wait(HOUR);
    world.service.ends_access_tokens();
    assert_eq!(browser.visit("/album").await.text, "You are user-7");
    assert_eq!(world.service.times_asked(Purpose::Refresh), 3);
}
