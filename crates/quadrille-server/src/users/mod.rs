//! People who can sign in.

mod sqlite;

pub use sqlite::SqliteUsers;

use std::{fmt, pin::Pin, sync::Arc};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use quadrille::{Env, Secret, Timestamp, provider::store::StoreError};

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
    /// Since when that is the password. Whoever signed in before has to do so again.
    pub password_set: Timestamp,
    /// Since when they can sign in.
    pub created: Timestamp,
}

impl User {
    /// A new person.
    pub fn new(env: &Env, name: UserName, password: Arc<str>) -> Self {
        let subject = BASE64_URL_SAFE_NO_PAD.encode(env.random::<16>()).into();
        let now = env.now();
        Self { subject, name, password, password_set: now, created: now }
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

/// What a [`Users`] answers.
pub type Answering<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Where people are kept. Boxed by hand, since the pages hold it as an object.
pub trait Users: fmt::Debug + Send + Sync + 'static {
    /// Adds a person; `false` when the name is taken.
    fn add(&self, user: User) -> Answering<'_, bool>;
    /// Somebody by what they typed.
    fn by_name<'a>(&'a self, name: &'a UserName) -> Answering<'a, Option<User>>;
    /// Somebody by who they are.
    fn by_subject<'a>(&'a self, subject: &'a str) -> Answering<'a, Option<User>>;
    /// Whether nobody can sign in yet.
    fn is_empty(&self) -> Answering<'_, bool>;
    /// Everybody, by name.
    fn all(&self) -> Answering<'_, Vec<User>>;
    /// Stores a better hash of the password that `user` has.
    fn replace_hash<'a>(&'a self, user: &'a User, better: Arc<str>) -> Answering<'a, ()>;
    /// Gives a person a new password, and so ends their sessions. Says who it was.
    fn set_password<'a>(
        &'a self,
        name: &'a UserName,
        password: Arc<str>,
        now: Timestamp,
    ) -> Answering<'a, Option<User>>;
    /// Removes a person. Says who it was.
    fn remove<'a>(&'a self, name: &'a UserName) -> Answering<'a, Option<User>>;
}
