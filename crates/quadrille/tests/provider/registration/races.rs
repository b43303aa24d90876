//! Registrations at once.

use std::path::Path;

use super::*;

/// A server in memory, and one on disk.
async fn worlds(registration: DynamicRegistration, folder: &Path) -> [World; 2] {
    let clock = ManualClock::new();
    let store = SqliteStore::open(folder.join("db"), clock.env()).unwrap();
    let new = NewClient::confidential("Photo printer").redirect_uri(CALLBACK);
    let by = registration.clone();
    let on_disk =
        World::build(store, clock, Policy::safe(), new, |server| server.dynamic_registration(by));
    [world(registration).await, on_disk.await]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_hundred_with_the_last_use_of_a_token_one_registers() {
    let folder = tempfile::tempdir().unwrap();
    let registration = DynamicRegistration::by_initial_access_token();
    for world in worlds(registration, folder.path()).await {
        let issued = world.server.issue_initial_access_token("Ada", 1, HOUR).await.unwrap();
        let token: Arc<str> = issued.token.expose().into();
        let world = Arc::new(world);
        let answers = at_once(&world, |world| {
            let token = token.clone();
            async move { world.send(post(&public(&json!({})), Some(&token), 1)).await }
        })
        .await;
        let registered = answers.iter().filter(|answer| answer.status() == 201).count();
        let refused = answers.iter().filter(|answer| answer.status() == 401).count();
        assert_eq!((registered, refused), (1, 199));
        assert_eq!(world.server.clients().await.unwrap().len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_strangers_at_once_stay_below_the_limit() {
    let world = Arc::new(world(open().most_unused(50)).await);
    let next = Arc::new(std::sync::atomic::AtomicU8::new(0));
    let answers = at_once(&world, |world| {
        let from = next.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        async move { world.send(post(&public(&json!({})), None, from)).await }
    })
    .await;
    assert!(answers.iter().all(|answer| answer.status() == 201));
    assert_eq!(world.server.clients().await.unwrap().len(), 51);
    let ids: std::collections::BTreeSet<_> =
        answers.iter().map(|answer| answer.json()["client_id"].to_string()).collect();
    assert_eq!(ids.len(), 200);
}

/// RFC 7592, sections 2.2 and 2.3.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_hundred_updates_with_a_token_one_wins_and_so_does_one_of_as_many_deletions() {
    let folder = tempfile::tempdir().unwrap();
    for world in worlds(open(), folder.path()).await {
        let world = Arc::new(world);
        let client = information(&register(&world, &public(&json!({}))).await);
        let configuration = client.configuration.clone().unwrap();
        let next = std::sync::atomic::AtomicU8::new(0);
        let answers = at_once(&world, |world| {
            let number = next.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let (configuration, asked) = (
                configuration.clone(),
                update(&client, |client| {
                    client.metadata.software_version = Some(number.to_string());
                }),
            );
            async move { manage(&world, &configuration, &asked).await }
        })
        .await;
        let (won, lost): (Vec<_>, Vec<_>) =
            answers.iter().partition(|answer| answer.status() == 200);
        let [won] = won[..] else { panic!("{} won", won.len()) };
        lost.into_iter().for_each(|answer| assert_refused(answer, 409, "temporarily_unavailable"));
        let won = information(won);
        let read = ClientConfigurationRequest::Read;
        let found = information(&manage(&world, &configuration, &read).await);
        assert_eq!((&found.metadata, &found.configuration), (&won.metadata, &won.configuration));

        let current = won.configuration.unwrap();
        let answers = at_once(&world, |world| {
            let current = current.clone();
            async move { manage(&world, &current, &ClientConfigurationRequest::Delete).await }
        })
        .await;
        let (won, lost): (Vec<_>, Vec<_>) =
            answers.iter().partition(|answer| answer.status() == 204);
        assert_eq!(won.len(), 1);
        lost.into_iter().for_each(|answer| assert_refused(answer, 401, "invalid_token"));
    }
}
