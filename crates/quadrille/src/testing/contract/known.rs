//! Clients that are kept in another part than their grants.

use crate::{
    provider::store::{Bought, Change, Grants, Issue, RowId, TokenRef},
    testing::{ManualClock, rules::worked},
};

use super::{
    checked::{holds, same},
    world::{CLIENT, World, ours},
};

/// By its number: its grants live from there on, and it loses what it had with another number.
pub async fn a_client_that_is_kept_elsewhere_is_known_by_its_number<G: Grants>(
    grants: &G,
    clock: &ManualClock,
) {
    let world = World::of_part(grants, clock);
    let issuer = world.issuer;
    let known = async || worked("known_client", grants.known_client(issuer, CLIENT).await);
    let know = async |number: Option<i64>| {
        worked("know_client", grants.know_client(issuer, number.map(RowId), CLIENT).await)
    };
    let lives =
        async |token: TokenRef| worked("access", grants.access(issuer, &token).await).is_some();
    same("`known_client` knows no client of which it was not told", known().await, None);
    let issue = async || {
        let access = world.access(501, world.grant(500));
        worked("issue", grants.issue(issuer, Issue { access, family: None }).await)
    };
    holds("`issue` says that the client is unknown", !issue().await);
    holds("tokens of an unknown client are dead", !lives(ours(501)).await);

    let position = worked("changes", grants.changes(issuer, -1).await).position;
    let rule = "`know_client` says that it knows the client";
    holds(rule, know(Some(400)).await);
    same("`known_client` has the number of `know_client`", known().await, Some(RowId(400)));
    holds("`issue` stores nothing of a dead grant, so its row is free", issue().await);
    holds("grants with greater numbers than the client's live", lives(ours(501)).await);
    holds(rule, know(Some(400)).await);
    let told = worked("changes", grants.changes(issuer, position).await);
    let rule = "`changes` tells a client that `know_client` changed, once";
    same(rule, told.changes, vec![Change::Client(CLIENT.into())]);

    let consent = async || {
        let resources = &crate::oauth2::Resources::EMPTY;
        worked("consent", grants.consent(issuer, "alice", CLIENT, resources).await)
    };
    let rule = "`know_client` with the same number keeps the client's consents";
    let denial = world.denial(1, world.consent("alice", CLIENT, "photos"));
    worked("answer", grants.answer(issuer, denial).await);
    know(Some(400)).await;
    holds(rule, consent().await.is_some());
    know(Some(600)).await;
    let rule = "`know_client` with another number removes the client's consents";
    same(rule, consent().await, None);
    let rule = "`know_client` with a greater number ends grants with smaller ones";
    holds(rule, !lives(ours(501)).await);
}

/// And nothing of it comes back.
pub async fn a_client_that_is_gone_elsewhere_loses_its_grants<G: Grants>(
    grants: &G,
    clock: &ManualClock,
) {
    let world = World::of_part(grants, clock);
    let issuer = world.issuer;
    let know = async |number: Option<i64>| {
        worked("know_client", grants.know_client(issuer, number.map(RowId), CLIENT).await)
    };
    let lives = async |row| worked("access", grants.access(issuer, &ours(row)).await).is_some();
    know(Some(400)).await;
    for row in [501, 502] {
        let access = world.access(row, world.grant(500));
        worked("issue", grants.issue(issuer, Issue { access, family: None }).await);
    }
    let mut pending = world.pending(700);
    pending.state = crate::provider::store::PendingState::Approved(world.approval(701));
    worked("put_pending", grants.put_pending(issuer, pending).await);
    let bought = Bought::Credential(world.credential(&world.grant(701)));
    worked("redeem_pending", grants.redeem_pending(issuer, RowId(700), bought).await);
    let credential = async || worked("credential", grants.credential(issuer, &ours(701)).await);
    holds("token credentials of a known client live", credential().await.is_some());

    holds("`know_client` says that it knows of no client", know(None).await);
    holds("tokens of a client that is gone are dead", !lives(501).await);
    let unknown = worked("known_client", grants.known_client(issuer, CLIENT).await);
    same("`known_client` knows no client that is gone", unknown, None);
    know(Some(400)).await;
    let rule = "`know_client` without a number removes the client's token credentials for ever";
    same(rule, credential().await, None);
}
