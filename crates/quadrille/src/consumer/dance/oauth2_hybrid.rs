//! The tokens beside a code (OpenID Connect Core, section 3.3.2.5), which the browser brings.

use crate::{
    Secret,
    consumer::{
        attempt::Attempt,
        error::{BrowserError, Error, Result, ServiceError},
        service::Hybrid,
        site::Site,
    },
    form::Params,
    oauth2::TokenResponse,
    oidc::{Expected, IdToken},
};

use super::{Beside, CodeProof, oauth2::OAuth2Dance};

impl OAuth2Dance {
    /// The hybrid flow of a request with this redirect URI. Neither the page of a script nor the port
    /// of a program takes a form, so they get a code alone.
    pub(super) fn hybrid_at(&self, redirect_uri: &str) -> Option<Hybrid> {
        self.spec.openid.hybrid.filter(|_| redirect_uri == self.service.callback)
    }

    /// The tokens of a response to this flow.
    ///
    /// # Errors
    /// [`BrowserError::CallbackMalformed`] unless it has what was requested, and nothing else.
    pub(super) fn beside(
        flow: Hybrid,
        token: Option<Box<TokenResponse>>,
        id_token: Option<Secret>,
        params: &Params<'_>,
    ) -> Result<Beside, BrowserError> {
        let asked = flow.response_type();
        if asked.has_id_token() != id_token.is_some() || asked.has_token() != token.is_some() {
            return Err(BrowserError::CallbackMalformed);
        }
        let state = params.one("state").map_err(|_| BrowserError::CallbackMalformed)?;
        Ok(Beside {
            id_token,
            access_token: token.map(|token| token.access_token),
            state: state.map(str::to_owned),
        })
    }

    /// Verifies the ID token beside a code (sections 3.3.2.9 to 3.3.2.12). Nothing is used up.
    ///
    /// # Errors
    /// [`BrowserError::IdTokenRejected`], since the browser brings it, and those of the request for the
    /// provider's keys.
    pub(crate) async fn verify_beside(
        &self,
        site: &Site,
        attempt: &Attempt,
        proof: &CodeProof,
    ) -> Result<Option<Box<IdToken>>> {
        let Some(Beside { id_token: Some(id_token), access_token, state }) = &proof.beside else {
            return Ok(None);
        };
        let (Some(openid), Some(nonce)) = (&self.openid, proof.nonce.as_deref()) else {
            return Err(Error::service(&self.service.name, ServiceError::IdTokenMissing));
        };
        let mut expected = Expected::nonce(nonce).code_of_the_browser(proof.code.expose());
        if let Some(token) = access_token {
            expected = expected.access_token_of_the_browser(token.expose());
        }
        if let Some(state) = state {
            expected = expected.state_of_the_browser(state);
        }
        let classes = attempt.required.classes();
        let expected = attempt.required.of(expected, &classes);
        let signed = openid.opened(id_token.expose()).map_err(Error::of_the_browser)?;
        let token = openid.verify_brought(&site.env, &signed, &expected).await;
        Ok(Some(Box::new(token.map_err(Error::of_the_browser)?)))
    }
}
