//! Authorization codes.

use crate::{
    Scopes,
    oauth2::Resources,
    provider::store::{Issue, Redeemed, RowId, Store},
    testing::ManualClock,
};

use super::world::World;

/// With everything in it, or with what may be absent absent.
pub async fn a_code_comes_back_as_it_was_put<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let other = store.issuer("https://other.example").await.unwrap();
    let full = world.code(100);
    let mut bare = world.code(101);
    bare.redirect_uri = None;
    bare.challenge = None;
    bare.grant.scopes = Scopes::EMPTY;
    bare.grant.resources = Resources::EMPTY;
    bare.grant.authentication = None;
    for code in [full, bare] {
        store.put_code(world.issuer, code.clone()).await.unwrap();
        assert_eq!(*store.code(world.issuer, code.row).await.unwrap().unwrap(), code);
        assert_eq!(store.code(other, code.row).await.unwrap(), None);
    }
    assert_eq!(store.code(world.issuer, RowId(99)).await.unwrap(), None);
}

/// The first one gets the tokens; the second learns which grant to revoke, and adds nothing.
pub async fn a_code_is_redeemed_once<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let code = world.code(100);
    store.put_code(world.issuer, code.clone()).await.unwrap();
    let other = store.issuer("https://other.example").await.unwrap();
    let issue = |row| Issue {
        access: world.access(row, code.grant.clone()),
        family: Some(world.family(row + 1, code.grant.clone())),
    };
    assert_eq!(store.redeem(other, code.row, issue(200)).await.unwrap(), Redeemed::Unknown);
    let redeemed = store.redeem(world.issuer, code.row, issue(210)).await.unwrap();
    assert_eq!(redeemed, Redeemed::Issued);
    assert!(store.code(world.issuer, code.row).await.unwrap().unwrap().redeemed);
    let replayed = store.redeem(world.issuer, code.row, issue(220)).await.unwrap();
    assert_eq!(replayed, Redeemed::Replayed(code.grant.id));
    assert_eq!(world.issued(210).await, Some(world.access(210, code.grant.clone())));
    let family = store.family(world.issuer, RowId(211)).await.unwrap();
    assert_eq!(family.as_deref(), Some(&world.family(211, code.grant.clone())));
    for absent in [200, 220] {
        assert_eq!(world.issued(absent).await, None);
        assert_eq!(store.family(world.issuer, RowId(absent + 1)).await.unwrap(), None);
    }
    let unknown = store.redeem(world.issuer, RowId(1), issue(230)).await.unwrap();
    assert_eq!(unknown, Redeemed::Unknown);
}

/// And the code is not used up by it.
pub async fn a_code_of_a_revoked_grant_buys_nothing<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let code = world.code(100);
    store.put_code(world.issuer, code.clone()).await.unwrap();
    store.revoke_grant(world.issuer, code.grant.id, world.later(60)).await.unwrap();
    let issue = Issue { access: world.access(200, code.grant.clone()), family: None };
    let redeemed = store.redeem(world.issuer, code.row, issue).await.unwrap();
    assert_eq!(redeemed, Redeemed::Revoked);
    assert!(!store.code(world.issuer, code.row).await.unwrap().unwrap().redeemed);
    assert_eq!(world.issued(200).await, None);
}
