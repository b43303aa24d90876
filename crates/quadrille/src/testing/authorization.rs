//! The authorization requests at a fake service of OAuth 2 that are invalid.

#[cfg(feature = "axum")]
use crate::oauth2::{AuthorizationResponse, ErrorResponse, ResponseMode};
use crate::{
    form::Params,
    oauth2::{AuthorizationRequest, AuthorizationRequestError},
};

use super::{
    scene::{Asks, Scene},
    service::OAuth2,
};

/// The fault of an authorization request.
#[derive(Debug, thiserror::Error)]
pub(super) enum Invalid {
    #[error("the parameters cannot be read, or the request object is invalid")]
    Unreadable,
    #[error("no application is registered with this client_id")]
    UnknownClient,
    #[error("the parameter redirect_uri is missing")]
    NoRedirectUri,
    #[error(transparent)]
    Request(#[from] AuthorizationRequestError),
}

impl OAuth2 {
    /// The authorization request in `url`.
    ///
    /// # Errors
    /// Its fault.
    pub(super) fn asks(&self, scene: &Scene, url: &str) -> Result<Asks, Invalid> {
        let url = self.requested(scene, url).ok_or(Invalid::Unreadable)?;
        let params = Params::parse(url.query().unwrap_or_default().as_bytes());
        let params = params.map_err(|_| Invalid::Unreadable)?;
        let request = AuthorizationRequest::parse(&params)?;
        if *request.client_id != *self.id {
            return Err(Invalid::UnknownClient);
        }
        let scopes = request.scope.as_ref().map_or("", |scopes| scopes.as_str());
        Ok(Asks {
            application: request.client_id.to_string(),
            scopes: scopes.split_ascii_whitespace().map(str::to_owned).collect(),
            callback: request.redirect_uri.as_deref().ok_or(Invalid::NoRedirectUri)?.to_owned(),
            by_post: params.one("response_mode") == Ok(Some("form_post")),
        })
    }

    /// The URL by which the application is told the fault of its request (RFC 6749, section 4.1.2.1);
    /// `None` if the browser may not be sent there.
    #[cfg(feature = "axum")]
    pub(super) fn told(&self, scene: &Scene, invalid: Invalid) -> Option<String> {
        let Invalid::Request(AuthorizationRequestError::Refused { addressee, reason }) = invalid
        else {
            return None;
        };
        let callback = addressee.redirect_uri.filter(|uri| scene.is_registered(uri))?;
        if addressee.client_id != self.id {
            return None;
        }
        let response = AuthorizationResponse::Error {
            error: ErrorResponse::from(reason),
            state: addressee.state,
            iss: self.issuer(scene),
            session_state: None,
        };
        response.to_url(&callback, ResponseMode::Query).ok()
    }
}
