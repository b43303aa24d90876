//! JWTs of issuers elsewhere, verified and used up (RFC 7523, section 3).

use std::time::Duration;

use crate::{
    Timestamp,
    jose::{Claims, ClaimsError, ClaimsPolicy, Unverified},
    provider::{assertion_use::earliest_use, error::Error, server::Inner, store::SecretHash},
};

use super::{
    decided::trusted::{Purpose, TrustedIssuer},
    format::sha256,
    grant::error::AssertionError,
};

/// The time for which the identifier of an assertion is remembered beyond it, since clocks differ.
const MARGIN: Duration = Duration::from_secs(60);

/// Verifies a JWT of a trusted issuer. It is not used up yet.
pub(crate) async fn verify<'i>(
    inner: &'i Inner,
    text: &str,
    purpose: Purpose,
) -> Result<(&'i TrustedIssuer, Claims), AssertionError> {
    let token = Unverified::parse(text)?;
    let iss = token.claims_of_anybody()?.iss.ok_or(ClaimsError::Missing("iss"))?;
    let issuer = known(inner, &iss).ok_or(AssertionError::UnknownIssuer)?;
    let keys = issuer.keys_for(&token, &inner.env).await;
    let keys = keys.map_err(|_| AssertionError::KeysUnknown)?;
    let verified = token.verify(&issuer.rules(purpose.typ()), &keys)?;
    let policy = issuer.policy(inner.issuer.as_str(), inner.token_endpoint_as_audience(), purpose);
    let claims = verified.claims(&policy, inner.now()).map_err(AssertionError::Invalid)?;
    match claims.extra.contains_key("cnf") {
        true => Err(AssertionError::Bound),
        false => Ok((issuer, claims)),
    }
}

/// The trusted issuer with this name.
pub(crate) fn known<'i>(inner: &'i Inner, iss: &str) -> Option<&'i TrustedIssuer> {
    inner.decided.issuers.iter().find(|known| **known.issuer() == *iss)
}

/// The space of [`OnceKeys::remember_once`](crate::provider::store::OnceKeys::remember_once).
const SPACE: &str = "assertion";

/// Refuses an assertion that was used up before. It is not used up yet.
pub(crate) async fn check_unused(
    inner: &Inner,
    issuer: &TrustedIssuer,
    claims: &Claims,
) -> Result<(), Error> {
    let Some(jti) = &claims.jti else { return Ok(()) };
    let (store, past) = (inner.issuer_id().await?, Timestamp::default());
    match inner.store.remember_once(store, SPACE, key(issuer, jti), past).await? {
        true => check_known(inner, claims).await,
        false => Err(AssertionError::Replayed.into()),
    }
}

/// Refuses an assertion whose use the store may have forgotten.
async fn check_known(inner: &Inner, claims: &Claims) -> Result<(), Error> {
    match inner.store.keys_known_since().await?.knows(earliest_use(claims)) {
        true => Ok(()),
        false => Err(AssertionError::BeforeRestore.into()),
    }
}

/// The key of an assertion: the length of the issuer tells it from the identifier.
fn key(issuer: &TrustedIssuer, jti: &str) -> SecretHash {
    sha256(format!("{}:{}{jti}", issuer.issuer().len(), issuer.issuer()).as_bytes())
}

/// Uses an assertion up, if it has an identifier. Of any number of users one wins.
pub(crate) async fn use_up(
    inner: &Inner,
    issuer: &TrustedIssuer,
    claims: &Claims,
) -> Result<(), Error> {
    let Some(jti) = &claims.jti else { return Ok(()) };
    let exp = claims.exp.ok_or(AssertionError::Invalid(ClaimsError::Missing("exp")))?;
    let end = exp + ClaimsPolicy::LEEWAY;
    let (store, key) = (inner.issuer_id().await?, key(issuer, jti));
    if !inner.store.remember_once(store, SPACE, key, end + MARGIN).await? {
        return Err(AssertionError::Replayed.into());
    }
    check_known(inner, claims).await?;
    // A request that waited longer may have been forgotten meanwhile.
    match inner.now() > end + MARGIN / 2 {
        true => Err(AssertionError::Invalid(ClaimsError::Expired).into()),
        false => Ok(()),
    }
}
