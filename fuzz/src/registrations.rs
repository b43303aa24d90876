//! Sequences of registrations by clients themselves (RFC 7591, RFC 7592), against a model.
//!
//! The invariants for any input: an initial access token registers as many clients as it has uses;
//! a client that was used, or came by a token, stays until it is deleted; no more clients of
//! strangers are unused than the server allows; a registration access token is valid until its
//! successor was used, and for its own client only. And a correct request is accepted.

use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use bytes::Bytes;
use http::{Method, Request};
use quadrille::{
    RemoteAddress, Timestamp,
    form::FormWriter,
    provider::{
        DynamicRegistration, GrantType,
        store::{MemoryStore, SqliteStore, Store},
    },
};
use serde_json::{Value, json};

use crate::{
    block_on,
    nature::Nature,
    world::{Answer, ISSUER, Process, recent},
};

/// The greatest number of acts in a sequence.
const LONGEST: usize = 60;

/// The number of clients of strangers that may be unused.
const MOST: usize = 3;

/// The time within which a client of a stranger must be used.
const UNUSED: Duration = Duration::from_secs(3600);

/// The lifetime of an initial access token.
const INITIAL: Duration = Duration::from_secs(6 * 3600);

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Act {
    /// The operator issues an initial access token.
    Issue {
        uses: u8,
    },
    /// A stranger registers a client, or a developer with an initial access token.
    Register {
        token: Option<u8>,
        network: u8,
    },
    /// The client gets an access token.
    Use {
        client: u8,
    },
    Manage {
        client: u8,
        by: By,
        wish: Wish,
    },
    /// The operator removes a client.
    Remove {
        client: u8,
    },
    Wait {
        minutes: u8,
    },
}

/// The registration access token of a request.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum By {
    Current,
    Previous,
    OfAnother(u8),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Wish {
    Read,
    Update,
    Delete,
}

/// An initial access token.
struct Initial {
    text: String,
    uses: u32,
    expires: Timestamp,
}

/// A client that registered itself.
struct Client {
    id: String,
    secret: String,
    path: String,
    token: String,
    previous: Option<String>,
    /// The time until which the client must be used; `None` if it stays.
    unused_until: Option<Timestamp>,
    lives: bool,
}

/// The target `registrations`: the first byte chooses the store.
pub fn registrations(data: &[u8]) {
    let nature = Nature::new(1);
    let (&first, rest) = data.split_first().unwrap_or((&0, &[]));
    if first % 8 == 0 {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let folder = folder.expect("a folder");
        let file = folder.path().join("provider.db");
        play(SqliteStore::open(file, nature.env()).expect("a store"), nature, rest);
    } else {
        play(MemoryStore::new(nature.env()), nature, rest);
    }
}

fn play(store: impl Store, nature: Nature, data: &[u8]) {
    let mut input = Unstructured::new(data);
    let registration = DynamicRegistration::open_to_anybody_so_that_strangers_add_clients()
        .grant_types([GrantType::ClientCredentials])
        .most_unused(MOST)
        .unused_lifetime(UNUSED);
    let process =
        Process::start(store, &nature, |server| server.dynamic_registration(registration));
    let mut play = Play { nature, process, tokens: Vec::new(), clients: Vec::new() };
    block_on(async {
        for act in crate::acts(&mut input, LONGEST) {
            play.act(act).await;
            play.check().await;
        }
    });
}

struct Play {
    nature: Nature,
    process: Process,
    tokens: Vec<Initial>,
    clients: Vec<Client>,
}

fn metadata() -> Value {
    json!({
        "client_name": "Photo app",
        "grant_types": ["client_credentials"],
        "response_types": [],
        "token_endpoint_auth_method": "client_secret_post",
        "scope": "read",
    })
}

impl Play {
    async fn act(&mut self, act: Act) {
        match act {
            Act::Issue { uses } => {
                let uses = 1 + u32::from(uses % 3);
                let issued = self.process.server.issue_initial_access_token("it", uses, INITIAL);
                let text = issued.await.expect("no fault").token.expose().to_owned();
                let expires = self.nature.now() + INITIAL;
                self.tokens.push(Initial { text, uses, expires });
            }
            Act::Register { token, network } => self.register(token, network).await,
            Act::Use { client } => self.take_token(client).await,
            Act::Manage { client, by, wish } => self.manage(client, by, wish).await,
            Act::Remove { client } => {
                let Some(at) = recent(&self.clients, client) else { return };
                let id = &self.clients[at].id;
                let was_there = self.process.server.remove_client(id).await.expect("no fault");
                assert!(was_there || !self.must_be_there(at), "{id} is gone");
                self.clients[at].lives = false;
            }
            Act::Wait { minutes } => {
                self.nature.advance(Duration::from_secs(60 * u64::from(minutes)));
            }
        }
    }

    async fn register(&mut self, token: Option<u8>, network: u8) {
        let token = token.and_then(|token| recent(&self.tokens, token));
        let bearer = token.map(|at| self.tokens[at].text.as_str());
        let mut request = request(Method::POST, "/oauth/register", bearer, Some(&metadata()));
        let address = RemoteAddress([192, 0, 2 + network % 4, 1].into());
        request.extensions_mut().insert(address);
        let answer = self.process.send(request).await;
        let now = self.nature.now();
        if let Some(at) = token {
            let token = &mut self.tokens[at];
            let is_valid = token.uses > 0 && now < token.expires;
            assert_eq!(answer.status == 201, is_valid, "{answer:?}");
            token.uses = token.uses.saturating_sub(1);
        } else if answer.status != 201 {
            // There were too many of the network, or it has all places.
            assert_eq!(answer.status, 429, "{answer:?}");
        }
        if answer.status == 201 {
            let unused_until = token.is_none().then(|| now + UNUSED);
            self.clients.push(Client::of(&answer, unused_until));
        }
    }

    async fn take_token(&mut self, client: u8) {
        let Some(at) = recent(&self.clients, client) else { return };
        let client = &self.clients[at];
        let mut form = FormWriter::new();
        form.append("grant_type", "client_credentials");
        form.append("client_id", &client.id);
        form.append("client_secret", &client.secret);
        let request = Request::post("/oauth/token")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Bytes::from(form.finish()));
        let answer = self.process.send(request.expect("a path")).await;
        match answer.status {
            200 => {
                assert!(client.lives, "a client that was deleted got a token");
                self.clients[at].unused_until = None;
            }
            _ => assert!(!self.must_be_there(at), "{answer:?}"),
        }
    }

    async fn manage(&mut self, client: u8, by: By, wish: Wish) {
        let Some(at) = recent(&self.clients, client) else { return };
        let client = &self.clients[at];
        let (token, is_own) = match by {
            By::Current => (client.token.clone(), true),
            By::Previous => match &client.previous {
                Some(previous) => (previous.clone(), true),
                None => return,
            },
            By::OfAnother(other) => {
                let Some(other) = recent(&self.clients, other).filter(|other| *other != at) else {
                    return;
                };
                (self.clients[other].token.clone(), false)
            }
        };
        let (method, body) = match wish {
            Wish::Read => (Method::GET, None),
            Wish::Update => {
                let mut body = metadata();
                body["client_id"] = client.id.as_str().into();
                (Method::PUT, Some(body))
            }
            Wish::Delete => (Method::DELETE, None),
        };
        let request = request(method, &client.path, Some(&token), body.as_ref());
        let answer = self.process.send(request).await;
        if answer.status == 401 {
            assert!(!is_own || !self.must_be_there(at), "{answer:?}");
            return;
        }
        assert!(is_own && client.lives, "{answer:?}");
        let client = &mut self.clients[at];
        // A token is good for one update.
        if matches!(wish, Wish::Update) && token != client.token {
            assert_eq!(answer.status, 409, "{answer:?}");
            return;
        }
        match wish {
            Wish::Delete => {
                assert_eq!(answer.status, 204);
                client.lives = false;
            }
            Wish::Read | Wish::Update => {
                assert_eq!(answer.status, 200, "{answer:?}");
                let told = answer.member("registration_access_token").expect("a token");
                match wish {
                    Wish::Update => {
                        client.previous = Some(token);
                        client.token = told;
                    }
                    _ if token == client.token => client.previous = None,
                    _ => {}
                }
            }
        }
    }

    /// `true` if a client can be neither removed nor have lost its place.
    fn must_be_there(&self, at: usize) -> bool {
        self.clients[at].lives && self.clients[at].unused_until.is_none()
    }

    /// Looks which clients are there.
    async fn check(&mut self) {
        let now = self.nature.now();
        let mut unused = 0;
        for at in 0..self.clients.len() {
            let found = self.process.server.client(&self.clients[at].id).await.expect("no fault");
            let must_be_there = self.must_be_there(at);
            let client = &mut self.clients[at];
            match found {
                Some(_) => assert!(client.lives, "{} was deleted", client.id),
                None => assert!(!must_be_there, "{} is gone", client.id),
            }
            client.lives &= found.is_some();
            let waits = client.unused_until.is_some_and(|until| now < until);
            unused += usize::from(client.lives && waits);
        }
        assert!(unused <= MOST, "{unused} unused clients");
    }
}

impl Client {
    fn of(answer: &Answer, unused_until: Option<Timestamp>) -> Self {
        let member = |name: &str| answer.member(name).expect("a member");
        let uri = member("registration_client_uri");
        Self {
            id: member("client_id"),
            secret: member("client_secret"),
            path: uri.strip_prefix(ISSUER).expect("a URI of the server").to_owned(),
            token: member("registration_access_token"),
            previous: None,
            unused_until,
            lives: true,
        }
    }
}

fn request(
    method: Method,
    path: &str,
    bearer: Option<&str>,
    body: Option<&Value>,
) -> Request<Bytes> {
    let mut request =
        Request::builder().method(method).uri(path).header("content-type", "application/json");
    if let Some(token) = bearer {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
    request.body(body).expect("a request")
}
