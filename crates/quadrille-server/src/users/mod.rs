//! People who can sign in.

mod common;
mod name;

pub use name::{NameError, UserName, prepared};

use std::sync::Arc;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use quadrille::{Env, Secret, Timestamp};

/// How long a password must be, in characters (NIST SP 800-63B, section 5.1.1.2).
pub const LEAST_PASSWORD: usize = 8;

/// How long it may be, in bytes: hashing must not be made work for its own sake.
pub const MOST_PASSWORD: usize = 1024;

/// Somebody who can sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Who they are, for applications: drawn once, never changed, never given to another.
    pub subject: Arc<str>,
    /// What they sign in with.
    pub name: UserName,
    /// Argon2id in PHC form.
    pub password: Arc<str>,
    /// Counts the passwords so far. A session ends with the password that opened it.
    pub password_number: i64,
    /// Since when they can sign in.
    pub created: Timestamp,
}

impl User {
    /// A new person.
    pub fn new(env: &Env, name: UserName, password: Arc<str>) -> Self {
        let subject = BASE64_URL_SAFE_NO_PAD.encode(env.random::<16>()).into();
        Self { subject, name, password, password_number: 1, created: env.now() }
    }
}

/// What adding a person came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Added {
    /// They can sign in.
    Now,
    /// Somebody has this name.
    Taken,
    /// Somebody has this other name, which looks the same.
    LooksLike(String),
}

/// Why a new password is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// Too easy to guess.
    #[error("a password needs at least {least} characters")]
    TooShort {
        /// The least number of characters.
        least: usize,
    },
    /// One of those that everybody tries first.
    #[error("this is one of the most common passwords, which attackers try first: choose another")]
    Common,
    /// Longer than the sign-in page takes.
    #[error("a password has at most {most} bytes")]
    TooLong {
        /// The greatest number of bytes.
        most: usize,
    },
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
