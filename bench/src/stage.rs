//! The servers of one round.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::PathBuf,
};

use crate::{
    Result,
    load::message::{Answer, get},
    process::{Cores, Server, free_port, pinned},
};

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Side {
    /// The handlers of `baseline`.
    Bare,
    /// Ours.
    Quadrille,
}

/// Where the programs are, and where they run.
#[derive(Debug)]
pub(crate) struct Programs {
    /// The folder of `limits` and `login`.
    pub(crate) baseline: PathBuf,
    /// The folder of `quadrille-bench-server` and `quadrille`.
    pub(crate) ours: PathBuf,
    /// For databases; emptied at each start.
    pub(crate) data: PathBuf,
    /// The cores.
    pub(crate) cores: Cores,
}

/// All servers of a round: started together, idle while another is measured.
pub(crate) struct Stage {
    /// `baseline`: hello, tokens in memory and in SQLite.
    pub(crate) limits: Server,
    /// `baseline`: the login written by hand.
    pub(crate) login: Server,
    /// Quadrille's provider in memory, and its hello.
    pub(crate) our_memory: Server,
    /// Quadrille's provider on SQLite.
    pub(crate) our_sqlite: Server,
    /// Quadrille's login.
    pub(crate) our_login: Server,
    /// The service both logins go to; on the core of the load.
    _service: Server,
}

impl Stage {
    /// Starts them.
    pub(crate) fn set(programs: &Programs) -> Result<Self> {
        let _ = fs::remove_dir_all(&programs.data);
        let service = programs.bare("limits", programs.cores.load, "service", None)?;
        let stub = format!("http://{}/stub", service.address);
        let core = programs.cores.server;
        Ok(Self {
            limits: programs.bare("limits", core, "limits", None)?,
            login: programs.bare("login", core, "login", Some(&stub))?,
            our_memory: programs.quadrille("memory", None)?,
            our_sqlite: programs.quadrille("sqlite", None)?,
            our_login: programs.quadrille("login", Some(&stub))?,
            _service: service,
        })
    }
}

impl Programs {
    /// A folder of its own for a server.
    pub(crate) fn data_for(&self, name: &str) -> Result<PathBuf> {
        let folder = self.data.join(name);
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// Starts a program of the bare handlers.
    pub(crate) fn bare(
        &self,
        program: &str,
        core: usize,
        name: &str,
        stub: Option<&str>,
    ) -> Result<Server> {
        self.start(core, &self.baseline.join(program), name, None, stub)
    }

    /// Starts Quadrille's side.
    pub(crate) fn quadrille(&self, mode: &str, stub: Option<&str>) -> Result<Server> {
        let program = self.ours.join("quadrille-bench-server");
        self.start(self.cores.server, &program, mode, Some(mode), stub)
    }

    fn start(
        &self,
        core: usize,
        program: &std::path::Path,
        name: &str,
        mode: Option<&str>,
        stub: Option<&str>,
    ) -> Result<Server> {
        let (port, data) = (free_port()?, self.data_for(name)?);
        let mut command = pinned(core, program);
        command.args(mode).env("PORT", port.to_string()).env("DATA_DIR", data);
        command.envs(stub.map(|stub| ("STUB", stub)));
        let mut server = Server::spawn(name, port, command)?;
        server.connect()?;
        Ok(server)
    }
}

/// One GET on a connection of its own; hands its answer to `read`.
pub(crate) fn fetch<T>(
    server: &Server,
    target: &str,
    read: impl FnOnce(&Answer<'_>) -> Result<T>,
) -> Result<T> {
    let mut stream = TcpStream::connect(server.address)?;
    stream.write_all(&get(target, &[("Connection", "close")]))?;
    let mut received = Vec::new();
    stream.read_to_end(&mut received)?;
    let (answer, _) = Answer::parse(&received)?.ok_or("half an answer")?;
    read(&answer)
}
