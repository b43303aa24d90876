//! The workloads, as data.

mod actor;
pub(crate) mod stored;
mod table;

use std::{borrow::Cow, time::Duration};

use crate::{
    Result,
    load::{self, script::Repeat},
    process::{Role, Server, Side},
    stage::Stage,
    stats::Sample,
};

use actor::Actor;

pub(crate) use stored::Stored;
pub(crate) use table::WORKLOADS;

/// A workload for both sides.
#[derive(Debug)]
pub(crate) struct Workload {
    /// The title in the table.
    pub(crate) title: Cow<'static, str>,
    /// The number of connections.
    pub(crate) connections: usize,
    /// The target of Quadrille.
    pub(crate) target: Target,
    play: Play,
}

/// A ratio of throughputs.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// A share of the throughput of `/hello` in the bare handlers.
    OfHello(f64),
    /// A share of the throughput of the bare handler with the same task.
    OfBare(f64),
    /// A share of Quadrille's own throughput in the workload with this title.
    OfOwn(Cow<'static, str>, f64),
    /// No target.
    None,
}

#[derive(Clone, Copy, Debug)]
enum Play {
    Hello,
    ClientCredentials(Store),
    ClientCredentialsForJwts,
    Refresh(Store),
    Bearer(Store),
    /// The bare handler has the same protections.
    BearerAlike,
    /// The tokens are JWTs.
    BearerJwt,
    Introspection,
    /// The bare handler has the same protections.
    IntrospectionAlike,
    TokenExchange,
    DevicePolls,
    Signed,
    /// The bare handler has the same protections.
    SignedAlike,
    Dance,
    /// The code comes with an ID token.
    OpenIdDance,
    /// The metadata of OpenID Connect.
    Discovery,
    LoginRedirect,
    Login,
    /// The bare handler has the same protections.
    LoginAlike,
    LoginWithSessions,
    /// The service is an OpenID Provider.
    OpenIdLogin,
    Linked(Storage),
}

impl Play {
    /// The server that plays it.
    fn role(self, side: Side) -> Role {
        let store = self.store();
        match (side, self) {
            (Side::Bare, Self::BearerAlike | Self::SignedAlike | Self::IntrospectionAlike) => {
                Role::Guarded
            }
            (Side::Bare, Self::Linked(_)) => Role::BareLinked,
            (Side::Bare, Self::OpenIdLogin) => Role::HandOpenIdLogin,
            (_, Self::OpenIdLogin) => Role::OpenIdLogin,
            (
                Side::Bare,
                Self::LoginRedirect | Self::Login | Self::LoginAlike | Self::LoginWithSessions,
            ) => Role::HandLogin,
            // The bare handlers keep all stores in one process.
            (Side::Bare, _) if store == Store::MemoryOfMany => Role::LimitsOfMany,
            (Side::Bare, _) => Role::Limits,
            (_, Self::Linked(storage)) => storage.role(),
            (_, Self::LoginWithSessions) => Role::Sessions,
            (_, Self::LoginRedirect | Self::Login | Self::LoginAlike) => Role::Login,
            _ => match store {
                Store::Memory => Role::Memory,
                Store::MemoryOfMany => Role::MemoryOfMany,
                Store::Sqlite => Role::Sqlite,
                Store::Database => Role::Stored,
            },
        }
    }

    fn store(self) -> Store {
        match self {
            Self::ClientCredentials(store) | Self::Refresh(store) | Self::Bearer(store) => store,
            _ => Store::Memory,
        }
    }
}

/// The storage of the accounts of a page that extracts one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Storage {
    Cookie,
    /// The bare handler has the same protections.
    CookieAlike,
    Sqlite,
    SqliteCached,
    Postgres,
    PostgresCached,
}

impl Storage {
    fn role(self) -> Role {
        match self {
            Self::Cookie | Self::CookieAlike => Role::LinkedCookie,
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
            Self::CookieAlike => "/protect",
            Self::Sqlite | Self::SqliteCached => "/sqlite",
            Self::Postgres | Self::PostgresCached => "/postgres",
        }
    }
}

/// The store of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Store {
    Memory,
    /// Memory with a million tokens in it.
    MemoryOfMany,
    Sqlite,
    /// A database with tokens in it.
    Database,
}

impl Workload {
    /// Measures one side once.
    pub(crate) fn play(&self, stage: &Stage<'_>, side: Side, window: Duration) -> Result<Sample> {
        let actor = Actor::of(self.play, stage, side)?;
        let script = actor.script(self.play, self.connections)?;
        let scripts = (0..self.connections).map(script).collect();
        load::run(actor.server, scripts, window / 4, window)
    }
}

/// The script of the client `bench` with client credentials at a provider, for [`crate::program`].
pub(crate) fn client_credentials(server: &Server) -> Result<Repeat> {
    let actor = Actor::at(server, Store::Memory);
    Ok(Repeat::client_credentials(actor.token, &actor.basic()?))
}
