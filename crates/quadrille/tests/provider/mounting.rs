//! Where the server stands in an application, and behind a proxy.

use std::{
    io::{self, Seek as _},
    net::SocketAddr,
    sync::Mutex,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{ConnectInfo, Request},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::StatusCode;
use quadrille::{
    Authentication, Env, Scopes,
    guard::Access,
    oauth2::metadata::ServerMetadata,
    provider::{
        Authorization, AuthorizationServer, Decision, NewClient, Reply, Step, store::MemoryStore,
    },
};
use tower::ServiceExt as _;

use crate::support::{CALLBACK, Photos};

async fn ask(request: Authorization) -> Response {
    match request.step(Some(Authentication::new("ada", Env::system().now()))).await {
        // What an application may do: the layer does it, too.
        Step::Consent(page) => (page.headers(), page.action.to_string()).into_response(),
        step => format!("{step:?}").into_response(),
    }
}

async fn answer(decision: Decision<()>) -> Reply {
    decision.by(Authentication::new("ada", Env::system().now())).all().await
}

fn server(issuer: &str) -> AuthorizationServer {
    AuthorizationServer::new(issuer, MemoryStore::new(Env::system())).unwrap().scope::<Photos>()
}

fn pages(server: &AuthorizationServer) -> Router {
    Router::new()
        .route(server.authorize_path(), get(ask).post(ask))
        .route(server.consent_path(), post(answer))
        .route("/photos", get(async |_: Access<Photos>| "photos"))
}

/// A request for consent, and its answer.
async fn authorize(app: &Router, server: &AuthorizationServer, path: &str) -> Response {
    let client =
        NewClient::confidential("App").redirect_uri(CALLBACK).scopes(Scopes::of(["photos:read"]));
    let client = server.register(client).await.unwrap();
    let id = &client.client.id;
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let uri = format!(
        "{path}?response_type=code&client_id={id}&redirect_uri={CALLBACK}&scope=photos:read\
         &code_challenge={challenge}&code_challenge_method=S256&state=1"
    );
    fetch(app, &uri).await
}

async fn fetch(app: &Router, uri: &str) -> Response {
    app.clone().oneshot(Request::get(uri).body(Body::empty()).unwrap()).await.unwrap()
}

async fn text(response: Response) -> String {
    String::from_utf8(to_bytes(response.into_body(), 100_000).await.unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn a_router_that_is_nested_where_the_issuer_is_works_and_posts_to_the_right_path() {
    let server = server("https://www.example/id").prefix_is_stripped();
    let app = Router::new().nest("/id", server.attach(pages(&server)));
    let response = authorize(&app, &server, "/id/oauth/authorize").await;
    assert_eq!(response.status(), 200);
    assert_eq!(text(response).await, "/id/oauth/consent");
    for path in ["/id/oauth/consent", "/id/oauth/token"] {
        let posted = Request::post(path).body(Body::empty()).unwrap();
        let posted = app.clone().oneshot(posted).await.unwrap();
        assert_eq!(posted.status(), StatusCode::BAD_REQUEST, "{path} is there");
    }
    let metadata = fetch(&app, "/id/.well-known/oauth-authorization-server").await;
    let metadata = text(metadata).await;
    let metadata = ServerMetadata::parse(metadata.as_bytes(), "https://www.example/id").unwrap();
    assert_eq!(metadata.token_endpoint.unwrap(), "https://www.example/id/oauth/token");
    assert_eq!(fetch(&app, "/id/photos").await.status(), 401);
}

#[tokio::test]
async fn a_proxy_that_strips_the_prefix_finds_every_endpoint() {
    let server = server("https://www.example/id").prefix_is_stripped();
    let app = server.attach(pages(&server));
    let response = authorize(&app, &server, "/oauth/authorize").await;
    assert_eq!(text(response).await, "/id/oauth/consent");
    for path in
        ["/.well-known/oauth-authorization-server", "/.well-known/oauth-authorization-server/id"]
    {
        let metadata = text(fetch(&app, path).await).await;
        let metadata =
            ServerMetadata::parse(metadata.as_bytes(), "https://www.example/id").unwrap();
        let endpoint = metadata.authorization_endpoint.unwrap();
        assert_eq!(endpoint, "https://www.example/id/oauth/authorize");
    }
    assert_eq!(fetch(&app, "/oauth/token").await.status(), 405, "it is there, for POST");
    assert_eq!(fetch(&app, "/photos").await.status(), 401);
}

#[tokio::test]
async fn a_router_that_is_nested_elsewhere_says_so_instead_of_leading_to_nowhere() {
    for (issuer, stripped) in [("https://id.example", false), ("https://id.example/id", true)] {
        let mut server = server(issuer);
        if stripped {
            server = server.prefix_is_stripped();
        }
        let app = Router::new().nest("/api", server.attach(pages(&server)));
        let response = authorize(&app, &server, "/api/oauth/authorize").await;
        assert_eq!(response.status(), 500);
        let page = text(response).await;
        assert!(page.contains("For the developers of this site") && page.contains("merge it into"));
        for path in ["/api/oauth/token", "/api/.well-known/oauth-authorization-server"] {
            assert_eq!(fetch(&app, path).await.status(), 500, "{path}");
        }
        assert_eq!(fetch(&app, "/api/photos").await.status(), 401, "an API may be anywhere");
    }
}

#[tokio::test]
async fn routers_within_the_one_that_is_attached_may_be_nested() {
    let server = server("https://id.example");
    let oauth = Router::new().route("/authorize", get(ask)).route("/consent", post(answer));
    let app = server.attach(Router::new().nest("/oauth", oauth));
    let response = authorize(&app, &server, "/oauth/authorize").await;
    assert_eq!(text(response).await, "/oauth/consent");
}

#[tokio::test]
async fn a_page_that_the_application_forgot_is_named_in_the_log() {
    let server = server("https://id.example");
    let here = async || StatusCode::NOT_FOUND;
    let consent = || Router::new().route("/oauth/consent", post(answer));
    let asking = || Router::new().route("/oauth/authorize", get(ask));
    let apps = [
        (consent(), "GET", "/oauth/authorize", 500),
        (consent().route("/oauth/authorize", post(ask)), "GET", "/oauth/authorize", 500),
        (asking(), "POST", "/oauth/consent", 500),
        (asking().route("/oauth/consent", get(here)), "POST", "/oauth/consent", 500),
        // An answer of the application's own is its own, and other pages are its business.
        (asking().route("/oauth/consent", post(here)), "POST", "/oauth/consent", 404),
        (asking(), "GET", "/oauth/other", 404),
    ];
    for (app, method, path, status) in apps {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let mut told = tempfile::tempfile().unwrap();
        let writer = Mutex::new(told.try_clone().unwrap());
        let log = tracing_subscriber::fmt().with_writer(writer).with_ansi(false);
        // With one subscriber alone, tracing asks that of whichever thread comes by an event first.
        let _another = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
        let logging = tracing::subscriber::set_default(log.finish());
        let response = server.attach(app).oneshot(request).await.unwrap();
        drop(logging);
        assert_eq!(response.status(), status, "{method} {path}");
        let page = text(response).await;
        let words = format!("the application has no route for {method} {path}");
        assert_eq!(page.contains(&words), status == 500, "{page}");
        told.rewind().unwrap();
        let told = io::read_to_string(told).unwrap();
        let named = format!("no route for {method} {path}");
        assert_eq!(told.contains(&named), status == 500, "{told}");
    }
}

#[tokio::test]
async fn a_request_without_an_address_is_told_once_in_the_log() {
    let words = "without the address of its client";
    let request_from = |connection: Option<SocketAddr>| {
        let form = "application/x-www-form-urlencoded";
        let request = Request::post("/oauth/token").header("content-type", form);
        let mut request =
            request.body(Body::from("grant_type=client_credentials&client_id=app")).unwrap();
        if let Some(address) = connection {
            request.extensions_mut().insert(ConnectInfo(address));
        }
        request
    };
    let connection = Some(([192, 0, 2, 7], 50_000).into());
    for (connections, times) in [(vec![connection; 2], 0), (vec![connection, None, None], 1)] {
        let server = server("https://id.example");
        let app = server.attach(pages(&server));
        let mut told = tempfile::tempfile().unwrap();
        let writer = Mutex::new(told.try_clone().unwrap());
        let log = tracing_subscriber::fmt().with_writer(writer).with_ansi(false);
        let _another = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
        let logging = tracing::subscriber::set_default(log.finish());
        for connection in connections {
            app.clone().oneshot(request_from(connection)).await.unwrap();
        }
        drop(logging);
        told.rewind().unwrap();
        let told = io::read_to_string(told).unwrap();
        assert_eq!(told.matches(words).count(), times, "{told}");
    }
}

#[tokio::test]
async fn without_the_layer_pages_and_apis_name_the_mistake() {
    let server = server("https://id.example");
    let app = pages(&server);
    for (path, words) in [
        ("/oauth/authorize?client_id=a", "call attach on the router that has all routes"),
        ("/photos", "call attach on the router that has all routes"),
    ] {
        let response = fetch(&app, path).await;
        assert_eq!(response.status(), 500, "{path}");
        let page = text(response).await;
        assert!(page.contains("For the developers of this s") && page.contains(words), "{page}");
    }
}

#[tokio::test]
async fn headers_that_the_application_sets_itself_are_not_set_twice() {
    let server = server("https://id.example");
    let app = server.attach(pages(&server));
    let response = authorize(&app, &server, "/oauth/authorize").await;
    for name in ["set-cookie", "content-security-policy"] {
        assert_eq!(response.headers().get_all(name).iter().count(), 1, "{name}");
    }
}
