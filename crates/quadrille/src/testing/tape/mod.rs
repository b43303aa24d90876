//! Tapes: real exchanges with a service, recorded once and replayed without the network.

#![expect(clippy::panic, clippy::print_stderr, reason = "a test fails by a panic")]

mod content;
mod error;
mod exchange;
mod file;
mod matching;
mod secrets;

use std::{
    env, fmt,
    path::{Path, PathBuf},
    str::FromStr,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, header};
use url::Url;

use crate::{
    KeyRing, Linked, Login, Owner,
    consumer::{Client, Jar, MemoryStorage, Service, Token},
    form::FormWriter,
    transport::{
        Body, CollectError, ErasedClient, HttpClient, NetworkError, Purpose, SendError, standard,
    },
};

pub use error::TapeError;

use exchange::{Exchange, Named, Received, Sent};
use matching::{Found, find};
use secrets::Secrets;

use super::script::whole;

/// The environment variable with the mode.
const VARIABLE: &str = "QUADRILLE_TAPE";

/// The most bytes of a body.
const LONGEST: usize = 16 << 20;

/// The token of an account in a replay.
const TOKEN: &str = "tape-access_token-0";

/// The use of a tape. Without [`Tape::open_as`] it is that of the environment variable
/// `QUADRILLE_TAPE` (`record`, `replay` or `replay-or-fail`); without the variable
/// [`Replay`](Self::Replay), or [`ReplayOrFail`](Self::ReplayOrFail) where `CI` is set.
///
/// ```
/// use quadrille::testing::TapeMode;
///
/// assert_eq!("replay-or-fail".parse(), Ok(TapeMode::ReplayOrFail));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TapeMode {
    /// Each request goes to the network, and the tape is written anew.
    Record,
    /// Requests are answered from the tape. Those that it lacks go to the network, and are added.
    Replay,
    /// Requests are answered from the tape. One that it lacks is an error that names it.
    ReplayOrFail,
}

impl TapeMode {
    /// The mode of the environment.
    fn from_env() -> Result<Self, TapeError> {
        match env::var(VARIABLE) {
            Ok(mode) => mode.parse(),
            Err(_) if env::var_os("CI").is_some_and(|ci| !ci.is_empty()) => Ok(Self::ReplayOrFail),
            Err(_) => Ok(Self::Replay),
        }
    }
}

impl FromStr for TapeMode {
    type Err = TapeError;

    fn from_str(name: &str) -> Result<Self, TapeError> {
        match name {
            "record" => Ok(Self::Record),
            "replay" => Ok(Self::Replay),
            "replay-or-fail" => Ok(Self::ReplayOrFail),
            other => Err(TapeError::Mode(other.to_owned())),
        }
    }
}

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
    errors: Vec<TapeError>,
    is_in_order: bool,
    /// The callback of the login in OAuth 1 that has begun.
    callback: Option<String>,
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
            errors: Vec::new(),
            is_in_order: false,
            callback: None,
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
        self.state().secrets.stand_in(name, value);
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

    /// A token of a test's account: the one in this environment variable, with which the tape is
    /// recorded, or a placeholder.
    ///
    /// # Panics
    /// If the tape is to be recorded and the variable is not set.
    pub fn token(&self, variable: &str) -> Token {
        match env::var(variable) {
            Ok(token) if self.0.mode != TapeMode::ReplayOrFail => Token::new(token.trim()),
            _ if self.0.mode == TapeMode::Record => panic!(
                "set {variable} to an access token with which to record {}",
                self.0.path.display()
            ),
            _ => Token::new(TOKEN),
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

    /// The callback of the login at `url`, with a placeholder as the code: what the service redirects
    /// a user to who approves. `None` if `url` is no authorization request, or in a recording, which
    /// needs a user at the real service.
    pub(super) fn callback(&self, url: &str) -> Option<String> {
        if self.0.mode == TapeMode::Record {
            return None;
        }
        let url = Url::parse(url).ok()?;
        let one = |wanted: &str| {
            let mut pairs = url.query_pairs();
            pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
        };
        if let Some(redirect_uri) = one("redirect_uri") {
            let mut form = FormWriter::after_url(&redirect_uri);
            form.append("code", "tape-code-0");
            form.append_some("state", one("state").as_deref());
            return Some(form.finish());
        }
        let token = one("oauth_token")?;
        let mut form = FormWriter::after_url(self.state().callback.as_deref()?);
        form.append("oauth_token", &token).append("oauth_verifier", "tape-oauth_verifier-0");
        Some(form.finish())
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

    /// The answer on the tape.
    fn play(
        &self,
        request: &Request<Bytes>,
        purpose: Purpose,
    ) -> Result<Response<Bytes>, TapeError> {
        let state = &mut *self.state();
        let sent = Sent::of(request, purpose, &mut state.secrets.comparing());
        let (path, text) = (self.0.path.clone(), sent.to_string());
        match find(&state.exchanges, &state.plays, &sent, state.is_in_order) {
            Found::Exchange(number) => {
                if let Some(plays) = state.plays.get_mut(number) {
                    *plays += 1;
                }
                let exchange = state.exchanges.get(number);
                let answer = exchange.map(|exchange| exchange.response.replayed());
                answer.ok_or(TapeError::Lacks { path, request: text, nearest: None })
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

    /// Writes an exchange, without its secrets.
    fn record(
        &self,
        request: &Request<Bytes>,
        response: &Response<Bytes>,
        purpose: Purpose,
    ) -> Result<(), TapeError> {
        let state = &mut *self.state();
        let sent = Sent::of(request, purpose, &mut state.secrets);
        let received = Received::of(response, purpose, &mut state.secrets);
        let mut new = Exchange { purpose: Named(purpose), request: sent, response: received };
        new.replace_known(&state.secrets);
        let text = new.request.to_string();
        state.exchanges.push(new);
        if let Some((exchange, member)) = file::secret_left(&state.exchanges, &state.secrets) {
            state.exchanges.pop();
            let path = self.0.path.clone();
            // The text of the request is shown only if it is not what contains the secret.
            let request = match state.secrets.is_in(&text) {
                true => request.method().to_string(),
                false => text,
            };
            return Err(TapeError::SecretLeft { path, request, exchange, member });
        }
        state.plays.push(1);
        file::write(&self.0.path, &state.exchanges)
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
        if self.0.mode != TapeMode::Record {
            match self.play(&request, purpose) {
                Ok(response) => return Ok(response.map(Body::from)),
                Err(error) if self.0.mode == TapeMode::ReplayOrFail => {
                    return Err(self.fails(error));
                }
                Err(_) => {}
            }
        }
        let response = self.network()?.send(request.clone().map(Body::from), purpose).await?;
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

/// The callback of a request for temporary credentials (RFC 5849, section 2.1).
fn oauth_callback(request: &Request<Bytes>) -> Option<String> {
    let header = request.headers().get(header::AUTHORIZATION).and_then(|it| it.to_str().ok());
    let in_header = header.unwrap_or_default().replace([',', ' '], "&").replace('"', "");
    let body = std::str::from_utf8(request.body()).unwrap_or_default();
    let query = request.uri().query().unwrap_or_default();
    [&*in_header, body, query].into_iter().find_map(|pairs| {
        let mut pairs = url::form_urlencoded::parse(pairs.as_bytes());
        pairs.find(|(name, _)| name == "oauth_callback").map(|(_, value)| value.into_owned())
    })
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
