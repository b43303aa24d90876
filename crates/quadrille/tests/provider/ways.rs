//! Tokens in forms and queries (RFC 6750, sections 2.2 and 2.3), hooks around the check, and scopes
//! that imply others.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use axum::{Router, body::Body, response::IntoResponse, routing::any};
use http::{Request, header};
use quadrille::{
    Actor, Policy, Scopes,
    guard::{Access, AccessError, Guard, Refused},
    oauth2::{Resources, TokenRequest, metadata::ResourceMetadata},
    scope::ScopeTree,
};
use tower::ServiceExt as _;

use crate::support::{API, Answer, Photos, Upload, World};

const FORM: &str = "application/x-www-form-urlencoded";

async fn photos(access: Access<Photos>, body: String) -> impl IntoResponse {
    format!("{:?}: {body}", access.actor())
}

struct Api(Router);

impl Api {
    fn of(guard: Guard) -> Self {
        Self(Router::new().route("/", any(photos)).layer(guard))
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let (parts, body) = self.0.clone().oneshot(request).await.unwrap().into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Answer::of(http::Response::from_parts(parts, body))
    }

    async fn call(&self, path: &str, header: Option<&str>, form: &str) -> Answer {
        let mut request = Request::post(path).header("content-type", FORM);
        if let Some(token) = header {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        self.send(request.body(Body::from(form.to_owned())).unwrap()).await
    }
}

#[tokio::test]
async fn a_token_in_a_form_is_read_only_where_that_is_allowed_and_the_form_is_passed_on() {
    let world = World::new().await;
    let token = world.tokens("ada").await.access;
    let form = format!("a=b&access_token={token}");
    let plain = Api::of(Guard::new(&world.server));
    assert_eq!(plain.call("/", None, &form).await.status(), 401);

    let guard = Guard::new(&world.server).allow_tokens_in_forms_that_any_site_can_post();
    let api = Api::of(guard);
    let answer = api.call("/", None, &form).await;
    assert_eq!((answer.status(), answer.text()), (200, &*format!("User(\"ada\"): {form}")));
    assert_eq!(api.call("/", Some(&token), "a=b").await.status(), 200);
    assert_eq!(api.call("/", None, "a=b").await.status(), 401);
    for (header, form) in [
        (Some(&*token), &*form),
        (None, &*format!("{form}&{form}")),
        (Some(&*token), "access_token=x"),
    ] {
        let answer = api.call("/", header, form).await;
        assert_eq!(answer.status(), 400, "{form}");
        assert!(answer.header("www-authenticate").contains("invalid_request"));
    }
    // Neither the body of another type nor that of a GET is looked at, nor the query.
    let other = Request::post("/").header("content-type", "text/plain");
    let other = other.body(Body::from(form.clone())).unwrap();
    assert_eq!(api.send(other).await.status(), 401);
    let get = Request::get("/").header("content-type", FORM).body(Body::from(form.clone()));
    assert_eq!(api.send(get.unwrap()).await.status(), 401);
    assert_eq!(api.call(&format!("/?{form}"), None, "").await.status(), 401);
    let long = format!("a={}&access_token={token}", "b".repeat(70_000));
    assert_eq!(api.call("/", None, &long).await.status(), 413);
    assert_eq!(
        api.call("/", Some(&token), &format!("a={}", "b".repeat(70_000))).await.status(),
        200
    );
}

#[tokio::test]
async fn a_token_in_a_query_is_read_only_where_that_is_allowed_and_the_answer_is_private() {
    let world = World::new().await;
    let token = world.tokens("ada").await.access;
    let guard = Guard::new(&world.server).allow_tokens_in_queries_which_leak_into_logs();
    let api = Api::of(guard);
    let path = format!("/?a=b&access_token={token}");
    let answer = api.call(&path, None, "").await;
    assert_eq!((answer.status(), answer.header("cache-control")), (200, "private"));
    assert_eq!(api.call("/?a=b", Some(&token), "").await.header("cache-control"), "");
    assert_eq!(api.call("/?access_token=nonsense", None, "").await.status(), 401);
    assert_eq!(api.call(&path, Some(&token), "").await.status(), 400);
    assert_eq!(api.call(&format!("{path}&access_token={token}"), None, "").await.status(), 400);
    let encoded = path.replace("access_token", "access%5Ftoken");
    assert_eq!(api.call(&encoded, Some(&token), "").await.status(), 200, "a field of the API");
}

#[tokio::test]
async fn of_three_ways_one_is_used_and_metadata_name_them() {
    let world = World::new().await;
    let token = world.tokens("ada").await.access;
    let both = |guard: Guard| {
        guard
            .allow_tokens_in_queries_which_leak_into_logs()
            .allow_tokens_in_forms_that_any_site_can_post()
    };
    let api = Api::of(both(Guard::new(&world.server)));
    let (query, form) = (format!("/?access_token={token}"), format!("access_token={token}"));
    assert_eq!(api.call(&query, None, "").await.status(), 200);
    assert_eq!(api.call("/", None, &form).await.status(), 200);
    assert_eq!(api.call(&query, None, &form).await.status(), 400);
    for guard in [
        both(Guard::new(&world.server).describe(ResourceMetadata::of(API)).unwrap()),
        both(Guard::new(&world.server)).describe(ResourceMetadata::of(API)).unwrap(),
    ] {
        let request = Request::get("/.well-known/oauth-protected-resource").body(()).unwrap();
        let metadata = Answer::of(guard.metadata(&request).unwrap()).json();
        let mut ways: Vec<_> =
            metadata["bearer_methods_supported"].as_array().unwrap().iter().collect();
        ways.sort_by_key(|way| way.as_str());
        assert_eq!(ways, ["body", "header", "query"]);
    }
}

#[tokio::test]
async fn hooks_see_every_request_and_may_refuse_it() {
    let world = World::new().await;
    let (ada, eve) = (world.tokens("ada").await.access, world.tokens("eve").await.access);
    let is_closed = Arc::new(AtomicBool::new(false));
    let closed = is_closed.clone();
    let guard = Guard::new(&world.server)
        .before_check(move |parts| {
            assert_eq!(parts.uri.path(), "/");
            match closed.load(Ordering::SeqCst) {
                true => Err(AccessError::Unavailable),
                false => Ok(()),
            }
        })
        .after_check(|verified| async move {
            match verified.actor() {
                Actor::User(subject) if &**subject == "eve" => Err(AccessError::ByApplication),
                _ => Ok(verified),
            }
        });
    let api = Api::of(guard);
    assert_eq!(api.call("/", Some(&ada), "").await.status(), 200);
    let refused = api.call("/", Some(&eve), "").await;
    assert_eq!(refused.status(), 401);
    assert!(refused.header("www-authenticate").contains("invalid_token"));
    assert_eq!(api.call("/", Some("nonsense"), "").await.status(), 401);
    is_closed.store(true, Ordering::SeqCst);
    assert_eq!(api.call("/", Some(&ada), "").await.status(), 503);
}

#[tokio::test]
async fn a_guard_inside_of_attach_or_around_it_alone_checks() {
    let world = World::new().await;
    let (ada, eve) = (world.tokens("ada").await.access, world.tokens("eve").await.access);
    let checks = Arc::new(AtomicUsize::new(0));
    let guard = || {
        let checks = checks.clone();
        Guard::new(&world.server)
            .allow_tokens_in_forms_that_any_site_can_post()
            .allow_tokens_in_queries_which_leak_into_logs()
            .after_check(move |verified| {
                checks.fetch_add(1, Ordering::SeqCst);
                async move {
                    match verified.actor() {
                        Actor::User(subject) if &**subject == "eve" => {
                            Err(AccessError::ByApplication)
                        }
                        _ => Ok(verified),
                    }
                }
            })
    };
    let routes = || Router::new().route("/", any(photos));
    let alone = Api(world.server.attach(routes()));
    let inside = Api(world.server.attach(routes().layer(guard())));
    let around = Api(world.server.attach(routes()).layer(guard()));
    let (query, form) = (format!("/?access_token={ada}"), format!("access_token={ada}"));
    for (api, expected) in [(&alone, [401, 401, 200]), (&inside, [200, 200, 401])] {
        assert_eq!(api.call(&query, None, "").await.status(), expected[0]);
        assert_eq!(api.call("/", None, &form).await.status(), expected[1]);
        assert_eq!(api.call("/", Some(&eve), "").await.status(), expected[2]);
    }
    assert_eq!(checks.swap(0, Ordering::SeqCst), 3, "once for each request");
    assert_eq!(around.call(&query, None, "").await.status(), 200);
    assert_eq!(around.call("/", None, &form).await.text(), format!("User(\"ada\"): {form}"));
    assert_eq!(around.call("/", Some(&eve), "").await.status(), 401);
    assert_eq!(checks.load(Ordering::SeqCst), 3, "once for each request");
}

#[tokio::test]
async fn a_scope_permits_the_scopes_it_implies_at_the_api_and_at_a_refresh() {
    let tree = ScopeTree::new().implies("photos:write", ["photos:read"]);
    let world = World::with(Policy::safe().scope_tree(tree), |new| new).await;
    world.sign_in("ada");
    let mut browser = crate::support::Browser::default();
    let mut request = world.asking();
    request.scope = Some(Scopes::parse("photos:write").unwrap());
    let page = world.ask(&mut browser, &request).await;
    let back = browser.answer(&world, &page, "decision=all").await;
    let tokens = world.redeem(&back.query("code")).await.tokens();
    assert_eq!(tokens.scope, "photos:write");
    assert!(world.is_good(&tokens.access).await, "photos:read is required");

    // The consent covers what it implies.
    request.scope = Some(Scopes::parse("photos:read").unwrap());
    let silent = world.ask(&mut browser, &request).await;
    let read_only = world.redeem(&silent.query("code")).await.tokens();
    assert_eq!(read_only.scope, "photos:read");

    let scope = Some(Scopes::parse("photos:read").unwrap());
    let refresh_token = tokens.refresh.unwrap();
    let asked = TokenRequest::RefreshToken {
        refresh_token: &refresh_token,
        scope,
        resource: Resources::EMPTY,
    };
    let narrowed = world.token(&world.auth(), &asked).await.tokens();
    assert_eq!(narrowed.scope, "photos:read");
    let app = Router::new()
        .route(
            "/",
            any(|access: Access| async move {
                access.require(&Scopes::of(["photos:write"]))?;
                Ok::<_, Refused>("done")
            }),
        )
        .route("/both", any(|_: Access<(Photos, Upload)>| async {}))
        .layer(Guard::new(&world.server));
    let status = async |path: &str, token: &str| {
        let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
        let answer = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let challenge = answer.headers().get(header::WWW_AUTHENTICATE).cloned();
        (answer.status().as_u16(), challenge.map(|it| it.to_str().unwrap().to_owned()))
    };
    assert_eq!(status("/", &tokens.access).await.0, 200);
    assert_eq!(status("/both", &tokens.access).await.0, 200);
    assert_eq!(status("/", &narrowed.access).await.0, 403);
    let (code, challenge) = status("/both", &narrowed.access).await;
    assert_eq!(code, 403);
    assert!(challenge.unwrap().contains(r#"scope="photos:read photos:write""#), "all at once");
}
