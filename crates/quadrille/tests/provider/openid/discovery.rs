//! Discovery (OpenID Connect Discovery 1.0, sections 3 and 4).

use axum::{Router, body::Body};
use http::Request;
use quadrille::{
    Env,
    jose::{Algorithm, SigningKey},
    oauth2::metadata::ServerMetadata,
    provider::{AuthorizationServer, Display, OpenId, store::MemoryStore},
};
use serde_json::json;

use super::{keys, world, world_of};
use crate::support::{Answer, ISSUER, World};

const PATH: &str = "/.well-known/openid-configuration";

async fn document(world: &World, path: &str) -> Answer {
    world.send(Request::get(path).body(Body::empty()).unwrap()).await
}

/// Sections 3 and 4.2: exactly what works, and what is off although its default is on.
#[tokio::test]
async fn the_document_says_exactly_what_is_on() {
    let world = world().await;
    let answer = document(&world, PATH).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    ServerMetadata::parse(answer.text().as_bytes(), ISSUER).unwrap();
    let document = answer.json();
    for (name, expected) in [
        ("issuer", json!("https://id.example")),
        ("authorization_endpoint", json!("https://id.example/oauth/authorize")),
        ("token_endpoint", json!("https://id.example/oauth/token")),
        ("userinfo_endpoint", json!("https://id.example/oauth/userinfo")),
        ("jwks_uri", json!("https://id.example/oauth/jwks")),
        (
            "scopes_supported",
            json!(["photos:read", "photos:write", "groups", "openid", "profile", "email"]),
        ),
        ("response_types_supported", json!(["code"])),
        ("response_modes_supported", json!(["query", "form_post"])),
        ("subject_types_supported", json!(["public"])),
        ("id_token_signing_alg_values_supported", json!(["ES256", "RS256"])),
        ("userinfo_signing_alg_values_supported", json!(["ES256", "RS256"])),
        // What pages can is for the application to say.
        ("display_values_supported", json!(null)),
        ("ui_locales_supported", json!(null)),
        ("claim_types_supported", json!(["normal"])),
        (
            "claims_supported",
            json!([
                "sub",
                "auth_time",
                "acr",
                "amr",
                "name",
                "nickname",
                "email",
                "email_verified",
                "groups"
            ]),
        ),
        ("claims_parameter_supported", json!(true)),
        ("prompt_values_supported", json!(["none", "login", "consent", "select_account"])),
        ("request_parameter_supported", json!(false)),
        ("request_uri_parameter_supported", json!(false)),
    ] {
        assert_eq!(document[name], expected, "{name}");
    }
    // RFC 8414 has the same document at another address.
    let oauth = self::document(&world, "/.well-known/oauth-authorization-server").await;
    assert_eq!(oauth.json(), document);
}

/// Section 3: what the pages can, as the application says.
#[tokio::test]
async fn the_document_names_the_languages_and_displays_that_the_application_has_pages_for() {
    let openid =
        OpenId::new().ui_locales(["en", "de-AT"]).displays([Display::Page, Display::Popup]);
    let world = world_of(|new| new, |server| server.openid(openid)).await;
    let document = document(&world, PATH).await.json();
    assert_eq!(document["ui_locales_supported"], json!(["en", "de-AT"]));
    assert_eq!(document["display_values_supported"], json!(["page", "popup"]));
}

#[tokio::test]
async fn without_openid_connect_there_is_no_document() {
    let world = World::new().await;
    assert_eq!(document(&world, PATH).await.status(), 404);
}

/// Section 4.1, and the form of RFC 8414, section 5.
#[tokio::test]
async fn an_issuer_with_a_path_is_found_in_both_forms() {
    let store = MemoryStore::new(Env::system());
    let issuer = "https://id.example/tenant/7";
    let server = AuthorizationServer::new(issuer, store).unwrap().openid(OpenId::new());
    for path in
        ["/tenant/7/.well-known/openid-configuration", "/.well-known/openid-configuration/tenant/7"]
    {
        let app: Router = server.routes();
        let answer = Answer::of_app(app, Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status(), 200, "{path}");
        let metadata = ServerMetadata::parse(answer.text().as_bytes(), issuer).unwrap();
        let userinfo = &metadata.extra["userinfo_endpoint"];
        assert_eq!(userinfo, "https://id.example/tenant/7/oauth/userinfo");
    }
}

#[tokio::test]
async fn keys_for_another_algorithm_change_the_document_while_the_server_runs() {
    let world = world().await;
    assert_eq!(document(&world, PATH).await.status(), 200);
    let key = SigningKey::generate(Algorithm::EdDsa).unwrap();
    world.server.replace_further_signing_keys(keys(key));
    let document = document(&world, PATH).await.json();
    let expected = json!(["ES256", "RS256", "EdDSA"]);
    assert_eq!(document["id_token_signing_alg_values_supported"], expected);
}

#[tokio::test]
async fn the_prompt_create_is_offered_where_users_can_open_accounts() {
    let world =
        world_of(|new| new, |server| server.openid(OpenId::new().users_can_open_accounts())).await;
    let prompts = &document(&world, PATH).await.json()["prompt_values_supported"];
    assert!(prompts.as_array().unwrap().contains(&json!("create")), "{prompts}");
}

/// Section 2.
#[tokio::test]
async fn the_issuer_of_a_user_is_found_by_the_address_of_the_user() {
    let on = |server: AuthorizationServer| server.openid(super::openid().webfinger());
    let found = world_of(|new| new, on).await;
    let path = "/.well-known/webfinger?resource=acct%3Aada%40id.example\
                &rel=http%3A%2F%2Fopenid.net%2Fspecs%2Fconnect%2F1.0%2Fissuer";
    let answer = document(&found, path).await;
    assert_eq!(answer.header("content-type"), "application/jrd+json");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let link = json!({ "rel": "http://openid.net/specs/connect/1.0/issuer", "href": ISSUER });
    assert_eq!(answer.json(), json!({ "subject": "acct:ada@id.example", "links": [link] }));
    let other = "/.well-known/webfinger?resource=acct:ada@other.example";
    assert_eq!(document(&found, other).await.status(), 404);
    assert_eq!(document(&found, "/.well-known/webfinger").await.error(), "invalid_request");
    assert_eq!(document(&world().await, path).await.status(), 404, "off by default");
}
