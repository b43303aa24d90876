//! The profile of an account, requested with its token.

use http::Method;
use serde_json::Value;

use crate::{
    consumer::{
        call::{Call, api::Api},
        claims::Profile,
        error::{Error, OperatorError, Result},
        identity, openid,
    },
    transport::Purpose,
};

impl Api {
    /// The profile of the account: user name, display name, e-mail address and picture, as far as
    /// the service says them and the token's scopes suffice.
    ///
    /// One request, and another one at a service that has the addresses elsewhere
    /// ([`Spec::email_list`](crate::Spec::email_list)). A service that only identifies its accounts
    /// needs none, and its profile has only the subject.
    ///
    /// # Errors
    /// [`Error::Api`] and the others of [`Api::get`];
    /// [`OperatorError::ServiceMismatch`] for a service without
    /// [`Spec::identity`](crate::Spec::identity).
    pub async fn profile(&self) -> Result<Profile> {
        let (held, registered) = (self.held(), self.held().registered());
        let stored = held.stored();
        let known = stored.account.subject.clone();
        let (subject, all) = match identity::claims(self).await? {
            found if let Some(openid) = registered.provider() => {
                let id_token = stored.token.id_token.as_ref().and_then(openid::kept);
                let all = match found {
                    Some((subject, all)) => {
                        openid.check_userinfo(&known, id_token.as_ref(), subject.as_deref())?;
                        all
                    }
                    // There is no such endpoint.
                    None => id_token.map_or(Value::Null, |token| openid::all_claims(&token)),
                };
                (known.to_string(), all)
            }
            // The identifier is the one of the login.
            Some((_, all)) if registered.subject_in_token.is_some() => (known.to_string(), all),
            Some((subject, all)) => (identity::identified(registered, subject)?, all),
            None if registered.subject_in_token.is_some() => (known.to_string(), Value::Null),
            None => {
                let service = (*registered.name).into();
                return Err(OperatorError::ServiceMismatch { service }.into());
            }
        };
        let mut profile = registered.profile.read(subject, all);
        if let Some(path) = &registered.spec.email_list {
            let url = registered.below_api(&held.stored().token, path);
            let call = Call::new(held.clone(), Method::GET, url).purpose(Purpose::Identity);
            match call.send_token_to_another_origin().json().await {
                Ok(list) => profile.take_email(&list),
                // The scopes do not suffice.
                Err(Error::Api { status, .. }) if matches!(status.as_u16(), 401 | 403 | 404) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(profile)
    }
}
