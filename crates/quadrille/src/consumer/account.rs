//! Whose account at which service, and the token that opens it.

use std::{fmt, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{Scopes, Secret, Timestamp, secret};

/// Whose accounts these are: a user of the application, a browser, or nobody in particular.
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
    /// Nobody is signed in, and the storage needs nobody (a cookie is its browser's).
    pub const NOBODY: Self = Self(None);

    /// A user, by what never changes about them.
    pub fn user(id: impl fmt::Display) -> Self {
        Self(Some(format!("u:{id}").into()))
    }

    /// A browser, where the application has no users: see [`Login::owner`](crate::Login::owner).
    pub(crate) fn browser(id: &str) -> Self {
        Self(Some(format!("b:{id}").into()))
    }

    /// Whether this is a user of the application.
    pub fn is_user(&self) -> bool {
        self.as_str().starts_with("u:")
    }

    /// As it stands in storage keys.
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or("")
    }

    /// What [`Owner::as_str`] gave.
    pub fn from_key(text: &str) -> Self {
        if text.is_empty() { Self::NOBODY } else { Self(Some(text.into())) }
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Owner({:?})", self.as_str())
    }
}

/// What an application's closure may say an owner is: a user's number or name, or `None` of it when
/// nobody is signed in.
pub trait IntoOwner {
    /// The owner; `None` when nobody is signed in.
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

/// One account of one owner at one service: what storages are keyed by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Account {
    /// Whose it is.
    pub owner: Owner,
    /// The service's name.
    pub service: Arc<str>,
    /// Who the owner is there, in the service's own words; empty where it does not say
    /// ([`Spec::identity`](crate::Spec::identity)), so that there is one account for each owner.
    pub subject: Arc<str>,
}

/// What opens an account: an access token, and what is known about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Token {
    /// The access token (RFC 6749, section 1.4), or the identifier of token credentials (RFC 5849,
    /// section 2.3).
    #[serde(serialize_with = "secret::serialize_exposed")]
    pub access_token: Secret,
    /// The secret that requests with this token are signed by: OAuth 1 only.
    #[serde(default, serialize_with = "secret::serialize_exposed_option")]
    pub token_secret: Option<Secret>,
    /// What gets the next one (RFC 6749, section 1.5).
    #[serde(serialize_with = "secret::serialize_exposed_option")]
    pub refresh_token: Option<Secret>,
    /// What was granted, which may be less than what was asked for.
    pub scopes: Scopes,
    /// When it came.
    pub obtained: Timestamp,
    /// When it ends; `None` when the service does not say.
    pub expires: Option<Timestamp>,
}

impl Token {
    /// A token of which nothing else is known: for tests, and for tokens that a service hands out
    /// on a page of its own.
    pub fn new(access_token: impl Into<Secret>) -> Self {
        Self {
            access_token: access_token.into(),
            token_secret: None,
            refresh_token: None,
            scopes: Scopes::EMPTY,
            obtained: Timestamp::default(),
            expires: None,
        }
    }

    /// The same token with the secret that requests are signed by, as services of OAuth 1 give it.
    #[must_use]
    pub fn token_secret(mut self, secret: impl Into<Secret>) -> Self {
        self.token_secret = Some(secret.into());
        self
    }

    /// The same token with these scopes.
    #[must_use]
    pub fn scopes(mut self, scopes: Scopes) -> Self {
        self.scopes = scopes;
        self
    }

    /// The same token, good until `expires`.
    #[must_use]
    pub fn expires(mut self, expires: Timestamp) -> Self {
        self.expires = Some(expires);
        self
    }

    /// The same token with a refresh token.
    #[must_use]
    pub fn refresh_token(mut self, refresh_token: impl Into<Secret>) -> Self {
        self.refresh_token = Some(refresh_token.into());
        self
    }

    /// Whether it will still be good `margin` from `now`.
    pub fn is_good(&self, now: Timestamp, margin: Duration) -> bool {
        self.expires.is_none_or(|expires| now + margin < expires)
    }
}

/// A linked account as a storage holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// Whose, where, who.
    pub account: Account,
    /// What opens it.
    pub token: Token,
    /// Which of the account's tokens this is: another after every change.
    pub version: u64,
    /// The service has ended this token for good; the account is kept to say so, and to be linked
    /// again.
    pub needs_linking_again: bool,
}
