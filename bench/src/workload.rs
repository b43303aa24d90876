//! What is measured, as data.

use std::{cell::RefCell, rc::Rc, time::Duration};

use crate::{
    Result,
    load::{
        self,
        message::basic,
        script::{Collect, Dance, Refresh, Repeat, Script, Visit},
    },
    process::Server,
    stage::{Role, Side, Stage, fetch},
    stats::Sample,
};

/// A workload, played by both sides.
#[derive(Debug)]
pub(crate) struct Workload {
    /// What it is called in the table.
    pub(crate) title: &'static str,
    /// How many connections ask at once.
    pub(crate) connections: usize,
    /// What Quadrille is to reach.
    pub(crate) target: Target,
    play: Play,
}

/// A ratio of throughputs to reach.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    /// Of `/hello` of the bare handlers.
    OfHello(f64),
    /// Of the bare handler that does the same.
    OfBare(f64),
    /// None.
    None,
}

#[derive(Clone, Copy, Debug)]
enum Play {
    Hello,
    ClientCredentials(Store),
    Refresh,
    Bearer,
    Dance,
    LoginRedirect,
    Login,
    LoginWithSessions,
}

#[derive(Clone, Copy, Debug)]
enum Store {
    Memory,
    Sqlite,
}

/// `/hello` comes first: the others are read against it.
pub(crate) const WORKLOADS: [Workload; 10] = [
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
];

/// How many tokens the bearer route sees in turn.
const BEARER_TOKENS: u64 = 1000;

impl Workload {
    /// Measures one side once.
    pub(crate) fn play(&self, stage: &Stage<'_>, side: Side, window: Duration) -> Result<Sample> {
        let actor = Actor::of(self.play, stage, side)?;
        let script = actor.script(self.play)?;
        let scripts = (0..self.connections).map(|_| script()).collect();
        load::run(actor.server, scripts, window / 4, window)
    }
}

/// The client credentials of the client `bench` at a provider, for [`crate::program`].
pub(crate) fn client_credentials(server: &Server) -> Result<Repeat> {
    let actor = Actor::at(server);
    Ok(Repeat::client_credentials(actor.token, &actor.basic()?))
}

/// A server, and where on it the requests of a workload go.
struct Actor<'s> {
    server: &'s Server,
    authorize: &'static str,
    token: &'static str,
    protected: &'static str,
    sign_in: &'static str,
    login: &'static str,
    /// Where the generated secret of the client is; the bare handlers have a fixed one.
    secret: Option<&'static str>,
}

impl<'s> Actor<'s> {
    fn of(play: Play, stage: &'s Stage<'_>, side: Side) -> Result<Self> {
        let is_login = matches!(play, Play::LoginRedirect | Play::Login | Play::LoginWithSessions);
        let is_durable = matches!(play, Play::ClientCredentials(Store::Sqlite));
        let role = match side {
            Side::Bare if is_login => Role::HandLogin,
            Side::Bare => Role::Limits,
            Side::Quadrille if matches!(play, Play::LoginWithSessions) => Role::Sessions,
            Side::Quadrille if is_login => Role::Login,
            Side::Quadrille if is_durable => Role::Sqlite,
            Side::Quadrille => Role::Memory,
        };
        let actor = Self::at(stage.server(role)?);
        // The bare handlers have all stores in one process.
        if is_durable && side == Side::Bare {
            return Ok(Self { token: "/sqf-group/token", ..actor });
        }
        Ok(actor)
    }

    const fn at(server: &'s Server) -> Self {
        match server.role.side() {
            Side::Bare => Self {
                server,
                authorize: "/mem/authorize",
                token: "/mem/token",
                protected: "/mem/resource",
                // Without a session it makes one.
                sign_in: "/mem/authorize",
                login: "/login",
                secret: None,
            },
            Side::Quadrille => Self {
                server,
                authorize: "/oauth/authorize",
                token: "/oauth/token",
                protected: "/api/resource",
                sign_in: "/sign-in",
                login: "/login/stub",
                secret: Some("/secret"),
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
            Play::Dance => {
                let dance = self.dance()?;
                Box::new(move || Box::new(dance.clone()))
            }
            Play::LoginRedirect => Box::new(move || Box::new(Repeat::login_redirect(login))),
            Play::Login | Play::LoginWithSessions => Box::new(move || Box::new(Visit::new(login))),
        })
    }

    /// What the client authenticates with.
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

    /// The cookie of somebody who is signed in.
    fn session(&self) -> Result<String> {
        fetch(self.server, self.sign_in, |answer| {
            let cookie = answer.headers("set-cookie").next().ok_or("no session")?;
            Ok(cookie.split(';').next().unwrap_or_default().to_owned())
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
