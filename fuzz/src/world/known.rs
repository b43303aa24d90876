//! The facts about clients, users and grants, from the answers of a server alone.

use std::{collections::HashMap, time::Duration};

use arbitrary::Arbitrary;
use quadrille::{Authentication, Scopes, Timestamp, provider::AuthorizationServer};

use crate::nature::Nature;

use super::{CLIENTS, USERS, pick, recent};

/// A fact about an object. `Open` is for objects of which either is correct, because the clock went
/// back, or because a store removed an expired record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Is {
    Right,
    Open,
    Wrong,
}

impl Is {
    pub(crate) const fn right(is: bool) -> Self {
        if is { Self::Right } else { Self::Wrong }
    }

    pub(crate) const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Wrong, _) | (_, Self::Wrong) => Self::Wrong,
            (Self::Open, _) | (_, Self::Open) => Self::Open,
            (Self::Right, Self::Right) => Self::Right,
        }
    }

    /// # Panics
    /// If the outcome contradicts the fact.
    #[track_caller]
    pub(crate) fn check(self, done: bool, what: &dyn std::fmt::Debug) {
        match self {
            Self::Right => assert!(done, "refused though all is right: {what:?}"),
            Self::Wrong => assert!(!done, "let through though wrong: {what:?}"),
            Self::Open => {}
        }
    }
}

/// The actions of the operator.
#[derive(Arbitrary, Clone, Debug)]
pub(crate) enum Operator {
    Register { client: u8 },
    Remove { client: u8 },
    RotateSecret { client: u8, overlap: u16 },
    RevokeUser { user: u8 },
    RemoveUser { surely: u8 },
    RevokeConsent { user: u8, client: u8 },
}

#[derive(Debug, Default)]
pub(crate) struct ClientState {
    pub(crate) lives: bool,
    /// The number of the registration: a client that was removed and registered again is another
    /// client.
    pub(crate) number: u32,
    /// The secrets, each with its end, the newest last.
    pub(crate) secrets: Vec<(String, Option<Timestamp>)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) client: usize,
    number: u32,
    /// `None` if the client acts for itself.
    pub(crate) user: Option<String>,
    pub(crate) scopes: Scopes,
    /// Whether the grant is for the API elsewhere.
    pub(crate) for_api: bool,
    revoked: Is,
}

/// The user, the client, and whether the consent is for the API elsewhere.
type ConsentKey = (String, usize, bool);

pub(crate) struct Known {
    pub(crate) nature: Nature,
    pub(crate) clients: Vec<ClientState>,
    pub(crate) grants: Vec<Grant>,
    /// The greatest set of scopes that may be remembered.
    consents: HashMap<ConsentKey, Scopes>,
    /// The time of a user's removal, and the time after which a sign-in counts for sure.
    removed: HashMap<&'static str, (Timestamp, Timestamp)>,
    /// Grants of the same millisecond may be revoked together with earlier ones.
    cut: HashMap<String, Timestamp>,
}

impl Known {
    pub(crate) fn new(nature: Nature) -> Self {
        Self {
            nature,
            clients: CLIENTS.iter().map(|_| ClientState::default()).collect(),
            grants: Vec::new(),
            consents: HashMap::new(),
            removed: HashMap::new(),
            cut: HashMap::new(),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.nature.now()
    }

    /// Whether an object that ends at `end` is still valid. The store may have removed an object
    /// that ended before the latest time. Stores keep whole seconds.
    pub(crate) fn is_before(&self, end: Timestamp) -> Is {
        if self.now() >= end {
            Is::Wrong
        } else if self.nature.latest().seconds() >= end.seconds() {
            Is::Open
        } else {
            Is::Right
        }
    }

    /// Whether an object that is valid once, for `lifetime`, and ends at `end`, is still valid. It
    /// is not if the clock was set back by more than that. Within that, servers may differ.
    pub(crate) fn is_current(&self, end: Timestamp, lifetime: Duration) -> Is {
        let latest = self.now() + lifetime;
        let by_clock = match end {
            end if end > latest + lifetime + Duration::from_secs(1) => Is::Wrong,
            end if end > latest => Is::Open,
            _ => Is::Right,
        };
        self.is_before(end).and(by_clock)
    }

    /// Registers a client, if it is not registered.
    pub(crate) async fn register(&mut self, server: &AuthorizationServer, client: usize) {
        let state = &mut self.clients[client];
        match server.register(CLIENTS[client].new_client()).await {
            Ok(registered) => {
                assert!(!state.lives, "registered twice");
                state.lives = true;
                state.number += 1;
                let secret = registered.secret.map(|secret| secret.expose().to_owned());
                state.secrets = secret.into_iter().map(|secret| (secret, None)).collect();
            }
            Err(error) => assert!(state.lives, "refused though the id is free: {error}"),
        }
    }

    pub(crate) async fn operate(&mut self, server: &AuthorizationServer, act: Operator) {
        match act {
            Operator::Register { client } => self.register(server, pick(&CLIENTS, client)).await,
            Operator::Remove { client } => {
                let client = pick(&CLIENTS, client);
                let was_there = server.remove_client(CLIENTS[client].id).await.expect("no fault");
                assert_eq!(was_there, self.clients[client].lives);
                self.clients[client].lives = false;
                self.consents.retain(|(_, of, _), _| *of != client);
            }
            Operator::RotateSecret { client, overlap } => {
                let client = pick(&CLIENTS, client);
                let overlap = Duration::from_secs(overlap.into());
                let rotated = server.rotate_secret(CLIENTS[client].id, overlap).await;
                let (state, now) = (&mut self.clients[client], self.nature.now());
                let end = now + overlap;
                let lasts = |expires: &Option<Timestamp>| {
                    expires.map_or(end, |expires| expires.min(end)) > now
                };
                let lasting = state.secrets.iter().filter(|(_, expires)| lasts(expires)).count();
                let may_be = state.lives && CLIENTS[client].is_confidential && lasting < 5;
                assert_eq!(rotated.is_ok(), may_be);
                if let Ok(secret) = rotated {
                    for (_, expires) in &mut state.secrets {
                        *expires = Some(expires.map_or(end, |expires| expires.min(end)));
                    }
                    state.secrets.push((secret.expose().to_owned(), None));
                }
            }
            Operator::RevokeUser { user } => {
                let user = USERS[pick(&USERS, user)];
                server.revoke_subject(user).await.expect("no fault");
                self.user_revoked(user, None);
            }
            // Rarely, and never for the first user.
            Operator::RemoveUser { surely: user @ 1..=2 } => {
                let user = USERS[usize::from(user)];
                server.remove_subject(user).await.expect("no fault");
                self.user_revoked(user, None);
                let surely = self.nature.latest() + Duration::from_secs(2);
                self.cut.insert(user.to_owned(), surely);
                self.removed.insert(user, (self.nature.now(), surely));
            }
            Operator::RemoveUser { .. } => {}
            Operator::RevokeConsent { user, client } => {
                let (user, client) = (USERS[pick(&USERS, user)], pick(&CLIENTS, client));
                server.revoke_consent(user, CLIENTS[client].id).await.expect("no fault");
                self.user_revoked(user, Some(client));
            }
        }
    }

    fn user_revoked(&mut self, user: &str, client: Option<usize>) {
        for grant in &mut self.grants {
            let is_theirs = grant.user.as_deref() == Some(user);
            if is_theirs && client.is_none_or(|client| grant.client == client) {
                grant.revoked = Is::Right;
            }
        }
        self.consents.retain(|(of, to, _), _| of != user || client.is_some_and(|c| c != *to));
        self.cut.insert(user.to_owned(), self.nature.latest());
    }

    /// Whether a sign-in is of the user to whom the subject belongs now.
    pub(crate) fn counts(&self, user: &Authentication) -> Is {
        match self.removed.get(&*user.subject) {
            Some((removed, _)) if user.auth_time <= *removed => Is::Wrong,
            Some((_, surely)) if user.auth_time <= *surely => Is::Open,
            _ => Is::Right,
        }
    }

    /// Whether a new grant of a user is valid.
    pub(crate) fn may_grant(&self, user: &str) -> Is {
        match self.cut.get(user).is_some_and(|cut| self.now() <= *cut) {
            true => Is::Open,
            false => Is::Right,
        }
    }

    /// A new grant.
    pub(crate) fn grant(
        &mut self,
        client: usize,
        user: Option<&str>,
        scopes: Scopes,
        for_api: bool,
    ) -> usize {
        let revoked = match user.map_or(Is::Right, |user| self.may_grant(user)) {
            Is::Right => Is::Wrong,
            Is::Open => Is::Open,
            Is::Wrong => Is::Right,
        };
        let (user, number) = (user.map(str::to_owned), self.clients[client].number);
        self.grants.push(Grant { client, number, user, scopes, for_api, revoked });
        self.grants.len() - 1
    }

    /// Records that a user consented to `granted` of the requested scopes.
    pub(crate) fn consented(
        &mut self,
        user: &str,
        client: usize,
        for_api: bool,
        asked: &Scopes,
        granted: &Scopes,
    ) {
        let consent = self.consents.entry((user.to_owned(), client, for_api)).or_default();
        let kept = consent.iter().filter(|name| !asked.contains(name));
        *consent = kept.chain(granted.iter()).collect();
    }

    /// Whether all scopes may be granted without a consent page.
    pub(crate) fn is_remembered(
        &self,
        user: &str,
        client: usize,
        for_api: bool,
        asked: &Scopes,
    ) -> bool {
        let consent = self.consents.get(&(user.to_owned(), client, for_api));
        consent.is_some_and(|consent| consent.is_superset(asked))
    }

    pub(crate) fn is_alive(&self, grant: usize) -> Is {
        let grant = &self.grants[grant];
        let is_not = match grant.revoked {
            Is::Right => Is::Wrong,
            Is::Open => Is::Open,
            Is::Wrong => Is::Right,
        };
        self.is_client(grant.client, grant.number).and(is_not)
    }

    /// Whether a client still has this registration.
    pub(crate) fn is_client(&self, client: usize, number: u32) -> Is {
        let state = &self.clients[client];
        Is::right(state.lives && state.number == number)
    }

    pub(crate) fn revoke(&mut self, grant: usize) {
        self.grants[grant].revoked = Is::Right;
    }

    /// Records a grant that may have been revoked.
    pub(crate) fn maybe_revoke(&mut self, grant: usize) {
        let revoked = &mut self.grants[grant].revoked;
        if *revoked == Is::Wrong {
            *revoked = Is::Open;
        }
    }

    /// An earlier secret of a client, and whether it is valid.
    pub(crate) fn secret_of_before(&self, client: usize, number: u8) -> (Option<String>, Is) {
        let secrets = &self.clients[client].secrets;
        let Some(at) = recent(secrets, number) else { return (None, Is::Right) };
        let (secret, end) = &secrets[at];
        (Some(secret.clone()), end.map_or(Is::Right, |end| self.is_before(end)))
    }
}
