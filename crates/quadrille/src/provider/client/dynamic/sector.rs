//! The sector of a client that registers itself (OpenID Connect Dynamic Client Registration, section
//! 5).

use url::Url;

use crate::{
    RemoteAddress,
    fetch::FetchError,
    provider::{
        client::redirect_uri::RedirectUri,
        openid::{
            client::{ClientOpenId, SubjectType},
            pairwise,
        },
        server::Inner,
    },
};

use super::error::ClientRegistrationError;

/// Checks the sector: the document at a `sector_identifier_uri` names all redirect URIs, so that no
/// client enters the sector of another one.
pub(super) async fn check(
    inner: &Inner,
    openid: &ClientOpenId,
    redirect_uris: &[RedirectUri],
    from: Option<RemoteAddress>,
) -> Result<(), ClientRegistrationError> {
    let Some(uri) = &openid.sector_identifier_uri else {
        let is_pairwise = openid.subject_type == SubjectType::Pairwise;
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
