//! Client assertions: JWTs by which clients authenticate (RFC 7523, section 3; OpenID Connect Core,
//! section 9).

use std::{sync::Arc, time::Duration};

use crate::{
    Secret, Timestamp,
    jose::{
        Claims, ClaimsError, ClaimsPolicy, KeySet, TokenError, TokenType, Unverified, Verification,
        Verified, VerifyingKey,
    },
    provider::{
        assertion_use::{LONGEST, earliest_use},
        error::Error,
        server::Inner,
        token::format::sha256,
    },
};

use super::{
    error::AuthenticateError,
    record::{Client, SecretVerifier},
    registered_auth::{ClientKeys, RegisteredAuth},
    sealed::SecretUse,
};

/// The time for which a `jti` is remembered beyond the assertion, since clocks differ.
const MARGIN: Duration = Duration::from_secs(60);

/// The space of [`OnceKeys::remember_once`](crate::provider::store::OnceKeys::remember_once).
const SPACE: &str = "client_assertion";

/// The `typ` of an assertion; older clients send `JWT`, or nothing.
const TYPE: TokenType = TokenType::IsOrPlain("client-authentication+jwt");

/// Checks an assertion, and uses it up if it is valid.
pub(super) async fn check(inner: &Inner, client: &Arc<Client>, text: &str) -> Result<(), Error> {
    let auth = client.auth.as_ref().ok_or(AuthenticateError::OtherMethod)?;
    let algorithms = auth.algorithms().ok_or(AuthenticateError::OtherMethod)?;
    let rules = Verification::new(algorithms, TYPE);
    let token = Unverified::parse(text).map_err(AuthenticateError::Assertion)?;
    let verified = match auth {
        RegisteredAuth::PrivateKeyJwt { keys, .. } => {
            let keys = public_keys(inner, client, keys, &token).await?;
            token.verify(&rules, &keys)
        }
        _ => by_secret(inner, client, text, &rules),
    };
    let verified = verified.map_err(AuthenticateError::Assertion)?;
    let claims = verified.claims(&policy(inner, &client.id), inner.now());
    let claims = claims.map_err(AuthenticateError::AssertionClaims)?;
    use_up(inner, &client.id, &claims).await
}

/// The rules for the claims of a client's assertion. The audience is the issuer alone: an assertion
/// for the URL of an endpoint may have been meant for another server, which named that URL as its
/// own.
fn policy(inner: &Inner, client: &str) -> ClaimsPolicy {
    let policy = ClaimsPolicy::new(client, inner.issuer.as_str())
        .subject(client)
        .longest_lifetime(LONGEST)
        .sole_audience()
        .require("jti");
    match inner.token_endpoint_as_audience() {
        Some(endpoint) => policy.or_audience(endpoint),
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

async fn public_keys(
    inner: &Inner,
    client: &Arc<Client>,
    keys: &ClientKeys,
    token: &Unverified<'_>,
) -> Result<Arc<KeySet>, AuthenticateError> {
    let uri = match keys {
        ClientKeys::Jwks(json) => return Ok(inner.shared.client_keys.ready(client, json)),
        ClientKeys::JwksUri(uri) => uri,
    };
    let unknown = AuthenticateError::KeysUnknown;
    let (Some(remote), Some(url)) = (&inner.remote_keys, ClientKeys::url(uri)) else {
        tracing::error!(client = %client.id, "nothing fetches the keys of this client");
        return Err(unknown);
    };
    let got = remote.get(&url, &inner.env, |keys| token.has_key_in(keys)).await;
    got.map_err(|reason| {
        tracing::info!(client = %client.id, %reason, "the keys of this client are not known");
        unknown
    })
}

/// Verifies an assertion by the client's secrets. Shared keys have no identifier.
fn by_secret(
    inner: &Inner,
    client: &Client,
    text: &str,
    rules: &Verification,
) -> Result<Verified, TokenError> {
    let mut error = TokenError::KeyUnknown;
    for secret in sealed(inner, client, inner.now()) {
        let token = Unverified::parse(text)?;
        let verified = match VerifyingKey::hmac(token.header().algorithm(), &secret) {
            Ok(key) => token.verify_with(rules, &key),
            Err(_) => Err(TokenError::KeyUnusable),
        };
        match verified {
            Ok(verified) => return Ok(verified),
            Err(reason) => error = reason,
        }
    }
    Err(error)
}

/// The client's sealed secrets that have not expired.
fn sealed(inner: &Inner, client: &Client, now: Timestamp) -> impl Iterator<Item = Secret> {
    client.secrets.iter().filter_map(move |secret| match &secret.verifier {
        SecretVerifier::Sealed(sealed) if secret.expires.is_none_or(|expires| now < expires) => {
            let opened = open(inner, &client.id, sealed);
            if opened.is_none() {
                tracing::error!(client = %client.id, "a secret of this client cannot be opened");
            }
            opened
        }
        _ => None,
    })
}

/// The verifier of this client's HMACs by a secret.
pub(super) fn seal(inner: &Inner, client: &str, secret: &Secret) -> SecretVerifier {
    let sealed = inner.seal_of(client).seal(&inner.env, SecretUse::ClientAssertions, secret);
    SecretVerifier::Sealed(sealed.into())
}

/// The secret of a verifier that [`seal`] made for this client.
pub(super) fn open(inner: &Inner, client: &str, sealed: &str) -> Option<Secret> {
    inner.seal_of(client).open(SecretUse::ClientAssertions, sealed)
}
