//! Responses of the server.

use bytes::Bytes;
use http::{Response, header};
use quadrille::form::Params;

/// A response that was read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    response: Response<Bytes>,
}

impl Answer {
    /// # Panics
    /// If the server failed: no input may cause that.
    pub(crate) fn of(response: Response<Bytes>) -> Self {
        let status = response.status().as_u16();
        assert!(status < 500, "the server failed: {response:?}");
        Self { status, response }
    }

    pub(crate) fn response(&self) -> &Response<Bytes> {
        &self.response
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(self.response.body()).expect("UTF-8")
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(self.response.body()).expect("JSON")
    }

    /// A member of a JSON response.
    pub(crate) fn member(&self, name: &str) -> Option<String> {
        self.json().get(name)?.as_str().map(str::to_owned)
    }

    /// The `Location` of the response.
    pub(crate) fn location(&self) -> Option<&str> {
        self.response.headers().get(header::LOCATION)?.to_str().ok()
    }

    /// A parameter that the response appends to `uri`, if it redirects there.
    pub(crate) fn parameter(&self, uri: &str, name: &str) -> Option<String> {
        one(self.location()?.strip_prefix(uri)?.strip_prefix(['?', '&'])?, name)
    }

    /// A parameter in the fragment that the response appends to `uri`, if it redirects there.
    pub(crate) fn fragment(&self, uri: &str, name: &str) -> Option<String> {
        one(self.location()?.strip_prefix(uri)?.strip_prefix('#')?, name)
    }

    /// The values of the page's lines that begin with `start`.
    pub(crate) fn lines<'a>(&'a self, start: &'a str) -> impl Iterator<Item = &'a str> {
        self.text().lines().filter_map(move |line| line.strip_prefix(start))
    }
}

/// The only value of a parameter.
fn one(query: &str, name: &str) -> Option<String> {
    let params = Params::parse(query.as_bytes()).ok()?;
    let mut values = params.many(name);
    let first = values.next().map(str::to_owned);
    assert!(values.next().is_none(), "{name} twice");
    first
}
