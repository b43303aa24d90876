//! The offer of OpenID Connect.

use crate::provider::server::AuthorizationServer;

use super::options::OpenId;

impl AuthorizationServer {
    /// Offers OpenID Connect: ID tokens, the userinfo endpoint, discovery, and the scopes `openid`
    /// and those of [`OpenId`]. A scope that the application has added keeps its description.
    /// [`Policy::openid`](crate::Policy::openid) has the rules that most clients expect.
    #[must_use]
    pub fn openid(self, openid: OpenId) -> Self {
        self.with(|inner| {
            let known = inner.scopes.known().clone();
            inner.scopes.add(openid.scopes().filter(|(name, _)| !known.contains(name)));
            inner.openid = Some(openid);
        })
    }
}
