//! The metadata of an API (RFC 9728): how a client that knows only the API finds the issuer.

use axum::{Router, body::Body, routing::get};
use http::{Request, header};
use quadrille::{
    Scopes,
    guard::{Access, Guard},
    oauth2::{
        Resources, TokenRequest,
        bearer::Challenge,
        metadata::{ResourceMetadata, ServerMetadata, well_known_urls},
    },
    provider::GrantType::ClientCredentials,
};
use tower::ServiceExt as _;

use crate::support::{API, Answer, Photos, World};

async fn photos(access: Access<Photos>) -> String {
    format!("the photos of {:?}", access.actor())
}

fn api(guard: &Guard) -> Router {
    Router::new().route("/photos", get(photos)).layer(guard.clone()).merge(guard.routes())
}

async fn send(api: &Router, request: http::request::Builder) -> Answer {
    let response = api.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, 1 << 16).await.unwrap();
    Answer::of(http::Response::from_parts(parts, body))
}

/// The URL of the metadata in the challenges of a response.
fn metadata_url(answer: &Answer) -> Option<String> {
    let challenges = Challenge::parse_all(answer.headers());
    let mut further = challenges.iter().flat_map(|challenge| &challenge.extra);
    further.find(|(name, _)| **name == *"resource_metadata").map(|(_, url)| url.to_string())
}

#[tokio::test]
async fn a_client_that_knows_only_the_api_finds_the_issuer_and_gets_in() {
    let world = World::with(quadrille::Policy::safe(), |new| {
        new.grant_types([ClientCredentials]).scopes(Scopes::parse("photos:read").unwrap())
    })
    .await;
    let mut metadata = ResourceMetadata::of(API);
    metadata.resource_name = Some("Photos".to_owned());
    metadata.scopes_supported = Some(vec!["photos:read".to_owned()]);
    let api = api(&Guard::new(&world.server).origins([API]).describe(metadata).unwrap());

    let refused = send(&api, Request::get("/photos")).await;
    assert_eq!(refused.status(), 401);
    let url = metadata_url(&refused).expect("the challenge names the metadata");
    assert_eq!(url, "https://api.example/.well-known/oauth-protected-resource");

    let answer = send(&api, Request::get(url.strip_prefix(API).unwrap())).await;
    assert_eq!((answer.status(), answer.header("content-type")), (200, "application/json"));
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let metadata = ResourceMetadata::parse(answer.text().as_bytes(), API).unwrap();
    assert_eq!(metadata.resource_name.as_deref(), Some("Photos"));
    assert_eq!(metadata.bearer_methods_supported, Some(vec!["header".to_owned()]));
    let [issuer] = &*metadata.authorization_servers else { panic!("{metadata:?}") };

    let urls = well_known_urls(issuer).unwrap();
    let answer = world.send(Request::get(urls[0].path()).body(Body::empty()).unwrap()).await;
    ServerMetadata::parse(answer.text().as_bytes(), issuer).unwrap();

    let scope = metadata.scopes_supported.map(|scopes| Scopes::parse(&scopes.join(" ")).unwrap());
    let resource = Resources::of([&*metadata.resource]).unwrap();
    let asked = TokenRequest::ClientCredentials { scope, resource };
    let token = world.token(&world.auth(), &asked).await.tokens().access;
    let bearer = format!("Bearer {token}");
    let answer = send(&api, Request::get("/photos").header("authorization", bearer)).await;
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn every_refusal_for_the_credentials_names_the_metadata() {
    let world = World::new().await;
    let guard = Guard::new(&world.server).describe(ResourceMetadata::of(API)).unwrap();
    let own = world.tokens("ada").await.access;
    let described = api(&guard);
    for value in ["Bearer unknown", "Bearer", "Bearer a b", &format!("Bearer {own}")] {
        let request = Request::get("/photos").header("authorization", value);
        let answer = send(&described, request).await;
        assert!(matches!(answer.status(), 400 | 401), "{value}: {}", answer.status());
        assert!(metadata_url(&answer).is_some(), "{value}: {}", answer.header("www-authenticate"));
    }

    let undescribed = api(&Guard::new(&world.server).audience(API));
    assert_eq!(metadata_url(&send(&undescribed, Request::get("/photos")).await), None);
    let other = api(&guard.audience("https://other.example"));
    assert_eq!(metadata_url(&send(&other, Request::get("/photos")).await), None);
    let gone = Request::get("/.well-known/oauth-protected-resource");
    assert_eq!(send(&other, gone).await.status(), 404);
}

#[tokio::test]
async fn the_document_is_at_one_url_for_scripts_of_any_origin_to_read() {
    let world = World::new().await;
    let path = "/.well-known/oauth-protected-resource/:v1/%7Bphotos%7D";
    for (resource, at, elsewhere) in [
        ("https://api.example/:v1/{photos}", path.to_owned(), format!("{path}?a=b")),
        ("https://api.example/:v1/{photos}?a=b", format!("{path}?a=b"), path.to_owned()),
    ] {
        let metadata = ResourceMetadata::of(resource);
        let api = api(&Guard::new(&world.server).describe(metadata).unwrap());
        let answer = send(&api, Request::get(&at)).await;
        let metadata = ResourceMetadata::parse(answer.text().as_bytes(), resource).unwrap();
        assert_eq!(metadata.authorization_servers, ["https://id.example"]);
        assert_eq!(send(&api, Request::head(&at)).await.status(), 200);
        assert_eq!(send(&api, Request::get(&elsewhere)).await.status(), 404, "{elsewhere}");

        let posted = send(&api, Request::post(&at)).await;
        assert_eq!((posted.status(), posted.header("allow")), (405, "GET, HEAD"));
        let preflight = Request::options(&at)
            .header(header::ORIGIN, "https://app.example")
            .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "mcp-protocol-version");
        let preflight = send(&api, preflight).await;
        assert_eq!(
            (preflight.status(), preflight.header("access-control-allow-origin")),
            (204, "*")
        );
    }
}

#[tokio::test]
async fn an_api_without_a_url_has_no_metadata() {
    let world = World::new().await;
    for resource in ["urn:photos", "https://api.example/#a", "/photos", "", "https://"] {
        let described = Guard::new(&world.server).describe(ResourceMetadata::of(resource));
        assert!(described.is_err(), "{resource}");
    }
}
