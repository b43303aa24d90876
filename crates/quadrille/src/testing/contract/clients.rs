//! Clients: found, changed, removed.

use crate::{
    provider::{
        Client, GrantType,
        store::{Change, Issue, RowId, Store},
    },
    testing::ManualClock,
};

use super::{
    checked::{holds, same},
    world::{CLIENT, EXACT, World, client},
};

/// Case and a trailing space distinguish ids, and issuers do not see each other's clients.
pub async fn clients_are_found_by_their_exact_id<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let other = store.issuer("https://other.example").await;
    for (number, id) in (1..).zip(EXACT) {
        let rule =
            format!("`put_client` takes {id:?} for another id than all that differ in any byte");
        holds(rule, store.put_client(world.issuer, client(id, number), None).await);
    }
    store.replace_client(other, client("elsewhere", 9)).await;
    for (number, id) in (1..).zip(EXACT) {
        let rule = format!("`client` finds {id:?} by exactly this id: case and spaces count");
        let found = store.client(world.issuer, id).await;
        same(rule, found.as_deref(), Some(&client(id, number)));
        let rule = "`client` shows no issuer a client of another issuer";
        same(rule, store.client(other, id).await, None);
    }
    for (id, rule) in [
        ("abc  ", "`client` finds no id by one with more spaces at its end"),
        ("elsewhere", "`client` shows no issuer a client of another issuer"),
    ] {
        same(rule, store.client(world.issuer, id).await, None);
    }
    let ids: Vec<_> = store.clients(world.issuer).await;
    let ids: Vec<_> = ids.iter().map(|client| &*client.id).collect();
    let mut sorted = EXACT.to_vec();
    sorted.push(CLIENT);
    sorted.sort_unstable();
    same(
        "`clients` tells all clients of this issuer, ordered by the bytes of their ids",
        ids,
        sorted,
    );
}

/// The newest record counts, and removing reports whether there was one.
pub async fn a_client_is_replaced_and_removed<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let mut changed = client(CLIENT, 1);
    changed.name = "Renamed".to_owned();
    changed.grant_types = [GrantType::ClientCredentials].into();
    store.replace_client(world.issuer, changed.clone()).await;
    let found = store.client(world.issuer, CLIENT).await;
    same("`put_client` keeps every part of the newest record", found.as_deref(), Some(&changed));
    let other = store.issuer("https://other.example").await;
    let rule = "`remove_client` removes no client of another issuer";
    holds(rule, !store.remove_client(other, CLIENT).await);
    let rule = "`remove_client` says whether there was a client to remove";
    holds(rule, store.remove_client(world.issuer, CLIENT).await);
    holds(rule, !store.remove_client(world.issuer, CLIENT).await);
    let rule = "a client that was removed is no longer found";
    same(rule, store.client(world.issuer, CLIENT).await, None);
    same(rule, store.clients(world.issuer).await, Vec::new());
}

/// A change of a stale client fails, and a removed client stays removed.
pub async fn no_change_of_a_client_undoes_another<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let held = store.client(world.issuer, CLIENT).await.unwrap();
    let renamed = |name: &str| Client { name: name.to_owned(), ..Client::clone(&held) };
    let put = |client, before| store.put_client(world.issuer, client, before);
    let rule = "`put_client` of a new client is refused where the id is taken";
    holds(rule, !put(renamed("Twin"), None).await);
    let rule = "`put_client` takes the place of what the store holds";
    holds(rule, put(renamed("One"), Some(held.clone())).await);
    let rule = "`put_client` is refused where the store no longer holds what it would replace";
    holds(rule, !put(renamed("Two"), Some(held.clone())).await);
    let one = store.client(world.issuer, CLIENT).await.unwrap();
    same("a `put_client` that was refused changes nothing", &*one.name, "One");
    store.remove_client(world.issuer, CLIENT).await;
    let rule = "`put_client` brings no client back that was removed meanwhile";
    holds(rule, !put(renamed("Two"), Some(one)).await);
    same(rule, store.client(world.issuer, CLIENT).await, None);
}

/// If one id is taken, no client is added.
pub async fn clients_are_added_all_or_none<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let (store, issuer) = (world.store, world.issuer);
    let other = store.issuer("https://other.example").await;
    let clients = |ids: [&'static str; 3]| (600..).zip(ids).map(|(number, id)| client(id, number));
    let start = store.changes(issuer, -1).await.position;
    let rule = "`add_clients` names the id that is taken";
    let taken = store.add_clients(issuer, clients(["a", CLIENT, "b"]).collect()).await;
    same(rule, taken.as_deref(), Some(CLIENT));
    for id in ["a", "b"] {
        let rule = "`add_clients` adds none if an id is taken";
        same(rule, store.client(issuer, id).await, None);
    }
    let rule = "a refused `add_clients` replaces no client";
    same(rule, store.client(issuer, CLIENT).await.as_deref(), Some(&client(CLIENT, 1)));
    same(
        "`changes` tells no change that was refused",
        store.changes(issuer, start).await.changes,
        vec![],
    );
    let rule = "`add_clients` takes the ids of another issuer for free ones";
    same(rule, store.add_clients(other, vec![client(CLIENT, 500)]).await, None);
    let added = ["c", "a", "b"];
    let rule = "`add_clients` adds clients whose ids are free";
    same(rule, store.add_clients(issuer, clients(added).collect()).await, None);
    for client in clients(added) {
        let rule = "`add_clients` stores every part of each client";
        same(rule, store.client(issuer, &client.id).await.as_deref(), Some(&client));
    }
    let told = store.changes(issuer, start).await.changes;
    let expected = added.map(|id| Change::Client(id.into())).to_vec();
    same("`changes` tells each client that was added", told, expected);
    let rule = "`newest` is the number of a client that was added, or greater";
    holds(rule, store.newest().await >= RowId(602));
    same("`add_clients` of none is done", store.add_clients(issuer, Vec::new()).await, None);
}

/// A later client with the same id inherits neither tokens nor consents.
pub async fn a_removed_client_takes_its_tokens_with_it<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    store.replace_client(world.issuer, client("other", 2)).await;
    let grant = world.grant(500);
    let issue =
        Issue { access: world.access(501, grant.clone()), family: Some(world.family(502, grant)) };
    store.issue(world.issuer, issue).await;
    for (ticket, name) in [(1, CLIENT), (2, "other")] {
        let consent = world.consent("alice", name, "photos");
        store.answer(world.issuer, world.denial(ticket, consent)).await;
    }
    let rule = "a denial may carry a consent, and `answer` remembers it";
    holds(rule, store.consent(world.issuer, "alice", CLIENT).await.is_some());
    let check = async |lives: bool, when: &str| {
        let rule = |what: &str| format!("{when}, {what}");
        same(rule("its access tokens"), world.issued(501).await.is_some(), lives);
        let family = store.family(world.issuer, RowId(502)).await;
        same(rule("its refresh tokens"), family.is_some(), lives);
        let consent = store.consent(world.issuer, "alice", CLIENT).await;
        same(rule("the consents it was given (`consent`)"), consent.is_some(), lives);
        let consents = store.consents(world.issuer, "alice").await;
        let consents: Vec<_> = consents.iter().map(|consent| &*consent.client).collect();
        let left: &[_] = if lives { &[CLIENT, "other"] } else { &["other"] };
        same(rule("the consents it was given (`consents`)"), &consents[..], left);
    };
    check(true, "before anything happens to a client it has").await;
    let mut renamed = client(CLIENT, 1);
    renamed.name = "Renamed".to_owned();
    store.replace_client(world.issuer, renamed).await;
    check(true, "a changed client with the same `Client::number` keeps").await;
    store.replace_client(world.issuer, client(CLIENT, 600)).await;
    check(false, "a client loses with a changed `Client::number`").await;
    let access = world.access(701, world.grant(700));
    store.issue(world.issuer, Issue { access, family: None }).await;
    let rule = "a grant with a greater number than `Client::number` lives";
    holds(rule, world.issued(701).await.is_some());
    let consent = world.consent("alice", CLIENT, "photos");
    store.answer(world.issuer, world.denial(3, consent)).await;
    holds("`remove_client` says that it did", store.remove_client(world.issuer, CLIENT).await);
    same("tokens of a client that was removed are dead", world.issued(701).await, None);
    let rule = "`remove_client` removes the consents that were given to the client";
    same(rule, store.consent(world.issuer, "alice", CLIENT).await, None);
    store.replace_client(world.issuer, client(CLIENT, 800)).await;
    let rule = "a client that is registered later under the same id inherits no token";
    same(rule, world.issued(701).await, None);
    let rule = "a client that is registered later under the same id inherits no consent";
    same(rule, store.consent(world.issuer, "alice", CLIENT).await, None);
}
