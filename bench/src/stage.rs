//! The servers of one round.

use std::{
    cell::OnceCell,
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::PathBuf,
    process::Command,
};

use crate::{
    Result,
    databases::{self, Database},
    load::message::{Answer, get},
    ports::free_port,
    process::{Cores, Role, Server, Side, pinned},
};

/// The folders of the programs, and the cores that they run on.
#[derive(Debug)]
pub(crate) struct Programs {
    /// The folder of `limits` and `login`.
    pub(crate) baseline: PathBuf,
    /// The folder of `quadrille`, `quadrille-bench-server` and its siblings.
    pub(crate) ours: PathBuf,
    /// The folder for databases, which is emptied at each start.
    pub(crate) data: PathBuf,
    /// The cores.
    pub(crate) cores: Cores,
}

/// The servers of a round. Each starts at its first use, and then waits idle while others are
/// measured.
pub(crate) struct Stage<'p> {
    programs: &'p Programs,
    servers: [OnceCell<Server>; Role::COUNT],
    /// The tokens that a server was seeded with.
    seeds: [OnceCell<Vec<String>>; Role::COUNT],
}

impl<'p> Stage<'p> {
    /// A stage without servers. Empties the folder for databases.
    pub(crate) fn new(programs: &'p Programs) -> Self {
        // The folder may be missing.
        let _ = fs::remove_dir_all(&programs.data);
        Self { programs, servers: Default::default(), seeds: Default::default() }
    }

    /// The server of this role.
    pub(crate) fn server(&self, role: Role) -> Result<&Server> {
        let cell = self.servers.get(role as usize).ok_or("no such role")?;
        if let Some(server) = cell.get() {
            return Ok(server);
        }
        let service = match role {
            Role::HandLogin
            | Role::HandOpenIdLogin
            | Role::Login
            | Role::Sessions
            | Role::OpenIdLogin
            | Role::LinkedCookie
            | Role::LinkedSqlite
            | Role::LinkedSqliteCached
            | Role::LinkedPostgresCached
            | Role::LinkedPostgres => Some(self.server(Role::Service)?),
            _ => None,
        };
        let server = self.programs.start_with(role, service)?;
        Ok(cell.get_or_init(|| server))
    }

    /// Some of the tokens that the server of this role has after one request for this path.
    pub(crate) fn seeded(&self, role: Role, path: &str) -> Result<&[String]> {
        let cell = self.seeds.get(role as usize).ok_or("no such role")?;
        if let Some(tokens) = cell.get() {
            return Ok(tokens);
        }
        let tokens = fetch(self.server(role)?, path, |answer| {
            answer.expect(200)?;
            Ok(std::str::from_utf8(answer.body)?.lines().map(str::to_owned).collect())
        })?;
        Ok(cell.get_or_init(|| tokens))
    }
}

impl Programs {
    /// A new folder for the data of a server.
    pub(crate) fn data_for(&self, role: Role) -> Result<PathBuf> {
        let folder = self.data.join(format!("{role:?}"));
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// Starts a server that needs no other.
    pub(crate) fn start(&self, role: Role) -> Result<Server> {
        self.start_with(role, None)
    }

    fn start_with(&self, role: Role, service: Option<&Server>) -> Result<Server> {
        let (ours, login) = ("quadrille-bench-server", "quadrille-bench-login");
        let accounts = "quadrille-bench-accounts";
        let (folder, program, mode): (_, _, &[&str]) = match role {
            Role::Limits | Role::LimitsOfMany | Role::Service => (&self.baseline, "limits", &[]),
            Role::Guarded => (&self.baseline, "guarded", &[]),
            Role::HandLogin => (&self.baseline, "login", &[]),
            Role::HandOpenIdLogin => (&self.baseline, "openid", &[]),
            Role::BareLinked => (&self.baseline, "linked", &[]),
            Role::Memory | Role::MemoryOfMany => (&self.ours, ours, &["memory"]),
            Role::Sqlite => (&self.ours, ours, &["sqlite"]),
            Role::Login => (&self.ours, login, &["cookie"]),
            Role::Sessions => (&self.ours, login, &["sessions"]),
            Role::OpenIdLogin => (&self.ours, login, &["openid"]),
            Role::LinkedCookie => (&self.ours, login, &["linked"]),
            Role::LinkedSqlite => (&self.ours, accounts, &["linked", "sqlite"]),
            Role::LinkedSqliteCached => (&self.ours, accounts, &["linked", "sqlite-cached"]),
            Role::LinkedPostgres => (&self.ours, accounts, &["linked", "postgres"]),
            Role::LinkedPostgresCached => (&self.ours, accounts, &["linked", "postgres-cached"]),
            Role::Program => (&self.ours, "quadrille", &["serve"]),
            Role::CrowdService => (&self.ours, accounts, &["service"]),
            Role::BareStored | Role::Stored => return Err("it needs a database".into()),
            Role::Crowd => return Err("a crowd needs a storage".into()),
        };
        let is_service = matches!(role, Role::Service | Role::CrowdService);
        let core = if is_service { self.cores.load } else { self.cores.server };
        let mut command = pinned(&[core], &folder.join(program));
        command.args(mode);
        if matches!(role, Role::BareLinked | Role::LinkedPostgres | Role::LinkedPostgresCached) {
            command.env("PG_URL", [&databases::postgres(), "postgres"].concat());
        }
        self.launch(role, command, service)
    }

    /// Starts a server on a new database, or on that of another server.
    pub(crate) fn start_stored(
        &self,
        database: Database,
        side: Side,
        beside: Option<&Server>,
    ) -> Result<Server> {
        let (role, folder, program) = match side {
            Side::Bare => (Role::BareStored, &self.baseline, "limits"),
            Side::Quadrille => (Role::Stored, &self.ours, "quadrille-bench-stores"),
        };
        let mut command = pinned(&[self.cores.server], &folder.join(program));
        let (mode, variable, url) = match database {
            Database::Sqlite => ("sqlite", "DATABASE", String::new()),
            Database::Postgres => {
                ("postgres", "PG_URL", databases::empty_postgres(side, beside.is_none())?)
            }
            Database::MariaDb => ("mariadb", "MY_URL", databases::empty_mariadb(side)?),
        };
        if database == Database::Sqlite {
            // The folder may be missing.
            let _ = fs::remove_dir_all(self.data.join(format!("{role:?}")));
        }
        if side == Side::Quadrille {
            command.arg(mode);
        }
        command.env(variable, url);
        command.envs(beside.map(|other| ("ISSUER", format!("http://{}", other.address))));
        self.launch(role, command, None)
    }

    /// Starts the site of a crowd on both cores: two threads meet where one would not.
    pub(crate) fn start_crowd(
        &self,
        storage: &str,
        database: Option<(&str, String)>,
        service: &Server,
    ) -> Result<Server> {
        let cores = [self.cores.server, self.cores.load];
        let mut command = pinned(&cores, &self.ours.join("quadrille-bench-accounts"));
        command.args(["crowd", storage]).envs(database);
        self.launch(Role::Crowd, command, Some(service))
    }

    fn launch(&self, role: Role, mut command: Command, service: Option<&Server>) -> Result<Server> {
        let port = free_port();
        command.env("PORT", port.to_string()).env("DATA_DIR", self.data_for(role)?);
        command.envs(service.map(|server| ("STUB", format!("http://{}/stub", server.address))));
        let mut server = Server::spawn(role, port, command)?;
        server.connect()?;
        Ok(server)
    }
}

/// Sends one GET request on a new connection, and passes the response to `read`.
pub(crate) fn fetch<T>(
    server: &Server,
    target: &str,
    read: impl FnOnce(&Answer<'_>) -> Result<T>,
) -> Result<T> {
    fetch_with(server, target, ("Accept", "*/*"), read)
}

/// Sends one GET request with a further header.
pub(crate) fn fetch_with<T>(
    server: &Server,
    target: &str,
    header: (&str, &str),
    read: impl FnOnce(&Answer<'_>) -> Result<T>,
) -> Result<T> {
    let mut stream = TcpStream::connect(server.address)?;
    stream.write_all(&get(target, &[("Connection", "close"), header]))?;
    let mut received = Vec::new();
    stream.read_to_end(&mut received)?;
    let (answer, _) = Answer::parse(&received)?.ok_or("half an answer")?;
    read(&answer)
}
