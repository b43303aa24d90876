//! Token credentials (RFC 5849, section 2.3).

use std::{sync::Arc, time::Duration};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use bytes::Bytes;
use http::{Request, Response};

use crate::{
    Timestamp,
    guard::{SignatureError, Verified},
    oauth1::Credentials,
    provider::{
        client::{authenticate, record::Client, sealed::SecretUse},
        clock::is_over,
        error::Error,
        oauth1::error::CredentialsError,
        server::Inner,
        store::{
            AccessRecord, Approval, Bought, CredentialRecord, Identifier, PendingRecord,
            PendingState, Redeemed, RowId,
        },
        token::{
            format::{TokenKind, sha256},
            grant,
            planned::{Occasion, PlannedToken},
        },
    },
};

use super::{
    nonces::MARGIN,
    remember::remember,
    values::Value,
    verify::{self, CheckedToken, Wanted},
    wire,
};

/// The number of verifiers that may be tried with temporary credentials whose verifier a user
/// types.
const TRIES: u8 = 5;

/// The decision on a request for token credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Decision<'t> {
    /// Exchange the temporary credentials.
    Redeem(&'t Approval),
    /// They were exchanged before, so a copy exists: revoke the grant.
    Replayed(RowId),
    /// Refuse. This uses nothing up.
    Refuse(CredentialsError),
}

/// Decides, for temporary credentials and a request signed by their client. Only a request with the
/// verifier counts as a replay.
fn decide<'t>(
    pending: &'t PendingRecord,
    verifier: Option<&str>,
    lifetime: Duration,
    now: Timestamp,
) -> Decision<'t> {
    let Some(verifier) = verifier else {
        return Decision::Refuse(CredentialsError::VerifierMissing);
    };
    let Some(temporary) = pending.kind.temporary() else {
        return Decision::Refuse(SignatureError::TokenUnknown.into());
    };
    let as_shown = temporary.callback.is_none().then(|| as_shown(verifier));
    let read = [Some(verifier), as_shown.as_deref()];
    let is_right = |approval: &Approval| {
        let is_it = |verifier: &str| {
            let presented = sha256(verifier.as_bytes());
            approval.proof.is_some_and(|proof| verify_slices_are_equal(&proof, &presented).is_ok())
        };
        read.into_iter().flatten().any(is_it)
    };
    match &pending.state {
        PendingState::Redeemed(approval) if is_right(approval) => {
            Decision::Replayed(approval.grant.id)
        }
        PendingState::Approved(approval) | PendingState::Redeemed(approval)
            if !is_right(approval) =>
        {
            Decision::Refuse(CredentialsError::VerifierWrong)
        }
        _ if is_over(now, pending.expires, lifetime) => {
            Decision::Refuse(SignatureError::TokenExpired.into())
        }
        PendingState::Approved(approval) => Decision::Redeem(approval),
        PendingState::Redeemed(_) => Decision::Refuse(CredentialsError::VerifierWrong),
        PendingState::Pending => Decision::Refuse(CredentialsError::NotApproved),
        PendingState::Denied => Decision::Refuse(CredentialsError::Denied),
    }
}

/// The answer to a request for token credentials.
pub(crate) async fn answer(inner: &Inner, request: Request<Bytes>) -> Response<Bytes> {
    let said = request.clone();
    let issued = access_token(inner, request).await;
    wire::answer(issued, inner.issuer.origin(), "token credentials", said)
}

async fn access_token(
    inner: &Inner,
    request: Request<Bytes>,
) -> Result<Credentials, CredentialsError> {
    let (parts, body) = request.into_parts();
    let signed = wire::read(&parts, &body)?;
    let (origin, from) = (inner.issuer.origin(), inner.address_of(&parts.extensions));
    let checked = verify::check(inner, &signed, origin, Wanted::Temporary, from).await?;
    signed.check_body(&body)?;
    let client = &checked.client;
    let CheckedToken::Temporary(pending) = &checked.token else {
        return Err(SignatureError::TokenMissing.into());
    };
    let (issuer, now) = (inner.issuer_id().await?, checked.now);
    if is_typed(pending) && signed.verifier().is_some() && !may_try(inner, pending).await? {
        return Err(CredentialsError::TooManyVerifiers);
    }
    let decision = match decide(pending, signed.verifier(), inner.oauth1.temporary_lifetime, now) {
        Decision::Refuse(CredentialsError::VerifierWrong) => {
            let limit = authenticate::count_failure(inner, &client.id, from);
            let limit = limit.map(|wait| SignatureError::Throttled(wait).into());
            return Err(limit.unwrap_or(CredentialsError::VerifierWrong));
        }
        Decision::Refuse(error) => return Err(error),
        decision => decision,
    };
    // First of all: a request that a proxy repeats must revoke nothing.
    remember(inner, &signed, now).await?;
    // PLAINTEXT may omit both, and then a replay cannot be detected.
    let is_anew = signed.timestamp().is_some() && signed.nonce().is_some();
    let approval = match decision {
        Decision::Redeem(approval) => approval,
        Decision::Replayed(grant) => {
            return Err(replayed_temporary(inner, client, grant, is_anew).await);
        }
        Decision::Refuse(error) => return Err(error),
    };
    let lifetime = inner.oauth1.token_lifetime;
    let planned = grant::ask(inner, client, Occasion::OAuth1, approval.grant.clone(), lifetime);
    let PlannedToken { grant, lifetime, members, .. } = planned.await?;
    let number = grant.id;
    let scopes = grant.scopes.clone();
    let (token, identifier) =
        verify::identifier(inner, Value::Token, TokenKind::Credential, number);
    let (secret, sealed) = verify::shared_secret(inner, &client.id, SecretUse::TokenCredentials);
    let expires = lifetime.map_or(Timestamp::NEVER, |lifetime| now + lifetime);
    let access = AccessRecord {
        row: number,
        hash: *identifier.hash(),
        grant,
        expires,
        binding: None,
        exchange: None,
    };
    let access = Arc::new(access);
    let bought = Bought::Credential(CredentialRecord {
        access: access.clone(),
        is_foreign: matches!(identifier, Identifier::Foreign(_)),
        secret: sealed,
    });
    let redeemed = inner.store.redeem_pending(issuer, pending.row, bought).await;
    match redeemed.map_err(Error::from)? {
        Redeemed::Issued => {
            tracing::debug!(client = %client.id, grant = number.0, "token credentials issued");
            let credentials = Credentials::token(token, secret).with("scope", scopes.as_str());
            let credentials = match lifetime {
                // The session extension has this name for it.
                Some(lifetime) => {
                    credentials.with("oauth_expires_in", lifetime.as_secs().to_string())
                }
                None => credentials,
            };
            let credentials = members.iter().fold(credentials, |credentials, (name, value)| {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                credentials.with(name, text)
            });
            Ok(inner.oauth1.with_extras(credentials, client, Some(&Verified::new(access))))
        }
        Redeemed::Replayed(grant) => Err(replayed_temporary(inner, client, grant, is_anew).await),
        Redeemed::Revoked => Err(CredentialsError::TokenRevoked),
        Redeemed::Unknown => Err(SignatureError::TokenUnknown.into()),
    }
}

/// A verifier as typed by a user: codes are shown in capitals, and users add spaces, hyphens and
/// line breaks.
fn as_shown(typed: &str) -> String {
    let is_added = |char: char| char.is_whitespace() || char == '-';
    typed.chars().filter(|char| !is_added(*char)).map(|char| char.to_ascii_uppercase()).collect()
}

/// `true` if a user carries the verifier, and may mistype it.
fn is_typed(pending: &PendingRecord) -> bool {
    let was_shown = matches!(pending.state, PendingState::Approved(_) | PendingState::Redeemed(_));
    pending.kind.temporary().is_some_and(|it| it.callback.is_none()) && was_shown
}

/// Uses up one of the few tries of temporary credentials, before the verifier is checked: a hundred
/// concurrent guesses are a hundred. Processes that share a store share the tries.
async fn may_try(inner: &Inner, pending: &PendingRecord) -> Result<bool, CredentialsError> {
    let issuer = inner.issuer_id().await?;
    let expires = pending.expires + MARGIN;
    for number in 0..TRIES {
        let key = sha256(format!("{} {number}", pending.row.0).as_bytes());
        let is_free = inner.store.remember_once(issuer, "oauth1 verifier", key, expires).await;
        if is_free.map_err(Error::from)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Revokes a grant whose credentials were copied, if the request is signed `anew`: one without a
/// nonce may be the first request, repeated on the way.
async fn replayed_temporary(
    inner: &Inner,
    client: &Client,
    grant: RowId,
    anew: bool,
) -> CredentialsError {
    if !anew {
        return CredentialsError::TokenUsed;
    }
    let until = grant::all_over(inner, Some(client), inner.now());
    let revoked = async {
        Ok::<_, Error>(inner.store.revoke_grant(inner.issuer_id().await?, grant, until).await?)
    };
    match revoked.await {
        Ok(is_first) => {
            if is_first {
                tracing::warn!(grant = grant.0, "a grant was revoked: its verifier was used twice");
            }
            CredentialsError::TokenReplayed
        }
        Err(error) => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Scopes,
        actor::Actor,
        oauth2::Resources,
        provider::{
            client::redirect_uri::RedirectUri,
            store::{Grant, PendingKind, TemporaryCredentials},
        },
    };
    use proptest::prelude::*;

    const LIFETIME: Duration = Duration::from_secs(100);

    fn approval() -> Approval {
        Approval {
            proof: Some(sha256(b"right")),
            grant: Grant {
                id: RowId(7),
                client: "app".into(),
                actor: Actor::User("ada".into()),
                scopes: Scopes::EMPTY,
                resources: Resources::EMPTY,
                authentication: None,
                details: None,
            },
        }
    }

    fn temporary(callback: Option<&str>, state: PendingState) -> PendingRecord {
        let callback = callback.map(|uri| RedirectUri::parse(uri).unwrap());
        PendingRecord {
            row: RowId(1),
            identifier: Identifier::Row([0; 32]),
            user_code: None,
            client: "app".into(),
            scopes: Scopes::EMPTY,
            resources: Resources::EMPTY,
            expires: Timestamp::from_seconds(100),
            state,
            kind: PendingKind::Temporary(TemporaryCredentials { secret: [].into(), callback }),
        }
    }

    proptest! {
        #[test]
        fn credentials_are_given_for_the_right_verifier_once_in_time(
            state in 0..4_u8,
            verifier in prop_oneof![Just(None), Just(Some("right")), Just(Some("wrong"))],
            now in prop_oneof![90..110_i64, -105..-95_i64],
        ) {
            let temporary = temporary(None, match state {
                0 => PendingState::Pending,
                1 => PendingState::Approved(approval()),
                2 => PendingState::Redeemed(approval()),
                _ => PendingState::Denied,
            });
            let decision = decide(&temporary, verifier, LIFETIME, Timestamp::from_seconds(now));
            match (state, verifier, (-100..100).contains(&now)) {
                (1, Some("right"), true) => {
                    prop_assert_eq!(decision, Decision::Redeem(&approval()));
                }
                (2, Some("right"), _) => {
                    prop_assert_eq!(decision, Decision::Replayed(RowId(7)));
                }
                _ => prop_assert!(matches!(decision, Decision::Refuse(_)), "{:?}", decision),
            }
        }
    }

    #[test]
    fn a_verifier_that_was_typed_is_read_as_it_was_shown() {
        let with = |callback: Option<&str>| {
            let proof = Some(sha256(b"BBX7NRNB"));
            temporary(callback, PendingState::Approved(Approval { proof, ..approval() }))
        };
        let now = Timestamp::from_seconds(1);
        for typed in ["BBX7NRNB", "bbx7nrnb", " BBX7 NRNB\r\n", "BBX7-NRNB", "bbx7\u{a0}nrnb"] {
            let temporary = with(None);
            let decision = decide(&temporary, Some(typed), LIFETIME, now);
            assert!(matches!(decision, Decision::Redeem(_)), "{typed:?}: {decision:?}");
            let temporary = with(Some("https://a.example"));
            let decision = decide(&temporary, Some(typed), LIFETIME, now);
            assert_eq!(matches!(decision, Decision::Redeem(_)), typed == "BBX7NRNB", "{typed:?}");
        }
        let temporary = with(None);
        let decision = decide(&temporary, Some("BBX7NRN8"), LIFETIME, now);
        assert!(matches!(decision, Decision::Refuse(CredentialsError::VerifierWrong)));
    }
}
