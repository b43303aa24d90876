//! Users.

use std::sync::Arc;

use quadrille::{
    Timestamp,
    provider::store::{SqliteStore, StoreError},
};
use rusqlite::{Row, Transaction};

use crate::{
    data::backend::{ClaimsChange, PasswordChange, Removed},
    sessions::SomeSessions,
    users::{Added, User, UserName},
};

use super::{counts, ended};

/// Normalizes names that were stored before names had one Unicode form, unless another user has the
/// normalized name.
pub(super) async fn normalize(store: &SqliteStore) -> Result<(), StoreError> {
    let old = store
        .read(|connection| -> Result<_, StoreError> {
            let sql = "SELECT key, name FROM quadrille_program_users WHERE key GLOB '*[^ -~]*'";
            let mut statement = connection.prepare(sql)?;
            let mut rows = statement.query([])?;
            let mut old = Vec::new();
            while let Some(row) = rows.next()? {
                let (key, name): (String, String) = (row.get("key")?, row.get("name")?);
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
    store
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

/// Adds a user, unless the name is taken or looks the same as another one.
pub(super) async fn add(store: &SqliteStore, user: User) -> Result<Added, StoreError> {
    store
        .write(move |transaction| {
            let sql = "SELECT key, name FROM quadrille_program_users";
            let mut statement = transaction.prepare(sql)?;
            let names = statement.query_map([], |row| Ok((row.get("key")?, row.get("name")?)))?;
            let names = names.collect::<Result<Vec<(String, String)>, _>>()?;
            if let Some(clash) = user.clash(names.iter().map(|(key, name)| (&**key, &**name))) {
                return Ok(clash);
            }
            insert(transaction, &user)?;
            Ok(Added::Now)
        })
        .await
}

/// Stores users of another database.
pub(super) async fn put(store: &SqliteStore, users: Vec<User>) -> Result<(), StoreError> {
    store
        .write(move |transaction| users.iter().try_for_each(|user| insert(transaction, user)))
        .await
}

/// Stores a user, unless there is one with the same name or subject.
fn insert(transaction: &Transaction<'_>, user: &User) -> Result<(), StoreError> {
    let sql = "INSERT INTO quadrille_program_users
        (key, name, subject, password, password_number, created, claims)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING";
    let mut statement = transaction.prepare_cached(sql)?;
    statement.execute((
        user.name.key(),
        user.name.as_str(),
        &user.subject,
        &user.password,
        user.password_number,
        user.created.seconds(),
        user.claims_column(),
    ))?;
    Ok(())
}

pub(super) async fn find(
    store: &SqliteStore,
    column: &'static str,
    value: &str,
) -> Result<Option<User>, StoreError> {
    let value = value.to_owned();
    store
        .read(move |connection| {
            let sql = format!("SELECT {COLUMNS} FROM quadrille_program_users WHERE {column} = ?1");
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query([value])?;
            rows.next()?.map(user).transpose()
        })
        .await
}

/// Whether there is a user.
pub(super) async fn any(store: &SqliteStore) -> Result<bool, StoreError> {
    store
        .read(|connection| {
            let sql = "SELECT EXISTS (SELECT 1 FROM quadrille_program_users)";
            Ok(connection.query_row(sql, [], |row| row.get(0))?)
        })
        .await
}

/// All users, ordered by name.
pub(super) async fn all(store: &SqliteStore) -> Result<Vec<User>, StoreError> {
    store
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
pub(super) async fn replace_hash(
    store: &SqliteStore,
    user: &User,
    better: Arc<str>,
) -> Result<(), StoreError> {
    let (subject, number) = (user.subject.clone(), user.password_number);
    store
        .write(move |transaction| {
            // Unless the password has changed since.
            transaction.execute(
                "UPDATE quadrille_program_users SET password = ?1
                 WHERE subject = ?2 AND password_number = ?3",
                (&better, &subject, number),
            )?;
            Ok(())
        })
        .await
}

/// Gives a user a new password. This ends the user's sessions, even those that are being opened
/// with the old password. Returns the user, if there is one.
pub(super) async fn set_password(
    store: &SqliteStore,
    name: &UserName,
    password: Arc<str>,
) -> Result<Option<User>, StoreError> {
    let key = name.key().to_owned();
    store
        .write(move |transaction| {
            let sql = format!(
                "UPDATE quadrille_program_users SET password = ?1, password_number = password_number + 1
                 WHERE key = ?2 RETURNING {COLUMNS}"
            );
            let changed = one(transaction, &sql, (&password, &key))?;
            if let Some(user) = &changed {
                ended::end_of(transaction, &user.subject, &SomeSessions::All)?;
            }
            Ok(changed)
        })
        .await
}

/// Gives the user of a session a new password, unless the session has ended or there is another password
/// than the session's. The session goes on under another id, and the others end.
pub(super) async fn change_password(
    store: &SqliteStore,
    change: PasswordChange,
) -> Result<bool, StoreError> {
    store
        .write(move |transaction| {
            let PasswordChange { session, next, password, recount } = &change;
            let update = "UPDATE quadrille_program_users
                SET password = ?1, password_number = password_number + 1
                WHERE subject = ?2 AND password_number = ?3
                AND EXISTS (SELECT 1 FROM quadrille_program_sessions WHERE id = ?4)";
            let of = (password, &session.subject, session.password_number, &session.id[..]);
            if transaction.execute(update, of)? == 0 {
                return Ok(false);
            }
            let others = SomeSessions::Others(session.name.clone());
            ended::end_of(transaction, &session.subject, &others)?;
            let go_on = "UPDATE quadrille_program_sessions
                SET id = ?2, password_number = password_number + 1 WHERE id = ?1";
            transaction.execute(go_on, [&session.id[..], &next[..]])?;
            counts::change(transaction, recount)?;
            Ok(true)
        })
        .await
}

/// Changes the claims about a user. Returns the user, if there is one.
pub(super) async fn change_claims(
    store: &SqliteStore,
    subject: &str,
    change: ClaimsChange,
) -> Result<Option<User>, StoreError> {
    let subject = subject.to_owned();
    store
        .write(move |transaction| {
            let find = format!("SELECT {COLUMNS} FROM quadrille_program_users WHERE subject = ?1");
            let Some(user) = one(transaction, &find, [&subject])? else { return Ok(None) };
            let user = User { claims: change(&user.claims), ..user };
            let update = "UPDATE quadrille_program_users SET claims = ?2 WHERE subject = ?1";
            transaction.execute(update, (&subject, user.claims_column()))?;
            Ok(Some(user))
        })
        .await
}

/// Removes a user with sessions and grants. Returns the user, if there was one.
pub(super) async fn remove(
    store: &SqliteStore,
    who: Removed<'_>,
    issuer: &str,
) -> Result<Option<User>, StoreError> {
    let (key, subject, number) = who.columns();
    let (key, subject, issuer) = (key.to_owned(), subject.map(str::to_owned), issuer.to_owned());
    store
        .write(move |transaction| {
            let sql = format!(
                "DELETE FROM quadrille_program_users WHERE key = ?1 AND (?2 IS NULL OR subject = ?2)
                 AND (?3 IS NULL OR password_number = ?3) RETURNING {COLUMNS}"
            );
            let removed = one(transaction, &sql, (&key, &subject, number))?;
            if let Some(user) = &removed {
                ended::end_of(transaction, &user.subject, &SomeSessions::All)?;
                match SqliteStore::forget_subject(transaction, &issuer, &user.subject) {
                    // No server has run yet, so nothing was granted.
                    Ok(()) | Err(StoreError::UnknownIssuer) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(removed)
        })
        .await
}

const COLUMNS: &str = "subject, name, password, password_number, created, claims";

fn one(
    transaction: &Transaction<'_>,
    sql: &str,
    params: impl rusqlite::Params,
) -> Result<Option<User>, StoreError> {
    let mut statement = transaction.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let found = rows.next()?.map(user).transpose()?;
    // A statement with RETURNING is complete only after its last row was read.
    while rows.next()?.is_some() {}
    Ok(found)
}

/// A user, from a row with these [`COLUMNS`].
fn user(row: &Row<'_>) -> Result<User, StoreError> {
    let (name, claims): (String, String) = (row.get("name")?, row.get("claims")?);
    Ok(User {
        subject: row.get("subject")?,
        name: UserName::parse(&name).map_err(|_| StoreError::Corrupt("the name of a user"))?,
        password: row.get("password")?,
        password_number: row.get("password_number")?,
        created: Timestamp::from_seconds(row.get("created")?),
        claims: User::read_claims(&claims)?,
    })
}
