//! The page that shows a verifier to the person who is to carry it (RFC 5849, section 2.1: `oob`).

use std::fmt;

use bytes::Bytes;
use http::{Response, StatusCode};

use crate::{page::Page, provider::client::record::Client};

/// The answer to a consent page of a client that has no address to be answered at: a code that the
/// person types in at the application, or nothing when they said no. See
/// [`AuthorizationServer::verifier_page`](crate::provider::AuthorizationServer::verifier_page).
#[non_exhaustive]
pub struct VerifierPage<'a> {
    /// Who asked.
    pub client: &'a Client,
    /// The `oauth_verifier`; `None` when the person said no. It must not be kept anywhere.
    pub verifier: Option<&'a str>,
}

impl VerifierPage<'_> {
    /// The default page.
    pub fn to_response(&self) -> Response<Bytes> {
        let name = &self.client.name;
        let page = match self.verifier {
            Some(verifier) => Page::new(format!("Your code for {name}"))
                .text("Type it in there, and nowhere else:")
                .text(verifier),
            None => Page::new(format!("{name} was not let in"))
                .text("Nothing was granted. You can close this page."),
        };
        page.to_response(StatusCode::OK)
    }
}

impl fmt::Debug for VerifierPage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifierPage")
            .field("client", &self.client.id)
            .field("is_granted", &self.verifier.is_some())
            .finish()
    }
}
