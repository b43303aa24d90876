//! The authentication context classes that a client wants.

use bytes::Bytes;
use quadrille::{Authentication, Policy};

use super::{asking, world_of};
use crate::support::{Answer, Browser, World};

const GOLD: &str = r#"{"id_token":{"acr":{"values":["urn:unknown","gold","basic"]}}}"#;

async fn world() -> World {
    let policy = Policy::openid().acr_values(["gold", "pwd", "basic"]);
    world_of(|new| new, move |server| server.policy(policy)).await
}

fn sign_in(world: &World, acr: &str) {
    let mut ada = Authentication::new("ada", world.env.now());
    ada.acr = Some(acr.into());
    *world.signed_in.lock().unwrap() = Some(ada);
}

async fn ask(world: &World, further: &[(&str, &str)]) -> Answer {
    world.ask(&mut Browser::default(), &asking(world, "openid", further)).await
}

/// The classes as the application gets them.
async fn classes(world: &World, scope: &str, further: &[(&str, &str)]) -> String {
    let url = asking(world, scope, further).to_url("https://id.example/oauth/authorize").unwrap();
    let request = http::Request::get(url).body(Bytes::new()).unwrap();
    let asked = world.server.authorize(request).await.unwrap_or_else(|_| panic!("a good request"));
    asked.acr_values().collect::<Vec<_>>().join(" ")
}

/// Sections 3.1.2.1 and 5.5.1.1: in the client's order of preference.
#[tokio::test]
async fn the_class_that_the_client_prefers_comes_first() {
    let world = world().await;
    let asked = [("acr_values", "basic urn:unknown pwd")];
    assert_eq!(classes(&world, "openid", &asked).await, "basic pwd");
    assert_eq!(classes(&world, "photos:read", &asked).await, "basic pwd");
    let essential = r#"{"id_token":{"acr":{"essential":true,"values":["pwd","gold"]}}}"#;
    assert_eq!(classes(&world, "openid", &[("claims", essential)]).await, "pwd gold");
    assert_eq!(classes(&world, "openid", &[("claims", GOLD)]).await, "gold basic");
    let both = [("claims", GOLD), ("acr_values", "pwd")];
    assert_eq!(classes(&world, "openid", &both).await, "gold basic");
    let any = r#"{"id_token":{"acr":{"essential":true}}}"#;
    let both = [("claims", any), ("acr_values", "basic pwd")];
    assert_eq!(classes(&world, "openid", &both).await, "basic pwd");
}

/// Section 5.5.1.1.
#[tokio::test]
async fn a_voluntary_acr_with_values_leads_to_such_a_sign_in_as_acr_values_do() {
    let world = world().await;
    sign_in(&world, "pwd");
    for further in [[("claims", GOLD)], [("acr_values", "gold basic")]] {
        let weak = ask(&world, &further).await;
        assert!(weak.location().starts_with("/sign-in?next="), "{weak:?}");
    }
    let silent = ask(&world, &[("claims", GOLD), ("prompt", "none")]).await;
    assert_eq!(silent.query("error"), "login_required");
    sign_in(&world, "basic");
    assert_eq!(ask(&world, &[("claims", GOLD)]).await.status(), 200);
    // What the server does not know is no obstacle.
    let unknown = r#"{"id_token":{"acr":{"value":"urn:unknown"}}}"#;
    assert_eq!(ask(&world, &[("claims", unknown)]).await.status(), 200);
}
