//! The common part of the rules.

use std::{sync::Arc, time::Duration};

use quadrille::{Env, Timestamp, provider::store::SecretHash};

use crate::{
    data::backend::{Backend, Recount},
    sessions::Session,
    throttle::{Each, Recovery},
    users::{Added, User, UserName},
};

pub(in crate::data) type Tested = Arc<dyn Backend>;

pub(super) const ISSUER: &str = "https://id.example";

pub(super) const NOON: Timestamp = Timestamp::from_seconds(1_800_000_000);

pub(super) fn name(text: &str) -> UserName {
    UserName::parse(text).unwrap()
}

pub(in crate::data) async fn add(backend: &Tested, text: &str) -> User {
    // Times are stored in seconds.
    let user = User { created: NOON, ..User::new(&Env::system(), name(text), "a hash".into()) };
    assert_eq!(backend.add_user(user.clone()).await.unwrap(), Added::Now);
    user
}

pub(in crate::data) fn session(user: &User, id: u8) -> Session {
    Session {
        id: hash(id),
        name: Session::name_of(&hash(id)),
        subject: user.subject.clone(),
        password_number: user.password_number,
        signed_in: NOON,
        used: NOON,
        expires: NOON + Duration::from_secs(3600),
        browser: "Firefox on Linux".to_owned(),
        address: "192.0.2.1".to_owned(),
        clients: Vec::new(),
    }
}

pub(super) fn hash(id: u8) -> SecretHash {
    [id; 32]
}

/// Adds this duration to each count of some keys.
pub(super) fn later(kind: u8, by: Duration) -> Recount {
    let key = |party: u8| [kind, party, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    Recount {
        keys: Each {
            device: Some(key(1)),
            pair: key(2),
            record: key(3),
            name: key(4),
            network: key(5),
        },
        change: Box::new(move |before| Recovery {
            device: before.device.map(|device| device + by),
            pair: before.pair + by,
            record: before.record + by,
            name: before.name + by,
            network: before.network + by,
        }),
    }
}

pub(in crate::data) fn none() -> Recount {
    later(0, Duration::ZERO)
}

/// The counts of [`later`], unchanged.
pub(super) async fn counts(backend: &Tested, kind: u8) -> Recovery {
    backend.recount(later(kind, Duration::ZERO), Timestamp::default()).await.unwrap()
}

pub(super) fn each(value: Timestamp) -> Recovery {
    Each { device: Some(value), pair: value, record: value, name: value, network: value }
}

pub(super) async fn open(backend: &Tested, session: &Session) -> bool {
    backend.open_session(session.clone(), None, none()).await.unwrap()
}
