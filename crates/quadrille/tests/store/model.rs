//! Random verbs in random order, against a model that fits on a page.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use proptest::prelude::*;
use quadrille::{
    Env,
    provider::store::{IssuerId, MemoryStore, Parts, Redeemed, RevokeAll, Rotated, RowId, Store},
    testing::{ManualClock, cached},
};

use crate::world::{
    CLIENT, access, client, code, family, grant, hash, is_good, issue, put_client, rotation, sqlite,
};

/// Grants 100 to 105 belong to alice, 106 to 111 to bob; each may have a code, a refresh token and
/// any number of access tokens.
#[derive(Clone, Debug)]
enum Verb {
    Approve(i64),
    Redeem(i64),
    /// With the generation that is believed to be the current one.
    Rotate(i64, u32),
    Issue(i64),
    RevokeGrant(i64),
    RevokeAlice(i64),
    Remember(i64),
    PutClient(i64),
    RemoveClient,
}

fn verb() -> impl Strategy<Value = Verb> {
    let grant = || 100..112_i64;
    prop_oneof![
        4 => grant().prop_map(Verb::Approve),
        6 => grant().prop_map(Verb::Redeem),
        6 => (grant(), 0..3_u32).prop_map(|(grant, generation)| Verb::Rotate(grant, generation)),
        3 => grant().prop_map(Verb::Issue),
        2 => grant().prop_map(Verb::RevokeGrant),
        1 => grant().prop_map(Verb::RevokeAlice),
        2 => (0..5_i64).prop_map(Verb::Remember),
        1 => (95..108_i64).prop_map(Verb::PutClient),
        1 => Just(Verb::RemoveClient),
    ]
}

#[derive(Default)]
struct Model {
    /// Whether it was redeemed, by grant.
    codes: HashMap<i64, bool>,
    /// The generation, by grant.
    families: HashMap<i64, u32>,
    /// The grant, by row.
    tokens: HashMap<i64, i64>,
    revoked: HashSet<i64>,
    alice_up_to: i64,
    remembered: HashSet<i64>,
    client: Option<i64>,
    changes: usize,
}

impl Model {
    fn lives(&self, grant: i64) -> bool {
        self.client.is_some_and(|number| number <= grant)
            && !self.revoked.contains(&grant)
            && !(is_alices(grant) && grant <= self.alice_up_to)
    }
}

fn is_alices(grant: i64) -> bool {
    grant < 106
}

fn subject(grant: i64) -> &'static str {
    if is_alices(grant) { "alice" } else { "bob" }
}

async fn check<S: Store>(store: S, clock: ManualClock, verbs: Vec<Verb>) {
    let issuer = store.issuer("https://id.example").await.unwrap();
    let start = store.changes(issuer, -1).await.unwrap().position;
    let mut model = Model::default();
    let now = clock.now();
    for (step, verb) in (0..).zip(verbs) {
        let row = 10_000 + step * 10;
        match verb.clone() {
            Verb::Approve(grant) => {
                if model.codes.contains_key(&grant) {
                    continue;
                }
                let mut code = code(1000 + grant, now);
                code.grant = self::grant(grant, subject(grant));
                store.put_code(issuer, code).await.unwrap();
                model.codes.insert(grant, false);
            }
            Verb::Redeem(grant) => {
                let bought = self::grant(grant, subject(grant));
                let mut issue = issue(row, grant, now);
                issue.access = access(row, bought.clone(), now);
                let is_first = !model.families.contains_key(&grant);
                issue.family = is_first.then(|| family(2000 + grant, bought, now));
                let redeemed = store.redeem(issuer, RowId(1000 + grant), issue).await.unwrap();
                let expected = match model.codes.get(&grant) {
                    None => Redeemed::Unknown,
                    Some(true) => Redeemed::Replayed(RowId(grant)),
                    Some(false) if !model.lives(grant) => Redeemed::Revoked,
                    Some(false) => {
                        model.codes.insert(grant, true);
                        model.families.entry(grant).or_default();
                        model.tokens.insert(row, grant);
                        Redeemed::Issued
                    }
                };
                assert_eq!(redeemed, expected, "{verb:?} in step {step}");
            }
            Verb::Rotate(grant, generation) => {
                let mut read = family(2000 + grant, self::grant(grant, subject(grant)), now);
                read.generation = generation;
                read.current =
                    if generation == 0 { hash(2000 + grant) } else { hash(generation.into()) };
                let mut rotation = rotation(&read, row, now);
                rotation.successor = Some(hash(i64::from(generation) + 1));
                let rotated = store.rotate(issuer, rotation).await.unwrap();
                match model.families.get(&grant).copied() {
                    Some(current) if model.lives(grant) => {
                        if current == generation {
                            assert_eq!(rotated, Rotated::Issued, "{verb:?} in step {step}");
                            model.families.insert(grant, generation + 1);
                            model.tokens.insert(row, grant);
                        } else {
                            let Rotated::Lost(found) = rotated else { panic!("{rotated:?}") };
                            assert_eq!(found.generation, current, "{verb:?} in step {step}");
                        }
                    }
                    _ => assert_eq!(rotated, Rotated::Gone, "{verb:?} in step {step}"),
                }
            }
            Verb::Issue(grant) => {
                let access = access(row, self::grant(grant, subject(grant)), now);
                let issue = quadrille::provider::store::Issue { access, family: None };
                let issued = store.issue(issuer, issue).await.unwrap();
                assert_eq!(issued, model.lives(grant), "{verb:?} in step {step}");
                if issued {
                    model.tokens.insert(row, grant);
                }
            }
            Verb::RevokeGrant(grant) => {
                let did = store.revoke_grant(issuer, RowId(grant), now).await.unwrap();
                assert_eq!(did, model.revoked.insert(grant), "{verb:?} in step {step}");
                model.changes += usize::from(did);
            }
            Verb::RevokeAlice(last) => {
                let alice = RevokeAll::Subject("alice".into());
                store.revoke_all(issuer, alice, RowId(last)).await.unwrap();
                model.alice_up_to = model.alice_up_to.max(last);
                model.changes += 1;
            }
            Verb::Remember(key) => {
                let later = now + std::time::Duration::from_secs(60);
                let new = store.remember_once(issuer, "jti", hash(key), later).await.unwrap();
                assert_eq!(new, model.remembered.insert(key), "{verb:?} in step {step}");
            }
            Verb::PutClient(number) => {
                put_client(&store, issuer, client(CLIENT, number)).await;
                model.client = Some(number);
                model.changes += 1;
            }
            Verb::RemoveClient => {
                let was_there = store.remove_client(issuer, CLIENT).await.unwrap();
                assert_eq!(was_there, model.client.take().is_some(), "{verb:?} in step {step}");
                model.changes += usize::from(was_there);
            }
        }
        compare(&store, issuer, &model, &format!("after {verb:?} in step {step}")).await;
    }
    let told = store.changes(issuer, start).await.unwrap();
    assert_eq!(told.changes.len(), model.changes);
}

async fn compare(store: &impl Store, issuer: IssuerId, model: &Model, when: &str) {
    for (row, grant) in &model.tokens {
        let good = is_good(store, issuer, *row).await;
        assert_eq!(good, model.lives(*grant), "token {row} of grant {grant} {when}");
    }
    for (grant, generation) in &model.families {
        let found = store.family(issuer, RowId(2000 + grant)).await.unwrap();
        let found = found.map(|family| family.generation);
        assert_eq!(found, model.lives(*grant).then_some(*generation), "family {grant} {when}");
    }
    let found = store.client(issuer, CLIENT).await.unwrap().map(|client| client.number.0);
    assert_eq!(found, model.client, "{when}");
}

fn run(behaviour: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(behaviour);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn memory_does_as_the_model(verbs in prop::collection::vec(verb(), 1..80)) {
        let clock = ManualClock::new();
        run(check(MemoryStore::new(clock.env()), clock, verbs));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn sqlite_does_as_the_model(verbs in prop::collection::vec(verb(), 1..80)) {
        let (store, _folder) = sqlite(Env::system());
        run(check(store, ManualClock::new(), verbs));
    }

    #[test]
    fn the_cache_does_as_the_model(verbs in prop::collection::vec(verb(), 1..80)) {
        let (store, _folder) = sqlite(Env::system());
        run(check(cached(store, Env::system()), ManualClock::new(), verbs));
    }

    #[test]
    fn parts_in_two_places_do_as_the_model(verbs in prop::collection::vec(verb(), 1..80)) {
        let clock = ManualClock::new();
        let (store, _folder) = sqlite(clock.env());
        let parts = Parts::of(Arc::new(store)).clients(MemoryStore::new(clock.env()));
        run(check(parts, clock, verbs));
    }
}
