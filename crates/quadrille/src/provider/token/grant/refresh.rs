//! Refreshing (RFC 6749, section 6), with tokens that rotate at every use (RFC 9700, section 4.14).

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;

use crate::{
    Policy, Scopes, Timestamp,
    oauth2::{Resources, TokenResponse},
    provider::{
        client::{grant_type::GrantType, record::Client},
        clock::is_recent,
        error::Error,
        openid::id_token,
        server::Inner,
        store::{FamilyRecord, Grant, Issue, Rotated, Rotation, SecretHash, is_same},
        token::planned::Occasion,
    },
};

use super::{code, error::RefreshError, mint, narrowed};

const REFRESH: Occasion = Occasion::Grant(GrantType::RefreshToken);

/// The parameters of a refresh, with a genuine token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Presented<'a> {
    pub(crate) generation: u32,
    pub(crate) hash: &'a SecretHash,
    /// The requested scopes, of which the granted ones count; all of the grant's if the request
    /// names none.
    pub(crate) scope: Option<&'a Scopes>,
    /// The requested APIs; all of the grant's if the request names none.
    pub(crate) resource: &'a Resources,
}

/// The scopes and the audience of the access token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) scopes: Scopes,
    pub(crate) resources: Resources,
}

/// The decision on a refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Rotate the refresh token, and issue this access token.
    Turn(Wanted),
    /// It was rotated a moment ago. The response may be lost, or the client refreshes twice, such as
    /// in two tabs or for two APIs: issue another access token, with the same successor.
    Repeat(Wanted),
    /// It was used before, so a copy exists: revoke the family.
    Replayed,
    /// Refuse. This uses nothing up.
    Refuse(RefreshError),
}

pub(crate) fn decide(
    family: Option<&FamilyRecord>,
    client: &Client,
    presented: Presented<'_>,
    (policy, known): (&Policy, &Scopes),
    now: Timestamp,
) -> Decision {
    let Some(family) = family else {
        return Decision::Refuse(RefreshError::Unknown);
    };
    if family.grant.client != client.id {
        return Decision::Refuse(RefreshError::OfOtherClient);
    }
    if now >= family.expires || now >= family.ends {
        return Decision::Refuse(RefreshError::Expired);
    }
    // Those that the server knew at the grant, and knows no longer, are not granted again.
    let granted = family.grant.scopes.intersection(known);
    if granted.is_empty() && !family.grant.scopes.is_empty() {
        return Decision::Refuse(RefreshError::ScopeNotGranted);
    }
    let scopes = match presented.scope {
        None => granted,
        // If a user granted less than was requested, libraries request all of it again, and RFC
        // 6749, section 6, would have them refused forever. Scopes that were not granted are left
        // out, and the response says so; a request with none that were granted is refused.
        Some(asked) => {
            let scopes = asked.intersection(&policy.scope_tree.expand(&granted));
            if scopes.is_empty() && !asked.is_empty() {
                return Decision::Refuse(RefreshError::ScopeNotGranted);
            }
            scopes
        }
    };
    let Some(resources) = narrowed(&family.grant.resources, presented.resource) else {
        return Decision::Refuse(RefreshError::ResourceNotGranted);
    };
    let wanted = Wanted { scopes, resources };
    let is = |known: &SecretHash| verify_slices_are_equal(known, presented.hash).is_ok();
    if presented.generation == family.generation && is(&family.current) {
        return Decision::Turn(wanted);
    }
    if presented.generation >= family.generation {
        // Genuine, but of a generation or secret that this family never had: the store was restored
        // from a backup. It proves nothing against the holder of the current token.
        return Decision::Refuse(RefreshError::Unknown);
    }
    let was_last = presented.generation.checked_add(1) == Some(family.generation)
        && family.previous.as_ref().is_some_and(is);
    let is_recent = is_recent(now, family.rotated, policy.refresh_repeat_window);
    // Whatever was wanted then: the successor is good for all of the grant.
    if was_last && is_recent {
        Decision::Repeat(wanted)
    } else if client.without_rotation {
        // Of the time before, and no sign of a copy: the client may share its tokens.
        Decision::Refuse(RefreshError::Unknown)
    } else {
        Decision::Replayed
    }
}

pub(crate) async fn rotate(
    inner: &Inner,
    client: &Arc<Client>,
    token: &str,
    scope: Option<&Scopes>,
    resource: &Resources,
) -> Result<TokenResponse, Error> {
    let token = inner.tokens.read_refresh(token).map_err(|reason| {
        tracing::debug!(%reason, "no refresh token of ours");
        RefreshError::Unknown
    })?;
    let (issuer, now) = (inner.issuer_id().await?, inner.now());
    let hash = token.hash();
    let presented = Presented { generation: token.generation, hash: &hash, scope, resource };
    let (policy, known) = (client.policy(&inner.policy), inner.scopes.known());
    let restored = inner.store.uses_known_since().await?.lost();
    let next = inner.tokens.next_refresh(&token, restored);
    let successor = next.write(inner.prefixes.refresh.as_ref());
    let mut family = inner.store.family_of(issuer, token.family, hash).await?;
    loop {
        let decision = decide(family.as_deref(), client, presented, (&policy, known), now);
        let (Wanted { scopes, resources }, current) = match (decision, family) {
            (Decision::Turn(wanted), Some(family)) => (wanted, family),
            (Decision::Repeat(Wanted { scopes, resources }), Some(family)) => {
                // The store may have been restored in between.
                let before = inner.tokens.next_refresh(&token, None);
                let mut candidates = [&next, &before].into_iter();
                let issued = candidates.find(|it| is_same(&it.hash(), &family.current));
                let successor = issued.ok_or(RefreshError::Unknown)?;
                let successor = successor.write(inner.prefixes.refresh.as_ref());
                let family = family.grant.clone();
                let (grant, row) = (Grant { scopes, resources, ..family }, inner.row().await?);
                let minted = mint(inner, client, REFRESH, row, grant, now).await?;
                let mut response = minted.response(Some(&successor));
                let grant = &minted.record.grant;
                id_token::add(&mut response, inner, client, grant, None, now).await?;
                let issue = Issue { access: minted.record, family: None };
                return match inner.store.issue(issuer, issue).await? {
                    true => Ok(response),
                    false => Err(RefreshError::Unknown.into()),
                };
            }
            (Decision::Replayed, Some(family)) => {
                let grant = family.grant.id;
                return Err(
                    code::replayed(inner, client, grant, RefreshError::Replayed.into()).await
                );
            }
            (Decision::Refuse(error), _) => return Err(error.into()),
            (_, None) => return Err(RefreshError::Unknown.into()),
        };
        let grant = Grant { scopes, resources, ..current.grant.clone() };
        let minted = mint(inner, client, REFRESH, inner.row().await?, grant, now).await?;
        // RFC 6749, section 6: an answer without a refresh token leaves the client its own.
        let rotates = !client.without_rotation;
        let mut response = minted.response(rotates.then_some(&successor));
        id_token::add(&mut response, inner, client, &minted.record.grant, None, now).await?;
        let rotation = Rotation {
            family: token.family,
            generation: token.generation,
            presented: hash,
            successor: rotates.then(|| next.hash()),
            // Not when the request arrived: the application may have taken its time since.
            rotated: inner.now(),
            expires: current.ends.min(now + policy.refresh_token_idle_lifetime),
            access: minted.record,
        };
        match inner.store.rotate(issuer, rotation).await? {
            Rotated::Issued => return Ok(response),
            // Another request was faster. Generations only grow, so this ends.
            Rotated::Lost(now_stands) => family = Some(now_stands),
            Rotated::Gone => return Err(RefreshError::Unknown.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        actor::Actor,
        provider::{client::record::tests::client, store::RowId, token::format::sha256},
    };
    use proptest::prelude::*;

    const BOTH: &str = "https://a.example urn:b";

    fn resources(text: &str) -> Resources {
        Resources::parse(text).unwrap()
    }

    fn secret(generation: u32) -> SecretHash {
        sha256(&generation.to_be_bytes())
    }

    /// A family after so many rotations, the last at second 1000.
    fn family(generation: u32) -> FamilyRecord {
        let scopes = Scopes::of(["a", "b"]);
        FamilyRecord {
            row: RowId(1),
            grant: Grant {
                id: RowId(1),
                client: "app".into(),
                actor: Actor::User("ada".into()),
                scopes,
                resources: resources(BOTH),
                authentication: None,
                details: None,
            },
            generation,
            current: secret(generation),
            previous: generation.checked_sub(1).map(secret),
            rotated: Timestamp::from_seconds(1000),
            expires: Timestamp::from_seconds(2000),
            ends: Timestamp::from_seconds(2010),
        }
    }

    proptest! {
        #[test]
        fn of_all_tokens_of_a_family_one_turns_and_the_last_may_be_repeated_for_a_moment(
            generation in 0..5u32, presented in 0..6u32, is_ours: bool, now in 995..2020i64,
            resource in prop_oneof![
                Just(""), Just("urn:b"), Just("urn:b https://a.example/"), Just("urn:b urn:c")
            ],
            scope in prop_oneof![
                Just(None), Just(Some("a")), Just(Some("b a")), Just(Some("a b")), Just(Some("c")),
                Just(Some("c a")), Just(Some("b c a"))
            ],
        ) {
            let family = family(generation);
            let client = client(if is_ours { "app" } else { "other" }, "https://app.example/cb");
            let scope = scope.map(|scope| Scopes::of(scope.split(' ')));
            let hash = secret(presented);
            let resource = resources(resource);
            let asked = Presented {
                generation: presented,
                hash: &hash,
                scope: scope.as_ref(),
                resource: &resource,
            };
            let at = Timestamp::from_seconds(now);
            let decision = decide(Some(&family), &client, asked, (&Policy::safe(), &family.grant.scopes), at);

            let is_alive = is_ours && now < 2000;
            let may = scope.as_ref().is_none_or(|scope| scope.as_str() != "c")
                && !resource.contains("urn:c");
            match &decision {
                Decision::Turn(Wanted { scopes, resources })
                | Decision::Repeat(Wanted { scopes, resources }) => {
                    let is_turned = matches!(decision, Decision::Turn(_)) && presented == generation;
                    let is_repeated = matches!(decision, Decision::Repeat(_))
                        && presented + 1 == generation
                        && now < 1030;
                    prop_assert!(is_alive && may && (is_turned || is_repeated));
                    prop_assert!(family.grant.scopes.is_superset(scopes) && !scopes.is_empty());
                    prop_assert!(scope.as_ref().is_none_or(|scope| scope.is_superset(scopes)));
                    prop_assert!(family.grant.resources.is_superset(resources));
                    prop_assert!(!resources.is_empty());
                }
                Decision::Replayed => {
                    prop_assert!(is_alive && may && presented < generation);
                    prop_assert!(presented + 1 < generation || now >= 1030);
                }
                Decision::Refuse(_) => {
                    prop_assert!(!is_alive || !may || presented > generation, "{:?}", decision);
                }
            }
        }
    }

    #[test]
    fn a_genuine_token_with_another_secret_than_the_current_one_ends_nothing() {
        let (family, hash) = (family(3), secret(99));
        let resource = &Resources::EMPTY;
        let asked = Presented { generation: 3, hash: &hash, scope: None, resource };
        let client = client("app", "https://app.example/cb");
        let now = Timestamp::from_seconds(1001);
        let decision =
            decide(Some(&family), &client, asked, (&Policy::safe(), &family.grant.scopes), now);
        assert_eq!(decision, Decision::Refuse(RefreshError::Unknown));
    }
}
