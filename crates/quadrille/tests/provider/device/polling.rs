//! Token requests with a device code (RFC 8628, sections 3.4 and 3.5).

use std::time::Duration;

use quadrille::{
    KeyRing, Policy,
    oauth2::{Resources, TokenRequest},
    provider::{AuthorizationServer, DeviceGrant, GrantType, NewClient},
    testing::ManualClock,
};

use super::{GRANTS, INTERVAL, begin, codes, decide, on_disk, other_client, poll, poll_as, world};
use crate::support::{API, MAIL, World};

#[tokio::test]
async fn a_client_that_polls_too_fast_must_slow_down_by_five_seconds_each_time() {
    let world = world().await;
    let codes = begin(&world).await;
    let expect = async |after: u64, error: &str| {
        world.clock.advance(Duration::from_secs(after));
        assert_eq!(poll(&world, &codes.device).await.error(), error, "after {after}");
    };
    expect(0, "authorization_pending").await;
    expect(5, "authorization_pending").await;
    expect(5, "authorization_pending").await;
    expect(1, "slow_down").await;
    expect(5, "slow_down").await;
    expect(15, "authorization_pending").await;
    expect(15, "authorization_pending").await;
    world.sign_in("ada");
    decide(&world, &codes.user, "decision=all").await;
    // Tokens are not held back.
    poll(&world, &codes.device).await.tokens();
}

#[tokio::test]
async fn a_code_ends_with_its_lifetime_answered_or_not() {
    let world = world().await;
    world.sign_in("ada");
    let (asked, allowed) = (begin(&world).await, begin(&world).await);
    decide(&world, &allowed.user, "decision=all").await;
    world.clock.advance(Duration::from_secs(899));
    assert_eq!(poll(&world, &asked.device).await.error(), "authorization_pending");
    world.clock.advance(Duration::from_secs(1));
    for codes in [asked, allowed] {
        let answer = poll(&world, &codes.device).await;
        assert_eq!((answer.status(), &*answer.error()), (400, "expired_token"));
    }
}

#[tokio::test]
async fn another_client_learns_nothing_and_disturbs_nothing() {
    let world = world().await;
    world.sign_in("ada");
    let codes = begin(&world).await;
    let other = other_client(&world, &[GrantType::DeviceCode]).await;
    for _ in 0..20 {
        assert_eq!(poll_as(&world, &other, &codes.device).await.error(), "invalid_grant");
    }
    assert_eq!(poll(&world, &codes.device).await.error(), "authorization_pending");
    decide(&world, &codes.user, "decision=all").await;
    assert_eq!(poll_as(&world, &other, &codes.device).await.error(), "invalid_grant");
    let tokens = poll(&world, &codes.device).await.tokens();
    assert_eq!(poll_as(&world, &other, &codes.device).await.error(), "invalid_grant");
    assert!(world.is_good(&tokens.access).await, "a stranger's replay revokes nothing");
    let none = other_client(&world, &[GrantType::AuthorizationCode]).await;
    assert_eq!(poll_as(&world, &none, &codes.device).await.error(), "unauthorized_client");
}

#[tokio::test]
async fn a_code_redeemed_twice_ends_its_tokens() {
    let world = world().await;
    world.sign_in("ada");
    let codes = begin(&world).await;
    decide(&world, &codes.user, "decision=all").await;
    let tokens = poll(&world, &codes.device).await.tokens();
    assert_eq!(poll(&world, &codes.device).await.error(), "invalid_grant");
    assert!(!world.is_good(&tokens.access).await);
    assert_eq!(world.refresh(&tokens.refresh.unwrap()).await.error(), "invalid_grant");
}

#[tokio::test]
async fn an_invalid_device_code_is_refused() {
    let world = world().await;
    world.sign_in("ada");
    let codes = begin(&world).await;
    let mut forged = codes.device.clone();
    forged.replace_range(50..51, if &forged[50..51] == "A" { "B" } else { "A" });
    for code in [&*codes.user, &forged, &codes.device[1..], "x", &"x".repeat(5000)] {
        let answer = poll(&world, code).await;
        assert!(["invalid_grant", "invalid_request"].contains(&&*answer.error()), "{code}");
    }
    let asked = "grant_type=urn:ietf:params:oauth:grant-type:device_code&client_id=";
    let form = format!("{asked}{}", world.client.id);
    let kind = "application/x-www-form-urlencoded";
    assert_eq!(world.request("POST", "/oauth/token", kind, &form).await.error(), "invalid_request");
    // A device code serves for nothing else.
    decide(&world, &codes.user, "decision=all").await;
    assert!(!world.is_good(&codes.device).await);
    assert_eq!(world.refresh(&codes.device).await.error(), "invalid_grant");
}

#[tokio::test]
async fn tokens_are_for_the_apis_that_were_asked_for() {
    let world = world().await;
    world.sign_in("ada");
    let both = [("resource", API), ("resource", MAIL)];
    let codes = codes(&world.send(super::asking(&world.auth(), &both)).await);
    let page = super::type_in(&world, &mut crate::support::Browser::default(), &codes.user).await;
    assert!(page.text().contains(&format!("at={API}\n")), "{}", page.text());
    decide(&world, &codes.user, "decision=all").await;
    let with = async |resource: &str| {
        let resource = Resources::of([resource]).unwrap();
        let asked = TokenRequest::DeviceCode { device_code: &codes.device, resource };
        world.token(&world.auth(), &asked).await
    };
    assert_eq!(with("https://third.example").await.error(), "invalid_target");
    with(MAIL).await.tokens();
}

#[tokio::test]
async fn a_withdrawn_consent_ends_tokens_and_codes_of_the_device() {
    let world = world().await;
    world.sign_in("ada");
    let (first, second) = (begin(&world).await, begin(&world).await);
    for codes in [&first, &second] {
        decide(&world, &codes.user, "decision=all").await;
    }
    let tokens = poll(&world, &first.device).await.tokens();
    world.server.revoke_consent("ada", &world.client.id).await.unwrap();
    assert!(!world.is_good(&tokens.access).await);
    assert_eq!(poll(&world, &second.device).await.error(), "invalid_grant");
}

#[tokio::test]
async fn a_client_registered_again_has_no_part_in_codes_from_before() {
    let world = world().await;
    world.sign_in("ada");
    let codes = begin(&world).await;
    decide(&world, &codes.user, "decision=all").await;
    let id = world.client.id.clone();
    world.server.remove_client(&id).await.unwrap();
    world.clock.advance(Duration::from_secs(1));
    let again = NewClient::public("Television").id(&*id).grant_types(GRANTS);
    world.server.register(again).await.unwrap();
    assert_eq!(poll(&world, &codes.device).await.error(), "invalid_grant");
}

#[tokio::test]
async fn codes_outlive_a_restart_and_a_new_key() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::new();
    let before = on_disk(folder.path(), clock.clone()).await;
    let codes = begin(&before).await;
    assert_eq!(poll(&before, &codes.device).await.error(), "authorization_pending");
    let store = quadrille::provider::store::SqliteStore::open(
        folder.path().join("provider.db"),
        clock.env(),
    )
    .unwrap();
    let rotated = |server: AuthorizationServer| {
        let ring = KeyRing::new([&[8; 32], &[7; 32]]).unwrap();
        server.keys(ring).device_grant(DeviceGrant::new())
    };
    let other = NewClient::public("Other").grant_types(GRANTS);
    let after = World::build(store, clock, Policy::safe(), other, rotated).await;
    let auth = before.auth();
    // A restart forgives one early poll.
    assert_eq!(poll_as(&after, &auth, &codes.device).await.error(), "authorization_pending");
    assert_eq!(poll_as(&after, &auth, &codes.device).await.error(), "slow_down");
    after.sign_in("ada");
    decide(&after, &codes.user, "decision=all").await;
    after.clock.advance(INTERVAL);
    poll_as(&after, &auth, &codes.device).await.tokens();
}
