//! Records to put into stores.

use std::{path::Path, sync::Arc, time::Duration};

use quadrille::{
    Actor, Authentication, Env, Scopes, Timestamp,
    oauth2::Resources,
    provider::{
        Client,
        store::{
            AccessRecord, CodeRecord, FamilyRecord, Grant, Issue, IssuerId, Rotation, RowId,
            SecretHash, SqliteStore, Store, TokenRef,
        },
    },
};
use tempfile::TempDir;

pub(crate) const CLIENT: &str = "app";

/// A store in a new file, and the folder that goes with it.
pub(crate) fn sqlite(env: Env) -> (SqliteStore, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), env);
    (store, folder)
}

/// The store in this folder: the same file as another's, if there is one.
pub(crate) fn open(folder: &Path, env: Env) -> SqliteStore {
    SqliteStore::open(folder.join("quadrille.db"), env).unwrap()
}

/// An issuer with a client.
pub(crate) async fn issuer(store: &impl Store) -> IssuerId {
    let issuer = store.issuer("https://id.example").await.unwrap();
    put_client(store, issuer, client(CLIENT, 1)).await;
    issuer
}

/// Puts a client there, whatever was before.
pub(crate) async fn put_client(store: &impl Store, issuer: IssuerId, client: Client) {
    let before = store.client(issuer, &client.id).await.unwrap();
    assert!(store.put_client(issuer, client, before).await.unwrap());
}

pub(crate) fn client(id: &str, number: i64) -> Client {
    serde_json::from_value(serde_json::json!({
        "id": id,
        "number": number,
        "name": "An application",
        "client_type": "confidential",
        "secrets": [],
        "redirect_uris": ["https://app.example/back"],
        "scopes": "photos profile",
        "grant_types": ["authorization_code", "refresh_token"],
        "first_party": false,
        "created": 1_700_000_000_000_i64,
    }))
    .unwrap()
}

pub(crate) fn grant(id: i64, subject: &str) -> Grant {
    let authentication = Authentication::new(subject, Timestamp::from_seconds(1_800_000_000));
    Grant {
        id: RowId(id),
        client: CLIENT.into(),
        actor: Actor::User(subject.into()),
        scopes: Scopes::of(["photos", "profile"]),
        resources: Resources::of(["https://api.example"]).unwrap(),
        authentication: Some(Arc::new(authentication)),
        details: None,
    }
}

pub(crate) fn access(row: i64, grant: Grant, now: Timestamp) -> AccessRecord {
    AccessRecord {
        row: RowId(row),
        hash: hash(row),
        grant,
        expires: now + HOUR,
        binding: None,
        exchange: None,
    }
}

pub(crate) fn issue(row: i64, grant: i64, now: Timestamp) -> Issue {
    Issue { access: access(row, self::grant(grant, "alice"), now), family: None }
}

pub(crate) fn code(row: i64, now: Timestamp) -> CodeRecord {
    CodeRecord {
        row: RowId(row),
        hash: hash(row),
        grant: grant(row, "alice"),
        redirect_uri: None,
        challenge: None,
        expires: now + HOUR,
        redeemed: false,
    }
}

pub(crate) fn family(row: i64, grant: Grant, now: Timestamp) -> FamilyRecord {
    FamilyRecord {
        row: RowId(row),
        grant,
        generation: 0,
        current: hash(row),
        previous: None,
        rotated: now,
        expires: now + HOUR,
        ends: now + HOUR * 10,
    }
}

/// Turns `family`, with an access token in this row.
pub(crate) fn rotation(family: &FamilyRecord, row: i64, now: Timestamp) -> Rotation {
    Rotation {
        family: family.row,
        generation: family.generation,
        presented: family.current,
        successor: Some(hash(-row)),
        rotated: now,
        expires: now + HOUR,
        access: access(row, family.grant.clone(), now),
    }
}

pub(crate) fn token(row: i64) -> TokenRef {
    TokenRef::Row { row: RowId(row), hash: hash(row) }
}

pub(crate) async fn is_good(store: &impl Store, issuer: IssuerId, row: i64) -> bool {
    store.access(issuer, &token(row)).await.unwrap().is_some()
}

pub(crate) fn hash(of: i64) -> SecretHash {
    let mut hash = [0x5a; 32];
    hash[..8]
        .copy_from_slice(&of.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64.cast_signed()).to_be_bytes());
    hash[8] = of.to_be_bytes()[7];
    hash
}

const HOUR: Duration = Duration::from_secs(3600);
