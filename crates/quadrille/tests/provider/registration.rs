//! Clients that register themselves (RFC 7591), and manage their registration (RFC 7592).

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
        (json!({"grant_types": ["authorization_code", "implicit"]}), "invalid_client_metadata"),
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
    assert!(said.ends_with("and token with implicit"), "{said}");
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
    let refresh = public(&json!({}));
    assert_refused(&register(&world, &refresh).await, 400, "invalid_client_metadata");
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
async fn a_client_reads_replaces_and_deletes_its_registration() {
    let mut world = world(open()).await;
    let client = information(
        &register(
            &world,
            &json!({
                "redirect_uris": [CALLBACK, "https://app.example/other"],
                "client_name": "Photo app",
                "logo_uri": "https://app.example/logo.png",
                "grant_types": ["authorization_code", "refresh_token"],
            }),
        )
        .await,
    );
    let configuration = client.configuration.clone().unwrap();
    assert!(
        configuration.registration_client_uri.starts_with("https://id.example/oauth/register/")
    );
    become_client(&mut world, &client);
    let tokens = world.tokens("ada").await;

    let read =
        information(&manage(&world, &configuration, &ClientConfigurationRequest::Read).await);
    assert_eq!(read.metadata, client.metadata);
    assert_eq!(read.client_secret, None, "it is stored as a hash");
    assert_eq!(read.client_secret_expires_at, Some(SecretExpiry::Never));
    assert_eq!(read.configuration, Some(configuration.clone()));

    let asked = update(&client, |client| {
        client.metadata.redirect_uris.pop();
        client.metadata.logo_uri = None;
        client.metadata.client_uri = Some("https://app.example/".to_owned());
    });
    let updated = information(&manage(&world, &configuration, &asked).await);
    assert_eq!(updated.client_id, client.client_id);
    assert_eq!(updated.metadata.redirect_uris, [CALLBACK]);
    assert_eq!(updated.metadata.logo_uri, None, "what is left out is deleted");
    assert!(updated.metadata.client_uri.is_some());
    assert_eq!(updated.client_secret, None, "the secret remains");
    assert!(world.is_good(&tokens.access).await, "tokens remain");
    let tokens = world.refresh(&tokens.refresh.unwrap()).await.tokens();

    // The token is another one; that before is valid until then, since an answer may be lost.
    let newer = updated.configuration.unwrap();
    assert_ne!(newer, configuration);
    let read = ClientConfigurationRequest::Read;
    assert_eq!(manage(&world, &configuration, &read).await.status(), 200);
    assert_eq!(manage(&world, &newer, &read).await.status(), 200);
    assert_refused(&manage(&world, &configuration, &read).await, 401, "invalid_token");

    let deleted = manage(&world, &newer, &ClientConfigurationRequest::Delete).await;
    assert_eq!((deleted.status(), deleted.text()), (204, ""));
    assert!(!world.is_good(&tokens.access).await, "its tokens end with it");
    assert_eq!(world.refresh(&tokens.refresh.unwrap()).await.error(), "invalid_client");
    for asked in [&read, &ClientConfigurationRequest::Delete, &asked] {
        assert_refused(&manage(&world, &newer, asked).await, 401, "invalid_token");
    }
}

#[tokio::test]
async fn an_update_changes_neither_the_identity_of_the_client_nor_the_operator_s_settings() {
    let world = world(open()).await;
    let client = information(&register(&world, &json!({"redirect_uris": [CALLBACK]})).await);
    let configuration = client.configuration.clone().unwrap();
    let other = update(&client, |client| client.client_id = "other".to_owned());
    assert_refused(&manage(&world, &configuration, &other).await, 400, "invalid_client_metadata");
    let chosen = update(&client, |client| client.client_secret = Some("chosen".into()));
    assert_refused(&manage(&world, &configuration, &chosen).await, 400, "invalid_client_metadata");
    let hostile = update(&client, |client| {
        client.metadata.redirect_uris = vec!["javascript:alert(1)".to_owned()];
    });
    assert_refused(&manage(&world, &configuration, &hostile).await, 400, "invalid_redirect_uri");
    let path = configuration.registration_client_uri.strip_prefix(ISSUER).unwrap();
    let put = |body: Value, token: &Secret| {
        Request::put(path)
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {}", token.expose()))
            .body(Body::from(body.to_string()))
            .unwrap()
    };
    let token = &configuration.registration_access_token;
    for body in [
        json!({"redirect_uris": [CALLBACK]}),
        json!({"client_id": client.client_id, "redirect_uris": [CALLBACK],
            "client_secret_expires_at": 0}),
        json!({"client_id": client.client_id, "redirect_uris": [CALLBACK],
            "registration_access_token": "x"}),
    ] {
        assert_refused(&world.send(put(body, token)).await, 400, "invalid_client_metadata");
    }
    let same = update(&client, |_| {});
    assert_eq!(manage(&world, &configuration, &same).await.status(), 200);

    // The token is for this client alone, and needed.
    let second = information(&register(&world, &json!({"redirect_uris": [CALLBACK]})).await);
    let mixed = ClientConfiguration {
        registration_access_token: second.configuration.unwrap().registration_access_token,
        ..configuration.clone()
    };
    let read = ClientConfigurationRequest::Read;
    assert_refused(&manage(&world, &mixed, &read).await, 401, "invalid_token");
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        assert_eq!(world.send(request).await.status(), 401);
    }
    let of_operator = format!("/oauth/register/client?client_id={}", world.client.id);
    let request = Request::get(of_operator).header("authorization", "Bearer x");
    assert_eq!(world.send(request.body(Body::empty()).unwrap()).await.status(), 401);
}

#[tokio::test]
async fn users_are_asked_again_after_a_client_changed_its_name_or_where_it_leads() {
    let mut world = world(open()).await;
    let client = information(&register(&world, &public(&json!({}))).await);
    become_client(&mut world, &client);
    world.tokens("ada").await;
    let silent = |answer: Answer| answer.status() == 303;
    assert!(silent(world.ask(&mut Browser::default(), &world.asking()).await));
    world.clock.advance(Duration::from_secs(5));
    let same = update(&client, |client| client.metadata.software_version = Some("2".to_owned()));
    let configuration = client.configuration.clone().unwrap();
    let client = information(&manage(&world, &configuration, &same).await);
    assert!(silent(world.ask(&mut Browser::default(), &world.asking()).await));
    let moved = update(&client, |client| {
        client.metadata.redirect_uris.push("https://elsewhere.example/cb".to_owned());
    });
    let configuration = client.configuration.clone().unwrap();
    information(&manage(&world, &configuration, &moved).await);
    assert!(!silent(world.ask(&mut Browser::default(), &world.asking()).await));
    world.clock.advance(Duration::from_secs(5));
    world.tokens("ada").await;
    assert!(silent(world.ask(&mut Browser::default(), &world.asking()).await));
}

#[tokio::test]
async fn a_change_by_the_operator_leaves_a_client_one_that_registered_itself() {
    let mut world = world(open()).await;
    let client = information(&register(&world, &public(&json!({}))).await);
    become_client(&mut world, &client);
    let before = world.server.client(&client.client_id).await.unwrap().unwrap();
    world.server.edit_client(&client.client_id, |_, new| new.require_pkce()).await.unwrap();
    let again = NewClient::public("Photo app").id(&client.client_id).redirect_uri(CALLBACK);
    world.server.ensure_client(again.scopes(before.scopes.clone())).await.unwrap();
    let after = world.server.client(&client.client_id).await.unwrap().unwrap();
    assert!(before.registration.is_some());
    assert_eq!(after.registration, before.registration);
    world.sign_in("ada");
    let page = world.ask(&mut Browser::default(), &world.asking()).await;
    assert_eq!(page.status(), 200, "{}", page.text());
    let configuration = client.configuration.unwrap();
    let read = manage(&world, &configuration, &ClientConfigurationRequest::Read).await;
    assert_eq!(read.status(), 200, "{}", read.text());
}

#[tokio::test]
async fn an_update_by_the_client_resets_no_setting_of_the_operator() {
    let world = world(open()).await;
    let metadata = json!({"redirect_uris": [CALLBACK], "scope": "photos:read photos:write",
        "grant_types": ["authorization_code", "refresh_token"]});
    let client = information(&register(&world, &metadata).await);
    let read = || Scopes::parse("photos:read").unwrap();
    let lifetimes =
        Lifetimes { access_token: Some(Duration::from_secs(60)), ..Lifetimes::default() };
    let edited = world.server.edit_client(&client.client_id, |_, new| {
        let narrow = new.scopes(read()).default_scopes(read()).lifetimes(lifetimes);
        narrow.require_pkce().first_party().grant_types([GrantType::AuthorizationCode])
    });
    let edited = edited.await.unwrap().client;
    let configuration = client.configuration.clone().unwrap();
    assert_refused(
        &manage(&world, &configuration, &update(&client, |_| {})).await,
        400,
        "invalid_client_metadata",
    );
    let same = update(&client, |client| {
        client.metadata.grant_types = Some(vec!["authorization_code".to_owned()]);
    });
    let same = information(&manage(&world, &configuration, &same).await);
    let stored = world.server.client(&client.client_id).await.unwrap().unwrap();
    let mut expected = edited.clone();
    expected.registration.clone_from(&stored.registration);
    // The update names the authentication method, which the registration left to the server.
    expected.auth.clone_from(&stored.auth);
    assert_eq!(*stored, expected, "the registration access token alone is new");
    // The operator has trusted this name, not any other one.
    let renamed = update(&same, |client| client.metadata.client_name = Some("Bank".to_owned()));
    information(&manage(&world, &same.configuration.clone().unwrap(), &renamed).await);
    let stored = world.server.client(&client.client_id).await.unwrap().unwrap();
    expected.name = "Bank".to_owned();
    expected.first_party = false;
    expected.registration.clone_from(&stored.registration);
    assert_eq!(*stored, expected);
}

#[tokio::test]
async fn a_secret_expires_and_an_update_brings_the_next_in_time() {
    let mut world = world(open().secret_lifetime(HOUR * 10)).await;
    let client = information(&register(&world, &json!({"redirect_uris": [CALLBACK]})).await);
    let expires = Timestamp::from_seconds((world.clock.now() + HOUR * 10).seconds());
    assert_eq!(client.client_secret_expires_at, Some(SecretExpiry::At(expires)));
    become_client(&mut world, &client);
    world.tokens("ada").await;
    let configuration = client.configuration.clone().unwrap();
    let same = update(&client, |_| {});
    let early = information(&manage(&world, &configuration, &same).await);
    assert_eq!(early.client_secret, None, "it is in the first half of its life");
    world.clock.advance(HOUR * 6);
    let rotated = information(&manage(&world, &early.configuration.unwrap(), &same).await);
    assert!(rotated.client_secret.is_some());
    let code = world.code("ada").await;
    world.redeem(&code).await.tokens();
    world.clock.advance(HOUR * 4);
    let code = world.code("ada").await;
    assert_eq!(world.redeem(&code).await.error(), "invalid_client", "the first one has expired");
    become_client(&mut world, &rotated);
    world.redeem(&code).await.tokens();
}

#[tokio::test]
async fn a_client_that_nobody_uses_goes_and_one_that_is_used_stays() {
    let mut world = world(open().unused_lifetime(HOUR)).await;
    let used = information(&register(&world, &public(&json!({}))).await);
    let unused = information(&register(&world, &public(&json!({}))).await);
    let asked = information(&register(&world, &public(&json!({}))).await);
    become_client(&mut world, &used);
    world.tokens("ada").await;
    let stored = world.server.client(&used.client_id).await.unwrap().unwrap();
    assert_eq!((stored.unused_until(), stored.registration.as_ref().unwrap().from), (None, None));
    // A page that was shown in time, and is answered too late.
    become_client(&mut world, &asked);
    let mut browser = Browser::default();
    let page = world.ask(&mut browser, &world.asking()).await;
    world.clock.advance(HOUR);
    world.sign_in("ada");
    let late = browser.answer(&world, &page, "decision=all").await;
    assert_ne!(late.status(), 303, "{}", late.text());

    become_client(&mut world, &unused);
    let gone = world.ask(&mut Browser::default(), &world.asking()).await;
    assert_eq!(gone.status(), 400, "{}", gone.text());
    let read = ClientConfigurationRequest::Read;
    let answer = manage(&world, &unused.configuration.unwrap(), &read).await;
    assert_refused(&answer, 401, "invalid_token");
    // The next registration removes what was never used.
    information(&register(&world, &public(&json!({}))).await);
    assert!(world.server.client(&unused.client_id).await.unwrap().is_none());
    assert!(world.server.client(&used.client_id).await.unwrap().is_some());
    become_client(&mut world, &used);
    world.tokens("ada").await;
}

#[tokio::test]
async fn a_flood_is_refused_and_keeps_no_other_client_out() {
    let world = world(open().most_unused(30)).await;
    let mut first = None;
    for _ in 0..20 {
        let client = information(&world.send(post(&public(&json!({})), None, 1)).await);
        first.get_or_insert(client.client_id);
    }
    let more = world.send(post(&public(&json!({})), None, 1)).await;
    assert_refused(&more, 429, "temporarily_unavailable");
    assert!((1..=60).contains(&more.header("retry-after").parse::<u64>().unwrap()));
    for from in 2..12 {
        information(&world.send(post(&public(&json!({})), None, from)).await);
    }
    // All places are taken now: the largest network gives way, not the others.
    assert!(world.server.client(first.as_ref().unwrap()).await.unwrap().is_some());
    information(&world.send(post(&public(&json!({})), None, 99)).await);
    assert!(world.server.client(first.as_ref().unwrap()).await.unwrap().is_none());
    world.clock.advance(Duration::from_secs(120));
    let own = world.send(post(&public(&json!({})), None, 1)).await;
    assert_refused(&own, 429, "temporarily_unavailable");
    assert_eq!(world.server.clients().await.unwrap().len(), 31);
}

#[tokio::test]
async fn the_limit_of_a_network_is_asked_before_other_clients_are_read() {
    let world = world(open().most_unused(20)).await;
    for _ in 0..20 {
        information(&world.send(post(&public(&json!({})), None, 1)).await);
    }
    // All places are taken, too, for a day: but that is not looked at.
    let refused = world.send(post(&public(&json!({})), None, 1)).await;
    assert_refused(&refused, 429, "temporarily_unavailable");
    assert!((1..=60).contains(&refused.header("retry-after").parse::<u64>().unwrap()));
}

#[tokio::test]
async fn a_software_statement_wins_over_the_request() {
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let keys = KeySet::from_iter([key.verifying_key().clone()]);
    let directory = TrustedIssuer::new("https://directory.example", keys).unwrap();
    let world = world(open().software_statements(directory)).await;
    let statement = |change: &dyn Fn(&mut Claims), key: &SigningKey| {
        let mut claims = Claims::default();
        claims.iss = Some("https://directory.example".to_owned());
        claims.extra.insert("software_id".to_owned(), "4NRB1".into());
        claims.extra.insert("client_name".to_owned(), "Printer by Ada".into());
        claims.extra.insert("client_id".to_owned(), "canary".into());
        change(&mut claims);
        key.sign_claims(&Protected::plain(), &claims).unwrap()
    };
    let good = statement(&|_| {}, &key);
    let asked = public(&json!({"client_name": "Bank", "software_statement": good}));
    let answer = register(&world, &asked).await;
    assert_eq!(answer.json()["client_name"], "Printer by Ada");
    assert_eq!(answer.json()["software_id"], "4NRB1");
    assert_eq!(answer.json()["software_statement"], good.as_str(), "unmodified");
    assert_ne!(answer.json()["client_id"], "canary");

    let now = world.clock.now();
    let other = SigningKey::generate(Algorithm::Es256).unwrap();
    let canary = |claims: &mut Claims| claims.iss = Some("https://canary.example".to_owned());
    for (statement, error) in [
        (statement(&canary, &key), "unapproved_software_statement"),
        (statement(&|claims| claims.iss = None, &key), "unapproved_software_statement"),
        (statement(&|_| {}, &other), "invalid_software_statement"),
        (statement(&|claims| claims.exp = Some(now - HOUR), &key), "invalid_software_statement"),
        (
            statement(&|claims| claims.aud = vec!["https://canary.example".to_owned()], &key),
            "invalid_software_statement",
        ),
        (
            statement(
                &|claims| {
                    claims.extra.insert("redirect_uris".to_owned(), "canary".into());
                },
                &key,
            ),
            "invalid_software_statement",
        ),
        // The assertion of a user describes no client.
        (
            statement(
                &|claims| {
                    claims.sub = Some("ada".to_owned());
                    claims.extra = serde_json::Map::from_iter([("scope".into(), "read".into())]);
                },
                &key,
            ),
            "invalid_software_statement",
        ),
        ("eyJhbGciOiJub25lIn0.e30.".to_owned(), "invalid_software_statement"),
        (format!("{good}x"), "invalid_software_statement"),
    ] {
        let asked = public(&json!({"software_statement": statement}));
        assert_refused(&register(&world, &asked).await, 400, error);
    }
    let hostile = statement(
        &|claims| {
            claims.extra.insert("redirect_uris".to_owned(), json!(["javascript:alert(1)"]));
        },
        &key,
    );
    let asked = public(&json!({"software_statement": hostile}));
    assert_refused(&register(&world, &asked).await, 400, "invalid_redirect_uri");
}

/// The keys of a directory on the web, if it answers.
#[derive(Clone, Default)]
struct Web(Arc<Mutex<Option<KeySet>>>);

impl Fetcher for Web {
    async fn fetch(&self, url: &Url) -> Result<Fetched, FetchError> {
        assert_eq!(url.as_str(), "https://directory.example/jwks");
        let keys = self.0.lock().unwrap();
        keys.as_ref().map(|keys| Fetched::new(keys.to_json())).ok_or(FetchError::Unreachable)
    }
}

#[tokio::test]
async fn keys_of_software_statements_are_fetched_and_rotate() {
    let web = Web::default();
    let (iss, jwks_uri) = ("https://directory.example", "https://directory.example/jwks");
    let directory = TrustedIssuer::with_keys_fetched_by(iss, jwks_uri, web.clone()).unwrap();
    let world = world(open().software_statements(directory)).await;
    let key = |kid: &str| SigningKey::generate(Algorithm::Es256).unwrap().with_kid(kid);
    let register_by = async |key: &SigningKey| {
        let mut claims = Claims::default();
        claims.iss = Some(iss.to_owned());
        claims.extra.insert("software_id".to_owned(), "4NRB1".into());
        let statement = key.sign_claims(&Protected::plain(), &claims).unwrap();
        register(&world, &public(&json!({"software_statement": statement}))).await
    };
    let (old, new) = (key("old"), key("new"));
    let unknown = register_by(&old).await;
    assert_refused(&unknown, 503, "temporarily_unavailable");
    for current in [&old, &new] {
        *web.0.lock().unwrap() = Some(KeySet::from_iter([current.verifying_key().clone()]));
        world.clock.advance(Duration::from_secs(60));
        information(&register_by(current).await);
    }
    assert_refused(&register_by(&old).await, 400, "invalid_software_statement");
}

#[tokio::test]
async fn a_statement_can_be_required_and_one_of_nobody_trusted_is_refused() {
    let world = world(open().require_software_statement()).await;
    let without = register(&world, &public(&json!({}))).await;
    assert_refused(&without, 400, "invalid_client_metadata");
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let statement = key.sign_claims(&Protected::plain(), &Claims::default()).unwrap();
    let asked = public(&json!({"software_statement": statement}));
    assert_refused(&register(&world, &asked).await, 400, "unapproved_software_statement");
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

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_hundred_with_the_last_use_of_a_token_one_registers() {
    let registration = DynamicRegistration::by_initial_access_token();
    for on_disk in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let registration = registration.clone();
        let world = match on_disk {
            false => world(registration).await,
            true => {
                let clock = ManualClock::new();
                let store = SqliteStore::open(folder.path().join("db"), clock.env()).unwrap();
                let new = NewClient::confidential("Photo printer").redirect_uri(CALLBACK);
                World::build(store, clock, Policy::safe(), new, |server| {
                    server.dynamic_registration(registration)
                })
                .await
            }
        };
        let issued = world.server.issue_initial_access_token("Ada", 1, HOUR).await.unwrap();
        let token: Arc<str> = issued.token.expose().into();
        let world = Arc::new(world);
        let answers = at_once(&world, |world| {
            let token = token.clone();
            async move { world.send(post(&public(&json!({})), Some(&token), 1)).await }
        })
        .await;
        let registered = answers.iter().filter(|answer| answer.status() == 201).count();
        let refused = answers.iter().filter(|answer| answer.status() == 401).count();
        assert_eq!((registered, refused), (1, 199));
        assert_eq!(world.server.clients().await.unwrap().len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_strangers_at_once_stay_below_the_limit() {
    let world = Arc::new(world(open().most_unused(50)).await);
    let next = Arc::new(std::sync::atomic::AtomicU8::new(0));
    let answers = at_once(&world, |world| {
        let from = next.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        async move { world.send(post(&public(&json!({})), None, from)).await }
    })
    .await;
    assert!(answers.iter().all(|answer| answer.status() == 201));
    assert_eq!(world.server.clients().await.unwrap().len(), 51);
    let ids: std::collections::BTreeSet<_> =
        answers.iter().map(|answer| answer.json()["client_id"].to_string()).collect();
    assert_eq!(ids.len(), 200);
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
