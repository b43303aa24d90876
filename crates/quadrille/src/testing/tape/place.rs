//! The origins on a tape that is played by a server.

use bytes::Bytes;
use http::Request;
use url::{Url, form_urlencoded};

/// An origin on a tape, and the URL of the server that stands for it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) origin: String,
    pub(super) base: String,
}

impl Place {
    /// The place of a URL on the tape.
    pub(super) fn of_url(url: &str, base: &str) -> Option<Self> {
        let origin = Url::parse(url).ok()?.origin().ascii_serialization();
        Some(Self { origin, base: base.to_owned() })
    }

    /// A request to the server as one to the origin.
    pub(super) fn of(&self, request: &Request<Bytes>) -> Request<Bytes> {
        let mut request = request.clone();
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        if let Ok(uri) = [&*self.origin, path].concat().parse() {
            *request.uri_mut() = uri;
        }
        request
    }

    /// A text of the origin as the server has it: with its own URL in each place.
    pub(super) fn text(&self, text: &str) -> String {
        replaced(text, &self.origin, &self.base)
    }

    /// A URL with encoded parameters, likewise.
    pub(super) fn in_query(&self, url: &str) -> String {
        let encoded =
            |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        replaced(url, &encoded(&self.origin), &encoded(&self.base))
    }
}

/// A text with another origin. One that only begins as the origin stays: `https://id.example.com`.
fn replaced(text: &str, origin: &str, base: &str) -> String {
    let mut parts = text.split(origin);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let goes_on =
            |char: char| char.is_ascii_alphanumeric() || matches!(char, '.' | '-' | ':' | '@');
        let is_longer = part.starts_with(goes_on);
        out += if is_longer { origin } else { base };
        out += part;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_of_the_server_stands_for_an_origin_and_for_no_longer_one() {
        let place = Place::of_url("https://id.example/a?b", "http://127.0.0.1:1").unwrap();
        let text = "<https://id.example/next>, https://id.example.com https://id.example";
        assert_eq!(
            place.text(text),
            "<http://127.0.0.1:1/next>, https://id.example.com http://127.0.0.1:1",
        );
        let callback = "https://app.example/back?iss=https%3A%2F%2Fid.example&state=s";
        let expected = "https://app.example/back?iss=http%3A%2F%2F127.0.0.1%3A1&state=s";
        assert_eq!(place.in_query(callback), expected);
    }
}
