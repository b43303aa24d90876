//! The servers of one round.

use std::{
    cell::OnceCell,
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::PathBuf,
};

use crate::{
    Result,
    load::message::{Answer, get},
    process::{Cores, Role, Server, free_port, pinned},
};

/// The folders of the programs, and the cores that they run on.
#[derive(Debug)]
pub(crate) struct Programs {
    /// The folder of `limits` and `login`.
    pub(crate) baseline: PathBuf,
    /// The folder of `quadrille-bench-server` and `quadrille`.
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
    servers: [OnceCell<Server>; 8],
}

impl<'p> Stage<'p> {
    /// A stage without servers. Empties the folder for databases.
    pub(crate) fn new(programs: &'p Programs) -> Self {
        // The folder may be missing.
        let _ = fs::remove_dir_all(&programs.data);
        Self { programs, servers: Default::default() }
    }

    /// The server of this role.
    pub(crate) fn server(&self, role: Role) -> Result<&Server> {
        let cell = self.servers.get(role as usize).ok_or("no such role")?;
        if let Some(server) = cell.get() {
            return Ok(server);
        }
        let service = match role {
            Role::HandLogin | Role::Login | Role::Sessions => Some(self.server(Role::Service)?),
            _ => None,
        };
        let server = self.programs.start_with(role, service)?;
        Ok(cell.get_or_init(|| server))
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
        let core = if role == Role::Service { self.cores.load } else { self.cores.server };
        let (folder, program, mode) = match role {
            Role::Limits | Role::Service => (&self.baseline, "limits", None),
            Role::HandLogin => (&self.baseline, "login", None),
            Role::Memory => (&self.ours, "quadrille-bench-server", Some("memory")),
            Role::Sqlite => (&self.ours, "quadrille-bench-server", Some("sqlite")),
            Role::Login => (&self.ours, "quadrille-bench-server", Some("login")),
            Role::Sessions => (&self.ours, "quadrille-bench-server", Some("sessions")),
            Role::Program => (&self.ours, "quadrille", Some("serve")),
        };
        let (port, mut command) = (free_port()?, pinned(core, &folder.join(program)));
        command.args(mode).env("PORT", port.to_string()).env("DATA_DIR", self.data_for(role)?);
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
