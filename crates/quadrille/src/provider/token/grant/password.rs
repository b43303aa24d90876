//! Passwords of users that clients see (RFC 6749, section 4.3).

use std::sync::Arc;

use crate::{
    RemoteAddress, Scopes,
    oauth2::{Resources, TokenResponse},
    provider::{
        client::{grant_type::GrantType, record::Client},
        error::{Error, OperatorError},
        server::Inner,
        token::decided::{
            granted::Granted,
            password::{PasswordAttempt, PasswordNotChecked},
        },
    },
};

use super::{
    direct::{self, Asked},
    error::{DirectError, PasswordError},
};

/// Answers a token request with a user name and a password.
pub(crate) async fn issue(
    inner: &Inner,
    client: &Arc<Client>,
    (user_name, password): (&str, &str),
    (scope, resource): (Option<&Scopes>, &Resources),
    from: Option<RemoteAddress>,
) -> Result<TokenResponse, Error> {
    let verifier = inner.decided.password.as_ref().ok_or(DirectError::NotOffered)?;
    let asked = Asked::check(inner, client, scope, resource)?;
    let attempt = PasswordAttempt {
        user_name: user_name.to_owned(),
        password: password.into(),
        client: client.clone(),
        scopes: asked.scopes.clone(),
        resources: asked.resources.clone(),
        from,
    };
    let turn = match verifier.limits_guesses_itself() {
        true => None,
        false => {
            let at = (inner.env.steady(), inner.limits_now().await?);
            let turn = inner.shared.passwords.turn(user_name, from, at).await;
            Some(turn.map_err(PasswordError::TooMany)?)
        }
    };
    let number = direct::number(inner, client).await?;
    let checked = verifier.verify(attempt).await;
    if let Some(turn) = turn {
        match &checked {
            Ok(None) => turn.was_wrong(),
            Ok(Some(_)) => turn.was_right().await,
            Err(_) => turn.was_not_looked_at().await,
        }
    }
    let authentication = checked.map_err(not_checked)?.ok_or(PasswordError::Wrong)?;
    let granted = Granted::to_user(authentication.subject.clone())
        .authenticated(authentication)
        .with_refresh_token();
    direct::issue(inner, client, (GrantType::Password, number), asked, granted, None).await
}

fn not_checked(reason: PasswordNotChecked) -> Error {
    match reason {
        PasswordNotChecked::TooMany(wait) => PasswordError::TooMany(wait).into(),
        PasswordNotChecked::Busy(wait) => PasswordError::Busy(wait).into(),
        PasswordNotChecked::Unavailable(error) => OperatorError::Grant(error).into(),
    }
}
