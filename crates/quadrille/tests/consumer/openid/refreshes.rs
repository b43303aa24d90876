//! ID tokens that come with a refresh (OpenID Connect Core, section 12.2).

use std::time::Duration;

use http::StatusCode;
use quadrille::{
    Error,
    consumer::{Account, ServiceError},
    jose::ClaimsError,
    oidc::IdTokenRejected as Rejected,
    testing::{self, OpenIdFault as Fault, Refresh},
    transport::Purpose,
};

use super::World;

const HOUR: Duration = Duration::from_secs(3600);

async fn linked(refresh: Refresh) -> (World, Account) {
    let world = World::new();
    world.service.change(|manners| {
        manners.lifetime = Some(HOUR);
        manners.refresh = refresh;
    });
    let account = world.log_in(7).await.unwrap();
    world.clock.advance(2 * HOUR);
    (world, account)
}

impl World {
    /// A call whose token has expired.
    async fn call(&self, account: &Account) -> quadrille::Result<serde_json::Value> {
        self.login.linked_by_name(account).await?.get("things").await
    }

    async fn issued(&self, account: &Account) -> Option<i64> {
        let acme = self.login.linked_by_name(account).await.unwrap();
        acme.claims()?.all().get("iat")?.as_i64()
    }
}

/// OpenID Connect Core, sections 12.1 and 12.2.
#[tokio::test]
async fn the_claims_are_those_of_the_last_id_token() {
    let (world, account) = linked(Refresh::Rotating).await;
    let before = world.issued(&account).await.unwrap();
    world.call(&account).await.unwrap();
    assert_eq!(world.service.times_asked(Purpose::Refresh), 1);
    let after = world.issued(&account).await.unwrap();
    assert_eq!(after - before, 7200);
}

/// OpenID Connect Core, section 12.2.
#[tokio::test]
async fn an_id_token_that_is_of_another_user_stores_nothing() {
    for (fault, reason) in [
        (Fault::SubjectOther, Rejected::Changed("sub")),
        (Fault::NonceOther, Rejected::Changed("nonce")),
        (Fault::IssuerOther, Rejected::Claims(ClaimsError::Issuer)),
        (Fault::AudienceOther, Rejected::Claims(ClaimsError::Audience)),
        (Fault::AuthorizedPartyOther, Rejected::AuthorizedPartyOther),
    ] {
        let (world, account) = linked(Refresh::Lasting).await;
        world.service.misidentifies(fault);
        let error = world.call(&account).await.unwrap_err();
        let expected = ServiceError::IdTokenRejected(reason);
        assert_eq!(error, Error::Service { service: "acme".into(), error: expected });
        world.service.recovers();
        world.clock.advance(HOUR);
        world.call(&account).await.unwrap();
    }
}

/// OpenID Connect Core, section 12.2.
#[tokio::test]
async fn a_refresh_without_an_id_token_keeps_the_old_one() {
    let (world, account) = linked(Refresh::Lasting).await;
    let before = world.issued(&account).await;
    world.service.misidentifies(Fault::IdTokenMissing);
    world.call(&account).await.unwrap();
    assert_eq!(world.issued(&account).await, before);
}

/// OpenID Connect Core, section 12.2.
#[tokio::test]
async fn an_empty_id_token_of_a_refresh_is_none() {
    let (world, account) = linked(Refresh::Lasting).await;
    let before = world.issued(&account).await;
    let body = r#"{"access_token":"t","token_type":"Bearer","expires_in":3600,"id_token":""}"#;
    world.service.answers_next(Purpose::Refresh, StatusCode::OK, body);
    world.service.answers_next(Purpose::Api, StatusCode::OK, "{}");
    world.call(&account).await.unwrap();
    assert_eq!(world.issued(&account).await, before);
}

/// OpenID Connect Core, section 12.2.
#[tokio::test]
async fn refreshes_that_can_never_be_used_end_in_another_login_and_one_does_not() {
    for fault in [Some(Fault::NonceOther), Some(Fault::Expired), None] {
        let (world, account) = linked(Refresh::Lasting).await;
        let fails = || match fault {
            Some(fault) => world.service.misidentifies(fault),
            None => world.service.answers_next(Purpose::Refresh, StatusCode::OK, "<html>"),
        };
        for _ in 0..2 {
            fails();
            let error = world.call(&account).await.unwrap_err();
            let codes = ["id_token_rejected", "service_answer_malformed"];
            assert!(codes.contains(&error.code()), "{fault:?}: {error}");
            world.clock.advance(Duration::from_secs(30));
        }
        fails();
        assert_eq!(world.call(&account).await.unwrap_err().code(), "not_linked", "{fault:?}");
        world.service.recovers();
        world.log_in(7).await.unwrap();
        world.call(&account).await.unwrap();
    }
}

#[tokio::test]
async fn metadata_that_are_away_for_long_unlink_nobody() {
    let (world, account) = linked(Refresh::Lasting).await;
    for _ in 0..4 {
        world.service.answers_next(Purpose::Document, StatusCode::NOT_FOUND, "");
        assert_eq!(world.call(&account).await.unwrap_err().code(), "service_answer_malformed");
        world.clock.advance(Duration::from_secs(31));
    }
    world.call(&account).await.unwrap();
}

#[tokio::test]
async fn keys_that_are_away_lose_no_account_whose_refresh_token_is_spent() {
    let (world, account) = linked(Refresh::Rotating).await;
    let before = world.issued(&account).await;
    world.service.suffers(testing::Fault::KeysRotated);
    world.service.misidentifies(Fault::KeysGone);
    world.call(&account).await.unwrap();
    assert_eq!(world.issued(&account).await, before, "what is not verified is not believed");
    world.service.recovers();
    world.clock.advance(2 * HOUR);
    world.call(&account).await.unwrap();
    assert_ne!(world.issued(&account).await, before);
}
