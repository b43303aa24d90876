//! The API of a service, called for one account.

use std::fmt;

use http::Method;
use serde::{Serialize, de::DeserializeOwned};
use url::Url;

use crate::{
    Secret,
    consumer::{
        account::{Owner, Token},
        error::{OperatorError, Result},
        login::Login,
        refresh::held::Held,
    },
};

use super::{Answer, Call};

/// A service's API, called with one account's token.
///
/// Paths are relative to the service's base (RFC 3986, section 5) and stay below it: `user` and
/// `/user` are the same, `https://api.example/v1/user` if the base is `https://api.example/v1`, and
/// `../user` is [`OperatorError::CallMalformed`]. A whole URL may have any path. The token is sent
/// to the service's origin only. It is refreshed before it expires, and once if the service refuses
/// it.
///
/// On a 401 without a refresh token, access may have been revoked at the service. If the response
/// says so (`invalid_token`, RFC 6750, section 3.1; a problem with the token, in OAuth 1), or the
/// service's [`identity`](crate::Spec::identity) responds with 401 too, the account must be linked
/// again, and the call returns [`Error::NotLinked`](crate::Error::NotLinked), which redirects the
/// user to a login. A 401
/// from a single path is [`Error::Api`](crate::Error::Api).
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
pub struct Api(Held);

impl Api {
    pub(crate) fn new(held: Held) -> Self {
        Self(held)
    }

    pub(crate) fn held(&self) -> &Held {
        &self.0
    }

    /// The service's name.
    pub fn service(&self) -> &str {
        &self.0.registered().name
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
    /// [`Error::Api`](crate::Error::Api) if the response is an error, and the errors of a refresh.
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

    /// Sends a HEAD for `path`: the status and the headers of a GET.
    ///
    /// # Errors
    /// See [`Api::get`].
    pub async fn head(&self, path: impl ApiPath) -> Result<Answer> {
        self.request(Method::HEAD, path).send().await
    }

    /// Sends an OPTIONS for `path`: the methods are in the response's `Allow`.
    ///
    /// # Errors
    /// See [`Api::get`].
    pub async fn options(&self, path: impl ApiPath) -> Result<Answer> {
        self.request(Method::OPTIONS, path).send().await
    }

    /// The same API, called with this token instead of the account's: a bot's, or one with fewer
    /// scopes. It is not stored and not refreshed, and a 401 is
    /// [`Error::Api`](crate::Error::Api). A service of OAuth 1 needs its
    /// [`token_secret`](Token::token_secret), too.
    ///
    /// ```
    /// use quadrille::{Result, consumer::{Api, Token}};
    ///
    /// async fn post_as_bot(slack: &Api, bot_token: &str, text: &str) -> Result<()> {
    ///     let message = serde_json::json!({ "channel": "general", "text": text });
    ///     slack.with_token(Token::new(bot_token)).post("chat.postMessage", &message).await
    /// }
    /// ```
    #[must_use]
    pub fn with_token(&self, token: Token) -> Self {
        let (login, registered) = (self.0.login(), self.0.registered());
        Self(Held::unstored(login, registered, &Owner::NOBODY, "", token))
    }

    /// Builds a call of any kind.
    pub fn request(&self, method: Method, path: impl ApiPath) -> Call {
        let api = self.0.registered().api_of(&self.0.stored().token);
        Call::new(self.0.clone(), method, api.and_then(|api| path.join_to(&api)))
    }

    /// A valid access token, for other SDKs and clients. Never log it.
    ///
    /// # Errors
    /// [`Error::NotLinked`](crate::Error::NotLinked) if there is no valid token, and the errors of
    /// a refresh.
    pub async fn access_token(&self) -> Result<Secret> {
        Ok(self.0.usable(None, None).await?.token.access_token.clone())
    }

    /// A valid token with its metadata: for a program that keeps it itself. Never log it.
    ///
    /// # Errors
    /// See [`Api::access_token`].
    pub async fn token(&self) -> Result<Token> {
        Ok(self.0.usable(None, None).await?.token.clone())
    }

    /// The secret of [`access_token`](Api::access_token) at a service of OAuth 1, which signs its
    /// requests.
    ///
    /// # Errors
    /// See [`Api::access_token`].
    pub async fn token_secret(&self) -> Result<Option<Secret>> {
        Ok(self.0.usable(None, None).await?.token.token_secret.clone())
    }
}

impl Login {
    /// The API of a service, called with a token that is not stored here: see
    /// [`Api::with_token`]. Linked accounts have theirs: [`Login::linked`].
    ///
    /// ```
    /// use quadrille::{Login, Result, consumer::Token};
    ///
    /// async fn rate_limit(login: &Login, personal_token: &str) -> Result<serde_json::Value> {
    ///     login.api("github", Token::new(personal_token)).await?.get("rate_limit").await
    /// }
    /// ```
    ///
    /// # Errors
    /// [`OperatorError::ServiceUnknown`], and those of the look-up of a tenant.
    pub async fn api(&self, service: &str, token: Token) -> Result<Api> {
        let registered = self.by_name(service).await?;
        Ok(Api(Held::unstored(self, &registered, &Owner::NOBODY, "", token)))
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("service", &self.0.registered().name).finish_non_exhaustive()
    }
}

/// The name of an API's resource: a path or a whole URL as text, taken literally, or the path's
/// segments in an array, which are encoded.
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
        let url = base.join(&relative).map_err(|_| OperatorError::CallMalformed)?;
        // Dot segments, often of a text that a user wrote.
        if url.path().starts_with(base.path()) {
            Ok(url)
        } else {
            Err(OperatorError::CallMalformed)
        }
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
