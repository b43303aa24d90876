//! Sessions that a provider has ended, for work outside of a request.

use std::time::Duration;

use axum::Router;
use http::HeaderMap;
use quadrille::{
    Error, KeyRing, Login, Owner, Result, Service, Spec,
    consumer::{Account, Jar, MemoryStorage, NotLinkedReason},
    testing::{Browser, FakeService, ManualClock},
};
use serde_json::json;

use super::ISSUER;
use crate::support::{SECRET, SITE};

struct Acme;

impl Service for Acme {
    const SPEC: Spec = Spec::oidc("acme", ISSUER).build();
}

struct World {
    service: FakeService,
    clock: ManualClock,
    login: Login,
}

impl World {
    fn with_scopes(scopes: &str) -> Self {
        let service = FakeService::openid(ISSUER, "our-id", SECRET)
            .user(json!({ "sub": "7", "sid": "session-of-ada" }))
            .user(json!({ "sub": "8", "sid": "session-of-grace" }));
        let clock = ManualClock::new();
        service.tells_time(&clock.env());
        let login = Login::new(KeyRing::ephemeral(), SITE)
            .with(Acme::client("our-id", SECRET).scopes(scopes))
            .storage(MemoryStorage::new())
            .http(service.clone())
            .env(clock.env());
        Self { service, clock, login }
    }

    /// Two browsers of nobody, of which one has been signed out at the provider.
    async fn of_browsers(&self) {
        let app = self.login.attach(Router::new());
        for user in [7, 8] {
            Browser::new(app.clone()).log_in(&self.service, "/login/acme", user).await;
        }
        let token = self.service.logout_token("our-id", &json!({ "sid": "session-of-ada" }));
        self.login.end_by_logout_token("acme", &token.unwrap()).await.unwrap();
    }

    async fn accounts(&self) -> Vec<Account> {
        let mut accounts = self.login.accounts::<Acme>().unwrap();
        let mut all = Vec::new();
        while let Some(acme) = accounts.next().await {
            all.push(acme.unwrap().account());
        }
        all
    }

    async fn linked(&self, account: &Account) -> Result<()> {
        self.login.linked::<Acme>(account).await.map(drop)
    }
}

#[tokio::test]
async fn an_account_that_was_a_browsers_session_is_none_in_the_background() {
    let world = World::with_scopes("openid");
    let app = world.login.attach(Router::new());
    Browser::new(app).log_in(&world.service, "/login/acme", 7).await;
    let [ada] = &world.accounts().await[..] else { panic!("one account") };
    world.linked(ada).await.unwrap();
    world.clock.advance(Duration::from_secs(1));
    let token = world.service.logout_token("our-id", &json!({ "sub": "7" })).unwrap();
    world.login.end_by_logout_token("acme", &token).await.unwrap();
    let error = world.linked(ada).await.unwrap_err();
    assert!(matches!(error, Error::NotLinked(who) if who.reason == NotLinkedReason::Missing));
    assert_eq!(world.accounts().await, []);
}

#[tokio::test]
async fn other_sessions_and_offline_access_go_on_in_the_background() {
    for (scopes, left) in [("openid", 1), ("openid offline_access", 2)] {
        let world = World::with_scopes(scopes);
        world.of_browsers().await;
        let accounts = world.accounts().await;
        assert_eq!(accounts.len(), left, "{scopes}");
        for account in &accounts {
            world.linked(account).await.unwrap();
        }
        assert!(accounts.iter().any(|account| *account.subject == *format!("{ISSUER}#8")));
    }
}

#[tokio::test]
async fn work_for_a_user_can_ask_whether_the_session_has_ended() {
    let world = World::with_scopes("openid");
    let bob = Owner::user("bob");
    let account = world.service.link(&world.login, "acme", &bob, 7).await;
    let acme = world.login.linked::<Acme>(&account).await.unwrap();
    assert_eq!(acme.has_session_ended().await, Ok(false));
    let token = world.service.logout_token("our-id", &json!({ "sid": "session-of-ada" })).unwrap();
    world.login.end_by_logout_token("acme", &token).await.unwrap();
    assert_eq!(acme.has_session_ended().await, Ok(true));
    let jar = Jar::new(&HeaderMap::new());
    assert!(world.login.linked_in_request::<Acme>(&jar, &bob).await.is_ok());
    assert_eq!(world.accounts().await.len(), 1, "the application decides about its users");
}
