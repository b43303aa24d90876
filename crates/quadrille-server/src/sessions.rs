//! Browsers that people are signed in with.
//!
//! A session belongs to a person and to the password that opened it: it opens only if that is still
//! the password, in the transaction that looks, and it is found only as long as it is. So a new
//! password ends every session, also one that was being opened meanwhile, whatever the clock shows.

use std::sync::Arc;

use quadrille::{Timestamp, provider::store::SecretHash};

use crate::users::User;

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
