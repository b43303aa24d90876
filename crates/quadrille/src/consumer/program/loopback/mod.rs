//! The loopback flow (RFC 8252): a browser returns to a port of the user's own machine.

mod answer;
mod port;
mod server;

use std::{fmt, io::Write as _, sync::Arc, time::Duration};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use tokio::{net::TcpListener, sync::mpsc};
use url::Url;

use crate::{
    Error,
    consumer::{
        dance::{CodeProof, Proof},
        error::{BrowserError, OperatorError, Result},
        flow::{Begin, Finished},
        login::Login,
        registration::Settled,
    },
    oauth2::pkce::Verifier,
    page::{Language, Page},
};

use self::{
    answer::{Answer, Expected},
    port::Host,
    server::Server,
};
use super::Attempted;

/// The settings of a loopback login: [`Login::begin_loopback`].
///
/// ```
/// use std::time::Duration;
/// use quadrille::consumer::Loopback;
///
/// let loopback = Loopback::new()
///     .port(8017)
///     .path("/callback")
///     .lasts(Duration::from_secs(300))
///     .open(|url| eprintln!("Open this page to log in:\n{url}"));
/// ```
#[derive(Clone)]
pub struct Loopback {
    port: Option<u16>,
    host: Host,
    path: String,
    lasts: Duration,
    open: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Loopback {
    /// A free port of `127.0.0.1` (of `[::1]` on a machine without IPv4), the path `/callback`, and
    /// ten minutes. The URL to open is printed to standard error.
    pub fn new() -> Self {
        Self {
            port: None,
            host: Host::Address,
            path: "/callback".to_owned(),
            lasts: Duration::from_secs(600),
            open: Arc::new(print),
        }
    }

    /// Listens on this port, for services that compare the port with the registered one.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// Sets the path of the redirect URI, as registered at the service.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Listens on `[::1]` only.
    #[must_use]
    pub fn ipv6(mut self) -> Self {
        self.host = Host::Ipv6;
        self
    }

    /// Puts the name `localhost` into the redirect URI, for services that register no address.
    /// Gives up: the machine's own configuration decides where that name leads, which may be
    /// another network interface, or a firewall (RFC 8252, section 8.3).
    #[must_use]
    pub fn localhost_because_the_service_accepts_no_address(mut self) -> Self {
        self.host = Host::Localhost;
        self
    }

    /// Sets the time that the user has; ten minutes by default.
    #[must_use]
    pub fn lasts(mut self, duration: Duration) -> Self {
        self.lasts = duration;
        self
    }

    /// Opens the URL in a browser by this function, instead of printing it. It must not block.
    /// Use the browser of the system, never a web view of the program, which could read the user's
    /// password (RFC 8252, section 8.12).
    #[must_use]
    pub fn open(mut self, open: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.open = Arc::new(open);
        self
    }
}

impl Default for Loopback {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Loopback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loopback")
            .field("port", &self.port)
            .field("host", &self.host)
            .field("path", &self.path)
            .field("lasts", &self.lasts)
            .finish_non_exhaustive()
    }
}

/// A loopback login in progress: [`Login::begin_loopback`]. Dropping it cancels the login and
/// closes the port.
///
/// ```
/// use quadrille::{Result, consumer::{Finished, LoopbackLogin}};
///
/// async fn wait(loopback: LoopbackLogin) -> Result<Finished> {
///     println!("The service sends the browser to {}", loopback.redirect_uri());
///     loopback.finish().await
/// }
/// ```
pub struct LoopbackLogin {
    attempted: Attempted,
    listeners: Vec<TcpListener>,
    loopback: Loopback,
    url: String,
    redirect_uri: String,
    state: String,
    verifier: Verifier,
    /// The `nonce`, at an OpenID Provider.
    nonce: Option<String>,
}

impl Login {
    /// Begins a login in the user's browser that returns to a port of this machine (RFC 8252,
    /// section 7.3), for programs on a user's own machine. The port is open from now on; call
    /// [`LoopbackLogin::finish`] to open the browser and wait for its return.
    ///
    /// Register `http://127.0.0.1/callback` at the service, with a port if the service compares it
    /// ([`Spec::any_loopback_port`](crate::Spec::any_loopback_port)). `state` and PKCE are always
    /// used.
    ///
    /// ```no_run
    /// use quadrille::{
    ///     GitHub, KeyRing, Login,
    ///     consumer::{Begin, Loopback, MemoryStorage},
    /// };
    ///
    /// # async fn example() -> quadrille::Result<()> {
    /// let login = Login::new(KeyRing::ephemeral(), "http://localhost")
    ///     .with(GitHub::from_env()?)
    ///     .storage(MemoryStorage::new());
    /// let done = login.begin_loopback(&Begin::new("github"), Loopback::new()).await?.finish().await?;
    /// let github = login.linked::<GitHub>(&done.account).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`OperatorError::LoopbackPortMissing`] for a service that compares the port,
    /// [`OperatorError::LoopbackListen`] if the port cannot be opened,
    /// [`OperatorError::LoopbackPathMalformed`], [`OperatorError::NotForPrograms`] with OAuth 1,
    /// and [`OperatorError::OutsideRequest`] if tokens are stored in cookies.
    pub async fn begin_loopback(
        &self,
        begin: &Begin<'_>,
        loopback: Loopback,
    ) -> Result<LoopbackLogin> {
        let attempted = Attempted::new(self, begin).await?;
        let parameters = begin.parameters(&attempted.registered)?;
        let dance = attempted.dance()?;
        let service = || Box::from(&*attempted.registered.name);
        if loopback.port.is_none() && !dance.spec.any_loopback_port {
            return Err(OperatorError::LoopbackPortMissing { service: service() }.into());
        }
        check_path(&loopback.path)?;
        let (listeners, authority) = loopback.host.listen(loopback.port.unwrap_or(0)).await?;
        let redirect_uri = format!("http://{authority}{}", loopback.path);
        let ready = self.ready()?;
        let env = &ready.site.env;
        let state = BASE64_URL_SAFE_NO_PAD.encode(env.random::<32>());
        let verifier = Verifier::random(env);
        let nonce =
            dance.openid.is_some().then(|| BASE64_URL_SAFE_NO_PAD.encode(env.random::<16>()));
        let attempt = &attempted.attempt;
        let url = dance.leave_for(
            &redirect_uri,
            attempt,
            parameters,
            &state,
            &verifier,
            nonce.as_deref(),
        )?;
        let url = dance.as_object(&ready.site, self.publisher(ready).as_ref(), url).await?;
        Ok(LoopbackLogin {
            attempted,
            listeners,
            loopback,
            url,
            redirect_uri,
            state,
            verifier,
            nonce,
        })
    }
}

impl LoopbackLogin {
    /// The URL at the service for the user's browser.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The redirect URI of this login, with its port.
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Opens the URL by [`Loopback::open`], waits for the browser's return, and stores the account
    /// for the owner of [`Begin::owner`]. The browser gets a page that shows the outcome. Calls no
    /// hooks.
    ///
    /// One answer is accepted: the first with the `state` of this login. All other requests to the
    /// port get an error and change nothing.
    ///
    /// # Errors
    /// [`BrowserError::Denied`] if the user refuses, [`BrowserError::AttemptExpired`] after
    /// [`Loopback::lasts`], and those of [`Login::finish`].
    pub async fn finish(self) -> Result<Finished> {
        let Self { attempted, listeners, loopback, url, redirect_uri, state, verifier, nonce } =
            self;
        (loopback.open)(&url);
        let registered = Arc::clone(&attempted.registered);
        let expected = Expected::new(Arc::clone(&registered), &redirect_uri, state);
        let (sender, mut answers) = mpsc::channel(1);
        let mut server = Server::new(listeners, expected, sender);
        let answer = tokio::select! {
            answer = answers.recv() => answer,
            () = tokio::time::sleep(loopback.lasts) => None,
            never = server.run() => match never {},
        };
        let Some(Answer { outcome, callback, language, reply }) = answer else {
            return Err(BrowserError::AttemptExpired.into());
        };
        let redeeming = async {
            let (verifier, redirect_uri) = (Some(verifier), Some(redirect_uri));
            let proof = CodeProof { verifier, nonce, redirect_uri, ..outcome? };
            redeem(attempted, proof, &callback).await
        };
        let finished = tokio::select! {
            finished = redeeming => finished,
            never = server.run() => match never {},
        };
        let page = match &finished {
            Ok(_) => succeeded(language, &registered),
            Err(error) => failed(language, &registered, error),
        };
        // The browser may have left.
        let _ = reply.send(page);
        server.flush().await;
        finished
    }
}

async fn redeem(
    attempted: Attempted,
    proof: CodeProof,
    callback: &[(String, String)],
) -> Result<Finished> {
    let Attempted { login, registered, attempt, owner } = attempted;
    let proof = Proof::Code(proof);
    let authorized = login.grant(&registered, &attempt, &proof, &owner, callback).await?;
    let account = authorized.keep(None, &owner, None).await?;
    Ok(Finished { account, next: attempt.next, data: attempt.data })
}

/// Checks that a path stands in a URL as it is.
fn check_path(path: &str) -> Result<(), OperatorError> {
    let url = Url::parse(&format!("http://127.0.0.1{path}"));
    match url {
        Ok(url) if url.path() == path && url.query().is_none() && url.fragment().is_none() => {
            Ok(())
        }
        _ => Err(OperatorError::LoopbackPathMalformed),
    }
}

fn print(url: &str) {
    // A failure to write to standard error cannot be reported anywhere.
    let _ = writeln!(std::io::stderr().lock(), "Open this page in your browser to log in:\n{url}");
}

fn succeeded(language: Language, service: &Settled) -> (http::StatusCode, Page) {
    let service = [("service", &*service.spec.title)];
    let page = Page::new(language.pattern("popup-finished-title")).language(language);
    (http::StatusCode::OK, page.text(&language.text("program-done", &service)))
}

fn failed(language: Language, service: &Settled, error: &Error) -> (http::StatusCode, Page) {
    let service = [("service", &*service.spec.title)];
    // The reason is for the person who runs the program and is in front of the browser, too.
    let (heading, text) = match error {
        Error::Browser(BrowserError::Denied) => {
            ("login-refused-title", language.text("program-denied", &service))
        }
        error => ("program-failed-title", format!("{error}.").into()),
    };
    let page = Page::new(language.pattern(heading))
        .language(language)
        .text(&text)
        .text(language.pattern("program-return"))
        .code(error.code());
    (error.status(), page)
}

impl fmt::Debug for LoopbackLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoopbackLogin")
            .field("service", &self.attempted.registered.name)
            .field("redirect_uri", &self.redirect_uri)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_registered_as_it_is_sent() {
        for path in ["/", "/callback", "/a/b", "/a%20b"] {
            assert_eq!(check_path(path), Ok(()), "{path}");
        }
        for path in
            ["", "callback", "/a?b", "/a#b", "/a b", "/../a", ":80/a", "@evil.example/", "\\a"]
        {
            assert_eq!(check_path(path), Err(OperatorError::LoopbackPathMalformed), "{path}");
        }
    }
}
