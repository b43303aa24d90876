//! What was said between browser, website and provider, in order, with its secrets masked.
//!
//! [`Dance`] is a notebook that never holds a secret: messages are masked on the way in
//! (`mask.rs`), and what is kept of a secret is its kind, its length, a few of its characters and a
//! keyed fingerprint, which tells when the same value comes by again.

use std::collections::VecDeque;

use http::{header, request, response};
use quadrille::{Env, Timestamp};

use super::{
    mask::{Form, Masker},
    thread,
};

/// Who speaks, and who listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Party {
    Browser,
    Website,
    Provider,
}

/// What a masked value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    State,
    LoginCookie,
    Challenge,
    Verifier,
    Code,
    AccessToken,
    RefreshToken,
    ClientSecret,
    Password,
    Session,
    Other,
}

/// The number of a masked value within its dance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ValueId(pub(crate) usize);

/// A value that is worth following, without the value.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub(crate) kind: Kind,
    /// Its first and last characters, if it is long enough to spare them.
    pub(crate) shown: String,
    pub(crate) length: usize,
    /// Counts the values of a kind: the second access token is the one that a refresh brought.
    pub(crate) ordinal: usize,
}

/// A stretch of a text that has been masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Plain(String),
    Masked(ValueId),
}

/// A parameter, a header or a member of a JSON object; or a cookie or parameter within one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) value: Vec<Piece>,
    pub(crate) within: Vec<Self>,
}

/// The start of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Head {
    Request { method: String, path: String, query: Vec<Field> },
    Response { status: u16 },
}

/// The rest of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    Empty,
    Form(Vec<Field>),
    Json(Vec<Field>),
    Page { title: String, bytes: usize },
    Opaque { content_type: String, bytes: usize },
}

/// One arrow of the diagram.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// A request and its response have the same.
    pub(crate) exchange: Exchange,
    pub(crate) at: Timestamp,
    pub(crate) from: Party,
    pub(crate) to: Party,
    pub(crate) head: Head,
    pub(crate) headers: Vec<Field>,
    /// Names of headers that say nothing about OAuth.
    pub(crate) further_headers: Vec<String>,
    pub(crate) body: Body,
}

/// Ties a response to its request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Exchange(u64);

/// How much one dance may hold: a visitor who goes round in circles loses the oldest steps.
const MOST_MESSAGES: usize = 480;

/// The notebook.
#[derive(Clone, Debug)]
pub(crate) struct Dance {
    masker: Masker,
    messages: VecDeque<Message>,
    exchanges: u64,
}

impl Dance {
    pub(crate) fn new(env: &Env) -> Self {
        Self { masker: Masker::new(env), messages: VecDeque::new(), exchanges: 0 }
    }

    /// In the order in which they were sent.
    pub(crate) fn messages(&self) -> impl Iterator<Item = &Message> {
        self.messages.iter()
    }

    /// What is known of a masked value.
    pub(crate) fn value(&self, id: ValueId) -> Option<&Value> {
        self.masker.values().get(id.0)
    }

    /// Whether `secret` has come by in this dance.
    pub(crate) fn knows(&self, secret: &str) -> bool {
        self.masker.knows(secret)
    }

    /// The dance that just happened: of all that this visitor did, perhaps in twenty tabs, what
    /// belongs to the last login.
    pub(crate) fn latest(&self) -> Self {
        let mut latest = self.clone();
        latest.messages = thread::latest(self);
        let order: Vec<ValueId> = latest.messages().flat_map(Message::carries).collect();
        latest.masker.number_again(&order);
        latest
    }

    /// Writes a request down.
    pub(crate) fn request(
        &mut self,
        at: Timestamp,
        (from, to): (Party, Party),
        request: &request::Parts,
        body: &[u8],
    ) -> Exchange {
        self.exchanges += 1;
        let exchange = Exchange(self.exchanges);
        let head = Head::Request {
            method: request.method.to_string(),
            path: request.uri.path().to_owned(),
            query: self.masker.parameters(request.uri.query().unwrap_or_default()),
        };
        self.push(exchange, at, (from, to), head, &request.headers, body);
        exchange
    }

    /// Writes the answer to it down.
    pub(crate) fn response(
        &mut self,
        at: Timestamp,
        exchange: Exchange,
        response: &response::Parts,
        body: &[u8],
    ) {
        let Some(request) = self.messages.iter().find(|message| message.exchange == exchange)
        else {
            return;
        };
        let direction = (request.to, request.from);
        let head = Head::Response { status: response.status.as_u16() };
        self.push(exchange, at, direction, head, &response.headers, body);
    }

    fn push(
        &mut self,
        exchange: Exchange,
        at: Timestamp,
        (from, to): (Party, Party),
        head: Head,
        headers: &http::HeaderMap,
        body: &[u8],
    ) {
        let (headers, further_headers) = self.masker.headers(headers);
        let body = self.masker.body(Form::of(field(&headers, header::CONTENT_TYPE.as_str())), body);
        if self.messages.len() == MOST_MESSAGES {
            self.messages.pop_front();
        }
        self.messages.push_back(Message {
            exchange,
            at,
            from,
            to,
            head,
            headers,
            further_headers,
            body,
        });
    }
}

impl Message {
    /// Whether it went straight from website to provider or back, past the browser.
    pub(crate) fn is_back_channel(&self) -> bool {
        self.from != Party::Browser && self.to != Party::Browser
    }

    pub(crate) fn is_request(&self) -> bool {
        matches!(self.head, Head::Request { .. })
    }

    pub(crate) fn is_post(&self) -> bool {
        matches!(&self.head, Head::Request { method, .. } if method == "POST")
    }

    /// The header's text, or the parts of it that are not masked.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        field(&self.headers, name)
    }

    /// A parameter of the query, the form or the JSON object.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let query = match &self.head {
            Head::Request { query, .. } => query.as_slice(),
            Head::Response { .. } => &[],
        };
        let body = match &self.body {
            Body::Form(fields) | Body::Json(fields) => fields.as_slice(),
            Body::Empty | Body::Page { .. } | Body::Opaque { .. } => &[],
        };
        field(query, name).or_else(|| field(body, name))
    }

    /// The parameter's masked value.
    pub(crate) fn masked(&self, name: &str) -> Option<ValueId> {
        self.fields().find(|field| field.name == name).and_then(|field| {
            field.value.iter().find_map(|piece| match piece {
                Piece::Masked(id) => Some(*id),
                Piece::Plain(_) => None,
            })
        })
    }

    /// Every masked value that travels in it, each once, in the order of their appearance.
    pub(crate) fn carries(&self) -> Vec<ValueId> {
        let mut carried = Vec::new();
        for piece in self.fields().flat_map(|field| &field.value) {
            if let Piece::Masked(id) = piece
                && !carried.contains(id)
            {
                carried.push(*id);
            }
        }
        carried
    }

    fn fields(&self) -> impl Iterator<Item = &Field> {
        let query = match &self.head {
            Head::Request { query, .. } => query.as_slice(),
            Head::Response { .. } => &[],
        };
        let body = match &self.body {
            Body::Form(fields) | Body::Json(fields) => fields.as_slice(),
            Body::Empty | Body::Page { .. } | Body::Opaque { .. } => &[],
        };
        let top = query.iter().chain(&self.headers).chain(body);
        top.flat_map(|field| std::iter::once(field).chain(&field.within))
    }
}

impl Kind {
    /// Whether it belongs to one login and no other.
    pub(crate) const fn is_of_one_login(self) -> bool {
        match self {
            Self::State
            | Self::Challenge
            | Self::Verifier
            | Self::Code
            | Self::AccessToken
            | Self::RefreshToken => true,
            Self::LoginCookie
            | Self::ClientSecret
            | Self::Password
            | Self::Session
            | Self::Other => false,
        }
    }

    /// What people call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::LoginCookie => "login cookie",
            Self::Challenge => "code challenge",
            Self::Verifier => "code verifier",
            Self::Code => "code",
            Self::AccessToken => "access token",
            Self::RefreshToken => "refresh token",
            Self::ClientSecret => "client secret",
            Self::Password => "password",
            Self::Session => "session",
            Self::Other => "hidden",
        }
    }

    /// As it stands in class names.
    pub(crate) const fn slug(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::LoginCookie => "login-cookie",
            Self::Challenge => "challenge",
            Self::Verifier => "verifier",
            Self::Code => "code",
            Self::AccessToken => "access",
            Self::RefreshToken => "refresh",
            Self::ClientSecret => "secret",
            Self::Password => "password",
            Self::Session => "session",
            Self::Other => "other",
        }
    }
}

impl Party {
    /// In a sentence.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Browser => "your browser",
            Self::Website => "the website",
            Self::Provider => "the provider",
        }
    }
}

fn field(fields: &[Field], name: &str) -> Option<String> {
    let field = fields.iter().find(|field| field.name.eq_ignore_ascii_case(name))?;
    Some(
        field
            .value
            .iter()
            .filter_map(|piece| match piece {
                Piece::Plain(text) => Some(text.as_str()),
                Piece::Masked(_) => None,
            })
            .collect(),
    )
}
