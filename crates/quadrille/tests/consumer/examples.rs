//! The examples that live beside other crates, run as they are.

#[allow(dead_code, unreachable_pub, missing_docs, reason = "a program of its own")]
#[path = "../../examples/tenants.rs"]
mod tenants;

/// The table of users of an example.
#[cfg(feature = "sqlite")]
#[allow(dead_code, reason = "a part of a program")]
#[path = "../../examples/own_users/people.rs"]
mod people;

use std::sync::Arc;

use crate::support::{Browser, SECRET, World};

#[cfg(feature = "sqlite")]
quadrille::testing::users_contract!(a_table_of_users_of_ones_own, || {
    let folder = tempfile::tempdir().unwrap();
    (people::People::open(&folder.path().join("people.db")).unwrap(), folder)
});

#[tokio::test]
async fn a_service_for_each_customer() {
    let world = World::new();
    let customer = tenants::Customer {
        host: "git.acme.example".to_owned(),
        client_id: "our-id".to_owned(),
        client_secret: SECRET.to_owned(),
    };
    let customers = Arc::new([("acme".to_owned(), customer)].into());
    let mut alice = Browser::new(tenants::app(world.login(), customers));
    let away = alice.go("/acme").await;
    assert!(away.location().starts_with("https://git.acme.example/login/oauth/authorize?"));
    let query = world.service.consent(away.location(), 41).unwrap();
    let page = alice.go(&format!("/login/gitea~acme/authorized?{query}")).await;
    assert_eq!(page.text, "You are \"user-41\" at acme");
    assert!(alice.go("/another").await.has_code("tenant_unknown"));
}
