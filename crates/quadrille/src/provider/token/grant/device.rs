//! Redeeming a device code (RFC 8628, sections 3.4 and 3.5).

use std::{sync::Arc, time::Duration};

use aws_lc_rs::constant_time::verify_slices_are_equal;

use crate::{
    Timestamp,
    oauth2::{Resources, TokenResponse},
    provider::{
        client::{grant_type::GrantType, record::Client},
        clock::is_over,
        device::DeviceGrant,
        error::Error,
        openid::id_token,
        server::Inner,
        store::{
            Approval, Bought, Grant, Issue, PendingRecord, PendingRef, PendingState, Redeemed,
            RowId, SecretHash, TokenRef,
        },
        token::{format::TokenKind, planned::Occasion},
    },
};

use super::{code::replayed, error::DeviceCodeError, first_refresh, mint, narrowed};

/// The decision on a token request with a device code.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Decision<'p> {
    /// Redeem the code, for a token with this audience.
    Redeem(&'p Approval, Resources),
    /// The user has not answered. This request counts as a poll.
    Wait,
    /// The code was redeemed before, so a copy exists: revoke the grant.
    Replayed(RowId),
    /// Refuse. This uses nothing up.
    Refuse(DeviceCodeError),
}

/// Decides. Another client learns nothing of the code, and its polls count for nothing.
fn decide<'p>(
    pending: Option<&'p PendingRecord>,
    hash: &SecretHash,
    client: &Client,
    resource: &Resources,
    lifetime: Duration,
    now: Timestamp,
) -> Decision<'p> {
    let is_it = |pending: &&PendingRecord| {
        pending.kind.device().is_some()
            && verify_slices_are_equal(pending.identifier.hash(), hash).is_ok()
    };
    let Some(pending) = pending.filter(is_it) else {
        return Decision::Refuse(DeviceCodeError::Unknown);
    };
    if pending.client != client.id || client.number > pending.row {
        return Decision::Refuse(DeviceCodeError::OfOtherClient);
    }
    let is_over = is_over(now, pending.expires, lifetime);
    match &pending.state {
        PendingState::Redeemed(approval) => Decision::Replayed(approval.grant.id),
        PendingState::Denied => Decision::Refuse(DeviceCodeError::Denied),
        PendingState::Pending | PendingState::Approved(_) if is_over => {
            Decision::Refuse(DeviceCodeError::Expired)
        }
        PendingState::Pending => Decision::Wait,
        PendingState::Approved(approval) => match narrowed(&approval.grant.resources, resource) {
            Some(audience) => Decision::Redeem(approval, audience),
            None => Decision::Refuse(DeviceCodeError::ResourceNotGranted),
        },
    }
}

pub(crate) async fn redeem(
    inner: &Inner,
    device: &DeviceGrant,
    client: &Arc<Client>,
    device_code: &str,
    resource: &Resources,
) -> Result<TokenResponse, Error> {
    let read = inner.tokens.read(TokenKind::Device, device_code).map_err(|reason| {
        tracing::debug!(%reason, "no device code of ours");
        DeviceCodeError::Unknown
    })?;
    let (issuer, now) = (inner.issuer_id().await?, inner.now());
    let identifier = PendingRef::Identifier(TokenRef::Row { row: read.row, hash: read.hash });
    let pending = inner.store.pending(issuer, &identifier).await?;
    let pace = &inner.shared.pace;
    let decision = decide(pending.as_deref(), &read.hash, client, resource, device.lifetime, now);
    let (approval, audience) = match decision {
        Decision::Redeem(approval, audience) => (approval, audience),
        Decision::Wait => {
            let is_too_fast = pace.is_too_fast(read.row, device.interval, inner.env.steady());
            return Err(match is_too_fast {
                true => DeviceCodeError::TooFast,
                false => DeviceCodeError::Pending,
            }
            .into());
        }
        Decision::Replayed(grant) => {
            return Err(replayed(inner, client, grant, DeviceCodeError::Replayed.into()).await);
        }
        Decision::Refuse(error) => return Err(error.into()),
    };
    let granted = approval.grant.clone();
    let (family, refresh) = first_refresh(inner, client, &granted, now).await?.unzip();
    let (grant, row) = (Grant { resources: audience, ..granted }, inner.row().await?);
    let occasion = Occasion::Grant(GrantType::DeviceCode);
    let minted = mint(inner, client, occasion, row, grant, now).await?;
    let refresh = refresh.map(|refresh| refresh.write(inner.prefixes.refresh.as_ref()));
    let mut response = minted.response(refresh.as_ref());
    id_token::add(&mut response, inner, client, &minted.record.grant, None, now).await?;
    let issue = Box::new(Issue { access: minted.record, family });
    match inner.store.redeem_pending(issuer, read.row, Bought::Tokens(issue)).await? {
        Redeemed::Issued => {
            pace.forget(read.row);
            Ok(response)
        }
        Redeemed::Replayed(grant) => {
            Err(replayed(inner, client, grant, DeviceCodeError::Replayed.into()).await)
        }
        Redeemed::Revoked => Err(DeviceCodeError::Revoked.into()),
        Redeemed::Unknown => Err(DeviceCodeError::Unknown.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Scopes,
        actor::Actor,
        provider::{
            client::record::tests::client,
            store::{DeviceCode, Identifier, PendingKind, TemporaryCredentials},
            token::format::sha256,
        },
    };
    use proptest::prelude::*;

    const LIFETIME: Duration = Duration::from_secs(100);

    fn approval() -> Approval {
        Approval {
            proof: None,
            grant: Grant {
                id: RowId(7),
                client: "tv".into(),
                actor: Actor::User("ada".into()),
                scopes: Scopes::EMPTY,
                resources: Resources::parse("https://a.example urn:b").unwrap(),
                authentication: None,
                details: None,
            },
        }
    }

    proptest! {
        #[test]
        fn tokens_are_given_once_to_the_client_that_asked_after_the_user_agreed_in_time(
            state in 0..4_u8, is_right: bool, is_ours: bool, is_later_client: bool,
            is_device: bool, now in prop_oneof![90..110_i64, -105..-95_i64],
            resource in prop_oneof![Just(""), Just("urn:b"), Just("urn:c")],
        ) {
            let kind = match is_device {
                true => PendingKind::Device(DeviceCode { from: None }),
                false => PendingKind::Temporary(TemporaryCredentials {
                    secret: [].into(),
                    callback: None,
                }),
            };
            let pending = PendingRecord {
                row: RowId(1),
                identifier: Identifier::Row(sha256(b"right")),
                user_code: Some([1; 32]),
                client: "tv".into(),
                scopes: Scopes::EMPTY,
                resources: Resources::EMPTY,
                expires: Timestamp::from_seconds(100),
                state: match state {
                    0 => PendingState::Pending,
                    1 => PendingState::Approved(approval()),
                    2 => PendingState::Redeemed(approval()),
                    _ => PendingState::Denied,
                },
                kind,
            };
            let mut client = client(if is_ours { "tv" } else { "other" }, "https://a.example/cb");
            client.number = RowId(if is_later_client { 2 } else { 0 });
            let hash = sha256(if is_right { b"right" } else { b"wrong" });
            let wanted = Resources::parse(resource).unwrap();
            let at = Timestamp::from_seconds(now);
            let decision = decide(Some(&pending), &hash, &client, &wanted, LIFETIME, at);
            let could = is_right && is_ours && !is_later_client && is_device;
            let is_alive = (-100..100).contains(&now);
            match (could, state, is_alive) {
                (false, ..) => prop_assert!(matches!(
                    decision,
                    Decision::Refuse(DeviceCodeError::Unknown | DeviceCodeError::OfOtherClient)
                )),
                (true, 0, true) => prop_assert_eq!(decision, Decision::Wait),
                (true, 1, true) if resource == "urn:c" => prop_assert_eq!(
                    decision,
                    Decision::Refuse(DeviceCodeError::ResourceNotGranted)
                ),
                (true, 1, true) => {
                    let granted = approval();
                    let audience = match wanted.is_empty() {
                        true => granted.grant.resources.clone(),
                        false => wanted,
                    };
                    prop_assert_eq!(decision, Decision::Redeem(&granted, audience));
                }
                (true, 0 | 1, false) => {
                    prop_assert_eq!(decision, Decision::Refuse(DeviceCodeError::Expired));
                }
                (true, 2, _) => prop_assert_eq!(decision, Decision::Replayed(RowId(7))),
                (true, ..) => {
                    prop_assert_eq!(decision, Decision::Refuse(DeviceCodeError::Denied));
                }
            }
        }
    }
}
