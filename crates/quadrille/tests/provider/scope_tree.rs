//! The scope tree of a guard in another process than the server: `Guard::scope_tree`.

use axum::{Router, routing::get};
use http::{Request, header};
use quadrille::{
    Scopes,
    guard::{Access, Guard, Refused},
    oauth2::Resources,
    scope::ScopeTree,
};
use serde_json::json;
use tower::ServiceExt as _;

use crate::{
    elsewhere, jwt_elsewhere,
    support::{API, Browser, Photos, Upload, World},
};

/// The status of an API that needs one scope, two, and one that is known at run time; with 403 the
/// scopes that the challenge names.
async fn answers(guard: &Guard, token: &str) -> Vec<(u16, String)> {
    let at_run_time = |access: Access| async move {
        access.require(&Scopes::of(["photos:read"]))?;
        Ok::<_, Refused>("done")
    };
    let api = Router::new()
        .route("/one", get(|_: Access<Photos>| async {}))
        .route("/two", get(|_: Access<(Photos, Upload)>| async {}))
        .route("/run-time", get(at_run_time))
        .layer(guard.clone());
    let mut answers = Vec::new();
    for path in ["/one", "/two", "/run-time"] {
        let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
        let request = request.body(axum::body::Body::empty()).unwrap();
        let answer = api.clone().oneshot(request).await.unwrap();
        let challenge = answer.headers().get(header::WWW_AUTHENTICATE);
        let challenge = challenge.map_or("", |challenge| challenge.to_str().unwrap());
        let (_, scopes) = challenge.split_once("scope=\"").unwrap_or_default();
        let (scopes, _) = scopes.split_once('"').unwrap_or_default();
        answers.push((answer.status().as_u16(), scopes.to_owned()));
    }
    answers
}

/// The answers by a guard with and without the tree, to a token of the wide scope and one of the
/// implied scope.
async fn assert_tree_holds(guard: Guard, wide: &str, narrow: &str) {
    let (ok, both) = ((200, String::new()), (403, "photos:read photos:write".to_owned()));
    let one = (403, "photos:read".to_owned());
    let all = [ok.clone(), ok.clone(), ok.clone()];
    let without = answers(&guard, wide).await;
    assert_eq!(without, [one.clone(), both.clone(), one], "no scope implies another");
    let guard = guard.scope_tree(ScopeTree::new().implies("photos:write", ["photos:read"]));
    assert_eq!(answers(&guard, wide).await, all);
    assert_eq!(answers(&guard, narrow).await, [ok.clone(), both, ok], "it implies nothing");
}

#[tokio::test]
async fn holds_for_jwts_of_an_issuer_elsewhere() {
    let world = jwt_elsewhere::World::new();
    let token = |scope: &str| world.token(&json!({ "scope": scope }));
    let (wide, narrow) = (token("photos:write"), token("photos:read"));
    assert_tree_holds(world.guard.clone(), &wide, &narrow).await;
}

#[tokio::test]
async fn holds_for_tokens_that_an_issuer_elsewhere_introspects() {
    let world = World::new().await;
    world.sign_in("ada");
    let (guard, line) = elsewhere::guard(&world).await;
    let token = async |scope: &str| {
        let mut browser = Browser::default();
        let mut request = world.asking();
        request.scope = Some(Scopes::parse(scope).unwrap());
        request.resource = Resources::of([API]).unwrap();
        let page = world.ask(&mut browser, &request).await;
        let back = browser.answer(&world, &page, "decision=all").await;
        let tokens = world.redeem(&back.query("code")).await.tokens();
        assert_eq!(tokens.scope, scope);
        tokens.access
    };
    let (narrow, wide) = (token("photos:read").await, token("photos:write").await);
    assert_tree_holds(guard, &wide, &narrow).await;
    assert!(line.asked() > 0, "the issuer was asked");
}
