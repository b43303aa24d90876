//! OAuth 1.0a: a verifier for temporary credentials (RFC 5849, section 2.2).

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    oauth1::{Callback, Problem},
    provider::{
        authorize::error::AuthorizeError,
        client::{
            record::Client,
            redirect_uri::{RedirectUri, matching::RedirectRule},
        },
        error::Error,
        server::Inner,
        store::{Approval, Grant, Outcome, RowId, TicketId, TicketUse},
        token::format::{TokenKey, TokenSecret, sha256},
        wire,
    },
};

use super::{Parts, Rules};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ForVerifier {
    /// The row of the temporary credentials.
    pub(crate) temporary: RowId,
    /// The identifier, as the client has it.
    pub(crate) token: Arc<str>,
    /// The callback; `None` if the verifier is shown to the user (`oob`).
    pub(crate) callback: Option<RedirectUri>,
    pub(crate) expires: Timestamp,
}

impl ForVerifier {
    fn verifier(&self, inner: &Inner, secret: &TokenSecret) -> String {
        inner.oauth1.verifier(self.callback.is_none(), secret)
    }
}

impl Rules for ForVerifier {
    fn destination(&self) -> Option<&RedirectUri> {
        self.callback.as_ref()
    }

    fn ends(&self) -> Option<Timestamp> {
        Some(self.expires)
    }

    fn is_open_to(&self, client: &Client, rule: Option<&RedirectRule>) -> bool {
        client.oauth1.as_ref().is_some_and(|oauth1| match &self.callback {
            Some(callback) => client.redirect_uri(callback.as_str(), rule).is_some(),
            None => oauth1.out_of_band,
        }) && client.number <= self.temporary
    }

    /// The client signed for its temporary credentials. But a displayed code can be carried to
    /// anyone, so the user must have consented to this client.
    fn is_identity_assured(&self, _: &Client) -> bool {
        self.callback.is_some()
    }

    /// The state of the temporary credentials replaces the ticket.
    fn secret(&self, key: &TokenKey, _: &TicketId) -> TokenSecret {
        key.verifier_secret(self.temporary)
    }

    fn approved(
        &self,
        inner: &Inner,
        _: &Client,
        grant: Grant,
        secret: &TokenSecret,
        _: TicketUse,
    ) -> Outcome {
        let proof = Some(sha256(self.verifier(inner, secret).as_bytes()));
        Outcome::Pending(self.temporary, Some(Approval { proof, grant }))
    }

    fn denied(&self, _: TicketUse) -> Outcome {
        Outcome::Pending(self.temporary, None)
    }

    fn reply(
        &self,
        inner: &Inner,
        client: &Client,
        secret: &TokenSecret,
        _: Parts,
    ) -> Result<Response<Bytes>, Error> {
        let verifier = self.verifier(inner, secret);
        match &self.callback {
            Some(callback) => {
                let (token, verifier) = (self.token.to_string(), verifier.into());
                wire::redirect_callback(callback, &Callback::Approved { token, verifier })
            }
            None => Ok(inner.pages.verifier(client, &verifier)),
        }
    }

    fn refusal(
        &self,
        inner: &Inner,
        client: &Client,
        error: AuthorizeError,
        _: bool,
        _: Option<String>,
    ) -> Result<Response<Bytes>, Error> {
        match &self.callback {
            Some(callback) => {
                let problem = match error {
                    AuthorizeError::Denied => Problem::UserRefused,
                    _ => Problem::PermissionDenied,
                };
                let token = Some(self.token.to_string());
                wire::redirect_callback(callback, &Callback::Refused { token, problem })
            }
            None => Ok(inner.pages.refused(client)),
        }
    }
}
