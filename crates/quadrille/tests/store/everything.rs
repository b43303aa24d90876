//! Something of each kind that a grant of a user is made of.

use std::time::Duration;

use quadrille::{
    Scopes,
    provider::store::{
        Answer, Approval, Bought, Consent, CredentialRecord, DeviceCode, Grant, Identifier, Issue,
        IssuerId, Outcome, PendingKind, PendingRecord, PendingState, Redeemed, RowId, Store,
        TicketUse,
    },
    testing::ManualClock,
};

use crate::world::{CLIENT, access, code, family, grant, hash, token};

/// Gives a user something of each kind, in rows from `row` on.
pub(crate) async fn grant_everything(
    store: &impl Store,
    issuer: IssuerId,
    (row, subject): (i64, &str),
    clock: &ManualClock,
) {
    let now = clock.now();
    let of = |id| grant(id, subject);
    let issue = Issue {
        access: access(row + 1, of(row), now),
        family: Some(family(row + 2, of(row), now)),
    };
    store.issue(issuer, issue).await.unwrap();
    let mut waiting = code(row + 10, now);
    waiting.grant = of(row + 10);
    let consent = Consent {
        subject: subject.into(),
        client: CLIENT.into(),
        resources: waiting.grant.resources.clone(),
        scopes: Scopes::of(["photos"]),
        given: now,
        data: serde_json::Map::new(),
    };
    let mut ticket = [0; 16];
    ticket[..8].copy_from_slice(&row.to_be_bytes());
    let used = TicketUse { ticket, until: now + Duration::from_secs(600) };
    let answer = Answer {
        outcome: Outcome::Ticket(used, Some(waiting)),
        asked: Scopes::of(["photos"]),
        consent: Some(consent),
    };
    store.answer(issuer, answer).await.unwrap();
    for (place, kind) in [(20, "device"), (30, "credential")] {
        let pending = PendingRecord {
            row: RowId(row + place),
            identifier: Identifier::Row(hash(row + place)),
            user_code: None,
            client: CLIENT.into(),
            scopes: Scopes::of(["photos"]),
            resources: of(row).resources,
            expires: now + Duration::from_secs(600),
            state: PendingState::Approved(Approval { proof: None, grant: of(row + place + 1) }),
            kind: PendingKind::Device(DeviceCode { from: None }),
        };
        store.put_pending(issuer, pending).await.unwrap();
        if kind == "credential" {
            let access = access(row + place + 1, of(row + place + 1), now);
            let secret = b"sealed".as_slice().into();
            let bought = CredentialRecord { access: access.into(), is_foreign: false, secret };
            let bought = Bought::Credential(bought);
            let redeemed = store.redeem_pending(issuer, RowId(row + place), bought).await;
            assert_eq!(redeemed.unwrap(), Redeemed::Issued);
        }
    }
}

/// The kinds that are alive, with one code or device code redeemed if it buys something.
pub(crate) async fn alive(
    store: &impl Store,
    issuer: IssuerId,
    (row, subject): (i64, &str),
    clock: &ManualClock,
) -> Vec<&'static str> {
    let now = clock.now();
    let (mut alive, of) = (Vec::new(), |id| -> Grant { grant(id, subject) });
    if store.access(issuer, &token(row + 1)).await.unwrap().is_some() {
        alive.push("access token");
    }
    if store.family(issuer, RowId(row + 2)).await.unwrap().is_some() {
        alive.push("refresh token");
    }
    let issue = Issue { access: access(row + 11, of(row + 10), now), family: None };
    if store.redeem(issuer, RowId(row + 10), issue).await.unwrap() == Redeemed::Issued {
        alive.push("code");
    }
    let issue = Issue { access: access(row + 22, of(row + 21), now), family: None };
    let bought = Bought::Tokens(issue.into());
    if store.redeem_pending(issuer, RowId(row + 20), bought).await.unwrap() == Redeemed::Issued {
        alive.push("device code");
    }
    if store.credential(issuer, &token(row + 31)).await.unwrap().is_some() {
        alive.push("token credentials");
    }
    if !store.consents(issuer, subject).await.unwrap().is_empty() {
        alive.push("consent");
    }
    if !store.grants(issuer, subject).await.unwrap().is_empty() {
        alive.push("listed grant");
    }
    alive
}

pub(crate) const ALL: [&str; 7] = [
    "access token",
    "refresh token",
    "code",
    "device code",
    "token credentials",
    "consent",
    "listed grant",
];
