//! Services that need no description: one row each.

use crate::{
    Secret,
    consumer::{Client, Service, Spec},
    error::Result,
    scope::ScopeSeparator,
};

/// GitHub (OAuth Apps and GitHub Apps). Register at <https://github.com/settings/developers> with
/// the callback `{public URL}/login/github/authorized`.
///
/// Checked November 2026: PKCE is taken; errors come under status 200 and scopes separated by
/// commas, both of which are understood; the e-mail address is at `user/emails` with the scope
/// `user:email`.
#[derive(Clone, Copy, Debug)]
pub struct GitHub;

impl Service for GitHub {
    const SPEC: Spec = Spec::oauth2(
        "github",
        "https://github.com/login/oauth/authorize",
        "https://github.com/login/oauth/access_token",
        "https://api.github.com",
    )
    .title("GitHub")
    .issuer("https://github.com/login/oauth")
    .identity("user", "id")
    .scope_separators(ScopeSeparator::Space, ScopeSeparator::Comma)
    .secret_in_body();
}

impl GitHub {
    /// This application's identifier and secret, from `GITHUB_OAUTH_CLIENT_ID` and
    /// `GITHUB_OAUTH_CLIENT_SECRET`.
    ///
    /// # Errors
    /// [`OperatorFault::VariableMissing`](crate::error::OperatorFault::VariableMissing) with the
    /// name of the one that is not set.
    pub fn from_env() -> Result<Client<Self>> {
        Self::client_from_env()
    }

    /// This application's identifier and secret.
    pub fn new(id: impl Into<String>, secret: impl Into<Secret>) -> Client<Self> {
        Self::client(id, secret)
    }
}
