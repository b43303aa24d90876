//! Signed requests at an API that has no store, and shows them to the issuer.

use std::time::Duration;

use axum::{
    Router,
    body::Body,
    routing::{get, post},
};
use bytes::Bytes;
use http::Request;
use quadrille::{
    Secret,
    guard::{Access, Guard, Introspection},
    oauth1::{Credentials, Forwarded, Placement, RsaSigningKey, SignatureMethod, Signer},
    oauth2::{ClientAuth, IntrospectionRequest, Resources},
    provider::{NewClient, oauth1::NewKey},
};
use serde_json::json;
use tower::ServiceExt as _;

use crate::{
    elsewhere::{ENDPOINT, Line, Way},
    oauth1_support::{SECRET, Signing, client, offered, problem, to_server, world, world_with},
    support::{API, Answer, Photos, World},
};

const FORM: &str = "title=Caf%C3%A9+%26+cake&a=1&a=&a=%2B&b";

/// An API, its line to the issuer, and a client with token credentials.
struct Elsewhere {
    world: World,
    app: Router,
    line: Line,
    signing: Signing,
    token: Credentials,
}

async fn registered(world: &World, apis: &[&str]) -> ClientAuth {
    let resources = Resources::of(apis.iter().copied()).unwrap();
    let new = NewClient::confidential("API").resource_server(resources);
    let registered = world.server.register(new).await.unwrap();
    let client_id = (*registered.client.id).into();
    ClientAuth::Basic { client_id, client_secret: registered.secret.unwrap() }
}

fn trust(world: &World, auth: ClientAuth) -> (Introspection, Line) {
    let line = Line::to(world);
    let trust = Introspection::new("https://id.example", ENDPOINT, auth).unwrap();
    (trust.env(world.env.clone()).http(line.clone()), line)
}

fn api(guard: Guard) -> Router {
    let routes = Router::new()
        .route("/form", post(|_: Access<Photos>, body: Bytes| async { body }))
        .route("/json", post(|_: Access<Photos>, body: Bytes| async { body }))
        .route("/who", get(|access: Access| async move { format!("{:?}", access.actor()) }));
    Router::new().nest("/v1", routes).layer(guard)
}

impl Elsewhere {
    async fn new() -> Self {
        Self::of(world().await).await
    }

    async fn of(world: World) -> Self {
        let (trust, line) = trust(&world, registered(&world, &[]).await);
        let app = api(Guard::elsewhere(API, trust.signed_requests()));
        let signing = Signing::new(&world);
        let token = signing.linked(&world, "ada").await;
        Self { signing: signing.with(&token), world, app, line, token }
    }

    fn get(&self, target: &str) -> Request<Body> {
        self.signing.at(&self.world, API, "GET", target, None, &[])
    }

    fn json(&self, signer: &Signer) -> Request<Body> {
        let request = Request::post(format!("{API}/v1/json"));
        let request = request.header("content-type", "application/json");
        let request = request.body(Bytes::from_static(b"{\"a\":1}")).unwrap();
        to_server(signer.sign(&self.world.env, request, &[]).unwrap(), API)
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        send(&self.app, request).await
    }
}

async fn send(app: &Router, request: Request<Body>) -> Answer {
    let response = app.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    Answer::of(http::Response::from_parts(parts, body))
}

/// The same request once more, or with another body.
fn twice(request: Request<Body>, other: &str) -> [Request<Body>; 2] {
    let (parts, body) = request.into_parts();
    let changed = Request::from_parts(parts.clone(), Body::from(other.to_owned()));
    [Request::from_parts(parts, body), changed]
}

#[tokio::test]
async fn signed_requests_of_every_kind_are_let_in_once() {
    let elsewhere = Elsewhere::new().await;
    let world = &elsewhere.world;
    for method in
        [SignatureMethod::HmacSha1, SignatureMethod::HmacSha256, SignatureMethod::HmacSha512]
    {
        for placement in [Placement::Header, Placement::Query, Placement::Body] {
            let what = format!("{method:?} {placement:?}");
            let signing = Signing::by(world, method, SECRET).with(&elsewhere.token);
            let signing = signing.placed(placement);
            let form = signing.at(world, API, "POST", "/v1/form?q=%20+&%C3%BC", Some(FORM), &[]);
            let (parts, body) = form.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            let form = || Request::from_parts(parts.clone(), Body::from(body.clone()));
            let answer = elsewhere.send(form()).await;
            assert_eq!(answer.text(), std::str::from_utf8(&body).unwrap(), "{what}");
            let again = elsewhere.send(form()).await;
            assert_eq!((again.status(), problem(&again)), (401, "nonce_used".into()), "{what}");
            if placement != Placement::Body {
                let who = signing.at(world, API, "GET", "/v1/who?a=1&a=", None, &[]);
                assert_eq!(elsewhere.send(who).await.text(), "User(\"ada\")", "{what}");
                let json = elsewhere.send(elsewhere.json(&signing.signer)).await;
                assert_eq!(json.text(), "{\"a\":1}", "{what}");
            }
        }
    }
}

#[tokio::test]
async fn so_are_those_that_a_key_signed() {
    let rsa = |new: NewClient| {
        let key = include_str!("oauth1_rsa_public.pem").to_owned();
        new.oauth1(NewKey::RsaPublicKey(key))
    };
    let world = world_with(offered(), rsa).await;
    let key = RsaSigningKey::from_pem(include_str!("oauth1_rsa_key.pem")).unwrap();
    let signer = Signer::rsa(SignatureMethod::RsaSha256, &world.client.id, &key).unwrap();
    let signing = Signing { signer };
    let token = signing.linked(&world, "ada").await;
    let (trust, _) = trust(&world, registered(&world, &[]).await);
    let app = api(Guard::elsewhere(API, trust.signed_requests()));
    let request = signing.with(&token).at(&world, API, "GET", "/v1/who", None, &[]);
    assert_eq!(send(&app, request).await.text(), "User(\"ada\")");
}

#[tokio::test]
async fn changed_ones_are_refused_and_use_nothing_up() {
    let elsewhere = Elsewhere::new().await;
    let world = &elsewhere.world;
    let form = elsewhere.signing.at(world, API, "POST", "/v1/form", Some(FORM), &[]);
    let [form, changed] = twice(form, &FORM.replace("a=1", "a=2"));
    let answer = elsewhere.send(changed).await;
    assert_eq!((answer.status(), problem(&answer)), (401, "signature_invalid".into()));
    assert_eq!(elsewhere.send(form).await.text(), FORM);

    let [json, changed] = twice(elsewhere.json(&elsewhere.signing.signer), "{\"a\":2}");
    let asked = elsewhere.line.asked_about_signed();
    assert_eq!(asked, 2);
    let answer = elsewhere.send(changed).await;
    assert_eq!((answer.status(), problem(&answer)), (401, "signature_invalid".into()));
    assert_eq!(elsewhere.line.asked_about_signed(), asked, "which needs no question");
    assert_eq!(elsewhere.send(json).await.status(), 200);

    let [who, mut changed] = twice(elsewhere.get("/v1/who?a=1"), "");
    *changed.uri_mut() = "/v1/who?a=2".parse().unwrap();
    assert_eq!(problem(&elsewhere.send(changed).await), "signature_invalid");
    assert_eq!(elsewhere.send(who).await.status(), 200);

    let other = elsewhere.signing.at(world, "https://other.example", "GET", "/v1/who", None, &[]);
    assert_eq!(problem(&elsewhere.send(other).await), "signature_invalid", "another origin");
    let late = elsewhere.get("/v1/who");
    world.clock.advance(Duration::from_secs(301));
    assert_eq!(problem(&elsewhere.send(late).await), "timestamp_refused");
}

#[tokio::test]
async fn a_token_that_is_revoked_or_missing_is_noticed_at_once() {
    let elsewhere = Elsewhere::new().await;
    let world = &elsewhere.world;
    assert_eq!(elsewhere.send(elsewhere.get("/v1/who")).await.status(), 200);
    world.server.revoke_consent("ada", &world.client.id).await.unwrap();
    let answer = elsewhere.send(elsewhere.get("/v1/who")).await;
    assert_eq!((answer.status(), problem(&answer)), (401, "token_rejected".into()));
    let alone = Signing::new(world).at(world, API, "GET", "/v1/who", None, &[]);
    let answer = elsewhere.send(alone).await;
    assert_eq!((answer.status(), problem(&answer)), (400, "parameter_absent".into()));
}

#[tokio::test]
async fn a_client_signs_for_itself_where_the_api_says_so() {
    use quadrille::provider::GrantType::{AuthorizationCode, ClientCredentials};
    let machine = |new: NewClient| client(new).grant_types([AuthorizationCode, ClientCredentials]);
    for (change, is_machine) in [(machine as fn(NewClient) -> NewClient, true), (client, false)] {
        let world = world_with(offered(), change).await;
        let (trust, line) = trust(&world, registered(&world, &[]).await);
        let guard = Guard::elsewhere(API, trust.signed_requests());
        let who = |signing: &Signing| signing.at(&world, API, "GET", "/v1/who", None, &[]);
        let signing = Signing::new(&world);

        let answer = send(&api(guard.clone()), who(&signing)).await;
        assert_eq!((answer.status(), problem(&answer)), (400, "parameter_absent".into()));
        assert_eq!(line.asked_about_signed(), 0);

        let app = api(guard.allow_clients_that_sign_for_themselves_without_a_token());
        let [request, again] = twice(who(&signing), "");
        let answer = send(&app, request).await;
        if !is_machine {
            assert_eq!((answer.status(), problem(&answer)), (403, "permission_denied".into()));
            continue;
        }
        assert_eq!(answer.text(), format!("Client({:?})", world.client.id));
        let answer = send(&app, again).await;
        assert_eq!((answer.status(), problem(&answer)), (401, "nonce_used".into()));
        let forger = Signing::by(&world, SignatureMethod::HmacSha256, "a guess");
        let answer = send(&app, who(&forger)).await;
        assert_eq!((answer.status(), problem(&answer)), (401, "signature_invalid".into()));
        // With a token it acts for the user, as everywhere.
        let token = signing.linked(&world, "ada").await;
        assert_eq!(send(&app, who(&signing.with(&token))).await.text(), "User(\"ada\")");
    }
}

#[tokio::test]
async fn bearer_tokens_are_taken_beside_and_identifiers_are_none() {
    let elsewhere = Elsewhere::new().await;
    let world = &elsewhere.world;
    let bearer = async |token: &str| {
        let request = Request::get("/v1/who").header("authorization", format!("Bearer {token}"));
        elsewhere.send(request.body(Body::empty()).unwrap()).await
    };
    let tokens = world.tokens("ada").await;
    assert_eq!(bearer(&tokens.access).await.text(), "User(\"ada\")");
    assert_eq!(bearer(&elsewhere.token.token).await.status(), 401);
    let nothing = elsewhere.send(Request::get("/v1/who").body(Body::empty()).unwrap()).await;
    assert_eq!(nothing.headers().get_all("www-authenticate").iter().count(), 2);
}

#[tokio::test]
async fn a_guard_that_is_not_told_to_takes_none() {
    let world = world().await;
    let token = Signing::new(&world).linked(&world, "ada").await;
    let (trust, line) = trust(&world, registered(&world, &[]).await);
    let app = api(Guard::elsewhere(API, trust));
    let request = Signing::new(&world).with(&token).at(&world, API, "GET", "/v1/who", None, &[]);
    let answer = send(&app, request).await;
    assert_eq!((answer.status(), line.asked()), (401, 0));
    assert_eq!(answer.headers().get_all("www-authenticate").iter().count(), 1);
}

#[tokio::test]
async fn without_the_issuers_word_nothing_is_let_in() {
    let elsewhere = Elsewhere::new().await;
    for (way, status) in [
        (Way::Broken, 503),
        (Way::Answers(500, ""), 503),
        (Way::Answers(200, "<html>"), 503),
        (Way::Answers(200, r#"{"active":false}"#), 401),
        // One that knows tokens only took the identifier for a token.
        (Way::Answers(200, r#"{"active":true,"token_type":"Bearer","sub":"eve"}"#), 401),
        (Way::Answers(200, r#"{"active":true,"client_id":"a","sub":"eve"}"#), 401),
    ] {
        elsewhere.line.set(way);
        assert_eq!(elsewhere.send(elsewhere.get("/v1/who")).await.status(), status);
    }
    elsewhere.line.set(Way::Open);
    let long = format!("x={}", "%C3%BC".repeat(8_000));
    let long = elsewhere.signing.at(&elsewhere.world, API, "POST", "/v1/form", Some(&long), &[]);
    assert_eq!(elsewhere.send(long).await.status(), 413);
    let bearable = format!("x={}", "%C3%BC".repeat(20 * 1024 / 6));
    let world = &elsewhere.world;
    let bearable = elsewhere.signing.at(world, API, "POST", "/v1/form", Some(&bearable), &[]);
    assert_eq!(elsewhere.send(bearable).await.status(), 200);
}

/// Asks the issuer about `request`, as who has these credentials.
async fn ask(
    world: &World,
    auth: &ClientAuth,
    token: &str,
    request: &http::request::Parts,
) -> serde_json::Value {
    let forwarded = Forwarded::of(request, API, b"").unwrap();
    let asked = IntrospectionRequest { token, token_type_hint: None };
    let asked = asked.to_request(ENDPOINT, auth, &forwarded.parameters()).unwrap();
    let answer = world.send(asked.map(Body::from)).await;
    assert_eq!(answer.status(), 200, "{answer:?}");
    answer.json()
}

#[tokio::test]
async fn the_issuer_answers_apis_for_which_the_token_is_meant_and_nobody_else() {
    let elsewhere = Elsewhere::of(world_with(offered(), client).await).await;
    let (world, token) = (&elsewhere.world, &elsewhere.token);
    let (parts, _) = elsewhere.get("/v1/who").into_parts();
    let inactive = json!({ "active": false });
    let of_one_api = registered(world, &[API]).await;
    assert_eq!(ask(world, &of_one_api, &token.token, &parts).await, inactive);
    assert_eq!(ask(world, &world.auth(), &token.token, &parts).await, inactive, "a client");

    let api = registered(world, &[]).await;
    let other = ask(world, &api, "another-token", &parts).await;
    assert_eq!(other, json!({ "active": false, "oauth_problem": "token_rejected" }));

    let mut told = ask(world, &api, &token.token, &parts).await;
    let told = told.as_object_mut().unwrap();
    assert!(told.remove("iat").is_some() && told.remove("auth_time").is_some());
    let expected = json!({
        "active": true,
        "token_type": "oauth1",
        "iss": "https://id.example",
        "client_id": &*world.client.id,
        "sub": "ada",
        "scope": "photos:read photos:write",
    });
    assert_eq!(serde_json::Value::from(told.clone()), expected, "no end, and no secret");
    let again = ask(world, &api, &token.token, &parts).await;
    assert_eq!(again, json!({ "active": false, "oauth_problem": "nonce_used" }));
}

#[tokio::test]
async fn a_token_with_an_end_has_it_told() {
    let hour = Duration::from_secs(3600);
    let elsewhere = Elsewhere::of(world_with(offered().token_lifetime(hour), client).await).await;
    let world = &elsewhere.world;
    let api = registered(world, &[]).await;
    let (parts, _) = elsewhere.get("/v1/who").into_parts();
    let told = ask(world, &api, &elsewhere.token.token, &parts).await;
    assert_eq!(told["exp"], (world.env.now() + hour).seconds());
    world.clock.advance(hour);
    let answer = elsewhere.send(elsewhere.get("/v1/who")).await;
    assert_eq!(problem(&answer), "token_expired");
}

#[tokio::test]
async fn half_a_question_is_none_and_a_server_without_oauth1_knows_no_request() {
    let world = world().await;
    let api = registered(&world, &[]).await;
    let asked = IntrospectionRequest { token: "x", token_type_hint: None };
    let extra = [("request_method", "GET")];
    let asked = asked.to_request(ENDPOINT, &api, &extra).unwrap();
    let answer = world.send(asked.map(Body::from)).await;
    assert_eq!((answer.status(), answer.error()), (400, "invalid_request".to_owned()));

    let plain = World::new().await;
    let bearer = plain.tokens("ada").await.access;
    let signer = Signer::hmac(SignatureMethod::HmacSha256, "c", &Secret::from("s")).unwrap();
    let request = Request::get(format!("{API}/v1/who")).body(Bytes::new()).unwrap();
    let signed = signer.token(&bearer, &"".into()).sign(&plain.env, request, &[]).unwrap();
    let (parts, _) = to_server(signed, API).into_parts();
    let api = registered(&plain, &[]).await;
    assert_eq!(ask(&plain, &api, &bearer, &parts).await, json!({ "active": false }));
}
