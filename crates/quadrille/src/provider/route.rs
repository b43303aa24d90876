//! The route of an endpoint: where it is, and what it accepts.

use bytes::Bytes;
use http::Request;

use crate::{guard::BODY_LIMIT, oauth2::metadata::ServerMetadata};

use super::{
    error::endpoint::EndpointError,
    paths::EndpointPath,
    server::Inner,
    wire::{self, Methods},
};

/// The route of an endpoint.
pub(crate) struct Route {
    /// The name in the log.
    pub(crate) name: &'static str,
    pub(crate) path: EndpointPath,
    /// `true` if a server offers the endpoint.
    pub(crate) is_offered: fn(&Inner) -> bool,
    /// Writes the endpoint, which is at this URL, into the metadata (RFC 8414, section 2).
    pub(crate) describe: fn(&Inner, String, &mut ServerMetadata),
    pub(crate) methods: Methods,
    /// The longest body, in bytes.
    pub(crate) body_limit: usize,
}

impl Route {
    /// The route of an endpoint that every server has and no metadata names, with the limit that
    /// holds everywhere.
    pub(crate) const fn new(name: &'static str, path: EndpointPath, methods: Methods) -> Self {
        Self {
            name,
            path,
            is_offered: |_| true,
            describe: |_, _, _| {},
            methods,
            body_limit: BODY_LIMIT,
        }
    }

    /// Refuses other methods, and bodies that are too long.
    pub(crate) fn admit(&self, request: &Request<Bytes>) -> Result<(), EndpointError> {
        wire::admit(request, self.methods, self.body_limit)
    }
}
