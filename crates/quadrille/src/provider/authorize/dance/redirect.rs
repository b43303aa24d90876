//! OAuth 2: a code or a token for a redirect URI (RFC 6749, sections 4.1.2 and 4.2.2).

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use serde::{Deserialize, Serialize};

use crate::{
    Secret, Timestamp,
    oauth2::{AuthorizationResponse, ResponseMode, ResponseType},
    provider::{
        authorize::error::AuthorizeError,
        client::{
            record::{Client, ClientType},
            redirect_uri::{RedirectUri, matching::RedirectRule},
        },
        error::Error,
        openid::details::OpenIdDetails,
        server::Inner,
        store::{CodeRecord, Grant, Outcome, RowId, TicketId, TicketUse},
        token::format::{TokenKey, TokenKind, TokenSecret, sha256},
        wire::{self, ToClient},
    },
};

use super::{Parts, Rules};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ForRedirect {
    pub(crate) response_type: ResponseType,
    pub(crate) mode: ResponseMode,
    /// The redirect URI.
    pub(crate) redirect_uri: RedirectUri,
    /// `true` if the request had a `redirect_uri`, so that the token request needs it, too.
    pub(crate) redirect_uri_sent: bool,
    pub(crate) state: Option<String>,
    pub(crate) challenge: Option<Arc<str>>,
    /// The part of OpenID Connect; `None` for other requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) openid: Option<Box<OpenIdDetails>>,
}

impl Rules for ForRedirect {
    fn response_type(&self) -> Option<ResponseType> {
        Some(self.response_type)
    }

    fn code(&self, inner: &Inner, row: RowId, secret: &TokenSecret) -> Option<Secret> {
        let code = || inner.tokens.write(TokenKind::Code, row, secret);
        self.response_type.has_code().then(|| code().as_str().into())
    }

    fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    fn openid(&self) -> Option<&OpenIdDetails> {
        self.openid.as_deref()
    }

    fn destination(&self) -> Option<&RedirectUri> {
        Some(&self.redirect_uri)
    }

    fn ends(&self) -> Option<Timestamp> {
        None
    }

    fn is_open_to(&self, client: &Client, rule: Option<&RedirectRule>) -> bool {
        client.redirect_uri(self.redirect_uri.as_str(), rule).is_some()
            && client.uses(self.response_type)
    }

    /// Any program on the same machine can claim a loopback port or a private-use scheme and the
    /// `client_id` of a public client (RFC 8252, section 8.6), and others may get a host of a
    /// registered pattern. A code is of no use there without the client's secret, a token is.
    fn is_identity_assured(&self, client: &Client) -> bool {
        let needs_secret =
            !self.response_type.has_any_token() && client.client_type == ClientType::Confidential;
        needs_secret
            || self.redirect_uri.is_https() && client.redirect_uris.contains(&self.redirect_uri)
    }

    fn secret(&self, key: &TokenKey, ticket: &TicketId) -> TokenSecret {
        key.code_secret(ticket)
    }

    /// Each such request is a grant of its own, so its secret need not be derived.
    fn secret_without_page(&self, inner: &Inner) -> TokenSecret {
        TokenSecret::new(inner.env.random())
    }

    /// One number serves for the code and its grant. A code that is not sent is the memory of the
    /// approval.
    fn approved(
        &self,
        inner: &Inner,
        client: &Client,
        grant: Grant,
        secret: &TokenSecret,
        ticket: TicketUse,
    ) -> Outcome {
        let code = CodeRecord {
            row: grant.id,
            hash: sha256(&secret[..]),
            grant,
            redirect_uri: self.redirect_uri_sent.then(|| self.redirect_uri.clone().into()),
            challenge: self.challenge.clone(),
            expires: inner.now() + client.policy(&inner.policy).code_lifetime,
            redeemed: false,
        };
        Outcome::Ticket(ticket, Some(code))
    }

    fn denied(&self, ticket: TicketUse) -> Outcome {
        Outcome::Ticket(ticket, None)
    }

    fn reply(
        &self,
        inner: &Inner,
        _: &Client,
        _: &TokenSecret,
        parts: Parts,
    ) -> Result<Response<Bytes>, Error> {
        let (state, iss) = (self.state.clone(), Some(inner.issuer.as_str().to_owned()));
        let answer = match parts {
            Parts { code: Some(code), token: None, id_token: None, session_state } => {
                AuthorizationResponse::Code { code, state, iss, session_state }
            }
            Parts { code: None, token: Some(token), id_token: None, .. } => {
                AuthorizationResponse::Token { token, state, iss }
            }
            Parts { code, token, id_token, session_state } => {
                let token = token.map(Box::new);
                AuthorizationResponse::OpenId { code, token, id_token, state, iss, session_state }
            }
        };
        wire::redirect(&self.redirect_uri, self.mode, &answer)
    }

    fn refusal(
        &self,
        inner: &Inner,
        _: &Client,
        error: AuthorizeError,
        is_trusted: bool,
        session_state: Option<String>,
    ) -> Result<Response<Bytes>, Error> {
        let to = ToClient {
            error: error.into(),
            redirect_uri: self.redirect_uri.clone(),
            mode: self.mode,
            state: self.state.clone(),
            session_state,
        };
        match is_trusted {
            true => wire::redirect_error(&to, inner.issuer.as_str()),
            false => warn(inner, to),
        }
    }
}

/// The page that tells the user of an error, with a link to the client: no link sends a form.
pub(crate) fn warn(inner: &Inner, mut to: ToClient) -> Result<Response<Bytes>, Error> {
    if to.mode == ResponseMode::FormPost {
        to.mode = ResponseMode::Query;
    }
    let told = wire::redirect_error(&to, inner.issuer.as_str())?;
    Ok(inner.pages.warn(to.error, &to.redirect_uri, &told))
}
