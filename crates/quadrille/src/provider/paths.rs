//! The paths of the endpoints.

use std::sync::Arc;

use super::issuer::Issuer;

const WELL_KNOWN: &str = "/.well-known/";

/// The path of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndpointPath {
    /// Below the path of the server's endpoints.
    Below(&'static str),
    /// Well-known for the issuer (RFC 8615): before the path of the issuer (RFC 8414, section 3),
    /// and below it, where some clients look.
    WellKnown(&'static str),
    /// Well-known for the whole origin, whatever the path of the issuer (RFC 7033, section 10.1).
    OfOrigin(&'static str),
}

impl EndpointPath {
    pub(crate) const AUTHORIZE: Self = Self::Below("/authorize");
    pub(crate) const END_SESSION: Self = Self::Below("/logout");
    pub(crate) const CONSENT: Self = Self::Below("/consent");
    /// The client is in the query (RFC 7592, appendix B).
    pub(crate) const CLIENT_CONFIGURATION: Self = Self::Below("/register/client");
}

/// The paths of a server's endpoints, from the root of the origin.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    issuer: Arc<str>,
    /// The path of all endpoints that are not well-known.
    above: Arc<str>,
    pub(crate) authorize: Arc<str>,
    pub(crate) consent: Arc<str>,
    pub(crate) end_session: Arc<str>,
}

impl Paths {
    pub(crate) fn new(issuer: &Issuer, prefix: &str) -> Self {
        let prefix = prefix.trim_matches('/');
        let slash = if prefix.is_empty() { "" } else { "/" };
        let paths = Self {
            issuer: issuer.path().into(),
            above: format!("{}{slash}{prefix}", issuer.path()).into(),
            authorize: Arc::default(),
            consent: Arc::default(),
            end_session: Arc::default(),
        };
        Self {
            authorize: paths.of(EndpointPath::AUTHORIZE).into(),
            consent: paths.of(EndpointPath::CONSENT).into(),
            end_session: paths.of(EndpointPath::END_SESSION).into(),
            ..paths
        }
    }

    /// The path of an endpoint, as clients are told it.
    pub(crate) fn of(&self, path: EndpointPath) -> String {
        match path {
            EndpointPath::Below(end) => format!("{}{end}", self.above),
            EndpointPath::WellKnown(name) => format!("{WELL_KNOWN}{name}{}", self.issuer),
            EndpointPath::OfOrigin(name) => format!("{WELL_KNOWN}{name}"),
        }
    }

    /// All paths of an endpoint.
    pub(crate) fn all_of(&self, path: EndpointPath) -> impl Iterator<Item = String> + use<> {
        let other = match path {
            EndpointPath::WellKnown(name) if !self.issuer.is_empty() => {
                Some(format!("{}{WELL_KNOWN}{name}", self.issuer))
            }
            _ => None,
        };
        [self.of(path)].into_iter().chain(other)
    }
}
