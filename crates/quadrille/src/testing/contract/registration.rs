//! Dynamic registrations: clients that nobody has used yet, and initial access tokens.

use crate::{
    Timestamp,
    provider::{
        Client, ClientRegistration,
        store::{
            Admission, Admitted, Change, InitialTokenRecord, Issue, RowId, SWEEP_DELAY, Store,
            UnusedClient,
        },
    },
    testing::ManualClock,
};

use super::{
    checked::{holds, same},
    world::{CLIENT, World, client, hash},
};

/// A client that registered itself, and must be used until this time, if any.
pub(super) fn arrived(id: &str, number: i64, unused_until: Option<Timestamp>) -> Client {
    let registration = ClientRegistration {
        token: hash(number),
        unused_until,
        from: Some([192, 0, 2, 7].into()),
        ..ClientRegistration::default()
    };
    Client { registration: Some(Box::new(registration)), ..client(id, number) }
}

/// An initial access token in this row.
pub(super) fn token(row: i64, uses: u32, expires: Timestamp) -> InitialTokenRecord {
    InitialTokenRecord {
        row: RowId(row),
        hash: hash(row),
        name: "partners \u{e9}".into(),
        uses,
        expires,
    }
}

/// The registration of this client, by the token in this row, if any.
pub(super) fn admission(client: Client, token: Option<i64>) -> Admission {
    Admission { client, token: token.map(hash), instead_of: Vec::new() }
}

/// Hash and issuer are exact, and the list is in order.
pub async fn an_initial_token_comes_back_as_it_was_put<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let (store, issuer) = (world.store, world.issuer);
    let other = store.issuer("https://other.example").await;
    let tokens = [token(300, 1, world.later(60)), token(301, u32::MAX, world.later(120))];
    for token in tokens.iter().rev() {
        store.put_initial_token(issuer, token.clone()).await;
    }
    for token in &tokens {
        let rule = "`initial_token` finds a token as it was put";
        same(rule, store.initial_token(issuer, &token.hash).await.as_ref(), Some(token));
    }
    let rule = "`initial_tokens` tells all tokens of this issuer, ordered by row";
    same(rule, store.initial_tokens(issuer).await, tokens.to_vec());
    same(rule, store.initial_tokens(other).await, Vec::new());
    let mut near = hash(300);
    near[31] ^= 1;
    let rule = "`initial_token` compares the whole hash";
    same(rule, store.initial_token(issuer, &near).await, None);
    let rule = "`initial_token` shows no issuer a token of another issuer";
    same(rule, store.initial_token(other, &hash(300)).await, None);
    let rule = "`remove_initial_token` removes no token of another issuer";
    holds(rule, !store.remove_initial_token(other, RowId(300)).await);
    let rule = "`remove_initial_token` says whether there was a token to remove";
    holds(rule, store.remove_initial_token(issuer, RowId(300)).await);
    holds(rule, !store.remove_initial_token(issuer, RowId(300)).await);
    let rule = "a token that was removed is no longer found";
    same(rule, store.initial_token(issuer, &hash(300)).await, None);
}

/// A refused registration takes nothing.
pub async fn a_client_is_admitted_once_for_each_use<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let (store, issuer) = (world.store, world.issuer);
    let other = store.issuer("https://other.example").await;
    store.put_initial_token(issuer, token(300, 2, world.later(60))).await;
    let uses = async || store.initial_token(issuer, &hash(300)).await.map(|token| token.uses);
    let admit = |client, token| store.admit(issuer, admission(client, token));

    let rule = "`admit` registers no client whose id is taken";
    same(rule, admit(arrived(CLIENT, 400, None), Some(300)).await, Admitted::IdTaken);
    same("a refused `admit` takes no use of the token", uses().await, Some(2));
    let rule = "`admit` accepts no token of another issuer";
    let elsewhere = store.admit(other, admission(arrived("x", 400, None), Some(300))).await;
    same(rule, elsewhere, Admitted::TokenSpent);
    let rule = "`admit` without a use left stores nothing";
    same(rule, store.client(other, "x").await, None);

    let first = arrived("first", 401, None);
    let start = store.changes(issuer, -1).await.position;
    let rule = "`admit` registers a client with a token that has uses left";
    same(rule, admit(first.clone(), Some(300)).await, Admitted::Registered);
    let rule = "`admit` stores every part of the client";
    same(rule, store.client(issuer, "first").await.as_deref(), Some(&first));
    same("`admit` takes one use of the token", uses().await, Some(1));
    let rule = "`changes` tells a client that was admitted";
    let told = store.changes(issuer, start).await.changes;
    same(rule, told, vec![Change::Client("first".into())]);
    same(rule, admit(arrived("second", 402, None), Some(300)).await, Admitted::Registered);
    same("`admit` removes a token without further uses", uses().await, None);
    let rule = "`admit` registers no client with a token that has no use left";
    same(rule, admit(arrived("third", 403, None), Some(300)).await, Admitted::TokenSpent);
    same(rule, store.client(issuer, "third").await, None);
    let rule = "`admit` needs no token if none is named";
    same(rule, admit(arrived("third", 403, None), None).await, Admitted::Registered);
}

/// A client is unused until its record says otherwise.
pub async fn unused_clients_are_told_until_they_are_used<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let (store, issuer) = (world.store, world.issuer);
    let other = store.issuer("https://other.example").await;
    let until = Some(world.later(60));
    for (id, number) in [("c", 401), ("b", 403), ("a", 402)] {
        store.admit(issuer, admission(arrived(id, number, until), None)).await;
    }
    store.admit(issuer, admission(arrived("used", 404, None), None)).await;
    store.admit(other, admission(arrived("elsewhere", 405, until), None)).await;
    let ids_of = async |issuer| {
        let unused = store.unused_clients(issuer).await;
        unused.iter().map(|client| client.id.to_string()).collect::<Vec<_>>()
    };
    let ids = async || ids_of(issuer).await;
    let rule = "`unused_clients` tells the clients of this issuer that must be used, by number";
    same(rule, ids().await, ["c", "a", "b"].map(str::to_owned).to_vec());
    same(rule, ids_of(other).await, vec!["elsewhere".to_owned()]);
    store.replace_client(issuer, arrived("a", 402, None)).await;
    let rule = "`unused_clients` tells no client whose record says that it was used";
    same(rule, ids().await, ["c", "b"].map(str::to_owned).to_vec());
    store.remove_client(issuer, "c").await;
    let rule = "`unused_clients` tells no client that was removed";
    same(rule, ids().await, ["b"].map(str::to_owned).to_vec());
    clock.advance(std::time::Duration::from_secs(61));
    let rule = "`unused_clients` tells those whose time is over, too";
    same(rule, ids().await, ["b"].map(str::to_owned).to_vec());
    let found = store.unused_clients(issuer).await;
    let rule = "`unused_clients` tells number, address and time of a client";
    same(rule, found, UnusedClient::of(&arrived("b", 403, until)).into_iter().collect());
}

/// A client that somebody began to use stays.
pub async fn a_client_is_admitted_instead_of_others<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let (store, issuer) = (world.store, world.issuer);
    let until = Some(world.later(60));
    for (id, number) in [("old", 2), ("used", 3), ("longer", 5), ("again", 6)] {
        store.admit(issuer, admission(arrived(id, number, until), None)).await;
    }
    let mut instead_of = store.unused_clients(issuer).await;
    store.replace_client(issuer, arrived("used", 3, None)).await;
    store.replace_client(issuer, arrived("longer", 5, Some(world.later(120)))).await;
    store.remove_client(issuer, "again").await;
    store.admit(issuer, admission(arrived("again", 7, until), None)).await;
    let mut grant = world.grant(300);
    grant.client = "old".into();
    store.issue(issuer, Issue { access: world.access(600, grant), family: None }).await;
    store.answer(issuer, world.denial(1, world.consent("alice", "old", "photos"))).await;
    let start = store.changes(issuer, -1).await.position;
    instead_of.extend(UnusedClient::of(&arrived("never", 4, until)));
    let new = arrived("new", 405, until);
    let admission = Admission { client: new, token: None, instead_of };
    let rule = "`admit` registers a client instead of others";
    same(rule, store.admit(issuer, admission).await, Admitted::Registered);
    let rule = "`admit` removes a client that is still unused";
    same(rule, store.client(issuer, "old").await, None);
    let rule = "`admit` removes no client that was used since it was loaded";
    holds(rule, store.client(issuer, "used").await.is_some());
    let rule = "`admit` removes no client whose time has changed since it was loaded";
    holds(rule, store.client(issuer, "longer").await.is_some());
    let rule = "`admit` removes no client that was registered since the other of its id was loaded";
    holds(rule, store.client(issuer, "again").await.is_some());
    let rule = "a client that `admit` removes takes its tokens and consents with it";
    same(rule, world.issued(600).await, None);
    same(rule, store.consent(issuer, "alice", "old").await, None);
    let rule = "`changes` tells the clients that `admit` removed, and the new one";
    let told = store.changes(issuer, start).await.changes;
    same(rule, told, vec![Change::Client("old".into()), Change::Client("new".into())]);
    let ids: Vec<_> = store.unused_clients(issuer).await;
    let ids: Vec<_> = ids.iter().map(|client| &*client.id).collect();
    same("`unused_clients` tells what is there after `admit`", ids, vec!["longer", "again", "new"]);
}

/// Others stay.
pub async fn unused_clients_and_tokens_that_expired_are_swept<S: Store>(
    store: &S,
    clock: &ManualClock,
) {
    let world = World::of(store, clock).await;
    let (store, issuer) = (world.store, world.issuer);
    for (id, number, until) in [
        ("late", 401, Some(world.later(59))),
        ("now", 402, Some(world.later(60))),
        ("used", 403, None),
    ] {
        store.admit(issuer, admission(arrived(id, number, until), None)).await;
    }
    store.put_initial_token(issuer, token(300, 1, world.later(59))).await;
    store.put_initial_token(issuer, token(301, 1, world.later(60))).await;
    store.answer(issuer, world.denial(1, world.consent("alice", "late", "photos"))).await;
    let start = store.changes(issuer, -1).await.position;
    clock.advance(std::time::Duration::from_secs(60) + SWEEP_DELAY);
    let gone = store.sweep_all(clock.now()).await;
    let rule = "`sweep` removes a client that was not used in time";
    same(rule, store.client(issuer, "late").await, None);
    same(rule, store.consent(issuer, "alice", "late").await, None);
    let told = store.changes(issuer, start).await.changes;
    same("`changes` tells a client that was swept", told, vec![Change::Client("late".into())]);
    for id in ["now", "used", CLIENT] {
        let rule = format!("`sweep` removes no client that need not be used before now: {id}");
        holds(rule, store.client(issuer, id).await.is_some());
    }
    let rule = "`sweep` removes an initial access token that expired, and no other";
    same(rule, store.initial_tokens(issuer).await, vec![token(301, 1, clock.now() - SWEEP_DELAY)]);
    same("`sweep` says how many rows went", gone, 2);
}
