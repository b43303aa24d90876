//! Sessions: browsers that a user is signed in with.
//!
//! A session belongs to a user and to the password that opened it. It opens only if that is still
//! the password, in the same transaction, and it is found only while that is the password. So a new
//! password ends every session, even one that is being opened at the same time, whatever the clock
//! shows.

use std::sync::Arc;

use quadrille::{Authentication, Timestamp, provider::store::SecretHash};

use crate::users::User;

/// A browser that a user is signed in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The hash of the secret in the cookie, so the database does not let anybody sign in.
    pub id: SecretHash,
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
}

impl Session {
    /// The name of the session in lists and forms: 16 hexadecimal digits of its id. It lets nobody
    /// sign in.
    pub fn short_id(&self) -> String {
        self.id.iter().take(8).fold(String::new(), |name, byte| format!("{name}{byte:02x}"))
    }

    /// The sign-in, as the authorization server needs it.
    pub fn authentication(&self) -> Authentication {
        let mut authentication = Authentication::new(self.subject.clone(), self.signed_in);
        authentication.amr = vec!["pwd".into()];
        authentication.session = Some(self.short_id().into());
        authentication
    }

    /// Whether the session is the user's and has not expired. No other function judges a session.
    pub fn is_good_for(&self, user: &User, now: Timestamp) -> bool {
        self.subject == user.subject
            && self.password_number == user.password_number
            && now < self.expires
    }
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
        (None, None) => "Unknown browser".to_owned(),
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
            ("curl/8.5.0", "Unknown browser"),
            ("", "Unknown browser"),
            ("<script>alert(1)</script>", "Unknown browser"),
        ] {
            assert_eq!(browser_name(said), name, "{said}");
        }
    }
}
