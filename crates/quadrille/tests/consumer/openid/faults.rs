//! Each fault of a provider, and what the application is told.

use std::time::Duration;

use http::StatusCode;
use quadrille::{
    Error, KeyRing, Login, Owner, Secret, Service, Spec, SpecBuf,
    consumer::{Begin, MemoryStorage, ServiceError},
    jose::{Algorithm, ClaimsError, TokenError},
    oidc::{DiscoveryError, IdTokenRejected as Rejected},
    testing::{self, Emulated, FakeService, Manners, OpenIdFault as Fault},
    transport::Purpose,
};
use serde_json::json;

use crate::support::SITE;

use super::World;

struct Symmetric;

impl Service for Symmetric {
    const SPEC: Spec =
        Spec::oidc("acme", super::ISSUER).id_tokens_signed_by(Algorithm::Hs256).build();
}

impl Emulated for Symmetric {
    const MANNERS: Manners = Manners::STANDARD;
}

fn error(error: ServiceError) -> Error {
    Error::Service { service: "acme".into(), error }
}

fn rejected(reason: Rejected) -> Error {
    error(ServiceError::IdTokenRejected(reason))
}

/// Whether a login by a code alone is right with this fault: it may be any user's, and no token comes
/// beside the code.
fn is_none_of_the_code_flow(fault: Fault) -> bool {
    matches!(
        fault,
        Fault::SubjectOther
            | Fault::AccessTokenHashMissing
            | Fault::CodeHashOther
            | Fault::CodeHashMissing
            | Fault::StateHashOther
            | Fault::SubjectOtherBesideCode
    )
}

/// The error of a login with this fault; `None` where the login succeeds.
fn expected(fault: Fault) -> Option<Error> {
    let token = |reason| rejected(Rejected::Token(reason));
    let claims = |reason| rejected(Rejected::Claims(reason));
    Some(match fault {
        Fault::IdTokenMissing => error(ServiceError::IdTokenMissing),
        Fault::NonceMissing => rejected(Rejected::NonceMissing),
        Fault::NonceOther => rejected(Rejected::NonceOther),
        Fault::IssuerOther | Fault::IssuerWithSlash => claims(ClaimsError::Issuer),
        Fault::AudienceOther => claims(ClaimsError::Audience),
        Fault::AudienceShared => rejected(Rejected::AudienceNotTrusted),
        Fault::AuthorizedPartyOther => rejected(Rejected::AuthorizedPartyOther),
        Fault::SubjectMissing => claims(ClaimsError::Missing("sub")),
        Fault::Expired => claims(ClaimsError::Expired),
        Fault::IssuedInFuture => claims(ClaimsError::IssuedInFuture),
        Fault::IssuedNever => claims(ClaimsError::Missing("iat")),
        Fault::AccessTokenHashOther => rejected(Rejected::AccessTokenHash),
        Fault::AuthTimeMissing => rejected(Rejected::AuthTimeMissing),
        Fault::SignatureWrong => token(TokenError::Signature),
        Fault::KeyUnknown => token(TokenError::KeyUnknown),
        Fault::Unsecured => token(TokenError::Unsecured),
        Fault::HmacWithPublicKey | Fault::AlgorithmOther => token(TokenError::AlgorithmNotAccepted),
        Fault::KeysGone => error(ServiceError::Malformed { status: StatusCode::NOT_FOUND }),
        Fault::MetadataOfAnother => {
            error(ServiceError::ProviderMetadata(DiscoveryError::OtherIssuer))
        }
        Fault::UserinfoOfAnother => return None,
        fault if is_none_of_the_code_flow(fault) => return None,
        other => panic!("{other:?} has no expectation"),
    })
}

/// OpenID Connect Core, sections 2, 3.1.3.6, 3.1.3.7, 3.1.3.8 and 5.3.2; OpenID Connect Discovery,
/// section 4.3.
#[tokio::test]
async fn no_fault_of_a_provider_logs_anybody_in() {
    for fault in Fault::ALL {
        let world = World::with(|spec| spec.parameters([("max_age", "3600")]));
        world.service.misidentifies(fault);
        let result = world.log_in(7).await;
        assert_eq!(result.as_ref().err(), expected(fault).as_ref(), "{fault:?}");
        if is_none_of_the_code_flow(fault) {
            result.unwrap();
        } else if let Ok(account) = result {
            let acme = world.login.linked_by_name(&account).await.unwrap();
            let profile = acme.profile().await.unwrap_err();
            assert_eq!(profile, error(ServiceError::UserinfoOfAnotherSubject), "{fault:?}");
        } else {
            let mut accounts = world.login.accounts_by_name("acme").await.unwrap();
            assert!(accounts.next().await.is_none(), "{fault:?}: nothing is stored");
        }
        world.service.recovers();
        world.clock.advance(Duration::from_secs(10));
        world.log_in(7).await.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
    }
}

/// OpenID Connect Core, section 3.1.3.5.
#[tokio::test]
async fn keys_that_cannot_be_fetched_use_no_code_up() {
    let world = World::new();
    world.service.misidentifies(Fault::KeysGone);
    let (url, cookies) = world.leave(&Begin::new("acme").owner(&Owner::user("ada"))).await.unwrap();
    let query = world.service.consent(&url, 7).unwrap();
    world.arrive(&cookies, &query).await.unwrap_err();
    assert_eq!(world.service.times_asked(Purpose::RedeemCode), 0);
    world.service.recovers();
    world.clock.advance(Duration::from_secs(1));
    world.arrive(&cookies, &query).await.unwrap();
}

/// OpenID Connect Core, section 10.1.1.
#[tokio::test]
async fn a_new_key_is_fetched_when_a_token_names_it_but_not_at_each_token() {
    let world = World::new();
    world.log_in(7).await.unwrap();
    // The keys have just been fetched, and serve for minutes.
    world.service.suffers(testing::Fault::KeysRotated);
    world.log_in(7).await.unwrap();
    assert_eq!(world.fetched(), 3);
    world.service.suffers(testing::Fault::KeysRotated);
    assert_eq!(world.log_in(7).await, Err(rejected(Rejected::Token(TokenError::KeyUnknown))));
    assert_eq!(world.fetched(), 3, "anybody could name a key: not within ten seconds");
    world.clock.advance(Duration::from_secs(10));
    world.log_in(7).await.unwrap();
    assert_eq!(world.fetched(), 4);
    world.service.misidentifies(Fault::KeyUnknown);
    world.clock.advance(Duration::from_secs(10));
    for _ in 0..5 {
        world.log_in(7).await.unwrap_err();
    }
    assert_eq!(world.fetched(), 5);
}

#[tokio::test]
async fn a_code_of_another_login_is_of_no_use_even_where_pkce_is_not() {
    let world = World::with(SpecBuf::without_pkce_because_the_service_fails_with_it);
    let begin = Begin::new("acme");
    let begin = begin.owner(&Owner::user("ada"));
    let (victims, cookies) = world.leave(&begin).await.unwrap();
    let (attackers, _) = world.leave(&begin).await.unwrap();
    let code =
        |query: &str| query.split('&').find(|pair| pair.starts_with("code=")).map(str::to_owned);
    let ours = world.service.consent(&victims, 7).unwrap();
    let theirs = world.service.consent(&attackers, 8).unwrap();
    let injected = ours.replace(&code(&ours).unwrap(), &code(&theirs).unwrap());
    let error = world.arrive(&cookies, &injected).await.unwrap_err();
    assert_eq!(error, rejected(Rejected::NonceOther));
}

#[tokio::test]
async fn a_service_that_forgets_the_nonce_may_but_none_may_exchange_it() {
    let world = World::with(SpecBuf::without_nonce_because_the_service_forgets_it);
    world.service.misidentifies(Fault::NonceMissing);
    world.log_in(7).await.unwrap();
    world.service.recovers();
    world.log_in(7).await.unwrap();
    world.service.misidentifies(Fault::NonceOther);
    assert_eq!(world.log_in(7).await, Err(rejected(Rejected::NonceOther)));
}

/// OpenID Connect Core, sections 3.1.2.1 and 3.1.3.7: `max_age`.
#[tokio::test]
async fn a_login_that_wants_a_fresh_authentication_gets_one() {
    for (stricter, waited, is_fresh) in [
        (None, 80, true),
        (None, 91, false),
        (Some("10"), 30, true),
        (Some("10"), 41, false),
        // Within what two clocks may differ.
        (Some("0"), 30, true),
        (Some("0"), 31, false),
    ] {
        let world = World::with(|spec| spec.parameters([("max_age", "60")]));
        let mut begin = Begin::new("acme").owner(&Owner::user("ada"));
        if let Some(stricter) = stricter {
            begin = begin.parameter("max_age", stricter);
        }
        let (url, cookies) = world.leave(&begin).await.unwrap();
        let query = world.service.consent(&url, 7).unwrap();
        world.clock.advance(Duration::from_secs(waited));
        let result = world.arrive(&cookies, &query).await.map(|_| ());
        let expected = if is_fresh { Ok(()) } else { Err(rejected(Rejected::AuthTooLongAgo)) };
        assert_eq!(result, expected, "{stricter:?} {waited}");
    }
}

/// OpenID Connect Core, section 3.1.2.6.
#[tokio::test]
async fn a_login_without_pages_that_needs_one_is_no_fault_of_the_service() {
    let world = World::new();
    for (code, status) in [
        ("login_required", StatusCode::FORBIDDEN),
        ("consent_required", StatusCode::FORBIDDEN),
        ("interaction_required", StatusCode::FORBIDDEN),
        ("account_selection_required", StatusCode::FORBIDDEN),
        ("invalid_scope", StatusCode::BAD_GATEWAY),
    ] {
        let begin = Begin::new("acme").parameter("prompt", "none");
        let (url, cookies) = world.leave(&begin.owner(&Owner::user("ada"))).await.unwrap();
        let query = world.service.refuse(&url, code.into()).unwrap();
        let refused = world.arrive(&cookies, &query).await.unwrap_err();
        let expected = ServiceError::AuthorizationRefused { error: code.into() };
        assert_eq!((refused.status(), refused), (status, error(expected)), "{code}");
    }
}

/// OpenID Connect Core, sections 3.1.3.7, 5.5 and 5.5.1.1: `acr`. The provider names no class.
#[tokio::test]
async fn a_class_of_authentication_that_is_essential_is_checked_and_a_wish_is_not() {
    for (parameter, value, is_required) in [
        ("claims", r#"{"id_token":{"acr":{"essential":true,"values":["gold"]}}}"#, true),
        ("claims", r#"{"id_token":{"acr":{"values":["gold"]}}}"#, false),
        ("acr_values", "gold", false),
    ] {
        let world = World::with(|spec| spec.parameters([(parameter, value)]));
        let result = world.log_in(7).await.map(|_| ());
        let expected = if is_required { Err(rejected(Rejected::Acr)) } else { Ok(()) };
        assert_eq!(result, expected, "{parameter}={value}");
    }
}

/// OpenID Connect Core, sections 3.1.3.3 and 3.1.3.5.
#[tokio::test]
async fn a_response_without_any_token_of_the_provider_is_no_login() {
    let world = World::new();
    for id_token in [json!(7), json!(null), json!(["a"]), json!("")] {
        let body = json!({ "access_token": "a", "token_type": "Bearer", "id_token": id_token });
        world.service.answers_next(Purpose::RedeemCode, StatusCode::OK, body.to_string());
        let error = world.log_in(7).await.unwrap_err();
        assert!(matches!(error.code(), "id_token_missing" | "id_token_rejected"), "{error:?}");
    }
}

/// OpenID Connect Core, section 3.1.3.7: items 7 and 8.
#[tokio::test]
async fn an_hmac_is_accepted_by_a_secret_that_is_long_enough_and_only_where_it_is_expected() {
    let secret = "a secret of at least thirty-two bytes";
    let spec = || SpecBuf::oidc("acme", super::ISSUER).id_tokens_signed_by(Algorithm::Hs256);
    let world = World::of(spec().client("our-id", secret));
    world.service.changes_secret(secret);
    let error = world.log_in(7).await.unwrap_err();
    assert_eq!(error, rejected(Rejected::Token(TokenError::AlgorithmNotAccepted)), "by a key");
    world.service.misidentifies(Fault::HmacWithPublicKey);
    let error = world.log_in(7).await.unwrap_err();
    assert_eq!(error, rejected(Rejected::Token(TokenError::Signature)), "by the public key");
    let service = FakeService::of::<Symmetric>("our-id", secret);
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with(Symmetric::client("our-id", secret))
        .storage(MemoryStorage::new())
        .http(service.clone());
    service.link(&login, "acme", &Owner::user("ada"), 7).await;
    assert_eq!(service.times_asked(Purpose::Document), 1, "no keys");

    let world = World::of(spec().client("our-id", Secret::from("short")));
    assert_eq!(world.login.check().unwrap_err().code(), "secret_malformed");
    let world = World::of(spec().public_client("our-id"));
    assert_eq!(world.login.check().unwrap_err().code(), "credential_mismatch");
}
