//! The introspection endpoint (RFC 7662).

use std::{
    io::{self, Seek as _},
    sync::Mutex,
    time::Duration,
};

use axum::body::Body;
use quadrille::{
    Policy,
    oauth2::{ClientAuth, IntrospectionRequest, Resources, TokenRequest},
    provider::{GrantType, NewClient, RegistrationError},
};

use crate::support::{API, Answer, Browser, MAIL, World};

async fn ask(world: &World, auth: &ClientAuth, token: &str) -> Answer {
    let asked = IntrospectionRequest { token, token_type_hint: None };
    let request = asked.to_request("https://id.example/oauth/introspect", auth, &[]).unwrap();
    world.send(request.map(Body::from)).await
}

async fn is_active(world: &World, auth: &ClientAuth, token: &str) -> bool {
    let answer = ask(world, auth, token).await;
    assert_eq!((answer.status(), answer.header("cache-control")), (200, "no-store"));
    let json = answer.json();
    let is_active = json["active"].as_bool().unwrap();
    assert!(is_active || json.as_object().unwrap().len() == 1, "nothing else is said: {json}");
    is_active
}

async fn register(world: &World, new: NewClient) -> ClientAuth {
    let registered = world.server.register(new).await.unwrap();
    ClientAuth::Basic {
        client_id: (*registered.client.id).into(),
        client_secret: registered.secret.unwrap(),
    }
}

/// An API that may ask about tokens for these APIs.
async fn api(world: &World, resources: &str) -> ClientAuth {
    let resources = Resources::parse(resources).unwrap();
    register(world, NewClient::confidential("API").resource_server(resources)).await
}

/// The access token of a code for these APIs.
async fn token_for(world: &World, resources: &str) -> String {
    world.sign_in("ada");
    let mut browser = Browser::default();
    let mut request = world.asking();
    request.resource = Resources::parse(resources).unwrap();
    let page = world.ask(&mut browser, &request).await;
    let back = browser.answer(world, &page, "decision=all").await;
    world.redeem(&back.query("code")).await.tokens().access
}

#[tokio::test]
async fn an_api_learns_what_a_token_stands_for() {
    let world = World::new().await;
    let now = world.env.now().seconds();
    let token = token_for(&world, API).await;
    let answer = ask(&world, &api(&world, API).await, &token).await.json();
    assert_eq!(
        answer,
        serde_json::json!({
            "active": true,
            "scope": "photos:read photos:write",
            "client_id": &*world.client.id,
            "token_type": "Bearer",
            "exp": now + 3600,
            "iat": now,
            "sub": "ada",
            "aud": API,
            "iss": "https://id.example",
            "auth_time": now,
        })
    );
}

#[tokio::test]
async fn only_the_client_itself_and_the_apis_it_is_meant_for_may_know_of_a_token() {
    let world = World::new().await;
    let own = token_for(&world, "").await;
    let one = token_for(&world, API).await;
    let both = token_for(&world, &format!("{API} {MAIL}")).await;
    let askers = [
        ("the client itself", world.auth(), [true, true, true]),
        ("another client", register(&world, NewClient::confidential("Other")).await, [false; 3]),
        ("this server's own API", api(&world, "").await, [true, false, false]),
        ("one API", api(&world, "https://API.example/").await, [false, true, true]),
        ("the other API", api(&world, MAIL).await, [false, false, true]),
        ("both", api(&world, &format!("{MAIL} {API}")).await, [false, true, true]),
    ];
    for (name, asker, expected) in askers {
        for (token, expected) in [&own, &one, &both].into_iter().zip(expected) {
            assert_eq!(is_active(&world, &asker, token).await, expected, "{name}");
        }
    }
}

/// The API cannot tell such a token from an unknown one, so the log says why.
#[tokio::test]
async fn the_log_says_why_a_valid_token_is_not_active_for_an_api() {
    let world = World::new().await;
    let (api, other) = (api(&world, API).await, register(&world, NewClient::confidential("Other")));
    let (other, token) = (other.await, token_for(&world, MAIL).await);
    let mut told = tempfile::tempfile().unwrap();
    let log = tracing_subscriber::fmt().with_writer(Mutex::new(told.try_clone().unwrap()));
    // With one subscriber alone, tracing asks that of whichever thread comes by an event first.
    let _another = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
    let logging = tracing::subscriber::set_default(log.with_ansi(false).finish());
    for asker in [&api, &other] {
        assert!(!is_active(&world, asker, &token).await);
    }
    drop(logging);
    told.rewind().unwrap();
    let told = io::read_to_string(told).unwrap();
    let for_another = format!(
        "reason=\"the token is for another API\" aud=\"{MAIL}\" introspects=\"{API}\" token_client={}",
        world.client.id
    );
    assert!(told.contains(&for_another), "{told}");
    assert!(told.contains("reason=\"the token is one of another client\""), "{told}");
    assert!(!told.contains(&token), "{told}");
}

#[tokio::test]
async fn a_refresh_token_is_its_clients_business_and_active_while_it_is_current() {
    let world = World::new().await;
    let (auth, server) = (world.auth(), api(&world, "").await);
    let first = world.tokens("ada").await.refresh.unwrap();
    let answer = ask(&world, &auth, &first).await.json();
    assert_eq!((&answer["active"], &answer["sub"]), (&true.into(), &"ada".into()));
    assert_eq!(answer.get("token_type"), None, "it is no access token");
    let month = 30 * 24 * 3600;
    assert_eq!(answer["exp"], world.env.now().seconds() + month);
    assert!(!is_active(&world, &server, &first).await);
    let second = world.refresh(&first).await.tokens().refresh.unwrap();
    assert!(!is_active(&world, &auth, &first).await);
    assert!(is_active(&world, &auth, &second).await);
    world.clock.advance(Duration::from_secs(month.unsigned_abs()));
    assert!(!is_active(&world, &auth, &second).await);
}

#[tokio::test]
async fn what_is_no_good_any_more_or_never_was_is_inactive() {
    let world = World::new().await;
    let auth = world.auth();
    for nonsense in ["nonsense", &"x".repeat(60), "a b"] {
        assert!(!is_active(&world, &auth, nonsense).await, "{nonsense}");
    }
    assert!(!is_active(&world, &auth, &world.code("ada").await).await, "a code is no token");
    let tokens = world.tokens("ada").await;
    assert!(is_active(&world, &auth, &tokens.access).await);
    world.server.revoke_token(&tokens.access.as_str().into()).await.unwrap();
    assert!(!is_active(&world, &auth, &tokens.access).await);
    assert!(!is_active(&world, &auth, &tokens.refresh.unwrap()).await);
    let tokens = world.tokens("ada").await;
    world.clock.advance(Duration::from_secs(3600));
    assert!(!is_active(&world, &auth, &tokens.access).await);
}

#[tokio::test]
async fn a_machine_is_not_taken_for_the_user_of_its_name() {
    let grants = [GrantType::ClientCredentials];
    let world = World::with(Policy::safe(), |new| new.id("ada").grant_types(grants)).await;
    let asked = TokenRequest::ClientCredentials { scope: None, resource: Resources::EMPTY };
    let token = world.token(&world.auth(), &asked).await.tokens().access;
    let answer = ask(&world, &world.auth(), &token).await.json();
    assert_eq!((&answer["client_id"], answer.get("sub")), (&"ada".into(), None));
}

#[tokio::test]
async fn who_does_not_prove_who_it_is_is_told_nothing() {
    let world = World::public("https://app.example/cb").await;
    let token = world.tokens("ada").await.access;
    let answer = ask(&world, &world.auth(), &token).await;
    assert_eq!((answer.status(), &*answer.error()), (401, "invalid_client"));
    let id: Box<str> = "nobody".into();
    let nobody = ClientAuth::Basic { client_id: id, client_secret: "wrong".into() };
    let answer = ask(&world, &nobody, &token).await;
    assert_eq!((answer.status(), &*answer.error()), (401, "invalid_client"));
    assert!(answer.header("www-authenticate").starts_with("Basic"));

    let form = "application/x-www-form-urlencoded";
    let get = world.request("GET", "/oauth/introspect?token=x", form, "").await;
    assert_eq!(get.status(), 405);
    let world = World::new().await;
    let body = format!("client_id={}&client_secret={}", world.client.id, world.secret);
    let missing = world.request("POST", "/oauth/introspect", form, &body).await;
    assert_eq!((missing.status(), &*missing.error()), (400, "invalid_request"));
    let json = world.request("POST", "/oauth/introspect", "application/json", "{}").await;
    assert_eq!(json.status(), 415);
}

#[tokio::test]
async fn a_resource_server_has_a_secret_and_needs_no_grant() {
    let world = World::new().await;
    let public = NewClient::public("API").resource_server(Resources::EMPTY);
    let refused = world.server.register(public.redirect_uri("https://a.example/cb")).await;
    assert!(matches!(refused, Err(RegistrationError::PublicResourceServer)), "{refused:?}");
    let plain = NewClient::confidential("API").resource_server(Resources::EMPTY);
    let client = world.server.register(plain).await.unwrap().client;
    assert!(client.grant_types.is_empty());
}
