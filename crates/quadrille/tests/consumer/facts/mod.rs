//! Each fact that a row can say about a service of OAuth 2, against a fake service that has it.

use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};
use quadrille::{
    Apple, Error, KeyRing, Linked, Login, Owner, Scopes, Service, Spec, SpecBuf, Zoho,
    consumer::{
        Account, Begin, BrowserError, CookieStorage, Jar, MemoryStorage, OAuth2, OAuth2Buf,
        OperatorError, Protocol, Revocation, RevokedAtService, ServiceError, Token,
    },
    scope::ScopeSeparator,
    testing::{Asked, Emulated, FakeService, Manners, ManualClock, Refresh},
    transport::Purpose,
};

use crate::{
    library::carry,
    support::{SECRET, SITE},
};

const HOUR: Duration = Duration::from_secs(3600);

/// Begins a service with the usual endpoints.
const fn acme() -> Spec<OAuth2> {
    Spec::oauth2(
        "acme",
        "https://acme.example/authorize",
        "https://acme.example/token",
        "https://api.acme.example/v1",
    )
}

/// Makes a service of a spec and manners.
macro_rules! service {
    ($service:ident, $spec:expr, { $($manner:ident: $value:expr),* $(,)? }) => {
        struct $service;
        impl Service for $service {
            const SPEC: Spec = $spec.build();
        }
        impl Emulated for $service {
            const MANNERS: Manners = {
                #[allow(unused_mut)]
                let mut manners = Manners::STANDARD;
                $(manners.$manner = $value;)*
                manners
            };
        }
    };
}

mod answers;
mod calls;
mod data_centres;
mod profiles;
mod revoking;

/// An application with the service `S`.
struct World {
    fake: FakeService,
    login: Login,
    clock: ManualClock,
}

impl World {
    fn of<S: Emulated>() -> Self {
        let (fake, clock) = (FakeService::of::<S>("our-id", SECRET), ManualClock::new());
        let login = Login::new(KeyRing::ephemeral(), SITE)
            .with(S::client("our-id", SECRET))
            .storage(MemoryStorage::new())
            .http(fake.clone())
            .env(clock.env());
        login.check().unwrap();
        Self { fake, login, clock }
    }

    async fn account(&self) -> quadrille::Result<Account> {
        let (jar, owner) = (Jar::new(&HeaderMap::new()), Owner::user(1));
        let begin = Begin::new("acme").owner(&owner);
        let url = self.login.begin(&jar, &begin).await?;
        let query = self.fake.consent(&url, 7).expect("a right request");
        let jar = Jar::new(&carry(&jar));
        Ok(self.login.finish(&jar, "acme", &query, &owner).await?.account)
    }

    async fn linked<S: Service>(&self) -> Linked<S> {
        self.login.linked(&self.account().await.unwrap()).await.unwrap()
    }

    fn last(&self) -> Asked {
        self.fake.asked().pop().unwrap()
    }
}

fn url(asked: &Asked) -> String {
    asked.request.uri().to_string()
}

fn header<'a>(asked: &'a Asked, name: &str) -> &'a str {
    asked.request.headers()[name].to_str().unwrap()
}

async fn call<S: Service>(linked: &Linked<S>) -> quadrille::Result<serde_json::Value> {
    linked.get("anything").await
}

service!(Nameless, acme(), {});

service!(Refreshing, acme().identity("me", "id").refresh_endpoint("https://acme.example/refresh"), {
    refresh: Refresh::Lasting,
    lifetime: Some(HOUR),
});

#[tokio::test]
async fn a_refresh_goes_to_its_own_endpoint_and_keeps_a_token_that_is_not_replaced() {
    let world = World::of::<Refreshing>();
    let linked = world.linked::<Refreshing>().await;
    for round in 1..=3 {
        world.clock.advance(HOUR);
        call(&linked).await.unwrap();
        assert_eq!(world.fake.times_asked(Purpose::Refresh), round);
    }
    let asked = world.fake.asked();
    let urls = |purpose| asked.iter().filter(move |asked| asked.purpose == purpose).map(url);
    assert!(urls(Purpose::Refresh).all(|url| url == "https://acme.example/refresh"));
    assert!(urls(Purpose::RedeemCode).all(|url| url == "https://acme.example/token"));
}

#[tokio::test]
async fn a_secret_that_expires_is_made_for_each_request() {
    let fake = FakeService::of::<Apple>("our-id", "jwt-of-0");
    let clock = ManualClock::new();
    let start = clock.now();
    let apple =
        Apple::public_client("our-id").secret_by(move |now| match now.since(start).as_secs() {
            seconds if seconds < 5000 => Ok(format!("jwt-of-{seconds}")),
            _ => Err("no key"),
        });
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with(apple)
        .storage(MemoryStorage::new())
        .http(fake.clone())
        .env(clock.env());
    login.check().unwrap();
    let jar = Jar::new(&HeaderMap::new());
    let url = login.begin(&jar, &Begin::new("apple").owner(&Owner::user(1))).await.unwrap();
    let (query, jar) = (fake.consent(&url, 7).unwrap(), Jar::new(&carry(&jar)));
    let done = login.finish(&jar, "apple", &query, &Owner::user(1)).await.unwrap();
    clock.advance(HOUR + Duration::from_secs(7));
    fake.ends_access_tokens();
    fake.changes_secret("jwt-of-3607");
    let linked = login.linked::<Apple>(&done.account).await.unwrap();
    linked.get::<serde_json::Value>("x").await.unwrap();
    clock.advance(HOUR);
    let error = linked.revoke_at_service().await;
    let expected = OperatorError::SecretNotMade { service: "apple".into() };
    assert_eq!(error, RevokedAtService::Failed(expected.into()));
}
