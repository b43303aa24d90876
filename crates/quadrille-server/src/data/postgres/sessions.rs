//! Sessions.

use std::sync::Arc;

use quadrille::{
    Timestamp,
    provider::store::{SecretHash, StoreError},
};
use quadrille_sqlx::{PgStore, PgTransaction, store_error};
use sqlx::{Row as _, postgres::PgRow};

use crate::{data::backend::Recount, sessions::Session};

use super::counts;

macro_rules! columns {
    () => {
        "id, subject, password_number, signed_in, used, expires, browser, address"
    };
}

const FIND: &str = concat!("SELECT ", columns!(), " FROM quadrille_program_sessions WHERE id = $1");
const OF: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM quadrille_program_sessions WHERE subject = $1 ORDER BY used DESC, signed_in DESC"
);
const END: &str = "DELETE FROM quadrille_program_sessions WHERE id = $1";
const END_ALL: &str = "DELETE FROM quadrille_program_sessions WHERE subject = $1";

/// The row of the user is locked, so that a new password waits and then ends the session.
const OPEN: &str = concat!(
    "INSERT INTO quadrille_program_sessions (",
    columns!(),
    ") SELECT $1, subject, password_number, $4, $5, $6, $7, $8 FROM quadrille_program_users
    WHERE subject = $2 AND password_number = $3 FOR SHARE"
);

/// The greatest number of ended sessions that one sign-in deletes: 32.
const SWEEP: &str = "DELETE FROM quadrille_program_sessions WHERE id IN
    (SELECT id FROM quadrille_program_sessions WHERE expires <= $1 LIMIT 32 FOR UPDATE SKIP LOCKED)";

/// Opens a session in the place of `replaces`, and makes `recount`. Returns `false`, and changes
/// nothing, if the user is gone or has changed the password.
pub(super) async fn open(
    store: &PgStore,
    session: Session,
    replaces: Option<SecretHash>,
    recount: Recount,
) -> Result<bool, StoreError> {
    let shared = Arc::new((session, recount));
    let work = store.transaction(move |transaction| {
        let shared = Arc::clone(&shared);
        Box::pin(async move {
            let (session, recount) = &*shared;
            let insert = sqlx::query(OPEN)
                .bind(&session.id[..])
                .bind(&*session.subject)
                .bind(session.password_number)
                .bind(session.signed_in.seconds())
                .bind(session.used.seconds())
                .bind(session.expires.seconds())
                .bind(&session.browser)
                .bind(&session.address);
            if transaction.execute(insert).await? == 0 {
                return Ok(false);
            }
            if let Some(before) = replaces {
                transaction.execute(sqlx::query(END).bind(&before[..])).await?;
            }
            transaction.execute(sqlx::query(SWEEP).bind(session.signed_in.seconds())).await?;
            counts::change(transaction, recount).await?;
            Ok(true)
        })
    });
    work.await
}

/// The session of this id, valid or not.
pub(super) async fn find(store: &PgStore, id: &SecretHash) -> Result<Option<Session>, StoreError> {
    let found = store.fetch(sqlx::query(FIND).bind(&id[..])).await?;
    found.first().map(session).transpose().map_err(store_error)
}

/// The sessions of a user, the most recently used first.
pub(super) async fn of(store: &PgStore, subject: &str) -> Result<Vec<Session>, StoreError> {
    let rows = store.fetch(sqlx::query(OF).bind(subject)).await?;
    rows.iter().map(session).collect::<sqlx::Result<_>>().map_err(store_error)
}

/// Stores the time of the last request of a session.
pub(super) async fn used(
    store: &PgStore,
    id: SecretHash,
    now: Timestamp,
) -> Result<(), StoreError> {
    let update = "UPDATE quadrille_program_sessions SET used = $2 WHERE id = $1";
    store.execute(sqlx::query(update).bind(&id[..]).bind(now.seconds())).await.map(drop)
}

/// Ends a session.
pub(super) async fn end(store: &PgStore, id: SecretHash) -> Result<(), StoreError> {
    store.execute(sqlx::query(END).bind(&id[..])).await.map(drop)
}

/// Ends all sessions of a user.
pub(super) async fn end_all(store: &PgStore, subject: Arc<str>) -> Result<(), StoreError> {
    store.execute(sqlx::query(END_ALL).bind(&*subject)).await.map(drop)
}

/// Ends all sessions of a user, within a transaction.
pub(super) async fn end_in(transaction: &mut PgTransaction, subject: &str) -> sqlx::Result<()> {
    transaction.execute(sqlx::query(END_ALL).bind(subject)).await.map(drop)
}

fn session(row: &PgRow) -> sqlx::Result<Session> {
    let seconds = |column| row.try_get(column).map(Timestamp::from_seconds);
    let id: &[u8] = row.try_get("id")?;
    let subject: &str = row.try_get("subject")?;
    Ok(Session {
        id: id.try_into().map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
        subject: subject.into(),
        password_number: row.try_get("password_number")?,
        signed_in: seconds("signed_in")?,
        used: seconds("used")?,
        expires: seconds("expires")?,
        browser: row.try_get("browser")?,
        address: row.try_get("address")?,
    })
}
