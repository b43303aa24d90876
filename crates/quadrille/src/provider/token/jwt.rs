//! Access tokens as JWTs (RFC 9068).

use serde_json::{Map, Value};

use crate::{
    Timestamp,
    actor::Actor,
    jose::Protected,
    json::JsonObject,
    provider::{
        error::OperatorError,
        server::Inner,
        store::{Grant, RowId},
    },
};

use super::{
    format::{TokenKind, TokenSecret},
    text::TokenText,
};

/// The expiry, issue and place of a token.
#[derive(Clone, Copy)]
pub(crate) struct Issued<'a> {
    pub(crate) row: RowId,
    /// The text that hides the number of the row in the `jti`. It opens nothing.
    pub(crate) secret: &'a TokenSecret,
    pub(crate) at: Timestamp,
    pub(crate) expires: Timestamp,
}

/// `true` if the subject of a JWT would name another actor: a user whose subject is the client's
/// identifier could not be told from the client (RFC 9068, section 5).
pub(crate) fn is_ambiguous(grant: &Grant) -> bool {
    let is_ambiguous = matches!(&grant.actor, Actor::User(subject) if *subject == grant.client);
    if is_ambiguous {
        tracing::warn!(client = %grant.client, "a user has the client's identifier: no JWT");
    }
    is_ambiguous
}

/// Signs an access token.
pub(crate) fn write(
    inner: &Inner,
    grant: &Grant,
    further: &Map<String, Value>,
    issued: Issued<'_>,
) -> Result<TokenText, OperatorError> {
    let key = inner.signing.key(issued.at).ok_or(OperatorError::NoSigningKeys)?;
    let claims = claims(inner, grant, further, issued);
    let token = key.sign(&Protected::typ("at+jwt"), &claims);
    Ok(TokenText::from(token.map_err(OperatorError::Sign)?))
}

/// The claims (RFC 9068, section 2.2), and further ones of the application. The first one is `jti`,
/// by which the server finds the row.
fn claims(
    inner: &Inner,
    grant: &Grant,
    further: &Map<String, Value>,
    issued: Issued<'_>,
) -> Vec<u8> {
    let mut claims = JsonObject::with_capacity(512);
    let jti = inner.tokens.write(TokenKind::JwtId, issued.row, issued.secret);
    claims.string("jti", jti.as_str());
    claims.string("iss", inner.issuer.as_str());
    let (Actor::User(subject) | Actor::Client(subject)) = &grant.actor;
    claims.string("sub", subject);
    let mut audience = grant.resources.iter();
    match (audience.next(), audience.next()) {
        // Section 3: without a requested API, the token is for the server's own.
        (None, _) => claims.string("aud", inner.issuer.as_str()),
        (Some(one), None) => claims.string("aud", one),
        _ => claims.value("aud", &grant.resources.iter().collect::<Vec<_>>().into()),
    }
    claims.string("client_id", &grant.client);
    claims.value("iat", &issued.at.seconds().into());
    claims.value("exp", &issued.expires.seconds().into());
    if !grant.scopes.is_empty() {
        claims.string("scope", grant.scopes.as_str());
    }
    if let Some(authentication) = grant.authentication.as_deref() {
        claims.value("auth_time", &authentication.auth_time.seconds().into());
        if let Some(acr) = &authentication.acr {
            claims.string("acr", acr);
        }
        if !authentication.amr.is_empty() {
            let amr = authentication.amr.iter().map(|method| &**method).collect::<Vec<_>>();
            claims.value("amr", &amr.into());
        }
    }
    for (name, value) in further {
        claims.value(name, value);
    }
    claims.finish()
}
