//! Clients: found, changed, removed.

use crate::{
    Scopes,
    oauth2::Resources,
    provider::{
        Client, GrantType,
        store::{Answer, Issue, Outcome, RowId, Store},
    },
    testing::ManualClock,
};

use super::world::{CLIENT, EXACT, World, client, put_client};

/// Neither case nor a trailing space makes one id another, and no issuer sees those of others.
pub async fn clients_are_found_by_their_exact_id<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let other = store.issuer("https://other.example").await.unwrap();
    for (number, id) in (1..).zip(EXACT) {
        put_client(store, world.issuer, client(id, number)).await;
    }
    put_client(store, other, client("elsewhere", 9)).await;
    for (number, id) in (1..).zip(EXACT) {
        let found = store.client(world.issuer, id).await.unwrap().unwrap();
        assert_eq!(*found, client(id, number));
        assert_eq!(store.client(other, id).await.unwrap(), None);
    }
    assert_eq!(store.client(world.issuer, "abc  ").await.unwrap(), None);
    assert_eq!(store.client(world.issuer, "elsewhere").await.unwrap(), None);
    let ids: Vec<_> = store.clients(world.issuer).await.unwrap();
    let ids: Vec<_> = ids.iter().map(|client| &*client.id).collect();
    let mut sorted = EXACT.to_vec();
    sorted.push(CLIENT);
    sorted.sort_unstable();
    assert_eq!(ids, sorted);
}

/// The newest record counts, and removing says whether there was anything to remove.
pub async fn a_client_is_replaced_and_removed<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let mut changed = client(CLIENT, 1);
    changed.name = "Renamed".to_owned();
    changed.grant_types = [GrantType::ClientCredentials].into();
    put_client(store, world.issuer, changed.clone()).await;
    assert_eq!(*store.client(world.issuer, CLIENT).await.unwrap().unwrap(), changed);
    let other = store.issuer("https://other.example").await.unwrap();
    assert!(!store.remove_client(other, CLIENT).await.unwrap());
    assert!(store.remove_client(world.issuer, CLIENT).await.unwrap());
    assert!(!store.remove_client(world.issuer, CLIENT).await.unwrap());
    assert_eq!(store.client(world.issuer, CLIENT).await.unwrap(), None);
    assert!(store.clients(world.issuer).await.unwrap().is_empty());
}

/// Of two changes of one client the second must know of the first, and who was removed stays away.
pub async fn no_change_of_a_client_undoes_another<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let held = store.client(world.issuer, CLIENT).await.unwrap().unwrap();
    let renamed = |name: &str| Client { name: name.to_owned(), ..Client::clone(&held) };
    let put = |client, before| store.put_client(world.issuer, client, before);
    assert!(!put(renamed("Twin"), None).await.unwrap(), "the id is taken");
    assert!(put(renamed("One"), Some(held.clone())).await.unwrap());
    assert!(!put(renamed("Two"), Some(held.clone())).await.unwrap(), "it is no longer that");
    let one = store.client(world.issuer, CLIENT).await.unwrap().unwrap();
    assert_eq!(one.name, "One");
    store.remove_client(world.issuer, CLIENT).await.unwrap();
    assert!(!put(renamed("Two"), Some(one)).await.unwrap(), "it was removed");
    assert_eq!(store.client(world.issuer, CLIENT).await.unwrap(), None);
}

/// One with the same id that comes later inherits neither tokens nor consents.
pub async fn a_removed_client_takes_its_tokens_with_it<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let grant = world.grant(500);
    let issue =
        Issue { access: world.access(501, grant.clone()), family: Some(world.family(502, grant)) };
    store.issue(world.issuer, issue).await.unwrap();
    let answer = Answer {
        ticket: [1; 16],
        expires: world.later(60),
        outcome: Outcome::Denied,
        asked: Scopes::of(["photos"]),
        consent: Some(world.consent("alice", CLIENT, "photos")),
    };
    store.answer(world.issuer, answer).await.unwrap();
    let is_alive = async || {
        let token = world.issued(501).await.is_some();
        assert_eq!(store.family(world.issuer, RowId(502)).await.unwrap().is_some(), token);
        let consent =
            store.consent(world.issuer, "alice", CLIENT, &Resources::EMPTY).await.unwrap();
        assert_eq!(consent.is_some(), token);
        token
    };
    assert!(is_alive().await);
    put_client(store, world.issuer, client(CLIENT, 1)).await;
    assert!(is_alive().await, "the same client, changed, keeps what it has");
    put_client(store, world.issuer, client(CLIENT, 600)).await;
    assert!(!is_alive().await, "another client under the same id");
    let access = world.access(701, world.grant(700));
    store.issue(world.issuer, Issue { access, family: None }).await.unwrap();
    assert!(world.issued(701).await.is_some());
    assert!(store.remove_client(world.issuer, CLIENT).await.unwrap());
    assert_eq!(world.issued(701).await, None);
    put_client(store, world.issuer, client(CLIENT, 800)).await;
    assert_eq!(world.issued(701).await, None);
}
