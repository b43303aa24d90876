//! Rows of OAuth 1.0a that somebody with access to the database gave to another client.

use std::path::Path;

use quadrille::{
    Policy,
    oauth1::{SignatureMethod, Signer},
    provider::{NewClient, oauth1::NewKey, store::SqliteStore},
    testing::ManualClock,
};
use rusqlite::{Connection, params};

use crate::{
    oauth1_support::{SECRET, Signing, client, credentials, offered, problem},
    support::{Answer, CALLBACK, World},
};

const MALLORYS: &str = "the shared-secret of another client";

/// A process that has cached nothing, with a client of its own.
async fn process(folder: &Path, clock: &ManualClock) -> World {
    let store = SqliteStore::open(folder.join("provider.db"), clock.env()).unwrap();
    let new = client(NewClient::confidential("Photo printer").redirect_uri(CALLBACK));
    let oauth1 = offered().remember_nonces_in_the_store();
    World::build(store, clock.clone(), Policy::safe(), new, |server| server.oauth1(oauth1)).await
}

/// Registers Mallory's client, before anything is granted to the other one.
async fn register_mallory(world: &World) {
    let new = NewClient::confidential("Mallory").id("mallory").redirect_uri(CALLBACK);
    let new = new.oauth1(NewKey::ChosenSecret(MALLORYS.into()));
    world.server.register(new).await.unwrap();
}

fn by(client: &str, secret: &str) -> Signing {
    let signer = Signer::hmac(SignatureMethod::HmacSha256, client, &secret.into());
    Signing { signer: signer.unwrap() }
}

fn refused(answer: &Answer) -> bool {
    answer.status() == 401 && problem(answer) == "signature_invalid"
}

#[tokio::test]
async fn a_key_copied_to_another_client_signs_nothing_for_it() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let world = process(folder.path(), &clock).await;
    register_mallory(&world).await;
    let copied = Connection::open(folder.path().join("provider.db")).unwrap().execute(
        "UPDATE quadrille_clients SET record = json_set(record, '$.oauth1', json((
            SELECT record -> '$.oauth1' FROM quadrille_clients WHERE id = ?1
        ))) WHERE id = 'mallory'",
        [&*world.client.id],
    );
    assert_eq!(copied, Ok(1));
    let other = process(folder.path(), &clock).await;
    let further = [("oauth_callback", CALLBACK)];
    assert!(refused(&by("mallory", SECRET).temporary(&other, &further).await));
    assert!(refused(&by("mallory", MALLORYS).temporary(&other, &further).await), "it is replaced");
    assert_eq!(by(&world.client.id, SECRET).temporary(&other, &further).await.status(), 200);
}

#[tokio::test]
async fn credentials_copied_to_another_client_are_of_no_use_to_it() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let world = process(folder.path(), &clock).await;
    register_mallory(&world).await;
    let signing = by(&world.client.id, SECRET);
    let token = signing.linked(&world, "ada").await;
    let (temporary, verifier) = signing.approved(&world, "ada").await;
    let db = Connection::open(folder.path().join("provider.db")).unwrap();
    let give = |table: &str, to: &str| {
        let sql = format!("UPDATE {table} SET client = ?1");
        assert_eq!(db.execute(&sql, params![to]).unwrap_or_default(), 1, "{table}");
    };
    give("quadrille_token_credentials", "mallory");
    db.execute("DELETE FROM quadrille_pending WHERE state = 2", []).unwrap();
    give("quadrille_pending", "mallory");
    let other = process(folder.path(), &clock).await;
    let mallorys = by("mallory", MALLORYS);
    assert!(refused(&mallorys.with(&token).photos(&other).await));
    assert!(refused(&mallorys.token(&other, &temporary, &verifier).await));
    give("quadrille_token_credentials", &world.client.id);
    give("quadrille_pending", &world.client.id);
    let again = process(folder.path(), &clock).await;
    assert_eq!(signing.with(&token).photos(&again).await.status(), 200);
    credentials(&signing.token(&again, &temporary, &verifier).await);
}
