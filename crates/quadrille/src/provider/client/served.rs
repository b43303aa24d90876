//! Whether a server can serve a client that a program registers.

use crate::provider::{
    access_format::AccessTokenFormat,
    openid::{client::SubjectType, pairwise},
    server::Inner,
};

use super::{
    logout_uris, message_metadata,
    new::NewClient,
    redirect_uri::RedirectUri,
    registered_auth::{ClientKeys, RegisteredAuth},
    registration::RegistrationError,
};

impl NewClient {
    /// Checks that this server can sign the client's tokens and fetch its keys.
    pub(super) fn check_served(&self, inner: &Inner) -> Result<(), RegistrationError> {
        if self.access_token_format == Some(AccessTokenFormat::Jwt) && !inner.signing.is_set() {
            return Err(RegistrationError::NoSigningKeys);
        }
        let offered = inner.signing.lasting();
        if let Some(missing) = self.openid.algorithms().find(|alg| !offered.contains(alg)) {
            return Err(RegistrationError::NoSigningKeyFor(missing));
        }
        if let Some(openid) = &inner.openid {
            logout_uris::check_reach(&self.openid, |url| openid.reaches(url))?;
        }
        if self.openid.subject_type == SubjectType::Pairwise {
            let is_offered = inner.openid.as_ref().is_some_and(|openid| openid.pairwise.is_some());
            let uris =
                self.redirect_uris_given().iter().filter_map(|uri| RedirectUri::parse(uri).ok());
            let has_sector = pairwise::sector(&self.openid, &uris.collect::<Vec<_>>()).is_some();
            if !is_offered || !has_sector {
                return Err(RegistrationError::NoPairwiseSubjects);
            }
        }
        let beside = message_metadata::Beside::of(self.auth.as_ref(), inner.openid.as_ref());
        message_metadata::check(&self.openid, &beside)?;
        let keys_are_fetched = match &self.auth {
            Some(RegisteredAuth::PrivateKeyJwt { keys, .. }) => keys.are_fetched(),
            _ => self.openid.keys.as_ref().is_some_and(ClientKeys::are_fetched),
        };
        match keys_are_fetched && inner.remote_keys.is_none() {
            true => Err(RegistrationError::NoKeysFetched),
            false => Ok(()),
        }
    }
}
