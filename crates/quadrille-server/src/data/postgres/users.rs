//! Users.

use std::sync::Arc;

use quadrille::{Timestamp, provider::store::StoreError};
use quadrille_sqlx::{PgStore, PgTransaction, store_error};
use sqlx::{Row as _, postgres::PgRow};

use crate::{
    data::backend::{ClaimsChange, PasswordChange, Removed},
    sessions::SomeSessions,
    users::{Added, User, UserName},
};

use super::{counts, ended};

macro_rules! columns {
    () => {
        "subject, name, password, password_number, created, claims"
    };
}

const BY_NAME: &str =
    concat!("SELECT ", columns!(), " FROM quadrille_program_users WHERE key = $1");
macro_rules! by_subject {
    () => {
        concat!("SELECT ", columns!(), " FROM quadrille_program_users WHERE subject = $1")
    };
}

const BY_SUBJECT: &str = by_subject!();
const ALL: &str = concat!("SELECT ", columns!(), " FROM quadrille_program_users ORDER BY key");
const SET_PASSWORD: &str = concat!(
    "UPDATE quadrille_program_users SET password = $1, password_number = password_number + 1
    WHERE key = $2 RETURNING ",
    columns!()
);
/// The user first, as in every other change of passwords: no two of them wait for each other.
const HOLD_USER_AND_SESSION: &str =
    "SELECT 1 FROM quadrille_program_users u, quadrille_program_sessions s
    WHERE u.subject = $1 AND u.password_number = $2 AND s.id = $3 FOR UPDATE";
const CHANGE_PASSWORD: &str = "UPDATE quadrille_program_users
    SET password = $1, password_number = password_number + 1 WHERE subject = $2";
const GO_ON: &str = "UPDATE quadrille_program_sessions
    SET id = $2, password_number = password_number + 1 WHERE id = $1";
const REMOVE: &str = concat!(
    "DELETE FROM quadrille_program_users WHERE key = $1 AND ($2::text IS NULL OR subject = $2)
    AND ($3::bigint IS NULL OR password_number = $3) RETURNING ",
    columns!()
);

/// Adds a user, unless the name is taken or looks the same as another one.
pub(super) async fn add(store: &PgStore, user: User) -> Result<Added, StoreError> {
    let work = store.transaction(move |transaction| {
        let user = user.clone();
        Box::pin(async move {
            // Nobody else adds a user until the commit; others read meanwhile.
            let lock = "LOCK TABLE quadrille_program_users IN SHARE ROW EXCLUSIVE MODE";
            transaction.execute(sqlx::query(lock)).await?;
            let names = "SELECT key, name FROM quadrille_program_users";
            let rows = transaction.fetch(sqlx::query(names)).await?;
            let names = |row: &PgRow| Ok((row.try_get("key")?, row.try_get("name")?));
            let names: Vec<(String, String)> =
                rows.iter().map(names).collect::<sqlx::Result<_>>()?;
            if let Some(other) = user.clash(names.iter().map(|(key, name)| (&**key, &**name))) {
                return Ok(other);
            }
            insert(transaction, &user).await?;
            Ok(Added::Now)
        })
    });
    work.await
}

/// Stores users of another database.
pub(super) async fn put(store: &PgStore, users: Vec<User>) -> Result<(), StoreError> {
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
async fn insert(transaction: &mut PgTransaction, user: &User) -> sqlx::Result<()> {
    let sql = "INSERT INTO quadrille_program_users
        (key, name, subject, password, password_number, created, claims)
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
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

pub(super) async fn by_name(store: &PgStore, name: &UserName) -> Result<Option<User>, StoreError> {
    one(store, BY_NAME, name.key()).await
}

pub(super) async fn by_subject(store: &PgStore, subject: &str) -> Result<Option<User>, StoreError> {
    one(store, BY_SUBJECT, subject).await
}

async fn one(store: &PgStore, sql: &'static str, key: &str) -> Result<Option<User>, StoreError> {
    // A subject in a request may hold any character; a text of PostgreSQL holds no U+0000.
    if key.contains('\0') {
        return Ok(None);
    }
    store.fetch(sqlx::query(sql).bind(key)).await?.first().map(user).transpose()
}

/// Whether there is a user.
pub(super) async fn any(store: &PgStore) -> Result<bool, StoreError> {
    let any = "SELECT EXISTS (SELECT 1 FROM quadrille_program_users)";
    let rows = store.fetch(sqlx::query(any)).await?;
    let row = rows.first().ok_or(StoreError::Corrupt("the number of users"))?;
    row.try_get(0).map_err(store_error)
}

/// All users, ordered by name.
pub(super) async fn all(store: &PgStore) -> Result<Vec<User>, StoreError> {
    store.fetch(sqlx::query(ALL)).await?.iter().map(user).collect()
}

/// Stores a better hash of the password that `user` has.
pub(super) async fn replace_hash(
    store: &PgStore,
    user: &User,
    better: Arc<str>,
) -> Result<(), StoreError> {
    // Unless the password has changed since.
    let update = "UPDATE quadrille_program_users SET password = $1
        WHERE subject = $2 AND password_number = $3";
    let update = sqlx::query(update).bind(&*better).bind(&*user.subject).bind(user.password_number);
    store.execute(update).await.map(drop)
}

/// Gives a user a new password. This ends the user's sessions: one that is being opened with the old
/// password holds the user's row, or finds the new number.
pub(super) async fn set_password(
    store: &PgStore,
    name: &UserName,
    password: Arc<str>,
) -> Result<Option<User>, StoreError> {
    let key: Arc<str> = name.key().into();
    let work = store.transaction(move |transaction| {
        let (key, password) = (Arc::clone(&key), Arc::clone(&password));
        Box::pin(async move {
            let update = sqlx::query(SET_PASSWORD).bind(&*password).bind(&*key);
            let changed = transaction.fetch(update).await?;
            if let Some(user) = changed.first() {
                let subject = user.try_get("subject")?;
                transaction.execute(ended::end_of(subject, &SomeSessions::All)).await?;
            }
            Ok(changed)
        })
    });
    work.await?.first().map(user).transpose()
}

/// Gives the user of a session a new password, unless the session has ended or there is another password
/// than the session's. The session goes on under another id, and the others end.
pub(super) async fn change_password(
    store: &PgStore,
    change: PasswordChange,
) -> Result<bool, StoreError> {
    let shared = Arc::new(change);
    let work = store.transaction(move |transaction| {
        let shared = Arc::clone(&shared);
        Box::pin(async move {
            let PasswordChange { session, next, password, recount } = &*shared;
            let hold = sqlx::query(HOLD_USER_AND_SESSION)
                .bind(&*session.subject)
                .bind(session.password_number)
                .bind(&session.id[..]);
            if transaction.fetch(hold).await?.is_empty() {
                return Ok(false);
            }
            let update = sqlx::query(CHANGE_PASSWORD).bind(&**password).bind(&*session.subject);
            transaction.execute(update).await?;
            let others = SomeSessions::Others(session.name.clone());
            transaction.execute(ended::end_of(&session.subject, &others)).await?;
            let go_on = sqlx::query(GO_ON).bind(&session.id[..]).bind(&next[..]);
            transaction.execute(go_on).await?;
            counts::change(transaction, recount).await?;
            Ok(true)
        })
    });
    work.await
}

/// Changes the claims about a user. Returns the user, if there is one.
pub(super) async fn change_claims(
    store: &PgStore,
    subject: &str,
    change: ClaimsChange,
) -> Result<Option<User>, StoreError> {
    if subject.contains('\0') {
        return Ok(None);
    }
    let shared: Arc<(String, ClaimsChange)> = Arc::new((subject.to_owned(), change));
    let work = store.transaction(move |transaction| {
        let shared = Arc::clone(&shared);
        Box::pin(async move {
            let (subject, change) = &*shared;
            let find = sqlx::query(concat!(by_subject!(), " FOR UPDATE")).bind(subject);
            let found = transaction.fetch(find).await?;
            let Some(user) = found.first().map(user).transpose()? else { return Ok(None) };
            let user = User { claims: change(&user.claims), ..user };
            let update = "UPDATE quadrille_program_users SET claims = $2 WHERE subject = $1";
            transaction
                .execute(sqlx::query(update).bind(subject).bind(user.claims_column()))
                .await?;
            Ok(Some(user))
        })
    });
    work.await
}

/// Removes a user with sessions and grants. Returns the user, if there was one.
pub(super) async fn remove(
    store: &PgStore,
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
            let delete = sqlx::query(REMOVE).bind(key).bind(subject.as_deref()).bind(number);
            let removed = transaction.fetch(delete).await?;
            if let Some(user) = removed.first() {
                let subject: &str = user.try_get("subject")?;
                transaction.execute(ended::end_of(subject, &SomeSessions::All)).await?;
                // Without the issuer no server has run yet, so nothing was granted.
                transaction.forget_subject(issuer, subject).await?;
            }
            Ok(removed)
        })
    });
    work.await?.first().map(user).transpose()
}

fn user(row: &PgRow) -> Result<User, StoreError> {
    let read = || -> sqlx::Result<_> {
        let (subject, name): (&str, &str) = (row.try_get("subject")?, row.try_get("name")?);
        let texts: (&str, &str) = (row.try_get("password")?, row.try_get("claims")?);
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
