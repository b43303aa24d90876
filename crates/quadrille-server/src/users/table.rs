//! People in a table of the program's own, in the same SQLite file as everything else.

use std::sync::Arc;

use quadrille::{
    Timestamp,
    provider::store::{SqliteStore, StoreError},
};
use rusqlite::Row;

use super::{User, UserName};

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

/// The people who can sign in.
#[derive(Clone, Debug)]
pub struct Users(Arc<SqliteStore>);

impl Users {
    /// Those in this store, which has the program's tables.
    pub fn new(store: Arc<SqliteStore>) -> Self {
        Self(store)
    }

    /// Brings names from before there was one Unicode form of each up to date, where nobody else has
    /// that name.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn normalize(&self) -> Result<(), StoreError> {
        let old = self
            .0
            .read(|connection| -> Result<_, StoreError> {
                let sql = "SELECT key, name FROM quadrille_program_users WHERE key GLOB '*[^ -~]*'";
                let mut statement = connection.prepare(sql)?;
                let mut rows = statement.query([])?;
                let mut old = Vec::new();
                while let Some(row) = rows.next()? {
                    let (key, name): (String, String) = (row.get(0)?, row.get(1)?);
                    let now = UserName::parse(&name).map(|name| name.key().to_owned());
                    old.extend(now.ok().filter(|now| *now != key).map(|now| (key, now)));
                }
                Ok(old)
            })
            .await;
        let old: Vec<(String, String)> = old?;
        if old.is_empty() {
            return Ok(());
        }
        self.0
            .write(move |transaction| {
                for (before, now) in &old {
                    transaction.execute(
                        "UPDATE OR IGNORE quadrille_program_users SET key = ?2 WHERE key = ?1",
                        [before, now],
                    )?;
                }
                Ok(())
            })
            .await
    }

    /// Adds a person, unless somebody has the name, or one that looks the same.
    ///
    /// # Errors
    /// Those of the store, as with all of these.
    pub async fn add(&self, user: User) -> Result<Added, StoreError> {
        self.0
            .write(move |transaction| {
                let sql = "SELECT key, name FROM quadrille_program_users";
                let mut statement = transaction.prepare(sql)?;
                let mut rows = statement.query([])?;
                while let Some(row) = rows.next()? {
                    let key: String = row.get(0)?;
                    if key == user.name.key() {
                        return Ok(Added::Taken);
                    }
                    let shown: String = row.get(1)?;
                    if UserName::parse(&shown).is_ok_and(|other| user.name.looks_like(&other)) {
                        return Ok(Added::LooksLike(shown));
                    }
                }
                transaction.execute(
                    "INSERT INTO quadrille_program_users
                     (key, name, subject, password, password_number, created)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    (
                        user.name.key(),
                        user.name.as_str(),
                        &user.subject,
                        &user.password,
                        user.password_number,
                        user.created.seconds(),
                    ),
                )?;
                Ok(Added::Now)
            })
            .await
    }

    /// A person by the name that they typed.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn by_name(&self, name: &UserName) -> Result<Option<User>, StoreError> {
        self.find("key", name.key()).await
    }

    /// A person by their subject.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn by_subject(&self, subject: &str) -> Result<Option<User>, StoreError> {
        self.find("subject", subject).await
    }

    async fn find(&self, column: &'static str, value: &str) -> Result<Option<User>, StoreError> {
        let value = value.to_owned();
        self.0
            .read(move |connection| {
                let sql =
                    format!("SELECT {COLUMNS} FROM quadrille_program_users WHERE {column} = ?1");
                let mut statement = connection.prepare_cached(&sql)?;
                let mut rows = statement.query([value])?;
                rows.next()?.map(user).transpose()
            })
            .await
    }

    /// Whether nobody can sign in yet.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn is_empty(&self) -> Result<bool, StoreError> {
        self.0
            .read(|connection| {
                let sql = "SELECT NOT EXISTS (SELECT 1 FROM quadrille_program_users)";
                Ok(connection.query_row(sql, [], |row| row.get(0))?)
            })
            .await
    }

    /// All people, ordered by name.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn all(&self) -> Result<Vec<User>, StoreError> {
        self.0
            .read(|connection| {
                let sql = format!("SELECT {COLUMNS} FROM quadrille_program_users ORDER BY key");
                let mut statement = connection.prepare(&sql)?;
                let mut rows = statement.query([])?;
                let mut users = Vec::new();
                while let Some(row) = rows.next()? {
                    users.push(user(row)?);
                }
                Ok(users)
            })
            .await
    }

    /// Stores a better hash of the password that `user` has.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn replace_hash(&self, user: &User, better: Arc<str>) -> Result<(), StoreError> {
        let (subject, number) = (user.subject.clone(), user.password_number);
        self.0
            .write(move |transaction| {
                // Unless the password was changed in the meantime.
                transaction.execute(
                    "UPDATE quadrille_program_users SET password = ?1
                     WHERE subject = ?2 AND password_number = ?3",
                    (&better, &subject, number),
                )?;
                Ok(())
            })
            .await
    }

    /// Gives a person a new password, which ends their sessions: those that are open, and those that
    /// are being opened with the password before. Returns the person, if there is one.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn set_password(
        &self,
        name: &UserName,
        password: Arc<str>,
    ) -> Result<Option<User>, StoreError> {
        let key = name.key().to_owned();
        self.0
            .write(move |transaction| {
                let sql = format!(
                    "UPDATE quadrille_program_users SET password = ?1, password_number = password_number + 1
                     WHERE key = ?2 RETURNING {COLUMNS}"
                );
                let changed = one(transaction, &sql, (&password, &key))?;
                if let Some(user) = &changed {
                    end_sessions(transaction, &user.subject)?;
                }
                Ok(changed)
            })
            .await
    }

    /// Removes a person and their sessions. Returns the person, if there was one.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn remove(&self, name: &UserName) -> Result<Option<User>, StoreError> {
        let key = name.key().to_owned();
        self.0
            .write(move |transaction| {
                let sql = format!(
                    "DELETE FROM quadrille_program_users WHERE key = ?1 RETURNING {COLUMNS}"
                );
                let removed = one(transaction, &sql, [&key])?;
                if let Some(user) = &removed {
                    end_sessions(transaction, &user.subject)?;
                }
                Ok(removed)
            })
            .await
    }
}

const COLUMNS: &str = "subject, name, password, password_number, created";

fn one(
    transaction: &rusqlite::Transaction<'_>,
    sql: &str,
    params: impl rusqlite::Params,
) -> Result<Option<User>, StoreError> {
    let mut statement = transaction.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let found = rows.next()?.map(user).transpose()?;
    // A statement with RETURNING has done its work when it has no more rows.
    while rows.next()?.is_some() {}
    Ok(found)
}

fn end_sessions(transaction: &rusqlite::Transaction<'_>, subject: &str) -> Result<(), StoreError> {
    transaction.execute("DELETE FROM quadrille_program_sessions WHERE subject = ?1", [subject])?;
    Ok(())
}

/// A person, from a row that begins with these [`COLUMNS`].
fn user(row: &Row<'_>) -> Result<User, StoreError> {
    let name: String = row.get(1)?;
    Ok(User {
        subject: row.get(0)?,
        name: UserName::parse(&name).map_err(|_| StoreError::Corrupt("the name of a user"))?,
        password: row.get(2)?,
        password_number: row.get(3)?,
        created: Timestamp::from_seconds(row.get(4)?),
    })
}
