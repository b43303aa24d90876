//! Removing expired rows, and nothing else.

use std::time::Duration;

use crate::{
    Actor, Timestamp,
    provider::store::{
        Bought, Grant, Issue, Outcome, PendingRecord, PendingState, REVOCATION_SWEEP_DELAY,
        RevokeAll, RowId, RowIds, SWEEP_DELAY, Store, TicketUse,
    },
    testing::ManualClock,
};

use super::{
    checked::{holds, same},
    world::{CLIENT, World, client, hash},
};

/// The kinds of expiring rows, and the verbs that store them.
#[derive(Clone, Copy, Debug)]
enum Kind {
    AccessTokens,
    AccessTokensByRotation,
    RefreshTokens,
    Codes,
    Tickets,
    Keys,
    Revocations,
    PendingRequests,
    TokenCredentials,
    Imported,
}

use Kind::*;

const KINDS: [Kind; 10] = [
    AccessTokens,
    AccessTokensByRotation,
    RefreshTokens,
    Codes,
    Tickets,
    Keys,
    Revocations,
    PendingRequests,
    TokenCredentials,
    Imported,
];

impl Kind {
    /// The name in the rules.
    const fn name(self) -> &'static str {
        match self {
            AccessTokens => "access tokens that `issue` put",
            AccessTokensByRotation => "access tokens that `rotate` put",
            RefreshTokens => "families of refresh tokens, when they `expire`,",
            Codes => "authorization codes",
            Tickets => "tickets that `answer` used up",
            Keys => "keys of `remember_once`",
            Revocations => "what `revoke_grant` remembers",
            PendingRequests => "pending requests",
            TokenCredentials => "token credentials",
            Imported => "access tokens that `import` put",
        }
    }

    /// The time for which an expired row stays.
    const fn delay(self) -> Duration {
        match self {
            Revocations => REVOCATION_SWEEP_DELAY,
            _ => SWEEP_DELAY,
        }
    }

    /// Stores a row of this kind.
    async fn put<S: Store>(self, world: &World<'_, S>, row: i64, expires: Timestamp) {
        let (store, issuer) = (world.store, world.issuer);
        let grant = world.grant(row);
        let mut access = world.access(row, grant.clone());
        access.expires = expires;
        match self {
            AccessTokens => {
                store.issue(issuer, Issue { access, family: None }).await;
            }
            AccessTokensByRotation => {
                // The family itself outlives this test.
                let family = store.family(issuer, RowId(FAMILY)).await.unwrap();
                let mut rotation = world.rotation(&family, row);
                rotation.access.expires = expires;
                rotation.expires = family.expires;
                store.rotate(issuer, rotation).await;
            }
            RefreshTokens => {
                let mut family = world.family(row, grant);
                family.expires = expires;
                access.expires = world.later(10 * YEAR);
                store.issue(issuer, Issue { access, family: Some(family) }).await;
            }
            Codes => {
                let mut code = world.code(row);
                code.expires = expires;
                store.put_code(issuer, code).await;
            }
            Tickets => {
                let mut ticket = [0; 16];
                ticket[..8].copy_from_slice(&row.to_be_bytes());
                let used = TicketUse { ticket, until: expires };
                let mut answer = world.denial(0, world.consent("alice", CLIENT, "photos"));
                (answer.outcome, answer.consent) = (Outcome::Ticket(used, None), None);
                store.answer(issuer, answer).await;
            }
            Keys => {
                store.remember_once(issuer, "nonce", hash(row), expires).await;
            }
            Revocations => {
                store.revoke_grant(issuer, RowId(row), expires).await;
            }
            PendingRequests => {
                let user_code = Some(hash(-row));
                let pending = PendingRecord { user_code, expires, ..approved(world, row) };
                store.put_pending(issuer, pending).await;
            }
            TokenCredentials => {
                let expires = world.later(YEAR);
                let pending = PendingRecord { expires, ..approved(world, row) };
                store.put_pending(issuer, pending).await;
                let mut credential = world.credential(&access.grant);
                credential.access = access.into();
                store.redeem_pending(issuer, RowId(row), Bought::Credential(credential)).await;
            }
            Imported => store.import(issuer, access).await,
        }
    }
}

/// The row of the family whose access tokens are refreshed.
const FAMILY: i64 = 7;

const YEAR: u64 = 365 * 24 * 3600;

async fn put_family<S: Store>(world: &World<'_, S>) {
    let grant = world.grant(FAMILY);
    let mut family = world.family(FAMILY, grant.clone());
    family.expires = world.later(10 * YEAR);
    family.ends = family.expires;
    let mut access = world.access(FAMILY, grant);
    access.expires = family.expires;
    world.store.issue(world.issuer, Issue { access, family: Some(family) }).await;
}

/// An approved request, which can be redeemed.
fn approved<S: Store>(world: &World<'_, S>, row: i64) -> PendingRecord {
    PendingRecord { state: PendingState::Approved(world.approval(row)), ..world.pending(row) }
}

/// For every kind, after a while; rows that have not expired for that long stay, to the second.
pub async fn what_expired_is_given_back_by_sweeping<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    put_family(&world).await;
    for (first, kind) in (1..).zip(KINDS) {
        for row in 0..3 {
            kind.put(&world, first * 1000 + row, world.later(60)).await;
        }
        for row in 10..12 {
            kind.put(&world, first * 1000 + row, world.later(7200)).await;
        }
        let name = kind.name();
        clock.advance(Duration::from_secs(60));
        let gone = store.sweep_all(clock.now()).await;
        let rule = format!("`sweep` leaves {name} that expire now or later");
        same(rule, gone, 0);
        clock.advance(kind.delay());
        let gone = store.sweep_all(clock.now()).await;
        let rule = format!("`sweep` leaves {name} for a while after they expired");
        same(rule, gone, 0);
        clock.advance(Duration::from_secs(3600));
        let gone = store.sweep_all(clock.now()).await;
        let rule = format!("`sweep` gives back {name} that expired, and says how many rows went");
        holds(format_args!("{rule}: {gone} of 3"), is_count(kind, gone, 3));
        clock.advance(Duration::from_secs(4000));
        let gone = store.sweep_all(clock.now()).await;
        let rule = format!("`sweep` gives back {name} later that had not expired the first time");
        holds(format_args!("{rule}: {gone} of 2"), is_count(kind, gone, 2));
    }
}

/// An imported token may have a second row, for its look-up.
fn is_count(kind: Kind, gone: u64, rows: u64) -> bool {
    gone == rows || (matches!(kind, Imported) && gone == 2 * rows)
}

/// The rounds in one of which a store must have kept up with what it stores. It may remove rows beside
/// the verbs that store others, and be late on a machine that has more to do.
const ROUNDS: usize = 20;

/// So no explicit sweep is needed: each verb that stores a kind removes expired rows.
pub async fn what_expired_is_given_back_by_storing_more<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let rows = RowIds::new(clock.env());
    put_family(&world).await;
    for kind in KINDS {
        // An imported token may have a second row.
        let most = if matches!(kind, Imported) { 240 } else { 180 };
        let mut left = most;
        for _ in 0..ROUNDS {
            left = left_of_a_round(&world, &rows, kind, clock).await;
            if left < most {
                break;
            }
        }
        let rule = format!("{} that expired are given back as others are stored", kind.name());
        holds(format_args!("{rule}: {left} of 240 were left for `sweep`"), left < most);
    }
}

/// The rows, of 240 that expired, that are left after 40 were stored at a time.
async fn left_of_a_round<S: Store>(
    world: &World<'_, S>,
    rows: &RowIds,
    kind: Kind,
    clock: &ManualClock,
) -> u64 {
    for _ in 0..6 {
        for _ in 0..40 {
            let row = rows.draw(world.store.0).await.unwrap().0;
            kind.put(world, row, world.later(60)).await;
        }
        clock.advance(kind.delay() + Duration::from_secs(600));
    }
    world.store.sweep_all(clock.now()).await
}

/// Its new expiry counts.
pub async fn a_refresh_token_that_turned_is_given_back_when_its_successor_expires<S: Store>(
    store: &S,
    clock: &ManualClock,
) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let grant = world.grant(500);
    let mut family = world.family(502, grant.clone());
    family.expires = world.later(3600);
    let issue = Issue { access: world.access(501, grant), family: Some(family.clone()) };
    store.issue(world.issuer, issue).await;
    clock.advance(Duration::from_secs(3000));
    let mut rotation = world.rotation(&family, 510);
    rotation.expires = world.later(7200);
    store.rotate(world.issuer, rotation).await;
    clock.advance(Duration::from_secs(6000) + SWEEP_DELAY);
    store.sweep_all(clock.now()).await;
    let rule = "`sweep` leaves a family whose refresh token turned until its successor expires";
    holds(rule, store.family(world.issuer, RowId(502)).await.is_some());
    clock.advance(Duration::from_secs(3600));
    store.sweep_all(clock.now()).await;
    let rule = "`sweep` gives back a family whose refresh token turned when its successor expired";
    same(rule, store.family(world.issuer, RowId(502)).await, None);
}

/// A list of grants that only grows would slow down its user's page.
pub async fn what_is_listed_of_a_user_is_given_back_when_the_last_token_expired<S: Store>(
    store: &S,
    clock: &ManualClock,
) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let numbers = async || {
        let listed = store.grants(world.issuer, "alice").await;
        listed.iter().map(|listed| listed.grant.id.0).collect::<Vec<_>>()
    };
    for (grant, ends) in [(500, 60), (600, 7200)] {
        let mut access = world.access(grant + 1, world.grant(grant));
        access.expires = world.later(ends);
        store.issue(world.issuer, Issue { access, family: None }).await;
    }
    clock.advance(Duration::from_secs(3600) + SWEEP_DELAY);
    store.sweep_all(clock.now()).await;
    let rule = "`sweep` gives back what `grants` lists of a grant whose last token expired, and \
        no other";
    same(rule, numbers().await, vec![600]);
    let mut access = world.access(602, world.grant(600));
    access.expires = world.later(4 * 7200);
    store.issue(world.issuer, Issue { access, family: None }).await;
    clock.advance(Duration::from_secs(7200));
    store.sweep_all(clock.now()).await;
    let rule = "`sweep` leaves what `grants` lists until the last token of the grant expired";
    same(rule, numbers().await, vec![600]);
    clock.advance(Duration::from_secs(5 * 7200));
    store.sweep_all(clock.now()).await;
    same(rule, numbers().await, Vec::new());
}

/// However old the revocation is.
pub async fn sweeping_forgets_no_revocation_that_still_counts<S: Store>(
    store: &S,
    clock: &ManualClock,
) {
    let world = World::of(store, clock).await;
    let store = world.store;
    store.replace_client(world.issuer, client("other", 2)).await;
    let subject = |name: &str| RevokeAll::Subject(name.into());
    store.revoke_all(world.issuer, subject("alice"), RowId(600)).await;
    store.revoke_all(world.issuer, RevokeAll::Removed("bob".into()), RowId(9500)).await;
    let withdrawn = RevokeAll::Consent { subject: "carol".into(), client: CLIENT.into() };
    store.revoke_all(world.issuer, withdrawn, RowId(600)).await;
    let consent = world.consent("dave", CLIENT, "photos");
    store.answer(world.issuer, world.denial(1, consent.clone())).await;
    store.revoke_grant(world.issuer, RowId(700), world.later(50 * 24 * 3600)).await;

    let issued = async |row: i64, grant: i64, who: &str, client: &str| {
        let actor = Actor::User(who.into());
        let grant = Grant { actor, client: client.into(), ..world.grant(grant) };
        let access = world.access(row, grant);
        store.issue(world.issuer, Issue { access, family: None }).await;
        world.issued(row).await.is_some()
    };
    clock.advance(Duration::from_secs(49 * 24 * 3600));
    store.sweep_all(clock.now()).await;
    let rule = "`sweep` leaves what `revoke_grant` remembers until the last token would have ended";
    holds(rule, !issued(1000, 700, "dave", CLIENT).await);

    clock.advance(Duration::from_secs(2 * YEAR));
    // Implicitly while others are stored, and explicitly.
    for row in 2000..2200 {
        issued(row, 9000, "erin", CLIENT).await;
    }
    store.sweep_all(clock.now()).await;
    for (row, grant, who, client, lives, rule) in [
        (3000, 600, "alice", CLIENT, false, "`sweep` forgets nobody whom `revoke_all` cut off"),
        (3001, 601, "alice", CLIENT, true, "`sweep` cuts nobody off"),
        (3002, 9500, "bob", CLIENT, false, "`sweep` forgets nobody who was removed"),
        (3003, 600, "carol", CLIENT, false, "`sweep` forgets no consent that was withdrawn"),
        (3004, 600, "carol", "other", true, "`sweep` withdraws no consent"),
    ] {
        same(rule, issued(row, grant, who, client).await, lives);
    }
    let since = store.subject_since(world.issuer, "bob").await;
    same("`sweep` forgets no removal", since, Some(RowId(9500)));
    let rule = "`sweep` forgets no consent";
    same(rule, store.consent(world.issuer, "dave", CLIENT).await, Some(consent));
    let clients = store.clients(world.issuer).await.len();
    same("`sweep` removes no client", clients, 2);
}
