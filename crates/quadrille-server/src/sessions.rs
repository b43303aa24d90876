//! Browsers that people are signed in with.
//!
//! A session belongs to a person and to the password that opened it: it opens only if that is still
//! the password, in the transaction that looks, and it is found only as long as it is. So a new
//! password ends every session, also one that was being opened meanwhile, whatever the clock shows.

use std::sync::Arc;

use quadrille::{
    Timestamp,
    provider::store::{SecretHash, SqliteStore, StoreError},
};
use rusqlite::{Row, Transaction};

use crate::users::User;

/// How many sessions that are over are forgotten when one opens.
const SWEPT: i64 = 32;

/// A browser that somebody is signed in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The hash of what its cookie holds, so that the database cannot be used to sign in.
    pub id: SecretHash,
    /// The person.
    pub subject: Arc<str>,
    /// The number of the password that opened it.
    pub password_number: i64,
    /// The time of the sign-in.
    pub signed_in: Timestamp,
    /// The time of the last request, to the minute.
    pub used: Timestamp,
    /// The end.
    pub expires: Timestamp,
    /// A name for the browser, as it calls itself.
    pub browser: String,
    /// The address that the sign-in came from.
    pub address: String,
}

impl Session {
    /// Whether it is the session of `user`, and not over. The one place that judges a session.
    pub fn is_good_for(&self, user: &User, now: Timestamp) -> bool {
        self.subject == user.subject
            && self.password_number == user.password_number
            && now < self.expires
    }
}

/// The sessions of all people.
#[derive(Clone, Debug)]
pub struct Sessions(Arc<SqliteStore>);

impl Sessions {
    /// Those in this store, which has the program's tables.
    pub fn new(store: Arc<SqliteStore>) -> Self {
        Self(store)
    }

    /// Opens a session in the place of `replaces`, and does `with` in the same transaction. Returns
    /// `false`, and changes nothing, when the person is gone or has another password by now.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn open(
        &self,
        session: Session,
        replaces: Option<SecretHash>,
        with: impl FnOnce(&Transaction<'_>) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<bool, StoreError> {
        self.0
            .write(move |transaction| {
                let opened = transaction.execute(
                    "INSERT INTO quadrille_program_sessions
                     (id, subject, password_number, signed_in, used, expires, browser, address)
                     SELECT ?1, subject, password_number, ?4, ?5, ?6, ?7, ?8 FROM quadrille_program_users
                     WHERE subject = ?2 AND password_number = ?3",
                    (
                        &session.id[..],
                        &session.subject,
                        session.password_number,
                        session.signed_in.seconds(),
                        session.used.seconds(),
                        session.expires.seconds(),
                        &session.browser,
                        &session.address,
                    ),
                )?;
                if opened == 0 {
                    return Ok(false);
                }
                if let Some(before) = replaces {
                    transaction
                        .execute("DELETE FROM quadrille_program_sessions WHERE id = ?1", [&before[..]])?;
                }
                transaction.execute(
                    "DELETE FROM quadrille_program_sessions WHERE id IN
                     (SELECT id FROM quadrille_program_sessions WHERE expires <= ?1 LIMIT ?2)",
                    (session.signed_in.seconds(), SWEPT),
                )?;
                with(transaction)?;
                Ok(true)
            })
            .await
    }

    /// A session, with nothing said of whether it is good.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn find(&self, id: &SecretHash) -> Result<Option<Session>, StoreError> {
        self.0
            .read(|connection| {
                let sql = format!("SELECT {COLUMNS} FROM quadrille_program_sessions WHERE id = ?1");
                let mut statement = connection.prepare_cached(&sql)?;
                let mut rows = statement.query([&id[..]])?;
                rows.next()?.map(session).transpose()
            })
            .await
    }

    /// The sessions of a person, the one that was used last first.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn of(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        self.0
            .read(|connection| {
                let sql = format!(
                    "SELECT {COLUMNS} FROM quadrille_program_sessions WHERE subject = ?1
                     ORDER BY used DESC, signed_in DESC"
                );
                let mut statement = connection.prepare_cached(&sql)?;
                let mut rows = statement.query([subject])?;
                let mut sessions = Vec::new();
                while let Some(row) = rows.next()? {
                    sessions.push(session(row)?);
                }
                Ok(sessions)
            })
            .await
    }

    /// Remembers that a session was used.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn used(&self, id: SecretHash, now: Timestamp) -> Result<(), StoreError> {
        self.0
            .write(move |transaction| {
                let sql = "UPDATE quadrille_program_sessions SET used = ?2 WHERE id = ?1";
                transaction.execute(sql, (&id[..], now.seconds()))?;
                Ok(())
            })
            .await
    }

    /// Ends a session.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn end(&self, id: SecretHash) -> Result<(), StoreError> {
        self.0
            .write(move |transaction| {
                transaction
                    .execute("DELETE FROM quadrille_program_sessions WHERE id = ?1", [&id[..]])?;
                Ok(())
            })
            .await
    }

    /// Ends all sessions of a person.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn end_all(&self, subject: Arc<str>) -> Result<(), StoreError> {
        self.0
            .write(move |transaction| {
                transaction.execute(
                    "DELETE FROM quadrille_program_sessions WHERE subject = ?1",
                    [&subject],
                )?;
                Ok(())
            })
            .await
    }
}

const COLUMNS: &str = "id, subject, password_number, signed_in, used, expires, browser, address";

fn session(row: &Row<'_>) -> Result<Session, StoreError> {
    Ok(Session {
        id: row.get(0)?,
        subject: row.get(1)?,
        password_number: row.get(2)?,
        signed_in: Timestamp::from_seconds(row.get(3)?),
        used: Timestamp::from_seconds(row.get(4)?),
        expires: Timestamp::from_seconds(row.get(5)?),
        browser: row.get(6)?,
        address: row.get(7)?,
    })
}

/// A name for the browser that sends this `User-Agent`: what it is and what it runs on, as far as
/// that can be told.
pub fn browser_name(user_agent: &str) -> String {
    // The first that fits: most of them say that they are the later ones too.
    let browsers = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    let systems = [
        ("Windows", "Windows"),
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("CrOS", "ChromeOS"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ];
    let named = |known: &[(&str, &'static str)]| {
        known.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    match (named(&browsers), named(&systems)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(name), None) | (None, Some(name)) => name.to_owned(),
        (None, None) => "Another browser".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_called_by_the_name_that_people_know() {
        for (said, name) in [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
                "Firefox on Linux",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36",
                "Chrome on Android",
            ),
            ("curl/8.5.0", "Another browser"),
            ("", "Another browser"),
            ("<script>alert(1)</script>", "Another browser"),
        ] {
            assert_eq!(browser_name(said), name, "{said}");
        }
    }
}
