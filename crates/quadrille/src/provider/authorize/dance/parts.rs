//! The parts of a reply with codes and tokens (RFC 6749, section 4.2.2; OpenID Connect Core, sections
//! 3.2.2.5 and 3.3.2.5).

use std::sync::Arc;

use crate::{
    Secret,
    oauth2::{ResponseType, TokenResponse},
    provider::{
        client::record::Client,
        error::{Error, endpoint::TokenError},
        openid::id_token::{self, Beside},
        server::Inner,
        store::{CodeRecord, Grant},
        token::grant::implicit,
    },
};

/// The parts of a reply.
#[derive(Default)]
pub(crate) struct Parts {
    pub(super) code: Option<Secret>,
    pub(super) token: Option<TokenResponse>,
    pub(super) id_token: Option<Secret>,
    pub(super) session_state: Option<String>,
}

impl Parts {
    /// Issues the tokens of a response type beside `code`, for a grant that its user has just
    /// approved. The application decides about an ID token as about an access token.
    pub(super) async fn issue(
        inner: &Inner,
        client: &Arc<Client>,
        response_type: ResponseType,
        approved: &CodeRecord,
        code: Option<Secret>,
        state: Option<&str>,
    ) -> Result<Self, Error> {
        if !response_type.has_any_token() {
            return Ok(Self { code, ..Self::default() });
        }
        let grant = Grant { id: approved.row, ..approved.grant.clone() };
        let asked = grant.clone().of_tokens();
        let minted = match response_type.has_token() {
            true => Some(implicit::minted(inner, client, asked.clone()).await?),
            false => None,
        };
        let token = minted.as_ref().map(|minted| minted.response(None));
        let scopes = match &minted {
            Some(minted) => minted.record.grant.scopes.clone(),
            None => implicit::allowed(inner, client, asked).await?,
        };
        let id_token = match response_type.has_id_token() {
            true => {
                let grant = Grant { scopes, ..grant };
                let beside = Beside {
                    nonce: grant.openid().and_then(|openid| openid.nonce.as_deref()),
                    access_token: token.as_ref().map(|token| token.access_token.expose()),
                    code: code.as_ref().map(Secret::expose),
                    state,
                };
                let issued = id_token::issue(inner, client, &grant, beside, inner.now()).await?;
                // The application has taken the scope away.
                Some(issued.ok_or(TokenError::UserRefused)?.into())
            }
            false => None,
        };
        // Last, so that what fails can be tried again.
        if let Some(minted) = minted {
            implicit::store_once(inner, client, minted, approved).await?;
        }
        Ok(Self { code, token, id_token, session_state: None })
    }
}
