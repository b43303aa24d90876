//! The API of a service, called for one account.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::{HeaderValue, Method};
use serde::{Serialize, de::DeserializeOwned};
use tracing::warn;
use url::Url;

use crate::{
    Secret,
    consumer::error::{Error, NotLinked, NotLinkedReason, OperatorError, Result},
};

use super::{
    account::{Account, Owner, Stored, Token},
    call::Call,
    cookies::Jar,
    login::Login,
    refresh::NoToken,
    registered::Registered,
    storage::{Change, Replaced},
};

pub(crate) const USER_AGENT: HeaderValue =
    HeaderValue::from_static(concat!("quadrille/", env!("CARGO_PKG_VERSION")));
/// The API of a service, called with one account's token.
///
/// Paths are joined to the service's base (`user` and `/user` are the same, and the base's own path
/// is kept). The token is sent to the service's origin only. It is refreshed before it expires, and
/// once if the service refuses it.
///
/// On a 401 without a refresh token, access may have been revoked at the service. If the response
/// says so (`invalid_token`, RFC 6750, section 3.1; a problem with the token, in OAuth 1), or the
/// service's [`identity`](crate::Spec::identity) responds with 401 too, the account must be linked
/// again, and the call returns [`Error::NotLinked`], which redirects the user to a login. A 401
/// from a single path is [`Error::Api`].
///
/// ```
/// use quadrille::{Result, consumer::Api};
///
/// async fn name(github: &Api) -> Result<String> {
///     let user: serde_json::Value = github.get("user").await?;
///     Ok(user["login"].to_string())
/// }
/// ```
#[derive(Clone)]
pub struct Api(Arc<Inner>);

struct Inner {
    login: Login,
    registered: Arc<Registered>,
    stored: Mutex<Stored>,
    jar: Option<Jar>,
    /// Whether the account is stored, so that its token can be refreshed.
    kept: bool,
    wanted: Wanted,
}

/// The page that the visitor requested, for the return after a login.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) next: String,
    pub(crate) navigation: bool,
}

impl Api {
    pub(crate) fn new(
        login: &Login,
        registered: &Arc<Registered>,
        stored: Stored,
        jar: Option<Jar>,
        wanted: Wanted,
    ) -> Self {
        Self(Arc::new(Inner {
            login: login.clone(),
            registered: Arc::clone(registered),
            stored: Mutex::new(stored),
            jar,
            kept: true,
            wanted,
        }))
    }

    /// An account whose token is not stored (yet).
    pub(crate) fn unstored(
        login: &Login,
        registered: &Arc<Registered>,
        owner: &Owner,
        token: Token,
    ) -> Self {
        let account = Account {
            owner: owner.clone(),
            service: Arc::clone(&registered.name),
            subject: "".into(),
        };
        let stored = Stored { account, token, version: 0, needs_linking_again: false };
        Self(Arc::new(Inner {
            login: login.clone(),
            registered: Arc::clone(registered),
            stored: Mutex::new(stored),
            jar: None,
            kept: false,
            wanted: Wanted::default(),
        }))
    }

    /// The service's name.
    pub fn service(&self) -> &str {
        &self.0.registered.name
    }

    /// Sends a GET for `path` and reads the response's JSON.
    ///
    /// ```
    /// # use quadrille::{GitHub, Linked, Result};
    /// async fn stars(github: &Linked<GitHub>, owner: &str, name: &str) -> Result<u64> {
    ///     #[derive(serde::Deserialize)]
    ///     struct Repository { stargazers_count: u64 }
    ///     // Segments in an array are encoded, whatever is in them.
    ///     let repository: Repository = github.get(["repos", owner, name]).await?;
    ///     Ok(repository.stargazers_count)
    /// }
    /// ```
    ///
    /// # Errors
    /// [`Error::Api`] if the response is an error, and the errors of a refresh.
    pub async fn get<T: DeserializeOwned>(&self, path: impl ApiPath) -> Result<T> {
        self.request(Method::GET, path).json().await
    }

    /// Sends a POST with `body` as JSON and reads the response's JSON (`()` for none).
    ///
    /// # Errors
    /// See [`Api::get`].
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: impl ApiPath,
        body: &impl Serialize,
    ) -> Result<T> {
        self.request(Method::POST, path).json_body(body).json().await
    }

    /// Sends a PUT with `body` as JSON and reads the response's JSON (`()` for none).
    ///
    /// # Errors
    /// See [`Api::get`].
    pub async fn put<T: DeserializeOwned>(
        &self,
        path: impl ApiPath,
        body: &impl Serialize,
    ) -> Result<T> {
        self.request(Method::PUT, path).json_body(body).json().await
    }

    /// Sends a PATCH with `body` as JSON and reads the response's JSON (`()` for none).
    ///
    /// # Errors
    /// See [`Api::get`].
    pub async fn patch<T: DeserializeOwned>(
        &self,
        path: impl ApiPath,
        body: &impl Serialize,
    ) -> Result<T> {
        self.request(Method::PATCH, path).json_body(body).json().await
    }

    /// Sends a DELETE for `path`.
    ///
    /// # Errors
    /// See [`Api::get`].
    pub async fn delete(&self, path: impl ApiPath) -> Result<()> {
        self.request(Method::DELETE, path).send().await.map(|_| ())
    }

    /// Builds a call of any kind.
    pub fn request(&self, method: Method, path: impl ApiPath) -> Call {
        Call::new(self.clone(), method, path.join_to(&self.0.registered.api))
    }

    /// A valid access token, for other SDKs and clients. Never log it.
    ///
    /// # Errors
    /// [`Error::NotLinked`] if there is no valid token, and the errors of a refresh.
    pub async fn access_token(&self) -> Result<Secret> {
        Ok(self.usable(None, None).await?.token.access_token)
    }

    /// The secret of [`access_token`](Api::access_token) at a service of OAuth 1, which signs its
    /// requests.
    ///
    /// # Errors
    /// See [`Api::access_token`].
    pub async fn token_secret(&self) -> Result<Option<Secret>> {
        Ok(self.usable(None, None).await?.token.token_secret)
    }

    pub(crate) fn login(&self) -> &Login {
        &self.0.login
    }

    pub(crate) fn registered(&self) -> &Arc<Registered> {
        &self.0.registered
    }

    /// Whether the account is stored, so that its token can be refreshed.
    pub(crate) fn is_kept(&self) -> bool {
        self.0.kept
    }

    pub(crate) fn jar(&self) -> Option<&Jar> {
        self.0.jar.as_ref()
    }

    pub(crate) fn stored(&self) -> Stored {
        self.0.stored.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The account with a token valid for `margin`, or for as long as a call needs.
    pub(crate) async fn usable(
        &self,
        margin: Option<Duration>,
        refused: Option<&Secret>,
    ) -> Result<Stored> {
        let Inner { login, registered, jar, .. } = &*self.0;
        let stored = self.stored();
        if !self.0.kept {
            return Ok(stored);
        }
        let version = stored.version;
        match login.usable(jar.as_ref(), registered, stored, margin, refused).await {
            Ok(stored) => {
                if stored.version != version {
                    *self.0.stored.lock().unwrap_or_else(PoisonError::into_inner) = stored.clone();
                }
                Ok(stored)
            }
            Err(no_token) => Err(no_token.into_error(login, registered, &self.0.wanted)),
        }
    }
}

impl Api {
    /// Marks the account as one to be linked again and returns that error, since the service no
    /// longer accepts this token. `Ok` if another token has replaced it.
    pub(crate) async fn is_revoked(&self, seen: &Stored) -> Result<()> {
        let Inner { login, registered, jar, .. } = &*self.0;
        let jar = jar.as_ref();
        let missing = |reason: NoToken| Err(reason.into_error(login, registered, &self.0.wanted));
        if login.0.storage.is_in_browser() && jar.is_none_or(Jar::is_closed) {
            // The mark cannot be stored any more; the next request finds out by itself.
            return missing(NoToken::NeedsLinkingAgain);
        }
        let cx = login.context(login.ready()?, jar);
        let now = match login.0.storage.replace(&cx, seen, Change::NeedsLinkingAgain).await? {
            Replaced::Done(now) => {
                warn!(service = self.service(), "access was revoked at the service: link again");
                now
            }
            Replaced::Changed(Some(now)) => now,
            Replaced::Changed(None) => return missing(NoToken::Gone),
        };
        let ended = now.needs_linking_again;
        *self.0.stored.lock().unwrap_or_else(PoisonError::into_inner) = now;
        if ended { missing(NoToken::NeedsLinkingAgain) } else { Ok(()) }
    }
}

impl NoToken {
    pub(crate) fn into_error(
        self,
        login: &Login,
        registered: &Arc<Registered>,
        wanted: &Wanted,
    ) -> Error {
        let reason = match self {
            Self::Failed(error) => return error,
            Self::NeedsLinkingAgain => NotLinkedReason::NeedsLinkingAgain,
            Self::Expired => NotLinkedReason::Expired,
            Self::Gone => NotLinkedReason::Missing,
        };
        not_linked(login, registered, wanted, reason, "")
    }
}

/// The error that redirects the user to a login.
pub(crate) fn not_linked(
    login: &Login,
    registered: &Arc<Registered>,
    wanted: &Wanted,
    reason: NotLinkedReason,
    scopes: &str,
) -> Error {
    Error::NotLinked(Box::new(NotLinked {
        service: Arc::clone(&registered.name),
        login_url: login.login_path(&registered.name, &wanted.next, scopes),
        navigation: wanted.navigation,
        reason,
    }))
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("service", &self.0.registered.name).finish_non_exhaustive()
    }
}

/// The name of an API's resource: a path as text, taken literally, or its segments in an array,
/// which are encoded.
///
/// ```
/// use quadrille::{Result, consumer::Api};
///
/// async fn issue(github: &Api, repository: &str, number: u64) -> Result<serde_json::Value> {
///     github.get(["repos", "ada", repository, "issues", &number.to_string()]).await
/// }
/// ```
pub trait ApiPath {
    /// The URL of the resource below `base`, whose path ends in a slash.
    ///
    /// # Errors
    /// [`OperatorError::CallMalformed`].
    fn join_to(self, base: &Url) -> Result<Url, OperatorError>;
}

impl ApiPath for &str {
    fn join_to(self, base: &Url) -> Result<Url, OperatorError> {
        if self.starts_with("https://") || self.starts_with("http://") {
            return Url::parse(self).map_err(|_| OperatorError::CallMalformed);
        }
        // The dot keeps a colon in the first segment from ending a scheme.
        let relative = ["./", self.trim_start_matches(['/', '\\'])].concat();
        base.join(&relative).map_err(|_| OperatorError::CallMalformed)
    }
}

impl ApiPath for String {
    fn join_to(self, base: &Url) -> Result<Url, OperatorError> {
        self.as_str().join_to(base)
    }
}

impl ApiPath for &String {
    fn join_to(self, base: &Url) -> Result<Url, OperatorError> {
        self.as_str().join_to(base)
    }
}

impl ApiPath for &[&str] {
    fn join_to(self, base: &Url) -> Result<Url, OperatorError> {
        let mut url = base.clone();
        // A dot segment would leave the path, encoded or not.
        if self.iter().any(|segment| matches!(*segment, "" | "." | "..")) {
            return Err(OperatorError::CallMalformed);
        }
        url.path_segments_mut()
            .map_err(|()| OperatorError::CallMalformed)?
            .pop_if_empty()
            .extend(self.iter());
        Ok(url)
    }
}

impl<const N: usize> ApiPath for [&str; N] {
    fn join_to(self, base: &Url) -> Result<Url, OperatorError> {
        self.as_slice().join_to(base)
    }
}
