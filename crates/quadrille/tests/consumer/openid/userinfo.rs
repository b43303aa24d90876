//! The request for the claims of the userinfo endpoint.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use quadrille::{
    Owner, SpecBuf,
    consumer::{OAuth2Buf, ServiceError},
    testing::FakeService,
    transport::{Body, HttpClient, NetworkError, Purpose},
};

use super::World;

/// A provider that keeps the requests for claims.
#[derive(Clone)]
struct Kept {
    service: FakeService,
    seen: Arc<Mutex<Vec<(Method, HeaderMap, Bytes)>>>,
}

impl HttpClient for Kept {
    async fn send(
        &self,
        request: Request<Body>,
        purpose: Purpose,
    ) -> Result<Response<Body>, NetworkError> {
        if purpose == Purpose::Identity
            && let Body::Whole(body) = request.body()
        {
            let seen = (request.method().clone(), request.headers().clone(), body.clone());
            self.seen.lock().unwrap().push(seen);
        }
        self.service.send(request, purpose).await
    }
}

/// A profile, and the requests for its claims, at a service that is described like this.
async fn profile(
    change: fn(SpecBuf<OAuth2Buf>) -> SpecBuf<OAuth2Buf>,
    prepare: impl FnOnce(&FakeService),
) -> (quadrille::Result<String>, Vec<(Method, HeaderMap, Bytes)>) {
    let World { service, login, .. } = World::with(change);
    let kept = Kept { service: service.clone(), seen: Arc::default() };
    let login = login.http(kept.clone());
    let account = service.link(&login, "acme", &Owner::user("ada"), 7).await;
    kept.seen.lock().unwrap().clear();
    prepare(&service);
    let acme = login.linked_by_name(&account).await.unwrap();
    let profile = acme.profile().await;
    let seen = kept.seen.lock().unwrap().clone();
    (profile.map(|profile| profile.raw["sub"].as_str().unwrap_or_default().to_owned()), seen)
}

/// OpenID Connect Core, section 5.3.1.
#[tokio::test]
async fn the_token_of_a_userinfo_request_is_in_the_header_unless_the_service_wants_a_form() {
    let (subject, seen) = profile(|spec| spec, |_| {}).await;
    assert_eq!(subject.as_deref(), Ok("7"));
    let [(method, headers, body)] = &*seen else { panic!("{seen:?}") };
    assert_eq!((method, body.len()), (&Method::GET, 0));
    let token = headers[header::AUTHORIZATION].to_str().unwrap();
    let token = token.strip_prefix("Bearer ").unwrap();
    assert!(token.starts_with("access-canary-"));

    let (subject, seen) = profile(SpecBuf::userinfo_token_in_body, |_| {}).await;
    assert_eq!(subject.as_deref(), Ok("7"));
    let [(method, headers, body)] = &*seen else { panic!("{seen:?}") };
    assert_eq!(method, Method::POST);
    assert_eq!(headers[header::CONTENT_TYPE], "application/x-www-form-urlencoded");
    // RFC 6750, section 2: no more than one method in each request.
    assert!(!headers.contains_key(header::AUTHORIZATION));
    assert_eq!(body, format!("access_token={token}").as_bytes());
}

/// OpenID Connect Core, section 5.3.1.
#[tokio::test]
async fn a_token_in_a_body_goes_to_the_userinfo_endpoint_and_nowhere_on() {
    let (outcome, seen) = profile(SpecBuf::userinfo_token_in_body, |service| {
        for status in [StatusCode::FOUND, StatusCode::TEMPORARY_REDIRECT] {
            let answer = Response::builder().status(status);
            let answer = answer.header(header::LOCATION, "https://id.example/tenant/elsewhere");
            service.answers_next_with(Purpose::Identity, answer.body(Bytes::new()).unwrap());
        }
    })
    .await;
    let error = ServiceError::Redirected;
    assert_eq!(outcome, Err(quadrille::Error::Service { service: "acme".into(), error }));
    assert_eq!(seen.len(), 1);
}

/// OpenID Connect Core, section 5.3.1.
#[tokio::test]
async fn calls_of_an_api_keep_the_token_in_the_header() {
    let World { service, login, .. } = World::with(SpecBuf::userinfo_token_in_body);
    let account = service.link(&login, "acme", &Owner::user("ada"), 7).await;
    let acme = login.linked_by_name(&account).await.unwrap();
    let answer: serde_json::Value = acme.get("albums").await.unwrap();
    assert_eq!((&answer["method"], &answer["body"]), (&"GET".into(), &"".into()));
}
