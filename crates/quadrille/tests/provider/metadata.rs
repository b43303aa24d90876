//! The metadata document.

use axum::{Router, body::Body};
use http::Request;
use quadrille::{
    Env,
    oauth2::metadata::ServerMetadata,
    provider::{AuthorizationServer, GrantType, store::MemoryStore},
};
use tower::ServiceExt as _;

use crate::support::{ISSUER, World};

async fn fetch(server: &AuthorizationServer, path: &str) -> (u16, Vec<u8>) {
    let app: Router = server.routes();
    let response = app.oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    (status, axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec())
}

#[tokio::test]
async fn it_says_exactly_what_is_enabled() {
    let world = World::new().await;
    let form = "application/x-www-form-urlencoded";
    let path = "/.well-known/oauth-authorization-server";
    let answer = world.request("GET", path, form, "").await;
    assert_eq!(answer.header("content-type"), "application/json");
    let authentication = [
        "client_secret_basic",
        "client_secret_post",
        "client_secret_jwt",
        "private_key_jwt",
        "none",
    ];
    let algorithms = [
        "ES256", "ES384", "ES512", "EdDSA", "Ed25519", "RS256", "RS384", "RS512", "PS256", "PS384",
        "PS512", "HS256", "HS384", "HS512",
    ];
    assert_eq!(
        answer.json(),
        serde_json::json!({
            "issuer": "https://id.example",
            "authorization_endpoint": "https://id.example/oauth/authorize",
            "token_endpoint": "https://id.example/oauth/token",
            "revocation_endpoint": "https://id.example/oauth/revoke",
            "introspection_endpoint": "https://id.example/oauth/introspect",
            "scopes_supported": ["photos:read", "photos:write"],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
            "token_endpoint_auth_methods_supported": authentication,
            "revocation_endpoint_auth_methods_supported": authentication,
            "introspection_endpoint_auth_methods_supported": authentication[..4],
            "token_endpoint_auth_signing_alg_values_supported": algorithms,
            "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
            "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
        })
    );
    assert_eq!(world.request("POST", path, form, "").await.status(), 405);
    ServerMetadata::parse(answer.text().as_bytes(), ISSUER).unwrap();
}

#[tokio::test]
async fn what_is_switched_off_is_not_in_it_and_does_not_work() {
    let world = World::new().await;
    let server = world.server.clone().grant_types([GrantType::ClientCredentials]);
    let (_, document) = fetch(&server, "/.well-known/oauth-authorization-server").await;
    let metadata = ServerMetadata::parse(&document, ISSUER).unwrap();
    assert_eq!(metadata.authorization_endpoint, None);
    assert_eq!(metadata.grant_types_supported.unwrap(), ["client_credentials"]);
    assert!(metadata.response_types_supported.is_empty());
    let request = Request::post("/oauth/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(
            format!("grant_type=refresh_token&refresh_token=x&client_id={}", world.client.id)
                .into(),
        );
    let response = server.token(request.unwrap()).await;
    assert!(response.body().starts_with(br#"{"error":"unsupported_grant_type""#), "{response:?}");
    let url = world.asking().to_url("https://id.example/oauth/authorize").unwrap();
    let reply = server.authorize(Request::get(url).body(bytes::Bytes::new()).unwrap()).await;
    let response = http::Response::<bytes::Bytes>::from(reply.unwrap_err());
    let location = response.headers()["location"].to_str().unwrap();
    assert!(location.contains("error=unsupported_response_type"), "{location}");
}

#[tokio::test]
async fn an_issuer_with_a_path_is_found_in_both_well_known_forms() {
    let store = MemoryStore::new(Env::system());
    let server = AuthorizationServer::new("https://id.example/tenant/7", store).unwrap();
    for path in [
        "/.well-known/oauth-authorization-server/tenant/7",
        "/tenant/7/.well-known/oauth-authorization-server",
    ] {
        let (status, document) = fetch(&server, path).await;
        assert_eq!(status, 200, "{path}");
        let metadata = ServerMetadata::parse(&document, "https://id.example/tenant/7").unwrap();
        let token = metadata.token_endpoint.unwrap();
        assert_eq!(token, "https://id.example/tenant/7/oauth/token");
    }
    let moved = server.at("/auth");
    assert_eq!(moved.consent_path(), "/tenant/7/auth/consent");
    let (status, _) = fetch(&moved, "/tenant/7/auth/token").await;
    assert_eq!(status, 405, "it is there, for POST");
}
