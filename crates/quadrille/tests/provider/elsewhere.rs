//! An API that has no store, and asks the issuer what tokens are worth.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body as AxumBody, routing::get};
use bytes::Bytes;
use http::{Request, Response, Uri};
use quadrille::{
    Actor,
    guard::{Access, AccessError, Guard, Introspection, IntrospectionError, Verified},
    oauth2::{ClientAuth, Resources},
    provider::NewClient,
    transport::{Body, HttpClient, NetworkError, Purpose},
};
use tower::ServiceExt as _;

use crate::support::{API, Browser, MAIL, Photos, World};

pub(crate) const ENDPOINT: &str = "https://id.example/oauth/introspect";

/// How the way to the issuer is.
#[derive(Clone, Copy)]
pub(crate) enum Way {
    Open,
    Broken,
    Silent,
    Answers(u16, &'static str),
}

/// Asks the issuer in this process.
#[derive(Clone)]
pub(crate) struct Line {
    issuer: Router,
    asked: Arc<AtomicUsize>,
    signed: Arc<AtomicUsize>,
    way: Arc<Mutex<Way>>,
}

impl Line {
    pub(crate) fn to(world: &World) -> Self {
        let way = Arc::new(Mutex::new(Way::Open));
        Self { issuer: world.app.clone(), asked: Arc::default(), signed: Arc::default(), way }
    }

    pub(crate) fn set(&self, way: Way) {
        *self.way.lock().unwrap() = way;
    }

    /// How often it was asked about signed requests.
    pub(crate) fn asked_about_signed(&self) -> usize {
        self.signed.load(Ordering::SeqCst)
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl HttpClient for Line {
    async fn send(
        &self,
        request: Request<Body>,
        purpose: Purpose,
    ) -> Result<Response<Body>, NetworkError> {
        assert_eq!(request.uri(), &Uri::from_static(ENDPOINT));
        assert!(!purpose.may_be_logged());
        // What is asked of a signed request is told once.
        let is_token = match purpose {
            Purpose::Introspect => true,
            Purpose::IntrospectSigned => false,
            other => panic!("{other:?}"),
        };
        assert_eq!(purpose.may_be_repeated(), is_token);
        self.signed.fetch_add(usize::from(!is_token), Ordering::SeqCst);
        self.asked.fetch_add(1, Ordering::SeqCst);
        let way = *self.way.lock().unwrap();
        match way {
            Way::Broken => Err(NetworkError::Connect),
            Way::Silent => std::future::pending().await,
            Way::Answers(status, body) => {
                let mut answer = Response::new(Body::from(Bytes::from_static(body.as_bytes())));
                *answer.status_mut() = status.try_into().unwrap();
                Ok(answer)
            }
            Way::Open => {
                let request = request.map(AxumBody::from_stream);
                let (parts, body) =
                    self.issuer.clone().oneshot(request).await.unwrap().into_parts();
                let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
                Ok(Response::from_parts(parts, body.into()))
            }
        }
    }
}

/// The guard of the API that [`API`] names, and its line to the issuer.
pub(crate) async fn guard(world: &World) -> (Guard, Line) {
    let new = NewClient::confidential("API").resource_server(Resources::of([API]).unwrap());
    let registered = world.server.register(new).await.unwrap();
    let auth = ClientAuth::Basic {
        client_id: (*registered.client.id).into(),
        client_secret: registered.secret.unwrap(),
    };
    let line = Line::to(world);
    let trust = Introspection::new("https://id.example", ENDPOINT, auth)
        .unwrap()
        .env(world.env.clone())
        .http(line.clone());
    (Guard::elsewhere(API, trust).audience(API), line)
}

async fn check(guard: &Guard, token: &str) -> Result<Verified, AccessError> {
    let request = Request::get("/").header("authorization", format!("Bearer {token}"));
    let (parts, ()) = request.body(()).unwrap().into_parts();
    guard.check(&parts, b"").await.map(|token| token.expect("a token came"))
}

async fn token_for(world: &World, resources: &str) -> String {
    world.sign_in("ada");
    let mut browser = Browser::default();
    let mut request = world.asking();
    request.resource = Resources::parse(resources).unwrap();
    let mut back = world.ask(&mut browser, &request).await;
    if back.status() == 200 {
        back = browser.answer(world, &back, "decision=all").await;
    }
    world.redeem(&back.query("code")).await.tokens().access
}

#[tokio::test]
async fn it_learns_of_a_token_what_the_issuer_knows() {
    let world = World::new().await;
    let (guard, _) = guard(&world).await;
    let token = check(&guard, &token_for(&world, API).await).await.unwrap();
    assert_eq!(token.actor(), &Actor::User("ada".into()));
    assert_eq!(token.client(), &world.client.id);
    assert_eq!(token.scopes().as_str(), "photos:read photos:write");
    assert_eq!(token.audience().as_str(), API);
    assert_eq!(token.authentication().unwrap().auth_time, world.env.now());
    assert_eq!(token.expires(), world.env.now() + Duration::from_secs(3600));
    for elsewhere in ["", MAIL] {
        let token = token_for(&world, elsewhere).await;
        assert_eq!(check(&guard, &token).await.unwrap_err(), AccessError::Unknown);
    }
}

#[tokio::test]
async fn a_good_answer_counts_for_a_moment_and_a_bad_one_not_at_all() {
    let world = World::new().await;
    let (guard, line) = guard(&world).await;
    let token = token_for(&world, API).await;
    for _ in 0..3 {
        assert!(check(&guard, &token).await.is_ok());
    }
    assert_eq!(line.asked(), 1);
    world.server.revoke_token(&token.as_str().into()).await.unwrap();
    assert!(check(&guard, &token).await.is_ok(), "for five seconds more");
    world.clock.advance(Duration::from_secs(5));
    for asked in 2..4 {
        assert_eq!(check(&guard, &token).await.unwrap_err(), AccessError::Unknown);
        assert_eq!(line.asked(), asked);
    }
    let token = token_for(&world, API).await;
    world.clock.advance(Duration::from_secs(3598));
    assert!(check(&guard, &token).await.is_ok());
    world.clock.advance(Duration::from_secs(2));
    assert!(check(&guard, &token).await.is_err(), "it is remembered no longer than it is good");
}

#[tokio::test(start_paused = true)]
async fn when_the_issuer_cannot_be_asked_the_api_is_unavailable() {
    let world = World::new().await;
    let (guard, line) = guard(&world).await;
    let token = token_for(&world, API).await;
    for way in [
        Way::Broken,
        Way::Silent,
        Way::Answers(500, "<html>"),
        Way::Answers(302, ""),
        Way::Answers(200, "<html>"),
        Way::Answers(200, r#"{"active":"yes"}"#),
        Way::Answers(401, r#"{"error":"invalid_client"}"#),
    ] {
        line.set(way);
        assert_eq!(check(&guard, &token).await.unwrap_err(), AccessError::Unavailable);
    }
    let app: Router = Router::new()
        .route("/", get(|access: Access<Photos>| async move { access.client().to_string() }))
        .layer(guard);
    let ask = async || {
        let request = Request::get("/").header("authorization", format!("Bearer {token}"));
        let request = request.body(AxumBody::empty()).unwrap();
        app.clone().oneshot(request).await.unwrap().status().as_u16()
    };
    assert_eq!(ask().await, 503);
    line.set(Way::Open);
    assert_eq!(ask().await, 200);
    line.set(Way::Broken);
    assert_eq!(ask().await, 200, "what is remembered still counts");
}

#[tokio::test]
async fn an_issuer_is_asked_over_tls_and_with_a_secret() {
    let auth = || ClientAuth::Basic { client_id: "api".into(), client_secret: "secret".into() };
    for bad in ["http://id.example/introspect", "ftp://x/", "", "/introspect"] {
        let error = Introspection::new("https://id.example", bad, auth()).unwrap_err();
        assert_eq!(error, IntrospectionError::Endpoint, "{bad}");
    }
    let loopback =
        Introspection::new("http://localhost:4004", "http://localhost:4004/i?x=y", auth());
    assert!(loopback.is_ok());
    let none = ClientAuth::None { client_id: "api".into() };
    let error = Introspection::new("https://id.example", ENDPOINT, none).unwrap_err();
    assert_eq!(error, IntrospectionError::NoSecret);
}
