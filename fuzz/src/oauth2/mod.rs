//! Sequences of OAuth 2 requests, against a model.
//!
//! The invariants for any input: a code is redeemed once; a refresh token has one successor; a token
//! in a redirect is of the grant that its user approved, and goes to a client that may have it;
//! nothing is valid after its revocation, or the removal of its client or user; no token allows
//! more than a user consented to; no redirect goes to an address that the client did not register;
//! the server never fails. And a correct request is accepted.

mod acts;
mod asking;
mod model;
mod tokens;

use arbitrary::Unstructured;
use quadrille::{
    Authentication,
    provider::store::{MemoryStore, SqliteStore, Store},
};

use crate::{
    block_on,
    nature::Nature,
    world::{Browser, CLIENTS, Consent, Process, USERS, pick},
};

use acts::{Act, Alike, Ask, Presented, Redeem, Token, Uri};
use model::Model;

/// Longer sequences find nothing that shorter ones do not.
const LONGEST: usize = 80;

/// The target `oauth2_sequences`: the store in memory.
pub fn oauth2_sequences(data: &[u8]) {
    let nature = Nature::new(1);
    play(MemoryStore::new(nature.env()), nature, data);
}

/// The target `sqlite_sequences`: the store in a file, with the cache in front of it.
pub fn sqlite_sequences(data: &[u8]) {
    let nature = Nature::new(1);
    // In memory, if the system has such a folder: the disk is not under test.
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    let folder = folder.expect("a folder");
    let file = folder.path().join("provider.db");
    play(SqliteStore::open(file, nature.env()).expect("a store"), nature, data);
}

fn play(store: impl Store, nature: Nature, data: &[u8]) {
    let mut input = Unstructured::new(data);
    block_on(async {
        let mut play = Play::begin(store, nature).await;
        for act in crate::acts(&mut input, LONGEST) {
            play.act(act).await;
        }
    });
}

/// A server, the users' browsers, and the model of both.
struct Play {
    nature: Nature,
    process: Process,
    browsers: [Browser; 2],
    model: Model,
}

impl Play {
    async fn begin(store: impl Store, nature: Nature) -> Self {
        let process = Process::start(store, &nature, |server| {
            server.send_access_tokens_in_redirects_so_that_they_can_leak()
        });
        let mut play = Self {
            process,
            browsers: [Browser::default(), Browser::default()],
            model: Model::new(nature.clone()),
            nature,
        };
        for client in 0..CLIENTS.len() {
            play.model.known.register(&play.process.server, client).await;
        }
        for (browser, user) in USERS.into_iter().enumerate().take(2) {
            play.sign_in(browser, user);
        }
        play
    }

    async fn act(&mut self, act: Act) {
        match act {
            Act::Dance { client, browser, scopes } => {
                self.ask(Ask {
                    client,
                    browser,
                    uri: Uri::Own(0),
                    scopes,
                    verifier: 1,
                    prompt: 0,
                    for_api: scopes > 200,
                })
                .await;
                self.answer(0, browser, Consent::All).await;
                let (by, uri, verifier) = (Presented::Owner, Alike::Same, Alike::Same);
                self.redeem(Redeem { code: 0, by, uri, verifier }).await;
            }
            Act::Ask(ask) => self.ask(ask).await,
            Act::Answer { page, browser, consent } => self.answer(page, browser, consent).await,
            Act::Redeem(redeem) => self.redeem(redeem).await,
            Act::Refresh(refresh) => self.refresh(refresh).await,
            Act::ForItself { client, scopes } => self.for_itself(client, scopes).await,
            Act::Revoke { token, by } => self.revoke(token, by).await,
            Act::Introspect { token, by } => self.introspect(token, by).await,
            Act::Call { token, path } => self.call(token, path).await,
            Act::SignIn { browser, user } => {
                self.sign_in(usize::from(browser) % 2, USERS[pick(&USERS, user)]);
            }
            Act::SignOut { browser } => self.browsers[usize::from(browser) % 2].user = None,
            Act::Wait(wait) => wait.pass(&self.nature),
            Act::Operator(act) => self.model.known.operate(&self.process.server, act).await,
            Act::RevokeToken(token) => self.revoke_token(token).await,
        }
    }

    fn sign_in(&mut self, browser: usize, user: &'static str) {
        self.browsers[browser].user = Some(Authentication::new(user, self.nature.now()));
    }

    /// The operator revokes a token.
    async fn revoke_token(&mut self, token: Token) {
        let Some((text, _)) = self.model.token(token) else { return };
        self.process.server.revoke_token(&text.into()).await.expect("no fault");
        self.model.token_revoked(token, None);
    }
}
