//! A clock that is set while a server runs, or between one process and the next.

use std::time::Duration;

use quadrille::{
    Policy,
    oauth2::{ClientAuth, Resources, TokenRequest},
    provider::NewClient,
    testing::ManualClock,
};

use super::{
    oauth1_support::{self, Signing, problem},
    support::{Browser, CALLBACK, World, paused_clock},
};

const HOUR: Duration = Duration::from_secs(3600);

fn back(clock: &ManualClock, by: Duration) {
    clock.set(clock.now() - by);
}

fn ahead(clock: &ManualClock, by: Duration) {
    clock.set(clock.now() + by);
}

#[tokio::test]
async fn a_client_that_was_added_while_the_clock_was_ahead_gets_tokens_that_are_good() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let serving = World::on_disk(folder.path(), clock.clone()).await;
    ahead(&clock, 24 * HOUR);
    let command = World::on_disk(folder.path(), clock.clone()).await;
    back(&clock, 24 * HOUR);
    let world = World { client: command.client, secret: command.secret, ..serving };
    let tokens = world.tokens("ada").await;
    assert!(world.is_good(&tokens.access).await);
    let turned = world.refresh(&tokens.refresh.unwrap()).await.tokens();
    assert!(world.is_good(&turned.access).await);
    // After a restart, too.
    let started = World::on_disk(folder.path(), clock.clone()).await;
    let world = World { client: world.client, secret: world.secret, ..started };
    let tokens = world.tokens("grace").await;
    assert!(world.is_good(&tokens.access).await);
}

#[tokio::test]
async fn what_was_withdrawn_while_the_clock_was_ahead_can_be_given_again() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let world = World::on_disk(folder.path(), clock.clone()).await;
    world.tokens("ada").await;
    ahead(&clock, 24 * HOUR);
    let command = World::on_disk(folder.path(), clock.clone()).await;
    command.server.revoke_consent("ada", &world.client.id).await.unwrap();
    command.server.revoke_subject("grace").await.unwrap();
    back(&clock, 24 * HOUR);
    for subject in ["ada", "grace"] {
        let tokens = world.tokens(subject).await;
        assert!(world.is_good(&tokens.access).await, "{subject}");
    }
}

#[tokio::test]
async fn what_was_granted_while_the_clock_was_ahead_can_be_withdrawn() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let world = World::on_disk(folder.path(), clock.clone()).await;
    ahead(&clock, HOUR / 2);
    let withdrawn = world.tokens("ada").await;
    let removed = world.tokens("grace").await;
    back(&clock, HOUR / 2);
    assert!(world.is_good(&withdrawn.access).await && world.is_good(&removed.access).await);
    let command = World::on_disk(folder.path(), clock.clone()).await;
    command.server.revoke_consent("ada", &world.client.id).await.unwrap();
    clock.advance(Duration::from_secs(1));
    assert!(!world.is_good(&withdrawn.access).await);

    // Nor does a client that is made again inherit anything.
    command.server.remove_client(&world.client.id).await.unwrap();
    let again = NewClient::confidential("Another").redirect_uri(CALLBACK);
    command.server.register(again.id(&*world.client.id)).await.unwrap();
    clock.advance(Duration::from_secs(1));
    assert!(!world.is_good(&removed.access).await);
    let refreshed = world.refresh(&removed.refresh.unwrap()).await;
    assert_ne!(refreshed.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn after_a_step_back_of_the_clock_a_right_secret_waits_no_longer_than_before() {
    let chosen = "a secret that somebody chose";
    let policy = Policy::safe();
    let world = World::with(policy, |new| new.chosen_secret(chosen.into())).await;
    let asked = TokenRequest::RefreshToken {
        refresh_token: "none",
        scope: None,
        resource: Resources::EMPTY,
    };
    let auth = |secret: &str| ClientAuth::Basic {
        client_id: (*world.client.id).into(),
        client_secret: secret.into(),
    };
    for _ in 0..10 {
        assert_eq!(world.token(&auth("wrong"), &asked).await.status(), 401);
    }
    for _ in 0..2 {
        let began = paused_clock();
        let answer = world.token(&auth(chosen), &asked).await;
        assert_eq!((answer.status(), answer.error().as_str()), (400, "invalid_grant"));
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
        back(&world.clock, HOUR);
    }
}

#[tokio::test]
async fn after_a_step_back_of_the_clock_an_old_refresh_token_is_a_copy_as_before() {
    for step in [Duration::from_secs(31), HOUR] {
        let world = World::new().await;
        let first = world.tokens("ada").await.refresh.unwrap();
        let second = world.refresh(&first).await.tokens().refresh.unwrap();
        assert_eq!(world.refresh(&first).await.tokens().refresh.as_ref(), Some(&second), "at once");
        back(&world.clock, step);
        assert_eq!(world.refresh(&first).await.error(), "invalid_grant", "{step:?}");
        assert_eq!(world.refresh(&second).await.error(), "invalid_grant", "{step:?}");
    }
}

#[tokio::test]
async fn a_step_back_of_the_clock_by_a_moment_ends_no_login_and_no_repeat() {
    let world = World::new().await;
    let code = world.code("ada").await;
    back(&world.clock, Duration::from_secs(5));
    let first = world.redeem(&code).await.tokens().refresh.unwrap();
    let second = world.refresh(&first).await.tokens().refresh;
    back(&world.clock, Duration::from_secs(5));
    assert_eq!(world.refresh(&first).await.tokens().refresh, second);
}

#[tokio::test]
async fn a_step_back_of_the_clock_prolongs_neither_codes_nor_pages() {
    let world = World::new().await;
    let code = world.code("ada").await;
    let mut browser = Browser::default();
    world.sign_in("grace");
    let page = world.ask(&mut browser, &world.asking()).await;
    clock_goes_on_and_back(&world, Duration::from_secs(70));
    assert_eq!(world.redeem(&code).await.error(), "invalid_grant");
    let answer = browser.answer(&world, &page, "decision=all").await;
    assert_eq!((answer.status(), answer.reason()), (400, "ticket_expired"));
}

/// The clock goes on, and is then set back by an hour.
fn clock_goes_on_and_back(world: &World, by: Duration) {
    world.clock.advance(by);
    back(&world.clock, HOUR);
}

#[tokio::test]
async fn nor_temporary_credentials() {
    let world = oauth1_support::world().await;
    let signing = Signing::new(&world);
    let (temporary, verifier) = signing.approved(&world, "ada").await;
    let begun = signing.begin(&world).await;
    world.clock.advance(Duration::from_secs(60));
    back(&world.clock, 3 * HOUR);
    let answer = signing.token(&world, &temporary, &verifier).await;
    assert_eq!(problem(&answer), "token_expired");
    let mut browser = Browser::default();
    let page = browser.get(&world, &format!("/oauth/authorize?oauth_token={}", begun.token)).await;
    assert_eq!(page.status(), 400, "{page:?}");
}
