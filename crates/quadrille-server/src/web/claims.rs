//! The claims about users, for OpenID Connect.

use std::{collections::BTreeMap, sync::Arc};

use quadrille::provider::{Claims, ClaimsQuery, ClaimsUnavailable, OpenId, UserClaims};
use serde::Serialize;

use crate::{
    config::ClaimSettings,
    data::Backend,
    users::{
        User,
        claims::{UPDATED_AT, shown},
    },
};

/// The claim with the user name (OpenID Connect Core, section 5.1).
const USER_NAME: &str = "preferred_username";

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

/// A claim about the user, for its user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct ClaimLine {
    pub(super) name: String,
    pub(super) words: String,
    /// The value; `None` if it is not known.
    pub(super) value: Option<String>,
}

/// A claim about a user in words.
pub(super) fn line(settings: &ClaimSettings, user: &User, name: &str) -> ClaimLine {
    let words = match name {
        USER_NAME => "User name",
        name => settings.words(name).unwrap_or(name),
    };
    let value = match name {
        USER_NAME => Some(user.name.as_str().to_owned()),
        name => user.claims.get(name).map(shown),
    };
    ClaimLine { name: name.to_owned(), words: words.to_owned(), value }
}

/// The claims about a user that a scope gives to clients, as far as they are known.
pub(super) fn of_scope(settings: &ClaimSettings, user: &User, scope: &str) -> Vec<ClaimLine> {
    let names = settings.of_scope(scope).filter(|name| *name != UPDATED_AT);
    let lines = names.map(|name| line(settings, user, name));
    lines.filter(|line| line.value.is_some()).collect()
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
