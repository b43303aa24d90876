//! Users.

use std::sync::Arc;

use quadrille::{Timestamp, provider::store::StoreError};
use quadrille_sqlx::{MySqlStore, MySqlTransaction, store_error};
use sqlx::{Row as _, mysql::MySqlRow};

use crate::{
    data::backend::{ClaimsChange, PasswordChange, Removed},
    sessions::SomeSessions,
    users::{Added, User, UserName},
};

use super::{counts, ended, statements::text};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT subject, name, password, password_number, created, claims
            FROM quadrille_program_users ",
            $rest
        )
    };
}

const BY_NAME: &str = select!("WHERE `key` = ?");
const BY_SUBJECT: &str = select!("WHERE subject = ?");
const ALL: &str = select!("ORDER BY `key`");
const HOLD: &str = select!("WHERE subject = ? FOR UPDATE");
/// The user of a name, also only with this subject and this number of the password.
const HOLD_NAMED: &str = select!(
    "WHERE `key` = ? AND subject = coalesce(?, subject)
    AND password_number = coalesce(?, password_number) FOR UPDATE"
);
const SET_PASSWORD: &str = "UPDATE quadrille_program_users
    SET password = ?, password_number = password_number + 1 WHERE `key` = ?";
/// The user first, as in every other change of passwords: no two of them wait for each other.
const HOLD_USER: &str = "SELECT 1 FROM quadrille_program_users
    WHERE subject = ? AND password_number = ? FOR UPDATE";
const HOLD_SESSION: &str = "SELECT 1 FROM quadrille_program_sessions WHERE id = ? FOR UPDATE";
const CHANGE_PASSWORD: &str = "UPDATE quadrille_program_users
    SET password = ?, password_number = password_number + 1 WHERE subject = ?";
const GO_ON: &str = "UPDATE quadrille_program_sessions
    SET id = ?, password_number = password_number + 1 WHERE id = ?";

/// Adds a user, unless the name is taken or looks the same as another one.
pub(super) async fn add(store: &MySqlStore, user: User) -> Result<Added, StoreError> {
    let work = store.transaction(move |transaction| {
        let user = user.clone();
        Box::pin(async move {
            // Nobody else adds a user until the commit; others read meanwhile.
            let lock = "SELECT id FROM quadrille_program_adding FOR UPDATE";
            transaction.fetch(sqlx::query(lock)).await?;
            let names = "SELECT `key`, name FROM quadrille_program_users";
            let rows = transaction.fetch(sqlx::query(names)).await?;
            let names = rows.iter().map(|row| Ok((text(row, "key")?, text(row, "name")?)));
            let names: Vec<(&str, &str)> = names.collect::<sqlx::Result<_>>()?;
            if let Some(other) = user.clash(names) {
                return Ok(other);
            }
            insert(transaction, &user).await?;
            Ok(Added::Now)
        })
    });
    work.await
}

/// Stores users of another database.
pub(super) async fn put(store: &MySqlStore, users: Vec<User>) -> Result<(), StoreError> {
    let users: Arc<[User]> = users.into();
    let work = store.transaction(move |transaction| {
        let users = Arc::clone(&users);
        Box::pin(async move {
            for user in &*users {
                insert(transaction, user).await?;
            }
            Ok(())
        })
    });
    work.await
}

/// Stores a user, unless there is one with the same name or subject.
async fn insert(transaction: &mut MySqlTransaction, user: &User) -> sqlx::Result<()> {
    let sql = "INSERT INTO quadrille_program_users
        (`key`, name, subject, password, password_number, created, claims)
        VALUES (?, ?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE created = created";
    let insert = sqlx::query(sql)
        .bind(user.name.key())
        .bind(user.name.as_str())
        .bind(&*user.subject)
        .bind(&*user.password)
        .bind(user.password_number)
        .bind(user.created.seconds())
        .bind(user.claims_column());
    transaction.execute(insert).await.map(drop)
}

pub(super) async fn by_name(
    store: &MySqlStore,
    name: &UserName,
) -> Result<Option<User>, StoreError> {
    store.fetch(sqlx::query(BY_NAME).bind(name.key())).await?.first().map(user).transpose()
}

pub(super) async fn by_subject(
    store: &MySqlStore,
    subject: &str,
) -> Result<Option<User>, StoreError> {
    store.fetch(sqlx::query(BY_SUBJECT).bind(subject)).await?.first().map(user).transpose()
}

/// Whether there is a user.
pub(super) async fn any(store: &MySqlStore) -> Result<bool, StoreError> {
    let any = "SELECT 1 FROM quadrille_program_users LIMIT 1";
    Ok(!store.fetch(sqlx::query(any)).await?.is_empty())
}

/// All users, ordered by name.
pub(super) async fn all(store: &MySqlStore) -> Result<Vec<User>, StoreError> {
    store.fetch(sqlx::query(ALL)).await?.iter().map(user).collect()
}

/// Stores a better hash of the password that `user` has.
pub(super) async fn replace_hash(
    store: &MySqlStore,
    user: &User,
    better: Arc<str>,
) -> Result<(), StoreError> {
    // Unless the password has changed since.
    let update = "UPDATE quadrille_program_users SET password = ?
        WHERE subject = ? AND password_number = ?";
    let update = sqlx::query(update).bind(&*better).bind(&*user.subject).bind(user.password_number);
    store.execute(update).await.map(drop)
}

/// Gives a user a new password. This ends the user's sessions: one that is being opened with the old
/// password holds the user's row, or finds the new number.
pub(super) async fn set_password(
    store: &MySqlStore,
    name: &UserName,
    password: Arc<str>,
) -> Result<Option<User>, StoreError> {
    let key: Arc<str> = name.key().into();
    let work = store.transaction(move |transaction| {
        let (key, password) = (Arc::clone(&key), Arc::clone(&password));
        Box::pin(async move {
            let update = sqlx::query(SET_PASSWORD).bind(&*password).bind(&*key);
            if transaction.execute(update).await? == 0 {
                return Ok(None);
            }
            let changed = transaction.fetch(sqlx::query(BY_NAME).bind(&*key)).await?;
            let Some(user) = changed.first().map(user).transpose()? else { return Ok(None) };
            ended::end_of(transaction, &user.subject, &SomeSessions::All).await?;
            Ok(Some(user))
        })
    });
    work.await
}

/// Gives the user of a session a new password, unless the session has ended or there is another password
/// than the session's. The session goes on under another id, and the others end.
pub(super) async fn change_password(
    store: &MySqlStore,
    change: PasswordChange,
) -> Result<bool, StoreError> {
    let shared = Arc::new(change);
    let work = store.transaction(move |transaction| {
        let shared = Arc::clone(&shared);
        Box::pin(async move {
            let PasswordChange { session, next, password, recount } = &*shared;
            let user = sqlx::query(HOLD_USER).bind(&*session.subject).bind(session.password_number);
            let of_session = sqlx::query(HOLD_SESSION).bind(&session.id[..]);
            for hold in [user, of_session] {
                if transaction.fetch(hold).await?.is_empty() {
                    return Ok(false);
                }
            }
            let update = sqlx::query(CHANGE_PASSWORD).bind(&**password).bind(&*session.subject);
            transaction.execute(update).await?;
            let others = SomeSessions::Others(session.name.clone());
            ended::end_of(transaction, &session.subject, &others).await?;
            let go_on = sqlx::query(GO_ON).bind(&next[..]).bind(&session.id[..]);
            transaction.execute(go_on).await?;
            counts::change(transaction, recount).await?;
            Ok(true)
        })
    });
    work.await
}

/// Changes the claims about a user. Returns the user, if there is one.
pub(super) async fn change_claims(
    store: &MySqlStore,
    subject: &str,
    change: ClaimsChange,
) -> Result<Option<User>, StoreError> {
    let shared: Arc<(String, ClaimsChange)> = Arc::new((subject.to_owned(), change));
    let work = store.transaction(move |transaction| {
        let shared = Arc::clone(&shared);
        Box::pin(async move {
            let (subject, change) = &*shared;
            let found = transaction.fetch(sqlx::query(HOLD).bind(subject)).await?;
            let Some(user) = found.first().map(user).transpose()? else { return Ok(None) };
            let user = User { claims: change(&user.claims), ..user };
            let update = "UPDATE quadrille_program_users SET claims = ? WHERE subject = ?";
            transaction
                .execute(sqlx::query(update).bind(user.claims_column()).bind(subject))
                .await?;
            Ok(Some(user))
        })
    });
    work.await
}

/// Removes a user with sessions and grants. Returns the user, if there was one.
pub(super) async fn remove(
    store: &MySqlStore,
    who: Removed<'_>,
    issuer: &str,
) -> Result<Option<User>, StoreError> {
    let (key, subject, number) = who.columns();
    let shared: Arc<(String, Option<String>, String)> =
        Arc::new((key.to_owned(), subject.map(str::to_owned), issuer.to_owned()));
    let work = store.transaction(move |transaction| {
        let shared = Arc::clone(&shared);
        Box::pin(async move {
            let (key, subject, issuer) = &*shared;
            let hold = sqlx::query(HOLD_NAMED).bind(key).bind(subject.as_deref()).bind(number);
            let found = transaction.fetch(hold).await?;
            let Some(user) = found.first().map(user).transpose()? else { return Ok(None) };
            let delete = "DELETE FROM quadrille_program_users WHERE `key` = ?";
            transaction.execute(sqlx::query(delete).bind(key)).await?;
            ended::end_of(transaction, &user.subject, &SomeSessions::All).await?;
            // Without the issuer no server has run yet, so nothing was granted.
            transaction.forget_subject(issuer, &user.subject).await?;
            Ok(Some(user))
        })
    });
    work.await
}

fn user(row: &MySqlRow) -> Result<User, StoreError> {
    let read = || -> sqlx::Result<_> {
        let (subject, name) = (text(row, "subject")?, text(row, "name")?);
        let texts = (text(row, "password")?, text(row, "claims")?);
        let numbers: (i64, i64) = (row.try_get("password_number")?, row.try_get("created")?);
        Ok((subject, name, texts, numbers))
    };
    let (subject, name, (password, claims), (password_number, created)) =
        read().map_err(store_error)?;
    Ok(User {
        subject: subject.into(),
        name: UserName::parse(name).map_err(|_| StoreError::Corrupt("the name of a user"))?,
        password: password.into(),
        password_number,
        created: Timestamp::from_seconds(created),
        claims: User::read_claims(claims)?,
    })
}
