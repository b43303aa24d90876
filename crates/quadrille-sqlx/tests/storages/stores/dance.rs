//! A server on a database: a code, its tokens, a refresh, and the end of all of it.

use std::{collections::HashMap, sync::LazyLock};

use axum::{
    Router,
    response::IntoResponse as _,
    routing::{get, post},
};
use http::{Request, StatusCode};
use quadrille::{
    Authentication, Env, KeyRing, Scopes, Timestamp,
    guard::Access,
    oauth2::{AuthorizationRequest, ClientAuth, Resources, TokenRequest, pkce::Verifier},
    provider::{Authorization, AuthorizationServer, Decision, Reply, Step},
    scopes,
    testing::{Browser, Page},
};

use super::{
    Open, on_each_store,
    world::{ISSUER, new_client},
};

scopes! {
    Photos = "photos:read", "See your photos";
}

on_each_store! {
    a_user_gives_consent_and_takes_it_back
}

/// A user who signed in at the start.
fn ada() -> Authentication {
    static START: LazyLock<Timestamp> = LazyLock::new(|| Env::system().now());
    Authentication::new("ada", *START)
}

async fn ask(request: Authorization) -> axum::response::Response {
    match request.step(Some(ada())).await {
        Step::SignIn(_) => StatusCode::FORBIDDEN.into_response(),
        Step::Consent(page) => {
            let fields = page.form_fields();
            let field = |(name, value)| format!("{name}={value}");
            fields.into_iter().map(field).collect::<Vec<_>>().join("&").into_response()
        }
        Step::Done(reply) => reply.into_response(),
    }
}

async fn answer(decision: Decision<HashMap<String, String>>) -> Reply {
    decision.by(ada()).all().await
}

async fn photos(access: Access<Photos>) -> String {
    format!("photos of {}", access.user().map_or("nobody", |user| user))
}

async fn a_user_gives_consent_and_takes_it_back<O: Open>() {
    let (_database, [one, two]) = O::two().await;
    let server = |store| {
        let server = AuthorizationServer::new(ISSUER, store).unwrap();
        server.keys(KeyRing::new([&[7; 32]]).unwrap()).scope::<Photos>()
    };
    let (server, elsewhere) = (server(one), server(two));
    server.start().await.unwrap();
    elsewhere.start().await.unwrap();
    let scopes = Scopes::parse("photos:read").unwrap();
    let registered = server.register(new_client().scopes(scopes)).await.unwrap();
    let client_id = registered.client.id.to_string();
    let client_secret = registered.secret.unwrap().expose().to_owned();
    let app = |server: &AuthorizationServer| {
        server.attach(
            Router::new()
                .route("/oauth/authorize", get(ask))
                .route("/oauth/consent", post(answer))
                .route("/api/photos", get(photos)),
        )
    };
    let (here, there) = (app(&server), app(&elsewhere));
    let mut browser = Browser::new(here.clone());

    let verifier = Verifier::from_bytes(&[42; 32]);
    let mut request = AuthorizationRequest::new(&*client_id);
    request.state = Some("xyz".into());
    request.code_challenge = Some(verifier.challenge());
    let url = request.to_url("https://id.example/oauth/authorize").unwrap();
    let page = browser.visit(url.strip_prefix(ISSUER).unwrap()).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let consent = Request::post("/oauth/consent")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", ISSUER)
        .body(page.text.clone().into())
        .unwrap();
    let back = browser.send(consent).await;
    let code = query(back.location(), "code");

    // The other process redeems the code.
    let auth = ClientAuth::Basic {
        client_id: client_id.clone().into(),
        client_secret: client_secret.clone().into(),
    };
    let redeem = TokenRequest::AuthorizationCode {
        code: &code,
        redirect_uri: None,
        code_verifier: Some(verifier.expose()),
        resource: Resources::EMPTY,
    };
    let tokens = ask_for_tokens(&there, &redeem, &auth).await;
    assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.text);
    let tokens: serde_json::Value = serde_json::from_str(&tokens.text).unwrap();
    let refresh_token = tokens["refresh_token"].as_str().unwrap();
    let refresh =
        TokenRequest::RefreshToken { refresh_token, scope: None, resource: Resources::EMPTY };
    let refreshed = ask_for_tokens(&here, &refresh, &auth).await;
    assert_eq!(refreshed.status, StatusCode::OK, "{}", refreshed.text);
    let refreshed: serde_json::Value = serde_json::from_str(&refreshed.text).unwrap();
    let token = refreshed["access_token"].as_str().unwrap();
    assert_eq!(call(&there, token).await.text, "photos of ada");

    // The consent is remembered, and gone with all of it.
    let again = browser.visit(url.strip_prefix(ISSUER).unwrap()).await;
    assert!(again.status.is_redirection(), "{}", again.text);
    server.remove_subject("ada").await.unwrap();
    assert_eq!(call(&here, token).await.status, StatusCode::UNAUTHORIZED);
    let asked = browser.visit(url.strip_prefix(ISSUER).unwrap()).await;
    assert_eq!(query(asked.location(), "error"), "access_denied", "she signed in before");
}

async fn ask_for_tokens(app: &Router, request: &TokenRequest<'_>, auth: &ClientAuth) -> Page {
    let request = request.to_request("https://id.example/oauth/token", auth, &[]).unwrap();
    Browser::new(app.clone()).send(request.map(Into::into)).await
}

async fn call(app: &Router, token: &str) -> Page {
    let request = Request::get("/api/photos").header("authorization", format!("Bearer {token}"));
    Browser::new(app.clone()).send(request.body(axum::body::Body::empty()).unwrap()).await
}

fn query(url: &str, name: &str) -> String {
    let url: url::Url = url.parse().unwrap();
    url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned()
}
