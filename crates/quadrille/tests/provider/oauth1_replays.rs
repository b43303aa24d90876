//! What comes once more: at the end of its time, in a flood, and at the exchange.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use axum::body::Body;
use http::Request;
use quadrille::{
    Env, KeyRing, Policy, Timestamp,
    env::Source,
    oauth1::{SignatureMethod, Signer},
    provider::{
        NewClient,
        oauth1::{NewKey, OAuth1},
        store::{MemoryStore, SWEEP_DELAY, SqliteStore},
    },
    testing::ManualClock,
};

use crate::{
    oauth1_support::{SECRET, Signing, approve, client, credentials, offered, problem, world_with},
    races::at_once,
    support::{Answer, CALLBACK, World},
};

/// A clock that goes on whenever somebody looks at it, once it is told to.
#[derive(Clone, Default)]
struct Creeping {
    clock: ManualClock,
    step: Arc<AtomicI64>,
}

impl Source for Creeping {
    fn now(&self) -> Timestamp {
        self.clock.advance(Duration::from_millis(self.step.load(Ordering::SeqCst) as u64));
        self.clock.now()
    }

    fn fill(&self, bytes: &mut [u8]) {
        Env::system().fill(bytes);
    }
}

async fn ask(world: &World, request: &Request<()>) -> Answer {
    world.send(request.clone().map(|()| Body::empty())).await
}

/// Sends copies of requests until their timestamps pass no more.
async fn only_one_copy_is_let_in(world: &World, creeping: &Creeping, what: &str) {
    let token = Signing::new(world).linked(world, "ada").await;
    let signing = Signing::new(world).with(&token);
    // Every place in a slot of 32 seconds, and the last moments of each, however the clock goes on.
    for second in 0..34 {
        for (step, late) in [(100, 0), (400, 0), (400, 1000), (900, 1000), (1700, 3000)] {
            creeping.step.store(0, Ordering::SeqCst);
            let start = creeping.clock.now();
            let request = signing.request(world, "GET", "/api/photos", None, &[]).map(drop);
            assert_eq!(ask(world, &request).await.status(), 200, "{what} {second}");
            let end = Timestamp::from_seconds(start.seconds()) + Duration::from_secs(300);
            creeping.clock.set(end - Duration::from_millis(3000) + Duration::from_millis(late));
            creeping.step.store(step, Ordering::SeqCst);
            for _ in 0..20 {
                let answer = ask(world, &request).await;
                let word = problem(&answer);
                assert!(
                    ["nonce_used", "timestamp_refused"].contains(&&*word),
                    "{what} {second} {step} {late}: {answer:?}"
                );
            }
            // Others forget what is old meanwhile.
            creeping.step.store(0, Ordering::SeqCst);
            let other = signing.photos(world).await;
            assert_eq!(other.status(), 200);
            assert_ne!(ask(world, &request).await.status(), 200, "{what} {second} {step} {late}");
        }
        creeping.clock.advance(Duration::from_secs(1));
    }
}

async fn creeping_world(store: &str, oauth1: OAuth1) -> (World, Creeping, tempfile::TempDir) {
    let creeping = Creeping::default();
    let env = Env::from_source(creeping.clone());
    let folder = tempfile::tempdir().unwrap();
    let new = client(NewClient::confidential("Photo printer").redirect_uri(CALLBACK));
    let clock = creeping.clock.clone();
    let server = |server: quadrille::provider::AuthorizationServer| {
        server.env(env.clone()).keys(KeyRing::new([&[7; 32]]).unwrap()).oauth1(oauth1)
    };
    let world = match store {
        "memory" => {
            World::build(MemoryStore::new(env.clone()), clock, Policy::safe(), new, server).await
        }
        _ => {
            let store = SqliteStore::open(folder.path().join("provider.db"), env.clone()).unwrap();
            World::build(store, clock, Policy::safe(), new, server).await
        }
    };
    (world, creeping, folder)
}

#[tokio::test]
async fn at_the_end_of_its_time_no_copy_of_a_request_gets_in() {
    for store in ["memory", "sqlite"] {
        let (world, creeping, _folder) = creeping_world(store, offered()).await;
        only_one_copy_is_let_in(&world, &creeping, store).await;
    }
}

#[tokio::test]
async fn nor_where_the_store_remembers() {
    for store in ["memory", "sqlite"] {
        let oauth1 = offered().remember_nonces_in_the_store();
        let (world, creeping, _folder) = creeping_world(store, oauth1).await;
        only_one_copy_is_let_in(&world, &creeping, store).await;
    }
}

async fn other_client(world: &World, name: &str) -> (String, Signing) {
    let new = NewClient::confidential(name).redirect_uri(CALLBACK);
    let new = new.oauth1(NewKey::ChosenSecret(SECRET.into()));
    let id = world.server.register(new).await.unwrap().client.id;
    let signer = Signer::hmac(SignatureMethod::HmacSha256, &id, &SECRET.into()).unwrap();
    (id.to_string(), Signing { signer })
}

#[tokio::test]
async fn a_flood_of_one_client_is_held_up_and_others_go_on() {
    for in_the_store in [false, true] {
        let oauth1 = offered().remember_at_most(100);
        let oauth1 = if in_the_store { oauth1.remember_nonces_in_the_store() } else { oauth1 };
        let world = world_with(oauth1, client).await;
        let flooding = Signing::new(&world).with(&Signing::new(&world).linked(&world, "ada").await);
        let (_, other) = other_client(&world, "Other").await;
        let mut let_in = 0;
        let held_up = loop {
            let answer = flooding.photos(&world).await;
            match answer.status() {
                200 => let_in += 1,
                _ => break answer,
            }
        };
        assert_eq!(let_in, 48, "half of the room, but for the two of the login");
        assert_eq!(held_up.status(), 429);
        let wait: u64 = held_up.header("retry-after").parse().unwrap();
        assert!((300..=346).contains(&wait), "{wait}");
        for _ in 0..20 {
            assert_eq!(flooding.photos(&world).await.status(), 429);
            credentials(&other.temporary(&world, &[("oauth_callback", CALLBACK)]).await);
        }
        world.clock.advance(Duration::from_secs(wait));
        assert_eq!(flooding.photos(&world).await.status(), 200);
    }
}

/// How many rows the store holds of requests that came.
fn rows(folder: &Path) -> usize {
    let file = rusqlite::Connection::open(folder.join("provider.db")).unwrap();
    file.query_row("SELECT count(*) FROM quadrille_once", [], |row| row.get(0)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_disk_a_flood_takes_its_share_of_rows_and_another_client_works_beside_it() {
    const ROOM: usize = 240;
    let oauth1 = offered().remember_at_most(ROOM).remember_nonces_in_the_store();
    let (world, creeping, folder) = creeping_world("sqlite", oauth1).await;
    let world = Arc::new(world);
    let token = Signing::new(&world).linked(&world, "ada").await;
    let flooding = Signing::new(&world).with(&token);
    let (_, other) = other_client(&world, "Other").await;
    for round in 0..4 {
        let flood = async {
            let mut answers = Vec::new();
            for _ in 0..3 {
                let more = at_once(&world, |world| {
                    let flooding = flooding.clone();
                    async move { flooding.photos(&world).await }
                });
                answers.extend(more.await);
            }
            answers
        };
        let beside = async {
            for _ in 0..20 {
                credentials(&other.temporary(&world, &[("oauth_callback", CALLBACK)]).await);
            }
        };
        let (answers, ()) = tokio::join!(flood, beside);
        let let_in = answers.iter().filter(|answer| answer.status() == 200).count();
        assert!((90..=ROOM / 2).contains(&let_in), "{round}: {let_in}");
        for answer in answers.iter().filter(|answer| answer.status() != 200) {
            assert_eq!(answer.status(), 429, "{round}: {answer:?}");
            assert_eq!(answer.text(), "oauth_problem=consumer_key_rate_exceeded");
        }
        let rows = rows(folder.path());
        // What has passed is given back as more comes, and what is left is the share of one round.
        assert!((let_in + 20..=ROOM).contains(&rows), "{round}: {rows}");
        creeping.clock.advance(Duration::from_secs(346) + SWEEP_DELAY);
    }
}

#[tokio::test]
async fn a_client_learns_of_each_of_its_tokens_that_it_has_ended() {
    let world = world_with(offered(), client).await;
    let signing = Signing::new(&world);
    let live = signing.linked(&world, "ada").await;
    let mut dead = Vec::new();
    for _ in 0..15 {
        let token = signing.linked(&world, "bob").await;
        dead.push(signing.with(&token));
    }
    world.server.remove_subject("bob").await.unwrap();
    for _ in 0..2 {
        for signing in &dead {
            assert_eq!(problem(&signing.photos(&world).await), "token_rejected");
        }
    }
    // Who asks with the same one again and again is slowed down, with that one.
    for asked in 2..20 {
        let answer = dead[0].photos(&world).await;
        assert_eq!(answer.status(), if asked < 10 { 401 } else { 429 }, "{asked}");
    }
    assert_eq!(problem(&dead[1].photos(&world).await), "token_rejected");
    assert_eq!(signing.with(&live).photos(&world).await.status(), 200);
}

#[tokio::test]
async fn an_exchange_that_a_proxy_sends_again_ends_nobodys_token() {
    for in_the_store in [false, true] {
        let oauth1 = offered();
        let oauth1 = if in_the_store { oauth1.remember_nonces_in_the_store() } else { oauth1 };
        let world = world_with(oauth1, client).await;
        let signing = Signing::new(&world);
        let (temporary, verifier) = signing.approved(&world, "ada").await;
        let further = [("oauth_verifier", verifier.as_str())];
        let exchange = signing.with(&temporary);
        let exchange = exchange.request(&world, "POST", "/oauth/access_token", None, &further);
        let exchange = exchange.map(drop);
        let token = credentials(&ask(&world, &exchange).await);
        for _ in 0..3 {
            assert_eq!(problem(&ask(&world, &exchange).await), "nonce_used");
            assert_eq!(signing.with(&token).photos(&world).await.status(), 200);
        }
        world.clock.advance(Duration::from_secs(301));
        assert_eq!(problem(&ask(&world, &exchange).await), "timestamp_refused");
        assert_eq!(signing.with(&token).photos(&world).await.status(), 200);
        let anew = signing.token(&world, &temporary, &verifier).await;
        assert_eq!(problem(&anew), "token_used", "signed anew, by somebody who has all secrets");
        assert_eq!(problem(&signing.with(&token).photos(&world).await), "token_rejected");
    }
}

#[tokio::test]
async fn nor_one_that_has_no_nonce_by_which_to_know_it() {
    let oauth1 = OAuth1::new().allow_plaintext_which_carries_the_secrets_themselves();
    let world = world_with(oauth1, client).await;
    let signing = Signing::by(&world, SignatureMethod::Plaintext, SECRET);
    let (temporary, verifier) = signing.approved(&world, "ada").await;
    let encoded = quadrille::oauth1::percent_encode;
    let header = format!(
        "OAuth oauth_consumer_key=\"{}\", oauth_token=\"{}\", oauth_verifier=\"{verifier}\", \
         oauth_signature_method=\"PLAINTEXT\", oauth_signature=\"{}\"",
        world.client.id,
        temporary.token,
        encoded(&format!("{}&{}", encoded(SECRET), encoded(temporary.secret.expose()))),
    );
    let exchange = Request::post("/oauth/access_token").header("authorization", header);
    let exchange = exchange.body(()).unwrap();
    let token = credentials(&ask(&world, &exchange).await);
    assert_eq!(problem(&ask(&world, &exchange).await), "token_used");
    assert_eq!(signing.with(&token).photos(&world).await.status(), 200);
}

#[tokio::test]
async fn temporary_credentials_are_given_once_for_a_request_that_comes_twice() {
    let world = world_with(offered(), client).await;
    let further = [("oauth_callback", CALLBACK)];
    let signing = Signing::new(&world);
    let request = signing.request(&world, "POST", "/oauth/request_token", None, &further);
    let request = request.map(drop);
    credentials(&ask(&world, &request).await);
    assert_eq!(problem(&ask(&world, &request).await), "nonce_used");
}

#[tokio::test]
async fn which_clients_there_are_is_not_told_by_any_answer() {
    let world = world_with(offered(), client).await;
    let token = Signing::new(&world).linked(&world, "ada").await;
    let stranger = |name: &str| {
        let signer = Signer::hmac(SignatureMethod::HmacSha256, name, &"a guess".into()).unwrap();
        Signing { signer }
    };
    let known = stranger(&world.client.id);
    let unknown = stranger("no such client");
    let tokens = [Some("unknown"), Some(token.token.as_str()), None];
    for token in tokens {
        // Twenty times: also how soon it is slowed down tells nothing.
        for number in 0..20 {
            let mut answers = [&known, &unknown].map(|signing| {
                let signer = signing.signer.clone();
                let signer = match token {
                    Some(token) => signer.token(token, &"a guess".into()),
                    None => signer,
                };
                Signing { signer }.request(&world, "GET", "/api/photos", None, &[])
            });
            let [known, unknown] = &mut answers;
            let known = world.send(std::mem::take(known)).await;
            let unknown = world.send(std::mem::take(unknown)).await;
            let seen = |answer: &Answer| {
                (answer.status(), answer.headers().clone(), answer.text().to_owned())
            };
            assert_eq!(seen(&known), seen(&unknown), "{token:?}");
            assert_eq!(known.status() == 429, number >= 10, "{token:?} {number}: {known:?}");
        }
        world.clock.advance(Duration::from_secs(1000));
    }
    assert_eq!(Signing::new(&world).with(&token).photos(&world).await.status(), 200);
}

#[tokio::test]
async fn a_verifier_that_is_typed_may_be_mistyped_and_not_guessed() {
    for disk in [false, true] {
        let (world, _, _folder) = match disk {
            true => creeping_world("sqlite", offered()).await,
            false => creeping_world("memory", offered()).await,
        };
        let signing = Signing::new(&world);
        let oob = [("oauth_callback", "oob")];
        world.sign_in("ada");
        let begin = async || {
            let temporary = credentials(&signing.temporary(&world, &oob).await);
            let verifier = typed(&world, &temporary.token).await;
            (temporary, verifier)
        };
        let (temporary, verifier) = begin().await;
        for _ in 0..4 {
            let answer = signing.token(&world, &temporary, "AAAAAAAA").await;
            assert_eq!(problem(&answer), "verifier_invalid");
        }
        credentials(&signing.token(&world, &temporary, &verifier).await);

        let (temporary, verifier) = begin().await;
        for _ in 0..5 {
            world.clock.advance(Duration::from_secs(100));
            let answer = signing.token(&world, &temporary, "AAAAAAAA").await;
            assert_eq!(problem(&answer), "verifier_invalid");
        }
        world.clock.advance(Duration::from_secs(100));
        let answer = signing.token(&world, &temporary, &verifier).await;
        assert_eq!((answer.status(), problem(&answer).as_str()), (401, "token_rejected"));
    }
}

#[tokio::test]
async fn a_verifier_that_travels_is_not_used_up_by_wrong_ones() {
    let world = world_with(offered(), client).await;
    let signing = Signing::new(&world);
    let temporary = signing.begin(&world).await;
    let verifier = approve(&world, &temporary).await;
    for _ in 0..8 {
        assert_eq!(signing.token(&world, &temporary, "wrong").await.status(), 401);
    }
    credentials(&signing.token(&world, &temporary, &verifier).await);
}

/// The verifier from the page that shows it.
async fn typed(world: &World, token: &str) -> String {
    let mut browser = crate::support::Browser::default();
    let page = crate::oauth1_support::authorize(world, &mut browser, token).await;
    let shown = browser.answer(world, &page, "decision=all").await;
    let html = shown.text();
    html.split("<p>").nth(2).unwrap().split("</p>").next().unwrap().to_owned()
}
