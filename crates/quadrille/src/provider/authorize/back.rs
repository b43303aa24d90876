//! The address of a request for which a user has to sign in.

use std::fmt;

use crate::form::FormWriter;

/// The address for a redirect after sign-in: path and query of the authorization endpoint. Its
/// `Display` is encoded as a value in a query. Anybody may have written such a value into a link, so
/// the sign-in page redirects to what [`same_site`](crate::page::same_site) returns.
///
/// ```
/// # use quadrille::provider::Back;
/// fn sign_in(back: &Back) -> String {
///     format!("/sign-in?next={back}")
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Back {
    path_and_query: String,
    is_choice: bool,
}

impl Back {
    pub(super) fn to(url: FormWriter) -> Self {
        Self { path_and_query: url.finish(), is_choice: false }
    }

    pub(super) fn at(path_and_query: &str) -> Self {
        Self { path_and_query: path_and_query.to_owned(), is_choice: false }
    }

    pub(super) fn for_a_choice(self) -> Self {
        Self { is_choice: true, ..self }
    }

    /// Path and query, not encoded.
    pub fn path_and_query(&self) -> &str {
        &self.path_and_query
    }

    /// `true` if it suffices that the user chooses the account that is signed in
    /// (`prompt=select_account`, OpenID Connect Core, section 3.1.2.1):
    /// [`account_chosen`](crate::provider::AuthorizationServer::account_chosen). A sign-in is a choice,
    /// too.
    pub fn is_choice(&self) -> bool {
        self.is_choice
    }
}

impl fmt::Display for Back {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut encoded = FormWriter::new();
        encoded.append("", &self.path_and_query);
        f.write_str(encoded.finish().trim_start_matches('='))
    }
}
