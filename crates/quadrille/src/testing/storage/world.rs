//! The common part of the behaviours: the context of each call, and records.

use std::sync::Arc;

use crate::{
    KeyRing, Owner, Scopes,
    consumer::{Account, Context, InUse, Jar, ProviderSession, Site, Token},
    testing::{FakeService, ManualClock},
};

/// Texts that differ only in case and trailing space.
pub(super) const EXACT: [&str; 5] = ["abc", "Abc", "ABC", "abc ", "abc\u{e9}"];

/// A site, and a browser that returns its cookies.
pub(super) struct World {
    pub(super) clock: ManualClock,
    jar: Jar,
    site: Site,
}

impl World {
    pub(super) fn new() -> Self {
        let clock = ManualClock::new();
        let (env, keys) = (clock.env(), KeyRing::ephemeral());
        let http = Arc::new(FakeService::new("id", "secret"));
        let in_use = InUse {
            keys: keys.clone(),
            services: Box::default(),
            with_tenants: Box::default(),
            tokens: true,
        };
        let url = "https://app.example".parse().unwrap();
        let site = Site::new(&url, "/login", &env, &keys, http, in_use);
        Self { clock, jar: Jar::new(&http::HeaderMap::new()), site }
    }

    /// The context of a request.
    pub(super) fn visit(&self) -> Context<'_> {
        Context { jar: Some(&self.jar), ..self.outside() }
    }

    /// The context outside of any request.
    pub(super) fn outside(&self) -> Context<'_> {
        Context { jar: None, site: &self.site }
    }
}

pub(super) fn account(owner: &str, service: &str, subject: &str) -> Account {
    Account { owner: Owner::user(owner), service: service.into(), subject: subject.into() }
}

/// A token with all optional members.
pub(super) fn token(world: &World, name: &str) -> Token {
    let now = world.clock.now();
    let mut token = Token::new(format!("access-{name}"))
        .refresh_token(format!("refresh-{name}-\u{e9}"))
        .token_secret(format!("secret-{name}"))
        .scopes(Scopes::of(["photos:read", "profile"]))
        .api("https://one.api.example")
        .id_token("header.payload.signature")
        .session(ProviderSession::new("248289761001", now).sid("08a5019c"))
        .expires(now + std::time::Duration::from_secs(3600));
    token.obtained = now;
    token
}
