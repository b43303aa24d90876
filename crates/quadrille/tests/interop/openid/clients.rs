//! Authentication of the site, refreshes, new keys of the provider, and programs.

use std::time::Duration;

use quadrille::{
    consumer::{Begin, Finished, Loopback},
    jose::Algorithm,
};
use serde_json::json;
use tokio::{sync::mpsc, time};

use super::world::{Plan, Registered, SECRET, World, keys, service};

/// Access tokens live for a minute, ID tokens for an hour.
const LATER: Duration = Duration::from_secs(90);

fn authenticating() -> Vec<Registered> {
    let method = |name: &str| json!({ "token_endpoint_auth_method": name });
    let mut all = vec![
        service("basic", method("client_secret_basic"), |spec, id| spec.client(id, SECRET)),
        service("post", method("client_secret_post"), |spec, id| {
            spec.secret_in_body().client(id, SECRET)
        }),
        service("public", method("none"), |spec, id| spec.public_client(id)),
        // Each other algorithm is one of the site's own in the tests of requests.
        service("keys", method("private_key_jwt"), |spec, id| spec.signing_client(id)),
    ];
    for algorithm in [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512] {
        let mut metadata = method("client_secret_jwt");
        metadata["token_endpoint_auth_signing_alg"] = algorithm.as_str().into();
        let name = algorithm.as_str().to_lowercase();
        all.push(service(name, metadata, move |spec, id| {
            spec.secret_signs_assertions(algorithm).client(id, SECRET)
        }));
    }
    all
}

#[tokio::test]
async fn a_site_logs_in_refreshes_and_revokes_by_each_authentication() {
    let plan = Plan::new(authenticating()).keys(keys(Algorithm::Es256, []));
    let mut world = World::of([plan]).await;
    let before = world.margot_everywhere().await;
    world.clock.advance(LATER);
    let after = world.margot_everywhere().await;
    for (before, after) in before.iter().zip(&after) {
        let serial = |user: &serde_json::Value| user["claims"]["serial"].as_u64().unwrap();
        assert!(serial(before) < serial(after), "the claims are those of the new ID token");
        assert_eq!(before["account"], after["account"]);
    }
    for name in world.sites[0].names.clone() {
        let out = format!("/login/{name}/logout");
        let page = world.open_one("margot's", "margot", &out).await;
        assert!(page.text.contains("has no access"), "{name}: {page:?}");
        let account = format!("/account/{name}");
        assert_eq!(world.open_one("margot's", "margot", &account).await.text, "nobody");
    }
}

#[tokio::test]
async fn users_log_in_and_stay_so_when_the_provider_has_replaced_its_keys() {
    let usual = service("usual", json!({}), |spec, id| spec.client(id, SECRET));
    let mut world = World::new([usual]).await;
    world.margot_everywhere().await;
    world.provider.tell("rotate").await;
    // The keys are still fresh, and are fetched again at most once in ten seconds.
    world.clock.advance(Duration::from_secs(11));
    let bo = world.open_one("bo's", "bo", "/who/usual").await.user();
    assert_eq!(bo["claims"]["sub"], "bo");
    world.clock.advance(LATER);
    world.margot_everywhere().await;
}

#[tokio::test]
async fn the_user_of_a_program_is_who_its_id_token_says() {
    let metadata = json!({
        "application_type": "native",
        "redirect_uris": ["http://127.0.0.1/callback"],
        "grant_types": [
            "authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code",
        ],
        "token_endpoint_auth_method": "none",
    });
    let program =
        service("program", metadata, |spec, id| spec.any_loopback_port().public_client(id));
    let mut world = World::new([program]).await;
    let login = world.sites[0].login.clone();
    let fill = json!({ "login": "margot", "password": "anything" });

    let (opened, mut url) = mpsc::unbounded_channel();
    let loopback = Loopback::new().open(move |url| opened.send(url.to_owned()).unwrap());
    let waiting = login.begin_loopback(&Begin::new("program"), loopback).await.unwrap();
    let waiting = tokio::spawn(waiting.finish());
    world.browsers.visit("margot's", &[url.recv().await.unwrap()], &fill).await;
    check(&world, &waiting.await.unwrap().unwrap()).await;

    let device = login.begin_device(&Begin::new("program")).await.unwrap();
    let mut fill = fill;
    fill["user_code"] = device.user_code().into();
    world.browsers.visit("margot's", &[device.verification_uri().to_owned()], &fill).await;
    let waiting = tokio::spawn(device.finish());
    tokio::task::yield_now().await;
    // The first request for the token is due after five seconds.
    time::pause();
    time::advance(Duration::from_secs(5)).await;
    time::resume();
    check(&world, &waiting.await.unwrap().unwrap()).await;
}

async fn check(world: &World, done: &Finished) {
    assert_eq!(&*done.account.subject, format!("{}#margot", world.provider.issuer));
    let linked = world.sites[0].login.linked_by_name(&done.account).await.unwrap();
    assert_eq!(linked.claims().unwrap().text("sub"), Some("margot"));
    assert_eq!(linked.profile().await.unwrap().email.as_deref(), Some("margot@id.example"));
    world.clock.advance(LATER);
    let later = linked.profile().await.unwrap();
    assert_eq!(later.email.as_deref(), Some("margot@id.example"), "by a refresh");
}
