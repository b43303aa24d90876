//! The users.

pub mod claims;
mod common;
mod name;

pub use name::{NameError, UserName, look_alike, prepared};

use std::sync::Arc;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use quadrille::{
    Env, Secret, Timestamp,
    provider::{UserClaims, store::StoreError},
};

/// The least length of a password, in characters (NIST SP 800-63B, section 5.1.1.2).
pub const LEAST_PASSWORD: usize = 8;

/// The greatest length of a password, in bytes: a hash must not cost arbitrary work.
pub const MOST_PASSWORD: usize = 1024;

/// A user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The subject: drawn once, never changed, never given to another user.
    pub subject: Arc<str>,
    /// The name to sign in with.
    pub name: UserName,
    /// The verifier of the password: Argon2id in PHC form or, until the next sign-in, that of the
    /// program from which the user was imported.
    pub password: Arc<str>,
    /// The number of the password, which counts up. A session ends with the password that opened
    /// it.
    pub password_number: i64,
    /// The time at which the user was added.
    pub created: Timestamp,
    /// What is known about the user (OpenID Connect Core, section 5.1).
    pub claims: UserClaims,
}

impl User {
    /// A new user.
    pub fn new(env: &Env, name: UserName, password: Arc<str>) -> Self {
        let subject = BASE64_URL_SAFE_NO_PAD.encode(env.random::<16>()).into();
        let claims = UserClaims::new();
        Self { subject, name, password, password_number: 1, created: env.now(), claims }
    }

    /// The claims as a column.
    pub(crate) fn claims_column(&self) -> String {
        serde_json::Value::from(self.claims.clone()).to_string()
    }

    /// Claims from a column.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    pub(crate) fn read_claims(text: &str) -> Result<UserClaims, StoreError> {
        serde_json::from_str(text).map_err(|_| StoreError::Corrupt("the claims of a user"))
    }

    /// The reason why this user cannot be added beside users with these keys and names, if there is
    /// one.
    pub fn clash<'a>(&self, others: impl IntoIterator<Item = (&'a str, &'a str)>) -> Option<Added> {
        let mut lookalike = None;
        for (key, name) in others {
            if key == self.name.key() {
                return Some(Added::Taken);
            }
            if UserName::parse(name).is_ok_and(|other| self.name.looks_like(&other)) {
                lookalike = Some(Added::LooksLike(name.to_owned()));
            }
        }
        lookalike
    }
}

/// The outcome of adding a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Added {
    /// The user was added.
    Now,
    /// Another user has this name.
    Taken,
    /// Another user has this name, which looks the same.
    LooksLike(String),
}

/// The reason for rejecting a new password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// The password is too easy to guess.
    #[error("a password needs at least {least} characters")]
    TooShort {
        /// The least number of characters.
        least: usize,
    },
    /// The password is one that attackers try first.
    #[error("this is one of the most common passwords, which attackers try first: choose another")]
    Common,
    /// The password is longer than the sign-in page accepts.
    #[error("a password has at most {most} bytes")]
    TooLong {
        /// The greatest number of bytes.
        most: usize,
    },
}

/// What [`check_password`] checks, for a person who is about to choose a password.
pub fn password_rules() -> String {
    format!(
        "A password has at least {LEAST_PASSWORD} characters of any kind, and is not one of the common ones \
         that attackers try first."
    )
}

/// Checks a new password.
///
/// # Errors
/// [`PasswordError`].
pub fn check_password(password: &Secret) -> Result<(), PasswordError> {
    if password.expose().len() > MOST_PASSWORD {
        return Err(PasswordError::TooLong { most: MOST_PASSWORD });
    }
    if password.expose().chars().count() < LEAST_PASSWORD {
        return Err(PasswordError::TooShort { least: LEAST_PASSWORD });
    }
    if common::is_common(password) {
        return Err(PasswordError::Common);
    }
    Ok(())
}
