//! What a site asks of a login: claims, the age and the class of the authentication, silence, and
//! subjects that only this site knows.

use std::time::Duration;

use quadrille::{Error, consumer::ServiceError, oidc::IdTokenRejected};
use serde_json::json;

use super::world::{Plan, SECRET, World, service};

#[tokio::test]
async fn a_site_gets_the_claims_and_the_class_that_it_asks_for_by_name() {
    let class = "urn:example:two-factors";
    let by_name = service("by-name", json!({}), move |spec, id| {
        let claims = json!({
            "userinfo": { "email": { "essential": true }, "name": null },
            "id_token": {
                "email_verified": { "value": true },
                "acr": { "essential": true, "values": [class] },
                "amr": null,
            },
        });
        spec.scopes("openid").client(id, SECRET).parameter("claims", claims.to_string())
    });
    let by_class = service("by-class", json!({}), |spec, id| {
        let classes = "urn:example:two-factors urn:example:password";
        spec.client(id, SECRET).parameter("acr_values", classes)
    });
    let mut world = World::new([by_name, by_class]).await;
    let users = world.margot_everywhere().await;
    assert_eq!(users[0]["name"], "Madame margot");
    assert_eq!(users[0]["claims"]["email_verified"], true);
    assert_eq!(users[0]["claims"]["email"], json!(null), "of the userinfo endpoint alone");
    assert_eq!(users[0]["claims"]["amr"], json!(["pwd", "otp"]));
    for user in users {
        assert_eq!(user["claims"]["acr"], class);
    }
}

#[tokio::test]
async fn a_user_who_signed_in_too_long_ago_must_do_so_again() {
    let recent = service("recent", json!({}), |spec, id| {
        spec.client(id, SECRET).parameter("max_age", "600")
    });
    let mut world = World::new([recent]).await;
    let page = world.open_one("margot's", "margot, an hour ago", "/who/recent").await;
    let stale = ServiceError::IdTokenRejected(IdTokenRejected::AuthTooLongAgo);
    let stale = Error::Service { service: "recent".into(), error: stale };
    assert_eq!(world.sites[0].heard.failed(), [stale], "{page:?}");
    assert_eq!(world.open_one("margot's", "", "/account/recent").await.text, "nobody");
    // The provider has a session of hers, and asks nevertheless.
    let user = world.open_one("margot's", "margot", "/who/recent").await.user();
    let since = user["claims"]["auth_time"].as_i64().unwrap();
    assert!((since - world.clock.now().seconds()).unsigned_abs() < 600, "{user}");
}

#[tokio::test]
async fn a_silent_login_succeeds_for_a_user_who_is_known_and_is_refused_for_any_other() {
    let silent = |name: &'static str, mode: &'static str| {
        service(name, json!({}), move |spec, id| {
            let client = spec.client(id, SECRET).parameter("response_mode", mode);
            client.allow_parameters(["prompt"])
        })
    };
    let services = [silent("silent", "query"), silent("by-form", "form_post")];
    let mut world = World::new(services).await;
    let refused = |name: &str, error: &str| Error::Service {
        service: name.into(),
        error: ServiceError::AuthorizationRefused { error: error.into() },
    };
    let quietly = |name: &str| format!("/login/{name}?prompt=none&next=/who/{name}");
    for name in ["silent", "by-form"] {
        world.open_one("margot's", "margot", &quietly(name)).await;
        assert_eq!(world.sites[0].heard.failed(), [refused(name, "login_required")]);
    }
    world.open_one("margot's", "margot", "/who/silent").await.user();
    world.open_one("margot's", "margot", &quietly("by-form")).await;
    assert_eq!(world.sites[0].heard.failed(), [refused("by-form", "consent_required")]);
    let page = world.open_one("margot's", "nobody types a name", &quietly("silent")).await;
    assert_eq!(page.user()["claims"]["sub"], "margot");
}

#[tokio::test]
async fn sites_cannot_compare_the_subjects_that_a_provider_makes_for_each_of_them() {
    let pairwise = |name: &str| {
        service(name, json!({ "subject_type": "pairwise" }), |spec, id| spec.client(id, SECRET))
    };
    let here = Plan::new([pairwise("one"), pairwise("two")]);
    let there = Plan::new([pairwise("elsewhere")]).at("localhost");
    let mut world = World::of([here, there]).await;
    let (here, there) = (world.sites[0].url.clone(), world.sites[1].url.clone());
    let mut account = async |user: &str, urls: &[String]| -> Vec<String> {
        let pages = world.open(user, user, urls).await;
        let account = |user: serde_json::Value| {
            assert_eq!(user["email"].as_str().unwrap().split('@').count(), 2);
            user["account"].as_str().unwrap().to_owned()
        };
        pages.iter().map(|page| account(page.user())).collect()
    };
    let at_both = [format!("{here}/who/one"), format!("{here}/who/two")];
    let margot = account("margot", &at_both).await;
    assert_eq!(margot[0], margot[1], "one site is one sector");
    assert!(!margot[0].contains("margot"), "{margot:?}");
    let elsewhere = account("margot", &[format!("{there}/who/elsewhere")]).await;
    let bo = account("bo", &at_both[..1]).await;
    assert_ne!(margot[0], elsewhere[0]);
    assert_ne!(margot[0], bo[0]);
    // After a refresh, the subject is still that of the login.
    world.clock.advance(Duration::from_secs(90));
    let later = world.open_one("bo", "bo", "/who/one").await.user();
    assert_eq!(later["account"], bo[0]);
}
