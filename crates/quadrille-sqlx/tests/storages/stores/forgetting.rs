//! Users and clients that go in transactions of the application's own.

use std::sync::Arc;

use quadrille::{
    Env, KeyRing,
    provider::{
        AuthorizationServer,
        store::{Clients as _, Grants as _, Issue, Part as _, RowId},
    },
};

use super::{
    Open,
    application::{Application, Ends},
    on_each_store,
    world::{ISSUER, access, grant, issue, issuer, new_client, token},
};

on_each_store! {
    a_user_and_all_grants_go_in_one_transaction_or_stay
    a_user_goes_before_a_server_has_used_the_store
    a_client_and_its_grants_go_in_one_transaction_or_stay
}

async fn a_user_and_all_grants_go_in_one_transaction_or_stay<O: Open<Store: Application>>() {
    let (_database, [store, other]) = O::two().await;
    store.make_people(&["alice", "bob"]).await;
    let issuer = issuer(&*store).await;
    let of_bob = Issue { access: access(2000, grant(2000, "bob")), family: None };
    assert!(store.issue(issuer, issue(1000)).await.unwrap());
    assert!(store.issue(issuer, of_bob).await.unwrap());
    let position = other.changes(issuer, 0).await.unwrap().position;

    store.delete("alice", Ends::ChangesItsMind).await.unwrap_err();
    assert_eq!(store.people().await, 2);
    assert!(other.access(issuer, &token(1000)).await.unwrap().is_some());
    assert_eq!(other.subject_since(issuer, "alice").await.unwrap(), Some(RowId(0)));

    let before = Env::system().now();
    assert!(store.delete("alice", Ends::Commits).await.unwrap());
    assert_eq!(store.people().await, 1);
    assert_eq!(other.access(issuer, &token(1000)).await.unwrap(), None);
    assert!(other.access(issuer, &token(2000)).await.unwrap().is_some());
    assert!(
        other.changes(issuer, position).await.unwrap().position > position,
        "others hear of it"
    );

    // A request that is under way found the user signed in.
    let late = Issue { access: access(1001, grant(1000, "alice")), family: None };
    assert!(!other.issue(issuer, late).await.unwrap());
    // The next user with the subject.
    let removed = other.subject_since(issuer, "alice").await.unwrap().unwrap();
    assert!(removed > RowId::last_at(before));
    let next = removed.0 + 1;
    let of_next = Issue { access: access(next, grant(next, "alice")), family: None };
    assert!(other.issue(issuer, of_next).await.unwrap());
    assert!(store.access(issuer, &token(next)).await.unwrap().is_some());
}

async fn a_user_goes_before_a_server_has_used_the_store<O: Open<Store: Application>>() {
    let (_database, [store, _]) = O::two().await;
    store.make_people(&["alice"]).await;
    assert!(!store.delete("alice", Ends::Commits).await.unwrap(), "there are no grants");
    assert_eq!(store.people().await, 0);
    assert!(!store.remove("app", Ends::Commits).await.unwrap());
}

async fn a_client_and_its_grants_go_in_one_transaction_or_stay<O: Open<Store: Application>>() {
    let (_database, [store, other]) = O::two().await;
    // In a table of the application's own.
    let issuer = issuer(&*store).await;
    store.issue(issuer, issue(1000)).await.unwrap();
    store.remove("app", Ends::ChangesItsMind).await.unwrap_err();
    assert!(other.access(issuer, &token(1000)).await.unwrap().is_some());
    assert!(store.remove("app", Ends::Commits).await.unwrap());
    assert_eq!(other.access(issuer, &token(1000)).await.unwrap(), None);
    assert!(!store.remove("app", Ends::Commits).await.unwrap(), "it is gone");
    store.know_client(issuer, Some(RowId(5000)), "app").await.unwrap();
    assert_eq!(other.access(issuer, &token(1000)).await.unwrap(), None, "of another client");

    // Registered with the server.
    let server = AuthorizationServer::new(ISSUER, Arc::clone(&store)).unwrap();
    let server = server.keys(KeyRing::new([&[7; 32]]).unwrap());
    server.register(new_client().id("printer")).await.unwrap();
    assert!(store.remove("printer", Ends::Commits).await.unwrap());
    assert_eq!(other.client(issuer, "printer").await.unwrap(), None);
}
