//! Clients that go in transactions of the application's own.

use std::sync::Arc;

use quadrille::{
    Env, KeyRing,
    provider::{
        AuthorizationServer,
        store::{Clients as _, Grants as _, RowId, StoreError},
    },
};
use quadrille_sqlx::PgStore;

use crate::databases::{Database as _, Postgres};

use super::world::{ISSUER, issue, issuer, new_client, token};

async fn forget(store: &PgStore, client: &'static str, commits: bool) -> Result<bool, StoreError> {
    let work = store.transaction(move |transaction| {
        Box::pin(async move {
            let was_known = transaction.forget_client(ISSUER, client).await?;
            match commits {
                true => Ok(was_known),
                false => Err(StoreError::failed("the application changed its mind").into()),
            }
        })
    });
    work.await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_and_its_grants_go_in_one_transaction_or_stay() {
    let database = Postgres::new().await;
    let store = Arc::new(PgStore::open(database.pool().await, Env::system()).await.unwrap());
    // In a table of the application's own.
    let issuer = issuer(&store).await;
    store.issue(issuer, issue(1000)).await.unwrap();
    forget(&store, "app", false).await.unwrap_err();
    assert!(store.access(issuer, &token(1000)).await.unwrap().is_some());
    assert!(forget(&store, "app", true).await.unwrap());
    assert_eq!(store.access(issuer, &token(1000)).await.unwrap(), None);
    assert!(!forget(&store, "app", true).await.unwrap(), "it is gone");
    store.know_client(issuer, Some(RowId(5000)), "app").await.unwrap();
    assert_eq!(store.access(issuer, &token(1000)).await.unwrap(), None, "of another client");

    // Registered with the server.
    let server = AuthorizationServer::new(ISSUER, Arc::clone(&store)).unwrap();
    let server = server.keys(KeyRing::new([&[7; 32]]).unwrap());
    server.register(new_client().id("printer")).await.unwrap();
    assert!(forget(&store, "printer", true).await.unwrap());
    assert_eq!(store.client(issuer, "printer").await.unwrap(), None);
}
