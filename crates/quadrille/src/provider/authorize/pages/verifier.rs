//! The page that shows a verifier to the user, who carries it to the client (RFC 5849, section 2.1:
//! `oob`).

use std::fmt;

use bytes::Bytes;
use http::{Response, StatusCode};

use crate::{
    page::{Language, Page},
    provider::client::record::Client,
};

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
        let (language, client) = (Language::current(), [("client", &*self.client.name)]);
        let page = match self.verifier {
            Some(verifier) => Page::new(language.text("verifier-title", &client))
                .text(language.pattern("verifier-text"))
                .text(verifier),
            None => Page::new(language.text("not-let-in-title", &client))
                .text(language.pattern("not-let-in")),
        };
        page.language(language).to_response(StatusCode::OK)
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
