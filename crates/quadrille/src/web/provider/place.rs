//! The place of the server's router within the application.

use axum::extract::OriginalUri;
use http::{Uri, uri::PathAndQuery};

use crate::{
    guard::{Guard, Lends},
    provider::AuthorizationServer,
    public_uri::PublicUri,
};

/// The server that the layer lends to the extractors, and its guard.
#[derive(Clone, Debug)]
pub(super) struct Lent {
    pub(super) server: AuthorizationServer,
    pub(super) guard: Guard,
    /// `true` if the request came to the [wrong](Place::Wrong) place.
    pub(super) is_misplaced: bool,
}

impl Lends for Lent {
    fn guard(&self) -> &Guard {
        &self.guard
    }
}

/// The place of the server's router, found by comparing a request's path as the whole application
/// sees it with the path as that router sees it.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// The root, or the path of the issuer.
    Right,
    /// Behind a stripped prefix: requests arrive without the issuer's path. Holds the public path
    /// and query.
    Stripped(Uri),
    /// Nested under another path than the issuer's, where no client finds the endpoints.
    Wrong,
}

impl Place {
    pub(super) fn of<B>(server: &AuthorizationServer, request: &http::Request<B>) -> Self {
        let here = request.uri();
        let original = request.extensions().get::<OriginalUri>().map(|original| &original.0);
        let seen = original.unwrap_or(here);
        let prefix = server.inner().stripped_prefix();
        match seen.path().strip_suffix(here.path()) {
            // Stripped by a proxy, so this process has not seen it.
            Some("") if !prefix.is_empty() => {
                let rest = here.path_and_query().map_or("/", PathAndQuery::as_str);
                Uri::try_from(format!("{prefix}{rest}")).map_or(Self::Right, Self::Stripped)
            }
            Some(nested) if nested == prefix => Self::Right,
            // The path at which the router is nested, itself.
            None if seen.path() == prefix => Self::Right,
            _ => Self::Wrong,
        }
    }

    /// Has signatures checked for the path that the client signed.
    pub(super) fn tell<B>(&self, request: &mut http::Request<B>) {
        if let Self::Stripped(public) = self {
            request.extensions_mut().insert(PublicUri(public.clone()));
        }
    }
}
