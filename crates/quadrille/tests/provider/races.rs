//! Many at once, over the real endpoints, on several threads.

use std::{collections::BTreeSet, sync::Arc};

use quadrille::testing::ManualClock;

use crate::support::{Answer, Browser, World};

const ROUNDS: usize = 50;
const AT_ONCE: usize = 200;

pub(crate) async fn at_once<F>(world: &Arc<World>, run: impl Fn(Arc<World>) -> F) -> Vec<Answer>
where
    F: Future<Output = Answer> + Send + 'static,
{
    let start = Arc::new(tokio::sync::Barrier::new(AT_ONCE));
    let tasks: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (start, request) = (start.clone(), run(world.clone()));
            tokio::spawn(async move {
                start.wait().await;
                request.await
            })
        })
        .collect();
    let mut answers = Vec::with_capacity(AT_ONCE);
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_hundred_who_redeem_a_code_one_wins_and_the_replays_kill_what_was_bought() {
    redeem_at_once(Arc::new(World::new().await), ROUNDS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_disk_too_one_wins_a_code_and_replays_kill_what_was_bought() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::on_disk(folder.path(), ManualClock::new()).await;
    redeem_at_once(Arc::new(world), 5).await;
}

async fn redeem_at_once(world: Arc<World>, rounds: usize) {
    for round in 0..rounds {
        let code: Arc<str> = world.code("ada").await.into();
        let answers = at_once(&world, |world| {
            let code = code.clone();
            async move { world.redeem(&code).await }
        })
        .await;
        one_won(&world, &answers, round).await;
    }
}

/// One of the requests got tokens, which the others have ended.
pub(crate) async fn one_won(world: &World, answers: &[Answer], round: usize) {
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status() == 200);
    assert_eq!(won.len(), 1, "round {round}");
    assert!(lost.iter().all(|answer| answer.error() == "invalid_grant"), "round {round}");
    let bought = won[0].tokens();
    assert!(!world.is_good(&bought.access).await, "round {round}");
    let answer = world.refresh(&bought.refresh.unwrap()).await;
    assert_eq!(answer.error(), "invalid_grant", "round {round}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_who_refresh_at_once_all_get_the_one_successor() {
    refresh_at_once(Arc::new(World::new().await), ROUNDS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_disk_too_all_get_the_one_successor() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::on_disk(folder.path(), ManualClock::new()).await;
    refresh_at_once(Arc::new(world), 5).await;
}

async fn refresh_at_once(world: Arc<World>, rounds: usize) {
    let mut refresh: Arc<str> = world.tokens("ada").await.refresh.unwrap().into();
    for round in 0..rounds {
        let answers = at_once(&world, |world| {
            let refresh = refresh.clone();
            async move { world.refresh(&refresh).await }
        })
        .await;
        let tokens: Vec<_> = answers.iter().map(Answer::tokens).collect();
        let successors: BTreeSet<_> = tokens.iter().map(|tokens| &tokens.refresh).collect();
        assert_eq!(successors.len(), 1, "round {round}");
        let accesses: BTreeSet<_> = tokens.iter().map(|tokens| &tokens.access).collect();
        assert_eq!(accesses.len(), AT_ONCE, "round {round}");
        assert!(world.is_good(&tokens[0].access).await, "round {round}");
        refresh = tokens[0].refresh.clone().unwrap().into();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_who_answer_one_page_get_one_code() {
    let world = Arc::new(World::new().await);
    world.sign_in("ada");
    let mut browser = Browser::default();
    let page = Arc::new(world.ask(&mut browser, &world.asking()).await);
    let answers = at_once(&world, |world| {
        let (mut browser, page) = (browser.clone(), page.clone());
        async move { browser.answer(&world, &page, "decision=all").await }
    })
    .await;
    let locations: BTreeSet<_> = answers.iter().map(Answer::location).collect();
    assert_eq!(locations.len(), 1);
    assert_eq!(world.redeem(&answers[0].query("code")).await.status(), 200);
}

#[tokio::test]
async fn what_one_process_takes_away_another_refuses_within_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::new();
    let serving = World::on_disk(folder.path(), clock.clone()).await;
    let command_line = World::on_disk(folder.path(), clock.clone()).await;
    let second = std::time::Duration::from_secs(1);

    let tokens = serving.tokens("ada").await;
    assert!(serving.is_good(&tokens.access).await);
    let server = &command_line.server;
    assert!(server.revoke_token(&tokens.access.as_str().into()).await.unwrap());
    clock.advance(second);
    assert!(!serving.is_good(&tokens.access).await, "a revoked token");

    let tokens = serving.tokens("ada").await;
    assert!(serving.is_good(&tokens.access).await);
    assert!(server.remove_client(&serving.client.id).await.unwrap());
    clock.advance(second);
    assert!(!serving.is_good(&tokens.access).await, "the token of a removed client");
    let answer = serving.refresh(&tokens.refresh.unwrap()).await;
    assert_eq!(answer.error(), "invalid_client", "and the client itself");
}

#[tokio::test]
async fn keys_that_end_with_the_process_are_refused_for_a_store_that_does_not() {
    use quadrille::provider::{AuthorizationServer, Error, OperatorError, store::SqliteStore};
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("x.db"), ManualClock::new().env()).unwrap();
    let server = AuthorizationServer::new("https://id.example", store).unwrap();
    let error = server.start().await.unwrap_err();
    assert!(matches!(error, Error::Operator(OperatorError::EphemeralKeys)), "{error}");
}
