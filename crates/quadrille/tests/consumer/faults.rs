//! Each fault of each service, as the application notices it.

use std::time::Duration;

use http::HeaderMap;
use quadrille::{
    Error, KeyRing, Login, Owner, Scopes, SpecBuf,
    consumer::{
        Account, Begin, BrowserError, Jar, MemoryStorage, NotLinkedReason, Protocol, ServiceError,
    },
    oauth1::RsaVerifyingKey,
    testing::{FakeService, Fault, ManualClock, Refresh, Row, SERVICES},
};
use serde_json::Value;

use crate::{
    library::carry,
    oauth1::RSA_KEY,
    support::{SECRET, SITE},
};

const HOUR: Duration = Duration::from_secs(3600);

/// An application at a service whose tokens expire after an hour, and are refreshed.
struct World {
    row: &'static Row,
    fake: FakeService,
    login: Login,
    clock: ManualClock,
}

impl World {
    fn of(row: &'static Row) -> Self {
        let fake = FakeService::playing(row, "our-id", SECRET);
        fake.knows_key(RsaVerifyingKey::from_pem(include_str!("oauth1/rsa-public.pem")).unwrap());
        fake.change(|its| {
            its.expire(HOUR, false);
            its.refresh_wants = "";
        });
        let spec = SpecBuf::from(row.spec);
        let spec = match spec.authorize.contains("://") {
            true => spec,
            false => spec.hosted_at("https://corp.example"),
        };
        let is_keyed =
            matches!(&spec.protocol, Protocol::OAuth1(it) if it.signature_method.is_rsa());
        let client = match is_keyed {
            true => spec.client_with_key("our-id", RSA_KEY),
            false => spec.client("our-id", SECRET),
        };
        let clock = ManualClock::new();
        let login = Login::new(KeyRing::ephemeral(), SITE)
            .with(client)
            .storage(MemoryStorage::new())
            .http(fake.clone())
            .env(clock.env());
        Self { row, fake, login, clock }
    }

    fn is_oauth2(&self) -> bool {
        matches!(self.row.spec.protocol, Protocol::OAuth2(_))
    }

    /// A login as another user than the one who is linked.
    async fn log_in(&self) -> quadrille::Result<Account> {
        let jar = Jar::new(&HeaderMap::new());
        let owner = Owner::user("grace");
        let begin = Begin::new(self.row.spec.name).owner(&owner);
        let url = self.login.begin(&jar, &begin).await?;
        let query = self.fake.consent(&url, 8).expect("a right request");
        let jar = Jar::new(&carry(&jar));
        Ok(self.login.finish(&jar, self.row.spec.name, &query, &owner).await?.account)
    }

    async fn call(&self, account: &Account) -> quadrille::Result<Value> {
        self.login.linked_by_name(account).await?.get("anything").await
    }

    fn ends_access_tokens(&self) {
        self.fake.ends_access_tokens();
        self.clock.advance(2 * HOUR);
    }
}

fn is_unlinked(error: &Error) -> bool {
    matches!(error, Error::NotLinked(who) if who.reason == NotLinkedReason::NeedsLinkingAgain)
}

#[tokio::test(start_paused = true)]
async fn each_fault_of_each_service_is_understood_and_loses_no_account() {
    for row in SERVICES {
        for fault in Fault::ALL {
            let world = World::of(row);
            let at = format!("{}, {fault:?}", row.type_name);
            let ada = world.fake.link(&world.login, row.spec.name, &Owner::user("ada"), 7).await;
            world.call(&ada).await.unwrap_or_else(|error| panic!("{at}: {error}"));
            world.fake.suffers(fault);
            let mut ends_the_account = false;
            match fault {
                Fault::Denied => {
                    let error = world.log_in().await.unwrap_err();
                    assert_eq!(error, BrowserError::Denied.into(), "{at}");
                }
                Fault::Slow => {
                    let error = world.log_in().await.unwrap_err();
                    assert_eq!(error.code(), "service_timed_out", "{at}");
                    let error = world.call(&ada).await.unwrap_err();
                    assert_eq!(error.code(), "service_timed_out", "{at}");
                }
                Fault::ServerError => {
                    let error = world.log_in().await.unwrap_err();
                    assert!(matches!(error, Error::Service { .. }), "{at}: {error:?}");
                    let error = world.call(&ada).await.unwrap_err();
                    assert!(matches!(error, Error::Api { status, .. } if status == 500), "{at}");
                    if world.is_oauth2() {
                        world.ends_access_tokens();
                        let error = world.call(&ada).await.unwrap_err();
                        assert!(matches!(error, Error::Service { .. }), "{at}: {error:?}");
                        world.clock.advance(HOUR);
                    }
                }
                Fault::EverythingExpired => {
                    world.clock.advance(2 * HOUR);
                    let error = world.call(&ada).await.unwrap_err();
                    assert!(is_unlinked(&error), "{at}: {error:?}");
                    ends_the_account = true;
                }
                Fault::ScopesDropped => {
                    let account = world.log_in().await.unwrap();
                    let linked = world.login.linked_by_name(&account).await.unwrap();
                    if world.is_oauth2() {
                        assert_eq!(linked.scopes(), Scopes::EMPTY, "{at}");
                    }
                }
                Fault::RefreshRefused if world.is_oauth2() => {
                    world.ends_access_tokens();
                    let error = world.call(&ada).await.unwrap_err();
                    assert!(is_unlinked(&error), "{at}: {error:?}");
                    ends_the_account = true;
                }
                Fault::RefreshRotated if world.is_oauth2() => {
                    for _ in 0..3 {
                        world.ends_access_tokens();
                        let called = world.call(&ada).await;
                        called.unwrap_or_else(|error| panic!("{at}: {error}"));
                    }
                }
                Fault::ErrorsUnder200 if world.is_oauth2() => {
                    world.fake.changes_secret("another");
                    let error = world.log_in().await.unwrap_err();
                    let refused = Error::Service {
                        service: row.spec.name.into(),
                        error: ServiceError::ClientRefused,
                    };
                    assert_eq!(error, refused, "{at}");
                    world.fake.changes_secret(SECRET);
                }
                Fault::CallbackUnregistered => {
                    let jar = Jar::new(&HeaderMap::new());
                    let url = world.login.begin(&jar, &Begin::new(row.spec.name)).await;
                    match url {
                        // The service shows a page, and no callback comes.
                        Ok(url) => assert_eq!(world.fake.consent(&url, 8), None, "{at}"),
                        Err(error) => {
                            assert!(!world.is_oauth2(), "{at}");
                            assert_eq!(error.code(), "token_refused", "{at}");
                        }
                    }
                }
                Fault::WrongIssuer => {
                    let is_named = matches!(
                        row.spec.protocol,
                        Protocol::OAuth2(oauth2) if oauth2.issuer.is_some()
                    );
                    match world.log_in().await {
                        Ok(_) => assert!(!is_named, "{at}"),
                        Err(error) => {
                            assert!(is_named, "{at}: {error}");
                            assert_eq!(error, BrowserError::WrongIssuer.into(), "{at}");
                        }
                    }
                }
                Fault::KeysRotated => {
                    world.clock.advance(Duration::from_secs(60));
                    world.log_in().await.unwrap_or_else(|error| panic!("{at}: {error}"));
                }
                Fault::WrongContentType => {
                    world.log_in().await.unwrap_or_else(|error| panic!("{at}: {error}"));
                    world.call(&ada).await.unwrap_or_else(|error| panic!("{at}: {error}"));
                }
                Fault::RefreshRefused | Fault::RefreshRotated | Fault::ErrorsUnder200 => {
                    // OAuth 1 has nothing that could be at fault.
                    world.log_in().await.unwrap();
                }
                unknown => panic!("{unknown:?} has no test"),
            }

            world.fake.recovers();
            if ends_the_account {
                world.fake.link(&world.login, row.spec.name, &Owner::user("ada"), 7).await;
            }
            world.call(&ada).await.unwrap_or_else(|error| panic!("{at}: {error}"));
            world.log_in().await.unwrap_or_else(|error| panic!("{at}: {error}"));
        }
    }
}

/// A new row has a profile, refresh tokens and revocation, or a line here that says that the service
/// has none.
#[test]
fn each_service_has_what_its_emulator_shows() {
    let oauth1 = ["Jira", "Twitter"];
    let without_profile = ["Dexcom"];
    let without_refresh_tokens = [
        "Authentiq",
        "Facebook",
        "GitHub",
        "LinkedIn",
        "NylasV2",
        "OpenStreetMap",
        "Slack",
        "SlackApp",
        "SlackClassic",
        "Weibo",
    ];
    let without_revocation = [
        "Atlassian",
        "Authentiq",
        "Dexcom",
        "Douban",
        "Heroku",
        "LinkedIn",
        "Meetup",
        "Microsoft",
        "Nylas",
        "NylasV2",
        "Spotify",
    ];
    for row in SERVICES {
        let name = row.type_name;
        let Protocol::OAuth2(oauth2) = row.spec.protocol else {
            assert!(oauth1.contains(&name), "{name}");
            assert!(!row.spec.profile.is_empty() && row.spec.identity.is_some(), "{name}");
            continue;
        };
        let has_claims = row.spec.identity.is_some() || oauth2.openid.issuer.is_some();
        let has_profile = !row.spec.profile.is_empty() && has_claims;
        assert_eq!(has_profile, !without_profile.contains(&name), "the profile of {name}");
        let refreshes = row.manners.refresh != Refresh::Never;
        assert_eq!(refreshes, !without_refresh_tokens.contains(&name), "a refresh at {name}");
        let revokes = oauth2.revocation.is_some();
        assert_eq!(revokes, !without_revocation.contains(&name), "revocation at {name}");
    }
}
