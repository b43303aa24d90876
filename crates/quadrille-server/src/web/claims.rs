//! The claims about users, for OpenID Connect.

use std::sync::Arc;

use quadrille::provider::{Claims, ClaimsQuery, ClaimsUnavailable, OpenId, UserClaims};

use crate::data::Backend;

/// The claim with the user name (OpenID Connect Core, section 5.1).
const USER_NAME: &str = "preferred_username";

/// The offer of OpenID Connect: clients can learn the names of users.
pub(super) fn offered(backend: Arc<dyn Backend>) -> OpenId {
    OpenId::new().claims([USER_NAME], Users(backend))
}

/// The users in the database.
struct Users(Arc<dyn Backend>);

impl Claims for Users {
    async fn claims(&self, query: ClaimsQuery) -> Result<Option<UserClaims>, ClaimsUnavailable> {
        let user = self.0.user_by_subject(query.subject()).await.map_err(ClaimsUnavailable::new)?;
        let claim = |name: &str| (USER_NAME.to_owned(), name.into());
        Ok(user.map(|user| UserClaims::from_iter([claim(user.name.as_str())])))
    }
}
