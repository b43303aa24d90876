//! The page that shows a verifier to the user, who carries it to the client (RFC 5849, section 2.1:
//! `oob`).

use std::fmt;

use bytes::Bytes;
use http::{Response, StatusCode};

use crate::{page::Page, provider::client::record::Client};

/// The answer to a consent page of a client without a callback: a verifier for the user to type in
/// at the application, or a denial. See
/// [`AuthorizationServer::verifier_page`](crate::provider::AuthorizationServer::verifier_page).
///
/// ```
/// use quadrille::provider::VerifierPage;
///
/// fn page(shown: &VerifierPage<'_>) -> String {
///     match shown.verifier {
///         Some(code) => format!("Type {code} in at {}.", shown.client.name),
///         None => format!("{} gets no access.", shown.client.name),
///     }
/// }
/// ```
#[non_exhaustive]
pub struct VerifierPage<'a> {
    /// The client.
    pub client: &'a Client,
    /// The `oauth_verifier`; `None` after a denial. It must not be stored.
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
