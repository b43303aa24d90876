//! Answers of one login, of one provider or of one time that are shown in the place of another.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use quadrille::{
    Error, KeyRing, Login, Owner, SpecBuf,
    consumer::{Begin, BrowserError, Jar, MemoryStorage, ServiceError},
    jose::TokenError,
    oidc::{DiscoveryError, IdTokenRejected as Rejected},
    testing::{FakeService, OpenIdFault as Fault},
    transport::Purpose,
};
use serde_json::json;

use super::{ISSUER, World};
use crate::{
    library::carry,
    support::{SECRET, SITE},
};

const OTHER: &str = "https://id.globex.example";

fn rejected(reason: Rejected) -> Error {
    Error::Service { service: "acme".into(), error: ServiceError::IdTokenRejected(reason) }
}

fn parameter(url: &str, name: &str) -> String {
    let url = url::Url::parse(url).unwrap();
    url.query_pairs().find(|(known, _)| known == name).unwrap().1.into_owned()
}

/// A token response with this ID token.
fn tokens(id_token: &str) -> String {
    json!({ "access_token": "a", "token_type": "Bearer", "id_token": id_token }).to_string()
}

/// OpenID Connect Core, section 3.1.3.7: item 11.
#[tokio::test]
async fn an_id_token_of_an_earlier_login_finishes_no_other() {
    let world = World::new();
    let begin = Begin::new("acme").owner(&Owner::user("ada"));
    let (earlier, first) = world.leave(&begin).await.unwrap();
    let stolen = world.service.id_token("our-id", 7, &parameter(&earlier, "nonce")).unwrap();
    let (later, second) = world.leave(&begin).await.unwrap();
    for (url, cookies, expected) in
        [(&later, &second, Err(rejected(Rejected::NonceOther))), (&earlier, &first, Ok(()))]
    {
        let query = world.service.consent(url, 8).unwrap();
        world.service.answers_next(Purpose::RedeemCode, StatusCode::OK, tokens(&stolen));
        assert_eq!(world.arrive(cookies, &query).await.map(drop), expected);
    }
}

/// OpenID Connect Core, sections 3.1.2.7 and 3.1.3.7.
#[tokio::test]
async fn what_one_provider_answers_is_no_answer_of_another() {
    let (acme, globex) = (
        FakeService::openid(ISSUER, "our-id", SECRET),
        FakeService::openid(OTHER, "our-id", SECRET),
    );
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with(SpecBuf::oidc("acme", ISSUER).client("our-id", SECRET).http(acme.clone()))
        .with(SpecBuf::oidc("globex", OTHER).client("our-id", SECRET).http(globex.clone()))
        .storage(MemoryStorage::new());
    let ada = Owner::user("ada");
    let leave = async |service: &'static str| {
        let jar = Jar::new(&HeaderMap::new());
        let url = login.begin(&jar, &Begin::new(service).owner(&ada)).await.unwrap();
        (url, carry(&jar))
    };
    let arrive = async |service: &str, cookies: &HeaderMap, query: &str| {
        login.finish(&Jar::new(cookies), service, query, &ada).await.map(drop)
    };
    let (url, cookies) = leave("acme").await;
    let query = acme.consent(&url, 7).unwrap();
    // At the callback of the other provider, the state is none.
    assert_eq!(arrive("globex", &cookies, &query).await, Err(BrowserError::StateUnknown.into()));
    // The other provider learns the state, and answers in the place of the first (RFC 9207).
    let (theirs, _) = leave("globex").await;
    let injected = globex.consent(&theirs, 8).unwrap();
    let state =
        |query: &str| query.split('&').find(|pair| pair.starts_with("state=")).unwrap().to_owned();
    let injected = injected.replace(&state(&injected), &state(&query));
    assert_eq!(arrive("acme", &cookies, &injected).await, Err(BrowserError::WrongIssuer.into()));
    assert_eq!(acme.times_asked(Purpose::RedeemCode), 0, "no code goes to the wrong one");
    // Its ID token is none of the first one's, even if it says so.
    let nonce = parameter(&url, "nonce");
    let forger = FakeService::openid(ISSUER, "our-id", SECRET);
    for (forged, expected) in [
        (globex.id_token("our-id", 8, &nonce), Rejected::Token(TokenError::Signature)),
        (forger.id_token("our-id", 8, &nonce), Rejected::Token(TokenError::Signature)),
        (
            acme.id_token("another-client", 8, &nonce),
            Rejected::Claims(quadrille::jose::ClaimsError::Audience),
        ),
    ] {
        let (url, cookies) = leave("acme").await;
        let query = acme.consent(&url, 7).unwrap();
        acme.answers_next(Purpose::RedeemCode, StatusCode::OK, tokens(&forged.unwrap()));
        assert_eq!(arrive("acme", &cookies, &query).await, Err(rejected(expected)));
    }
    assert_eq!(arrive("acme", &cookies, &query).await, Ok(()));
}

/// OpenID Connect Discovery, section 4.3.
#[tokio::test]
async fn metadata_that_become_those_of_another_issuer_send_nobody_there() {
    let world = World::new();
    world.log_in(7).await.unwrap();
    world.service.misidentifies(Fault::MetadataOfAnother);
    world.clock.advance(Duration::from_secs(2 * 3600 + 1));
    let lie = ServiceError::ProviderMetadata(DiscoveryError::OtherIssuer);
    let expected = Error::Service { service: "acme".into(), error: lie };
    assert_eq!(world.leave(&Begin::new("acme")).await.map(drop), Err(expected));
    world.service.recovers();
    world.clock.advance(Duration::from_secs(60));
    world.log_in(7).await.unwrap();
}
