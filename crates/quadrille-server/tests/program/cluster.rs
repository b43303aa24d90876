//! A server of PostgreSQL of one test, which is killed, comes back, and has a standby.

use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
};

use crate::{
    process::text,
    servers::{self, as_nobody, finish, place},
};

pub(crate) struct Cluster {
    folder: PathBuf,
    pub(crate) port: u16,
    settings: Vec<String>,
    environment: Vec<(String, String)>,
    server: Option<Child>,
    log: Arc<Mutex<String>>,
}

impl Cluster {
    /// A new cluster, which runs.
    pub(crate) fn new() -> Self {
        Self::with(&[], &[])
    }

    /// With settings (`name=value`) and variables of the environment.
    pub(crate) fn with(settings: &[&str], environment: &[(&str, &str)]) -> Self {
        let (folder, port) = place();
        let mut init = as_nobody(&servers::program("initdb"));
        init.args(["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8"]);
        finish(init.args(["--locale=C", "--pgdata"]).arg(folder.join("data")));
        let settings = settings.iter().map(|&setting| setting.to_owned()).collect();
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let environment = environment.iter().map(owned).collect();
        let (server, log) = (None, Arc::default());
        let mut cluster = Self { folder, port, settings, environment, server, log };
        cluster.start();
        cluster
    }

    pub(crate) fn url(&self) -> String {
        self.url_at(self.port)
    }

    /// The URL of the same database at the port of a proxy.
    pub(crate) fn url_at(&self, port: u16) -> String {
        format!("postgres://postgres@127.0.0.1:{port}/postgres")
    }

    /// What the server has written to its log since it was started last.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Starts the server, and waits until it accepts connections. The system kills it if this thread
    /// ends before it.
    pub(crate) fn start(&mut self) {
        let postgres = as_nobody(&servers::program("postgres"));
        let mut server = Command::new("setpriv");
        server.arg("--pdeathsig=KILL").arg(postgres.get_program()).args(postgres.get_args());
        server.arg("-D").arg(self.folder.join("data")).arg("-k").arg(&self.folder);
        server.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-F"]);
        for setting in &self.settings {
            server.args(["-c", setting]);
        }
        server.envs(self.environment.iter().cloned()).env("LC_ALL", "C");
        let server = server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut server = server.spawn().unwrap();
        let lines = BufReader::new(server.stderr.take().unwrap());
        self.server = Some(server);
        self.log.lock().unwrap().clear();
        let (log, (ready, is_ready)) = (Arc::clone(&self.log), std::sync::mpsc::channel());
        // A server waits when nobody reads its log.
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                log.lock().unwrap().push_str(&(line.clone() + "\n"));
                if line.contains("ready to accept") {
                    let _ = ready.send(());
                }
            }
        });
        is_ready.recv().unwrap_or_else(|_| panic!("the server ended: {}", self.log()));
    }

    /// Kills all processes of the server at once, as a machine that loses its power does.
    pub(crate) fn kill(&mut self) {
        let mut server = self.server.take().unwrap();
        let id = server.id();
        let of = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        let of: Vec<&str> = of.split_whitespace().collect();
        let mut kill = Command::new("kill");
        kill.args(["-KILL", &id.to_string()]).args(&of).stderr(Stdio::null());
        // One of them may have ended by itself.
        let _ = kill.status().unwrap();
        server.wait().unwrap();
        let is_left = |process: &&str| {
            let stat = std::fs::read_to_string(format!("/proc/{process}/stat"));
            stat.is_ok_and(|stat| !stat.contains(") Z"))
        };
        while of.iter().any(is_left) {
            std::thread::yield_now();
        }
    }

    /// Runs statements; returns their rows, a line each.
    pub(crate) fn sql(&self, statements: &str) -> String {
        let mut psql = Command::new(servers::program("psql"));
        psql.args(["-X", "-At", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", "postgres"]);
        psql.args(["-p", &self.port.to_string(), "-c", statements, "postgres"]);
        let output = psql.env("LC_ALL", "C").output().unwrap();
        assert!(output.status.success(), "{statements}: {}", text(&output.stderr));
        text(&output.stdout).trim().to_owned()
    }

    /// Sets a setting for all sessions, those that are open included.
    pub(crate) fn set(&self, assignment: &str) {
        self.sql(&format!("ALTER SYSTEM SET {assignment}"));
        self.sql("SELECT pg_reload_conf()");
    }

    /// The file of the rules by which users are authenticated.
    pub(crate) fn rules(&self) -> PathBuf {
        self.folder.join("data/pg_hba.conf")
    }

    /// A standby, which each commit waits for from now on.
    pub(crate) fn standby(&self) -> Self {
        let (folder, port) = place();
        let mut copy = as_nobody(&servers::program("pg_basebackup"));
        copy.args(["-h", "127.0.0.1", "-U", "postgres", "-p", &self.port.to_string(), "-D"]);
        copy.arg(folder.join("data"));
        finish(copy.args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync"]));
        let settings = vec!["cluster_name=standby".to_owned()];
        let (server, log) = (None, Arc::default());
        let mut standby = Self { folder, port, settings, environment: Vec::new(), server, log };
        standby.start();
        self.set("synchronous_standby_names = 'standby'");
        let is_sync = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
        while self.sql(is_sync) != "1" {
            std::thread::yield_now();
        }
        standby
    }

    /// Makes a primary of a standby.
    pub(crate) fn promote(&self) {
        assert_eq!(self.sql("SELECT pg_promote()"), "t");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.server.is_some() {
            self.kill();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
