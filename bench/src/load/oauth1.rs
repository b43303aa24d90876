//! HMAC-SHA1 signatures (RFC 5849, section 3.4.2), written by hand: the load must cost less than
//! the server, and the code under test must not verify its own signatures.

use std::{
    fmt::Write as _,
    time::{SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::hmac;
use base64::{Engine as _, prelude::BASE64_STANDARD};

/// The identifiers and secrets. All of them consist of letters, digits, `-`, `.`, `_` and `~`,
/// which no encoding changes (section 3.6).
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    pub(crate) client: String,
    pub(crate) client_secret: String,
    pub(crate) token: Option<(String, String)>,
}

/// The signer for requests of one method to one URL.
#[derive(Clone)]
pub(crate) struct Signer {
    key: hmac::Key,
    /// The base string up to the nonce, between nonce and timestamp, and after it.
    base: [String; 3],
    /// The header in the same three parts.
    header: [String; 3],
    nonces: u128,
    scratch: String,
}

impl Signer {
    /// `url` has no query. `further` has the protocol parameters beside the usual ones, encoded.
    pub(crate) fn new(
        credentials: &Credentials,
        method: &str,
        url: &str,
        further: Option<(&str, &str)>,
        nonces: u128,
    ) -> Self {
        let Credentials { client, client_secret, token } = credentials;
        let (token, token_secret) =
            token.as_ref().map_or((None, ""), |(token, secret)| (Some(token.as_str()), secret));
        let key = format!("{client_secret}&{token_secret}");
        // In the order of the base string; `\n` is the nonce, `\t` the timestamp.
        let mut parameters = vec![
            ("oauth_consumer_key", client.as_str()),
            ("oauth_nonce", "\n"),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", "\t"),
        ];
        parameters.extend(token.map(|token| ("oauth_token", token)));
        parameters.extend(further);
        parameters.sort_unstable();
        let pairs: Vec<_> =
            parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let base = format!("{method}&{}&{}", encoded(url), encoded(&pairs.join("&")));
        let mut header = "OAuth ".to_owned();
        for (name, value) in parameters {
            let _ = write!(header, "{name}=\"{value}\", ");
        }
        header.push_str("oauth_signature=\"");
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key.as_bytes()),
            base: parts(&base),
            header: parts(&header),
            nonces,
            scratch: String::with_capacity(512),
        }
    }

    /// Appends the value of an `Authorization` header with a fresh nonce.
    pub(crate) fn sign(&mut self, out: &mut Vec<u8>) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        self.nonces += 1;
        let (nonce, [before, between, after]) = (self.nonces, &self.base);
        self.scratch.clear();
        let _ = write!(self.scratch, "{before}{nonce:032x}{between}{now}{after}");
        let tag = hmac::sign(&self.key, self.scratch.as_bytes());
        let [before, between, after] = &self.header;
        self.scratch.clear();
        let _ = write!(self.scratch, "{before}{nonce:032x}{between}{now}{after}");
        out.extend_from_slice(self.scratch.as_bytes());
        self.scratch.clear();
        BASE64_STANDARD.encode_string(tag, &mut self.scratch);
        for byte in self.scratch.bytes() {
            match byte {
                b'+' => out.extend_from_slice(b"%2B"),
                b'/' => out.extend_from_slice(b"%2F"),
                b'=' => out.extend_from_slice(b"%3D"),
                _ => out.push(byte),
            }
        }
        out.push(b'"');
    }
}

fn parts(text: &str) -> [String; 3] {
    let mut parts = text.split(['\n', '\t']).map(str::to_owned);
    [(); 3].map(|()| parts.next().unwrap_or_default())
}

/// Percent-encoding (section 3.6). Leaves the two marks of [`Signer::new`] alone.
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'\n' | b'\t' => {
                out.push(char::from(byte));
            }
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_says_what_was_signed() {
        let credentials = Credentials {
            client: "key".into(),
            client_secret: "cs".into(),
            token: Some(("t".into(), "ts".into())),
        };
        let url = "http://127.0.0.1/resource";
        let mut signer = Signer::new(&credentials, "GET", url, None, 6);
        let mut header = Vec::new();
        signer.sign(&mut header);
        let header = String::from_utf8(header).unwrap();
        let value = |name: &str| {
            let rest = header.split_once(&format!("{name}=\"")).unwrap().1;
            rest.split_once('"').unwrap().0.to_owned()
        };
        assert_eq!(value("oauth_nonce"), "00000000000000000000000000000007");
        let base = format!(
            "GET&http%3A%2F%2F127.0.0.1%2Fresource&oauth_consumer_key%3Dkey%26oauth_nonce%3D{}\
             %26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D{}%26oauth_token%3Dt",
            value("oauth_nonce"),
            value("oauth_timestamp"),
        );
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"cs&ts");
        let tag = BASE64_STANDARD.encode(hmac::sign(&key, base.as_bytes()));
        assert_eq!(value("oauth_signature"), encoded(&tag));
    }
}
