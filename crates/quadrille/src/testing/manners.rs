//! How services answer, as data: what a fake service plays, and what tests expect of it.

use std::time::Duration;

use crate::{
    consumer::{Service, Spec},
    scope::ScopeSeparator,
};

/// How a service answers, where the specifications leave it a choice or it departs from them.
///
/// ```
/// use std::time::Duration;
/// use quadrille::testing::{Answers, FakeService, Manners, Refresh};
///
/// let service = FakeService::new("our-id", "our-secret");
/// service.change(|manners| {
///     manners.answers = Answers::Form;
///     manners.lifetime = Some(Duration::from_secs(3600));
///     manners.refresh = Refresh::Rotating;
/// });
/// assert_eq!(Manners::STANDARD.answers, Answers::Json);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Manners {
    /// The shape of a token endpoint's answers. Those of OAuth 1 are forms.
    pub answers: Answers,
    /// Whether the errors of a token endpoint come under status 200.
    pub errors_under_200: bool,
    /// What separates granted scopes.
    pub scope_separator: ScopeSeparator,
    /// The scopes that are granted, whatever is asked for. `None` grants what is asked for.
    pub scopes: Option<&'static str>,
    /// The `token_type` of each token.
    pub token_type: &'static str,
    /// The lifetime of each access token. `None` does not say it.
    pub lifetime: Option<Duration>,
    /// Whether refresh tokens are given, and how often each is good.
    pub refresh: Refresh,
    /// The error code for an authorization code that is invalid.
    pub dead_code: &'static str,
    /// The error code for a refresh token that is invalid.
    pub dead_refresh_token: &'static str,
    /// The error code for an application whose secret is wrong.
    pub wrong_client: &'static str,
    /// How the service says that the user refused.
    pub denial: Denial,
    /// Whether a service of OAuth 1 confirms the callback (RFC 5849, section 2.1).
    pub confirms_callback: bool,
    /// The body of an API's 401 answer to a dead token of OAuth 1. `None` is an `oauth_problem`.
    pub dead_token: Option<&'static str>,
}

/// The shape of answers.
///
/// ```
/// use quadrille::testing::{Answers, Manners};
///
/// assert_eq!(Manners::STANDARD.answers, Answers::Json);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answers {
    /// JSON (RFC 6749, section 5.1).
    Json,
    /// A form, as several services answered before there was an RFC.
    Form,
}

/// Whether a service gives refresh tokens.
///
/// ```
/// use quadrille::testing::{Manners, Refresh};
///
/// assert_eq!(Manners::STANDARD.refresh, Refresh::Never);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refresh {
    /// It gives none.
    Never,
    /// Each is good as long as the account is linked.
    Lasting,
    /// Each is good once.
    Rotating,
}

/// How a service says in the callback that the user refused.
///
/// ```
/// use quadrille::testing::{Denial, Manners};
///
/// assert_eq!(Manners::STANDARD.denial, Denial::Standard);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Denial {
    /// By `error=access_denied` (RFC 6749, section 4.1.2.1), or `oauth_problem=user_refused`.
    Standard,
    /// By an error code, or an `oauth_problem`, of its own.
    Named(&'static str),
    /// By a parameter `denied` with the temporary credential (OAuth 1).
    Parameter,
    /// By this verifier (OAuth 1).
    Verifier(&'static str),
}

impl Manners {
    /// The manners of a service that does what the specifications say.
    pub const STANDARD: Self = Self {
        answers: Answers::Json,
        errors_under_200: false,
        scope_separator: ScopeSeparator::Space,
        scopes: None,
        token_type: "Bearer",
        lifetime: None,
        refresh: Refresh::Never,
        dead_code: "invalid_grant",
        dead_refresh_token: "invalid_grant",
        wrong_client: "invalid_client",
        denial: Denial::Standard,
        confirms_callback: true,
        dead_token: None,
    };

    /// Gives tokens that end after `lifetime`, with refresh tokens; with `rotates`, each good once.
    pub const fn expire(&mut self, lifetime: Duration, rotates: bool) {
        self.lifetime = Some(lifetime);
        self.refresh = if rotates { Refresh::Rotating } else { Refresh::Lasting };
    }
}

/// A service that a fake one can stand for.
///
/// ```
/// use quadrille::{Service, Spec, testing::{Emulated, FakeService, Manners}};
///
/// struct Gitea;
/// impl Service for Gitea {
///     const SPEC: Spec = Spec::oauth2("gitea", "authorize", "token", "api/v1")
///         .identity("user", "id")
///         .build();
/// }
/// impl Emulated for Gitea {
///     const MANNERS: Manners = Manners::STANDARD;
/// }
/// let gitea = FakeService::of::<Gitea>("our-id", "our-secret");
/// ```
pub trait Emulated: Service {
    /// How the service answers.
    const MANNERS: Manners;
}

/// A service that this crate knows, for a test of each.
///
/// ```
/// use quadrille::testing::SERVICES;
///
/// let github = SERVICES.iter().find(|row| row.spec.name == "github").unwrap();
/// assert_eq!(github.type_name, "GitHub");
/// assert_eq!(github.variables, ["GITHUB_OAUTH_CLIENT_ID", "GITHUB_OAUTH_CLIENT_SECRET"]);
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Row {
    /// The name of its type.
    pub type_name: &'static str,
    /// The service.
    pub spec: Spec,
    /// The environment variables that `from_env` reads, in the order in which it does.
    pub variables: &'static [&'static str],
    /// How it answers.
    pub manners: Manners,
}

impl Row {
    pub(crate) const fn of<S: Emulated>(
        type_name: &'static str,
        variables: &'static [&'static str],
    ) -> Self {
        Self { type_name, spec: S::SPEC, variables, manners: S::MANNERS }
    }
}
