//! Authorization requests that the site signs, with and without encryption.

use quadrille::{
    Error,
    consumer::{Encryption, OperatorError, RequestObjectUnusable, RequestObjects},
    jose::{Algorithm, Algorithms, ContentEncryption, KeyManagement},
};
use serde_json::json;

use super::world::{Plan, World, keys, service};

/// A site whose keys sign its requests and its assertions by this algorithm.
fn signing(algorithm: Algorithm, encryption: Option<Encryption>) -> Plan {
    let alg = algorithm.as_str();
    let metadata = json!({
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": alg,
        "request_object_signing_alg": alg,
        "require_signed_request_object": true,
    });
    let signed = service(format!("by-{}", alg.to_lowercase()), metadata, move |spec, id| {
        let spec = spec.request_objects(RequestObjects::ByValue);
        let spec = match encryption {
            Some((algorithm, content)) => spec.encrypted_request_objects(algorithm, content),
            None => spec,
        };
        let claims = json!({ "id_token": { "email": { "essential": true } } });
        spec.signing_client(id).parameter("max_age", "600").parameter("claims", claims.to_string())
    });
    Plan::new([signed]).keys(keys(algorithm, []))
}

#[tokio::test]
async fn a_request_that_the_site_signs_by_each_algorithm_is_obeyed() {
    let asymmetric = KeyManagement::ALL.into_iter().filter(|algorithm| !algorithm.is_symmetric());
    let encryptions = asymmetric.zip(ContentEncryption::ALL.into_iter().cycle()).map(Some);
    let encryptions = [None].into_iter().chain(encryptions).cycle();
    let plans = Algorithms::PUBLIC_KEY.iter().zip(encryptions);
    let plans = plans.map(|(algorithm, encryption)| signing(algorithm, encryption));
    let mut world = World::of(plans).await;
    for user in world.margot_everywhere().await {
        assert!(user["claims"]["auth_time"].is_number(), "by max_age: {user}");
        assert_eq!(user["claims"]["email"], "margot@id.example", "by claims");
    }
}

#[tokio::test]
async fn a_provider_that_takes_no_request_from_a_url_is_not_sent_there() {
    let by_reference = service("by-reference", json!({}), |spec, id| {
        spec.request_objects(RequestObjects::ByReference).signing_client(id)
    });
    let plan = Plan::new([by_reference]).keys(keys(Algorithm::Es256, []));
    let mut world = World::of([plan]).await;
    let page = world.open_one("margot's", "margot", "/who/by-reference").await;
    assert!(page.url.starts_with(&world.sites[0].url), "{page:?}");
    let reason = RequestObjectUnusable::ByReference;
    let unusable = OperatorError::RequestObjectUnusable { service: "by-reference".into(), reason };
    assert_eq!(world.sites[0].heard.failed(), [Error::Operator(unusable)], "{page:?}");
}
