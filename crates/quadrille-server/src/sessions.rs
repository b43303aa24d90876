//! Sessions: browsers that a user is signed in with.
//!
//! A session belongs to a user and to the password that opened it. It opens only if that is still
//! the password, in the same transaction, and it is found only while that is the password. So a new
//! password ends every session, even one that is being opened at the same time, whatever the clock
//! shows.

use std::sync::Arc;

use quadrille::{
    Authentication, Timestamp,
    provider::store::{SecretHash, StoreError},
};

use crate::users::User;

/// A browser that a user is signed in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The hash of the secret in the cookie, so the database does not let anybody sign in.
    pub id: SecretHash,
    /// The name of the session in lists and forms, and at clients: 16 hexadecimal digits. It lets
    /// nobody sign in. A sign-in of the same user in the same browser keeps the name, since clients know
    /// the session by it, and has another id, so that a secret from before is worth nothing.
    pub name: Arc<str>,
    /// The subject of the user.
    pub subject: Arc<str>,
    /// The number of the password that opened the session.
    pub password_number: i64,
    /// The time of the sign-in.
    pub signed_in: Timestamp,
    /// The time of the last request, to the minute.
    pub used: Timestamp,
    /// The time at which the session expires.
    pub expires: Timestamp,
    /// The name of the browser, from its `User-Agent`.
    pub browser: String,
    /// The address of the sign-in.
    pub address: String,
    /// The clients that got an ID token in the session, and learn of its end.
    pub clients: Vec<Arc<str>>,
}

impl Session {
    /// The name of a new session with this id.
    pub fn name_of(id: &SecretHash) -> Arc<str> {
        id.iter().take(8).fold(String::new(), |name, byte| format!("{name}{byte:02x}")).into()
    }

    /// The sign-in, as the authorization server needs it.
    pub fn authentication(&self) -> Authentication {
        let mut authentication = signed_in(&self.subject, self.signed_in, &self.name);
        authentication.amr = vec!["pwd".into()];
        authentication
    }

    /// Whether this new session goes on with the one `before` in the browser: it is the same user's,
    /// and has not ended.
    pub fn continues(&self, before: &Self) -> bool {
        self.subject == before.subject
            && self.password_number == before.password_number
            && self.signed_in < before.expires
    }

    /// Whether the session is the user's and has not expired. No other function judges a session.
    pub fn is_good_for(&self, user: &User, now: Timestamp) -> bool {
        self.subject == user.subject
            && self.password_number == user.password_number
            && now < self.expires
    }
}

/// Some sessions of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SomeSessions {
    /// All of them.
    All,
    /// The session of this name.
    One(Arc<str>),
    /// All but the session of this name.
    Others(Arc<str>),
}

impl SomeSessions {
    /// The name, if there is one, and whether the sessions are those of other names.
    pub(crate) fn columns(&self) -> (Option<&str>, bool) {
        match self {
            Self::All => (None, false),
            Self::One(name) => (Some(name), false),
            Self::Others(name) => (Some(name), true),
        }
    }
}

/// The greatest number of sessions of a user: another one ends the one that was used longest ago.
pub(crate) const MOST_SESSIONS: u8 = 100;

/// The greatest number of clients of a session that are remembered.
pub(crate) const MOST_CLIENTS: i32 = 256;

/// The number of leases ahead of the clock at which a lease is from before the clock was set back.
pub const FAR_LEASES: u32 = 10;

/// A session that has ended, and whose clients do not know it yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The name of the session.
    pub name: Arc<str>,
    /// The subject of its user.
    pub subject: Arc<str>,
    /// The time of the sign-in.
    pub signed_in: Timestamp,
    /// The clients that got an ID token in it.
    pub clients: Vec<Arc<str>>,
}

impl Ended {
    /// The sign-in, as the authorization server needs it.
    pub fn authentication(&self) -> Authentication {
        signed_in(&self.subject, self.signed_in, &self.name)
    }
}

/// Clients from a column.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub(crate) fn read_clients(text: &str) -> Result<Vec<Arc<str>>, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::Corrupt("the clients of a session"))
}

/// Clients as a column.
///
/// # Errors
/// [`StoreError::Failed`].
pub(crate) fn clients_column(clients: &[Arc<str>]) -> Result<String, StoreError> {
    serde_json::to_string(clients).map_err(|error| StoreError::Failed(Arc::new(error)))
}

fn signed_in(subject: &Arc<str>, time: Timestamp, session: &Arc<str>) -> Authentication {
    let mut authentication = Authentication::new(subject.clone(), time);
    authentication.session = Some(session.clone());
    authentication
}

/// A name for the browser with this `User-Agent`: its product and its system, as far as the header
/// tells.
pub fn browser_name(user_agent: &str) -> String {
    // The first match counts: most browsers also name the later ones.
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
        (None, None) => "An unknown browser".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_called_by_the_name_that_people_know() {
        for (said, name) in [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
                "Firefox on Linux",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 \
                 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/130.0.0.0 Mobile Safari/537.36",
                "Chrome on Android",
            ),
            ("curl/8.5.0", "An unknown browser"),
            ("", "An unknown browser"),
            ("<script>alert(1)</script>", "An unknown browser"),
        ] {
            assert_eq!(browser_name(said), name, "{said}");
        }
    }
}
