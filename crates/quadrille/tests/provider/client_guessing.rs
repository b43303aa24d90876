//! Guesses at the secrets of clients.

use std::time::Duration;

use http::Request;
use quadrille::{RemoteAddress, oauth2::ClientAuth};

use crate::{
    clients::{ITSELF, basic, chosen, machine},
    support::{Answer, World, paused_clock},
};

async fn from(world: &World, address: &str, auth: &ClientAuth) -> Answer {
    let request = ITSELF.to_request("https://id.example/oauth/token", auth, &[]).unwrap();
    let mut request: Request<bytes::Bytes> = request;
    request.extensions_mut().insert(RemoteAddress(address.parse().unwrap()));
    Answer::of(world.server.token(request).await)
}

/// Many at once, and how long each took.
async fn at_once(world: &World, many: usize, address: &str, auth: &ClientAuth) -> Vec<Duration> {
    let began = paused_clock();
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..many {
        let request = ITSELF.to_request("https://id.example/oauth/token", auth, &[]).unwrap();
        let mut request: Request<bytes::Bytes> = request;
        request.extensions_mut().insert(RemoteAddress(address.parse().unwrap()));
        let server = world.server.clone();
        asking.spawn(async move {
            server.token(request).await;
            began.elapsed()
        });
    }
    asking.join_all().await
}

#[tokio::test]
async fn guesses_at_a_generated_secret_are_slowed_down_and_the_client_itself_is_not() {
    let world = machine().await;
    let wrong = basic(&world.client.id, "wrong");
    for _ in 0..10 {
        assert_eq!(from(&world, "192.0.2.1", &wrong).await.status(), 401);
    }
    let answer = from(&world, "192.0.2.1", &wrong).await;
    assert_eq!((answer.status(), answer.header("retry-after")), (429, "10"));
    assert_eq!(answer.error(), "invalid_client");
    assert_eq!(
        from(&world, "198.51.100.1", &wrong).await.status(),
        429,
        "from another network, too"
    );
    assert_eq!(from(&world, "192.0.2.1", &world.auth()).await.status(), 200);
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(from(&world, "192.0.2.1", &wrong).await.status(), 401);
}

#[tokio::test]
async fn one_address_cannot_look_for_clients() {
    let world = machine().await;
    for name in 0..10 {
        let nobody = basic(&format!("nobody{name}"), "x");
        assert_eq!(from(&world, "192.0.2.1", &nobody).await.status(), 401);
    }
    assert_eq!(from(&world, "192.0.2.1", &basic("another", "x")).await.status(), 429);
    assert_eq!(from(&world, "192.0.2.2", &basic("another", "x")).await.status(), 401);
    assert_eq!(from(&world, "192.0.2.1", &world.auth()).await.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn guesses_at_a_chosen_secret_run_out_and_lock_nobody_out() {
    let world = chosen().await;
    let wrong = basic(&world.client.id, "wrong");
    let waited = async |address: &str| {
        let began = paused_clock();
        let status = from(&world, address, &world.auth()).await.status();
        (status, began.elapsed().as_secs())
    };
    assert_eq!(waited("192.0.2.7").await, (200, 0));
    for _ in 0..10 {
        assert_eq!(from(&world, "192.0.2.1", &wrong).await.status(), 401);
    }
    let began = paused_clock();
    assert_eq!(from(&world, "192.0.2.1", &wrong).await.status(), 429);
    assert!(began.elapsed().as_secs() >= 3, "guesses wait");
    let (status, seconds) = waited("192.0.2.1").await;
    assert_eq!(status, 200, "the right one is heard at the address of the guesses, too");
    assert!(seconds <= 8, "{seconds}");
    assert_eq!(waited("192.0.2.1").await, (200, 0), "where it was right, it does not wait");
    assert_eq!(waited("192.0.2.2").await, (200, 0), "nor elsewhere");
    for _ in 0..20 {
        from(&world, "192.0.2.7", &wrong).await;
    }
    assert_eq!(waited("192.0.2.7").await, (200, 0));
}

#[tokio::test(start_paused = true)]
async fn while_others_guess_at_the_same_address_the_right_secret_is_heard_within_seconds() {
    let world = chosen().await;
    let wrong = basic(&world.client.id, "wrong");
    let guesses = at_once(&world, 40, "192.0.2.1", &wrong).await;
    let looked_at = guesses.into_iter().filter(|waited| !waited.is_zero()).count();
    assert!(looked_at <= 14, "{looked_at}: ten are free, four wait, the rest is refused at once");
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(from(&world, "192.0.2.1", &world.auth()).await.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn guesses_do_not_tell_whether_there_is_such_a_client() {
    // A client with a generated secret, one with a chosen secret, and one that is not there.
    let tried = async |world: &World, network: u8, id: &str| {
        let mut seen = Vec::new();
        for number in 0..24 {
            let began = paused_clock();
            // From one address, and then from many.
            let host = if number < 12 { 1 } else { number };
            let wrong = basic(id, "wrong");
            let answer = from(world, &format!("198.51.{network}.{host}"), &wrong).await;
            let told = answer.header("retry-after").to_owned();
            seen.push((answer.status(), told, began.elapsed().as_secs()));
        }
        seen
    };
    let world = machine().await;
    assert_eq!(tried(&world, 1, &world.client.id).await, tried(&world, 2, "nobody").await);
    let world = chosen().await;
    from(&world, "192.0.2.1", &world.auth()).await;
    assert_eq!(tried(&world, 1, &world.client.id).await, tried(&world, 2, "nobody").await);
}
