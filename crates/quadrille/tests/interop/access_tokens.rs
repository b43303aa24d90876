//! JWT access tokens (RFC 9068): our guard verifies those of npm's oidc-provider; Authlib,
//! oauth4webapi and jose verify ours.

use axum::Router;
use http::Request;
use quadrille::{
    Actor, Env, Scopes,
    guard::{AccessError, Guard, JwtAccessTokens},
    jose::{Algorithm, SigningKey, SigningKeys},
    oauth2::{ClientAuth, Resources, TokenRequest},
    provider::{AccessTokenFormat, AuthorizationServer, NewClient, store::MemoryStore},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{Running, ask, node, python};

const API: &str = "https://api.example";

#[tokio::test]
async fn our_guard_accepts_tokens_that_oidc_provider_issued_for_this_api() {
    let issuer = Running::start(node("servers/jwt-issuer.js"), &json!({})).await;
    let token = |resource: &str| {
        let token = &issuer.told["tokens"][format!("{API}/{resource}")];
        token.as_str().unwrap_or_else(|| panic!("{}", issuer.told)).to_owned()
    };
    let check = async |audience: &str, token: &str| {
        let trust = JwtAccessTokens::of(&issuer.issuer).unwrap();
        let guard = Guard::elsewhere(API, trust).audience(format!("{API}/{audience}"));
        let request = Request::get("/").header("authorization", format!("Bearer {token}"));
        let (parts, ()) = request.body(()).unwrap().into_parts();
        guard.check(&parts, b"").await.map(Option::unwrap)
    };
    for resource in ["es", "rs", "ps", "ed"] {
        let verified = check(resource, &token(resource)).await.unwrap();
        assert_eq!(verified.actor(), &Actor::Client("worker".into()), "{resource}");
        assert_eq!(verified.scopes().as_str(), "photos:read");
    }
    let other = check("rs", &token("es")).await;
    assert_eq!(other.err(), Some(AccessError::OtherAudience));
    assert_eq!(check("es", &token("opaque")).await.err(), Some(AccessError::Unknown));
    let changed = token("es").replacen("eyJ", "eyK", 1);
    assert_eq!(check("es", &changed).await.err(), Some(AccessError::Unknown));
}

/// A server of ours, and an access token of a client for itself.
async fn ours(algorithm: Algorithm) -> Value {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let env = Env::system();
    let key = SigningKey::generate(algorithm).unwrap();
    let server = AuthorizationServer::new(&issuer, MemoryStore::new(env.clone()))
        .unwrap()
        .scopes([("photos:read", "See your photos")])
        .signing_keys(SigningKeys::new(key, env.now()).unwrap())
        .access_token_format_for(API, AccessTokenFormat::Jwt)
        .unwrap();
    let new = NewClient::confidential("Worker").scopes(Scopes::of(["photos:read"]));
    let registered = server.register(new).await.unwrap();
    let auth = ClientAuth::Basic {
        client_id: (*registered.client.id).into(),
        client_secret: registered.secret.unwrap(),
    };
    let resource = Resources::of([API]).unwrap();
    let asked = TokenRequest::ClientCredentials { scope: None, resource };
    let request = asked.to_request(&format!("{issuer}/oauth/token"), &auth, &[]).unwrap();
    let answer = server.token(request).await;
    let answer: Value = serde_json::from_slice(answer.body()).unwrap();
    let token = answer["access_token"].as_str().unwrap().to_owned();
    let routes: Router = server.routes();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { "B" } else { "A" };
    let other = format!("{signed}.{first}{}", &signature[1..]);
    json!({ "issuer": issuer, "audience": API, "token": token, "other": other })
}

fn check(told: &Value, asked: &Value) {
    let claims = &told["claims"];
    assert_eq!(claims["iss"], asked["issuer"]);
    assert_eq!(claims["aud"], API);
    assert_eq!(claims["scope"], "photos:read");
    assert_eq!(claims["sub"], claims["client_id"]);
    assert_eq!(told["rejects_another_audience"], true, "{told}");
    assert_eq!(told["rejects_a_changed_token"], true, "{told}");
}

#[tokio::test]
async fn oauth4webapi_and_jose_accept_ours() {
    for algorithm in [Algorithm::Es256, Algorithm::Rs256, Algorithm::Ed25519] {
        let asked = ours(algorithm).await;
        let told = Value::from(ask(node("tokens/access_token.js"), &asked).await);
        check(&told, &asked);
        assert_eq!(told["payload"], told["claims"]);
        assert_eq!(told["header"]["typ"], "at+jwt");
    }
}

#[tokio::test]
async fn authlib_accepts_ours() {
    for algorithm in [Algorithm::Es256, Algorithm::Rs256] {
        let asked = ours(algorithm).await;
        let told = Value::from(ask(python("tokens/access_token.py"), &asked).await);
        check(&told, &asked);
        assert_eq!(told["rejects_too_little_scope"], true, "{told}");
    }
}
