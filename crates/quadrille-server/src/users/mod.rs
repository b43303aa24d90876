//! People who can sign in.

mod table;

pub use table::Users;

use std::{fmt, sync::Arc};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use quadrille::{Env, Secret, Timestamp};

use crate::failure::Refused;

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

/// What a person signs in with: a name or an e-mail address. `Ada` and `ada` are the same.
#[derive(Clone, Debug)]
pub struct UserName {
    shown: String,
    key: String,
}

impl UserName {
    /// Reads a name as it was typed.
    ///
    /// # Errors
    /// [`Refused::UserName`].
    pub fn parse(typed: &str) -> Result<Self, Refused> {
        let fits = (1..=64).contains(&typed.chars().count());
        if !fits || typed.trim() != typed || typed.chars().any(char::is_control) {
            return Err(Refused::UserName);
        }
        Ok(Self { shown: typed.to_owned(), key: typed.to_lowercase() })
    }

    /// As it was given when the person was added.
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// As it is looked for.
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl PartialEq for UserName {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for UserName {}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// Whether a new password may be one.
///
/// # Errors
/// [`Refused::PasswordTooShort`] or [`Refused::PasswordTooLong`].
pub fn check_password(password: &Secret) -> Result<(), Refused> {
    if password.expose().len() > MOST_PASSWORD {
        return Err(Refused::PasswordTooLong { most: MOST_PASSWORD });
    }
    if password.expose().chars().count() < LEAST_PASSWORD {
        return Err(Refused::PasswordTooShort { least: LEAST_PASSWORD });
    }
    Ok(())
}
