//! Tapes: real exchanges with a service, recorded once and replayed without the network.

#![expect(clippy::panic, clippy::print_stderr, reason = "a test fails by a panic")]

mod content;
mod disguise;
mod error;
mod exchange;
mod file;
mod issuer;
mod json;
mod left;
mod login;
mod marks;
mod matching;
mod mode;
mod names;
#[cfg(feature = "axum")]
mod place;
mod record;
mod scan;
mod secrets;
#[cfg(feature = "axum")]
mod server;
mod signed;

use std::{
    env, fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, header};

use crate::{
    Env, KeyRing, Linked, Login, Owner,
    consumer::{Client, Jar, MemoryStorage, Service, Token},
    transport::{
        Body, CollectError, ErasedClient, HttpClient, NetworkError, Purpose, SendError, standard,
    },
};

pub use error::{NotIssued, TapeError};
pub use mode::TapeMode;

use exchange::{Exchange, Sent, has_placeholder};
use issuer::Issuer;
use login::{callback, oauth_callback};
use matching::{Found, find};
use secrets::Secrets;

use super::script::whole;

/// The most bytes of a body.
const LONGEST: usize = 16 << 20;

/// The token of an account in a replay.
const TOKEN: &str = "tape-access_token-0";

/// A tape: the HTTP exchanges of a login, and of the calls of a [`Linked`] account, recorded once at
/// the real service and replayed in tests without the network. It is an HTTP client; pass it to
/// [`Login::http`]. [`tape!`](macro@crate::testing::tape) opens the one of a test:
///
/// ```
/// use quadrille::{GitHub, Linked, Result, testing::tape};
///
/// async fn home(github: Linked<GitHub>) -> Result<String> {
///     let me: serde_json::Value = github.get("user").await?;
///     Ok(format!("You are {}", me["login"]))
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let tape = tape!("github_user"); // tests/tapes/github_user.json
/// let github = tape.linked(GitHub::new("our-id", "our-secret"), tape.token("GITHUB_TOKEN")).await;
/// assert_eq!(home(github).await?, "You are \"ada\"");
/// # Ok(())
/// # }
/// ```
///
/// The file is JSON that people read and change. Tokens, codes, secrets, assertions, signatures,
/// cookies and credentials in headers are replaced by placeholders such as `tape-access_token-1`
/// before anything is written. Then each value that was replaced is looked for in the whole tape, and
/// an exchange that still contains one is not written ([`TapeError::SecretLeft`]).
///
/// A request is answered by the first exchange with its method, URL and body that has not been
/// played; secrets, and members that are another in each request (`state`, `nonce`, the parameters of
/// PKCE, timestamps), are not compared. After the last one GET requests get the last answer again.
/// Headers are not compared.
///
/// A request that the tape lacks fails with a [`TapeError`] as the cause of the network's error. A
/// test that has not [taken](Self::take_errors) it fails when the tape is dropped. Clones are the same tape.
#[derive(Clone)]
pub struct Tape(Arc<Inner>);

struct Inner {
    path: PathBuf,
    mode: TapeMode,
    network: OnceLock<Arc<dyn ErasedClient>>,
    state: Mutex<State>,
}

struct State {
    exchanges: Vec<Exchange>,
    /// How often each exchange was played.
    plays: Vec<u32>,
    secrets: Secrets,
    /// How many secrets were known when the exchanges were last searched for them.
    searched: usize,
    /// The environment variable without a token.
    unset: Option<String>,
    errors: Vec<TapeError>,
    is_in_order: bool,
    /// The callback of the login in OAuth 1 that has begun.
    callback: Option<String>,
    /// The issuer of ID tokens.
    issuer: Issuer,
}

impl Tape {
    /// Opens the tape in this file, which need not exist, in the [mode](TapeMode) of the environment.
    ///
    /// # Errors
    /// [`TapeError`] if the file is damaged, contains a secret or cannot be read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, TapeError> {
        Self::open_as(path, TapeMode::from_env()?)
    }

    /// Opens the tape in this file in this mode.
    ///
    /// ```
    /// use quadrille::testing::{Tape, TapeMode};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// let tape = Tape::open_as(folder.path().join("new.json"), TapeMode::Record)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`TapeError`] if the file is damaged, contains a secret or cannot be read.
    pub fn open_as(path: impl AsRef<Path>, mode: TapeMode) -> Result<Self, TapeError> {
        let path = path.as_ref().to_owned();
        let (exchanges, secrets) = match mode {
            TapeMode::Record => (Vec::new(), Secrets::default()),
            TapeMode::Replay | TapeMode::ReplayOrFail => file::read(&path)?,
        };
        let plays = vec![0; exchanges.len()];
        let state = State {
            exchanges,
            plays,
            secrets,
            searched: 0,
            unset: None,
            errors: Vec::new(),
            is_in_order: false,
            callback: None,
            issuer: Issuer::default(),
        };
        let state = Mutex::new(state);
        Ok(Self(Arc::new(Inner { path, mode, network: OnceLock::new(), state })))
    }

    /// Sets the client for the network: to record a fake service in a test, or by the application's
    /// own client. Without it the standard one is used. A second call has no effect.
    ///
    /// ```
    /// use quadrille::testing::{FakeService, Tape, TapeMode};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// let tape = Tape::open_as(folder.path().join("new.json"), TapeMode::Record)?
    ///     .over(FakeService::new("our-id", "our-secret"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn over(self, client: impl HttpClient) -> Self {
        let _ = self.0.network.set(Arc::new(client));
        self
    }

    /// Declares a secret that no member with a telling name contains: a key in a path, or an
    /// address. `name` is the one of its placeholder.
    ///
    /// ```
    /// use quadrille::testing::{Tape, TapeMode};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// let tape = Tape::open_as(folder.path().join("new.json"), TapeMode::Record)?
    ///     .secret("mailbox", "ada@example.com");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn secret(self, name: &str, value: &str) -> Self {
        self.state().secrets.declare(name, value);
        self
    }

    /// Declares that a name is not the name of a secret, where the tape takes it for one: data under a name
    /// such as `session` or `next_token`. Values with this name are written as they are.
    ///
    /// ```
    /// use quadrille::testing::{Tape, TapeMode};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// let tape = Tape::open_as(folder.path().join("new.json"), TapeMode::Record)?
    ///     .public("next_token");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn public(self, name: &str) -> Self {
        self.state().secrets.declare_public(name);
        self
    }

    /// Requires that requests come in the order of the tape, each once
    /// ([`TapeError::OutOfOrder`]).
    ///
    /// ```
    /// use quadrille::testing::tape;
    ///
    /// let tape = tape!("github_user").in_order();
    /// ```
    #[must_use]
    pub fn in_order(self) -> Self {
        self.state().is_in_order = true;
        self
    }

    /// Tells the tape the time of the test, from which the lifetimes of ID tokens count in a replay.
    /// Without it they were issued in 1970 and do not expire, and the time of the user's
    /// authentication (`auth_time`) is that of the recording.
    ///
    /// ```
    /// use quadrille::testing::{ManualClock, tape};
    ///
    /// let clock = ManualClock::new();
    /// let tape = tape!("github_user").tells_time(&clock.env());
    /// ```
    #[must_use]
    pub fn tells_time(self, env: &Env) -> Self {
        self.state().issuer.env = Some(env.clone());
        self
    }

    /// A token of a test's account: the one in this environment variable, with which the tape is
    /// recorded, or a placeholder.
    ///
    /// # Panics
    /// If the tape is to be recorded and the variable is not set. In a replay a request that the tape lacks
    /// then fails ([`TapeError::Placeholder`]).
    pub fn token(&self, variable: &str) -> Token {
        match env::var(variable) {
            Ok(token) if self.0.mode != TapeMode::ReplayOrFail => Token::new(token.trim()),
            _ if self.0.mode == TapeMode::Record => panic!(
                "set {variable} to an access token with which to record {}",
                self.0.path.display()
            ),
            _ => {
                self.state().unset = Some(variable.to_owned());
                Token::new(TOKEN)
            }
        }
    }

    /// An account with this token, as a handler takes it, without a router. Its calls go through the
    /// tape.
    ///
    /// # Panics
    /// If the client's settings are invalid.
    pub async fn linked<S: Service>(&self, client: Client<S>, token: Token) -> Linked<S> {
        let login = Login::new(KeyRing::ephemeral(), "https://app.example")
            .with(client)
            .storage(MemoryStorage::everyone_has(S::SPEC.name, token))
            .http(self.clone());
        let jar = Jar::new(&HeaderMap::new());
        match login.linked_in_request(&jar, &Owner::user("test")).await {
            Ok(linked) => linked,
            Err(error) => panic!("the account is not linked: {error}"),
        }
    }

    /// The faults so far, which are then no longer the test's failure when the tape is dropped.
    pub fn take_errors(&self) -> Vec<TapeError> {
        std::mem::take(&mut self.state().errors)
    }

    /// The callback of the login at `url`. `None` if that is no authorization request, or in a recording,
    /// which needs a user at the real service.
    pub(super) fn callback(&self, url: &str) -> Option<String> {
        if self.0.mode == TapeMode::Record {
            return None;
        }
        let state = &mut *self.state();
        callback(url, &state.exchanges, &mut state.issuer, state.callback.as_deref())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn network(&self) -> Result<Arc<dyn ErasedClient>, SendError> {
        if let Some(client) = self.0.network.get() {
            return Ok(Arc::clone(client));
        }
        let client = standard().map_err(|error| SendError::new(NetworkError::Connect, error))?;
        Ok(Arc::clone(self.0.network.get_or_init(|| client)))
    }

    /// The fault as a failure of the network. It is kept for the end of the test.
    fn fails(&self, error: TapeError) -> SendError {
        self.state().errors.push(error.clone());
        SendError::new(NetworkError::Connect, error)
    }

    /// The answer on the tape, with its texts as `told` has them.
    fn play(
        &self,
        request: &Request<Bytes>,
        purpose: Purpose,
        told: &dyn Fn(&str) -> String,
    ) -> Result<Response<Bytes>, TapeError> {
        let state = &mut *self.state();
        let sent = Sent::of(request, purpose, &mut state.secrets.comparing());
        let (path, text) = (self.0.path.clone(), sent.to_string());
        match find(&state.exchanges, &state.plays, &sent, state.is_in_order) {
            Found::Exchange(number) => {
                if let Some(plays) = state.plays.get_mut(number) {
                    *plays += 1;
                }
                let Some(exchange) = state.exchanges.get(number) else {
                    return Err(TapeError::Lacks { path, request: text, nearest: None });
                };
                let mut response = exchange.response.clone();
                response.map_texts(told);
                let issued = state.issuer.issue(&mut response, request, purpose, &state.exchanges);
                match issued {
                    Ok(()) => Ok(response.replayed()),
                    Err(reason) => Err(TapeError::NotIssued { path, request: text, reason }),
                }
            }
            Found::OtherBody(difference) => {
                Err(TapeError::OtherBody { path, request: text, difference })
            }
            Found::Nothing(nearest) => Err(TapeError::Lacks { path, request: text, nearest }),
            Found::OutOfOrder { next } => {
                let next = state.exchanges.get(next);
                let next = next.map_or_else(String::new, |next| next.request.to_string());
                Err(TapeError::OutOfOrder { path, request: text, next })
            }
        }
    }
}

impl HttpClient for Tape {
    async fn send(
        &self,
        request: Request<Body>,
        purpose: Purpose,
    ) -> Result<Response<Body>, NetworkError> {
        self.send_with_cause(request, purpose).await.map_err(|error| error.reason)
    }

    async fn send_with_cause(
        &self,
        request: Request<Body>,
        purpose: Purpose,
    ) -> Result<Response<Body>, SendError> {
        let request = whole(request).await?;
        if purpose == Purpose::TemporaryCredentials {
            self.state().callback = oauth_callback(&request);
        }
        let mut lacks = None;
        if self.0.mode != TapeMode::Record {
            match self.play(&request, purpose, &str::to_owned) {
                Ok(response) => return Ok(response.map(Body::from)),
                Err(error) if self.0.mode == TapeMode::ReplayOrFail => {
                    return Err(self.fails(error));
                }
                Err(_) if has_placeholder(&request) => {
                    return Err(self.fails(self.placeholder(&request, purpose)));
                }
                Err(error) => lacks = Some(Box::new(error)),
            }
        }
        let network = self.network()?;
        let sent = network.send(request.clone().map(Body::from), purpose).await;
        let response = sent.map_err(|error| match lacks {
            Some(fault) => self.unreached(fault, &error),
            None => error,
        })?;
        let (mut parts, body) = response.into_parts();
        let body =
            body.collect_decoded(&parts.headers, LONGEST).await.map_err(|error| match error {
                CollectError::Network(error) => error.into(),
                CollectError::Coding => NetworkError::Interrupted.into(),
                CollectError::TooLarge => {
                    let mut secrets = self.state().secrets.comparing();
                    let request = Sent::of(&request, purpose, &mut secrets).to_string();
                    self.fails(TapeError::TooLong { path: self.0.path.clone(), request })
                }
            })?;
        parts.headers.remove(header::CONTENT_ENCODING);
        parts.headers.remove(header::CONTENT_LENGTH);
        let response = Response::from_parts(parts, body);
        self.record(&request, &response, purpose).map_err(|error| self.fails(error))?;
        Ok(response.map(Body::from))
    }
}

/// Fails the test that has not looked at the faults.
impl Drop for Inner {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        let errors: Vec<_> = state.errors.iter().map(ToString::to_string).collect();
        if errors.is_empty() {
            return;
        }
        match std::thread::panicking() {
            true => eprintln!("{}", errors.join("\n")),
            false => panic!("{}", errors.join("\n")),
        }
    }
}

impl fmt::Debug for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tape")
            .field("path", &self.0.path)
            .field("mode", &self.0.mode)
            .finish_non_exhaustive()
    }
}

/// Opens the [`Tape`](crate::testing::Tape) of this name in the folder `tests/tapes` of the package
/// that is tested, in the mode of the environment. A tape that cannot be opened fails the test.
///
/// ```
/// use quadrille::testing::tape;
///
/// let tape = tape!("github_user"); // tests/tapes/github_user.json
/// ```
#[macro_export]
macro_rules! tape {
    ($name:literal) => {
        $crate::testing::Tape::open(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/tapes/",
            $name,
            ".json"
        ))
        .unwrap_or_else(|error| panic!("{error}"))
    };
}
