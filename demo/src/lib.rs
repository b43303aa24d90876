//! The demo: a provider, a small website that prints your photos through the provider's API, and at
//! the end a drawing of every message that made it possible. `make demo` runs it.
//!
//! Website and provider are real ones: the website is an application of [`quadrille::Login`], and
//! the provider is the program that `quadrille serve` runs. `record.rs` and `back_channel.rs`
//! record the messages, and `mask/` removes the secrets on the way into the notebook (`dance.rs`,
//! made of the types in `message.rs` and `value.rs`). `thread.rs` finds the last login in the
//! notebook. `diagram.rs` makes a page of it: `chapters.rs` gives each exchange its step and
//! chapter, `telling/` finds the words for either dance in `words/`, `written.rs` writes the
//! messages out, and `proof.rs` takes signatures apart.

#![warn(clippy::indexing_slicing, clippy::print_stderr, clippy::print_stdout)]
#![cfg_attr(test, allow(clippy::string_slice, reason = "a test may fail"))]

mod back_channel;
mod chapters;
mod chip;
mod clock;
mod dance;
mod diagram;
mod mask;
mod message;
mod pages;
mod photos;
mod proof;
mod provider;
mod record;
mod telling;
#[cfg(test)]
mod tests;
mod thread;
mod value;
mod website;
mod written;

use std::{
    future::Future,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};

use quadrille_server::{
    Failure, Issuer, Standing,
    data::{Backend, DataError, SqliteBackend},
    http::{Limits, Served, Server},
    web::App,
};
use tokio::net::TcpListener;

use clock::Clock;
use provider::Provider;
use record::Recorder;
use telling::Book;

/// The name of the demo's user. It is no secret: the first page shows it.
pub const USER: &str = "ada";
/// The password of the demo's user. The first page shows it, too.
pub const PASSWORD: &str = "four hands round";

/// The default port of the website. The provider has the next one. If a port is taken, any free one
/// serves.
const PORT: u16 = 8017;

/// A demo whose two servers listen.
#[derive(Debug)]
pub struct Demo {
    website: Issuer,
    provider: Issuer,
    servers: [(Server, TcpListener); 2],
    app: App,
    backend: Arc<dyn Backend>,
    _folder: Folder,
}

impl Demo {
    /// Starts a website and a provider at these addresses of this machine.
    ///
    /// # Errors
    /// If an address cannot be used, or the demo cannot store its data.
    pub async fn start(
        website: Option<SocketAddr>,
        provider: Option<SocketAddr>,
    ) -> Result<Self, Failure> {
        let website_listener = listen(website, PORT).await?;
        let provider_listener = listen(provider, PORT + 1).await?;
        // Two sites to a browser, not only two ports: `localhost` and `127.0.0.1`.
        let website = Issuer::localhost(website_listener.local_addr()?.port());
        let provider_url = format!("http://{}", provider_listener.local_addr()?);
        let provider = Issuer::parse(&provider_url)
            .map_err(|_| std::io::Error::other("the provider's address is no issuer"))?;

        let book = Book::read().map_err(std::io::Error::other)?;
        let clock = Clock::default();
        let env = clock.env();
        let recorder = Recorder::new(env.clone());
        let folder = Folder::make(&env.random())?;
        let path = folder.0.join("album.sqlite");
        let opened = SqliteBackend::open(&path, env.clone()).await;
        let opened = opened
            .map_err(|error| DataError::Database { place: path.display().to_string(), error })?;
        let backend: Arc<dyn Backend> = Arc::new(opened);
        let redirect_uris = website::CALLBACKS.map(|path| format!("{}{path}", website.as_str()));
        let started =
            Provider::start(&env, &provider, backend.clone(), &redirect_uris, &recorder).await?;
        recorder.introduce(&started.client_id, &started.signing_secret);
        let router =
            website::router(website.as_str(), &started, provider.as_str(), &clock, &recorder, book)
                .map_err(std::io::Error::other)?;
        let server = |issuer: &Issuer, router| {
            let served = Served {
                router,
                pages: None,
                endpoints: "/oauth".to_owned(),
                standing: Standing::default(),
            };
            Server::new(env.clone(), issuer.clone(), Limits::default(), served)
        };
        Ok(Self {
            servers: [
                (server(&website, router), website_listener),
                (server(&provider, started.router), provider_listener),
            ],
            website,
            provider,
            app: started.app,
            backend,
            _folder: folder,
        })
    }

    /// The URL of the website.
    pub fn website(&self) -> &str {
        self.website.as_str()
    }

    /// The URL of the provider.
    pub fn provider(&self) -> &str {
        self.provider.as_str()
    }

    /// Serves until `stop`, then answers the requests under way.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let (stopping, stopped) = tokio::sync::watch::channel(());
        let until = |mut stopped: tokio::sync::watch::Receiver<()>| async move {
            // The provider ends when the sender is dropped.
            while stopped.changed().await.is_ok() {}
        };
        let [(website, at_website), (provider, at_provider)] = self.servers;
        tokio::join!(
            async {
                stop.await;
                drop(stopping);
            },
            website.run(at_website, until(stopped.clone())),
            provider.run(at_provider, until(stopped.clone())),
        );
        drop((website, provider));
        if let Err(error) = self.app.server().stop().await {
            tracing::warn!(%error, "the demo's provider did not end in order");
        }
        drop(self.app);
        self.backend.close().await;
    }
}

/// Listens at `asked`, or else at the usual port or a free one.
async fn listen(asked: Option<SocketAddr>, usual: u16) -> Result<TcpListener, Failure> {
    let here = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    let address = match asked {
        Some(address) => address,
        None => match TcpListener::bind(here(usual)).await {
            Ok(listener) => return Ok(listener),
            Err(_) => here(0),
        },
    };
    TcpListener::bind(address).await.map_err(|error| Failure::Listen { address, error })
}

/// A folder that is removed at the end of the demo.
#[derive(Debug)]
struct Folder(PathBuf);

impl Folder {
    fn make(name: &[u8; 8]) -> Result<Self, Failure> {
        let name: String = name.iter().map(|byte| format!("{byte:02x}")).collect();
        let path = std::env::temp_dir().join(format!("quadrille-demo-{name}"));
        match std::fs::create_dir(&path) {
            Ok(()) => Ok(Self(path)),
            Err(error) => Err(Failure::File { path, error }),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, "the demo's folder {} is still there", self.0.display());
        }
    }
}
