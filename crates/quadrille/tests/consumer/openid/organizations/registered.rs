//! The metadata that a site registers, and what a login makes of the answer.

use axum::Router;
use http::{Method, StatusCode};
use quadrille::{
    Error, Login,
    consumer::{RegistrationUnusable as Unusable, ServiceError},
    testing::{Browser, OpenIdFault as Fault},
};
use serde_json::{Value, json};

use super::{ISSUER, Net, REGISTER, SITE, app, types};

/// The metadata of the first registration.
fn asked(net: &Net) -> Value {
    serde_json::from_str(&net.seen(&Method::POST, REGISTER)[0]).unwrap()
}

/// The page at the end of a login by the box.
async fn log_in(net: &Net, login: &Login) -> quadrille::testing::Page {
    let to = types(login, "ada@acme.example").await.unwrap();
    let mut browser = Browser::new(app(login));
    let away = browser.visit(&to).await;
    let query = net.service.consent(away.location(), 7).unwrap();
    let (path, _) = to.split_once('?').unwrap();
    browser.visit(&format!("{path}/authorized?{query}")).await
}

/// Dynamic Client Registration, sections 2 and 3.
#[tokio::test]
async fn a_site_asks_for_one_signature_algorithm_that_the_provider_has() {
    for (named, expected) in [
        (json!(["ES256", "RS256"]), "RS256"),
        (json!(["none", "HS256", "ES384", "ES256"]), "ES384"),
        (json!(null), "RS256"),
    ] {
        let net = Net::new();
        let metadata = json!({ "id_token_signing_alg_values_supported": named });
        net.change(|state| state.metadata = metadata);
        net.site().register_at("work", ISSUER).await.unwrap();
        assert_eq!(asked(&net)["id_token_signed_response_alg"], expected, "{named}");
    }
    let net = Net::new();
    let metadata = json!({ "id_token_signing_alg_values_supported": ["HS256"] });
    net.change(|state| state.metadata = metadata);
    let error = net.site().register_at("work", ISSUER).await.unwrap_err();
    let error_expected = ServiceError::RegistrationUnsupported;
    assert_eq!(error, Error::Service { service: "work".into(), error: error_expected });
    assert_eq!(net.registrations(), 0);
}

#[tokio::test]
async fn id_tokens_of_an_organization_have_the_registered_algorithm() {
    // As asked for; what the answer says; and what no site accepts.
    for (answered, fault, status) in [
        (json!(null), None, StatusCode::OK),
        (json!(null), Some(Fault::AlgorithmOther), StatusCode::BAD_GATEWAY),
        (json!("ES384"), Some(Fault::AlgorithmOther), StatusCode::OK),
        (json!("ES384"), None, StatusCode::BAD_GATEWAY),
    ] {
        let net = Net::new();
        net.change(|state| {
            state.registration.1["id_token_signed_response_alg"] = answered.clone();
        });
        if let Some(fault) = fault {
            net.service.misidentifies(fault);
        }
        let page = log_in(&net, &net.site()).await;
        assert_eq!(page.status, status, "{answered} {fault:?}: {page:?}");
        let is_rejected = page.has_code("id_token_rejected");
        assert_eq!(is_rejected, status == StatusCode::BAD_GATEWAY, "{page:?}");
        assert_eq!(page.refresh(), (!is_rejected).then_some("/album"), "{page:?}");
    }
    for odd in ["none", "HS256"] {
        let net = Net::new();
        net.change(|state| state.registration.1["id_token_signed_response_alg"] = odd.into());
        let error = net.site().register_at("work", ISSUER).await.unwrap_err();
        let expected = ServiceError::RegistrationUnusable(Unusable::Algorithm);
        assert_eq!(error, Error::Service { service: "work".into(), error: expected }, "{odd}");
    }
}

/// OpenID Connect Core, section 4. Dynamic Client Registration, section 2.
#[tokio::test]
async fn a_provider_initiates_logins_of_its_own_organization() {
    let net = Net::new();
    net.site().register_at("work", ISSUER).await.unwrap();
    assert_eq!(asked(&net)["initiate_login_uri"], json!(null), "off by default");

    let net = Net::new();
    let login = net.site().accept_initiated_logins();
    let organization = login.register_at("work", ISSUER).await.unwrap();
    let uri = format!("{SITE}/login/{}/initiate", organization.service);
    assert_eq!(asked(&net)["initiate_login_uri"], uri);
    let mut browser = Browser::new(login.attach(Router::new()));
    let mut initiate = async |issuer: &str| {
        let mut query = quadrille::form::FormWriter::new();
        query.append("iss", issuer).append("login_hint", "ada@acme.example");
        browser.visit(&format!("{uri}?{}", query.finish())).await
    };
    let away = initiate(ISSUER).await;
    assert!(away.location().starts_with(&format!("{ISSUER}/authorize?")), "{away:?}");
    assert!(away.location().contains("login_hint=ada%40acme.example"), "{away:?}");
    let page = initiate("https://id.example").await;
    assert!(page.has_code("issuer_other"), "{page:?}");
    let stranger = uri.replace(&organization.service, "work~0123456789abcdef01234567");
    let page = browser.visit(&format!("{stranger}?iss=https%3A%2F%2Fid.example")).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND, "{page:?}");
    assert!(page.has_code("tenant_unknown"), "{page:?}");
}
