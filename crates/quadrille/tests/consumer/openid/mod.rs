//! Logins at OpenID Providers: what an application gets, and what takes nobody in.

mod client_authentication;
mod discovery;
mod encrypted;
mod faults;
mod hybrid;
mod kept;
mod logout;
mod mixed;
mod organizations;
mod presented;
mod refreshes;
mod request_objects;
mod restart;
mod sign_out;

use http::HeaderMap;
use quadrille::{
    KeyRing, Login, Owner, SpecBuf,
    consumer::{Account, Begin, Client, Dynamic, Finished, Jar, MemoryStorage, OAuth2Buf},
    testing::{FakeService, ManualClock},
    transport::Purpose,
};

use crate::{
    library::carry,
    support::{SECRET, SITE},
};

pub(crate) const ISSUER: &str = "https://id.example/tenant";

/// An application with one OpenID Provider, and the clock of both.
struct World {
    service: FakeService,
    login: Login,
    clock: ManualClock,
}

impl World {
    fn new() -> Self {
        Self::with(|spec| spec)
    }

    /// With changes to what the application says of the provider.
    fn with(change: impl FnOnce(SpecBuf<OAuth2Buf>) -> SpecBuf<OAuth2Buf>) -> Self {
        let spec = SpecBuf::oidc("acme", ISSUER).scopes("openid email");
        Self::of(change(spec).client("our-id", SECRET))
    }

    fn of(client: Client<Dynamic>) -> Self {
        let service = FakeService::openid(ISSUER, "our-id", SECRET);
        let clock = ManualClock::new();
        service.tells_time(&clock.env());
        let login = Login::new(KeyRing::ephemeral(), SITE)
            .with(client)
            .storage(MemoryStorage::new())
            .http(service.clone())
            .env(clock.env());
        Self { service, login, clock }
    }

    /// The departure of a browser of its own, and its cookies.
    async fn leave(&self, begin: &Begin<'_>) -> quadrille::Result<(String, HeaderMap)> {
        let jar = Jar::new(&HeaderMap::new());
        let url = self.login.begin(&jar, begin).await?;
        Ok((url, carry(&jar)))
    }

    async fn arrive(&self, cookies: &HeaderMap, query: &str) -> quadrille::Result<Finished> {
        self.login.finish(&Jar::new(cookies), "acme", query, &Owner::user("ada")).await
    }

    /// A whole login as this user of the provider.
    async fn log_in(&self, user: u64) -> quadrille::Result<Account> {
        let owner = Owner::user("ada");
        let (url, cookies) = self.leave(&Begin::new("acme").owner(&owner)).await?;
        let query = self.service.consent(&url, user).expect("a right request");
        self.arrive(&cookies, &query).await.map(|done| done.account)
    }

    /// The documents that were requested: metadata and keys.
    fn fetched(&self) -> usize {
        self.service.times_asked(Purpose::Document)
    }
}
