//! The issuer: the public URL of a provider, and its name in every message.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use quadrille::provider::check_issuer;
use url::{Host, Url};

/// The text is not a valid issuer (RFC 8414, section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an issuer is an https URL (http for localhost) as browsers write it, without query, fragment \
     or user name"
)]
pub struct InvalidIssuer;

/// The `issuer` of RFC 8414, which is also the public URL of the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    text: Arc<str>,
    /// The length of the origin; the rest is the path.
    origin: usize,
}

impl Issuer {
    /// Parses an issuer. A slash at the end is dropped: clients compare issuers byte by byte, and
    /// people write the slash or not.
    ///
    /// # Errors
    /// [`InvalidIssuer`].
    pub fn parse(text: &str) -> Result<Self, InvalidIssuer> {
        let text = text.trim_end_matches('/');
        check_issuer(text).map_err(|_| InvalidIssuer)?;
        let url = Url::parse(text).map_err(|_| InvalidIssuer)?;
        Ok(Self { text: text.into(), origin: url.origin().ascii_serialization().len() })
    }

    /// The issuer of a loopback address.
    pub fn localhost(port: u16) -> Self {
        let text: Arc<str> = format!("http://localhost:{port}").into();
        Self { origin: text.len(), text }
    }

    /// The issuer of the loopback address that the program listens on. `localhost` means 127.0.0.1
    /// everywhere, and another loopback address on some machines only.
    pub fn loopback(address: SocketAddr) -> Self {
        if address.ip() == Ipv4Addr::LOCALHOST {
            return Self::localhost(address.port());
        }
        let text: Arc<str> = format!("http://{address}").into();
        Self { origin: text.len(), text }
    }

    /// The text, as in messages.
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

    /// The path of all pages: empty, or for example `/id`.
    pub fn path(&self) -> &str {
        self.text.get(self.origin..).unwrap_or("")
    }

    /// The URL of the metadata (RFC 8414, section 3).
    pub fn metadata_url(&self) -> String {
        format!("{}/.well-known/oauth-authorization-server{}", self.origin(), self.path())
    }

    /// Whether the host is this machine, for every browser on it: such an issuer is for a first try.
    pub fn is_of_this_machine(&self) -> bool {
        match Url::parse(self.origin()).as_ref().map(Url::host) {
            Ok(Some(Host::Domain(name))) => name == "localhost" || name.ends_with(".localhost"),
            Ok(Some(Host::Ipv4(address))) => address.is_loopback(),
            Ok(Some(Host::Ipv6(address))) => address.is_loopback(),
            _ => false,
        }
    }

    /// Whether the scheme is `https`.
    pub fn is_https(&self) -> bool {
        self.text.starts_with("https:")
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_of_this_machine_is_one_with_tls_too() {
        for (issuer, is_here) in [
            ("http://localhost:4004", true),
            ("https://localhost", true),
            ("https://id.localhost:8443/id", true),
            ("https://127.0.0.1", true),
            ("https://[::1]:8443", true),
            ("https://id.example", false),
            ("https://localhost.example", false),
            ("https://192.168.1.1", false),
        ] {
            assert_eq!(Issuer::parse(issuer).unwrap().is_of_this_machine(), is_here, "{issuer}");
        }
    }
}
