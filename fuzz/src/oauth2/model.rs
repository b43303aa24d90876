//! The model of the server, from its answers alone.

use quadrille::{Scopes, Timestamp};

use crate::{
    nature::Nature,
    world::{CLIENTS, Is, Known, pick, recent},
};

use super::acts::{Presented, Token};

#[derive(Clone, Debug)]
pub(super) struct Page {
    pub(super) client: usize,
    pub(super) number: u32,
    pub(super) browser: usize,
    pub(super) user: String,
    pub(super) scopes: Scopes,
    pub(super) for_api: bool,
    pub(super) redirect_uri: String,
    pub(super) sent_uri: Option<String>,
    pub(super) verifier: Option<u8>,
    pub(super) ticket: String,
    pub(super) expires: Timestamp,
    /// Whether the request is for a token, which is sent in the redirect.
    pub(super) wants_token: bool,
    pub(super) answered: Option<Answered>,
}

/// The answer to a consent page.
#[derive(Clone, Copy, Debug)]
pub(super) enum Answered {
    Denied,
    /// Allowed, with the number of the code.
    Code(usize),
    /// Allowed, with the number of the grant of the token.
    Token(usize),
}

#[derive(Clone, Debug)]
pub(super) struct Code {
    pub(super) text: String,
    pub(super) grant: usize,
    pub(super) redirect_uri: String,
    pub(super) sent_uri: Option<String>,
    pub(super) verifier: Option<u8>,
    pub(super) expires: Timestamp,
    pub(super) is_redeemed: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Access {
    pub(super) text: String,
    pub(super) grant: usize,
    pub(super) scopes: Scopes,
    pub(super) expires: Timestamp,
}

#[derive(Clone, Debug)]
pub(super) struct Refresh {
    pub(super) text: String,
    pub(super) family: usize,
    pub(super) generation: usize,
    pub(super) successor: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) struct Family {
    pub(super) grant: usize,
    pub(super) generation: usize,
    pub(super) rotated: Timestamp,
    pub(super) expires: Timestamp,
    pub(super) ends: Timestamp,
}

pub(super) struct Model {
    pub(super) known: Known,
    pub(super) pages: Vec<Page>,
    pub(super) codes: Vec<Code>,
    pub(super) access: Vec<Access>,
    pub(super) refresh: Vec<Refresh>,
    pub(super) families: Vec<Family>,
}

impl Model {
    pub(super) fn new(nature: Nature) -> Self {
        Self {
            known: Known::new(nature),
            pages: Vec::new(),
            codes: Vec::new(),
            access: Vec::new(),
            refresh: Vec::new(),
            families: Vec::new(),
        }
    }

    pub(super) fn is_valid(&self, access: &Access) -> Is {
        self.known.is_alive(access.grant).and(self.known.is_before(access.expires))
    }

    /// Whether a refresh token is known.
    pub(super) fn is_known(&self, family: usize) -> Is {
        let family = &self.families[family];
        let is_kept = match self.known.nature.latest().seconds() >= family.expires.seconds() {
            true => Is::Open,
            false => Is::Right,
        };
        self.known.is_alive(family.grant).and(is_kept)
    }

    /// A token, and its grant.
    pub(super) fn token(&self, token: Token) -> Option<(String, usize)> {
        match token {
            Token::Access(number) => recent(&self.access, number)
                .map(|at| (self.access[at].text.clone(), self.access[at].grant)),
            Token::Refresh(number) => recent(&self.refresh, number).map(|at| {
                let token = &self.refresh[at];
                (token.text.clone(), self.families[token.family].grant)
            }),
            Token::Code(number) => recent(&self.codes, number)
                .map(|at| (self.codes[at].text.clone(), self.codes[at].grant)),
        }
    }

    /// Records the revocation of a token, by a client or by the operator.
    pub(super) fn token_revoked(&mut self, token: Token, by: Option<usize>) {
        let Some((_, grant)) = self.token(token) else { return };
        if by.is_some_and(|client| self.known.grants[grant].client != client) {
            return;
        }
        let is_kept = match token {
            Token::Access(number) => {
                let expires = recent(&self.access, number).map(|at| self.access[at].expires);
                expires.is_some_and(|end| self.known.nature.latest().seconds() < end.seconds())
            }
            Token::Refresh(number) => {
                let at = recent(&self.refresh, number);
                at.is_some_and(|at| self.is_known(self.refresh[at].family) != Is::Open)
            }
            // A code cannot be revoked.
            Token::Code(_) => return,
        };
        if is_kept {
            self.known.revoke(grant);
        } else {
            self.known.maybe_revoke(grant);
        }
    }

    /// The client and secret that present a value of `owner`, and whether they are correct.
    pub(super) fn presented(&self, by: Presented, owner: usize) -> (usize, Option<String>, Is) {
        let client = match by {
            Presented::Other(client) => pick(&CLIENTS, client),
            _ => owner,
        };
        let state = &self.known.clients[client];
        let newest = || state.secrets.last().map(|(secret, _)| secret.clone());
        let (secret, is_right) = match by {
            Presented::Owner | Presented::OwnerAgain | Presented::Other(_) => (newest(), Is::Right),
            Presented::OwnerBefore(number) => self.known.secret_of_before(client, number),
            Presented::Wrong => (Some("a wrong secret".to_owned()), Is::Wrong),
            Presented::Nothing => (None, Is::right(!CLIENTS[client].is_confidential)),
        };
        (client, secret, is_right.and(Is::right(state.lives)))
    }
}
