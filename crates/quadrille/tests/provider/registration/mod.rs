//! Clients that register themselves (RFC 7591), and manage their registration (RFC 7592).

mod managing;
mod races;
mod room;
mod statements;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::body::Body;
use http::{Method, Request, Response};
use quadrille::{
    Policy, RemoteAddress, Scopes, Secret, Timestamp,
    jose::{Algorithm, Claims, KeySet, Protected, SigningKey},
    oauth2::{
        ClientConfiguration, ClientConfigurationRequest, ClientInformation, Resources,
        SecretExpiry, TokenRequest,
    },
    provider::{
        AuthorizationServer, ClientType, DynamicRegistration, FetchError, Fetched, Fetcher,
        GrantType, InitialTokenError, Lifetimes, NewClient, TrustedIssuer, store::SqliteStore,
    },
    testing::ManualClock,
};
use serde_json::{Value, json};
use url::Url;

use crate::{
    races::at_once,
    support::{Answer, Browser, CALLBACK, ISSUER, World},
};

const HOUR: Duration = Duration::from_secs(3600);

fn open() -> DynamicRegistration {
    DynamicRegistration::open_to_anybody_so_that_strangers_add_clients()
}

async fn world(registration: DynamicRegistration) -> World {
    let set = |server: AuthorizationServer| server.dynamic_registration(registration);
    World::set_up(Policy::safe(), |new| new, set).await
}

/// The metadata that an application of the Model Context Protocol sends.
fn public(change: &Value) -> Value {
    let mut metadata = json!({
        "client_name": "Photo app",
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    });
    for (name, value) in change.as_object().unwrap() {
        metadata[name] = value.clone();
    }
    metadata
}

fn post(metadata: &Value, token: Option<&str>, from: u8) -> Request<Body> {
    let request = Request::post("/oauth/register").header("content-type", "application/json");
    let request = match token {
        Some(token) => request.header("authorization", format!("Bearer {token}")),
        None => request,
    };
    let mut request = request.body(Body::from(metadata.to_string())).unwrap();
    request.extensions_mut().insert(RemoteAddress([192, 0, 2, from].into()));
    request
}

async fn register(world: &World, metadata: &Value) -> Answer {
    world.send(post(metadata, None, 1)).await
}

fn information(answer: &Answer) -> ClientInformation {
    assert!(matches!(answer.status(), 200 | 201), "{}", answer.text());
    assert_eq!(answer.header("cache-control"), "no-store");
    let response = Response::new(answer.text().to_owned().into());
    ClientInformation::parse(&response).unwrap()
}

/// From here on the world asks as this client.
fn become_client(world: &mut World, client: &ClientInformation) {
    world.client.id = client.client_id.as_str().into();
    world.client.redirect_uris =
        client.metadata.redirect_uris.iter().map(|uri| uri.parse().unwrap()).collect();
    let secret = client.client_secret.as_ref();
    world.secret = secret.map(|secret| secret.expose().to_owned()).unwrap_or_default();
}

async fn manage(
    world: &World,
    configuration: &ClientConfiguration,
    asked: &ClientConfigurationRequest,
) -> Answer {
    let request = asked.to_request(configuration).unwrap();
    let (mut parts, body) = request.into_parts();
    let path = configuration.registration_client_uri.strip_prefix(ISSUER).unwrap();
    parts.uri = path.parse().unwrap();
    world.send(Request::from_parts(parts, Body::from(body))).await
}

fn update(
    client: &ClientInformation,
    change: impl FnOnce(&mut ClientInformation),
) -> ClientConfigurationRequest {
    let mut client = client.clone();
    change(&mut client);
    ClientConfigurationRequest::Update {
        client_id: client.client_id,
        client_secret: client.client_secret,
        metadata: Box::new(client.metadata),
    }
}

fn assert_refused(answer: &Answer, status: u16, error: &str) {
    assert_eq!((answer.status(), &*answer.error()), (status, error), "{}", answer.text());
    let description = answer.json()["error_description"].as_str().unwrap().to_owned();
    assert!(!description.is_empty() && !description.contains("canary"), "{description}");
}

#[tokio::test]
async fn a_client_registers_itself_and_dances_to_a_refreshed_token() {
    let mut world = world(open()).await;
    let answer = register(&world, &public(&json!({}))).await;
    assert_eq!(answer.status(), 201);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let client = information(&answer);
    assert_eq!(client.client_secret, None);
    assert_eq!(client.client_secret_expires_at, None);
    assert_eq!(client.client_id_issued_at.unwrap().seconds(), world.clock.now().seconds());
    assert_eq!(answer.json()["scope"], "photos:read photos:write", "it named none");
    become_client(&mut world, &client);
    world.sign_in("ada");
    let mut browser = Browser::default();
    let page = world.ask(&mut browser, &world.asking()).await;
    assert!(page.text().contains("client=Photo app\n"), "{}", page.text());
    assert!(page.text().contains("itself at https://app.example\n"), "{}", page.text());
    let code = browser.answer(&world, &page, "decision=all").await.query("code");
    let tokens = world.redeem(&code).await.tokens();
    let tokens = world.refresh(&tokens.refresh.unwrap()).await.tokens();
    assert!(world.is_good(&tokens.access).await);
    // Remembered, as with any client.
    let again = world.ask(&mut Browser::default(), &world.asking()).await;
    assert!(!again.query("code").is_empty());
}

#[tokio::test]
async fn omitted_metadata_have_the_defaults_of_the_rfc() {
    let mut world = world(open()).await;
    let answer = register(&world, &json!({"redirect_uris": [CALLBACK]})).await;
    let client = information(&answer);
    assert_eq!(client.client_secret_expires_at, Some(SecretExpiry::Never));
    let json = answer.json();
    assert_eq!(json["client_secret_expires_at"], 0);
    assert_eq!(json["token_endpoint_auth_method"], "client_secret_basic");
    assert_eq!(json["grant_types"], json!(["authorization_code"]));
    assert_eq!(json["response_types"], json!(["code"]));
    assert_eq!(json["client_name"], "app.example", "users see where the answer goes");
    become_client(&mut world, &client);
    let tokens = world.tokens("ada").await;
    assert!(tokens.refresh.is_none() && world.is_good(&tokens.access).await);
    let stored = world.server.client(&client.client_id).await.unwrap().unwrap();
    assert!(!stored.first_party && !stored.without_pkce);
    assert_eq!(stored.client_type, ClientType::Confidential);
}

#[tokio::test]
async fn members_without_a_use_are_ignored_and_those_kept_are_returned() {
    let world = world(open()).await;
    let kept = json!({
        "client_uri": "https://app.example/",
        "logo_uri": "https://app.example/logo.png",
        "tos_uri": "https://app.example/tos",
        "policy_uri": "https://app.example/policy",
        "contacts": ["ada@app.example"],
        "software_id": "4NRB1-0XZABZI9E6-5SM3R",
        "software_version": "2.2",
    });
    let mut asked = public(&kept);
    let ignored = json!({
        "client_id": "mine",
        "client_secret": "mine",
        "first_party": true,
        "client_name#ja": "\u{5199}\u{771f}",
        "application_type": "native",
        "x": {"y": [1, null]},
        "jwks_uri": "https://app.example/keys",
    });
    for (name, value) in ignored.as_object().unwrap() {
        asked[name] = value.clone();
    }
    let answer = register(&world, &asked).await;
    let client = information(&answer);
    assert_ne!(client.client_id, "mine");
    for (name, value) in kept.as_object().unwrap() {
        assert_eq!(answer.json()[name], *value, "{name}");
    }
    for name in ignored.as_object().unwrap().keys().filter(|name| *name != "client_id") {
        assert_eq!(answer.json()[name], Value::Null, "{name}");
    }
    assert!(!world.server.client(&client.client_id).await.unwrap().unwrap().first_party);
}

/// RFC 7591, section 3.2.1: an editor names all grants that it could use somewhere.
#[tokio::test]
async fn grant_types_that_such_clients_do_not_get_are_left_out_and_the_answer_says_so() {
    let world = world(open()).await;
    let asked = json!({
        "client_name": "Visual Studio Code",
        "client_uri": "https://code.visualstudio.com",
        "grant_types": [
            "authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code",
            "implicit", "password", "urn:unknown", "no grant type",
        ],
        "response_types": ["code"],
        "redirect_uris": [
            "https://insiders.vscode.dev/redirect", "https://vscode.dev/redirect",
            "http://127.0.0.1/", "http://127.0.0.1:33418/",
        ],
        "token_endpoint_auth_method": "none",
    });
    let answer = register(&world, &asked).await;
    let client = information(&answer);
    assert_eq!(answer.json()["grant_types"], json!(["authorization_code", "refresh_token"]));
    let stored = world.server.client(&client.client_id).await.unwrap().unwrap();
    assert!(!stored.grant_types.contains(&GrantType::DeviceCode));
    assert_eq!(stored.grant_types.len(), 2);
    let none = register(&world, &public(&json!({"grant_types": ["password", "canary"]}))).await;
    assert_refused(&none, 400, "invalid_client_metadata");
    assert!(none.text().contains("grant_types: none of them is for"), "{}", none.text());
}

/// OpenID Connect Dynamic Client Registration, section 3.3.
#[tokio::test]
async fn hostile_and_senseless_metadata_is_refused_and_nothing_stored() {
    let world = world(open()).await;
    let many: Vec<_> = (0..2000).map(|i| format!("https://app.example/canary{i}")).collect();
    let more: Vec<_> = (0..33).map(|i| format!("https://app.example/canary{i}")).collect();
    let long = "x".repeat(101);
    for (change, error) in [
        (json!({"redirect_uris": ["javascript:alert('canary')"]}), "invalid_redirect_uri"),
        (json!({"redirect_uris": ["data:text/html,canary"]}), "invalid_redirect_uri"),
        (json!({"redirect_uris": ["https://app.example/cb#canary"]}), "invalid_redirect_uri"),
        (json!({"redirect_uris": ["http://app.example/canary"]}), "invalid_redirect_uri"),
        (json!({"redirect_uris": ["https://*.app.example/canary"]}), "invalid_redirect_uri"),
        (json!({"redirect_uris": ["https://canary@app.example/"]}), "invalid_redirect_uri"),
        (json!({"redirect_uris": ["https://\u{430}pp.example/canary"]}), "invalid_redirect_uri"),
        (json!({"redirect_uris": ["/canary"]}), "invalid_redirect_uri"),
        (json!({"redirect_uris": [CALLBACK, ""]}), "invalid_redirect_uri"),
        (json!({"redirect_uris": []}), "invalid_redirect_uri"),
        (json!({"redirect_uris": null}), "invalid_redirect_uri"),
        (json!({"redirect_uris": CALLBACK}), "invalid_redirect_uri"),
        (json!({"redirect_uris": [1]}), "invalid_redirect_uri"),
        (json!({"redirect_uris": more}), "invalid_redirect_uri"),
        (json!({"client_name": "canary\u{202e}gnp"}), "invalid_client_metadata"),
        (json!({"client_name": long}), "invalid_client_metadata"),
        (json!({"client_name": "P\u{430}yPal canary"}), "invalid_client_metadata"),
        (json!({"client_name": " "}), "invalid_client_metadata"),
        (json!({"client_name": 7}), "invalid_client_metadata"),
        (json!({"logo_uri": "https://169.254.169.254/canary"}), "invalid_client_metadata"),
        (json!({"jwks_uri": "https://localhost/canary"}), "invalid_client_metadata"),
        (json!({"policy_uri": "https://10.1.2.3/canary"}), "invalid_client_metadata"),
        (json!({"tos_uri": "javascript:canary"}), "invalid_client_metadata"),
        (json!({"client_uri": "https://intranet/canary"}), "invalid_client_metadata"),
        (json!({"token_endpoint_auth_method": "canary"}), "invalid_client_metadata"),
        (json!({"token_endpoint_auth_method": "tls_client_auth"}), "invalid_client_metadata"),
        (json!({"grant_types": ["canary"]}), "invalid_client_metadata"),
        (json!({"grant_types": ["refresh_token", "implicit"]}), "invalid_client_metadata"),
        (json!({"grant_types": ["password"]}), "invalid_client_metadata"),
        (json!({"grant_types": ["client_credentials"]}), "invalid_client_metadata"),
        (json!({"grant_types": ["refresh_token"]}), "invalid_client_metadata"),
        (json!({"grant_types": []}), "invalid_client_metadata"),
        (json!({"response_types": ["token"]}), "invalid_client_metadata"),
        (json!({"response_types": ["code", "token"]}), "invalid_client_metadata"),
        (json!({"response_types": []}), "invalid_client_metadata"),
        (json!({"scope": "canary"}), "invalid_client_metadata"),
        (json!({"scope": ["photos:read"]}), "invalid_client_metadata"),
        (json!({"contacts": vec!["canary"; 11]}), "invalid_client_metadata"),
        (json!({"jwks": {"keys": "canary"}}), "invalid_client_metadata"),
        (json!({"software_statement": "canary"}), "invalid_software_statement"),
        (json!({"software_statement": ["canary"]}), "invalid_software_statement"),
    ] {
        let answer = register(&world, &public(&change)).await;
        assert_refused(&answer, 400, error);
    }
    let answer = register(&world, &public(&json!({"response_types": ["token"]}))).await;
    let said = answer.json()["error_description"].as_str().unwrap().to_owned();
    assert!(said.ends_with("token or id_token with implicit"), "{said}");
    assert_refused(
        &register(&world, &public(&json!({"redirect_uris": many}))).await,
        413,
        "invalid_client_metadata",
    );
    for (content_type, body, status) in [
        ("application/x-www-form-urlencoded", "client_name=canary", 415),
        ("text/plain", "{}", 415),
        ("application/json", "canary", 400),
        ("application/json", "[]", 400),
        ("application/json", "{\"client_name\":\"a\",\"client_name\":\"b\"}", 400),
        ("application/json", "\u{feff}{}", 400),
        ("application/json", "", 400),
    ] {
        let answer = world.request("POST", "/oauth/register", content_type, body).await;
        assert_refused(&answer, status, "invalid_client_metadata");
    }
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(9000), "]".repeat(9000));
    let answer = world.request("POST", "/oauth/register", "application/json", &deep).await;
    assert_refused(&answer, 400, "invalid_client_metadata");
    for (body, error) in [
        ("{}", "invalid_redirect_uri"),
        (r#"{"redirect_uris":["canary"]}"#, "invalid_redirect_uri"),
        (r#"{"token_endpoint_auth_method":"none"}"#, "invalid_redirect_uri"),
    ] {
        let answer = world.request("POST", "/oauth/register", "application/json", body).await;
        assert_refused(&answer, 400, error);
    }
    assert_eq!(world.server.clients().await.unwrap().len(), 1, "that of the operator");
}

#[tokio::test]
async fn a_client_gets_no_more_than_is_allowed_for_such_clients() {
    let few = open()
        .scopes(Scopes::parse("photos:read").unwrap())
        .grant_types([GrantType::AuthorizationCode, GrantType::ClientCredentials]);
    let mut world = world(few).await;
    let scope = |scope: &str| public(&json!({"scope": scope, "grant_types": null}));
    let answer = register(&world, &scope("photos:write photos:read")).await;
    assert_eq!(answer.json()["scope"], "photos:read", "the answer says what it got");
    assert_refused(&register(&world, &scope("photos:write")).await, 400, "invalid_client_metadata");
    let answer = register(&world, &public(&json!({}))).await;
    assert_eq!(answer.json()["grant_types"], json!(["authorization_code"]), "without refreshing");
    let itself = json!({"client_name": "Robot", "grant_types": ["client_credentials"]});
    let client = information(&register(&world, &itself).await);
    assert_eq!(client.metadata.response_types, Some(vec![]));
    become_client(&mut world, &client);
    let asked = TokenRequest::ClientCredentials { scope: None, resource: Resources::EMPTY };
    let tokens = world.token(&world.auth(), &asked).await.tokens();
    assert_eq!(tokens.scope, "photos:read");
    let public = json!({
        "client_name": "Robot",
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "none",
    });
    assert_refused(&register(&world, &public).await, 400, "invalid_client_metadata");
}

#[tokio::test]
async fn an_initial_access_token_allows_as_many_clients_as_it_says() {
    let world = world(DynamicRegistration::by_initial_access_token()).await;
    let none = register(&world, &public(&json!({}))).await;
    assert_refused(&none, 401, "invalid_token");
    assert_eq!(none.header("www-authenticate"), r#"Bearer realm="https://id.example""#);
    let wrong = world.send(post(&public(&json!({})), Some("canary"), 1)).await;
    assert_refused(&wrong, 401, "invalid_token");
    assert!(wrong.header("www-authenticate").contains(r#"error="invalid_token""#));

    for name in ["", " ", "a\u{202e}b", &"x".repeat(101)] {
        let refused = world.server.issue_initial_access_token(name, 2, HOUR).await;
        assert!(matches!(refused, Err(InitialTokenError::Name)), "{name:?}");
    }
    let issued = world.server.issue_initial_access_token(" Ada ", 2, HOUR).await.unwrap();
    assert_eq!(&*issued.record.name, "Ada");
    let token = Some(issued.token.expose());
    let bad = post(&public(&json!({"client_name": "\u{202e}"})), token, 1);
    assert_eq!(world.send(bad).await.status(), 400, "which uses nothing up");
    for _ in 0..2 {
        let client = information(&world.send(post(&public(&json!({})), token, 1)).await);
        let stored = world.server.client(&client.client_id).await.unwrap().unwrap();
        let registration = stored.registration.as_ref().unwrap();
        assert_eq!(registration.initial_access_token.as_deref(), Some("Ada"));
        assert_eq!(stored.unused_until(), None, "the operator knows who it is");
    }
    let spent = world.send(post(&public(&json!({})), token, 1)).await;
    assert_refused(&spent, 401, "invalid_token");
    assert!(world.server.initial_access_tokens().await.unwrap().is_empty());

    let late = world.server.issue_initial_access_token("Late", 9, HOUR).await.unwrap();
    let revoked = world.server.issue_initial_access_token("Revoked", 9, HOUR * 9).await.unwrap();
    assert_eq!(world.server.initial_access_tokens().await.unwrap().len(), 2);
    assert!(world.server.revoke_initial_access_token(revoked.record.row).await.unwrap());
    assert!(!world.server.revoke_initial_access_token(revoked.record.row).await.unwrap());
    world.clock.advance(HOUR);
    assert!(world.server.initial_access_tokens().await.unwrap().is_empty());
    for token in [late.token, revoked.token] {
        let answer = world.send(post(&public(&json!({})), Some(token.expose()), 1)).await;
        assert_refused(&answer, 401, "invalid_token");
    }
}

#[tokio::test]
async fn without_registration_there_is_no_endpoint_and_metadata_names_none() {
    let world = World::new().await;
    let answer = register(&world, &public(&json!({}))).await;
    assert_eq!(answer.status(), 404);
}

#[tokio::test]
async fn a_client_with_keys_of_its_own_has_no_secret() {
    let world = world(open()).await;
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let jwks: Value =
        serde_json::from_str(&KeySet::from_iter([key.verifying_key().clone()]).to_json()).unwrap();
    let asked = |jwks: &Value| {
        json!({
            "redirect_uris": [CALLBACK],
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": "ES256",
            "jwks": jwks,
        })
    };
    let answer = register(&world, &asked(&jwks)).await;
    let client = information(&answer);
    assert_eq!((client.client_secret, client.client_secret_expires_at), (None, None));
    assert_eq!(answer.json()["jwks"], jwks);
    assert_eq!(answer.json()["token_endpoint_auth_signing_alg"], "ES256");
    let private: Value = serde_json::from_str(key.to_private_jwk().unwrap().expose()).unwrap();
    for jwks in [json!({"keys": []}), json!({"keys": [private]}), Value::Null] {
        assert_refused(&register(&world, &asked(&jwks)).await, 400, "invalid_client_metadata");
    }
    let fetched = json!({
        "redirect_uris": [CALLBACK],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks_uri": "https://app.example/keys",
    });
    assert_refused(&register(&world, &fetched).await, 400, "invalid_client_metadata");
}

#[tokio::test]
async fn nobody_registers_or_renames_a_client_so_that_it_passes_for_a_reserved_name() {
    let world = world(open().reserved_names(["PayPal", "Acme Photos"])).await;
    for name in ["PayPal", "paypal login", "PayPaI", "\u{440}\u{430}\u{443}\u{440}\u{430}\u{4cf}"] {
        let answer = register(&world, &public(&json!({ "client_name": name }))).await;
        assert_eq!((answer.status(), &*answer.error()), (400, "invalid_client_metadata"), "{name}");
        assert!(answer.text().contains("reserved"), "{}", answer.text());
    }
    let honest = public(&json!({ "client_name": "\u{424}\u{43e}\u{442}\u{43e}" }));
    let client = information(&register(&world, &honest).await);
    let renamed = update(&client, |new| new.metadata.client_name = Some("ACME PHOT0S".to_owned()));
    let answer = manage(&world, client.configuration.as_ref().unwrap(), &renamed).await;
    assert_eq!((answer.status(), &*answer.error()), (400, "invalid_client_metadata"));
}
