//! Logins at OpenID Providers: what an application gets, and what takes nobody in.

mod accepting;
mod background;
mod certification;
mod claim_sources;
mod client_authentication;
mod discovery;
mod encrypted;
mod faults;
mod front_channel;
mod hybrid;
mod initiated;
mod junk;
mod kept;
mod logout;
mod mixed;
mod organizations;
mod overtaken;
mod presented;
mod published_requests;
mod refreshes;
mod request_objects;
mod restart;
mod session_state;
mod sign_out;
mod signatures;
mod tolerated;
mod userinfo;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
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

/// The order of the group of P-256 (SP 800-186, section 3.2.1.3).
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// A token of ES256 with the other form of its signature: of `(r, s)`, `(r, n - s)` is valid, too, and
/// who has one of them makes the other.
fn with_other_signature(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let mut signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
    let mut borrow = 0;
    for (digit, order) in signature[32..].iter_mut().zip(ORDER).rev() {
        let difference = i16::from(order) - i16::from(*digit) - borrow;
        borrow = i16::from(difference < 0);
        *digit = u8::try_from(difference.rem_euclid(256)).unwrap();
    }
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}
