//! Many at once, on several threads.

use std::sync::Arc;

use quadrille::testing::ManualClock;

use super::{begin, decide, on_disk, poll, type_in, world};
use crate::{
    races::{at_once, one_won},
    support::{Answer, Browser, World},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_hundred_polls_one_gets_tokens_and_the_replays_end_them() {
    redeem_at_once(Arc::new(world().await), 20).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_disk_too_one_of_two_hundred_polls_gets_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let world = on_disk(folder.path(), ManualClock::new()).await;
    redeem_at_once(Arc::new(world), 5).await;
}

async fn redeem_at_once(world: Arc<World>, rounds: usize) {
    world.sign_in("ada");
    for round in 0..rounds {
        let codes = begin(&world).await;
        decide(&world, &codes.user, "decision=all").await;
        let code: Arc<str> = codes.device.into();
        let answers = at_once(&world, |world| {
            let code = code.clone();
            async move { poll(&world, &code).await }
        })
        .await;
        one_won(&world, &answers, round).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_hundred_polls_while_the_user_decides_one_at_most_is_in_time() {
    let world = Arc::new(world().await);
    let codes = begin(&world).await;
    let code: Arc<str> = codes.device.into();
    let answers = at_once(&world, |world| {
        let code = code.clone();
        async move { poll(&world, &code).await }
    })
    .await;
    let count = |error: &str| answers.iter().filter(|answer| answer.error() == error).count();
    assert_eq!((count("authorization_pending"), count("slow_down")), (1, 199));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_answers_of_yes_and_no_become_one() {
    let world = Arc::new(world().await);
    world.sign_in("ada");
    for _ in 0..10 {
        let codes = begin(&world).await;
        let mut browser = Browser::default();
        let page = Arc::new(type_in(&world, &mut browser, &codes.user).await);
        let turn = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let answers = at_once(&world, |world| {
            let (mut browser, page, turn) = (browser.clone(), page.clone(), turn.clone());
            async move {
                let turn = turn.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                let fields = ["decision=all", "decision=deny"][turn % 2];
                browser.answer(&world, &page, fields).await
            }
        })
        .await;
        let said = |text: &str| answers.iter().any(|answer| answer.text().contains(text));
        let allowed = said("Television has access");
        assert_ne!(allowed, said("Television was not let in"), "one or the other");
        let polled: Answer = poll(&world, &codes.device).await;
        assert_eq!(polled.status() == 200, allowed, "{}", polled.text());
    }
}
