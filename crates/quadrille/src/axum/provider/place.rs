//! The place of the server's router within the application.

use axum::extract::OriginalUri;
use http::{Uri, uri::PathAndQuery};

use crate::{provider::AuthorizationServer, public_uri::PublicUri};

/// Where the router with the server stands, by the path of a request as the whole application sees
/// it and as that router does.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// At the root, or where the issuer's path says.
    Right,
    /// Where requests arrive without the issuer's path: this is the public path and query.
    Stripped(Uri),
    /// Nested under another path than the issuer's: nobody finds the endpoints.
    Wrong,
}

impl Place {
    pub(super) fn of<B>(server: &AuthorizationServer, request: &http::Request<B>) -> Self {
        let here = request.uri();
        let original = request.extensions().get::<OriginalUri>().map(|original| &original.0);
        let seen = original.unwrap_or(here);
        let prefix = server.inner().stripped_prefix();
        match seen.path().strip_suffix(here.path()) {
            // By a proxy, so that nobody in this process has seen it.
            Some("") if !prefix.is_empty() => {
                let rest = here.path_and_query().map_or("/", PathAndQuery::as_str);
                Uri::try_from(format!("{prefix}{rest}")).map_or(Self::Right, Self::Stripped)
            }
            Some(nested) if nested == prefix => Self::Right,
            // A request for the place where the router is nested, itself.
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
