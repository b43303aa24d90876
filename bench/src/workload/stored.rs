//! The workloads on databases, and the tokens that are in them beforehand.

use std::time::Duration;

use crate::{
    Result,
    databases::Database,
    load,
    process::{Server, Side},
    stage::fetch,
    stats::Sample,
};

use super::{Play, Store, Target, Workload, actor::Actor};

/// A database with tokens.
pub(crate) struct Stored {
    database: Database,
    side: Side,
    /// Some of the tokens.
    sample: Vec<String>,
}

impl Stored {
    /// Issues so many tokens.
    pub(crate) fn seed(
        server: &Server,
        database: Database,
        side: Side,
        tokens: u32,
    ) -> Result<Self> {
        let path = match side {
            Side::Bare => format!("/admin/seed?store={}&n={tokens}", bare_store(database)),
            Side::Quadrille => format!("/seed?n={tokens}"),
        };
        let sample = fetch(server, &path, |answer| {
            answer.expect(200)?;
            Ok(std::str::from_utf8(answer.body)?.lines().map(str::to_owned).collect())
        })?;
        Ok(Self { database, side, sample })
    }
}

/// The store of the bare handlers, as it is in their paths.
pub(super) const fn bare_store(database: Database) -> &'static str {
    match database {
        Database::Sqlite => "sqf-group",
        Database::Postgres => "pg-group",
        Database::MariaDb => "my-group",
    }
}

/// The workloads, each named without the database.
pub(crate) fn rows(connections: usize) -> Vec<Workload> {
    let row = |title: &'static str, play| Workload {
        title: title.into(),
        connections,
        target: Target::None,
        play,
    };
    vec![
        client_credentials(connections),
        row("refresh", Play::Refresh(Store::Database)),
        row("code dance", Play::Dance),
        row("introspection", Play::Introspection),
        row("bearer route", Play::Bearer(Store::Database)),
        row("bearer route, ES256 JWT", Play::BearerJwt),
    ]
}

/// The first of them.
pub(crate) fn client_credentials(connections: usize) -> Workload {
    let play = Play::ClientCredentials(Store::Database);
    Workload { title: "client credentials".into(), connections, target: Target::None, play }
}

impl Workload {
    /// The measure for the others.
    pub(crate) fn hello() -> Self {
        Self { title: "hello".into(), connections: 16, target: Target::None, play: Play::Hello }
    }

    /// Measures a server once.
    pub(crate) fn play_at(
        &self,
        server: &Server,
        stored: Option<&Stored>,
        window: Duration,
    ) -> Result<Sample> {
        let actor = match stored {
            Some(stored) => stored.actor(server),
            None => Actor::at(server, Store::Memory),
        };
        let script = actor.script(self.play, self.connections)?;
        load::run(server, (0..self.connections).map(script).collect(), window / 4, window)
    }

    /// Measures two servers of one database at the same time, by half of the connections each.
    pub(crate) fn play_at_both(
        &self,
        servers: [&Server; 2],
        stored: &Stored,
        window: Duration,
    ) -> Result<Sample> {
        let half = self.connections / 2;
        let mut all = Vec::new();
        for server in servers {
            let script = stored.actor(server).script(self.play, half)?;
            all.push((server, (0..half).map(script).collect()));
        }
        load::run_at(all, window / 4, window)
    }
}

impl Stored {
    fn actor<'s>(&'s self, server: &'s Server) -> Actor<'s> {
        Actor::of_database(server, self.database, self.side, &self.sample)
    }
}
