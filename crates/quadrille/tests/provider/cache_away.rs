//! A provider whose cache is away: all that needs nothing short-lived goes on.

use std::sync::atomic::Ordering;

use quadrille::{
    KeyRing, Policy,
    provider::{
        NewClient,
        store::{MemoryStore, VolatileStore},
    },
    testing::ManualClock,
};

use crate::{
    lent::Lent,
    support::{Browser, CALLBACK, World},
};

async fn with(cache: &Lent) -> World {
    let (clock, keys) = (ManualClock::new(), KeyRing::new([&[7; 32]]).unwrap());
    let store = MemoryStore::new(clock.env());
    let store = VolatileStore::new(store, cache.clone(), keys, clock.env());
    let new = NewClient::confidential("Photo printer").redirect_uri(CALLBACK);
    World::build(store, clock, Policy::safe(), new, |server| server).await
}

#[tokio::test]
async fn a_consent_page_is_shown_and_answered_and_its_code_buys_tokens() {
    let cache = Lent::new();
    let world = with(&cache).await;
    cache.is_away.store(true, Ordering::SeqCst);
    let tokens = world.tokens("ada").await;
    assert!(world.is_good(&tokens.access).await);
    let refreshed = world.refresh(&tokens.refresh.unwrap()).await.tokens();
    assert!(world.is_good(&refreshed.access).await);
    // A login without a page needs the cache.
    let mut browser = Browser::default();
    let answer = world.ask(&mut browser, &world.asking()).await;
    assert_eq!(answer.status(), 503);
    cache.is_away.store(false, Ordering::SeqCst);
    assert!(!world.code("ada").await.is_empty());
}
