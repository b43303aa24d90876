//! The manners of services as data: a fake service follows them, and tests expect them.

use std::time::Duration;

use crate::{
    consumer::{Service, Spec},
    scope::ScopeSeparator,
};

/// The behaviour of a service where specifications leave a choice or the service departs from them.
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
    /// The format of a token endpoint's responses. In OAuth 1 it is always a form.
    pub answers: Answers,
    /// Whether a token endpoint's errors come with status 200.
    pub errors_under_200: bool,
    /// The separator of granted scopes.
    pub scope_separator: ScopeSeparator,
    /// The scopes granted for any request. `None` grants those requested.
    pub scopes: Option<&'static str>,
    /// The `token_type` of each token.
    pub token_type: &'static str,
    /// The lifetime of each access token. `None` omits it.
    pub lifetime: Option<Duration>,
    /// Whether refresh tokens are issued, and how often each is valid.
    pub refresh: Refresh,
    /// The parameter of the authorization request without which no refresh token is issued, such as
    /// `access_type=offline`; `scope=offline_access` is a scope among others. Empty for none.
    pub refresh_wants: &'static str,
    /// The error code for an authorization code that is invalid.
    pub dead_code: &'static str,
    /// The error code for a refresh token that is invalid.
    pub dead_refresh_token: &'static str,
    /// The error code for an application whose secret is wrong.
    pub wrong_client: &'static str,
    /// Whether the secret is accepted only in the way of the service's row
    /// ([`ClientAuthentication`](crate::consumer::ClientAuthentication)). Otherwise it is in HTTP Basic
    /// and in the form (RFC 6749, section 2.3.1).
    pub secret_in_one_way: bool,
    /// Whether an authorization request without a `response_type` is one for a code.
    pub response_type_is_optional: bool,
    /// The parameter of the authorization request without which no ID token is issued, as
    /// [`refresh_wants`](Self::refresh_wants).
    pub id_token_wants: &'static str,
    /// A scheme of the `Authorization` header that the API accepts beside the service's own.
    pub further_token_scheme: Option<&'static str>,
    /// Whether the API accepts a token as the parameter `access_token` of the query (RFC 6750, section
    /// 2.3).
    pub token_in_query: bool,
    /// The callback of a user who refused.
    pub denial: Denial,
    /// Whether a service of OAuth 1 confirms the callback (RFC 5849, section 2.1).
    pub confirms_callback: bool,
    /// The body of an API's 401 response to an invalid token of OAuth 1. `None` sends an
    /// `oauth_problem`.
    pub dead_token: Option<&'static str>,
    /// The time between two token requests of a device login that the service names.
    pub device_interval: Duration,
    /// The lifetime of the codes of a device login that the service names.
    pub device_lifetime: Duration,
    /// Whether granted scopes are a JSON array.
    pub scope_as_array: bool,
    /// Whether the callback names the granted scopes, and token responses do not.
    pub scope_in_callback: bool,
    /// The origin of the API that token responses name, for a service with
    /// [`Spec::api_in_token`](crate::Spec::api_in_token). Calls elsewhere are refused.
    pub api_origin: Option<&'static str>,
    /// The claims of an account as JSON, with `$ID` for the user's number, and those of Ada Lovelace:
    /// `"ada"`, `ada@...` and `Ada Lovelace` have the number behind them for the users after the first.
    /// Empty for the identifier and a `login` only.
    pub account: &'static str,
}

/// The format of responses.
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
    /// A form, as services responded before the RFC.
    Form,
    /// JSON for a request whose `Accept` names it, and a form for others.
    JsonIfAccepted,
}

/// The refresh tokens of a service.
///
/// ```
/// use quadrille::testing::{Manners, Refresh};
///
/// assert_eq!(Manners::STANDARD.refresh, Refresh::Never);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refresh {
    /// The service issues none.
    Never,
    /// Each is valid as long as the account is linked.
    Lasting,
    /// Each is valid once.
    Rotating,
}

/// The callback of a user who refused.
///
/// ```
/// use quadrille::testing::{Denial, Manners};
///
/// assert_eq!(Manners::STANDARD.denial, Denial::Standard);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Denial {
    /// `error=access_denied` (RFC 6749, section 4.1.2.1), or `oauth_problem=user_refused`.
    Standard,
    /// An error code, or an `oauth_problem`, of the service's own.
    Named(&'static str),
    /// A parameter `denied` with the temporary credential (OAuth 1).
    Parameter,
    /// This verifier (OAuth 1).
    Verifier(&'static str),
}

impl Manners {
    /// The manners of a service that follows the specifications.
    pub const STANDARD: Self = Self {
        answers: Answers::Json,
        errors_under_200: false,
        scope_separator: ScopeSeparator::Space,
        scopes: None,
        token_type: "Bearer",
        lifetime: None,
        refresh: Refresh::Never,
        refresh_wants: "",
        dead_code: "invalid_grant",
        dead_refresh_token: "invalid_grant",
        wrong_client: "invalid_client",
        secret_in_one_way: false,
        response_type_is_optional: false,
        id_token_wants: "scope=openid",
        further_token_scheme: None,
        token_in_query: false,
        denial: Denial::Standard,
        confirms_callback: true,
        dead_token: None,
        device_interval: Duration::from_secs(5),
        device_lifetime: Duration::from_secs(900),
        scope_as_array: false,
        scope_in_callback: false,
        api_origin: None,
        account: "",
    };

    /// Issues tokens with this lifetime, and refresh tokens; with `rotates`, each valid once.
    pub const fn expire(&mut self, lifetime: Duration, rotates: bool) {
        self.lifetime = Some(lifetime);
        self.refresh = if rotates { Refresh::Rotating } else { Refresh::Lasting };
    }
}

/// A service that a fake one can emulate.
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
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no manners by which a fake service answers",
    note = "for a service of your own: `impl Emulated for {Self} {{ const MANNERS: Manners = \
            Manners::STANDARD; }}`"
)]
pub trait Emulated: Service {
    /// The manners of the service.
    const MANNERS: Manners;
}

/// A service that this crate describes, for tests of all of them.
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
    /// The environment variables of `from_env`, in the order it reads them.
    pub variables: &'static [&'static str],
    /// When the row was checked, and against what: `November 2026 against ...`.
    pub checked: &'static str,
    /// The names of its own options, in settings and as methods of its client.
    pub options: &'static [&'static str],
    /// Its manners.
    pub manners: Manners,
}

impl Row {
    pub(crate) const fn of<S: Emulated>(
        type_name: &'static str,
        variables: &'static [&'static str],
        checked: &'static str,
        options: &'static [&'static str],
    ) -> Self {
        Self { type_name, spec: S::SPEC, variables, checked, options, manners: S::MANNERS }
    }
}
