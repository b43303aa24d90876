//! The sector of a client that registers itself (OpenID Connect Dynamic Client Registration, section
//! 5).

use url::Url;

use crate::{
    RemoteAddress,
    fetch::FetchError,
    provider::{
        client::{grant_type::GrantType, metadata::CheckedMetadata, redirect_uri::RedirectUri},
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
    if is_pairwise && checked.grant_types.iter().any(is_of_users_without_redirects) {
        return Err(ClientRegistrationError::SectorUnproven);
    }
    // A logout token names the subject, and needs no redirect either.
    let told = openid.backchannel_logout_uri.as_ref().filter(|_| is_pairwise);
    if let Some(told) = told
        && !redirect_uris.iter().any(|uri| host(uri) == host(told))
    {
        return Err(ClientRegistrationError::LogoutElsewhere);
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
