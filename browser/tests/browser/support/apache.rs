//! Apache with mod_auth_openidc in front of an application, configured as the guide has it. Each
//! virtual host is a relying party.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use axum::{Router, http::HeaderMap, response::Html};
use quadrille::page::escape;

use super::{
    Client, Provider, Site,
    databases::{Server, as_nobody, place, ports::free_port},
};

const INSTALL: &str =
    "apt-get install --no-install-recommends apache2-bin libapache2-mod-auth-openidc";

/// Where Debian has the modules.
const MODULES: &str = "/usr/lib/apache2/modules";
const NEEDED: [&str; 8] = [
    "mpm_event",
    "auth_openidc",
    "authn_core",
    "authz_core",
    "authz_user",
    "headers",
    "proxy",
    "proxy_http",
];

const GUIDE: &str = include_str!("../../../../docs/src/program/apache.md");

/// A relying party: a virtual host and its client. Its sessions have names of their own, since all
/// parties are on one host, whose ports share their cookies.
pub(crate) struct Party {
    port: u16,
    pub(crate) client: Client,
}

impl Party {
    /// Registers a party for the scopes of OpenID Connect, with the arguments of `quadrille client
    /// add` of the guide for these logouts (`front`, `back`), and further ones.
    pub(crate) fn register(
        provider: &Provider,
        name: &str,
        logouts: &[&str],
        further: &[&str],
    ) -> Self {
        let port = free_port();
        let at = |path: &str| format!("http://127.0.0.1:{port}{path}");
        let mut arguments: Vec<String> = ["openid", "profile", "email"]
            .into_iter()
            .flat_map(|scope| ["--scope", scope])
            .chain(["--post-logout-redirect-uri", &at("/bye")])
            .chain(further.iter().copied())
            .map(str::to_owned)
            .collect();
        for (logout, option, path) in [
            ("front", "--frontchannel-logout-uri", "/oidc?logout=get"),
            ("back", "--backchannel-logout-uri", "/oidc?logout=backchannel"),
        ] {
            assert!(GUIDE.contains(&format!("{option} \"https://photos.example{path}\"")));
            if logouts.contains(&logout) {
                arguments.extend([option.to_owned(), at(path)]);
            }
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        Self { port, client: provider.add(name, &at("/oidc"), &arguments) }
    }

    /// The URL of a page.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The URL that ends the sessions at the party and at the provider.
    pub(crate) fn logout(&self) -> String {
        let link = format!("/oidc?logout=http%3A%2F%2F127.0.0.1%3A{}%2Fbye", self.port);
        let guide = "/oidc?logout=https%3A%2F%2Fphotos.example%2Fbye";
        assert!(GUIDE.contains(guide), "the guide lacks {guide}");
        self.url(&link)
    }

    /// The name of the cookie of its session.
    pub(crate) fn cookie(&self) -> String {
        format!("session-{}", self.port)
    }

    /// The virtual host of the guide, with further lines and without those that begin with a word
    /// of `without`.
    fn host(&self, application: &Site, without: &[&str], further: &str) -> String {
        let secret = self.client.secret.as_deref().unwrap_or_default();
        let lines = block("<VirtualHost *:443>")
            .replace("*:443", &format!("127.0.0.1:{}", self.port))
            .replace("ServerName photos.example", "ServerName 127.0.0.1")
            .replace("https://photos.example", &self.url(""))
            .replace("https://id.example", &self.client.issuer)
            .replace("http://127.0.0.1:3000", &application.far(""))
            .replace("CLIENT_ID", &self.client.id)
            .replace("CLIENT_SECRET", secret)
            .replace("PASSPHRASE", "a secret of this test alone");
        let begins = |line: &&str| without.iter().any(|word| line.trim_start().starts_with(word));
        let lines: Vec<&str> = lines.lines().filter(|line| !begins(line)).collect();
        let names = format!(
            "OIDCCookie {}\nOIDCStateCookiePrefix state-{}-\n{further}\n</VirtualHost>",
            self.cookie(),
            self.port
        );
        let host = lines.join("\n").replace("</VirtualHost>", &names);
        format!("Listen 127.0.0.1:{}\n{host}\n", self.port)
    }
}

/// The block of the guide with this line.
pub(crate) fn block(line: &str) -> &'static str {
    let blocks = GUIDE.split("```apache\n").skip(1).filter_map(|rest| rest.split("```").next());
    let mut found = blocks.filter(|block| block.lines().any(|one| one.trim() == line));
    found.next().unwrap_or_else(|| panic!("the guide has no block with {line}"))
}

/// Apache, until the test process ends.
pub(crate) struct Apache {
    folder: PathBuf,
    hosts: String,
    application: Site,
}

impl Apache {
    /// An Apache without hosts, in front of an application that shows what it is told of its user.
    pub(crate) async fn new() -> Self {
        let needed = NEEDED.map(|name| format!("{MODULES}/mod_{name}.so"));
        let missing = |file: &&String| !Path::new(file).exists();
        if let Some(file) = needed.iter().find(missing) {
            panic!("{file} is missing; on Debian, as root: {INSTALL}");
        }
        let (folder, _) = place();
        let application = Site::start(async |_| Router::new().fallback(show)).await;
        Self { folder, hosts: String::new(), application }
    }

    /// Adds a party as the guide has it.
    pub(crate) fn host(&mut self, party: &Party) {
        self.host_with(party, &[], "");
    }

    /// Adds a party with further directives, and without some of the guide's.
    pub(crate) fn host_with(&mut self, party: &Party, without: &[&str], further: &str) {
        self.hosts += &party.host(&self.application, without, further);
    }

    /// Makes a file that Apache may read. Returns its path.
    pub(crate) fn file(&self, name: &str, content: &str) -> String {
        let path = self.folder.join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub(crate) fn start(self) -> Running {
        let folder = self.folder.to_str().unwrap();
        let mut text = format!(
            "ServerRoot {folder}\nDefaultRuntimeDir {folder}\nPidFile {folder}/pid\n\
             Mutex file:{folder}\nServerName localhost\nErrorLog |/bin/cat\n\
             LogLevel warn mpm_event:notice\nStartServers 1\nServerLimit 1\nThreadsPerChild 25\n\
             MinSpareThreads 1\nMaxSpareThreads 25\nMaxRequestWorkers 25\n"
        );
        for name in NEEDED {
            writeln!(text, "LoadModule {name}_module {MODULES}/mod_{name}.so").unwrap();
        }
        text.push_str(&self.hosts);
        let file = self.file("apache.conf", &text);
        let mut inner = as_nobody(Path::new("/usr/sbin/apache2"));
        inner.args(["-D", "FOREGROUND", "-f", &file]);
        // Its log is what a program of it writes to standard output.
        let mut server = Command::new("sh");
        server.args(["-c", "exec \"$@\" >&2", "apache2"]);
        server.arg(inner.get_program()).args(inner.get_args());
        let server = Server::start(&server, &self.folder, 0, "TERM");
        Running { server, _application: self.application }
    }
}

/// An Apache that runs.
pub(crate) struct Running {
    server: Server,
    _application: Site,
}

impl Running {
    /// The warnings and errors so far.
    pub(crate) fn log(&self) -> String {
        self.server.log()
    }
}

/// The page of the application, at every path: the headers that are about the user.
async fn show(uri: axum::http::Uri, headers: HeaderMap) -> Html<String> {
    let about = headers.iter().filter(|(name, _)| name.as_str().starts_with("oidc_"));
    let lines = about.map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes());
        format!("<p id=\"{name}\">{}</p>", escape(&value))
    });
    let (path, lines) = (escape(uri.path()), lines.collect::<String>());
    Html(format!("<!doctype html><title>Photos</title><h1>At {path}</h1>{lines}"))
}
