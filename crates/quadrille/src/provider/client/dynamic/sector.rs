//! The sector of a client that registers itself (OpenID Connect Dynamic Client Registration, section
//! 5).

use url::Url;

use crate::{
    RemoteAddress,
    fetch::FetchError,
    provider::{
        client::{
            grant_type::{GrantType, GrantTypes},
            metadata::CheckedMetadata,
            record::Client,
            redirect_uri::RedirectUri,
        },
        openid::{
            client::{ClientOpenId, SubjectType},
            pairwise,
        },
        server::Inner,
    },
};

use super::error::ClientRegistrationError;

/// Checks the sector: the document at a `sector_identifier_uri` names all redirect URIs, so that no
/// client enters the sector of another one. For that, the client gets its tokens by way of these alone:
/// the codes of a stranger that names the redirect URIs of another site go to that site.
pub(super) async fn check(
    inner: &Inner,
    openid: &ClientOpenId,
    checked: &CheckedMetadata,
    from: Option<RemoteAddress>,
) -> Result<(), ClientRegistrationError> {
    let redirect_uris = &checked.redirect_uris;
    let is_pairwise = openid.subject_type == SubjectType::Pairwise;
    match beside_redirects(openid, &checked.grant_types, redirect_uris) {
        Some(Beside::Grant) => return Err(ClientRegistrationError::SectorUnproven),
        Some(Beside::Logout) => return Err(ClientRegistrationError::LogoutElsewhere),
        None => {}
    }
    let Some(uri) = &openid.sector_identifier_uri else {
        return match is_pairwise && pairwise::sector(openid, redirect_uris).is_none() {
            true => Err(ClientRegistrationError::SectorMissing),
            false => Ok(()),
        };
    };
    let remote = inner.remote_keys.clone().ok_or(ClientRegistrationError::SectorNotFetched)?;
    let url = Url::parse(uri).map_err(|_| ClientRegistrationError::Sector)?;
    let fetching = async move { remote.document_at(&url).await };
    let fetched = match inner.shared.sectors.share(from, fetching).await.and_then(|it| it) {
        Err(FetchError::Busy) => return Err(ClientRegistrationError::SectorLater),
        fetched => fetched.map_err(|_| ClientRegistrationError::Sector)?,
    };
    let named: Vec<String> =
        serde_json::from_slice(&fetched.body).map_err(|_| ClientRegistrationError::Sector)?;
    let is_named = |uri: &RedirectUri| named.iter().any(|named| *uri == **named);
    match redirect_uris.iter().all(is_named) {
        true => Ok(()),
        false => Err(ClientRegistrationError::Sector),
    }
}

/// Whether a client that registered itself would learn pairwise subjects by a way that its sector does not
/// vouch for, such as one that the operator gives it: a grant or a logout token that needs no redirect, or
/// redirect URIs which the document of the sector was not asked about. `before` is the client as it was.
pub(in crate::provider::client) fn is_unproven(before: Option<&Client>, after: &Client) -> bool {
    let openid = &after.openid;
    if after.registration.is_none() || openid.subject_type != SubjectType::Pairwise {
        return false;
    }
    let is_new = |before: &Client| {
        let has = |uri| before.redirect_uris.contains(uri);
        let had = |pattern| before.redirect_patterns.contains(pattern);
        !after.redirect_uris.iter().all(has) || !after.redirect_patterns.iter().all(had)
    };
    beside_redirects(openid, &after.grant_types, &after.redirect_uris).is_some()
        || openid.sector_identifier_uri.is_some() && before.is_some_and(is_new)
}

/// A way in which a client learns the subjects of users beside its redirect URIs.
enum Beside {
    Grant,
    /// A logout token names the subject.
    Logout,
}

/// Such a way of a client with pairwise subjects, if it has one.
fn beside_redirects(
    openid: &ClientOpenId,
    grant_types: &GrantTypes,
    redirect_uris: &[RedirectUri],
) -> Option<Beside> {
    if openid.subject_type != SubjectType::Pairwise {
        return None;
    }
    if grant_types.iter().any(is_of_users_without_redirects) {
        return Some(Beside::Grant);
    }
    let told = openid.backchannel_logout_uri.as_ref()?;
    (!redirect_uris.iter().any(|uri| host(uri) == host(told))).then_some(Beside::Logout)
}

fn host(uri: &RedirectUri) -> Option<String> {
    Some(Url::parse(uri.as_str()).ok()?.host_str()?.to_owned())
}

/// Whether a client learns subjects of users by the grant without a redirect.
const fn is_of_users_without_redirects(grant_type: &GrantType) -> bool {
    use GrantType as G;
    match grant_type {
        G::AuthorizationCode | G::Implicit | G::RefreshToken | G::ClientCredentials => false,
        G::DeviceCode | G::JwtBearer | G::TokenExchange | G::Password | G::Extension(_) => true,
    }
}
