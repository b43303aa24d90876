//! The issuer: the public URL of a provider, and its name in every message.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use quadrille::provider::check_issuer;
use url::Url;

/// The text is no issuer (RFC 8414, section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an issuer is an https URL (http for localhost) as browsers write it, without query, fragment or user name"
)]
pub struct InvalidIssuer;

/// What a provider is called: the `issuer` of RFC 8414, which is also its public URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    text: Arc<str>,
    /// How much of it is the origin; the rest is the path.
    origin: usize,
}

impl Issuer {
    /// Reads one. A slash at the end is left out: the text is compared byte by byte wherever
    /// tokens go, and people add one or not.
    ///
    /// # Errors
    /// [`InvalidIssuer`].
    pub fn parse(text: &str) -> Result<Self, InvalidIssuer> {
        let text = text.trim_end_matches('/');
        check_issuer(text).map_err(|_| InvalidIssuer)?;
        let url = Url::parse(text).map_err(|_| InvalidIssuer)?;
        Ok(Self { text: text.into(), origin: url.origin().ascii_serialization().len() })
    }

    /// That of a loopback address.
    pub fn localhost(port: u16) -> Self {
        let text: Arc<str> = format!("http://localhost:{port}").into();
        Self { origin: text.len(), text }
    }

    /// That of a loopback address where the program listens. `localhost` is 127.0.0.1 everywhere,
    /// and another address on some machines only.
    pub fn loopback(address: SocketAddr) -> Self {
        if address.ip() == Ipv4Addr::LOCALHOST {
            return Self::localhost(address.port());
        }
        let text: Arc<str> = format!("http://{address}").into();
        Self { origin: text.len(), text }
    }

    /// As it stands in messages.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Scheme, host and port, as browsers write an origin.
    pub fn origin(&self) -> &str {
        self.text.get(..self.origin).unwrap_or(&self.text)
    }

    /// Host and port, as browsers write them into `Host`.
    pub fn authority(&self) -> &str {
        self.origin().split_once("://").map_or("", |(_, authority)| authority)
    }

    /// The path under which all its pages are: empty, or `/id`.
    pub fn path(&self) -> &str {
        self.text.get(self.origin..).unwrap_or("")
    }

    /// Where applications find everything else (RFC 8414, section 3).
    pub fn metadata_url(&self) -> String {
        format!("{}/.well-known/oauth-authorization-server{}", self.origin(), self.path())
    }

    /// Whether what goes there is encrypted on its way.
    pub fn is_https(&self) -> bool {
        self.text.starts_with("https:")
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
