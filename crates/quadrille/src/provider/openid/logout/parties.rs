//! The clients of a session, which learn that it has ended.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    actor::Authentication,
    provider::{
        error::Error,
        openid::{
            details::OPENID,
            session::{is_same, sid},
        },
        server::Inner,
    },
};

use super::party::Party;

/// The clients to which the user has logged in during a session: those with grants whose tokens have
/// not expired, and `further` ones.
pub(super) async fn of(
    inner: &Inner,
    ended: &Authentication,
    further: &[Arc<str>],
) -> Result<Vec<Party>, Error> {
    let issuer = inner.issuer_id().await?;
    let now = inner.now();
    let grants = inner.store.grants(issuer, &ended.subject).await?;
    let is_of_session = |authentication: &Arc<Authentication>| is_same(ended, authentication);
    let ids: BTreeSet<Arc<str>> = grants
        .into_iter()
        .filter(|listed| now < listed.expires && listed.grant.scopes.contains(OPENID))
        .filter(|listed| listed.grant.authentication.as_ref().is_some_and(is_of_session))
        .map(|listed| listed.grant.client)
        .chain(further.iter().cloned())
        .collect();
    let mut parties = Vec::new();
    for id in ids {
        // The client may have been removed since.
        let Some(client) = inner.store.client(issuer, &id).await? else { continue };
        let openid = &client.openid;
        if openid.backchannel_logout_uri.is_some() || openid.frontchannel_logout_uri.is_some() {
            let sid = sid(inner.issuer.as_str(), ended, &id);
            parties.push(Party { client, sid });
        }
    }
    Ok(parties)
}
