//! Answers that are forms (`form_post`), that have tokens beside the code (hybrid flows), and ID tokens
//! that a page gets by itself.

use axum::body::Body;
use http::{Request, StatusCode};
use quadrille::{
    consumer::Hybrid,
    jose::{Algorithm, ContentEncryption, KeyManagement},
    testing::Browser,
};
use serde_json::{Value, json};
use url::Url;

use super::world::{SECRET, World, presenting, service};

/// Websites on http are refused for these flows; programs on this machine are not.
const NATIVE: &str = "native";

#[tokio::test]
async fn a_user_is_logged_in_by_forms_with_and_without_tokens_beside_the_code() {
    let mut services = vec![service("form-post", json!({}), |spec, id| {
        spec.client(id, SECRET).parameter("response_mode", "form_post")
    })];
    for flow in [Hybrid::CodeIdToken, Hybrid::CodeIdTokenToken, Hybrid::CodeToken] {
        // Each has another hash: SHA-256, SHA-384 and SHA-512.
        for algorithm in [Algorithm::Rs256, Algorithm::Es384, Algorithm::EdDsa] {
            let (answer, alg) = (flow.response_type().as_str(), algorithm.as_str());
            let metadata = json!({
                "application_type": NATIVE,
                "response_types": [answer],
                "id_token_signed_response_alg": alg,
            });
            let name = format!("{answer}-{alg}").to_lowercase().replace(' ', "-");
            services.push(service(name, metadata, move |spec, id| {
                spec.hybrid(flow).client(id, SECRET)
            }));
        }
    }
    let encrypted = json!({
        "application_type": NATIVE,
        "response_types": ["code id_token"],
        "id_token_encrypted_response_alg": "dir",
        "id_token_encrypted_response_enc": "A128CBC-HS256",
    });
    services.push(service("encrypted", encrypted, |spec, id| {
        spec.hybrid(Hybrid::CodeIdToken)
            .encrypted_id_tokens(KeyManagement::Direct, ContentEncryption::A128CbcHs256)
            .client(id, SECRET)
    }));
    let mut world = World::new(services).await;
    world.margot_everywhere().await;
}

/// A request of a script of the site.
async fn script(browser: &mut Browser, path: &str, body: &Value) -> (StatusCode, Value) {
    let request = Request::post(path)
        .header("content-type", "application/json")
        .header("sec-fetch-site", "same-origin")
        .body(Body::from(body.to_string()));
    let page = browser.send(request.unwrap()).await;
    (page.status, serde_json::from_str(&page.text).unwrap())
}

#[tokio::test]
async fn a_page_presents_the_id_token_that_it_got_from_the_provider() {
    let metadata = json!({
        "application_type": NATIVE,
        "response_types": ["id_token"],
        "redirect_uris": ["{site}/album"],
    });
    let mut world = World::new([presenting(metadata)]).await;
    let mut page = Browser::new(world.sites[0].app.clone());
    let next = json!({ "next": "/presented" });
    let (_, told) = script(&mut page, "/login/presenting/nonce", &next).await;
    let back = world.sites[0].at("/album");
    let asked = [
        ("client_id", told["client_id"].as_str().unwrap()),
        ("response_type", "id_token"),
        ("scope", "openid email"),
        ("nonce", told["nonce"].as_str().unwrap()),
        ("redirect_uri", &back),
    ];
    let url = Url::parse_with_params(&format!("{}/auth", world.provider.issuer), asked).unwrap();
    let arrived = world.open("margot's", "margot", &[url.into()]).await.remove(0);
    let fragment = Url::parse(&arrived.url).unwrap().fragment().unwrap_or_default().to_owned();
    let mut answer = url::form_urlencoded::parse(fragment.as_bytes());
    let (_, token) = answer.find(|(name, _)| name == "id_token").unwrap_or_default();
    let credential = json!({ "credential": token });
    let (status, done) = script(&mut page, "/login/presenting/id-token", &credential).await;
    assert_eq!((status, &done["next"]), (StatusCode::OK, &json!("/presented")), "{arrived:?}");
    let known = page.visit("/presented").await.text;
    assert_eq!(known, format!("{}#margot margot@id.example", world.provider.issuer));
    // It is of no use to anybody who gets hold of it.
    let mut mallory = Browser::new(world.sites[0].app.clone());
    let (status, refused) = script(&mut mallory, "/login/presenting/id-token", &credential).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{refused}");
    assert_eq!(mallory.visit("/presented").await.text, "nobody");
}
