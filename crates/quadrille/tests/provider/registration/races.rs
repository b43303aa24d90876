//! Registrations at once.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_hundred_with_the_last_use_of_a_token_one_registers() {
    let registration = DynamicRegistration::by_initial_access_token();
    for on_disk in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let registration = registration.clone();
        let world = match on_disk {
            false => world(registration).await,
            true => {
                let clock = ManualClock::new();
                let store = SqliteStore::open(folder.path().join("db"), clock.env()).unwrap();
                let new = NewClient::confidential("Photo printer").redirect_uri(CALLBACK);
                World::build(store, clock, Policy::safe(), new, |server| {
                    server.dynamic_registration(registration)
                })
                .await
            }
        };
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
