//! What a service is: data. And this application's registration there.

use std::{borrow::Cow, env, fmt, marker::PhantomData};

use crate::{
    Scopes, Secret,
    error::{Error, OperatorFault, Result},
    scope::ScopeSeparator,
};

/// Everything known about a service at compile time. Build one with [`Spec::oauth2`] and the
/// methods after it; all of them are `const`.
///
/// ```
/// use quadrille::{Service, Spec};
///
/// struct Gitea;
/// impl Service for Gitea {
///     const SPEC: Spec = Spec::oauth2(
///         "gitea",
///         "https://git.example/login/oauth/authorize",
///         "https://git.example/login/oauth/access_token",
///         "https://git.example/api/v1",
///     )
///     .scopes("read:user")
///     .identity("user", "id");
/// }
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Spec {
    /// Path segment, part of cookie names and storage keys, prefix of environment variables.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// The authorization endpoint (RFC 6749, section 3.1).
    pub authorize: &'static str,
    /// The token endpoint (RFC 6749, section 3.2).
    pub token: &'static str,
    /// What relative paths of API calls are joined to.
    pub api: &'static str,
    /// What is asked for when the application does not say, separated by spaces.
    pub scopes: &'static str,
    /// The APIs that tokens are asked for (RFC 8707), separated by spaces; none where the service
    /// does not want to know.
    pub resources: &'static str,
    /// Further parameters of the authorization request.
    pub parameters: &'static [(&'static str, &'static str)],
    /// The issuer that the service names in its answers (RFC 9207), where it does.
    pub issuer: Option<&'static str>,
    /// Whether the service always names its issuer, so that an answer without it is refused.
    pub issuer_required: bool,
    /// Where the service says who an account is, and under which name in that JSON.
    pub identity: Option<(&'static str, &'static str)>,
    /// How this application proves itself at the token endpoint.
    pub authentication: ClientAuthentication,
    /// Whether each refresh token is good once, so that a lost answer loses the account.
    pub rotates_refresh_tokens: bool,
    /// What separates scopes in requests.
    pub scope_separator: ScopeSeparator,
    /// What separates scopes in answers.
    pub granted_scope_separator: ScopeSeparator,
    /// Whether the service takes PKCE (RFC 7636). Practically all do, or ignore it.
    pub pkce: bool,
}

/// How an application proves itself at a token endpoint (RFC 6749, section 2.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientAuthentication {
    /// In the `Authorization` header, which every server must take.
    Basic,
    /// In the body, for servers that look only there.
    Post,
}

impl Spec {
    /// A service that speaks OAuth 2 with authorization codes: its name, its authorization and
    /// token endpoints, and the base of its API.
    pub const fn oauth2(
        name: &'static str,
        authorize: &'static str,
        token: &'static str,
        api: &'static str,
    ) -> Self {
        Self {
            name,
            title: name,
            authorize,
            token,
            api,
            scopes: "",
            resources: "",
            parameters: &[],
            issuer: None,
            issuer_required: false,
            identity: None,
            authentication: ClientAuthentication::Basic,
            rotates_refresh_tokens: false,
            scope_separator: ScopeSeparator::Space,
            granted_scope_separator: ScopeSeparator::Space,
            pkce: true,
        }
    }

    /// What people call it: "GitHub".
    #[must_use]
    pub const fn title(mut self, title: &'static str) -> Self {
        self.title = title;
        self
    }

    /// What is asked for unless the application says otherwise, separated by spaces.
    #[must_use]
    pub const fn scopes(mut self, scopes: &'static str) -> Self {
        self.scopes = scopes;
        self
    }

    /// The API that tokens are asked for (RFC 8707), or several, separated by spaces: for a service
    /// whose tokens are good at one API only. Its authorization and token requests name it.
    #[must_use]
    pub const fn resources(mut self, resources: &'static str) -> Self {
        self.resources = resources;
        self
    }

    /// Further parameters of the authorization request, like `("prompt", "consent")`.
    #[must_use]
    pub const fn parameters(mut self, parameters: &'static [(&'static str, &'static str)]) -> Self {
        self.parameters = parameters;
        self
    }

    /// The issuer (RFC 9207): an answer that names another one is refused.
    #[must_use]
    pub const fn issuer(mut self, issuer: &'static str) -> Self {
        self.issuer = Some(issuer);
        self
    }

    /// The issuer of a service that names it in every answer (its metadata has
    /// `authorization_response_iss_parameter_supported`): an answer without it is refused.
    #[must_use]
    pub const fn issuer_in_every_answer(mut self, issuer: &'static str) -> Self {
        self.issuer = Some(issuer);
        self.issuer_required = true;
        self
    }

    /// Where the service says who an account is (a path of its API, or a URL), and the name of the
    /// identifier in that JSON. The identifier must never be given to another account: an `id`, not
    /// a login name or an address.
    #[must_use]
    pub const fn identity(mut self, path: &'static str, subject: &'static str) -> Self {
        self.identity = Some((path, subject));
        self
    }

    /// For token endpoints that look for the secret in the body only.
    #[must_use]
    pub const fn secret_in_body(mut self) -> Self {
        self.authentication = ClientAuthentication::Post;
        self
    }

    /// What separates scopes in requests, and in answers.
    #[must_use]
    pub const fn scope_separators(
        mut self,
        asked: ScopeSeparator,
        granted: ScopeSeparator,
    ) -> Self {
        self.scope_separator = asked;
        self.granted_scope_separator = granted;
        self
    }

    /// For services whose refresh tokens are good once.
    #[must_use]
    pub const fn rotates_refresh_tokens(mut self) -> Self {
        self.rotates_refresh_tokens = true;
        self
    }

    /// For the few services that fail when PKCE is used. What is given up: a code that leaks from
    /// the browser can be injected into another login (RFC 9700, section 2.1.1).
    #[must_use]
    pub const fn without_pkce_because_the_service_fails_with_it(mut self) -> Self {
        self.pkce = false;
        self
    }
}

/// A service as a type, so that `Linked<GitHub>` is checked by the compiler.
pub trait Service: Sized + Send + Sync + 'static {
    /// What it is.
    const SPEC: Spec;

    /// This application as the service knows it.
    fn client(id: impl Into<String>, secret: impl Into<Secret>) -> Client<Self> {
        Client::new(SpecBuf::from(Self::SPEC), id, Some(secret.into()))
    }

    /// This application as the service knows it, without a secret: a program on people's own
    /// machines, say.
    fn public_client(id: impl Into<String>) -> Client<Self> {
        Client::new(SpecBuf::from(Self::SPEC), id, None)
    }

    /// This application as the service knows it, from the environment: for a service called
    /// `gitea` the variables `GITEA_OAUTH_CLIENT_ID` and `GITEA_OAUTH_CLIENT_SECRET`.
    ///
    /// # Errors
    /// [`OperatorFault::VariableMissing`] with the name of the one that is not set.
    fn client_from_env() -> Result<Client<Self>> {
        Client::from_spec_and_env(SpecBuf::from(Self::SPEC))
    }
}

/// A service known at run time only: rows of a table, a tenant's own server. Each field is as in
/// [`Spec`].
///
/// ```
/// use quadrille::{KeyRing, Login, SpecBuf};
///
/// let mut spec = SpecBuf::oauth2(
///     "acme",
///     "https://id.acme.example/authorize",
///     "https://id.acme.example/token",
///     "https://api.acme.example",
/// );
/// spec.scopes = quadrille::Scopes::of(["profile"]);
/// let login = Login::new(KeyRing::ephemeral(), "https://app.example")
///     .with(spec.client("our-id", "our-secret"));
/// login.check()?;
/// # Ok::<(), quadrille::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each field is documented in Spec")]
pub struct SpecBuf {
    pub name: Cow<'static, str>,
    pub title: Cow<'static, str>,
    pub authorize: Cow<'static, str>,
    pub token: Cow<'static, str>,
    pub api: Cow<'static, str>,
    pub scopes: Scopes,
    pub resources: Cow<'static, str>,
    pub parameters: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    pub issuer: Option<Cow<'static, str>>,
    pub issuer_required: bool,
    pub identity: Option<(Cow<'static, str>, Cow<'static, str>)>,
    pub authentication: ClientAuthentication,
    pub rotates_refresh_tokens: bool,
    pub scope_separator: ScopeSeparator,
    pub granted_scope_separator: ScopeSeparator,
    pub pkce: bool,
}

impl SpecBuf {
    /// As [`Spec::oauth2`], from texts of any origin.
    pub fn oauth2(
        name: impl Into<Cow<'static, str>>,
        authorize: impl Into<Cow<'static, str>>,
        token: impl Into<Cow<'static, str>>,
        api: impl Into<Cow<'static, str>>,
    ) -> Self {
        let name = name.into();
        let mut spec = Self::from(Spec::oauth2("", "", "", ""));
        spec.title = name.clone();
        spec.name = name;
        spec.authorize = authorize.into();
        spec.token = token.into();
        spec.api = api.into();
        spec
    }

    /// This application as the service knows it. Its accounts are reached by
    /// [`Login::linked_by_name`](crate::Login::linked_by_name) and [`Dynamic`].
    pub fn client(self, id: impl Into<String>, secret: impl Into<Secret>) -> Client<Dynamic> {
        Client::new(self, id, Some(secret.into()))
    }
}

impl From<Spec> for SpecBuf {
    fn from(spec: Spec) -> Self {
        Self {
            name: spec.name.into(),
            title: spec.title.into(),
            authorize: spec.authorize.into(),
            token: spec.token.into(),
            api: spec.api.into(),
            scopes: Scopes::of(spec.scopes.split(' ')),
            resources: spec.resources.into(),
            parameters: spec.parameters.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(),
            issuer: spec.issuer.map(Into::into),
            issuer_required: spec.issuer_required,
            identity: spec.identity.map(|(path, subject)| (path.into(), subject.into())),
            authentication: spec.authentication,
            rotates_refresh_tokens: spec.rotates_refresh_tokens,
            scope_separator: spec.scope_separator,
            granted_scope_separator: spec.granted_scope_separator,
            pkce: spec.pkce,
        }
    }
}

/// Stands for the service in the types of services known at run time only.
#[derive(Clone, Copy, Debug)]
pub struct Dynamic;

/// This application as one service knows it: its identifier and secret there, and what it asks for.
pub struct Client<S> {
    pub(crate) spec: SpecBuf,
    pub(crate) id: String,
    pub(crate) secret: Option<Secret>,
    pub(crate) service: PhantomData<fn() -> S>,
}

impl<S> Client<S> {
    pub(crate) fn new(spec: SpecBuf, id: impl Into<String>, secret: Option<Secret>) -> Self {
        Self { spec, id: id.into(), secret, service: PhantomData }
    }

    fn from_spec_and_env(spec: SpecBuf) -> Result<Self> {
        let prefix = spec.name.to_ascii_uppercase().replace('-', "_");
        let variable = |what: &str| {
            let name = format!("{prefix}_OAUTH_CLIENT_{what}");
            match env::var(&name) {
                Ok(value) if !value.is_empty() => Ok(value),
                _ => Err(Error::from(OperatorFault::VariableMissing { name: name.into() })),
            }
        };
        let (id, secret) = (variable("ID")?, variable("SECRET")?);
        Ok(Self::new(spec, id, Some(secret.into())))
    }

    /// Asks for these scopes instead of the service's default ones; separated by spaces.
    #[must_use]
    pub fn scopes(mut self, scopes: &str) -> Self {
        self.spec.scopes = Scopes::of(scopes.split(' '));
        self
    }

    /// Calls this service by another name, in paths and keys: for two registrations at one service.
    #[must_use]
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.spec.name = name.into();
        self
    }

    /// Adds a parameter to every authorization request.
    #[must_use]
    pub fn parameter(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.spec.parameters.push((name.into(), value.into()));
        self
    }

    /// Changes any fact about the service: another host, say.
    #[must_use]
    pub fn with_spec(mut self, change: impl FnOnce(&mut SpecBuf)) -> Self {
        change(&mut self.spec);
        self
    }
}

impl<S> fmt::Debug for Client<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("service", &self.spec.name)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
