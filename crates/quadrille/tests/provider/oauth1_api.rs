//! Signed requests at an API, beside bearer tokens.

use axum::{
    Router,
    body::Body,
    extract::RawForm,
    routing::{get, post},
};
use bytes::Bytes;
use http::Request;
use quadrille::{
    guard::{Access, Guard},
    oauth1::{Placement, SignatureMethod, Signer},
    provider::NewClient,
};
use tower::ServiceExt as _;

use crate::{
    oauth1_support::{
        SECRET, Signing, approve, client, credentials, offered, problem, to_server, world,
        world_with,
    },
    support::{Answer, CALLBACK, ISSUER, Photos, World},
};

const FORM: &str = "title=Caf%C3%A9+%26+cake&a=1&a=&a=%2B&b";

/// Echoes what a handler gets.
async fn echo(_: Access<Photos>, RawForm(body): RawForm) -> Bytes {
    body
}

fn api<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/api/form", post(echo))
        .route("/api/raw", post(|_: Access<Photos>, body: String| async move { body }))
        .route("/api/who", get(|access: Access| async move { format!("{:?}", access.actor()) }))
        .nest("/api/v1", Router::new().route("/nested", get(|_: Access| async { "deep" })))
}

async fn send(app: &Router, request: Request<Body>) -> Answer {
    let response = app.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    Answer::of(http::Response::from_parts(parts, body))
}

/// With `attach`, and behind a guard of its own.
fn both(world: &World) -> [Router; 2] {
    let guard = Guard::new(&world.server);
    [world.server.attach(api()), api().layer(guard)]
}

#[tokio::test]
async fn a_signed_request_is_taken_beside_bearer_tokens() {
    let world = world().await;
    let token = Signing::new(&world).linked(&world, "ada").await;
    let answer = Signing::new(&world).with(&token).photos(&world).await;
    assert_eq!(answer.text(), format!("User(\"ada\") by {}", world.client.id));
    let bearer = world.tokens("ada").await;
    assert!(world.is_good(&bearer.access).await);
    assert!(!world.is_good(&token.token).await, "the identifier is no bearer token");
}

#[tokio::test]
async fn forms_are_signed_and_reach_the_handler_whole() {
    let world = world().await;
    let token = Signing::new(&world).linked(&world, "ada").await;
    for app in both(&world) {
        for placement in [Placement::Header, Placement::Query, Placement::Body] {
            let signing = Signing::new(&world).with(&token).placed(placement);
            let request = signing.request(&world, "POST", "/api/form?q=%20", Some(FORM), &[]);
            let answer = send(&app, request).await;
            assert_eq!(answer.status(), 200, "{placement:?} {answer:?}");
            if placement == Placement::Body {
                assert!(answer.text().starts_with(FORM), "{}", answer.text());
            } else {
                assert_eq!(answer.text(), FORM);
            }
            let request = signing.request(&world, "POST", "/api/form", Some(FORM), &[]);
            let changed = request.map(|_| Body::from(FORM.replace("a=1", "a=2")));
            if placement != Placement::Body {
                let answer = send(&app, changed).await;
                assert_eq!((answer.status(), problem(&answer)), (401, "signature_invalid".into()));
            }
        }
    }
}

#[tokio::test]
async fn a_form_that_is_too_long_is_refused_signed_and_left_alone_otherwise() {
    let world = world().await;
    let signing = Signing::new(&world).with(&Signing::new(&world).linked(&world, "ada").await);
    let long = format!("x={}", "y".repeat(70_000));
    let bearer = world.tokens("ada").await.access;
    for app in both(&world) {
        let request = signing.request(&world, "POST", "/api/form", Some("x=y"), &[]);
        let request = request.map(|_| Body::from(long.clone()));
        assert_eq!(send(&app, request).await.status(), 413);
        let unsigned = |name: &str, value: &str| {
            Request::post("/api/form")
                .header("content-type", "application/x-www-form-urlencoded")
                .header(name, value)
                .body(Body::from(long.clone()))
                .unwrap()
        };
        let answer = send(&app, unsigned("authorization", &format!("Bearer {bearer}"))).await;
        assert_eq!(answer.text(), long);
        assert_eq!(send(&app, unsigned("x-nothing", "")).await.status(), 401);
    }
    let open =
        world.server.attach(Router::new().route("/open", post(|body: String| async { body })));
    let request = Request::post("/open")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(long.clone()))
        .unwrap();
    assert_eq!(send(&open, request).await.text(), long, "what is no API gets it whole");
}

#[tokio::test]
async fn a_body_and_its_hash_must_agree() {
    let world = world().await;
    let token = Signing::new(&world).linked(&world, "ada").await;
    let signer = Signing::new(&world).with(&token).signer;
    for app in both(&world) {
        let json = || {
            let request = Request::post(format!("{ISSUER}/api/raw"));
            let request = request.header("content-type", "application/json");
            let request = request.body(Bytes::from_static(b"{\"a\":1}")).unwrap();
            to_server(signer.sign(&world.env, request, &[]).unwrap(), ISSUER)
        };
        let answer = send(&app, json()).await;
        assert_eq!(answer.text(), "{\"a\":1}");
        let answer = send(&app, json().map(|_| Body::from("{\"a\":2}"))).await;
        assert_eq!((answer.status(), problem(&answer)), (401, "signature_invalid".into()));
    }
}

#[tokio::test]
async fn the_path_is_the_one_that_was_asked_for_also_in_a_nested_router() {
    let world = world().await;
    let token = Signing::new(&world).linked(&world, "ada").await;
    let signing = Signing::new(&world).with(&token);
    for app in both(&world) {
        let request = signing.request(&world, "GET", "/api/v1/nested", None, &[]);
        assert_eq!(send(&app, request).await.text(), "deep");
    }
}

#[tokio::test]
async fn the_origin_is_one_of_the_apis_own_whatever_a_proxy_made_of_the_host() {
    let world = world().await;
    let token = Signing::new(&world).linked(&world, "ada").await;
    let signing = Signing::new(&world).with(&token);
    let origins = ["https://api.example", "https://api.example:8443", "http://127.0.0.1:8080"];
    let app: Router = api().layer(Guard::new(&world.server).origins(origins));
    let ask = async |signed_for: &str, host: &str| {
        let mut request = signing.at(&world, signed_for, "GET", "/api/who", None, &[]);
        request.headers_mut().insert("host", host.parse().unwrap());
        send(&app, request).await.status()
    };
    for (signed_for, host, status) in [
        ("https://api.example", "api.example", 200),
        ("https://api.example", "API.Example:443", 200),
        ("https://api.example:443", "api.example", 200),
        ("https://api.example:8443", "api.example:8443", 200),
        ("http://127.0.0.1:8080", "127.0.0.1:8080", 200),
        ("https://api.example", "backend.internal:3000", 200),
        ("https://evil.example", "evil.example", 401),
        ("https://api.example:8443", "api.example", 401),
        ("http://api.example", "api.example", 401),
    ] {
        assert_eq!(ask(signed_for, host).await, status, "{signed_for} at {host}");
    }
}

#[tokio::test]
async fn what_lacks_a_scope_is_forbidden() {
    let world = world().await;
    let signing = Signing::new(&world);
    let further = [("oauth_callback", CALLBACK), ("scope", "photos:write")];
    let temporary = credentials(&signing.temporary(&world, &further).await);
    let verifier = approve(&world, &temporary).await;
    let token = credentials(&signing.token(&world, &temporary, &verifier).await);
    let answer = signing.with(&token).photos(&world).await;
    assert_eq!(answer.status(), 403);
    assert!(answer.header("www-authenticate").contains("insufficient_scope"));
}

#[tokio::test]
async fn a_refusal_names_both_ways_to_come_again() {
    let world = world().await;
    let challenges = |answer: &Answer| {
        let all = answer.headers().get_all("www-authenticate").iter();
        all.map(|value| value.to_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let nothing = world.request("GET", "/api/photos", "text/plain", "").await;
    assert_eq!(
        challenges(&nothing),
        [
            r#"Bearer realm="https://id.example", scope="photos:read""#,
            r#"OAuth realm="https://id.example""#
        ]
    );
    let bad = world.photos("no-token").await;
    assert!(challenges(&bad)[0].contains("invalid_token"));
    assert_eq!(challenges(&bad)[1], r#"OAuth realm="https://id.example""#);
    let signed = Signing::by(&world, SignatureMethod::HmacSha256, "a wrong secret");
    let signed = signed.photos(&world).await;
    assert_eq!(
        challenges(&signed),
        [
            r#"OAuth realm="https://id.example", oauth_problem="signature_invalid""#,
            r#"Bearer realm="https://id.example""#
        ]
    );
}

#[tokio::test]
async fn without_a_token_a_client_acts_for_itself_only_where_the_api_says_so() {
    let machine = |new: NewClient| {
        use quadrille::provider::GrantType::{AuthorizationCode, ClientCredentials};
        client(new).grant_types([AuthorizationCode, ClientCredentials])
    };
    let world = world_with(offered(), machine).await;
    let signing = Signing::new(&world);
    let answer = signing.photos(&world).await;
    assert_eq!((answer.status(), problem(&answer)), (400, "parameter_absent".into()));

    let guard = Guard::new(&world.server);
    let app: Router = api().layer(guard.allow_clients_that_sign_for_themselves_without_a_token());
    let answer = send(&app, signing.request(&world, "GET", "/api/who", None, &[])).await;
    assert_eq!(answer.text(), format!("Client({:?})", world.client.id));

    let other = world_with(offered(), client).await;
    let guard = Guard::new(&other.server);
    let app: Router = api().layer(guard.allow_clients_that_sign_for_themselves_without_a_token());
    let request = Signing::new(&other).request(&other, "GET", "/api/who", None, &[]);
    let answer = send(&app, request).await;
    assert_eq!((answer.status(), problem(&answer)), (403, "permission_denied".into()));
}

#[tokio::test]
async fn token_credentials_are_good_until_somebody_ends_them() {
    let world = world().await;
    let token = Signing::new(&world).linked(&world, "ada").await;
    let signing = Signing::new(&world).with(&token);
    world.clock.advance(std::time::Duration::from_secs(10 * 365 * 24 * 3600));
    assert_eq!(signing.photos(&world).await.status(), 200);
    world.server.revoke_consent("ada", &world.client.id).await.unwrap();
    let answer = signing.photos(&world).await;
    assert_eq!((answer.status(), problem(&answer)), (401, "token_rejected".into()));

    world.clock.advance(std::time::Duration::from_secs(1));
    let token = Signing::new(&world).linked(&world, "ada").await;
    assert!(world.server.revoke_token(&token.token.as_str().into()).await.unwrap());
    assert!(!world.server.revoke_token(&token.token.as_str().into()).await.unwrap());
    let answer = Signing::new(&world).with(&token).photos(&world).await;
    assert_eq!(problem(&answer), "token_rejected");
}

#[tokio::test]
async fn a_client_ends_its_own_tokens_with_a_signed_request() {
    let world = world().await;
    let signing = Signing::new(&world);
    let revoke = async |signing: &Signing, form: Option<&str>| {
        world.send(signing.request(&world, "POST", "/oauth/revoke", form, &[])).await.status()
    };
    let is_good = async |token| signing.with(token).photos(&world).await.status() == 200;

    let token = signing.linked(&world, "ada").await;
    assert_eq!(revoke(&signing.with(&token), None).await, 200);
    assert!(!is_good(&token).await);
    let token = signing.linked(&world, "ada").await;
    let form = format!("token={}", token.token);
    let other = Signer::hmac(SignatureMethod::HmacSha256, "stranger", &SECRET.into()).unwrap();
    assert_eq!(revoke(&Signing { signer: other }, Some(&form)).await, 401);
    assert!(is_good(&token).await);
    assert_eq!(revoke(&signing, Some(&form)).await, 200);
    assert!(!is_good(&token).await);
    assert_eq!(revoke(&signing, Some("token=unknown")).await, 200);
    assert_eq!(revoke(&signing, None).await, 400);

    let token = signing.linked(&world, "ada").await;
    let form = format!(
        "token={}&client_id={}&client_secret={}",
        token.token, world.client.id, world.secret
    );
    let answer = world.request("POST", "/oauth/revoke", "application/x-www-form-urlencoded", &form);
    assert_eq!(answer.await.status(), 200, "or as a client of OAuth 2");
    assert!(!is_good(&token).await);
}

#[tokio::test]
async fn token_credentials_may_be_given_an_end() {
    let hour = std::time::Duration::from_secs(3600);
    let world = world_with(offered().token_lifetime(hour), client).await;
    let token = Signing::new(&world).linked(&world, "ada").await;
    assert!(token.extra.contains(&("oauth_expires_in".to_owned(), "3600".to_owned())));
    let signing = Signing::new(&world).with(&token);
    assert_eq!(signing.photos(&world).await.status(), 200);
    world.clock.advance(hour);
    let answer = signing.photos(&world).await;
    assert_eq!((answer.status(), problem(&answer)), (401, "token_expired".into()));
}

#[tokio::test]
async fn keys_are_rotated_without_a_gap() {
    let world = world().await;
    let day = std::time::Duration::from_secs(24 * 3600);
    let token = Signing::new(&world).linked(&world, "ada").await;
    // What a token's last signature was verified with is kept for the next one, and must not
    // outlive the key.
    let old = Signing::new(&world).with(&token);
    for _ in 0..2 {
        assert_eq!(old.photos(&world).await.status(), 200);
    }
    let (server, id) = (&world.server, &world.client.id);
    let new = server.add_oauth1_key(id, quadrille::provider::oauth1::NewKey::Secret, day).await;
    let new = new.unwrap().unwrap();
    let revealed = server.reveal_oauth1_secrets(id).await.unwrap();
    assert_eq!(revealed, [SECRET.into(), new.clone()]);
    let other = Signing::by(&world, SignatureMethod::HmacSha512, new.expose()).with(&token);
    let new = Signing::by(&world, SignatureMethod::HmacSha256, new.expose()).with(&token);
    for signing in [&new, &new, &other, &other, &old, &new, &old, &old] {
        assert_eq!(signing.photos(&world).await.status(), 200);
    }
    let wrong = Signing::by(&world, SignatureMethod::HmacSha256, "not the secret").with(&token);
    assert_eq!(problem(&wrong.photos(&world).await), "signature_invalid");
    world.clock.advance(day);
    let answer = old.photos(&world).await;
    assert_eq!(problem(&answer), "signature_invalid");
    assert_eq!(new.photos(&world).await.status(), 200);
}
