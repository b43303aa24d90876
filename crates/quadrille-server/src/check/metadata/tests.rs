//! Each requirement of metadata, met and not met.

use serde_json::json;

use super::*;
use crate::check::report::Outcome;

const ISSUER: &str = "https://id.example";

/// A document in which nothing is wrong, with a change; `"-"` removes a member.
fn document(change: &Value) -> Map<String, Value> {
    let mut all = json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://id.example/authorize",
        "token_endpoint": "https://id.example/token",
        "userinfo_endpoint": "https://id.example/userinfo",
        "jwks_uri": "https://id.example/keys",
        "scopes_supported": ["openid", "email"],
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        "claims_supported": ["sub", "email"],
        "code_challenge_methods_supported": ["S256"],
        "request_uri_parameter_supported": false,
        "authorization_response_iss_parameter_supported": true,
    });
    let all = all.as_object_mut().unwrap();
    for (name, value) in change.as_object().unwrap() {
        all.insert(name.clone(), value.clone());
    }
    all.retain(|_, value| *value != json!("-"));
    all.clone()
}

/// The requirements that are not met, with their outcome.
fn judged(change: &Value) -> Vec<(Outcome, String)> {
    let mut report = Report::new(ISSUER);
    openid(&document(change), ISSUER, &mut report);
    let failed = report.findings.into_iter().filter(|one| one.outcome != Outcome::Passed);
    failed.map(|one| (one.outcome, one.requirement)).collect()
}

#[test]
fn each_fault_of_the_metadata_is_named() {
    use Outcome::{Error, Warning};
    assert_eq!(judged(&json!({})), []);
    let of_others = json!({
        "backchannel_user_code_parameter_supported": true,
        "client_id_metadata_document_supported": true,
        "native_sso_supported": false,
        "verified_claims_supported": true,
    });
    assert_eq!(judged(&of_others), []);
    for (change, outcome, requirement) in [
        (json!({ "issuer": "https://id.example/" }), Error, "`issuer` is \"https://id.example\""),
        (json!({ "issuer": 7 }), Error, "`issuer` is"),
        (json!({ "issuer": "-" }), Error, "`issuer` is"),
        (json!({ "jwks_uri": "-" }), Error, "`jwks_uri` is there"),
        (json!({ "jwks_uri": null }), Error, "`jwks_uri` is there"),
        (json!({ "jwks_uri": "http://id.example/keys" }), Error, "`jwks_uri` is a URL"),
        (json!({ "token_endpoint": "/token" }), Error, "`token_endpoint` is a URL of https"),
        (json!({ "token_endpoint": "-" }), Error, "`token_endpoint` is there"),
        (json!({ "authorization_endpoint": "https://a.example/#x" }), Error, "without fragment"),
        (json!({ "response_types_supported": "code" }), Error, "is a list of texts"),
        (json!({ "response_types_supported": "-" }), Error, "`response_types_supported` is there"),
        (json!({ "acr_values_supported": [] }), Error, "`acr_values_supported` is omitted or has"),
        (json!({ "acr_values_supported": [1] }), Error, "is a list of texts"),
        (json!({ "ui_locales_supported": true }), Error, "is a list of texts"),
        (json!({ "claims_parameter_supported": "true" }), Error, "is true or false"),
        (json!({ "scopes_supported": ["email"] }), Error, "`scopes_supported` has `openid`"),
        (json!({ "subject_types_supported": ["random"] }), Error, "`public` or `pairwise` only"),
        (
            json!({ "id_token_signing_alg_values_supported": ["ES256"] }),
            Error,
            "`id_token_signing_alg_values_supported` has `RS256`",
        ),
        (
            json!({ "token_endpoint_auth_methods_supported": ["private_key_jwt"] }),
            Error,
            "`token_endpoint_auth_signing_alg_values_supported` is there",
        ),
        (
            json!({ "token_endpoint_auth_signing_alg_values_supported": ["none"] }),
            Error,
            "`token_endpoint_auth_signing_alg_values_supported` has no `none`",
        ),
        (json!({ "userinfo_endpoint": "-" }), Warning, "`userinfo_endpoint` is there"),
        (json!({ "claims_supported": "-" }), Warning, "`claims_supported` is there"),
        (json!({ "grant_types_supported": "-" }), Warning, "`grant_types_supported` is there"),
        (json!({ "request_uri_parameter_supported": "-" }), Warning, "omitted, it means true"),
        (json!({ "code_challenge_methods_supported": "-" }), Warning, "has `S256`"),
        (json!({ "code_challenge_methods_supported": ["S256", "plain"] }), Warning, "no `plain`"),
        (
            json!({ "authorization_response_iss_parameter_supported": false }),
            Warning,
            "so that clients notice a mix-up",
        ),
        (
            json!({ "response_types_supported": ["code", "code token"] }),
            Warning,
            "no response type sends access tokens in redirects",
        ),
        (
            json!({ "grant_types_supported": ["authorization_code", "password"] }),
            Warning,
            "the password grant is off",
        ),
        (
            json!({ "registration_endpoint": "https://id.example/register" }),
            Warning,
            "`response_types_supported` has `id_token token`",
        ),
        (
            json!({ "id_token_signing_alg_values_supported": ["RS256", "none"] }),
            Warning,
            "has no `none`",
        ),
    ] {
        let judged = judged(&change);
        let is_named =
            |(is, named): &(Outcome, String)| *is == outcome && named.contains(requirement);
        assert!(judged.iter().any(is_named), "{change}: {judged:#?}");
    }
}

#[test]
fn a_provider_elsewhere_leads_no_request_to_this_machine_and_no_credentials_anywhere() {
    for endpoint in [
        "http://127.0.0.1/token",
        "https://127.0.0.1/token",
        "https://[::1]/token",
        "http://localhost/token",
        "https://a.localhost/token",
        "http://id.example/token",
        "https://user:password@id.example/token",
        "https://user@id.example/token",
        "https://id.example/token#fragment",
        "ftp://id.example/token",
    ] {
        let document = document(&json!({ "token_endpoint": endpoint }));
        assert_eq!(url(&document, "token_endpoint"), None, "{endpoint}");
    }
    assert!(url(&document(&json!({})), "token_endpoint").is_some());
    let here = json!({ "issuer": "http://localhost", "token_endpoint": "http://localhost/token" });
    assert!(url(&document(&here), "token_endpoint").is_some());
}

#[test]
fn words_of_a_response_type_have_no_order() {
    let types = json!(["code", "id_token", "token id_token"]);
    let change = json!({
        "registration_endpoint": "https://id.example/register",
        "response_types_supported": types,
    });
    assert!(judged(&change).iter().all(|(_, named)| !named.contains("as clients may register")));
}

#[test]
fn two_documents_that_lead_to_two_places_are_named() {
    let other = document(&json!({ "token_endpoint": "https://other.example/token" }));
    let mut report = Report::new(ISSUER);
    agree(&document(&json!({})), &other, &mut report);
    let odd: Vec<_> = report.findings.iter().filter(|one| one.outcome != Outcome::Passed).collect();
    assert_eq!(odd.len(), 1);
    assert_eq!(odd[0].requirement, "`token_endpoint` is the same in both documents");
    assert_eq!(odd[0].found.as_deref(), Some(r#""https://other.example/token""#));
}
