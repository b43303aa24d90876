//! Signed requests at an API (RFC 5849, section 3).

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;

use crate::{
    Scopes, Timestamp,
    oauth1::SignedRequest,
    provider::{
        actor::Actor,
        client::record::{Client, GrantType},
        server::Inner,
        store::{AccessRecord, Grant},
        verified::Verified,
    },
};

use super::{
    OAuth1Error,
    body::BodyRead,
    verify::{self, CheckedToken, Wanted},
    wire,
};

/// Checks a request that is signed; `None` when it is not, and may be a bearer's.
pub(crate) async fn check(
    inner: &Inner,
    parts: &Parts,
    body: Seen<'_>,
    origin: &str,
    allows_clients: bool,
) -> Result<Option<Verified>, OAuth1Error> {
    if !inner.oauth1.is_offered() {
        return Ok(None);
    }
    let Some((signed, body)) = read_signed(parts, body)? else { return Ok(None) };
    let from = wire::from(parts);
    let checked = verify::check(inner, &signed, origin, Wanted::CredentialOrNothing, from).await?;
    signed.check_body(body)?;
    let found = match &checked.token {
        CheckedToken::Credential(held) => held.access.clone(),
        _ if allows_clients => for_itself(&checked.client, inner.scopes.known())?,
        _ => return Err(OAuth1Error::TokenMissing),
    };
    verify::remember(inner, &signed, checked.now).await?;
    Ok(Some(found.into()))
}

/// What was read of a body before the request is judged; `None` where nobody read it.
pub(crate) type Seen<'b> = Option<Result<&'b [u8], OAuth1Error>>;

/// Reads a request that is signed, with its body; `None` when it is not signed.
///
/// # Errors
/// [`OAuth1Error`]. A body on which it depends must have been read.
pub(crate) fn read_signed<'r>(
    parts: &'r Parts,
    body: Seen<'r>,
) -> Result<Option<(SignedRequest<'r>, &'r [u8])>, OAuth1Error> {
    let known = match &body {
        Some(Ok(body)) => body,
        Some(Err(_)) | None => &[][..],
    };
    let Some(signed) = SignedRequest::read(parts, known)? else { return Ok(None) };
    match body {
        Some(body) => Ok(Some((signed, body?))),
        None if signed.depends_on_the_body() => {
            tracing::error!("the body of a signed request was not read before it was checked");
            Err(OAuth1Error::Unavailable)
        }
        None => Ok(Some((signed, &[]))),
    }
}

/// What a client may do that signed with its own key only.
fn for_itself(client: &Client, known: &Scopes) -> Result<Arc<AccessRecord>, OAuth1Error> {
    if !client.grant_types.contains(&GrantType::ClientCredentials) {
        return Err(OAuth1Error::NotForItself);
    }
    let grant = Grant {
        id: client.number,
        client: client.id.clone(),
        actor: Actor::Client(client.id.clone()),
        scopes: client.scopes.intersection(known),
        resources: Default::default(),
        authentication: None,
    };
    let (row, hash, expires) = (client.number, [0; 32], Timestamp::NEVER);
    Ok(Arc::new(AccessRecord { row, hash, grant, expires }))
}

/// What a layer read of the body; `None` where none did.
pub(crate) fn body_of(parts: &Parts) -> Option<Result<Bytes, OAuth1Error>> {
    parts.extensions.get::<BodyRead>().map(|read| read.0.clone())
}

/// The same, to look at.
pub(crate) fn seen(body: &Option<Result<Bytes, OAuth1Error>>) -> Seen<'_> {
    body.as_ref().map(|body| body.as_ref().map(|body| &body[..]).map_err(|error| *error))
}
