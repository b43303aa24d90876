//! Client authentication (RFC 6749, section 2.3).

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use aws_lc_rs::constant_time::verify_slices_are_equal;

use crate::{
    RemoteAddress, Secret, Timestamp,
    jose::Algorithms,
    oauth2::{AuthMethod, ClientProof, PresentedClient},
    provider::{
        error::{ClientError, Error, OperatorError},
        guessing::{Terms, Verdict, Who},
        paths::EndpointPath,
        server::{Inner, Shared},
        store::{SecretHash, StoreError},
        token::format::sha256,
    },
};

use super::{
    assertion,
    error::AuthenticateError,
    record::{Client, ClientSecret, ClientType, SecretVerifier},
    registered_auth::RegisteredAuth,
    secrets::MOST_SECRETS,
};

/// The result of the checks that cost no slow hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quick {
    /// The client is public, or its generated secret is right.
    Passed,
    /// The client has not authenticated.
    Failed(AuthenticateError),
    /// The client has chosen secrets, which must be hashed to compare them.
    Hash,
}

/// `true` if the client may authenticate by this method. A request without proof fails later.
fn may_use(client: &Client, method: AuthMethod) -> bool {
    let registered = client.auth.as_ref().map(RegisteredAuth::method);
    method == AuthMethod::None || registered.is_none_or(|registered| registered == method)
}

/// The hashes of the secret in a request, in each of its readings.
type Readings = [Option<SecretHash>; 2];

/// Decides as far as possible without a slow hash. A chosen secret is checked only if no generated
/// one fits.
fn quick(client: &Client, readings: &Readings, now: Timestamp) -> Quick {
    if !has_secret(readings) {
        return match client.client_type {
            ClientType::Public => Quick::Passed,
            ClientType::Confidential => Quick::Failed(AuthenticateError::SecretMissing),
        };
    };
    if client.client_type == ClientType::Public {
        return Quick::Failed(AuthenticateError::SecretOfPublicClient);
    }
    let fits = |secret: &&ClientSecret| match &secret.verifier {
        SecretVerifier::Sha256(known) => {
            readings.iter().flatten().any(|hash| verify_slices_are_equal(known, hash).is_ok())
        }
        SecretVerifier::Argon2id(_) | SecretVerifier::Imported(_) | SecretVerifier::Sealed(_) => {
            false
        }
    };
    let is_good = |secret: &ClientSecret| secret.expires.is_none_or(|expires| now < expires);
    match client.secrets.iter().find(fits) {
        Some(secret) if is_good(secret) => Quick::Passed,
        Some(_) => Quick::Failed(AuthenticateError::SecretExpired),
        None if chosen(client, now).next().is_some() => Quick::Hash,
        None => Quick::Failed(AuthenticateError::SecretWrong),
    }
}

fn has_secret(readings: &Readings) -> bool {
    readings.iter().any(Option::is_some)
}

/// The hashes of the chosen secrets that have not expired, as many as a client can have.
fn chosen(client: &Client, now: Timestamp) -> impl Iterator<Item = &Arc<str>> {
    let is_good = move |secret: &&ClientSecret| secret.expires.is_none_or(|expires| now < expires);
    client
        .secrets
        .iter()
        .filter(is_good)
        .filter_map(|secret| secret.verifier.chosen())
        .take(MOST_SECRETS)
}

/// The authentication methods for the metadata (RFC 8414, section 2), with or without that of
/// public clients.
pub(crate) fn methods(and_public: bool) -> Vec<String> {
    let confidential = [
        AuthMethod::ClientSecretBasic,
        AuthMethod::ClientSecretPost,
        AuthMethod::ClientSecretJwt,
        AuthMethod::PrivateKeyJwt,
    ];
    let public = and_public.then_some(AuthMethod::None);
    confidential.into_iter().chain(public).map(|method| method.as_str().to_owned()).collect()
}

/// The algorithms of assertions for the metadata (RFC 8414, section 2).
pub(crate) fn algorithms() -> Vec<String> {
    let all = Algorithms::PUBLIC_KEY.names().chain(Algorithms::SYMMETRIC.names());
    all.map(ToOwned::to_owned).collect()
}

/// The client that a request names. Many clients do not form-encode their identifier in HTTP Basic
/// (requests-oauthlib, curl); if no client has the decoded one, the text as it stands is meant.
pub(crate) async fn named(
    inner: &Inner,
    presented: &PresentedClient<'_>,
    now: Timestamp,
) -> Result<Option<Arc<Client>>, Error> {
    let issuer = inner.issuer_id().await?;
    let client = inner.store.client(issuer, &presented.id).await?;
    let client = client.filter(|client| !client.is_gone(now));
    let (None, Some(raw)) = (&client, presented.raw_id()) else { return Ok(client) };
    Ok(inner.store.client(issuer, raw).await?.filter(|client| !client.is_gone(now)))
}

/// The client that sent a request to the endpoint at this path, authenticated.
pub(crate) async fn client(
    inner: &Inner,
    presented: &PresentedClient<'_>,
    at: EndpointPath,
    from: Option<RemoteAddress>,
    now: Timestamp,
) -> Result<Arc<Client>, Error> {
    let client = named(inner, presented, now).await?;
    let hashes = readings(presented).map(|secret| Some(sha256(secret?.as_bytes())));
    let has_chosen = || inner.shared.has_chosen_secrets.load(Ordering::Relaxed);
    let failed = |error| Error::from(failed(inner, presented, client.as_deref(), error, from));
    if let (ClientProof::Assertion(assertion), Some(client)) = (&presented.proof, &client) {
        return match Box::pin(assertion::check(inner, client, assertion, at)).await {
            Ok(()) => Ok(client.clone()),
            // No failure of the client, whose next attempts must not wait for it.
            Err(Error::Client(ClientError::Authenticate(AuthenticateError::KeysUnknown))) => {
                Err(AuthenticateError::KeysUnknown.into())
            }
            Err(Error::Client(ClientError::Authenticate(error))) => Err(failed(error)),
            Err(error) => Err(error),
        };
    }
    let quick = match &client {
        Some(client) if !may_use(client, presented.method()) => {
            Quick::Failed(AuthenticateError::OtherMethod)
        }
        Some(client) => quick(client, &hashes, now),
        // An unknown client costs as much as one with a chosen secret, if any client has one.
        None if has_chosen() => Quick::Hash,
        None => Quick::Failed(AuthenticateError::UnknownClient),
    };
    match (quick, has_secret(&hashes), &client) {
        (Quick::Passed, _, Some(client)) => Ok(client.clone()),
        (Quick::Hash, true, client) => {
            // Hashing takes so long that a box does not count.
            let right =
                Box::pin(check_chosen(inner, presented, client.as_ref(), from, now)).await?;
            right.ok_or_else(|| {
                failed(match client {
                    Some(_) => AuthenticateError::SecretWrong,
                    None => AuthenticateError::UnknownClient,
                })
            })
        }
        (Quick::Failed(error), ..) => Err(failed(error)),
        (Quick::Hash, false, Some(_)) => Err(failed(AuthenticateError::SecretMissing)),
        (Quick::Passed | Quick::Hash, _, None) => Err(failed(AuthenticateError::UnknownClient)),
    }
}

/// The readings of the secret. The form-decoded one (RFC 6749, section 2.3.1) comes first. Many
/// clients do not encode, so the text as it stands is the same attempt in another reading.
fn readings<'a>(presented: &'a PresentedClient<'_>) -> [Option<&'a str>; 2] {
    [presented.proof.secret(), presented.raw_secret().map(Secret::expose)]
}

/// Counts a failure. Too many are answered with 429, whether the client exists or not. A right
/// secret is never delayed.
fn failed(
    inner: &Inner,
    presented: &PresentedClient<'_>,
    client: Option<&Client>,
    error: AuthenticateError,
    from: Option<RemoteAddress>,
) -> AuthenticateError {
    let id = client.map(|client| &*client.id);
    let address = from.map(|from| tracing::field::display(from.0));
    tracing::info!(client = id, from = address, reason = %error, "client not authenticated");
    count_failure(inner, id.unwrap_or(&presented.id), from)
        .map_or(error, AuthenticateError::Throttled)
}

/// Counts a failure of a name and of an address. Returns the time to wait if there were too many.
pub(crate) fn count_failure(
    inner: &Inner,
    name: &str,
    from: Option<RemoteAddress>,
) -> Option<Duration> {
    let (throttle, now) = (&inner.shared.throttle, inner.env.steady());
    let by_name = throttle.failed(Who::named(name), now);
    let by_address = from.and_then(|from| throttle.failed(Who::Address(from), now));
    by_name.max(by_address)
}

/// The client, if a reading of the secret is its chosen secret; an unknown client costs as much.
/// Chosen secrets can be guessed, so an attempt waits for its turn, unless the client has
/// authenticated before.
async fn check_chosen(
    inner: &Inner,
    presented: &PresentedClient<'_>,
    client: Option<&Arc<Client>>,
    from: Option<RemoteAddress>,
    now: Timestamp,
) -> Result<Option<Arc<Client>>, Error> {
    let Shared { throttle, turns, has_chosen_secrets, .. } = &*inner.shared;
    let id = client.map_or(&*presented.id, |client| &*client.id);
    let steady = inner.env.steady();
    let at = (steady, inner.limits_now().await?);
    let is_known = throttle.is_known(id, from);
    let _place = if is_known {
        None
    } else {
        let is_hot = from.is_some_and(|from| throttle.wait(Who::Address(from), steady).is_some());
        let is_costly = client
            .is_some_and(|client| chosen(client, now).any(|stored| inner.kdf.is_costly(stored)));
        Some(
            turns
                .take(id, from, is_hot, is_costly, at)
                .await
                .map_err(AuthenticateError::Throttled)?,
        )
    };
    let Some(client) = client else {
        for secret in readings(presented).into_iter().flatten() {
            inner.kdf.verify_for_nobody(secret.into()).await?;
        }
        return Ok(None);
    };
    has_chosen_secrets.store(true, Ordering::Relaxed);
    for secret in readings(presented).into_iter().flatten() {
        for stored in chosen(client, now) {
            let (tried, known) = (Secret::from(secret), stored.clone());
            let terms = Terms { is_known, is_renewed: !client.is_in_table };
            let verdict = inner.kdf.verify_on(terms, &inner.env, tried, known).await?;
            if verdict == Verdict::Wrong {
                continue;
            }
            if !is_known {
                turns.forgive(id, from, at).await;
            }
            throttle.succeeded(id, from, steady);
            if presented.raw_secret().is_some_and(|raw| raw.expose() == secret) {
                tracing::debug!(client = id, "the client does not form-encode its secret");
            }
            if let Verdict::Outgrown(better) = verdict {
                upgrade(inner, client, stored, better).await;
            }
            return Ok(Some(client.clone()));
        }
    }
    Ok(None)
}

/// Stores a hash with today's cost. If this fails, a right secret is accepted nevertheless.
async fn upgrade(inner: &Inner, client: &Arc<Client>, old: &Arc<str>, better: Arc<str>) {
    let mut upgraded = Client::clone(client);
    for secret in &mut upgraded.secrets {
        if secret.verifier.chosen() == Some(old) {
            secret.verifier = SecretVerifier::Argon2id(better.clone());
        }
    }
    let stored = async {
        let issuer = inner.issuer_id().await?;
        inner.store.put_client(issuer, upgraded, Some(client.clone())).await.map_err(Error::from)
    };
    let client = &client.id;
    match stored.await {
        Ok(true) => tracing::info!(%client, "the hash of a client secret was renewed"),
        // The client was changed in between; the next authentication tries again.
        Ok(false) => {}
        Err(Error::Operator(OperatorError::Store(StoreError::ManagedByApplication(_)))) => {
            tracing::debug!(%client, "the table has an outdated hash of a client secret");
        }
        Err(error) => {
            tracing::warn!(%client, %error, "the hash of a client secret was not renewed");
        }
    }
}
