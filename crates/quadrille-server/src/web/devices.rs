//! Device cookies: they name the users who signed in with a browser.
//!
//! Failures elsewhere do not slow such a browser down (OWASP, "device cookies"). The cookie is
//! sealed, names subjects, and opens nothing: a thief still has to guess the password, and gets ten
//! attempts.

use std::time::Duration;

use quadrille::{Env, KeyRing};

use crate::users::User;

/// The lifetime of the cookie. Each sign-in restarts it.
pub(super) const LIFETIME: Duration = Duration::from_secs(400 * 24 * 3600);

/// The greatest number of users in one cookie.
const PEOPLE: usize = 5;

/// The id of a browser with one user, drawn anew at each sign-in.
pub(super) type DeviceId = [u8; 16];

const ID: usize = size_of::<DeviceId>();

/// Writes and reads device cookies.
#[derive(Debug)]
pub(super) struct Devices {
    env: Env,
    keys: KeyRing,
    mark: String,
}

impl Devices {
    /// The device cookies of the provider with this mark.
    pub(super) fn new(env: Env, keys: KeyRing, mark: &str) -> Self {
        Self { env, keys, mark: mark.to_owned() }
    }

    /// The device, if this user signed in with this browser before.
    pub(super) fn find(&self, cookie: Option<&str>, user: &User) -> Option<DeviceId> {
        let known = self.open(cookie);
        known.into_iter().find(|(subject, _)| *subject == *user.subject).map(|(_, device)| device)
    }

    /// The cookie after a sign-in of this user.
    pub(super) fn remember(&self, cookie: Option<&str>, user: &User) -> String {
        let others = self.open(cookie).into_iter().filter(|(subject, _)| *subject != *user.subject);
        let own = (user.subject.to_string(), self.env.random::<ID>());
        let mut plain = Vec::new();
        for (subject, device) in std::iter::once(own).chain(others).take(PEOPLE) {
            let Ok(length) = u8::try_from(subject.len()) else { continue };
            plain.extend_from_slice(&device);
            plain.push(length);
            plain.extend_from_slice(subject.as_bytes());
        }
        self.keys.seal(&self.env, PURPOSE, &self.mark, &plain)
    }

    /// Whether the cookie is one of this provider.
    pub(super) fn is_ours(&self, cookie: &str) -> bool {
        self.keys.open(PURPOSE, &self.mark, cookie).is_ok()
    }

    /// The users that a cookie names. Empty if the cookie is not one of this provider.
    fn open(&self, cookie: Option<&str>) -> Vec<(String, DeviceId)> {
        let opened = cookie.and_then(|cookie| self.keys.open(PURPOSE, &self.mark, cookie).ok());
        let Some(plain) = opened else { return Vec::new() };
        let (mut rest, mut known) = (&plain[..], Vec::new());
        while let Some((device, after)) = rest.split_first_chunk::<ID>()
            && let Some((length, after)) = after.split_first()
            && let Some((subject, after)) = after.split_at_checked(usize::from(*length))
            && let Ok(subject) = std::str::from_utf8(subject)
        {
            known.push((subject.to_owned(), *device));
            rest = after;
        }
        known
    }
}

const PURPOSE: &str = "quadrille device";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::users::UserName;

    fn user(name: &str) -> User {
        User::new(&Env::system(), UserName::parse(name).unwrap(), "hash".into())
    }

    #[test]
    fn a_browser_knows_the_last_five_people_and_nobody_else() {
        let devices = Devices::new(Env::system(), KeyRing::ephemeral(), "a");
        let people: Vec<_> = (0..6).map(|n| user(&n.to_string())).collect();
        let mut cookie: Option<String> = None;
        for person in &people {
            cookie = Some(devices.remember(cookie.as_deref(), person));
        }
        let cookie = cookie.as_deref();
        let known = |user| devices.find(cookie, user).is_some();
        assert_eq!(
            people.iter().map(known).collect::<Vec<_>>(),
            [false, true, true, true, true, true]
        );
        assert!(!known(&user("5")), "another person of that name");
        let again = devices.remember(cookie, &people[5]);
        assert_ne!(devices.find(Some(&again), &people[5]), devices.find(cookie, &people[5]));
        assert_eq!(devices.find(Some(&again), &people[1]), devices.find(cookie, &people[1]));
    }

    #[test]
    fn a_cookie_of_another_key_ring_or_provider_or_of_no_making_names_nobody() {
        let ring = KeyRing::ephemeral();
        let (ada, env) = (user("ada"), Env::system());
        let devices = Devices::new(env.clone(), ring.clone(), "a");
        let cookie = devices.remember(None, &ada);
        assert!(devices.find(Some(&cookie), &ada).is_some());
        let elsewhere = Devices::new(env.clone(), ring, "b");
        let later = Devices::new(env, KeyRing::ephemeral(), "a");
        for (devices, cookie) in [
            (&elsewhere, Some(&*cookie)),
            (&later, Some(&*cookie)),
            (&devices, Some("x")),
            (&devices, None),
        ] {
            assert!(devices.find(cookie, &ada).is_none());
        }
    }
}
