//! The workloads, as data.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use crate::{
    Result,
    load::{
        self,
        message::{basic, query},
        oauth1::{Credentials, Signer},
        script::{Collect, Dance, REDIRECT_URI, Refresh, Repeat, Script, Signed, Visit},
    },
    process::{Role, Server, Side},
    stage::{Stage, fetch, fetch_with},
    stats::Sample,
};

/// A workload for both sides.
#[derive(Debug)]
pub(crate) struct Workload {
    /// The title in the table.
    pub(crate) title: &'static str,
    /// The number of connections.
    pub(crate) connections: usize,
    /// The target of Quadrille.
    pub(crate) target: Target,
    play: Play,
}

/// A ratio of throughputs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    /// A share of the throughput of `/hello` in the bare handlers.
    OfHello(f64),
    /// A share of the throughput of the bare handler with the same task.
    OfBare(f64),
    /// No target.
    None,
}

#[derive(Clone, Copy, Debug)]
enum Play {
    Hello,
    ClientCredentials(Store),
    Refresh,
    Bearer,
    Signed,
    Dance,
    LoginRedirect,
    Login,
    LoginWithSessions,
    Linked(Storage),
}

/// The storage of the accounts of a page that extracts one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Storage {
    Cookie,
    Sqlite,
    SqliteCached,
    Postgres,
    PostgresCached,
}

impl Storage {
    fn role(self) -> Role {
        match self {
            Self::Cookie => Role::LinkedCookie,
            Self::Sqlite => Role::LinkedSqlite,
            Self::SqliteCached => Role::LinkedSqliteCached,
            Self::Postgres => Role::LinkedPostgres,
            Self::PostgresCached => Role::LinkedPostgresCached,
        }
    }

    /// The page of the bare handler, or the path that begins the login for it.
    fn bare_page(self) -> &'static str {
        match self {
            Self::Cookie => "/seal",
            Self::Sqlite | Self::SqliteCached => "/sqlite",
            Self::Postgres | Self::PostgresCached => "/postgres",
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Store {
    Memory,
    Sqlite,
}

/// `/hello` comes first, as the measure for the others.
pub(crate) const WORKLOADS: [Workload; 16] = [
    Workload { title: "hello", connections: 16, target: Target::None, play: Play::Hello },
    Workload {
        title: "client credentials, memory",
        connections: 16,
        target: Target::OfHello(0.60),
        play: Play::ClientCredentials(Store::Memory),
    },
    Workload {
        title: "client credentials, SQLite FULL, 16",
        connections: 16,
        target: Target::OfBare(1.0),
        play: Play::ClientCredentials(Store::Sqlite),
    },
    Workload {
        title: "client credentials, SQLite FULL, 128",
        connections: 128,
        target: Target::OfBare(1.0),
        play: Play::ClientCredentials(Store::Sqlite),
    },
    Workload {
        title: "refresh, memory",
        connections: 16,
        target: Target::OfHello(0.50),
        play: Play::Refresh,
    },
    Workload {
        title: "bearer route, memory",
        connections: 16,
        target: Target::OfHello(0.85),
        play: Play::Bearer,
    },
    Workload {
        title: "signed route (OAuth 1.0a), memory",
        connections: 16,
        target: Target::OfBare(0.90),
        play: Play::Signed,
    },
    Workload {
        title: "code dance, memory",
        connections: 16,
        target: Target::OfHello(0.18),
        play: Play::Dance,
    },
    Workload {
        title: "login redirect",
        connections: 16,
        target: Target::OfBare(1.0),
        play: Play::LoginRedirect,
    },
    Workload {
        title: "whole login",
        connections: 16,
        target: Target::OfBare(1.0),
        play: Play::Login,
    },
    Workload {
        title: "whole login, own sessions by a hook",
        connections: 16,
        target: Target::None,
        play: Play::LoginWithSessions,
    },
    Workload {
        title: "linked account, cookie",
        connections: 16,
        target: Target::OfBare(0.90),
        play: Play::Linked(Storage::Cookie),
    },
    Workload {
        title: "linked account, SQLite",
        connections: 16,
        target: Target::OfBare(0.90),
        play: Play::Linked(Storage::Sqlite),
    },
    Workload {
        title: "linked account, SQLite, cached",
        connections: 16,
        target: Target::OfBare(0.90),
        play: Play::Linked(Storage::SqliteCached),
    },
    Workload {
        title: "linked account, PostgreSQL",
        connections: 16,
        target: Target::OfBare(0.90),
        play: Play::Linked(Storage::Postgres),
    },
    Workload {
        title: "linked account, PostgreSQL, cached",
        connections: 16,
        target: Target::OfBare(0.90),
        play: Play::Linked(Storage::PostgresCached),
    },
];

/// The number of tokens that the bearer route gets in turn.
const BEARER_TOKENS: u64 = 1000;
/// The number of users with an account in each database.
const USERS: u32 = 1000;

impl Workload {
    /// Measures one side once.
    pub(crate) fn play(&self, stage: &Stage<'_>, side: Side, window: Duration) -> Result<Sample> {
        let actor = Actor::of(self.play, stage, side)?;
        let script = actor.script(self.play)?;
        let scripts = (0..self.connections).map(|_| script()).collect();
        load::run(actor.server, scripts, window / 4, window)
    }
}

/// The script of the client `bench` with client credentials at a provider, for [`crate::program`].
pub(crate) fn client_credentials(server: &Server) -> Result<Repeat> {
    let actor = Actor::at(server);
    Ok(Repeat::client_credentials(actor.token, &actor.basic()?))
}

/// A server, and the paths of a workload on it.
struct Actor<'s> {
    server: &'s Server,
    authorize: &'static str,
    token: &'static str,
    protected: &'static str,
    /// The path of signed requests, and the origin that signatures name.
    signed: (&'static str, String),
    sign_in: &'static str,
    login: &'static str,
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
    fn of(play: Play, stage: &'s Stage<'_>, side: Side) -> Result<Self> {
        let is_login = matches!(play, Play::LoginRedirect | Play::Login | Play::LoginWithSessions);
        let is_durable = matches!(play, Play::ClientCredentials(Store::Sqlite));
        let role = match side {
            Side::Bare if matches!(play, Play::Linked(_)) => Role::BareLinked,
            Side::Bare if is_login => Role::HandLogin,
            Side::Bare => Role::Limits,
            Side::Quadrille => match play {
                Play::Linked(storage) => storage.role(),
                Play::LoginWithSessions => Role::Sessions,
                _ if is_login => Role::Login,
                _ if is_durable => Role::Sqlite,
                _ => Role::Memory,
            },
        };
        let actor = Self::at(stage.server(role)?);
        // The bare handlers keep all stores in one process.
        if is_durable && side == Side::Bare {
            return Ok(Self { token: "/sqf-group/token", ..actor });
        }
        Ok(actor)
    }

    fn at(server: &'s Server) -> Self {
        match server.role.side() {
            Side::Bare => Self {
                server,
                authorize: "/mem/authorize",
                token: "/mem/token",
                protected: "/mem/resource",
                // The `Host` of the load, which has no port.
                signed: ("/oauth1/resource", "http://127.0.0.1".to_owned()),
                // Without a session, this path makes one.
                sign_in: "/mem/authorize",
                login: "/login",
                secret: None,
                oauth1_secret: None,
            },
            Side::Quadrille => Self {
                server,
                authorize: "/oauth/authorize",
                token: "/oauth/token",
                protected: "/api/resource",
                signed: ("/api/resource", format!("http://{}", server.address)),
                sign_in: "/sign-in",
                login: "/login/stub",
                secret: Some("/secret"),
                oauth1_secret: Some("/oauth1-secret"),
            },
        }
    }

    /// Makes the script of each connection.
    fn script(&self, play: Play) -> Result<Box<dyn Fn() -> Box<dyn Script>>> {
        let Self { token, protected, login, .. } = *self;
        Ok(match play {
            Play::Hello => Box::new(|| Box::new(Repeat::hello())),
            Play::ClientCredentials(_) => {
                let basic = self.basic()?;
                Box::new(move || Box::new(Repeat::client_credentials(token, &basic)))
            }
            Play::Refresh => {
                let dance = self.dance()?;
                Box::new(move || Box::new(Refresh::new(dance.clone())))
            }
            Play::Bearer => {
                let tokens = self.tokens()?;
                Box::new(move || Box::new(Repeat::bearer(protected, &tokens)))
            }
            Play::Signed => {
                let credentials = self.token_credentials()?;
                let (route, url) = (self.signed.0, self.signed_url(self.signed.0));
                let connections = Cell::new(fresh());
                Box::new(move || {
                    let nonces = connections.replace(connections.get() + (1 << 64));
                    let signer = Signer::new(&credentials, "GET", &url, None, nonces);
                    Box::new(Signed::new(route, signer))
                })
            }
            Play::Dance => {
                let dance = self.dance()?;
                Box::new(move || Box::new(dance.clone()))
            }
            Play::LoginRedirect => Box::new(move || Box::new(Repeat::login_redirect(login))),
            Play::Login | Play::LoginWithSessions => Box::new(move || Box::new(Visit::new(login))),
            Play::Linked(storage) => {
                let page = match self.server.role.side() {
                    Side::Bare => storage.bare_page(),
                    Side::Quadrille if storage == Storage::Cookie => "/login/stub?next=/linked",
                    Side::Quadrille => "/linked",
                };
                match storage {
                    Storage::Cookie => Box::new(move || Box::new(Visit::staying(page))),
                    _ => Box::new(move || Box::new(Repeat::page_of_users(page, USERS))),
                }
            }
        })
    }

    /// The value of the client's `Authorization` header.
    fn basic(&self) -> Result<String> {
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

    fn tokens(&self) -> Result<Vec<String>> {
        let tokens = Rc::new(RefCell::new(Vec::new()));
        let repeat = Repeat::client_credentials(self.token, &self.basic()?);
        let collect = Collect::new(repeat, Rc::clone(&tokens));
        load::run_count(self.server, vec![Box::new(collect)], BEARER_TOKENS)?;
        Ok(tokens.take())
    }
}
