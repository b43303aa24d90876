//! The logout request that a relying party sends through the browser (OpenID Connect RP-Initiated
//! Logout 1.0, section 2).

use std::fmt;

use crate::form::FormWriter;

/// A logout request (RP-Initiated Logout, section 2), which asks the provider to end the user's
/// session there, too.
///
/// ```
/// use quadrille::oidc::EndSessionRequest;
///
/// let mut request = EndSessionRequest::new();
/// request.client_id = Some("web");
/// request.post_logout_redirect_uri = Some("https://app.example/goodbye");
/// request.state = Some("af0ifjsldkj");
/// assert_eq!(
///     request.to_url("https://id.example/logout"),
///     "https://id.example/logout?client_id=web\
///      &post_logout_redirect_uri=https%3A%2F%2Fapp.example%2Fgoodbye&state=af0ifjsldkj",
/// );
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndSessionRequest<'a> {
    /// The last ID token of the user, which says who is to be logged out.
    pub id_token_hint: Option<&'a str>,
    /// The hint at the user, in a form that the provider knows.
    pub logout_hint: Option<&'a str>,
    /// The client, which must be that of the ID token.
    pub client_id: Option<&'a str>,
    /// The registered URI to which the user returns.
    pub post_logout_redirect_uri: Option<&'a str>,
    /// The value that returns with the user.
    pub state: Option<&'a str>,
    /// The preferred languages of the provider's pages, separated by spaces.
    pub ui_locales: Option<&'a str>,
}

impl<'a> EndSessionRequest<'a> {
    /// A request without parameters.
    pub const fn new() -> Self {
        Self {
            id_token_hint: None,
            logout_hint: None,
            client_id: None,
            post_logout_redirect_uri: None,
            state: None,
            ui_locales: None,
        }
    }

    /// The URL to redirect the user to, at this end session endpoint.
    pub fn to_url(&self, endpoint: &str) -> String {
        let mut url = FormWriter::after_url(endpoint);
        url.append_some("id_token_hint", self.id_token_hint)
            .append_some("logout_hint", self.logout_hint)
            .append_some("client_id", self.client_id)
            .append_some("post_logout_redirect_uri", self.post_logout_redirect_uri)
            .append_some("state", self.state)
            .append_some("ui_locales", self.ui_locales);
        url.finish()
    }
}

/// Hides the ID token.
impl fmt::Debug for EndSessionRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndSessionRequest")
            .field("client_id", &self.client_id)
            .field("post_logout_redirect_uri", &self.post_logout_redirect_uri)
            .finish_non_exhaustive()
    }
}
