//! Servers as processes of their own, on a core of their own, and what the kernel says of them.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::Result;

/// The side that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Side {
    /// The handlers of `baseline`.
    Bare,
    /// Quadrille.
    Quadrille,
}

/// The servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// `baseline`: hello, tokens in memory and in SQLite.
    Limits,
    /// The same with a million tokens in memory.
    LimitsOfMany,
    /// `baseline`: a protected route with the protections of a library.
    Guarded,
    /// `baseline`: the login written by hand.
    HandLogin,
    /// `baseline`: the login by OpenID Connect, written by hand.
    HandOpenIdLogin,
    /// `baseline` again: the service that logins go to, on the core of the load.
    Service,
    /// Quadrille's provider in memory, and its hello.
    Memory,
    /// The same with a million tokens.
    MemoryOfMany,
    /// Quadrille's provider on SQLite.
    Sqlite,
    /// `baseline` on a database with tokens.
    BareStored,
    /// Quadrille's provider on one.
    Stored,
    /// Quadrille's login, accounts in cookies.
    Login,
    /// Quadrille's login with a hook that makes the application's own session.
    Sessions,
    /// Quadrille's login by OpenID Connect.
    OpenIdLogin,
    /// The `quadrille` program.
    Program,
    /// `baseline`: pages that need an account, in a cookie, in SQLite and in PostgreSQL.
    BareLinked,
    /// Quadrille's page that extracts the account, from a cookie.
    LinkedCookie,
    /// The same from SQLite.
    LinkedSqlite,
    /// The same from SQLite, with a cache in front.
    LinkedSqliteCached,
    /// The same from PostgreSQL.
    LinkedPostgres,
    /// The same from PostgreSQL, with a cache in front.
    LinkedPostgresCached,
    /// Quadrille's login for a crowd.
    Crowd,
    /// The service of a crowd, with a user for each code.
    CrowdService,
}

impl Role {
    /// The number of roles.
    pub(crate) const COUNT: usize = Self::CrowdService as usize + 1;

    /// The side that the server belongs to.
    pub(crate) const fn side(self) -> Side {
        match self {
            Self::Limits
            | Self::LimitsOfMany
            | Self::Guarded
            | Self::HandLogin
            | Self::HandOpenIdLogin
            | Self::Service
            | Self::BareStored
            | Self::BareLinked => Side::Bare,
            Self::Memory
            | Self::MemoryOfMany
            | Self::Sqlite
            | Self::Stored
            | Self::Login
            | Self::Sessions
            | Self::OpenIdLogin
            | Self::Program
            | Self::LinkedCookie
            | Self::LinkedSqlite
            | Self::LinkedSqliteCached
            | Self::LinkedPostgresCached
            | Self::LinkedPostgres
            | Self::Crowd
            | Self::CrowdService => Side::Quadrille,
        }
    }
}

/// The cores of server and load.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cores {
    /// The servers under test, and the database threads in them.
    pub(crate) server: usize,
    /// The load, and the service that logins go to.
    pub(crate) load: usize,
}

/// A server that listens. It is killed when this is dropped.
pub(crate) struct Server {
    /// The role of the server.
    pub(crate) role: Role,
    /// The port.
    pub(crate) address: SocketAddr,
    child: Child,
}

impl Server {
    /// Starts `command`, which must listen on `port`.
    pub(crate) fn spawn(role: Role, port: u16, mut command: Command) -> Result<Self> {
        let child = command.spawn().map_err(|error| format!("{role:?}: {error}"))?;
        Ok(Self { role, address: (Ipv4Addr::LOCALHOST, port).into(), child })
    }

    /// Connects as soon as the server listens.
    pub(crate) fn connect(&mut self) -> Result<TcpStream> {
        let begun = Instant::now();
        loop {
            if let Ok(stream) = TcpStream::connect(self.address) {
                return Ok(stream);
            }
            if let Some(status) = self.child.try_wait()? {
                return Err(format!("{:?} ended before it listened: {status}", self.role).into());
            }
            if begun.elapsed() > Duration::from_secs(20) {
                return Err(format!("{:?} does not listen", self.role).into());
            }
            std::thread::yield_now();
        }
    }

    /// The CPU time of the server so far, user and system, of all its threads: the sum of the ticks
    /// in `/proc/PID/stat`, in the scheduler's nanoseconds.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let mut total = Duration::ZERO;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = fs::read_to_string(task?.path().join("schedstat"))?;
            let ran = text.split(' ').next().unwrap_or_default().parse()?;
            total += Duration::from_nanos(ran);
        }
        Ok(total)
    }

    /// The resident memory of the server, in bytes.
    pub(crate) fn resident(&self) -> Result<u64> {
        let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.child.id()))?;
        let line = text.lines().find_map(|line| line.strip_prefix("Rss:")).ok_or("no Rss")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The server may already have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command that runs `program` on these cores. `taskset` becomes the program, so its process id is
/// the same.
pub(crate) fn pinned(cores: &[usize], program: &Path) -> Command {
    let cores: Vec<_> = cores.iter().map(usize::to_string).collect();
    let mut command = Command::new("taskset");
    command.arg("--cpu-list").arg(cores.join(",")).arg(program).stdin(Stdio::null());
    command
}
