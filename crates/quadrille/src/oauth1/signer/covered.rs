//! The parts of a request that a signature covers.

use http::{HeaderMap, Method, Uri, header, uri::Authority};

use crate::{Env, form::hex_digit};

use super::{super::base_string::Origin, error::SignError};

pub(super) const BODY_HASH: &str = "oauth_body_hash";

/// The parts other than the body.
#[derive(Clone, Copy)]
pub(super) struct Target<'r> {
    pub(super) method: &'r Method,
    pub(super) origin: Origin<'r>,
    pub(super) path: &'r str,
    pub(super) query: &'r [u8],
}

impl<'r> Target<'r> {
    pub(super) fn of(
        method: &'r Method,
        uri: &'r Uri,
        headers: &'r HeaderMap,
    ) -> Result<Self, SignError> {
        let (Some(scheme @ ("http" | "https")), Some(authority)) =
            (uri.scheme_str(), uri.authority())
        else {
            return Err(SignError::NotAbsolute);
        };
        let mut hosts = headers.get_all(header::HOST).iter();
        let authority = match (hosts.next(), hosts.next()) {
            // An origin has no user information.
            (None, _) => authority.as_str().rsplit('@').next().unwrap_or_default(),
            (Some(host), None) => host
                .to_str()
                .ok()
                .filter(|host| !host.contains('@') && Authority::try_from(*host).is_ok())
                .ok_or(SignError::Host)?,
            _ => return Err(SignError::Host),
        };
        let query = uri.query().unwrap_or_default().as_bytes();
        Ok(Self { method, origin: Origin { scheme, authority }, path: uri.path(), query })
    }
}

/// The part of the body.
pub(super) enum Covers<'a> {
    Nothing,
    Form(&'a [u8]),
    Hash(&'a [u8]),
}

/// The protocol parameters that differ between requests.
pub(super) struct Signed<'a> {
    pub(super) timestamp: String,
    pub(super) nonce: Nonce,
    pub(super) further: &'a [(&'a str, &'a str)],
    pub(super) body_hash: Option<String>,
    pub(super) signature: String,
}

impl Signed<'_> {
    /// The parameters that need no encoding.
    pub(super) fn each_plain(&self, each: &mut impl FnMut(&str, &str)) {
        each("oauth_timestamp", &self.timestamp);
        each("oauth_nonce", self.nonce.as_str());
    }

    /// The others, except the signature.
    pub(super) fn each_other(&self, each: &mut impl FnMut(&str, &str)) {
        for (name, value) in self.further {
            each(name, value);
        }
        if let Some(hash) = &self.body_hash {
            each(BODY_HASH, hash);
        }
    }
}

/// Unguessable; 28 letters and digits, since servers built on oauthlib accept only 20 to 30.
pub(super) struct Nonce(String);

impl Nonce {
    pub(super) fn random(env: &Env) -> Self {
        let bytes: [u8; 14] = env.random();
        let mut out = String::with_capacity(2 * bytes.len());
        for byte in bytes {
            out.extend([hex_digit(byte >> 4), hex_digit(byte & 15)].map(char::from));
        }
        Self(out)
    }

    fn as_str(&self) -> &str {
        &self.0
    }
}
