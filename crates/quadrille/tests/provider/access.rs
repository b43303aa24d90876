//! What an API sees of its callers, and what they are told.

use std::time::Duration;

use axum::{Router, body::Body, extract::Path as UrlPath, routing::get};
use bytes::Bytes;
use http::Request;
use quadrille::{
    Scopes,
    guard::{Access, AccessError, Guard, Refused},
    oauth2::{Resources, TokenRequest},
    scope::Any,
    scopes,
};
use tower::ServiceExt as _;

use crate::{
    logged::logged,
    support::{Photos, Upload, World},
};

scopes! { Holidays = "holidays", "See your holidays"; }

async fn get_with(world: &World, path: &str, headers: &[(&str, &str)]) -> (u16, String, String) {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = world.send(request.body(Body::empty()).unwrap()).await;
    (answer.status(), answer.header("www-authenticate").to_owned(), answer.text().to_owned())
}

#[tokio::test]
async fn a_caller_is_told_what_is_missing_in_the_words_of_rfc_6750() {
    let world = World::new().await;
    let tokens = world.tokens("ada").await;
    let bearer = format!("Bearer {}", tokens.access);
    let realm = r#"realm="https://id.example""#;

    let (status, challenge, _) = get_with(&world, "/api/photos", &[]).await;
    assert_eq!((status, challenge), (401, format!(r#"Bearer {realm}, scope="photos:read""#)));

    for bad in ["Bearer nonsense", "Bearer a b", "Bearer", "Bearer \u{e9}"] {
        let (status, challenge, _) =
            get_with(&world, "/api/photos", &[("authorization", bad)]).await;
        assert_eq!(status, 401, "{bad}");
        assert!(challenge.contains(r#"error="invalid_token""#), "{bad}: {challenge}");
    }
    let basic = [("authorization", "Basic YTpi")];
    let (status, challenge, _) = get_with(&world, "/api/photos", &basic).await;
    assert_eq!((status, challenge.contains("error=")), (401, false), "no bearer token came");

    let two = [("authorization", &*bearer), ("authorization", "Bearer other")];
    let (status, challenge, _) = get_with(&world, "/api/photos", &two).await;
    assert_eq!((status, challenge.contains(r#"error="invalid_request""#)), (400, true));
    let path = format!("/api/photos?access_token={}", tokens.access);
    let one = [("authorization", &*bearer)];
    assert_eq!(get_with(&world, &path, &one).await.0, 400, "header and query");
    assert_eq!(get_with(&world, &path, &[]).await.0, 401, "a token in a query is not looked at");

    let lower = format!("bearer {}", tokens.access);
    assert_eq!(get_with(&world, "/api/photos", &[("authorization", &lower)]).await.0, 200);
    world.clock.advance(Duration::from_secs(3600));
    let (status, challenge, _) = get_with(&world, "/api/photos", &one).await;
    assert_eq!((status, challenge.contains("invalid_token")), (401, true));
    assert!(challenge.contains("expired"));
}

#[tokio::test]
async fn too_little_scope_is_forbidden_and_names_what_is_needed() {
    let world = World::new().await;
    let refresh = world.tokens("ada").await.refresh.unwrap();
    let scope = Some(Scopes::parse("photos:write").unwrap());
    let asked =
        TokenRequest::RefreshToken { refresh_token: &refresh, scope, resource: Resources::EMPTY };
    let access = world.token(&world.auth(), &asked).await.tokens().access;
    let bearer = format!("Bearer {access}");
    let headers = [("authorization", &*bearer)];
    let ((status, challenge, _), told) = logged(get_with(&world, "/api/photos", &headers)).await;
    let line = format!(
        "client=\"{}\" parameter=\"scope\" value=\"photos:write\" needed=\"photos:read\"",
        world.client.id
    );
    assert!(told.contains(&line), "{told}");
    assert_eq!(status, 403);
    assert!(challenge.contains(r#"error="insufficient_scope""#), "{challenge}");
    assert!(challenge.contains(r#"scope="photos:read""#), "{challenge}");
}

#[tokio::test]
async fn an_optional_token_may_be_missing_and_must_not_be_bad() {
    let world = World::new().await;
    assert_eq!(get_with(&world, "/api/any", &[]).await, (200, String::new(), "None".into()));
    let bad = [("authorization", "Bearer nonsense")];
    assert_eq!(get_with(&world, "/api/any", &bad).await.0, 401);
    let good = format!("Bearer {}", world.tokens("ada").await.access);
    let (status, _, text) = get_with(&world, "/api/any", &[("authorization", &good)]).await;
    assert_eq!(status, 200);
    assert!(text.starts_with("Some(Access") && text.contains("User(\"ada\")"), "{text}");
}

#[tokio::test]
async fn requirements_are_all_of_a_tuple_or_any_of_one() {
    let world = World::new().await;
    let refresh = world.tokens("ada").await.refresh.unwrap();
    let scope = Some(Scopes::parse("photos:write").unwrap());
    let asked =
        TokenRequest::RefreshToken { refresh_token: &refresh, scope, resource: Resources::EMPTY };
    let access = world.token(&world.auth(), &asked).await.tokens().access;
    let app = Router::new()
        .route("/all", get(|_: Access<(Photos, Upload)>| async {}))
        .route("/one", get(|_: Access<Any<(Photos, Upload)>>| async {}))
        .route("/upload-and-one", get(|_: Access<(Upload, Any<(Photos, Upload)>)>| async {}))
        .route("/photos-and-one", get(|_: Access<(Photos, Any<(Photos, Upload)>)>| async {}))
        .route("/one-or-both", get(|_: Access<Any<(Upload, (Photos, Upload))>>| async {}))
        .route("/none", get(|_: Access<()>| async {}));
    let app: Router = world.server.attach(app);
    let answer = async |path, header: Option<String>| {
        let request = Request::get(path);
        let request = header.into_iter().fold(request, |to, it| to.header("authorization", it));
        let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let challenge = response.headers().get("www-authenticate");
        let challenge = challenge.map_or("", |value| value.to_str().unwrap());
        let scope = challenge.split_once("scope=\"").and_then(|(_, rest)| rest.split('"').next());
        (response.status().as_u16(), scope.map(str::to_owned))
    };
    // The challenge names one way to meet the whole requirement.
    for (path, without_a_token, with_the_scope_to_write) in [
        ("/all", (401, Some("photos:read photos:write")), (403, Some("photos:read photos:write"))),
        ("/one", (401, Some("photos:read")), (200, None)),
        ("/upload-and-one", (401, Some("photos:write photos:read")), (200, None)),
        ("/photos-and-one", (401, Some("photos:read")), (403, Some("photos:read"))),
        ("/one-or-both", (401, Some("photos:write")), (200, None)),
        ("/none", (401, None), (200, None)),
    ] {
        for (header, (status, scope)) in
            [(None, without_a_token), (Some(format!("Bearer {access}")), with_the_scope_to_write)]
        {
            let must_be = (status, scope.map(str::to_owned));
            assert_eq!(answer(path, header).await, must_be, "{path}");
        }
    }
}

#[tokio::test]
async fn scopes_known_at_run_time_are_required_in_the_words_of_rfc_6750_too() {
    async fn album(
        UrlPath(album): UrlPath<String>,
        access: Access<Photos>,
    ) -> Result<String, Refused> {
        access.require(&Scopes::of([&*format!("photos:{album}")]))?;
        Ok(album)
    }
    let world = World::new().await;
    let app: Router = world.server.attach(Router::new().route("/albums/{album}", get(album)));
    let token = world.tokens("ada").await.access;
    for (album, status) in [("read", 200), ("write", 200), ("holidays", 403)] {
        let request = Request::get(format!("/albums/{album}"));
        let request = request.header("authorization", format!("Bearer {token}"));
        let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), status, "{album}");
        if status == 403 {
            let challenge = response.headers()["www-authenticate"].to_str().unwrap();
            let needed = r#"scope="photos:read photos:holidays""#;
            assert!(challenge.contains(needed), "{challenge}");
            assert!(challenge.contains(r#"error="insufficient_scope""#), "{challenge}");
        }
    }
}

#[tokio::test]
async fn the_application_has_its_own_page_for_refusals() {
    fn page(refused: &Refused) -> http::Response<Bytes> {
        let json = serde_json::json!({
            "problem": refused.error().to_string(),
            "needs": refused.required().as_str(),
        });
        http::Response::builder()
            .status(200)
            .header("content-type", "application/problem+json")
            .header("www-authenticate", "Basic")
            .header("cache-control", "public")
            .header("x-request-id", "7")
            .body(json.to_string().into())
            .unwrap()
    }
    let world = World::new().await;
    let server = world.server.clone().refusal_page(page);
    let handler = || get(|_: Access<(Photos, Holidays)>| async {});
    let lazy: Router = server.attach(Router::new().route("/", handler()));
    let eager = Router::new().route("/", handler()).layer(Guard::new(&server));
    let bare = world.server.attach(Router::new().route("/", handler()));
    let token = format!("Bearer {}", world.tokens("ada").await.access);
    for (app, has_page) in [(lazy, true), (eager, true), (bare, false)] {
        for (token, status) in [("Bearer no", 401), (&*token, 403), ("", 401)] {
            let mut request = Request::get("/");
            if !token.is_empty() {
                request = request.header("authorization", token);
            }
            let request = request.body(Body::empty()).unwrap();
            let response = app.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), status, "the status is the guard's");
            let headers = response.headers().clone();
            let challenge = headers["www-authenticate"].to_str().unwrap();
            assert!(challenge.starts_with("Bearer realm="), "{challenge}");
            assert_eq!(headers.get_all("www-authenticate").iter().count(), 1);
            assert_eq!(headers["cache-control"], "no-store");
            assert_eq!(headers.contains_key("x-request-id"), has_page);
            let body = axum::body::to_bytes(response.into_body(), 1 << 16).await.unwrap();
            if has_page {
                assert_eq!(headers["content-type"], "application/problem+json");
                let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
                assert_eq!(json["needs"], "photos:read holidays");
            } else {
                assert!(body.is_empty());
            }
        }
    }
}

#[tokio::test]
async fn a_guard_of_its_own_protects_an_api_at_other_origins() {
    let world = World::new().await;
    let guard =
        Guard::new(&world.server).origins(["https://api.example", "https://api.example:8443"]);
    let app: Router = Router::new()
        .route("/", get(|access: Access<Photos>| async move { access.user().unwrap().to_string() }))
        .layer(guard.clone());
    let ask = |host: &'static str, token: Option<String>| {
        let app = app.clone();
        async move {
            let mut request = Request::get("/").header("host", host);
            if let Some(token) = token {
                request = request.header("authorization", format!("Bearer {token}"));
            }
            let response = app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
            let challenge = response.headers().get("www-authenticate");
            let challenge = challenge.map_or("", |value| value.to_str().unwrap()).to_owned();
            (response.status().as_u16(), challenge)
        }
    };
    let token = world.tokens("ada").await.access;
    assert_eq!(ask("api.example", Some(token.clone())).await.0, 200);
    let realm = |challenge: String| challenge.split('"').nth(1).unwrap().to_owned();
    assert_eq!(realm(ask("api.example:8443", None).await.1), "https://api.example:8443");
    assert_eq!(realm(ask("evil.example", None).await.1), "https://api.example");

    let (mut parts, ()) = Request::get("/anything").body(()).unwrap().into_parts();
    assert!(guard.check(&parts, b"").await.unwrap().is_none());
    parts.headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
    assert!(guard.check(&parts, b"").await.unwrap().is_some());
    world.server.revoke_token(&token.as_str().into()).await.unwrap();
    assert_eq!(guard.check(&parts, b"").await.unwrap_err(), AccessError::Unknown);
}

#[tokio::test]
async fn a_forgotten_layer_is_the_operators_fault_and_lets_nobody_in() {
    let app: Router = Router::new().route("/", get(|_: Option<Access>| async {}));
    let response = app.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), 500);
}
