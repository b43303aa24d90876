//! People in the same SQLite file as everything else.

use std::sync::Arc;

use quadrille::{
    Timestamp,
    provider::store::{SqliteStore, StoreError},
};
use rusqlite::Row;

use super::{Answering, User, UserName, Users};

/// People in a [`SqliteStore`].
#[derive(Debug)]
pub struct SqliteUsers(Arc<SqliteStore>);

impl SqliteUsers {
    /// Those in this store, which has the program's tables.
    pub fn new(store: Arc<SqliteStore>) -> Self {
        Self(store)
    }

    async fn find(&self, column: &'static str, value: &str) -> Result<Option<User>, StoreError> {
        let value = value.to_owned();
        self.0
            .read(move |connection| {
                let sql = format!(
                    "SELECT {COLUMNS} FROM quadrille_program_users
                    WHERE {column} = ?1"
                );
                let mut statement = connection.prepare_cached(&sql)?;
                let mut rows = statement.query([value])?;
                rows.next()?.map(user).transpose()
            })
            .await
    }
}

const COLUMNS: &str = "subject, name, password, password_set, created";

impl Users for SqliteUsers {
    fn add(&self, user: User) -> Answering<'_, bool> {
        Box::pin(self.0.write(move |transaction| {
            let added = transaction.execute(
                "INSERT INTO quadrille_program_users
                 (key, name, subject, password, password_set, created)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (key) DO NOTHING",
                (
                    user.name.key(),
                    user.name.as_str(),
                    &user.subject,
                    &user.password,
                    user.password_set.seconds(),
                    user.created.seconds(),
                ),
            )?;
            Ok(added == 1)
        }))
    }

    fn by_name<'a>(&'a self, name: &'a UserName) -> Answering<'a, Option<User>> {
        Box::pin(self.find("key", name.key()))
    }

    fn by_subject<'a>(&'a self, subject: &'a str) -> Answering<'a, Option<User>> {
        Box::pin(self.find("subject", subject))
    }

    fn is_empty(&self) -> Answering<'_, bool> {
        Box::pin(self.0.read(|connection| {
            let sql = "SELECT NOT EXISTS (SELECT 1 FROM quadrille_program_users)";
            Ok(connection.query_row(sql, [], |row| row.get(0))?)
        }))
    }

    fn all(&self) -> Answering<'_, Vec<User>> {
        Box::pin(self.0.read(|connection| {
            let sql = format!("SELECT {COLUMNS} FROM quadrille_program_users ORDER BY key");
            let mut statement = connection.prepare(&sql)?;
            let mut rows = statement.query([])?;
            let mut users = Vec::new();
            while let Some(row) = rows.next()? {
                users.push(user(row)?);
            }
            Ok(users)
        }))
    }

    fn replace_hash<'a>(&'a self, user: &'a User, better: Arc<str>) -> Answering<'a, ()> {
        let (subject, before) = (user.subject.clone(), user.password.clone());
        Box::pin(self.0.write(move |transaction| {
            // Unless the password was changed in the meantime.
            transaction.execute(
                "UPDATE quadrille_program_users SET password = ?1 WHERE subject = ?2
                AND password = ?3",
                (&better, &subject, &before),
            )?;
            Ok(())
        }))
    }

    fn set_password<'a>(
        &'a self,
        name: &'a UserName,
        password: Arc<str>,
        now: Timestamp,
    ) -> Answering<'a, Option<User>> {
        let key = name.key().to_owned();
        Box::pin(self.0.write(move |transaction| {
            let sql = format!(
                "UPDATE quadrille_program_users SET password = ?1, password_set = ?2 WHERE key = ?3
                 RETURNING {COLUMNS}"
            );
            let mut statement = transaction.prepare_cached(&sql)?;
            let mut rows = statement.query((&password, now.seconds(), &key))?;
            rows.next()?.map(user).transpose()
        }))
    }

    fn remove<'a>(&'a self, name: &'a UserName) -> Answering<'a, Option<User>> {
        let key = name.key().to_owned();
        Box::pin(self.0.write(move |transaction| {
            let sql = format!(
                "DELETE FROM quadrille_program_users
                WHERE key = ?1 RETURNING {COLUMNS}"
            );
            let mut statement = transaction.prepare_cached(&sql)?;
            let mut rows = statement.query([&key])?;
            rows.next()?.map(user).transpose()
        }))
    }
}

fn user(row: &Row<'_>) -> Result<User, StoreError> {
    let name: String = row.get(1)?;
    Ok(User {
        subject: row.get(0)?,
        name: UserName::parse(&name).map_err(|_| StoreError::Corrupt("the name of a user"))?,
        password: row.get(2)?,
        password_set: Timestamp::from_seconds(row.get(3)?),
        created: Timestamp::from_seconds(row.get(4)?),
    })
}
