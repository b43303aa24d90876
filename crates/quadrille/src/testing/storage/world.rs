//! The common part of the behaviours: the context of each call, and records.

use crate::{
    Env, KeyRing, Owner, Scopes,
    consumer::{Account, Context, CookieStyle, InUse, Jar, Token},
    testing::ManualClock,
};

/// Texts that differ only in case and trailing space.
pub(super) const EXACT: [&str; 5] = ["abc", "Abc", "ABC", "abc ", "abc\u{e9}"];

/// A site, and a browser that returns its cookies.
pub(super) struct World {
    pub(super) clock: ManualClock,
    env: Env,
    keys: KeyRing,
    jar: Jar,
    style: CookieStyle,
    in_use: InUse,
}

impl World {
    pub(super) fn new() -> Self {
        let clock = ManualClock::new();
        Self {
            env: clock.env(),
            clock,
            keys: KeyRing::ephemeral(),
            jar: Jar::new(&http::HeaderMap::new()),
            style: CookieStyle::new(true, None, "/login"),
            in_use: InUse { tokens: true, ..InUse::default() },
        }
    }

    /// The context of a request.
    pub(super) fn visit(&self) -> Context<'_> {
        Context { jar: Some(&self.jar), ..self.outside() }
    }

    /// The context outside of any request.
    pub(super) fn outside(&self) -> Context<'_> {
        Context {
            jar: None,
            env: &self.env,
            keys: &self.keys,
            site: "https://app.example/login",
            style: &self.style,
            in_use: &self.in_use,
        }
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
        .expires(now + std::time::Duration::from_secs(3600));
    token.obtained = now;
    token
}
