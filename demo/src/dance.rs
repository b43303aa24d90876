//! The messages between browser, website and provider, in order, with their secrets masked.
//!
//! [`Dance`] is a notebook that never holds a secret: messages are masked on the way in (`mask/`).
//! Of a secret, it keeps the kind, the length, a few characters and a keyed fingerprint, which
//! tells when the same value travels again.

use std::collections::VecDeque;

use http::{header, request, response};
use quadrille::{Env, Timestamp, oauth1::SignedRequest};

use super::{
    mask::{Form, Masker},
    message::{Exchange, Head, Message, Party, Signed, field},
    value::{Protocol, Value, ValueId},
};

/// The greatest number of messages in a dance. A visitor who goes round in circles loses the
/// oldest.
const MOST_MESSAGES: usize = 480;

/// The notebook of one visitor.
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

    /// Registers a client secret, which signs requests and never travels. The notebook keeps as
    /// little of it as of other secrets.
    pub(crate) fn introduce(&mut self, client_id: &str, client_secret: &str) {
        self.masker.introduce(client_id, client_secret);
    }

    /// The messages, in the order in which they were sent.
    pub(crate) fn messages(&self) -> impl Iterator<Item = &Message> {
        self.messages.iter()
    }

    /// The facts about a masked value.
    pub(crate) fn value(&self, id: ValueId) -> Option<&Value> {
        self.masker.values().get(id.0)
    }

    /// Whether `secret` has travelled in this dance.
    pub(crate) fn knows(&self, secret: &str) -> bool {
        self.masker.knows(secret)
    }

    /// The protocol of the dance. The last value that only one protocol has decides.
    pub(crate) fn protocol(&self) -> Protocol {
        let messages = self.messages.iter().rev();
        let mut values = messages.flat_map(Message::carries).filter_map(|id| self.value(id));
        values.find_map(|value| value.kind.protocol()).unwrap_or(Protocol::OAuth2)
    }

    /// A dance with these messages only, and its values numbered anew.
    pub(crate) fn only(&self, is_part: impl Fn(&Message) -> bool) -> Self {
        let mut part = self.clone();
        part.messages.retain(|message| is_part(message));
        let order: Vec<ValueId> = part.messages().flat_map(Message::carries).collect();
        part.masker.number_again(&order);
        part
    }

    /// Records a request.
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
        // After the parameters, which give each value its kind.
        message.signed = self.signed(request, body, message.masked("oauth_signature"));
        self.push(message);
        exchange
    }

    /// The signed parts of a signed request, as the library reads them from the request.
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

    /// Records the response to a request.
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
