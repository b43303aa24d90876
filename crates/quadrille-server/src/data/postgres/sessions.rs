//! Sessions.

use std::sync::Arc;

use quadrille::{
    Timestamp,
    provider::store::{SecretHash, StoreError},
};
use quadrille_sqlx::{PgStore, PgTransaction, TransactionError, store_error};
use sqlx::{Row as _, postgres::PgRow};

use crate::{
    data::backend::Recount,
    sessions::{MOST_CLIENTS, MOST_SESSIONS, Session, SomeSessions, read_clients},
};

use super::{counts, ended};

macro_rules! columns {
    () => {
        "id, name, subject, password_number, signed_in, used, expires, browser, address, clients"
    };
}

macro_rules! find {
    () => {
        concat!("SELECT ", columns!(), " FROM quadrille_program_sessions WHERE id = $1")
    };
}

const FIND: &str = find!();
const OF: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM quadrille_program_sessions WHERE subject = $1 ORDER BY used DESC, signed_in DESC"
);
const END: &str = "DELETE FROM quadrille_program_sessions WHERE id = $1";
const GO_ON: &str = "UPDATE quadrille_program_sessions AS session
    SET name = before.name, clients = before.clients,
    signed_in = GREATEST(session.signed_in, before.signed_in + 1000)
    FROM quadrille_program_sessions AS before WHERE session.id = $1 AND before.id = $2";
const JOIN: &str = "UPDATE quadrille_program_sessions
    SET clients = (clients::jsonb || to_jsonb($2::text))::text
    WHERE id = $1 AND jsonb_array_length(clients::jsonb) < $3 AND NOT clients::jsonb ? $2";

/// The row of the user is locked, so that a new password waits and then ends the session.
const OPEN: &str = concat!(
    "INSERT INTO quadrille_program_sessions (",
    columns!(),
    ") SELECT $1, $9, subject, password_number, $4, $5, $6, $7, $8, '[]' FROM quadrille_program_users
    WHERE subject = $2 AND password_number = $3 FOR SHARE"
);

/// Opens a session in the place of `replaces`, and makes `recount`. Returns `false`, and changes
/// nothing, if the user is gone or has changed the password.
pub(super) async fn open(
    store: &PgStore,
    session: Session,
    replaces: Option<SecretHash>,
    recount: Recount,
) -> Result<bool, StoreError> {
    let shared = Arc::new((session, replaces, recount));
    let work = store.transaction(move |transaction| {
        let shared = Arc::clone(&shared);
        Box::pin(async move {
            let (session, replaces, recount) = &*shared;
            let insert = sqlx::query(OPEN)
                .bind(&session.id[..])
                .bind(&*session.subject)
                .bind(session.password_number)
                .bind(session.signed_in.millis())
                .bind(session.used.seconds())
                .bind(session.expires.seconds())
                .bind(&session.browser)
                .bind(&session.address)
                .bind(&*session.name);
            if transaction.execute(insert).await? == 0 {
                return Ok(false);
            }
            if let Some(before) = replaces {
                replace(transaction, session, before).await?;
            }
            let others = i64::from(MOST_SESSIONS - 1);
            let end = sqlx::query(ended::END_TOO_MANY).bind(session.subject.to_string());
            transaction.execute(end.bind(session.id.to_vec()).bind(others)).await?;
            counts::change(transaction, recount).await?;
            Ok(true)
        })
    });
    work.await
}

/// Ends the session before a new one, which has its name and its clients if it goes on.
async fn replace(
    transaction: &mut PgTransaction,
    session: &Session,
    id: &SecretHash,
) -> Result<(), TransactionError> {
    // Two sign-ins at once do not both go on.
    let found = sqlx::query(concat!(find!(), " FOR UPDATE")).bind(&id[..]);
    let found = transaction.fetch(found).await?;
    let Some(before) = found.first().map(self::session).transpose()? else { return Ok(()) };
    if session.continues(&before) {
        transaction.execute(sqlx::query(GO_ON).bind(&session.id[..]).bind(&id[..])).await?;
    }
    let end = if session.continues(&before) { END } else { ended::END_ONE };
    Ok(transaction.execute(sqlx::query(end).bind(&id[..])).await.map(drop)?)
}

/// Adds a client to a session.
pub(super) async fn join(
    store: &PgStore,
    id: SecretHash,
    client: Arc<str>,
) -> Result<(), StoreError> {
    let join = sqlx::query(JOIN).bind(&id[..]).bind(&*client).bind(MOST_CLIENTS);
    store.execute(join).await.map(drop)
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

/// Ends some sessions of a user. `false` if there is none.
pub(super) async fn end_of(
    store: &PgStore,
    subject: Arc<str>,
    which: SomeSessions,
) -> Result<bool, StoreError> {
    Ok(store.execute(ended::end_of(&subject, &which)).await? > 0)
}

fn session(row: &PgRow) -> sqlx::Result<Session> {
    let seconds = |column| row.try_get(column).map(Timestamp::from_seconds);
    let id: &[u8] = row.try_get("id")?;
    let (name, subject): (&str, &str) = (row.try_get("name")?, row.try_get("subject")?);
    let clients = read_clients(row.try_get("clients")?);
    Ok(Session {
        name: name.into(),
        id: id.try_into().map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
        subject: subject.into(),
        password_number: row.try_get("password_number")?,
        signed_in: row.try_get("signed_in").map(Timestamp::from_millis)?,
        used: seconds("used")?,
        expires: seconds("expires")?,
        browser: row.try_get("browser")?,
        address: row.try_get("address")?,
        clients: clients.map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
    })
}
