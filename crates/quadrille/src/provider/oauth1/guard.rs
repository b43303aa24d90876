//! Signed requests at an API (RFC 5849, section 3).

use std::sync::Arc;

use bytes::Bytes;
use http::{header, request::Parts};

use crate::{Timestamp, oauth1::SignedRequest};

use super::{
    super::{
        Actor, Client, GrantType, Verified,
        server::Inner,
        store::{AccessRecord, Grant},
    },
    OAuth1Error,
    body::{BodyRead, is_oauth},
    verify::{CheckedToken, Wanted},
    wire,
};

impl Inner {
    /// Checks a request that is signed; `None` when it is not, and may be a bearer's. `body` is as
    /// much as was read of it.
    pub(crate) async fn check_signature(
        &self,
        parts: &Parts,
        body: Result<&[u8], OAuth1Error>,
        origin: &str,
        allows_clients: bool,
    ) -> Result<Option<Verified>, OAuth1Error> {
        if !self.oauth1.is_offered() {
            return Ok(None);
        }
        let credentials = parts.headers.get(header::AUTHORIZATION);
        let in_header = credentials.is_some_and(|value| is_oauth(value.as_bytes()));
        // Most requests end here.
        if credentials.is_some() && !in_header {
            return Ok(None);
        }
        let Some(signed) = SignedRequest::read(parts, body.unwrap_or(&[]))? else {
            return Ok(None);
        };
        let body = body?;
        let from = wire::from(parts);
        let checked = self.check_signed(&signed, origin, Wanted::CredentialOrNothing, from).await?;
        signed.check_body(body)?;
        let found = match &checked.token {
            CheckedToken::Credential(held) => held.access.clone(),
            _ if allows_clients => for_itself(&checked.client)?,
            _ => return Err(OAuth1Error::TokenMissing),
        };
        self.remember_signed(&signed).await?;
        Ok(Some(found.into()))
    }
}

/// What a client may do that signed with its own key only.
fn for_itself(client: &Client) -> Result<Arc<AccessRecord>, OAuth1Error> {
    if !client.grant_types.contains(&GrantType::ClientCredentials) {
        return Err(OAuth1Error::NotForItself);
    }
    let grant = Grant {
        id: client.number,
        client: client.id.clone(),
        actor: Actor::Client(client.id.clone()),
        scopes: client.scopes.clone(),
        resources: Default::default(),
        authentication: None,
    };
    let (row, hash, expires) = (client.number, [0; 32], Timestamp::NEVER);
    Ok(Arc::new(AccessRecord { row, hash, grant, expires }))
}

/// What was read of the body by a layer; nothing where no signature covers it.
pub(crate) fn body_of(parts: &Parts) -> Result<Bytes, OAuth1Error> {
    parts.extensions.get::<BodyRead>().map_or(Ok(Bytes::new()), |read| read.0.clone())
}
