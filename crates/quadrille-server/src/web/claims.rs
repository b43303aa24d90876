//! The claims about users, for OpenID Connect.

use std::{collections::BTreeMap, sync::Arc};

use quadrille::provider::{Claims, ClaimsQuery, ClaimsUnavailable, OpenId, UserClaims};

use crate::{config::ClaimSettings, data::Backend, users::claims::UPDATED_AT};

/// The claim with the user name (OpenID Connect Core, section 5.1).
pub(super) const USER_NAME: &str = "preferred_username";

/// The offer of OpenID Connect: clients can learn what is known about users.
pub(super) fn offered(
    backend: Arc<dyn Backend>,
    settings: &ClaimSettings,
    scopes: &BTreeMap<String, String>,
) -> OpenId {
    let names = settings.names().chain([USER_NAME, UPDATED_AT]);
    let offered = OpenId::new().claims(names, Users(backend));
    // A claim without a scope of its name is given by its name, to each client that asks its user.
    let own = settings.own.keys().filter(|name| scopes.contains_key(*name));
    own.fold(offered, |offered, name| offered.scope_of_claims(name, [name.as_str()]))
}

/// The users in the database.
struct Users(Arc<dyn Backend>);

impl Claims for Users {
    async fn claims(&self, query: ClaimsQuery) -> Result<Option<UserClaims>, ClaimsUnavailable> {
        let user = self.0.user_by_subject(query.subject()).await.map_err(ClaimsUnavailable::new)?;
        Ok(user.map(|user| {
            let mut claims: UserClaims = user.claims;
            claims.insert(USER_NAME.to_owned(), user.name.as_str().into());
            claims
        }))
    }
}
