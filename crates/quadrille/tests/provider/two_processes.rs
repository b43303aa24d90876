//! Codes and refresh tokens that one process issued and another one uses.

use std::time::Duration;

use quadrille::{Policy, testing::ManualClock};

use crate::support::World;

/// Two processes over one file, of which both know the client of the first.
async fn two() -> ([World; 2], tempfile::TempDir) {
    let (clock, folder) = (ManualClock::new(), tempfile::tempdir().unwrap());
    let one = World::on_disk(folder.path(), clock.clone()).await;
    let mut two = World::on_disk(folder.path(), clock).await;
    two.client = one.client.clone();
    two.secret = one.secret.clone();
    ([one, two], folder)
}

#[tokio::test]
async fn a_code_is_redeemed_once_by_all_processes() {
    let ([one, two], _folder) = two().await;
    let code = one.code("ada").await;
    let tokens = two.redeem(&code).await.tokens();
    let again = one.redeem(&code).await;
    assert_eq!((again.status(), again.error()), (400, "invalid_grant".into()));
    for world in [&one, &two] {
        world.clock.advance(Duration::from_secs(1));
        assert!(!world.is_good(&tokens.access).await, "a copied code ends what it bought");
    }
}

/// A clock that is behind by more would let the code be valid for too long.
#[tokio::test]
async fn a_code_is_redeemed_elsewhere_if_the_clocks_differ_by_less_than_its_lifetime() {
    let (folder, here, there) =
        (tempfile::tempdir().unwrap(), ManualClock::new(), ManualClock::new());
    let one = World::on_disk(folder.path(), here.clone()).await;
    let mut two = World::on_disk(folder.path(), there.clone()).await;
    two.client = one.client.clone();
    two.secret = one.secret.clone();
    let lifetime = Policy::safe().code_lifetime;
    let second = Duration::from_secs(1);
    for (now, is_redeemed) in [
        (here.now() - lifetime - second, false),
        (here.now() - lifetime + second, true),
        (here.now(), true),
        (here.now() + lifetime - second, true),
        (here.now() + lifetime, false),
    ] {
        there.set(now);
        let code = one.code("ada").await;
        let answer = two.redeem(&code).await;
        assert_eq!(answer.status() == 200, is_redeemed, "{now:?}: {}", answer.text());
    }
}

#[tokio::test]
async fn a_refresh_token_turns_at_each_process_in_turn() {
    let ([one, two], _folder) = two().await;
    let mut refresh = one.tokens("ada").await.refresh.unwrap();
    for round in 0..6 {
        let world = if round % 3 == 0 { &two } else { &one };
        let tokens = world.refresh(&refresh).await.tokens();
        assert!(one.is_good(&tokens.access).await, "{round}");
        refresh = tokens.refresh.unwrap();
    }
}

#[tokio::test]
async fn an_old_refresh_token_is_a_copy_to_the_process_that_issued_it_too() {
    let ([one, two], _folder) = two().await;
    let first = one.tokens("ada").await.refresh.unwrap();
    let second = two.refresh(&first).await.tokens();
    let third = two.refresh(&second.refresh.unwrap()).await.tokens();
    let copied = one.refresh(&first).await;
    assert_eq!((copied.status(), copied.error()), (400, "invalid_grant".into()));
    let after = two.refresh(&third.refresh.unwrap()).await;
    assert_eq!((after.status(), after.error()), (400, "invalid_grant".into()));
}

#[tokio::test]
async fn a_repeat_at_the_process_that_issued_it_gets_the_same_successor() {
    let ([one, two], _folder) = two().await;
    let first = one.tokens("ada").await.refresh.unwrap();
    let second = two.refresh(&first).await.tokens();
    let repeated = one.refresh(&first).await.tokens();
    assert_eq!(repeated.refresh, second.refresh);
    assert!(two.is_good(&repeated.access).await);
}
