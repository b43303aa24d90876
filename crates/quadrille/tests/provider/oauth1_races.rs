//! Signed requests, many at once.

use std::{path::Path, sync::Arc, time::Duration};

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderValue, Request};
use quadrille::{
    KeyRing, Policy, Timestamp,
    provider::{NewClient, oauth1::OAuth1, store::SqliteStore},
    testing::ManualClock,
};

use crate::{
    oauth1_support::{Signing, client, credentials, offered, problem, world, world_with},
    races::at_once,
    support::{Answer, CALLBACK, ISSUER, World},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_hundred_who_exchange_one_verifier_one_wins_and_what_it_bought_dies() {
    exchange_at_once(Arc::new(world().await), 20).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_disk_too_one_wins_a_verifier() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::new();
    let store = SqliteStore::open(folder.path().join("provider.db"), clock.env()).unwrap();
    let new = client(NewClient::confidential("Photo printer").redirect_uri(CALLBACK));
    let world = World::build(store, clock, Policy::safe(), new, |server| {
        server.keys(KeyRing::new([&[7; 32]]).unwrap()).oauth1(offered())
    });
    exchange_at_once(Arc::new(world.await), 3).await;
}

async fn exchange_at_once(world: Arc<World>, rounds: usize) {
    for round in 0..rounds {
        let (temporary, verifier) = Signing::new(&world).approved(&world, "ada").await;
        let answers = at_once(&world, |world| {
            let (temporary, verifier) = (temporary.clone(), verifier.clone());
            async move { Signing::new(&world).token(&world, &temporary, &verifier).await }
        })
        .await;
        let (won, lost): (Vec<&Answer>, Vec<_>) =
            answers.iter().partition(|answer| answer.status() == 200);
        assert_eq!(won.len(), 1, "round {round}");
        for answer in lost {
            assert_eq!(problem(answer), "token_used", "round {round}");
        }
        let token = credentials(won[0]);
        let answer = Signing::new(&world).with(&token).photos(&world).await;
        assert_eq!(problem(&answer), "token_rejected", "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_hundred_equal_requests_one_is_let_through() {
    one_request_at_once(Arc::new(world().await)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn so_it_is_where_nonces_are_remembered_in_the_store() {
    let shared = world_with(offered().remember_nonces_in_the_store(), client).await;
    one_request_at_once(Arc::new(shared)).await;
}

async fn one_request_at_once(world: Arc<World>) {
    let signing = Signing::new(&world);
    let token = signing.linked(&world, "ada").await;
    for round in 0..20 {
        let request = signing.with(&token).request(&world, "GET", "/api/photos", None, &[]);
        let header = request.headers()["authorization"].clone();
        let answers = at_once(&world, |world| {
            let request = Request::get("/api/photos").header("authorization", header.clone());
            let request = request.body(Body::empty()).unwrap();
            async move { world.send(request).await }
        })
        .await;
        let passed = answers.iter().filter(|answer| answer.status() == 200).count();
        assert_eq!(passed, 1, "round {round}");
        let refused = answers.iter().filter(|answer| answer.status() == 401);
        assert!(refused.clone().all(|answer| problem(answer) == "nonce_used"), "round {round}");
        assert_eq!(refused.count(), 199);
    }
}

#[tokio::test]
async fn processes_that_share_a_store_share_what_they_have_seen_and_no_start_counts() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::new();
    let process = async || {
        let store = SqliteStore::open(folder.path().join("provider.db"), clock.env()).unwrap();
        let new = client(NewClient::confidential("Photo printer").redirect_uri(CALLBACK));
        let oauth1 = offered().remember_nonces_in_the_store();
        World::build(store, clock.clone(), Policy::safe(), new, |server| server.oauth1(oauth1))
            .await
    };
    let first = process().await;
    let signing = Signing::new(&first);
    let token = signing.linked(&first, "ada").await;
    let request = || signing.with(&token).request(&first, "GET", "/api/photos", None, &[]);
    let seen = request();
    let header = seen.headers()["authorization"].clone();
    let unseen = request();
    assert_eq!(first.send(seen).await.status(), 200);
    clock.advance(Duration::from_secs(5));
    let second = process().await;
    assert_eq!(second.send(unseen).await.status(), 200, "signed before it started");
    let again = Request::get("/api/photos").header("authorization", header);
    let again = second.send(again.body(Body::empty()).unwrap()).await;
    assert_eq!(problem(&again), "nonce_used");
}

/// A process that remembers in memory, over the store in this folder.
async fn process(folder: &Path, clock: &ManualClock) -> World {
    process_of(folder, clock, offered()).await
}

async fn process_of(folder: &Path, clock: &ManualClock, oauth1: OAuth1) -> World {
    let store = SqliteStore::open(folder.join("provider.db"), clock.env()).unwrap();
    let new = client(NewClient::confidential("Photo printer").redirect_uri(CALLBACK));
    World::build(store, clock.clone(), Policy::safe(), new, |server| server.oauth1(oauth1)).await
}

/// A request that was signed by a clock, to be sent any number of times.
fn signed(signing: &Signing, at: Timestamp) -> HeaderValue {
    let request = Request::get(format!("{ISSUER}/api/photos")).body(Bytes::new()).unwrap();
    let signed = signing.signer.sign(&ManualClock::at(at).env(), request, &[]).unwrap();
    signed.headers()["authorization"].clone()
}

async fn ask(world: &World, header: &HeaderValue) -> Answer {
    let request = Request::get("/api/photos").header("authorization", header);
    world.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn no_request_is_let_in_again_when_the_next_process_remembers_elsewhere() {
    let own = offered;
    let shared = || offered().remember_nonces_in_the_store();
    for (before, after) in [(own(), shared()), (shared(), own())] {
        for (lead, pause) in [(0, 0), (0, 1), (1, 0), (1, 1), (100, 1), (299, 1)] {
            let (folder, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
            let first = process_of(folder.path(), &clock, before.clone()).await;
            let token = Signing::new(&first).linked(&first, "ada").await;
            let signing = Signing::new(&first).with(&token);
            clock.advance(Duration::from_secs(1000));
            let lead = Duration::from_secs(lead);
            let seen = signed(&signing, clock.now() + lead);
            assert_eq!(ask(&first, &seen).await.status(), 200);
            // A start within the same second, and later.
            clock.advance(Duration::from_secs(pause));
            drop(first);
            let second = process_of(folder.path(), &clock, after.clone()).await;
            // Until its time is over.
            for copies in 0..60 {
                let answer = ask(&second, &seen).await;
                assert_eq!(problem(&answer), "timestamp_refused", "{lead:?} {copies}");
                let fresh = signed(&signing, clock.now() + lead + Duration::from_secs(1));
                assert_eq!(ask(&second, &fresh).await.status(), 200, "{lead:?} {copies}");
                assert_eq!(problem(&ask(&second, &fresh).await), "nonce_used");
                clock.advance(Duration::from_secs(11));
            }
            let third = process_of(folder.path(), &clock, after.clone()).await;
            assert_eq!(signing.photos(&third).await.status(), 200);
        }
    }
}

#[tokio::test]
async fn no_request_is_let_in_again_when_the_next_process_starts_with_a_clock_that_is_behind() {
    for behind in [1, 100, 500, 3600, 1_000_000_000] {
        for stays in [0, 2, 400] {
            let (folder, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
            let first = process(folder.path(), &clock).await;
            clock.advance(Duration::from_secs(1000));
            let signing =
                Signing::new(&first).with(&Signing::new(&first).linked(&first, "ada").await);
            let seen = signed(&signing, clock.now());
            assert_eq!(ask(&first, &seen).await.status(), 200);
            clock.advance(Duration::from_secs(2));
            drop(first);
            let behind = Duration::from_secs(behind);
            clock.set(clock.now() - behind);
            let second = process(folder.path(), &clock).await;
            let refused = ask(&second, &seen).await;
            assert_eq!(problem(&refused), "timestamp_refused", "{behind:?} {stays}");
            clock.advance(Duration::from_secs(stays));
            clock.set(clock.now() + behind);
            for copies in 0..60 {
                let answer = ask(&second, &seen).await;
                assert_eq!(problem(&answer), "timestamp_refused", "{behind:?} {stays} {copies}");
                clock.advance(Duration::from_secs(11));
                let fresh = signing.photos(&second).await;
                assert_eq!(fresh.status(), 200, "{behind:?} {stays} {copies}");
            }
        }
    }
}

#[tokio::test]
async fn a_clock_that_once_was_far_ahead_keeps_nobody_out() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let year = Duration::from_secs(365 * 24 * 3600);
    clock.set(clock.now() + year);
    let first = process(folder.path(), &clock).await;
    let signing = Signing::new(&first).with(&Signing::new(&first).linked(&first, "ada").await);
    clock.set(clock.now() - year);
    assert_eq!(signing.photos(&first).await.status(), 200, "the clock is put right");
    clock.advance(Duration::from_secs(1));
    let second = process(folder.path(), &clock).await;
    assert_eq!(signing.photos(&second).await.status(), 200, "and after a restart");
}

#[tokio::test]
async fn what_a_client_signs_whose_clock_is_ahead_is_let_in_once_whatever_starts_anew() {
    for (lead, later) in [(1, 0), (60, 30), (300, 0)] {
        let folder = tempfile::tempdir().unwrap();
        let (clock, theirs) = (ManualClock::new(), ManualClock::new());
        let first = process(folder.path(), &clock).await;
        let token = Signing::new(&first).linked(&first, "ada").await;
        let signing = Signing::new(&first).with(&token);
        clock.advance(Duration::from_secs(1000));
        let signed = || {
            theirs.set(clock.now() + Duration::from_secs(lead));
            let request = Request::get(format!("{ISSUER}/api/photos")).body(Bytes::new()).unwrap();
            let signed = signing.signer.sign(&theirs.env(), request, &[]).unwrap();
            signed.headers()["authorization"].clone()
        };
        let ask = async |world: &World, header: &HeaderValue| {
            let request = Request::get("/api/photos").header("authorization", header);
            world.send(request.body(Body::empty()).unwrap()).await
        };
        let seen = [signed(), signed(), signed()];
        for header in &seen {
            assert_eq!(ask(&first, header).await.status(), 200, "{lead} {later}");
        }
        clock.advance(Duration::from_secs(later));
        drop(first);
        let second = process(folder.path(), &clock).await;
        // Until their time is over, and one after the other.
        for (copies, header) in (0..=lead / 20 + 15).zip(seen.iter().cycle()) {
            let answer = ask(&second, header).await;
            assert_eq!(problem(&answer), "timestamp_refused", "{lead} {later} {copies}");
            clock.advance(Duration::from_secs(20));
            // The client goes on beside it, with the clock that it has.
            let fresh = signed();
            assert_eq!(ask(&second, &fresh).await.status(), 200, "{lead} {later} {copies}");
            assert_eq!(problem(&ask(&second, &fresh).await), "nonce_used");
        }
        assert_eq!(signing.photos(&second).await.status(), 200, "and with a clock that is right");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_a_client_sends_in_the_first_second_after_a_start_is_let_in() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let world = Arc::new(process(folder.path(), &clock).await);
    let signing = Signing::new(&world).with(&Signing::new(&world).linked(&world, "ada").await);
    for _ in 0..3 {
        clock.advance(Duration::from_secs(1));
        let answers = at_once(&world, |world| {
            let signing = signing.clone();
            async move { signing.photos(&world).await }
        });
        assert!(answers.await.iter().all(|answer| answer.status() == 200));
    }
}

#[tokio::test]
async fn a_process_that_remembers_for_itself_refuses_what_was_signed_before_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::new();
    let process = async || process(folder.path(), &clock).await;
    let first = process().await;
    let signing = Signing::new(&first);
    let token = signing.linked(&first, "ada").await;
    let early = signing.with(&token).request(&first, "GET", "/api/photos", None, &[]);
    clock.advance(Duration::from_secs(1));
    let second = process().await;
    assert_eq!(problem(&second.send(early).await), "timestamp_refused");
    assert_eq!(signing.with(&token).photos(&second).await.status(), 200, "what is new passes");
}
