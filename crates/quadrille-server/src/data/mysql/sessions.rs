//! Sessions.

use std::sync::Arc;

use quadrille::{
    Timestamp,
    provider::store::{SecretHash, StoreError},
};
use quadrille_sqlx::{MySqlStore, MySqlTransaction, TransactionError, store_error};
use sqlx::{Row as _, mysql::MySqlRow};

use crate::{
    data::backend::Recount,
    sessions::{MOST_CLIENTS, MOST_SESSIONS, Session, SomeSessions, clients_column, read_clients},
};

use super::{counts, ended, statements::text};

macro_rules! columns {
    () => {
        "id, name, subject, password_number, signed_in, used, expires, browser, address, clients"
    };
}

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", columns!(), " FROM quadrille_program_sessions ", $rest)
    };
}

const FIND: &str = select!("WHERE id = ?");
const HOLD: &str = select!("WHERE id = ? FOR UPDATE");
const OF: &str = select!("WHERE subject = ? ORDER BY used DESC, signed_in DESC");
const END: &str = "DELETE FROM quadrille_program_sessions WHERE id = ?";
const GO_ON: &str = "UPDATE quadrille_program_sessions
    SET name = ?, clients = ?, signed_in = greatest(signed_in, ?) WHERE id = ?";
const HOLD_CLIENTS: &str = "SELECT clients FROM quadrille_program_sessions WHERE id = ? FOR UPDATE";
const JOIN: &str = "UPDATE quadrille_program_sessions SET clients = ? WHERE id = ?";

/// The row of the user is locked, so that a new password waits and then ends the session.
const HOLD_USER: &str = "SELECT 1 FROM quadrille_program_users
    WHERE subject = ? AND password_number = ? LOCK IN SHARE MODE";
const OPEN: &str = concat!(
    "INSERT INTO quadrille_program_sessions (",
    columns!(),
    ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '[]')"
);

/// Opens a session in the place of `replaces`, and makes `recount`. Returns `false`, and changes
/// nothing, if the user is gone or has changed the password.
pub(super) async fn open(
    store: &MySqlStore,
    session: Session,
    replaces: Option<SecretHash>,
    recount: Recount,
) -> Result<bool, StoreError> {
    let shared = Arc::new((session, replaces, recount));
    let work = store.transaction(move |transaction| {
        let shared = Arc::clone(&shared);
        Box::pin(async move {
            let (session, replaces, recount) = &*shared;
            let hold = sqlx::query(HOLD_USER).bind(&*session.subject).bind(session.password_number);
            if transaction.fetch(hold).await?.is_empty() {
                return Ok(false);
            }
            let insert = sqlx::query(OPEN)
                .bind(&session.id[..])
                .bind(&*session.name)
                .bind(&*session.subject)
                .bind(session.password_number)
                .bind(session.signed_in.millis())
                .bind(session.used.seconds())
                .bind(session.expires.seconds())
                .bind(&session.browser)
                .bind(&session.address);
            transaction.execute(insert).await?;
            if let Some(before) = replaces {
                replace(transaction, session, before).await?;
            }
            ended::end_too_many(transaction, session, MOST_SESSIONS - 1).await?;
            counts::change(transaction, recount).await?;
            Ok(true)
        })
    });
    work.await
}

/// Ends the session before a new one, which has its name and its clients if it goes on.
async fn replace(
    transaction: &mut MySqlTransaction,
    session: &Session,
    id: &SecretHash,
) -> Result<(), TransactionError> {
    // Two sign-ins at once do not both go on.
    let found = transaction.fetch(sqlx::query(HOLD).bind(&id[..])).await?;
    let Some(before) = found.first().map(self::session).transpose()? else { return Ok(()) };
    if !session.continues(&before) {
        let one = sqlx::query(ended::ONE).bind(&id[..]);
        return ended::end(transaction, one).await.map(drop);
    }
    let go_on = sqlx::query(GO_ON)
        .bind(&*before.name)
        .bind(clients_column(&before.clients)?)
        .bind(before.signed_in.millis().saturating_add(1000))
        .bind(&session.id[..]);
    transaction.execute(go_on).await?;
    Ok(transaction.execute(sqlx::query(END).bind(&id[..])).await.map(drop)?)
}

/// Adds a client to a session.
pub(super) async fn join(
    store: &MySqlStore,
    id: SecretHash,
    client: Arc<str>,
) -> Result<(), StoreError> {
    let work = store.transaction(move |transaction| {
        let client = Arc::clone(&client);
        Box::pin(async move {
            let found = transaction.fetch(sqlx::query(HOLD_CLIENTS).bind(&id[..])).await?;
            let Some(row) = found.first() else { return Ok(()) };
            let mut clients = read_clients(text(row, "clients")?)?;
            let has_room = i32::try_from(clients.len()).is_ok_and(|count| count < MOST_CLIENTS);
            if has_room && !clients.contains(&client) {
                clients.push(client);
                let join = sqlx::query(JOIN).bind(clients_column(&clients)?).bind(&id[..]);
                transaction.execute(join).await?;
            }
            Ok(())
        })
    });
    work.await
}

/// The session of this id, valid or not.
pub(super) async fn find(
    store: &MySqlStore,
    id: &SecretHash,
) -> Result<Option<Session>, StoreError> {
    let found = store.fetch(sqlx::query(FIND).bind(&id[..])).await?;
    found.first().map(session).transpose().map_err(store_error)
}

/// The sessions of a user, the most recently used first.
pub(super) async fn of(store: &MySqlStore, subject: &str) -> Result<Vec<Session>, StoreError> {
    let rows = store.fetch(sqlx::query(OF).bind(subject)).await?;
    rows.iter().map(session).collect::<sqlx::Result<_>>().map_err(store_error)
}

/// Stores the time of the last request of a session.
pub(super) async fn used(
    store: &MySqlStore,
    id: SecretHash,
    now: Timestamp,
) -> Result<(), StoreError> {
    let update = "UPDATE quadrille_program_sessions SET used = ? WHERE id = ?";
    store.execute(sqlx::query(update).bind(now.seconds()).bind(&id[..])).await.map(drop)
}

/// Ends a session.
pub(super) async fn end(store: &MySqlStore, id: SecretHash) -> Result<(), StoreError> {
    store.execute(sqlx::query(END).bind(&id[..])).await.map(drop)
}

/// Ends some sessions of a user. `false` if there is none.
pub(super) async fn end_of(
    store: &MySqlStore,
    subject: Arc<str>,
    which: SomeSessions,
) -> Result<bool, StoreError> {
    let work = store.transaction(move |transaction| {
        let (subject, which) = (Arc::clone(&subject), which.clone());
        Box::pin(async move { Ok(ended::end_of(transaction, &subject, &which).await? > 0) })
    });
    work.await
}

fn session(row: &MySqlRow) -> sqlx::Result<Session> {
    let seconds = |column| row.try_get(column).map(Timestamp::from_seconds);
    let id: &[u8] = row.try_get("id")?;
    let clients = read_clients(text(row, "clients")?);
    Ok(Session {
        name: text(row, "name")?.into(),
        id: id.try_into().map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
        subject: text(row, "subject")?.into(),
        password_number: row.try_get("password_number")?,
        signed_in: row.try_get("signed_in").map(Timestamp::from_millis)?,
        used: seconds("used")?,
        expires: seconds("expires")?,
        browser: text(row, "browser")?.to_owned(),
        address: text(row, "address")?.to_owned(),
        clients: clients.map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
    })
}
