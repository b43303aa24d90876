//! Linked accounts, their owners, and their tokens.

use std::{fmt, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{Scopes, Secret, Timestamp, secret};

/// The owner of linked accounts: a user of the application, a browser, or none.
///
/// ```
/// use quadrille::Owner;
///
/// assert_eq!(Owner::user(7), Owner::user("7"));
/// assert_ne!(Owner::user(7), Owner::NOBODY);
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Owner(Option<Arc<str>>);

impl Owner {
    /// No owner: no user is signed in, and the storage needs none (a cookie belongs to its
    /// browser).
    pub const NOBODY: Self = Self(None);

    /// A user, by an identifier that never changes.
    pub fn user(id: impl fmt::Display) -> Self {
        Self(Some(format!("u:{id}").into()))
    }

    /// A browser, in an application without users: see `Hooks::owner`.
    pub(crate) fn browser(id: &str) -> Self {
        Self(Some(format!("b:{id}").into()))
    }

    /// The identifier of a browser, if one is the owner.
    pub(crate) fn as_browser(&self) -> Option<&str> {
        self.as_str().strip_prefix("b:")
    }

    /// Whether this is a user of the application.
    pub fn is_user(&self) -> bool {
        self.as_str().starts_with("u:")
    }

    /// The text in storage keys.
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or("")
    }

    /// Reads the output of [`Owner::as_str`].
    pub fn from_key(text: &str) -> Self {
        if text.is_empty() { Self::NOBODY } else { Self(Some(text.into())) }
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Owner({:?})", self.as_str())
    }
}

/// Values that an application's closure may return as an owner: a user's number or name, or an
/// `Option` of it, `None` if no user is signed in.
///
/// ```
/// use quadrille::{Owner, consumer::IntoOwner};
///
/// assert_eq!(7.into_owner(), Some(Owner::user("7")));
/// assert_eq!(None::<i64>.into_owner(), None);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say whose accounts these are",
    label = "the id of a user is wanted here",
    note = "a number, a text, an `Owner`, or an `Option` of one, which is `None` when nobody is \
            signed in: `Hooks::new(app).owner(|user: &CurrentUser| user.id)`"
)]
pub trait IntoOwner {
    /// The owner; `None` if no user is signed in.
    fn into_owner(self) -> Option<Owner>;
}

impl IntoOwner for Owner {
    fn into_owner(self) -> Option<Owner> {
        Some(self)
    }
}

impl<T: IntoOwner> IntoOwner for Option<T> {
    fn into_owner(self) -> Option<Owner> {
        self.and_then(T::into_owner)
    }
}

macro_rules! owners {
    ($($type:ty),+) => {$(
        impl IntoOwner for $type {
            fn into_owner(self) -> Option<Owner> {
                Some(Owner::user(self))
            }
        }
    )+};
}
owners!(String, &str, &String, Arc<str>, u16, i16, u32, i32, u64, i64, u128, i128, usize, isize);

/// One account of one owner at one service: the key of storages.
///
/// ```
/// use quadrille::{Owner, consumer::Account};
///
/// let account = Account { owner: Owner::user(7), service: "github".into(), subject: "1".into() };
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Account {
    /// The owner.
    pub owner: Owner,
    /// The service's name.
    pub service: Arc<str>,
    /// The account's identifier at the service; empty if the service has no
    /// [`Spec::identity`](crate::Spec::identity), in which case an owner has one account there.
    pub subject: Arc<str>,
}

/// The token of an account, with its metadata.
///
/// ```
/// use std::time::Duration;
/// use quadrille::{Scopes, Timestamp, consumer::Token};
///
/// let token = Token::new("gho_1")
///     .scopes(Scopes::of(["repo"]))
///     .expires(Timestamp::from_seconds(3600));
/// assert!(token.is_good(Timestamp::from_seconds(0), Duration::from_secs(30)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Token {
    /// The access token (RFC 6749, section 1.4), or the identifier of token credentials (RFC 5849,
    /// section 2.3).
    #[serde(serialize_with = "secret::serialize_exposed")]
    pub access_token: Secret,
    /// The secret that signs requests with this token: OAuth 1 only.
    #[serde(default, serialize_with = "secret::serialize_exposed_option")]
    pub token_secret: Option<Secret>,
    /// The refresh token (RFC 6749, section 1.5).
    #[serde(serialize_with = "secret::serialize_exposed_option")]
    pub refresh_token: Option<Secret>,
    /// The scopes granted, which may be fewer than those requested.
    pub scopes: Scopes,
    /// The time at which the token was obtained.
    pub obtained: Timestamp,
    /// The time at which the access token expires; `None` if the service does not say.
    pub expires: Option<Timestamp>,
    /// The origin of this account's API, for services that name it with the token
    /// ([`Spec::api_in_token`](crate::Spec::api_in_token)).
    #[serde(default)]
    pub api: Option<Box<str>>,
    /// The ID token of the login, or of the last refresh that had one, at an OpenID Provider. It was
    /// verified then, and has expired since.
    #[serde(default, serialize_with = "secret::serialize_exposed_option")]
    pub id_token: Option<Secret>,
    /// The session at an OpenID Provider in which the account was linked. No refresh changes it.
    #[serde(default)]
    pub session: Option<ProviderSession>,
}

/// A session at an OpenID Provider, which the provider can end (OpenID Connect Back-Channel Logout and
/// Front-Channel Logout).
///
/// ```
/// use quadrille::{Timestamp, consumer::ProviderSession};
///
/// let now = Timestamp::from_seconds(1_800_000_000);
/// let session = ProviderSession::new("248289761001", now).sid("08a5019c");
/// assert_eq!(session.sid.as_deref(), Some("08a5019c"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct ProviderSession {
    /// The user at the issuer (`sub` of the ID token of the login).
    pub sub: Box<str>,
    /// The session at the issuer (`sid` of that ID token), if it has one.
    pub sid: Option<Box<str>>,
    /// The time of the login.
    pub since: Timestamp,
}

impl ProviderSession {
    /// A session of this user, without an identifier.
    pub fn new(sub: impl Into<Box<str>>, since: Timestamp) -> Self {
        Self { sub: sub.into(), sid: None, since }
    }

    /// Sets the identifier of the session.
    #[must_use]
    pub fn sid(mut self, sid: impl Into<Box<str>>) -> Self {
        self.sid = Some(sid.into());
        self
    }
}

impl Token {
    /// A token without metadata: for tests, and for tokens that a service shows on a page of its
    /// own.
    pub fn new(access_token: impl Into<Secret>) -> Self {
        Self {
            access_token: access_token.into(),
            token_secret: None,
            refresh_token: None,
            scopes: Scopes::EMPTY,
            obtained: Timestamp::default(),
            expires: None,
            api: None,
            id_token: None,
            session: None,
        }
    }

    /// Sets the secret that signs requests, which services of OAuth 1 issue.
    #[must_use]
    pub fn token_secret(mut self, secret: impl Into<Secret>) -> Self {
        self.token_secret = Some(secret.into());
        self
    }

    /// Sets the scopes.
    #[must_use]
    pub fn scopes(mut self, scopes: Scopes) -> Self {
        self.scopes = scopes;
        self
    }

    /// Sets the time at which the access token expires.
    #[must_use]
    pub fn expires(mut self, expires: Timestamp) -> Self {
        self.expires = Some(expires);
        self
    }

    /// Sets the refresh token.
    #[must_use]
    pub fn refresh_token(mut self, refresh_token: impl Into<Secret>) -> Self {
        self.refresh_token = Some(refresh_token.into());
        self
    }

    /// Sets the origin of this account's API.
    #[must_use]
    pub fn api(mut self, origin: impl Into<Box<str>>) -> Self {
        self.api = Some(origin.into());
        self
    }

    /// Sets the ID token, which must have been verified.
    #[must_use]
    pub fn id_token(mut self, id_token: impl Into<Secret>) -> Self {
        self.id_token = Some(id_token.into());
        self
    }

    /// Sets the session at an OpenID Provider in which the account was linked.
    #[must_use]
    pub fn session(mut self, session: ProviderSession) -> Self {
        self.session = Some(session);
        self
    }

    /// Whether the access token remains valid for `margin` from `now`.
    pub fn is_good(&self, now: Timestamp, margin: Duration) -> bool {
        self.expires.is_none_or(|expires| now + margin < expires)
    }
}

/// A linked account as stored.
///
/// ```
/// use quadrille::consumer::Stored;
///
/// fn is_newer(one: &Stored, other: &Stored) -> bool {
///     one.account == other.account && one.version != other.version
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// The account.
    pub account: Account,
    /// Its token.
    pub token: Token,
    /// The version of the token, which differs after every change.
    pub version: u64,
    /// Whether the service revoked the token for good; the account is kept until the user links it
    /// again.
    pub needs_linking_again: bool,
}
