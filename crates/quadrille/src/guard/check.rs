//! The check of a request by a guard: its token or signature, and its audience.

use std::sync::Arc;

use http::{header, request::Parts, uri};

use crate::{RemoteAddress, Timestamp, public_uri};

use super::{
    authority::{Answer, SignedAt},
    body::Seen,
    error::AccessError,
    log,
    options::Guard,
    presented::presented,
    refused::Place,
    signed::{body_of, read_signed},
    verdict::Guarded,
    verified::Verified,
};

impl Guard {
    /// Checks the token of a request, or its signature if OAuth 1.0a is offered: `None` if it has
    /// neither. `body` matters only to signed requests: the whole form, or the bytes that
    /// `oauth_body_hash` covers.
    ///
    /// # Errors
    /// [`AccessError`] if the credentials are invalid.
    pub async fn check(&self, parts: &Parts, body: &[u8]) -> Result<Option<Verified>, AccessError> {
        let origin = self.0.manner.origin(self.origin(parts));
        self.check_at(origin, parts, Some(Ok(body)), self.0.authority.now()).await
    }

    /// Checks a request with this body, as [`look`](Self::look) does behind a layer.
    pub(super) async fn judge(&self, parts: &Parts, body: &[u8]) -> Guarded {
        self.guarded(parts, Some(Ok(body))).await
    }

    async fn guarded(&self, parts: &Parts, body: Seen<'_>) -> Guarded {
        let (manner, origin, at) = (&self.0.manner, self.origin(parts), self.0.authority.now());
        let verdict = self.check_at(manner.origin(origin), parts, body, at).await;
        let from = RemoteAddress::of(&parts.extensions);
        Guarded { place: Place { manner: Arc::clone(manner), origin, at, from }, verdict }
    }

    async fn check_at(
        &self,
        origin: &str,
        parts: &Parts,
        body: Seen<'_>,
        at: Timestamp,
    ) -> Result<Option<Verified>, AccessError> {
        if let Some(before) = &self.0.before {
            before(parts)?;
        }
        let found = match self.signing(origin, parts, body)? {
            Some(signing) => signing.await?,
            None => {
                let log = |error: &AccessError| log::at_api(error, parts);
                match presented(parts, body, self.0.ways).inspect_err(log)? {
                    Some(token) => self.0.authority.token(&token, at).await.inspect_err(log)?,
                    None => return Ok(None),
                }
            }
        };
        let from = RemoteAddress::of(&parts.extensions);
        let found = unbound(self.meant(found, from)?, from)?;
        match &self.0.after {
            Some(after) => after(found).await.map(Some),
            None => Ok(Some(found)),
        }
    }

    /// The check of a signed request, if it is one and signed requests are accepted. It is in a box
    /// of its own, since most requests have none.
    fn signing<'r>(
        &'r self,
        origin: &'r str,
        parts: &'r Parts,
        body: Seen<'r>,
    ) -> Result<Option<Answer<'r>>, AccessError> {
        if !self.0.authority.offers_oauth1() {
            return Ok(None);
        }
        let read = read_signed(parts, body).inspect_err(|error| {
            log::signed_at_api(error, parts, body.and_then(Result::ok).unwrap_or(&[]));
        })?;
        let Some((signed, body)) = read else { return Ok(None) };
        let allows_clients = self.0.allows_clients;
        let request = SignedAt { parts, signed, body, origin, allows_clients };
        let checked = self.0.authority.signed(request);
        Ok(Some(Box::pin(async move {
            checked.await.inspect_err(|error| {
                if let AccessError::Signature(error) = error {
                    log::signed_at_api(error, parts, body);
                }
            })
        })))
    }

    /// Accepts a valid token that is for this API. A token that names none is for the server's own.
    fn meant(&self, token: Verified, from: Option<RemoteAddress>) -> Result<Verified, AccessError> {
        let (named, is_own) = (token.audience(), self.0.is_own);
        let is_meant = match self.0.audience.as_deref() {
            Some(uri) => named.contains(uri) || (is_own && named.is_empty()),
            None => named.is_empty(),
        };
        if is_meant {
            return Ok(token);
        }
        let error = AccessError::OtherAudience;
        log::token(
            &error,
            token.client(),
            ("audience", named.as_str()),
            self.0.audience.as_deref(),
            from,
        );
        Err(error)
    }

    /// Checks a request at the path that the client signed, also within a nested router.
    pub(super) async fn look(&self, parts: &mut Parts) -> Guarded {
        let public = public_uri::of(&parts.extensions).filter(|public| **public != parts.uri);
        let nested = public.cloned().map(|public| std::mem::replace(&mut parts.uri, public));
        let guarded = self.guard(parts).await;
        if let Some(nested) = nested {
            parts.uri = nested;
        }
        guarded
    }

    async fn guard(&self, parts: &Parts) -> Guarded {
        self.guarded(parts, body_of(parts)).await
    }

    /// The number of the request's origin: of the API's origin that the `Host` header names, else of
    /// the main one.
    fn origin(&self, parts: &Parts) -> usize {
        let origins = &self.0.manner.origins;
        if origins.len() < 2 {
            return 0;
        }
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        // HTTP/2 has the host in the URI.
        let host = host.or(parts.uri.authority().map(uri::Authority::as_str)).unwrap_or("");
        origins.iter().position(|origin| is_at(origin, host)).unwrap_or(0)
    }
}

/// `true` if a host, with or without its port, is that of an origin.
fn is_at(origin: &str, host: &str) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let port = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
    let bare = |text: &str| text.strip_suffix(port).unwrap_or(text).to_ascii_lowercase();
    bare(authority) == bare(host)
}

/// Refuses a token that is bound to a key (RFC 9449, section 7.2; RFC 8705, section 3): of that key
/// no proof is read.
fn unbound(token: Verified, from: Option<RemoteAddress>) -> Result<Verified, AccessError> {
    let Some(binding) = token.binding() else { return Ok(token) };
    let error = AccessError::Unproven;
    log::token(&error, token.client(), ("binding", &format!("{binding:?}")), None, from);
    Err(error)
}
