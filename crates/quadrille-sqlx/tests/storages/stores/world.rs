//! Records to store.

use std::time::Duration;

use quadrille::{
    Actor, Env, Scopes, Timestamp,
    oauth2::Resources,
    provider::{
        NewClient,
        store::{
            AccessRecord, CodeRecord, FamilyRecord, Grant, Issue, IssuerId, Rotation, RowId, Store,
            TokenRef,
        },
    },
    testing::ManualClock,
};

pub(super) const ISSUER: &str = "https://id.example";

/// The number of the issuer, with a client `app`.
pub(super) async fn issuer(store: &impl Store) -> IssuerId {
    let issuer = store.issuer(ISSUER).await.unwrap();
    store.know_client(issuer, Some(RowId(1)), "app").await.unwrap();
    issuer
}

pub(super) fn grant(row: i64, subject: &str) -> Grant {
    Grant {
        id: RowId(row),
        client: "app".into(),
        actor: Actor::User(subject.into()),
        scopes: Scopes::parse("photos profile").unwrap(),
        resources: Resources::EMPTY,
        authentication: None,
        details: None,
    }
}

pub(super) fn hash(row: i64) -> [u8; 32] {
    let mut hash = [7; 32];
    hash[..8].copy_from_slice(&row.to_be_bytes());
    hash
}

pub(super) fn token(row: i64) -> TokenRef {
    TokenRef::Row { row: RowId(row), hash: hash(row) }
}

/// A clock that stands still now: the records here have the time of the system.
pub(super) fn clock_now() -> ManualClock {
    ManualClock::at(Env::system().now())
}

fn later(seconds: u64) -> Timestamp {
    Env::system().now() + Duration::from_secs(seconds)
}

pub(super) fn access(row: i64, grant: Grant) -> AccessRecord {
    AccessRecord {
        row: RowId(row),
        hash: hash(row),
        grant,
        expires: later(3600),
        binding: None,
        exchange: None,
    }
}

pub(super) fn code(row: i64) -> CodeRecord {
    CodeRecord {
        row: RowId(row),
        hash: hash(row),
        grant: grant(row, "alice"),
        redirect_uri: None,
        challenge: None,
        expires: later(60),
        redeemed: false,
    }
}

pub(super) fn issue(row: i64) -> Issue {
    Issue { access: access(row, grant(row, "alice")), family: None }
}

pub(super) fn family(row: i64) -> FamilyRecord {
    let grant = grant(row, "alice");
    FamilyRecord {
        row: RowId(row),
        grant,
        generation: 0,
        current: hash(row),
        previous: None,
        rotated: later(0),
        expires: later(3600),
        ends: later(36_000),
    }
}

/// A rotation of `family` as it is, with an access token in this row.
pub(super) fn rotation(family: &FamilyRecord, row: i64) -> Rotation {
    Rotation {
        family: family.row,
        generation: family.generation,
        presented: family.current,
        successor: Some(hash(row)),
        rotated: later(0),
        expires: later(7200),
        access: access(row, family.grant.clone()),
    }
}

pub(super) fn new_client() -> NewClient {
    NewClient::confidential("Photo printer").redirect_uri("https://app.example/back")
}
