//! Limits that two processes of an issuer share.

use std::sync::Arc;

use axum::body::Body;
use http::Request;
use quadrille::{
    Authentication, Policy, RemoteAddress, Timestamp,
    oauth2::{ClientAuth, Resources, TokenRequest},
    provider::{
        AuthorizationServer, DeviceGrant, DynamicRegistration, GrantType, NewClient,
        PasswordAttempt, PasswordNotChecked,
        guessing::{Cost, CountChange, Kdf, SharedCounts},
        store::{MemoryStore, StoreError, VolatileKey, VolatileMemory},
    },
    testing::ManualClock,
};
use tokio::task::JoinSet;

use crate::support::{Answer, Browser, CALLBACK, World};

const PASSWORD: &str = "correct horse battery staple";

#[derive(Clone)]
struct Together(Arc<VolatileMemory>);

impl SharedCounts for Together {
    async fn change(
        &self,
        key: VolatileKey,
        change: CountChange,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        SharedCounts::change(&*self.0, key, change, now).await
    }
}

async fn check(attempt: PasswordAttempt) -> Result<Option<Authentication>, PasswordNotChecked> {
    let is_right = *attempt.password() == PASSWORD.into();
    Ok(is_right.then(|| Authentication::new("17", Timestamp::from_seconds(1))))
}

/// Two processes over one store.
async fn processes() -> [World; 2] {
    let clock = ManualClock::new();
    let store = Arc::new(MemoryStore::new(clock.env()));
    let limits = Together(Arc::new(VolatileMemory::new(1000)));
    let process = async |id: &str| {
        let offered = |server: AuthorizationServer| {
            server
                .kdf(Kdf::new(Cost::TRIVIAL_FOR_TESTS_ONLY))
                .device_grant(DeviceGrant::new())
                .let_clients_see_passwords_of_users(check)
                .dynamic_registration(
                    DynamicRegistration::open_to_anybody_so_that_strangers_add_clients(),
                )
                .share_limits(limits.clone())
        };
        let grants = [GrantType::ClientCredentials, GrantType::Password, GrantType::DeviceCode];
        let new = NewClient::confidential("Machine").id(id).grant_types(grants);
        let new = new.chosen_secret(PASSWORD.into());
        World::build(Arc::clone(&store), clock.clone(), Policy::safe(), new, offered).await
    };
    [process("one").await, process("two").await]
}

fn from(mut request: Request<Body>, address: &str) -> Request<Body> {
    request.extensions_mut().insert(RemoteAddress(address.parse().unwrap()));
    request
}

/// A request for a token of the client `one`.
fn asking(asked: &TokenRequest<'_>, secret: &str, address: &str) -> Request<Body> {
    let auth = ClientAuth::Basic { client_id: "one".into(), client_secret: secret.into() };
    let request = asked.to_request("https://id.example/oauth/token", &auth, &[]).unwrap();
    from(request.map(Body::from), address)
}

/// Sends requests at once, to the processes in turn; returns how many were refused with 429. No time passes
/// until so many were looked at: hashes are computed by threads that Tokio's paused clock does not wait
/// for.
async fn refused(processes: &[World; 2], requests: Vec<Request<Body>>, free: usize) -> usize {
    let mut all = JoinSet::new();
    for (request, world) in requests.into_iter().zip(processes.iter().cycle()) {
        let app = world.app.clone();
        all.spawn(async move { Answer::of_app(app, request).await.status() });
    }
    let mut no_time_passes = JoinSet::new();
    no_time_passes.spawn(async {
        loop {
            tokio::task::yield_now().await;
        }
    });
    let (mut looked_at, mut refused) = (0, 0);
    while let Some(status) = all.join_next().await {
        match status.unwrap() {
            429 => refused += 1,
            _ => looked_at += 1,
        }
        if looked_at == free {
            no_time_passes.abort_all();
        }
    }
    refused
}

/// The guesses that are looked at without a wait.
const FREE: usize = 10;

const ITSELF: TokenRequest<'static> =
    TokenRequest::ClientCredentials { scope: None, resource: Resources::EMPTY };

#[tokio::test(start_paused = true)]
async fn two_processes_look_at_no_more_guesses_of_a_client_secret_than_one() {
    let processes = processes().await;
    // Each process alone has ten wrong ones that are not too many, and all others are.
    let guesses = (0..16).map(|_| asking(&ITSELF, "wrong", "192.0.2.1")).collect();
    // Four wait, or are refused if others of the same moment are in front.
    let refused = refused(&processes, guesses, FREE).await;
    assert!((2..=6).contains(&refused), "ten are free: {refused}");
    let right = asking(&ITSELF, PASSWORD, "192.0.2.2");
    assert_eq!(processes[1].send(right).await.status(), 200, "from another network");
    processes[0].clock.advance(std::time::Duration::from_secs(2));
    let right = asking(&ITSELF, PASSWORD, "192.0.2.1");
    assert_eq!(processes[1].send(right).await.status(), 200, "in its turn");
}

#[tokio::test(start_paused = true)]
async fn two_processes_look_at_no_more_passwords_of_a_user_than_one() {
    let processes = processes().await;
    for (process, world) in processes.iter().enumerate() {
        let right = asking(&ITSELF, PASSWORD, "192.0.2.1");
        assert_eq!(world.send(right).await.status(), 200, "{process} knows the client from there");
    }
    let guess = |password: &str| {
        let asked = TokenRequest::Password {
            username: "ada",
            password,
            scope: None,
            resource: Resources::EMPTY,
        };
        asking(&asked, PASSWORD, "192.0.2.1")
    };
    let guesses = (0..20).map(|_| guess("wrong")).collect();
    let refused = refused(&processes, guesses, FREE).await;
    assert!((6..=10).contains(&refused), "ten are free: {refused}");
    // A right one counts for nothing.
    processes[0].clock.advance(std::time::Duration::from_secs(600));
    for number in 0..40 {
        let answer = processes[number % 2].send(guess(PASSWORD)).await;
        assert_eq!(answer.status(), 200, "{number}: {}", answer.text());
    }
}

#[tokio::test]
async fn two_processes_register_no_more_clients_of_a_network_than_one() {
    let processes = processes().await;
    let metadata = serde_json::json!({
        "redirect_uris": [CALLBACK],
        "token_endpoint_auth_method": "none",
    });
    let register = |address| {
        let request = Request::post("/oauth/register").header("content-type", "application/json");
        from(request.body(Body::from(metadata.to_string())).unwrap(), address)
    };
    let first = (0..30).map(|_| register("192.0.2.1")).collect();
    assert_eq!(refused(&processes, first, 20).await, 10);
    assert_eq!(processes[1].send(register("192.0.2.2")).await.status(), 201);
    processes[0].clock.advance(std::time::Duration::from_secs(60));
    let next = (0..4).map(|_| register("192.0.2.1")).collect();
    assert_eq!(refused(&processes, next, 1).await, 3, "one a minute, at either");
}

#[tokio::test]
async fn two_processes_look_up_no_more_user_codes_of_a_user_than_one() {
    let processes = processes().await;
    let mut browsers = [Browser::default(), Browser::default()];
    let mut too_many = 0;
    for number in 0..20 {
        let (world, browser) = (&processes[number % 2], &mut browsers[number % 2]);
        world.sign_in("ada");
        let page = browser.post(world, "/device", "user_code=BCDF-GHJK").await;
        too_many += usize::from(page.text().contains("TooMany"));
    }
    assert_eq!(too_many, 10);
}
