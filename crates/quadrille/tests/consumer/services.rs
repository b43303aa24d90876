//! Every service that there is a type for, against a fake one with its manners.

use http::HeaderMap;
use quadrille::{
    Error, Google, KeyRing, Login, Owner, Scopes, Spec, SpecBuf, Twitter,
    consumer::{
        Account, Begin, BrowserError, Client, Dynamic, Jar, MemoryStorage, NotLinkedReason,
        OperatorError, Protocol, RevokedAtService, ServiceError,
    },
    oauth1::RsaVerifyingKey,
    testing::{FakeService, ManualClock, Refresh, Row, SERVICES},
    transport::Purpose,
};
use serde_json::json;
use url::Url;

use crate::{
    library::carry,
    oauth1::RSA_KEY,
    support::{SECRET, SITE},
};

/// An application with one service.
struct World {
    fake: FakeService,
    name: String,
    login: Login,
    clock: ManualClock,
}

impl World {
    fn of(row: &Row) -> Self {
        Self::with(row, SpecBuf::from(row.spec))
    }

    /// The application takes the service for `spec`, and it answers as `row` says.
    fn with(row: &Row, spec: SpecBuf) -> Self {
        let clock = ManualClock::new();
        let name = spec.name.clone().into_owned();
        let is_keyed =
            matches!(&spec.protocol, Protocol::OAuth1(it) if it.signature_method.is_rsa());
        let spec = match spec.authorize.contains("://") {
            true => spec,
            false => spec.hosted_at("https://corp.example/below/"),
        };
        let client: Client<Dynamic> = match is_keyed {
            true => spec.client_with_key("our-id", RSA_KEY),
            false => spec.client("our-id", SECRET),
        };
        let login = Login::new(KeyRing::ephemeral(), SITE)
            .with(client)
            .storage(MemoryStorage::new())
            .env(clock.env());
        let fake = FakeService::playing(row, "our-id", SECRET);
        let key = include_str!("oauth1/rsa-public.pem");
        fake.knows_key(RsaVerifyingKey::from_pem(key).unwrap());
        let login = login.http(fake.clone());
        login.check().unwrap();
        Self { fake, name, login, clock }
    }

    async fn leave(&self) -> (Jar, String) {
        let jar = Jar::new(&HeaderMap::new());
        let begin = Begin::new(&self.name).owner(&Owner::user(1));
        let url = self.login.begin(&jar, &begin).await.unwrap();
        (Jar::new(&carry(&jar)), url)
    }

    async fn come_back(&self, jar: &Jar, query: &str) -> quadrille::Result<Account> {
        let done = self.login.finish(jar, &self.name, query, &Owner::user(1)).await?;
        Ok(done.account)
    }

    async fn log_in(&self) -> quadrille::Result<Account> {
        let (jar, url) = self.leave().await;
        let query = self.fake.consent(&url, 7).unwrap();
        self.come_back(&jar, &query).await
    }

    /// Ends all access tokens, whether or not they have a lifetime.
    fn ends_access_tokens(&self) {
        self.fake.ends_access_tokens();
        self.clock.advance(std::time::Duration::from_secs(6_000_000));
    }

    /// Whether a call works, and why not.
    async fn call(&self, account: &Account) -> quadrille::Result<serde_json::Value> {
        self.login.linked_by_name(account).await?.get("anything").await
    }
}

fn oauth2(row: &Row) -> bool {
    matches!(row.spec.protocol, Protocol::OAuth2(_))
}

fn subject_in_token(row: &Row) -> Option<&'static str> {
    match row.spec.protocol {
        Protocol::OAuth2(oauth2) => oauth2.subject_in_token,
        _ => None,
    }
}

/// Whether ID tokens identify the service's accounts.
fn is_openid(row: &Row) -> bool {
    matches!(row.spec.protocol, Protocol::OAuth2(oauth2) if oauth2.openid.issuer.is_some())
}

fn identifies(row: &Row) -> bool {
    row.spec.identity.is_some() || subject_in_token(row).is_some() || is_openid(row)
}

#[tokio::test]
async fn each_service_has_the_profile_of_its_user() {
    for row in SERVICES {
        assert!(
            !row.spec.profile.is_empty() || row.spec.identity.is_none(),
            "{}: claims without a profile",
            row.type_name
        );
        assert_eq!(
            row.manners.account.is_empty(),
            row.spec.profile.is_empty(),
            "{}: the claims of a real account make the test true",
            row.type_name
        );
        let world = World::of(row);
        let account = world.log_in().await.unwrap();
        let linked = world.login.linked_by_name(&account).await.unwrap();
        let me = match linked.profile().await {
            Ok(me) => me,
            Err(error) => {
                assert!(!identifies(row), "{}: {error:?}", row.type_name);
                assert_eq!(error.code(), "service_mismatch", "{}", row.type_name);
                continue;
            }
        };
        assert_eq!(me.subject, *account.subject, "{}", row.type_name);
        let may_lack_some = row.spec.profile == Spec::OPENID_CLAIMS;
        for (claim, _) in row.spec.profile {
            if may_lack_some && *claim != "name" && me.raw.get(claim).is_none() {
                continue;
            }
            let is_right = match *claim {
                "preferred_username" => {
                    me.user_name.as_deref().is_some_and(|it| it.contains("ada"))
                }
                "name" => me.name.as_deref() == Some("Ada Lovelace"),
                "email" => me.email.as_deref() == Some("ada@example.com"),
                "email_verified" => me.email_verified == Some(true),
                "picture" => me.picture.as_deref().is_some_and(|it| it.starts_with("https://")),
                _ => false,
            };
            assert!(is_right, "{}: {claim} of {me:?}", row.type_name);
        }
        let says = row.spec.profile.iter().any(|(claim, _)| *claim == "email_verified");
        let says = says || row.spec.email_list.is_some();
        assert!(says || me.email_verified.is_none(), "{}: nothing verified it", row.type_name);
    }
}

#[tokio::test]
async fn each_services_tokens_are_refreshed_where_it_issues_refresh_tokens() {
    for row in SERVICES.iter().filter(|row| row.manners.refresh != Refresh::Never) {
        let mut spec = SpecBuf::from(row.spec);
        if let Some((name, value)) = row.manners.refresh_wants.split_once('=') {
            let is_asked = match name {
                "scope" => spec.scopes.contains(value),
                name => spec.parameters.iter().any(|pair| *pair == (name.into(), value.into())),
            };
            if !is_asked {
                let world = World::of(row);
                let account = world.log_in().await.unwrap();
                world.ends_access_tokens();
                let error = world.call(&account).await.unwrap_err();
                assert!(matches!(error, Error::NotLinked(_)), "{}: {error:?}", row.type_name);
            }
            match name {
                "scope" => spec.scopes = spec.scopes.union(&Scopes::of([value])),
                name => {
                    spec.parameters.retain(|(known, _)| known != name);
                    spec.parameters.push((name.into(), value.into()));
                }
            }
        }
        let world = World::with(row, spec);
        let account = world.log_in().await.unwrap();
        for _ in 0..2 {
            world.ends_access_tokens();
            world.call(&account).await.unwrap_or_else(|error| panic!("{row:?}: {error:?}"));
        }
    }
}

#[tokio::test]
async fn each_services_tokens_are_revoked_where_it_lets_them() {
    for row in SERVICES {
        let is_possible =
            matches!(row.spec.protocol, Protocol::OAuth2(it) if it.revocation.is_some());
        let world = World::of(row);
        let account = world.log_in().await.unwrap();
        let linked = world.login.linked_by_name(&account).await.unwrap();
        let outcome = linked.revoke_at_service().await;
        if !is_possible {
            assert_eq!(outcome, RevokedAtService::Unsupported, "{}", row.type_name);
            continue;
        }
        assert_eq!(outcome, RevokedAtService::Revoked, "{}", row.type_name);
        assert!(world.call(&account).await.is_err(), "{}: the token still works", row.type_name);
    }
}

#[tokio::test]
async fn a_hosted_domain_of_google_admits_no_other_account() {
    for (claim, is_admitted) in [
        (json!({ "sub": "7", "hd": "acme.example" }), true),
        (json!({ "sub": "7", "hd": "other.example" }), false),
        (json!({ "sub": "7" }), false),
    ] {
        let fake = FakeService::of::<Google>("our-id", SECRET).user(claim.clone());
        let login = Login::new(KeyRing::ephemeral(), SITE)
            .with(Google::new("our-id", SECRET).hosted_domain("acme.example"))
            .http(fake.clone());
        let jar = Jar::new(&HeaderMap::new());
        let url = login.begin(&jar, &Begin::new("google")).await.unwrap();
        let (query, jar) = (fake.consent(&url, 7).unwrap(), Jar::new(&carry(&jar)));
        let done = login.finish(&jar, "google", &query, &Owner::NOBODY).await;
        match done {
            Ok(_) => assert!(is_admitted, "{claim}"),
            Err(error) => {
                assert_eq!(error, BrowserError::AccountNotAllowed.into());
                assert!(!is_admitted, "{claim}");
            }
        }
        assert_eq!(fake.times_asked(Purpose::Identity), 0, "the ID token says it");
    }
}

#[tokio::test]
async fn with_each_service_one_logs_in_and_calls_it() {
    for row in SERVICES {
        let world = World::of(row);
        let account = world.log_in().await.unwrap_or_else(|error| panic!("{row:?}: {error:?}"));
        let identifies = identifies(row);
        let expected = if identifies { "7" } else { "" };
        assert!(account.subject.ends_with(expected), "{row:?}: {}", account.subject);
        assert_eq!(account.subject.is_empty(), !identifies, "{row:?}");
        let echo = world.call(&account).await.unwrap();
        assert!(echo["path"].as_str().unwrap().ends_with("/anything"), "{row:?}: {echo}");
    }
}

#[tokio::test]
async fn each_service_is_understood_when_the_user_refuses() {
    for row in SERVICES {
        let world = World::of(row);
        let (jar, url) = world.leave().await;
        let query = world.fake.deny(&url).unwrap();
        let error = world.come_back(&jar, &query).await.unwrap_err();
        assert_eq!(error, BrowserError::Denied.into(), "{row:?}: {query}");
    }
}

#[tokio::test]
async fn each_service_is_understood_when_the_secret_is_wrong_or_the_code_is_spent() {
    for row in SERVICES.iter().filter(|row| oauth2(row)) {
        let world = World::of(row);
        let (jar, url) = world.leave().await;
        let query = world.fake.consent(&url, 7).unwrap();
        world.fake.changes_secret("another");
        let error = world.come_back(&jar, &query).await.unwrap_err();
        let refused =
            Error::Service { service: row.spec.name.into(), error: ServiceError::ClientRefused };
        assert_eq!(error, refused, "{row:?}");
        world.fake.changes_secret(SECRET);
        let (jar, url) = world.leave().await;
        let query = world.fake.consent(&url, 7).unwrap().replace("code-canary", "code-of-nobody");
        let error = world.come_back(&jar, &query).await.unwrap_err();
        let refused = Error::Service {
            service: row.spec.name.into(),
            error: ServiceError::TokenRefused { error: "invalid_grant".into() },
        };
        assert_eq!(error, refused, "{row:?}");
    }
}

#[tokio::test]
async fn each_service_is_understood_when_a_token_is_dead() {
    const HOUR: std::time::Duration = std::time::Duration::from_secs(3600);
    for row in SERVICES {
        let world = World::of(row);
        world.fake.change(|its| {
            its.expire(HOUR, its.refresh == Refresh::Rotating);
            its.refresh_wants = "";
        });
        let account = world.log_in().await.unwrap();
        world.fake.ends_access_tokens();
        world.fake.ends_refresh_tokens();
        world.clock.advance(HOUR);
        let error = world.call(&account).await.unwrap_err();
        let Error::NotLinked(who) = error else { panic!("{row:?}: {error:?}") };
        assert_eq!(who.reason, NotLinkedReason::NeedsLinkingAgain, "{row:?}");
    }
}

#[test]
fn rows_and_manners_agree() {
    for row in SERVICES {
        if let Protocol::OAuth2(oauth2) = row.spec.protocol {
            assert_eq!(row.manners.scope_separator, oauth2.granted_scope_separator, "{row:?}");
            let rotates = row.manners.refresh == Refresh::Rotating;
            assert_eq!(rotates, oauth2.rotates_refresh_tokens, "{row:?}");
        }
        let prefix = format!("{}_OAUTH_", row.spec.name.to_uppercase().replace('-', "_"));
        assert!(row.variables.iter().all(|name| name.starts_with(&prefix)), "{row:?}");
    }
}

/// The row with that type.
fn row(type_name: &str) -> &'static Row {
    SERVICES.iter().find(|row| row.type_name == type_name).unwrap()
}

#[tokio::test]
async fn error_names_of_github_are_its_own() {
    let elsewhere = || {
        let spec = SpecBuf::oauth2("acme", "authorize", "token", "api").identity("user", "id");
        World::with(row("GitHub"), spec.secret_in_body().build())
    };
    let refused = |error: &str| Error::Service {
        service: "acme".into(),
        error: ServiceError::TokenRefused { error: error.into() },
    };
    let world = elsewhere();
    let (jar, url) = world.leave().await;
    let query = world.fake.consent(&url, 7).unwrap().replace("code-canary", "code-of-nobody");
    let error = world.come_back(&jar, &query).await.unwrap_err();
    assert_eq!(error, refused("bad_verification_code"));
    world.fake.changes_secret("another");
    let (jar, url) = world.leave().await;
    let query = world.fake.consent(&url, 7).unwrap();
    let error = world.come_back(&jar, &query).await.unwrap_err();
    assert_eq!(
        error,
        refused("incorrect_client_credentials"),
        "the service's own code for a wrong secret is kept"
    );
}

#[tokio::test]
async fn a_service_may_name_a_refusal_as_it_likes() {
    let spec = SpecBuf::oauth2("acme", "authorize", "token", "api").identity("user", "id");
    let denied = BrowserError::Denied.into();
    let unknown = Error::Service {
        service: "acme".into(),
        error: ServiceError::AuthorizationRefused { error: "user_cancelled_login".into() },
    };
    let named = spec.clone().error_names([("user_cancelled_login", "access_denied")]);
    for (spec, expected) in [(named, denied), (spec, unknown)] {
        let world = World::with(row("GitHub"), spec.build());
        let (jar, url) = world.leave().await;
        let query = world.fake.refuse(&url, "user_cancelled_login".into()).unwrap();
        assert_eq!(world.come_back(&jar, &query).await.unwrap_err(), expected);
    }
}

#[tokio::test]
async fn a_verifier_that_says_no_at_jira_is_one_like_any_other_elsewhere() {
    let library = || SpecBuf::oauth1("library", "temporary", "authorize", "token", "api");
    for (spec, times) in [(library().refused_verifier("denied"), 0), (library(), 1)] {
        let world = World::with(row("Twitter"), spec.build());
        let (jar, url) = world.leave().await;
        let token = Url::parse(&url).unwrap().query_pairs().next().unwrap().1.into_owned();
        let query = format!("oauth_token={token}&oauth_verifier=denied");
        let error = world.come_back(&jar, &query).await.unwrap_err();
        assert_eq!(error == BrowserError::Denied.into(), times == 0, "{error:?}");
        assert_eq!(world.fake.times_asked(Purpose::RedeemCode), times);
    }
}

#[tokio::test]
async fn a_number_that_ends_tokens_at_twitter_is_an_error_of_the_call_elsewhere() {
    let spec = SpecBuf::oauth1("library", "temporary", "authorize", "token", "api");
    let world = World::with(row("Twitter"), spec.identity("me", "id_str").build());
    let account = world.log_in().await.unwrap();
    world.fake.ends_access_tokens();
    let error = world.call(&account).await.unwrap_err();
    assert!(matches!(&error, Error::Api { status, .. } if *status == 401), "{error:?}");
}

#[tokio::test]
async fn a_service_that_is_hosted_elsewhere_gets_no_request_at_home() {
    for base in ["https://git.corp.example/git", "https://git.corp.example/git/"] {
        let service = FakeService::of::<quadrille::GitHub>("our-id", SECRET);
        let login = Login::new(KeyRing::ephemeral(), SITE)
            .with(quadrille::GitHub::new("our-id", SECRET).hosted_at(base))
            .storage(MemoryStorage::new())
            .http(service.clone());
        let jar = Jar::new(&HeaderMap::new());
        let begin = Begin::new("github").owner(&Owner::user(1));
        let url = login.begin(&jar, &begin).await.unwrap();
        let below = "https://git.corp.example/git";
        assert!(url.starts_with(&format!("{below}/login/oauth/authorize?")), "{url}");
        let query = service.consent(&url, 7).unwrap();
        let (at_home, jar) = ("github.com%2Flogin", Jar::new(&carry(&jar)));
        assert!(query.contains(at_home), "{query}");
        let error = login.finish(&jar, "github", &query, &Owner::user(1)).await.unwrap_err();
        assert_eq!(error, BrowserError::WrongIssuer.into(), "its issuer is below the base, too");
        let query = query.replace(at_home, "git.corp.example%2Fgit%2Flogin");
        let done = login.finish(&jar, "github", &query, &Owner::user(1)).await.unwrap();
        let github = login.linked::<quadrille::GitHub>(&done.account).await.unwrap();
        github.get::<serde_json::Value>("user/emails").await.unwrap();
        let asked = service.asked();
        let urls: Vec<_> = asked.iter().map(|asked| asked.request.uri().to_string()).collect();
        let paths = ["/login/oauth/access_token", "/api/v3/user", "/api/v3/user/emails"];
        assert_eq!(urls, paths.map(|path| format!("{below}{path}")));
    }
}

#[tokio::test]
async fn calls_of_zoho_go_to_each_host_that_it_names_for_its_api() {
    for origin in ["https://www.zohoapis.eu", "https://api.zoho.eu", "https://www.zohoapis.com.au"]
    {
        let world = World::of(row("Zoho"));
        world.fake.change(|its| its.api_origin = Some(origin));
        let account = world.log_in().await.unwrap_or_else(|error| panic!("{origin}: {error:?}"));
        world.call(&account).await.unwrap_or_else(|error| panic!("{origin}: {error:?}"));
    }
}

#[test]
fn a_base_that_is_none_is_named_at_start() {
    for base in ["git.example", "http://git.example", "https://git.example/?x", "https://u@a.b"] {
        let twitter = Twitter::new("our-key", SECRET).hosted_at(base);
        let error = Login::new(KeyRing::ephemeral(), SITE).with(twitter).check().unwrap_err();
        let expected = OperatorError::BaseMalformed { service: "twitter".into() };
        assert_eq!(error, expected.into(), "{base}");
    }
}
