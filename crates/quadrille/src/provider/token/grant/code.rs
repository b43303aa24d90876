//! Redeeming an authorization code (RFC 6749, section 4.1.3; RFC 7636, section 4.6).

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;

use crate::{
    Policy, Timestamp,
    oauth2::{Resources, TokenResponse, pkce::Challenge},
    provider::{
        client::{grant_type::GrantType, record::Client},
        clock::is_over,
        error::{ClientError, Error},
        openid::{id_token, logout::ended},
        server::Inner,
        store::{CodeRecord, Grant, Issue, Redeemed, RowId, SecretHash},
        token::{format::TokenKind, planned::Occasion},
    },
};

use super::{all_over, error::CodeError, first_refresh, mint, narrowed};

/// The parameters of the token request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Presented<'a> {
    pub(crate) hash: &'a SecretHash,
    pub(crate) redirect_uri: Option<&'a str>,
    pub(crate) verifier: Option<&'a str>,
    /// The requested APIs; all granted ones if the request names none.
    pub(crate) resource: &'a Resources,
}

/// The decision on a token request with a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Redeem the code, for a token with this audience.
    Redeem(Resources),
    /// The code was redeemed before, so a copy exists: revoke the grant.
    Replayed,
    /// Refuse. This uses nothing up.
    Refuse(CodeError),
}

/// Decides. Only a request that could have redeemed the code counts as a replay: neither another
/// client nor an attacker without the verifier can use a code up, or have its grant revoked.
pub(crate) fn decide(
    code: Option<&CodeRecord>,
    client: &Client,
    presented: Presented<'_>,
    policy: &Policy,
    now: Timestamp,
) -> Decision {
    let Some(code) =
        code.filter(|code| verify_slices_are_equal(&code.hash, presented.hash).is_ok())
    else {
        return Decision::Refuse(CodeError::Unknown);
    };
    if code.grant.client != client.id {
        return Decision::Refuse(CodeError::OfOtherClient);
    }
    if let Err(error) = check_redirect_uri(code, client, presented.redirect_uri) {
        return Decision::Refuse(error);
    }
    if let Err(error) = check_verifier(code, presented.verifier) {
        return Decision::Refuse(error);
    }
    if code.redeemed {
        return Decision::Replayed;
    }
    if is_over(now, code.expires, policy.code_lifetime) {
        return Decision::Refuse(CodeError::Expired);
    }
    match narrowed(&code.grant.resources, presented.resource) {
        Some(audience) => Decision::Redeem(audience),
        None => Decision::Refuse(CodeError::ResourceNotGranted),
    }
}

fn check_redirect_uri(
    code: &CodeRecord,
    client: &Client,
    presented: Option<&str>,
) -> Result<(), CodeError> {
    let fits = match (code.redirect_uri.as_deref(), presented) {
        // PKCE has bound the code to the client's session (OAuth 2.1, section 4.1.3).
        (Some(_), None) => code.challenge.is_some(),
        (Some(asked), Some(presented)) => presented == asked,
        (None, None) => true,
        // The only registered one was meant.
        (None, Some(presented)) => matches!(&*client.redirect_uris, [only] if only == presented),
    };
    if fits { Ok(()) } else { Err(CodeError::RedirectUriDiffers) }
}

fn check_verifier(code: &CodeRecord, presented: Option<&str>) -> Result<(), CodeError> {
    match (code.challenge.as_deref(), presented) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(CodeError::VerifierWithoutChallenge),
        (Some(_), None) => Err(CodeError::VerifierMissing),
        (Some(challenge), Some(verifier)) => match challenge.parse::<Challenge>() {
            Ok(challenge) if challenge.matches(verifier) => Ok(()),
            _ => Err(CodeError::VerifierWrong),
        },
    }
}

pub(crate) async fn redeem(
    inner: &Inner,
    client: &Arc<Client>,
    code: &str,
    redirect_uri: Option<&str>,
    verifier: Option<&str>,
    resource: &Resources,
) -> Result<TokenResponse, Error> {
    let read = inner.tokens.read(TokenKind::Code, code).map_err(|reason| {
        tracing::debug!(%reason, "no code of ours");
        CodeError::Unknown
    })?;
    let (issuer, now) = (inner.issuer_id().await?, inner.now());
    let code = inner.store.code(issuer, read.row).await?;
    let presented = Presented { hash: &read.hash, redirect_uri, verifier, resource };
    let policy = client.policy(&inner.policy);
    let (code, audience) = match (decide(code.as_deref(), client, presented, &policy, now), code) {
        (Decision::Redeem(audience), Some(code)) => (code, audience),
        (Decision::Replayed, Some(code)) => {
            return Err(replayed(inner, client, code.grant.id, CodeError::Replayed.into()).await);
        }
        (Decision::Refuse(error), _) => return Err(error.into()),
        (_, None) => return Err(CodeError::Unknown.into()),
    };
    if ended::has_ended(inner, code.grant.authentication.as_deref()).await? {
        return Err(CodeError::SessionEnded.into());
    }
    let grant = code.grant.clone().of_tokens();
    let first = first_refresh(inner, client, &grant, now).await?;
    let (family, refresh) = first.unzip();
    let (grant, row) = (Grant { resources: audience, ..grant }, inner.row().await?);
    let occasion = Occasion::Grant(GrantType::AuthorizationCode);
    let minted = mint(inner, client, occasion, row, grant, now).await?;
    let refresh = refresh.map(|refresh| refresh.write(inner.prefixes.refresh.as_ref()));
    let mut response = minted.response(refresh.as_ref());
    let nonce = code.grant.openid().and_then(|openid| openid.nonce.as_deref());
    id_token::add(&mut response, inner, client, &minted.record.grant, nonce, now).await?;
    let issue = Issue { access: minted.record, family };
    match inner.store.redeem(issuer, read.row, issue).await? {
        Redeemed::Issued => Ok(response),
        Redeemed::Replayed(grant) => {
            Err(replayed(inner, client, grant, CodeError::Replayed.into()).await)
        }
        Redeemed::Revoked => Err(CodeError::Revoked.into()),
        Redeemed::Unknown => Err(CodeError::Unknown.into()),
    }
}

/// Revokes a grant whose code or token was copied, and returns the reason.
pub(crate) async fn replayed(
    inner: &Inner,
    client: &Client,
    grant: RowId,
    why: ClientError,
) -> Error {
    let revoked = async {
        let until = all_over(inner, Some(client), inner.now());
        Ok(inner.store.revoke_grant(inner.issuer_id().await?, grant, until).await?)
    };
    match revoked.await {
        Ok(true) => tracing::warn!(grant = grant.0, reason = %why, "a grant was revoked"),
        Ok(false) => {}
        Err(error) => return error,
    }
    why.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Scopes,
        actor::Actor,
        oauth2::pkce::Verifier,
        provider::{client::record::tests::client, token::format::sha256},
    };
    use proptest::prelude::*;

    const CALLBACK: &str = "https://app.example/cb";

    fn resources(text: &str) -> Resources {
        Resources::parse(text).unwrap()
    }

    fn verifier(which: u8) -> Verifier {
        Verifier::from_bytes(&[which; 32])
    }

    fn code(is_bound: bool, challenge: Option<u8>, redeemed: bool) -> CodeRecord {
        CodeRecord {
            row: RowId(1),
            hash: sha256(b"right"),
            grant: Grant {
                id: RowId(1),
                client: "app".into(),
                actor: Actor::User("ada".into()),
                scopes: Scopes::EMPTY,
                resources: resources("https://a.example urn:b"),
                authentication: None,
                details: None,
            },
            redirect_uri: is_bound.then(|| CALLBACK.into()),
            challenge: challenge.map(|which| verifier(which).challenge().to_string().into()),
            expires: Timestamp::from_seconds(100),
            redeemed,
        }
    }

    proptest! {
        #[test]
        fn a_code_is_redeemed_only_when_everything_about_it_is_right(
            is_known: bool, is_right: bool, is_ours: bool, is_bound: bool, redeemed: bool,
            challenge in proptest::option::of(0..2u8), presented in proptest::option::of(0..2u8),
            redirect_uri in prop_oneof![Just(None), Just(Some(CALLBACK)), Just(Some("https://x/"))],
            resource in prop_oneof![Just(""), Just("urn:b"), Just("urn:c"), Just("urn:b urn:c")],
            now in prop_oneof![90..110i64, -25..-15i64],
        ) {
            let record = code(is_bound, challenge, redeemed);
            let client = client(if is_ours { "app" } else { "other" }, CALLBACK);
            let hash = sha256(if is_right { b"right" } else { b"wrong" });
            let presented_verifier = presented.map(verifier);
            let resource = resources(resource);
            let asked = Presented {
                resource: &resource,
                hash: &hash,
                redirect_uri,
                verifier: presented_verifier.as_ref().map(Verifier::expose),
            };
            let now = Timestamp::from_seconds(now);
            let decision = decide(is_known.then_some(&record), &client, asked, &Policy::safe(), now);

            let redirect_fits = if is_bound {
                redirect_uri == Some(CALLBACK)
                    || redirect_uri.is_none() && challenge.is_some() && challenge == presented
            } else {
                redirect_uri.is_none_or(|uri| uri == CALLBACK)
            };
            let could = is_known && is_right && is_ours && redirect_fits && challenge == presented;
            // A code lives for 60 seconds, and one that was issued later than that is from a clock
            // that was set back.
            let is_alive = now < record.expires && now >= Timestamp::from_seconds(-20);
            let expected = match (could, redeemed, is_alive) {
                (true, true, _) => Some(Decision::Replayed),
                (true, false, true) if resource.is_empty() => {
                    Some(Decision::Redeem(record.grant.resources.clone()))
                }
                (true, false, true) if resource.as_str() == "urn:b" => {
                    Some(Decision::Redeem(resource.clone()))
                }
                _ => None,
            };
            match expected {
                Some(expected) => prop_assert_eq!(decision, expected),
                None => prop_assert!(matches!(decision, Decision::Refuse(_)), "{:?}", decision),
            }
        }
    }
}
