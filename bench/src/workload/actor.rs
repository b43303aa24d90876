//! A side of a workload: its server, its paths, and its secrets.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use crate::{
    Result,
    databases::Database,
    load::{
        self,
        message::{basic, query},
        oauth1::{Credentials, Signer},
        script::{Collect, Dance, REDIRECT_URI, Refresh, Repeat, Script, Signed, Visit},
    },
    process::{Role, Server, Side},
    stage::{Stage, fetch, fetch_with},
};

use super::{Play, Storage, Store};

/// The number of tokens that are presented in turn.
const TOKENS: u64 = 1000;
/// The number of device codes that are polled in turn: so many that none is polled too soon, even
/// by a load of 160,000 polls a second.
const DEVICE_CODES: u64 = 128 * 1024;
/// The number of users with an account in each database.
const USERS: u32 = 1000;

/// The paths of a store of the bare handlers.
macro_rules! paths {
    ($store:literal) => {
        [
            concat!($store, "/authorize"),
            concat!($store, "/token"),
            concat!($store, "/introspect"),
            concat!($store, "/resource"),
        ]
    };
}

/// The script of each connection, by its number.
pub(super) type ByNumber = Box<dyn Fn(usize) -> Box<dyn Script>>;

/// A server, and the paths of a workload on it.
pub(super) struct Actor<'s> {
    pub(super) server: &'s Server,
    authorize: &'static str,
    pub(super) token: &'static str,
    /// The authorization and the token endpoint of a dance with an ID token.
    openid: [&'static str; 2],
    /// The metadata of OpenID Connect.
    discovery: &'static str,
    introspect: &'static str,
    device: &'static str,
    protected: &'static str,
    /// The path of signed requests, and the origin that signatures name.
    signed: (&'static str, String),
    sign_in: &'static str,
    login: &'static str,
    /// The token endpoint that issues JWTs.
    jwt: &'static str,
    /// The route that they protect.
    jwt_protected: &'static str,
    /// The path that issues a million tokens and returns a thousand of them.
    seed: &'static str,
    /// A thousand of a million tokens.
    many: &'s [String],
    /// The path that returns the generated secret of the client. The bare handlers have a fixed
    /// one.
    secret: Option<&'static str>,
    oauth1_secret: Option<&'static str>,
}

/// The first nonce, which no earlier run has used.
fn fresh() -> u128 {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    now.as_nanos() << 64
}

impl<'s> Actor<'s> {
    /// The side of a workload. A server of many tokens has them from then on.
    pub(super) fn of(play: Play, stage: &'s Stage<'_>, side: Side) -> Result<Self> {
        let role = play.role(side);
        let mut actor = Self::at(stage.server(role)?, play.store());
        if play.store() == Store::MemoryOfMany {
            actor.many = stage.seeded(role, actor.seed)?;
        }
        Ok(actor)
    }

    /// A server on a database with these tokens.
    pub(super) fn of_database(
        server: &'s Server,
        database: Database,
        side: Side,
        many: &'s [String],
    ) -> Self {
        let actor = Self { many, ..Self::at(server, Store::Database) };
        let [authorize, token, introspect, protected] = match (side, database) {
            (Side::Quadrille, _) => return actor,
            (Side::Bare, Database::Sqlite) => paths!("/sqf-group"),
            (Side::Bare, Database::Postgres) => paths!("/pg-group"),
            (Side::Bare, Database::MariaDb) => paths!("/my-group"),
        };
        Self { authorize, token, introspect, protected, sign_in: authorize, ..actor }
    }

    pub(super) fn at(server: &'s Server, store: Store) -> Self {
        let is_durable = store == Store::Sqlite;
        if server.role == Role::Guarded {
            return Self {
                token: "/safe/token",
                introspect: "/safe/introspect",
                protected: "/safe/resource",
                signed: ("/safe/resource", "http://127.0.0.1".to_owned()),
                ..Self::bare(server, is_durable)
            };
        }
        match server.role.side() {
            Side::Bare => Self::bare(server, is_durable),
            Side::Quadrille => Self {
                server,
                authorize: "/oauth/authorize",
                token: "/oauth/token",
                openid: ["/oauth/authorize", "/oauth/token"],
                discovery: "/.well-known/openid-configuration",
                introspect: "/oauth/introspect",
                device: "/oauth/device_authorization",
                protected: "/api/resource",
                signed: ("/api/resource", format!("http://{}", server.address)),
                sign_in: "/sign-in",
                login: "/login/stub",
                jwt: "/oauth/token",
                jwt_protected: "/api/jwt",
                seed: "/seed",
                many: &[],
                secret: Some("/secret"),
                oauth1_secret: Some("/oauth1-secret"),
            },
        }
    }

    fn bare(server: &'s Server, is_durable: bool) -> Self {
        Self {
            server,
            authorize: "/mem/authorize",
            token: if is_durable { "/sqf-group/token" } else { "/mem/token" },
            openid: ["/id/authorize", "/id/token"],
            discovery: "/discovery",
            introspect: "/mem/introspect",
            device: "/mem/device_authorization",
            protected: "/mem/resource",
            // The `Host` of the load, which has no port.
            signed: ("/oauth1/resource", "http://127.0.0.1".to_owned()),
            // Without a session, this path makes one.
            sign_in: "/mem/authorize",
            login: "/login",
            jwt: "/jwt/es256/token",
            jwt_protected: "/jwt/es256-cache/resource",
            seed: "/admin/seed?store=mem&n=1000000",
            many: &[],
            secret: None,
            oauth1_secret: None,
        }
    }

    /// The scripts of so many connections.
    pub(super) fn script(&self, play: Play, connections: usize) -> Result<ByNumber> {
        let Self { token, protected, login, .. } = *self;
        Ok(match play {
            Play::Hello => Box::new(|_| Box::new(Repeat::hello())),
            Play::ClientCredentials(_) => {
                repeated(Repeat::client_credentials(token, &self.basic()?))
            }
            Play::ClientCredentialsForJwts => {
                repeated(Repeat::client_credentials_for_jwts(self.jwt, &self.basic()?))
            }
            Play::Refresh(_) => {
                let dance = self.dance()?;
                Box::new(move |_| Box::new(Refresh::new(dance.clone())))
            }
            Play::Bearer(Store::MemoryOfMany | Store::Database) => {
                repeated(Repeat::bearer(protected, self.many))
            }
            Play::Bearer(_) | Play::BearerAlike => {
                repeated(Repeat::bearer(protected, &self.tokens()?))
            }
            Play::BearerJwt => {
                let repeat = Repeat::client_credentials_for_jwts(self.jwt, &self.basic()?);
                let tokens = self.collect(&repeat, "access_token", TOKENS)?;
                repeated(Repeat::bearer(self.jwt_protected, &tokens))
            }
            Play::Introspection | Play::IntrospectionAlike => {
                let tokens = self.tokens_of_users()?;
                repeated(Repeat::introspection(self.introspect, &self.basic()?, &tokens))
            }
            Play::TokenExchange => {
                let tokens = self.tokens_of_users()?;
                repeated(Repeat::token_exchange(token, &self.basic()?, &tokens))
            }
            Play::DevicePolls => {
                let (basic, codes) = (self.basic()?, self.device_codes()?);
                let share = codes.len().div_ceil(connections);
                Box::new(move |number| {
                    let codes = codes.chunks(share).nth(number).unwrap_or_default();
                    Box::new(Repeat::device_polls(token, &basic, codes))
                })
            }
            Play::Signed | Play::SignedAlike => {
                let credentials = self.token_credentials()?;
                let (route, url) = (self.signed.0, self.signed_url(self.signed.0));
                let connections = Cell::new(fresh());
                Box::new(move |_| {
                    let nonces = connections.replace(connections.get() + (1 << 64));
                    let signer = Signer::new(&credentials, "GET", &url, None, nonces);
                    Box::new(Signed::new(route, signer))
                })
            }
            Play::Discovery => repeated(Repeat::discovery(self.discovery)),
            Play::OpenIdDance => {
                let dance = self.openid_dance()?;
                Box::new(move |_| Box::new(dance.clone()))
            }
            Play::Dance => {
                let dance = self.dance()?;
                Box::new(move |_| Box::new(dance.clone()))
            }
            Play::LoginRedirect => repeated(Repeat::login_redirect(login)),
            Play::LoginAlike if self.server.role == Role::HandLogin => {
                Box::new(move |_| Box::new(Visit::new("/safe/login")))
            }
            Play::Login | Play::LoginAlike | Play::LoginWithSessions | Play::OpenIdLogin => {
                Box::new(move |_| Box::new(Visit::new(login)))
            }
            Play::Linked(storage) => {
                let is_cookie = matches!(storage, Storage::Cookie | Storage::CookieAlike);
                let page = match self.server.role.side() {
                    Side::Bare => storage.bare_page(),
                    Side::Quadrille if is_cookie => "/login/stub?next=/linked",
                    Side::Quadrille => "/linked",
                };
                match is_cookie {
                    true => Box::new(move |_| Box::new(Visit::staying(page))),
                    false => repeated(Repeat::page_of_users(page, USERS)),
                }
            }
        })
    }

    /// The value of the client's `Authorization` header.
    pub(super) fn basic(&self) -> Result<String> {
        let Some(route) = self.secret else {
            return Ok(basic("bench", "bench-secret-0123456789abcdef"));
        };
        fetch(self.server, route, |answer| {
            answer.expect(200)?;
            Ok(basic("bench", std::str::from_utf8(answer.body)?))
        })
    }

    fn dance(&self) -> Result<Dance> {
        Ok(Dance::new(self.authorize, self.token, &self.basic()?, &self.session()?))
    }

    fn openid_dance(&self) -> Result<Dance> {
        let [authorize, token] = self.openid;
        Ok(Dance::with_id_token(authorize, token, &self.basic()?, &self.session()?))
    }

    /// The cookie of a signed-in user.
    fn session(&self) -> Result<String> {
        fetch(self.server, self.sign_in, |answer| {
            let cookie = answer.headers("set-cookie").next().ok_or("no session")?;
            Ok(cookie.split(';').next().unwrap_or_default().to_owned())
        })
    }

    fn signed_url(&self, path: &str) -> String {
        format!("{}{path}", self.signed.1)
    }

    /// Token credentials, from the OAuth 1.0a flow of a signed-in user.
    fn token_credentials(&self) -> Result<Credentials> {
        let Some(secret) = self.oauth1_secret else {
            return Ok(Credentials {
                client: "bench".to_owned(),
                client_secret: "cs-0123456789abcdef0123456789ab".to_owned(),
                token: Some(("token".to_owned(), "ts-0123456789abcdef0123456789ab".to_owned())),
            });
        };
        let client_secret =
            fetch(self.server, secret, |answer| Ok(std::str::from_utf8(answer.body)?.to_owned()))?;
        let mut credentials =
            Credentials { client: "bench".to_owned(), client_secret, token: None };
        let callback = Some(("oauth_callback", REDIRECT_URI));
        let temporary = self.credentials("/oauth/request_token", &credentials, callback)?;
        let target = format!("{}?oauth_token={}", self.authorize, temporary.0);
        let cookie = self.session()?;
        let verifier = fetch_with(self.server, &target, ("Cookie", &cookie), |answer| {
            Ok(query(answer.location()?, "oauth_verifier")?.to_owned())
        })?;
        credentials.token = Some(temporary);
        let verifier = Some(("oauth_verifier", verifier.as_str()));
        credentials.token =
            Some(self.credentials("/oauth/access_token", &credentials, verifier)?);
        Ok(credentials)
    }

    fn credentials(
        &self,
        endpoint: &str,
        credentials: &Credentials,
        further: Option<(&str, &str)>,
    ) -> Result<(String, String)> {
        let url = self.signed_url(endpoint);
        let mut signer = Signer::new(credentials, "GET", &url, further, fresh());
        let mut header = Vec::new();
        signer.sign(&mut header);
        let header = String::from_utf8(header)?;
        fetch_with(self.server, endpoint, ("Authorization", &header), |answer| {
            answer.expect(200)?;
            let text = |name| answer.form_text(name).map(str::to_owned);
            Ok((text("oauth_token")?, text("oauth_token_secret")?))
        })
    }

    /// Tokens that the client got for itself.
    fn tokens(&self) -> Result<Vec<String>> {
        let repeat = Repeat::client_credentials(self.token, &self.basic()?);
        self.collect(&repeat, "access_token", TOKENS)
    }

    /// Tokens that the client got for a user.
    fn tokens_of_users(&self) -> Result<Vec<String>> {
        // All tokens are a user's there.
        if self.server.role == Role::Guarded {
            return self.tokens();
        }
        self.collect(&self.dance()?, "access_token", TOKENS)
    }

    fn device_codes(&self) -> Result<Vec<String>> {
        let repeat = Repeat::device_authorization(self.device, &self.basic()?);
        self.collect(&repeat, "device_code", DEVICE_CODES)
    }

    fn collect(
        &self,
        script: &(impl Script + Clone + 'static),
        member: &'static str,
        count: u64,
    ) -> Result<Vec<String>> {
        let kept = Rc::new(RefCell::new(Vec::new()));
        let script = |_| -> Box<dyn Script> {
            Box::new(Collect::new(script.clone(), member, Rc::clone(&kept)))
        };
        load::run_count(self.server, (0..16).map(script).collect(), count)?;
        Ok(kept.take())
    }
}

/// The same requests on each connection.
fn repeated(script: Repeat) -> ByNumber {
    Box::new(move |_| Box::new(script.clone()))
}
