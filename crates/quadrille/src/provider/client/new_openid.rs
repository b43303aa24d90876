//! The OpenID Connect metadata of a client to register.

use crate::provider::openid::client::ClientOpenId;

use super::new::NewClient;

impl NewClient {
    /// Sets the OpenID Connect metadata of the client. The server needs a key for each algorithm in
    /// it ([`further_signing_keys`]).
    ///
    /// ```
    /// use quadrille::{jose::Algorithm, provider::{ClientOpenId, NewClient}};
    ///
    /// let mut openid = ClientOpenId::default();
    /// openid.userinfo_signed_response_alg = Some(Algorithm::Rs256);
    /// let bank = NewClient::confidential("Bank")
    ///     .redirect_uri("https://bank.example/callback")
    ///     .openid(openid);
    /// ```
    ///
    /// [`further_signing_keys`]: crate::provider::AuthorizationServer::further_signing_keys
    #[must_use]
    pub fn openid(mut self, openid: ClientOpenId) -> Self {
        self.openid = openid;
        self
    }
}
