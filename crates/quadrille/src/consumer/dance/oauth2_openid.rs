//! The ID token in responses of the token endpoint (OpenID Connect Core, sections 3.1.3.3 and 12.2).

use serde_json::Value;

use crate::{
    Secret,
    consumer::{
        account::{Account, Token},
        attempt::Attempt,
        claims::Claims,
        error::{Error, Result, ServiceError},
        openid::{self, OpenIdProvider},
        site::Site,
    },
    oauth2::TokenResponse,
    oidc::Expected,
};

use super::{Answers, oauth2::OAuth2Dance};

impl OAuth2Dance {
    /// The ID token of a login, which is valid, and its claims.
    pub(super) async fn identified(
        &self,
        openid: &OpenIdProvider,
        site: &Site,
        attempt: &Attempt,
        answer: &TokenResponse,
        answers: Answers<'_>,
    ) -> Result<(Secret, Claims)> {
        let Some(text) = id_token(answer) else {
            return Err(Error::service(&self.service.name, ServiceError::IdTokenMissing));
        };
        let expected = openid.expected(answers.nonce).access_token(answer.access_token.expose());
        let expected = match answers.beside {
            Some(beside) => expected.same_user_as(beside),
            None => expected,
        };
        let classes = attempt.required.classes();
        let expected = attempt.required.of(expected, &classes);
        let signed = openid.opened(text)?;
        let token = openid.verify(&site.env, &signed, &expected).await?;
        let claims = openid.claims(&token)?;
        Ok((signed.as_str().into(), claims))
    }

    /// The ID token of an account after a refresh: the new one if there is one, and it agrees with
    /// the old one. A new one that cannot be verified now, because the keys cannot be fetched,
    /// counts as none: the refresh token before it may be spent.
    pub(crate) async fn refreshed_id_token(
        &self,
        site: &Site,
        account: &Account,
        old: &Token,
        answer: &TokenResponse,
    ) -> Result<Option<Secret>> {
        let kept = || Ok(old.id_token.clone());
        let (Some(openid), Some(text)) = (&self.openid, id_token(answer)) else { return kept() };
        let login = old.id_token.as_ref().and_then(openid::kept);
        let subject = openid.subject_of(&account.subject, login.as_ref());
        let expected = match (&login, subject) {
            (Some(login), _) => Expected::refreshed(login),
            (None, Some(subject)) => Expected::refreshed_for(subject),
            // The token says nothing that could be compared.
            (None, None) => return kept(),
        };
        let expected = expected.access_token(answer.access_token.expose());
        let signed = openid.opened(text)?;
        match openid.verify(&site.env, &signed, &expected).await {
            Ok(_) => Ok(Some(signed.as_str().into())),
            Err(error @ Error::Service { error: ServiceError::IdTokenRejected(_), .. }) => {
                Err(error)
            }
            Err(error) => {
                let (service, code) = (&*self.service.name, error.code());
                tracing::warn!(service, %error, code, "the ID token of a refresh is not verified");
                kept()
            }
        }
    }
}

/// The ID token in a response. An empty one is none.
fn id_token(answer: &TokenResponse) -> Option<&str> {
    answer.extra.get("id_token").and_then(Value::as_str).filter(|token| !token.is_empty())
}
