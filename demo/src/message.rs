//! A message of the dance, its fields, and the values that travel in it.

use quadrille::Timestamp;

use super::value::ValueId;

/// The sender or the receiver of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Party {
    Browser,
    Website,
    Provider,
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

/// The start line of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Head {
    Request { method: String, path: String, query: Vec<Field> },
    Response { status: u16 },
}

/// The body of a message.
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
    /// The exchange: a request and its response share it.
    pub(crate) exchange: Exchange,
    pub(crate) at: Timestamp,
    pub(crate) from: Party,
    pub(crate) to: Party,
    pub(crate) head: Head,
    pub(crate) headers: Vec<Field>,
    /// The names of headers that do not matter to OAuth.
    pub(crate) further_headers: Vec<String>,
    pub(crate) body: Body,
    /// The signed parts of a signed request.
    pub(crate) signed: Option<Signed>,
}

/// The base string of a signed request (RFC 5849, section 3.4.1), and the keys that signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signed {
    /// The method, URL and parameters, each encoded. Joined by `&`, they are the base string.
    pub(crate) parts: [Vec<Piece>; 3],
    /// The method, for people.
    pub(crate) method: String,
    /// The URL without its query, for people.
    pub(crate) address: String,
    /// All parameters, sorted, for people.
    pub(crate) parameters: Vec<Field>,
    /// The signature method, such as `HMAC-SHA1`.
    pub(crate) algorithm: &'static str,
    pub(crate) client_secret: Option<ValueId>,
    /// The secret of the token. `None` for the first request, which has no token yet.
    pub(crate) token_secret: Option<ValueId>,
    pub(crate) signature: Option<ValueId>,
}

/// The number that ties a response to its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Exchange(pub(super) u64);

impl Message {
    /// Whether the message went directly between website and provider, past the browser.
    pub(crate) fn is_back_channel(&self) -> bool {
        self.from != Party::Browser && self.to != Party::Browser
    }

    pub(crate) fn is_request(&self) -> bool {
        matches!(self.head, Head::Request { .. })
    }

    /// The text of a header, or its unmasked parts.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        field(&self.headers, name)
    }

    /// A parameter of the query, the form or the JSON object.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let (query, body) = self.parameters();
        field(query, name).or_else(|| field(body, name))
    }

    /// The masked value of a parameter.
    pub(crate) fn masked(&self, name: &str) -> Option<ValueId> {
        self.fields().find(|field| field.name == name).and_then(|field| {
            field.value.iter().find_map(|piece| match piece {
                Piece::Masked(id) => Some(*id),
                Piece::Plain(_) => None,
            })
        })
    }

    /// The masked values in the message, each once, in order of appearance.
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

    /// The parameters of the query, and those of the body.
    fn parameters(&self) -> (&[Field], &[Field]) {
        let query = match &self.head {
            Head::Request { query, .. } => query.as_slice(),
            Head::Response { .. } => &[],
        };
        let body = match &self.body {
            Body::Form(fields) | Body::Json(fields) => fields.as_slice(),
            Body::Empty | Body::Page { .. } | Body::Opaque { .. } => &[],
        };
        (query, body)
    }

    fn fields(&self) -> impl Iterator<Item = &Field> {
        let (query, body) = self.parameters();
        let top = query.iter().chain(&self.headers).chain(body);
        top.flat_map(|field| std::iter::once(field).chain(&field.within))
    }
}

impl Party {
    /// The name of the party in a sentence.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Browser => "your browser",
            Self::Website => "the website",
            Self::Provider => "the provider",
        }
    }
}

/// The text of a field, or its unmasked parts.
pub(crate) fn field(fields: &[Field], name: &str) -> Option<String> {
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
