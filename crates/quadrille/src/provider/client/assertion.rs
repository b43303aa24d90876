//! Client assertions: JWTs by which clients authenticate (RFC 7523, section 3; OpenID Connect Core,
//! section 9).

use std::{sync::Arc, time::Duration};

use crate::{
    jose::{Claims, ClaimsError, ClaimsPolicy, TokenType, Unverified, Verification},
    provider::{
        assertion_use::{LONGEST, earliest_use},
        error::Error,
        paths::EndpointPath,
        server::Inner,
        token::format::sha256,
    },
};

use super::{
    error::AuthenticateError,
    own_keys::{self, NoKeys},
    record::Client,
    registered_auth::RegisteredAuth,
};

/// The time for which a `jti` is remembered beyond the assertion, since clocks differ.
const MARGIN: Duration = Duration::from_secs(60);

/// The space of [`OnceKeys::remember_once`](crate::provider::store::OnceKeys::remember_once).
const SPACE: &str = "client_assertion";

/// The `typ` of an assertion; older clients send `JWT`, or nothing.
const TYPE: TokenType = TokenType::IsOrPlain("client-authentication+jwt");

/// Checks an assertion that was sent to the endpoint at this path, and uses it up if it is valid.
pub(super) async fn check(
    inner: &Inner,
    client: &Arc<Client>,
    text: &str,
    at: EndpointPath,
) -> Result<(), Error> {
    let auth = client.auth.as_ref().ok_or(AuthenticateError::OtherMethod)?;
    let algorithms = auth.algorithms().ok_or(AuthenticateError::OtherMethod)?;
    let rules = Verification::new(algorithms, TYPE);
    let token = Unverified::parse(text).map_err(AuthenticateError::Assertion)?;
    let verified = match auth {
        RegisteredAuth::PrivateKeyJwt { keys, .. } => {
            let keys = own_keys::set(inner, client, keys, |keys| token.has_key_in(keys)).await;
            let keys = keys.map_err(|reason| match reason {
                NoKeys::NotFetched => AuthenticateError::KeysUnknown,
                NoKeys::Unusable => AuthenticateError::KeysUnusable,
            })?;
            token.verify(&rules, &keys)
        }
        _ => own_keys::verified_by_secret(inner, client, text, &rules),
    };
    let verified = verified.map_err(AuthenticateError::Assertion)?;
    let claims = verified.claims(&policy(inner, &client.id, at), inner.now());
    let claims = claims.map_err(AuthenticateError::AssertionClaims)?;
    use_up(inner, &client.id, &claims).await
}

/// The rules for the claims of a client's assertion. The audience is the issuer alone: an assertion
/// for the URL of an endpoint may have been meant for another server, which named that URL as its
/// own. Where the server's policy allows it, the audience is also the token endpoint or the endpoint
/// that has the request, or several of these.
fn policy(inner: &Inner, client: &str, at: EndpointPath) -> ClaimsPolicy {
    let policy = ClaimsPolicy::new(client, inner.issuer.as_str())
        .subject(client)
        .longest_lifetime(LONGEST)
        .sole_audience()
        .require("jti");
    match inner.token_endpoint_as_audience() {
        Some(endpoint) => policy.or_audience(endpoint).or_audience(inner.url_of(at)),
        None => policy,
    }
}

/// Remembers the `jti` of a valid assertion, of whose users one wins.
async fn use_up(inner: &Inner, client: &str, claims: &Claims) -> Result<(), Error> {
    let missing = |name| AuthenticateError::AssertionClaims(ClaimsError::Missing(name));
    let jti = claims.jti.as_deref().ok_or(missing("jti"))?;
    let end = claims.exp.ok_or(missing("exp"))? + ClaimsPolicy::LEEWAY;
    let key = sha256(format!("{}:{client}{jti}", client.len()).as_bytes());
    let issuer = inner.issuer_id().await?;
    let is_first = inner.store.remember_once(issuer, SPACE, key, end + MARGIN).await?;
    if !is_first {
        return Err(AuthenticateError::AssertionReplayed.into());
    }
    if !inner.store.keys_known_since().await?.knows(earliest_use(claims)) {
        return Err(AuthenticateError::AssertionBeforeRestore.into());
    }
    // A request that waited longer may have been forgotten meanwhile, also by a process whose clock
    // is ahead.
    match inner.now() > end + MARGIN / 2 {
        true => Err(AuthenticateError::AssertionClaims(ClaimsError::Expired).into()),
        false => Ok(()),
    }
}
