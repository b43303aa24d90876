//! Temporary credentials (RFC 5849, section 2.1).

use bytes::Bytes;
use http::{Request, Response};

use crate::{
    Scopes,
    guard::SignatureError,
    oauth1::{Credentials, OUT_OF_BAND, SignedRequest},
    oauth2::Resources,
    provider::{
        client::{
            record::Client,
            redirect_uri::{RedirectUri, matching::RedirectRule},
            sealed::SecretUse,
        },
        error::Error,
        oauth1::error::CredentialsError,
        scopes::fit_a_page,
        server::Inner,
        store::{PendingKind, PendingRecord, PendingState, TemporaryCredentials},
        token::format::TokenKind,
    },
};

use super::{
    remember::remember,
    values::Value,
    verify::{self, Wanted},
    wire,
};

/// The answer to a request for temporary credentials.
pub(crate) async fn answer(inner: &Inner, request: Request<Bytes>) -> Response<Bytes> {
    let said = request.clone();
    let issued = request_token(inner, request).await;
    wire::answer(issued, inner.issuer.origin(), "temporary credentials", said)
}

async fn request_token(
    inner: &Inner,
    request: Request<Bytes>,
) -> Result<Credentials, CredentialsError> {
    let (parts, body) = request.into_parts();
    let signed = wire::read(&parts, &body)?;
    let (origin, from) = (inner.issuer.origin(), inner.address_of(&parts.extensions));
    let checked = verify::check(inner, &signed, origin, Wanted::Nothing, from).await?;
    signed.check_body(&body)?;
    let client = &checked.client;
    let (callback, scopes) =
        decide(&signed, client, inner.scopes.known(), inner.redirect_rule.as_deref(), origin)?;
    remember(inner, &signed, checked.now).await?;
    let now = checked.now;
    let row = inner.row_of_grant(client.number).await?;
    let (token, identifier) =
        verify::identifier(inner, Value::Temporary, TokenKind::Temporary, row);
    let (secret, sealed) =
        verify::shared_secret(inner, &client.id, SecretUse::TemporaryCredentials);
    let pending = PendingRecord {
        row,
        identifier,
        user_code: None,
        client: client.id.clone(),
        scopes,
        resources: Resources::EMPTY,
        expires: now + inner.oauth1.temporary_lifetime,
        state: PendingState::Pending,
        kind: PendingKind::Temporary(TemporaryCredentials { secret: sealed, callback }),
    };
    let issuer = inner.issuer_id().await?;
    if !inner.store.put_pending(issuer, pending).await.map_err(Error::from)? {
        tracing::error!("`OAuth1::values` made the identifier of temporary credentials twice");
        return Err(SignatureError::Unavailable.into());
    }
    tracing::debug!(client = %client.id, "temporary credentials issued");
    let credentials = Credentials::temporary(token, secret);
    Ok(inner.oauth1.with_extras(credentials, client, None))
}

/// The callback (`None` for `oob`) and the requested scopes. Without a `scope` the realm names
/// them, as Flask-OAuthlib has it: one that names none of the client's scopes is for no scope,
/// except that of this server's challenges (`origin`), which is for the client's defaults. The
/// realm is not signed, so a change on the way can only leave scopes out that users are asked about.
fn decide(
    signed: &SignedRequest<'_>,
    client: &Client,
    known: &Scopes,
    rule: Option<&RedirectRule>,
    origin: &str,
) -> Result<(Option<RedirectUri>, Scopes), CredentialsError> {
    let callback = signed.callback().ok_or(CredentialsError::CallbackMissing)?;
    let may_use_none = client.oauth1.as_ref().is_some_and(|oauth1| oauth1.out_of_band);
    let callback = match callback {
        OUT_OF_BAND if may_use_none => None,
        OUT_OF_BAND => return Err(CredentialsError::CallbackNotRegistered),
        callback => Some(
            client.redirect_uri(callback, rule).ok_or(CredentialsError::CallbackNotRegistered)?,
        ),
    };
    let asked = signed.parameter("scope")?.filter(|text| !text.trim().is_empty());
    let asked = asked.map(|text| Scopes::parse(&text)).transpose();
    let asked = asked.map_err(|_| CredentialsError::ScopeNotAllowed)?;
    let is_unknown = |realm: &&str| !realm.trim().is_empty() && *realm != origin;
    let realm = signed.realm().filter(is_unknown);
    let asked = asked.or_else(|| realm.map(|realm| named_by_realm(realm, client)));
    let scopes = client.requested_scopes(asked.as_ref(), known);
    let scopes = scopes.ok_or(CredentialsError::ScopeNotAllowed)?;
    match fit_a_page(&scopes) {
        true => Ok((callback, scopes)),
        false => Err(CredentialsError::TooManyScopes),
    }
}

/// The scopes of the client that a realm names.
fn named_by_realm(realm: &str, client: &Client) -> Scopes {
    let words = realm.split(|c: char| c.is_ascii_whitespace() || c == ',');
    words.filter(|word| client.scopes.contains(word)).collect()
}
