//! The two dances that lead through the authorization endpoint: what a yes becomes in each, and
//! where the answer goes.

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use serde::{Deserialize, Serialize};

use crate::{
    Scopes, Timestamp,
    oauth1::{Callback, Problem},
    oauth2::Resources,
    provider::{
        actor::{Actor, Authentication},
        client::{record::Client, redirect_uri::RedirectUri},
        error::{BrowserError, ClientError, Error},
        refusal,
        server::Inner,
        store::{self, Answered, CodeRecord, Grant, Outcome, RowId, TicketId},
        token::format::{TokenKey, TokenKind, TokenSecret, sha256},
        wire,
    },
};

use super::{authorization, request::ToClient};

/// What is asked for, and where the answer goes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Dance {
    /// OAuth 2: a code for a redirect URI.
    Code(ForCode),
    /// OAuth 1.0a: a verifier for temporary credentials.
    Verifier(ForVerifier),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ForCode {
    /// Where to answer.
    pub(crate) redirect_uri: RedirectUri,
    /// Whether the request named it, so that the token request must, too.
    pub(crate) redirect_uri_sent: bool,
    pub(crate) state: Option<String>,
    pub(crate) challenge: Option<Arc<str>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ForVerifier {
    pub(crate) temporary: RowId,
    /// The identifier, as the client knows it.
    pub(crate) token: Arc<str>,
    /// Where to answer; `None` where the answer is shown to the person (`oob`).
    pub(crate) callback: Option<RedirectUri>,
    pub(crate) expires: Timestamp,
}

impl Dance {
    /// Where the answer goes; `None` where it is shown to the person.
    pub(crate) fn destination(&self) -> Option<&RedirectUri> {
        match self {
            Self::Code(asked) => Some(&asked.redirect_uri),
            Self::Verifier(asked) => asked.callback.as_ref(),
        }
    }

    /// When an answer would come too late, whatever else holds.
    pub(crate) fn ends(&self) -> Option<Timestamp> {
        match self {
            Self::Code(_) => None,
            Self::Verifier(asked) => Some(asked.expires),
        }
    }

    /// Whether the client may still be answered so.
    pub(crate) fn is_open_to(&self, client: &Client) -> bool {
        let is_registered =
            |uri: &RedirectUri| RedirectUri::named(uri.as_str(), &client.redirect_uris).is_some();
        match self {
            Self::Code(asked) => is_registered(&asked.redirect_uri),
            Self::Verifier(asked) => {
                client.oauth1.as_ref().is_some_and(|oauth1| match self.destination() {
                    Some(callback) => is_registered(callback),
                    None => oauth1.out_of_band,
                }) && client.number <= asked.temporary
            }
        }
    }

    /// What the code, or the verifier, is made of: the same whenever the same page is answered.
    pub(crate) fn secret(&self, key: &TokenKey, ticket: &TicketId) -> TokenSecret {
        match self {
            Self::Code(_) => key.code_secret(ticket),
            Self::Verifier(asked) => key.verifier_secret(asked.temporary),
        }
    }

    /// A yes, as the store takes it. One number serves for the code and the grant that it stands for.
    pub(crate) fn outcome(&self, inner: &Inner, grant: Grant, secret: &TokenSecret) -> Outcome {
        match self {
            Self::Code(asked) => Outcome::Code(CodeRecord {
                row: grant.id,
                hash: sha256(&secret[..]),
                grant,
                redirect_uri: asked.redirect_uri_sent.then(|| asked.redirect_uri.clone().into()),
                challenge: asked.challenge.clone(),
                expires: inner.now() + inner.policy.code_lifetime,
                redeemed: false,
            }),
            Self::Verifier(asked) => {
                let verifier = sha256(asked.verifier(inner, secret).as_bytes());
                Outcome::Temporary(asked.temporary, store::Approval { verifier, grant })
            }
        }
    }

    /// A no, as the store takes it.
    pub(crate) const fn no(&self) -> Outcome {
        match self {
            Self::Code(_) => Outcome::Denied,
            Self::Verifier(asked) => Outcome::TemporaryDenied(asked.temporary),
        }
    }

    /// The answer to the client when the person said yes. `row` is that of the code.
    pub(crate) fn approved(
        &self,
        inner: &Inner,
        client: &Client,
        row: RowId,
        secret: &TokenSecret,
    ) -> Result<Response<Bytes>, Error> {
        match self {
            Self::Code(asked) => {
                let code = inner.tokens.write(TokenKind::Code, row, secret);
                let (uri, state) = (&asked.redirect_uri, asked.state.as_deref());
                wire::redirect_code(uri, code.as_str(), state, inner.issuer.as_str())
            }
            Self::Verifier(asked) => {
                let verifier = asked.verifier(inner, secret);
                match self.destination() {
                    Some(callback) => {
                        let (token, verifier) = (asked.token.to_string(), verifier.into());
                        wire::redirect_callback(callback, &Callback::Approved { token, verifier })
                    }
                    None => Ok(inner.pages.verifier(client, &verifier)),
                }
            }
        }
    }

    /// The answer that tells the client why not; the person instead, where the client is not
    /// [trusted](super::request::is_trusted).
    pub(crate) fn refused(
        &self,
        inner: &Inner,
        client: &Client,
        error: ClientError,
        is_trusted: bool,
    ) -> Result<Response<Bytes>, Error> {
        refusal::log_of_client(authorization::ENDPOINT, &error.into(), &client.id);
        match self {
            Self::Code(asked) => {
                let (redirect_uri, state) = (asked.redirect_uri.clone(), asked.state.clone());
                let to = ToClient { error, redirect_uri, state };
                let told = wire::redirect_error(&to, inner.issuer.as_str())?;
                Ok(match is_trusted {
                    true => told,
                    false => inner.pages.warn(error, &to.redirect_uri, &told),
                })
            }
            Self::Verifier(asked) => match self.destination() {
                Some(callback) => {
                    let problem = match error {
                        ClientError::Denied => Problem::UserRefused,
                        _ => Problem::PermissionDenied,
                    };
                    let token = Some(asked.token.to_string());
                    wire::redirect_callback(callback, &Callback::Refused { token, problem })
                }
                None => Ok(inner.pages.refused(client)),
            },
        }
    }
}

impl ForVerifier {
    fn verifier(&self, inner: &Inner, secret: &TokenSecret) -> String {
        inner.oauth1.verifier(self.callback.is_none(), secret)
    }
}

/// What was approved, by whom.
pub(crate) fn grant(
    id: RowId,
    client: &Client,
    scopes: Scopes,
    resources: Resources,
    authentication: Authentication,
) -> Grant {
    Grant {
        id,
        client: client.id.clone(),
        actor: Actor::User(authentication.subject.clone()),
        scopes,
        resources,
        authentication: Some(Arc::new(authentication)),
    }
}

/// The row of what was approved by `said`, now or by an earlier answer that said the same and is
/// unspent.
pub(crate) fn approved_row(
    answered: &Answered,
    said: &Outcome,
    now: Timestamp,
) -> Result<RowId, BrowserError> {
    let is_same = |then: &Grant, grant: &Grant| {
        then.scopes == grant.scopes
            && then.resources == grant.resources
            && then.actor == grant.actor
    };
    match (answered, said) {
        (Answered::First, Outcome::Code(code)) => Ok(code.row),
        (Answered::First, Outcome::Temporary(row, _)) => Ok(*row),
        (Answered::Approved(then), Outcome::Code(code))
            if then.hash == code.hash
                && is_same(&then.grant, &code.grant)
                && !then.redeemed
                && now < then.expires =>
        {
            Ok(then.row)
        }
        (Answered::Verified(then), Outcome::Temporary(row, approval)) => match &then.state {
            store::TemporaryState::Approved(before)
                if before.verifier == approval.verifier
                    && is_same(&before.grant, &approval.grant)
                    && now < then.expires =>
            {
                Ok(*row)
            }
            _ => Err(BrowserError::TicketAnswered),
        },
        _ => Err(BrowserError::TicketAnswered),
    }
}
