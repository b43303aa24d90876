//! Clients that nobody uses, and floods of them.

use super::*;

#[tokio::test]
async fn a_client_that_nobody_uses_goes_and_one_that_is_used_stays() {
    let mut world = world(open().unused_lifetime(HOUR)).await;
    let used = information(&register(&world, &public(&json!({}))).await);
    let unused = information(&register(&world, &public(&json!({}))).await);
    let asked = information(&register(&world, &public(&json!({}))).await);
    become_client(&mut world, &used);
    world.tokens("ada").await;
    let stored = world.server.client(&used.client_id).await.unwrap().unwrap();
    assert_eq!((stored.unused_until(), stored.registration.as_ref().unwrap().from), (None, None));
    // A page that was shown in time, and is answered too late.
    become_client(&mut world, &asked);
    let mut browser = Browser::default();
    let page = world.ask(&mut browser, &world.asking()).await;
    world.clock.advance(HOUR);
    world.sign_in("ada");
    let late = browser.answer(&world, &page, "decision=all").await;
    assert_ne!(late.status(), 303, "{}", late.text());

    become_client(&mut world, &unused);
    let gone = world.ask(&mut Browser::default(), &world.asking()).await;
    assert_eq!(gone.status(), 400, "{}", gone.text());
    let read = ClientConfigurationRequest::Read;
    let answer = manage(&world, &unused.configuration.unwrap(), &read).await;
    assert_refused(&answer, 401, "invalid_token");
    // The next registration removes what was never used.
    information(&register(&world, &public(&json!({}))).await);
    assert!(world.server.client(&unused.client_id).await.unwrap().is_none());
    assert!(world.server.client(&used.client_id).await.unwrap().is_some());
    become_client(&mut world, &used);
    world.tokens("ada").await;
}

#[tokio::test]
async fn a_flood_is_refused_and_keeps_no_other_client_out() {
    let world = world(open().most_unused(30)).await;
    let mut first = None;
    for _ in 0..20 {
        let client = information(&world.send(post(&public(&json!({})), None, 1)).await);
        first.get_or_insert(client.client_id);
    }
    let more = world.send(post(&public(&json!({})), None, 1)).await;
    assert_refused(&more, 429, "temporarily_unavailable");
    assert!((1..=60).contains(&more.header("retry-after").parse::<u64>().unwrap()));
    for from in 2..12 {
        information(&world.send(post(&public(&json!({})), None, from)).await);
    }
    // All places are taken now: the largest network gives way, not the others.
    assert!(world.server.client(first.as_ref().unwrap()).await.unwrap().is_some());
    information(&world.send(post(&public(&json!({})), None, 99)).await);
    assert!(world.server.client(first.as_ref().unwrap()).await.unwrap().is_none());
    world.clock.advance(Duration::from_secs(120));
    let own = world.send(post(&public(&json!({})), None, 1)).await;
    assert_refused(&own, 429, "temporarily_unavailable");
    assert_eq!(world.server.clients().await.unwrap().len(), 31);
}

#[tokio::test]
async fn the_limit_of_a_network_is_asked_before_other_clients_are_read() {
    let world = world(open().most_unused(20)).await;
    for _ in 0..20 {
        information(&world.send(post(&public(&json!({})), None, 1)).await);
    }
    // All places are taken, too, for a day: but that is not looked at.
    let refused = world.send(post(&public(&json!({})), None, 1)).await;
    assert_refused(&refused, 429, "temporarily_unavailable");
    assert!((1..=60).contains(&refused.header("retry-after").parse::<u64>().unwrap()));
}
