//! What was said between browser, website and provider, in order, with its secrets masked.
//!
//! [`Dance`] is a notebook that never holds a secret: messages are masked on the way in (`mask/`),
//! and what is kept of a secret is its kind, its length, a few of its characters and a keyed
//! fingerprint, which tells when the same value comes by again.

use std::collections::VecDeque;

use http::{header, request, response};
use quadrille::{Env, Timestamp, oauth1::SignedRequest};

use super::{
    mask::{Form, Masker},
    message::{Exchange, Head, Message, Party, Signed, field},
    value::{Protocol, Value, ValueId},
};

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

    /// Tells it what a client signs with: a secret that never travels, so that the notebook would
    /// not know it otherwise. It keeps as little of it as of the others.
    pub(crate) fn introduce(&mut self, client_id: &str, client_secret: &str) {
        self.masker.introduce(client_id, client_secret);
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

    /// Which of the two dances it is: the last value that only one of them has tells.
    pub(crate) fn protocol(&self) -> Protocol {
        let messages = self.messages.iter().rev();
        let mut values = messages.flat_map(Message::carries).filter_map(|id| self.value(id));
        values.find_map(|value| value.kind.protocol()).unwrap_or(Protocol::OAuth2)
    }

    /// A dance of these messages only, its values counted anew.
    pub(crate) fn only(&self, is_part: impl Fn(&Message) -> bool) -> Self {
        let mut part = self.clone();
        part.messages.retain(|message| is_part(message));
        let order: Vec<ValueId> = part.messages().flat_map(Message::carries).collect();
        part.masker.number_again(&order);
        part
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
        let (headers, further_headers) = self.masker.headers(&request.headers);
        let form = Form::of(field(&headers, header::CONTENT_TYPE.as_str()));
        let mut message = Message {
            exchange,
            at,
            from,
            to,
            head,
            headers,
            further_headers,
            body: self.masker.body(form, body),
            signed: None,
        };
        // After its parameters, which say what each value is.
        message.signed = self.signed(request, body, message.masked("oauth_signature"));
        self.push(message);
        exchange
    }

    /// What a request signs, if it does: made by the library from the request itself.
    fn signed(
        &mut self,
        request: &request::Parts,
        body: &[u8],
        signature: Option<ValueId>,
    ) -> Option<Signed> {
        let signed = SignedRequest::read(request, body).ok().flatten()?;
        let origin = format!("{}://{}", request.uri.scheme()?, request.uri.authority()?);
        self.masker.signed(&signed, &origin, signature)
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
        let (from, to) = (request.to, request.from);
        let brings_token = matches!(&request.head, Head::Request { path, .. }
            if path == "/oauth/access_token");
        let (headers, further_headers) = self.masker.headers(&response.headers);
        let form = Form::of(field(&headers, header::CONTENT_TYPE.as_str()));
        let form = if brings_token { form.of_token_credentials() } else { form };
        let body = self.masker.body(form, body);
        self.push(Message {
            exchange,
            at,
            from,
            to,
            head: Head::Response { status: response.status.as_u16() },
            headers,
            further_headers,
            body,
            signed: None,
        });
    }

    fn push(&mut self, message: Message) {
        if self.messages.len() == MOST_MESSAGES {
            self.messages.pop_front();
        }
        self.messages.push_back(message);
    }
}
