//! The choice of an account that is signed in (OpenID Connect Core, section 3.1.2.1:
//! `prompt=select_account`).

use crate::{
    actor::Authentication,
    form::Params,
    provider::server::{AuthorizationServer, Inner},
};

use super::{
    back::Back,
    next::{self, Sent},
    since,
};

impl AuthorizationServer {
    /// The address for a redirect after the user has chosen the account that is signed in, as
    /// `prompt=select_account` demands (OpenID Connect Core, section 3.1.2.1). `back` is the path and
    /// query of [`Step::SignIn`](crate::provider::Step::SignIn), and
    /// [`Back::is_choice`](crate::provider::Back::is_choice) says whether the choice suffices.
    ///
    /// Call it only for an act of the user: a form on a page that names the account, and which no other
    /// site can send. `None` if `back` is no address of this server's, or the user was asked too long
    /// ago: redirect to `back` then, and the user is asked again.
    ///
    /// ```
    /// use quadrille::{Authentication, provider::AuthorizationServer};
    ///
    /// /// The address after the button "Continue as ada".
    /// fn after(server: &AuthorizationServer, user: &Authentication, next: &str) -> String {
    ///     let chosen = server.account_chosen(next, user);
    ///     chosen.map_or_else(|| next.to_owned(), |back| back.path_and_query().to_owned())
    /// }
    /// ```
    pub fn account_chosen(&self, back: &str, user: &Authentication) -> Option<Back> {
        chosen(self.inner(), back, user)
    }
}

fn chosen(inner: &Inner, back: &str, user: &Authentication) -> Option<Back> {
    let (path, query) = back.split_once('?')?;
    if *path != *inner.paths.authorize {
        return None;
    }
    let params = Params::parse(query.as_bytes()).ok()?;
    let same = since::same(inner, &params);
    // It stays bound to the browser that got it.
    let sent = since::of_any_browser(inner, &params)?;
    let sent = Sent { chosen: Some(next::chosen(user)), ..sent };
    Some(Back::to(since::noted(inner, &same, sent)))
}
