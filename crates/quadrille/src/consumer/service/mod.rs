//! Descriptions of services, and the application's registration at one.

pub(super) mod allowed;
mod claims_providers;
pub(super) mod endpoint;
mod facts;
mod facts_openid;
pub(super) mod hosted;
mod hybrid;
pub(super) mod names;
mod nearest;
mod option;
mod protocol;
mod request_objects;
mod section;
mod setting;
mod spec;
mod spec_buf;

use std::{borrow::Cow, fmt, marker::PhantomData, sync::Arc};

use crate::{
    Scopes, Secret, Timestamp,
    consumer::error::{OperatorError, Result},
    transport::{ErasedClient, HttpClient, Reqwest},
};

use self::allowed::Allowed;

pub use claims_providers::ClaimsProviders;
pub use hybrid::Hybrid;
pub use option::ClientOption;
pub use protocol::{
    ClientAuthentication, Encryption, OAuth1, OAuth1Buf, OAuth2, OAuth2Buf, OpenId, OpenIdAccount,
    OpenIdBuf, Protocol, ProtocolBuf, Revocation,
};
pub use request_objects::RequestObjects;
pub use spec::Spec;
pub use spec_buf::SpecBuf;

pub(crate) use nearest::nearest;
pub(crate) use option::TEXT;
pub(crate) use section::{Place, from_environment, is_in_environment, read, section_expected};
pub(crate) use setting::{Entries, Setting, is_quoted};
pub(crate) use spec_buf::is_absolute;

/// A service as a type, so that `Linked<GitHub>` is checked by the compiler.
///
/// ```
/// use quadrille::{KeyRing, Login, Service, Spec};
///
/// struct Gitea;
///
/// impl Service for Gitea {
///     const SPEC: Spec =
///         Spec::oauth2("gitea", "login/oauth/authorize", "login/oauth/access_token", "api/v1")
///             .identity("user", "id")
///             .build();
/// }
///
/// let gitea = Gitea::client("our-id", "our-secret").hosted_at("https://git.example");
/// Login::new(KeyRing::ephemeral(), "https://app.example").with(gitea).check()?;
/// # Ok::<(), quadrille::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a service to log in with",
    label = "a service is wanted here, such as `GitHub`",
    note = "for one of your own: `impl Service for Gitea {{ const SPEC: Spec = \
            Spec::oauth2(\"gitea\", AUTHORIZE, TOKEN, API).build(); }}`"
)]
pub trait Service: Sized + Send + Sync + 'static {
    /// The description of the service.
    const SPEC: Spec;

    /// The options of the service that settings have: [`ClientOption`].
    const OPTIONS: &'static [ClientOption<Self>] = &[];

    /// The application as registered at the service.
    fn client(id: impl Into<String>, secret: impl Into<Secret>) -> Client<Self> {
        Client::new(SpecBuf::from(Self::SPEC), id, Credential::Secret(secret.into()))
    }

    /// The application as registered at a service of OAuth 1 that requires RSA signatures. `key` is
    /// the private key as PEM (PKCS#8 or PKCS#1), or the path of a file with it, which
    /// [`Login::check`](crate::Login::check) or the first use reads.
    fn client_with_key(id: impl Into<String>, key: impl Into<Secret>) -> Client<Self> {
        Client::new(SpecBuf::from(Self::SPEC), id, Credential::Key(key.into()))
    }

    /// The application as registered at the service, without a secret: for example a program on
    /// users' own machines.
    fn public_client(id: impl Into<String>) -> Client<Self> {
        Client::new(SpecBuf::from(Self::SPEC), id, Credential::Public)
    }

    /// The application as registered at the service, where it authenticates by assertions that the
    /// keys of the site sign (`private_key_jwt`; OpenID Connect Core, section 9):
    /// [`Login::client_keys`](crate::Login::client_keys).
    fn signing_client(id: impl Into<String>) -> Client<Self> {
        Client::new(SpecBuf::from(Self::SPEC), id, Credential::SiteKeys)
    }

    /// The application as registered at the service, from the environment. For a service named
    /// `gitea` the variables are
    ///
    /// * `GITEA_OAUTH_CLIENT_ID` and `GITEA_OAUTH_CLIENT_SECRET` for OAuth 2,
    /// * `GITEA_OAUTH_CLIENT_KEY` and `GITEA_OAUTH_CLIENT_SECRET` for OAuth 1,
    /// * `GITEA_OAUTH_CONSUMER_KEY` and `GITEA_OAUTH_RSA_KEY` (as in
    ///   [`client_with_key`](Service::client_with_key)) for OAuth 1 with RSA signatures,
    /// * `GITEA_OAUTH_BASE_URL`, as in [`Client::hosted_at`], which only a service without
    ///   endpoints of its own needs,
    /// * `GITEA_OAUTH_SCOPES` and the further keys of its settings in a file, among them its
    ///   [options](Service::OPTIONS).
    ///
    /// # Errors
    /// [`OperatorError::VariableMissing`] with the name of the missing variable;
    /// [`OperatorError::SettingMalformed`] or [`OperatorError::SettingRefused`] with the name of
    /// one whose value is wrong.
    fn client_from_env() -> Result<Client<Self>> {
        Ok(from_environment()?)
    }
}

/// The type parameter of accounts and clients of a service known only at run time.
///
/// ```
/// use quadrille::{SpecBuf, consumer::{Client, Dynamic}};
///
/// let spec = SpecBuf::oauth2("acme", "authorize", "token", "api");
/// let client: Client<Dynamic> = spec.hosted_at("https://acme.example").client("id", "secret");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Dynamic;

/// The application's registration at one service: its identifier and secret there, and its scopes.
///
/// ```
/// use quadrille::{GitHub, KeyRing, Login};
///
/// let github = GitHub::new("our-id", "our-secret")
///     .scopes("user:email")
///     .parameter("allow_signup", "false");
/// Login::new(KeyRing::ephemeral(), "https://app.example").with(github).check()?;
/// # Ok::<(), quadrille::Error>(())
/// ```
pub struct Client<S> {
    pub(crate) spec: SpecBuf,
    pub(crate) id: String,
    pub(crate) credential: Credential,
    pub(crate) allowed: Allowed,
    /// The HTTP client of this service's requests, unless it is that of the login.
    pub(crate) http: Option<Arc<dyn ErasedClient>>,
    /// The first mistake in the settings of the client.
    pub(crate) fault: Option<OperatorError>,
    pub(crate) service: PhantomData<fn() -> S>,
}

/// The credential of an application.
#[derive(Clone)]
pub(crate) enum Credential {
    /// None: a public client (RFC 6749, section 2.1).
    Public,
    /// The secret of a confidential client, which is never empty.
    Secret(Secret),
    /// A secret that is made anew for each request: a JWT that expires.
    Made(SecretMaker),
    /// An RSA key as PEM, or the path of a file with it.
    Key(Secret),
    /// The keys of the site.
    SiteKeys,
}

/// Makes a secret, or says why that failed.
pub(crate) type SecretMaker = Arc<dyn Fn(Timestamp) -> Result<Secret, String> + Send + Sync>;

impl<S> Client<S> {
    pub(crate) fn new(spec: SpecBuf, id: impl Into<String>, credential: Credential) -> Self {
        let (allowed, id) = (Allowed::default(), id.into());
        Self { spec, id, credential, allowed, http: None, fault: None, service: PhantomData }
    }

    /// The name of the service.
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// Sets the scopes in place of the service's default ones, separated by spaces.
    #[must_use]
    pub fn scopes(mut self, scopes: &str) -> Self {
        self.spec.scopes = Scopes::of(scopes.split(' '));
        self
    }

    /// Sets another name for this service in paths and keys: for two registrations at one service.
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

    /// Sets a parameter of the authorization request in place of its default.
    pub(crate) fn option(
        mut self,
        name: &'static str,
        value: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.spec.parameters.retain(|(known, _)| known != name);
        self.parameter(name, value)
    }

    /// Adds a word to a parameter of the authorization request whose words are separated by spaces.
    pub(crate) fn option_word(self, name: &'static str, word: &'static str) -> Self {
        let known = self.spec.parameters.iter().find(|(known, _)| known == name);
        let words = match known {
            Some((_, words)) if words.split(' ').any(|known| known == word) => return self,
            Some((_, words)) => Cow::Owned(format!("{words} {word}")),
            None => Cow::Borrowed(word),
        };
        self.option(name, words)
    }

    /// Sets a header of requests to the API and to the token endpoint.
    pub(crate) fn header_everywhere(
        mut self,
        name: &'static str,
        value: impl Into<Cow<'static, str>>,
    ) -> Self {
        let value = value.into();
        for headers in [&mut self.spec.call_headers, &mut self.spec.token_headers] {
            headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            headers.push((name.into(), value.clone()));
        }
        self
    }

    /// Sets the callback of logins that a script or a program begins by
    /// [`Login::json_routes`](crate::Login::json_routes): a page of the script, an app link, or a
    /// scheme of the program that is a reversed domain name, such as `com.example.app:/callback`
    /// (RFC 8252, section 7.1). Register it at the service, too. Without it, the callback is that
    /// of all other logins.
    ///
    /// ```
    /// use quadrille::{GitHub, KeyRing, Login};
    ///
    /// let github = GitHub::new("our-id", "our-secret")
    ///     .json_callback("https://app.example/app/logged-in");
    /// Login::new(KeyRing::ephemeral(), "https://app.example").with(github).check()?;
    /// # Ok::<(), quadrille::Error>(())
    /// ```
    ///
    /// [`Login::check`](crate::Login::check) refuses any other URL:
    /// [`OperatorError::JsonCallbackMalformed`].
    #[must_use]
    pub fn json_callback(mut self, callback: impl Into<Cow<'static, str>>) -> Self {
        self.allowed.json_callback = Some(callback.into());
        self
    }

    /// Lets a request to log in set these parameters of the authorization request, as in
    /// `/login/google?login_hint=ada@example.com`. Any site can send a visitor with such a request,
    /// so nothing that is not on the list passes. A value may have 1,024 bytes, and no control
    /// character.
    ///
    /// [`Login::check`](crate::Login::check) refuses parameters that the login sets itself, or that
    /// decide what is authorized (`scope`, `redirect_uri`, `state`, `resource`, `response_mode`,
    /// ...): [`OperatorError::ParameterReserved`].
    ///
    /// ```
    /// use quadrille::{GitHub, KeyRing, Login};
    ///
    /// let github = || GitHub::new("our-id", "our-secret");
    /// let login = |client| Login::new(KeyRing::ephemeral(), "https://app.example").with(client);
    /// login(github().allow_parameters(["login", "allow_signup"])).check()?;
    /// let error = login(github().allow_parameters(["redirect_uri"])).check().unwrap_err();
    /// assert_eq!(error.code(), "parameter_reserved");
    /// # Ok::<(), quadrille::Error>(())
    /// ```
    #[must_use]
    pub fn allow_parameters(
        mut self,
        names: impl IntoIterator<Item = impl Into<Cow<'static, str>>>,
    ) -> Self {
        self.allowed.parameters.extend(names.into_iter().map(Into::into));
        self
    }

    /// Lets an ID token log its user in that a page or an app presents (`Login::id_token_routes`): a
    /// way in beside that of the redirect, so it is off until a service is named by this.
    ///
    /// ```
    /// use quadrille::{Google, KeyRing, Login};
    ///
    /// let google = Google::new("our-id", "our-secret").accept_id_tokens();
    /// Login::new(KeyRing::ephemeral(), "https://app.example").with(google).check()?;
    /// # Ok::<(), quadrille::Error>(())
    /// ```
    #[must_use]
    pub fn accept_id_tokens(mut self) -> Self {
        self.allowed.id_tokens = true;
        self
    }

    /// As [`accept_id_tokens`](Self::accept_id_tokens), also for these further clients of the same
    /// application, such as those of its apps for phones. A program that gets such a token can log in
    /// with it here, so name no client of other people.
    ///
    /// ```
    /// use quadrille::{Google, KeyRing, Login};
    ///
    /// let google = Google::new("our-id", "our-secret").id_tokens_for(["our-id-on-android"]);
    /// Login::new(KeyRing::ephemeral(), "https://app.example").with(google).check()?;
    /// # Ok::<(), quadrille::Error>(())
    /// ```
    #[must_use]
    pub fn id_tokens_for(
        mut self,
        client_ids: impl IntoIterator<Item = impl Into<Cow<'static, str>>>,
    ) -> Self {
        self.allowed.clients.extend(client_ids.into_iter().map(Into::into));
        self.accept_id_tokens()
    }

    /// Accepts claims of these claims providers, to which those of the service refer (OpenID Connect
    /// Core, section 5.6.2): [`Api::claims_of_others`](crate::consumer::Api::claims_of_others).
    /// [`Login::check`](crate::Login::check) refuses them at a service that is no OpenID Provider, and
    /// an issuer that is no https URL.
    #[must_use]
    pub fn claims_providers(mut self, providers: ClaimsProviders) -> Self {
        self.allowed.claims_providers = Some(providers);
        self
    }

    /// Replaces the beginning of those endpoints that have it.
    pub(crate) fn moved(mut self, from: &str, to: &str) -> Self {
        let spec = &mut self.spec;
        let mut endpoints = vec![&mut spec.authorize, &mut spec.token, &mut spec.api];
        endpoints.extend(spec.identity.as_mut().map(|(path, _)| path));
        endpoints.extend(&mut spec.email_list);
        match &mut spec.protocol {
            Protocol::OAuth2(oauth2) => {
                endpoints.extend(&mut oauth2.issuer);
                endpoints.extend(&mut oauth2.refresh);
                endpoints.extend(&mut oauth2.device_authorization);
                endpoints.extend(&mut oauth2.openid.issuer);
                endpoints.extend(&mut oauth2.openid.keys);
                endpoints.extend(&mut oauth2.openid.end_session);
                endpoints.extend(oauth2.revocation.as_mut().map(|(endpoint, _)| endpoint));
            }
            Protocol::OAuth1(oauth1) => endpoints.push(&mut oauth1.temporary),
        }
        for endpoint in endpoints {
            if let Some(rest) = endpoint.strip_prefix(from) {
                *endpoint = [to, rest].concat().into();
            }
        }
        self
    }

    /// Lets a request to log in ask for these scopes, separated by spaces, in addition to the usual
    /// ones and those that the linked account has, as in `/login/github?scope=gist`. Any site can
    /// send a visitor with such a request, so scopes that are not on the list are ignored.
    /// [`Linked<S, Scope>`](crate::Linked) needs no list.
    ///
    /// ```
    /// use quadrille::{GitHub, KeyRing, Login};
    ///
    /// let github = GitHub::new("our-id", "our-secret").allow_scopes("gist read:org");
    /// Login::new(KeyRing::ephemeral(), "https://app.example").with(github).check()?;
    /// # Ok::<(), quadrille::Error>(())
    /// ```
    #[must_use]
    pub fn allow_scopes(mut self, scopes: &str) -> Self {
        self.allowed.scopes = self.allowed.scopes.union(&Scopes::of(scopes.split(' ')));
        self
    }

    /// The URL of an installation of the service: `https://git.example`, or with a path. Every
    /// endpoint keeps its path below this URL, with or without a trailing slash.
    ///
    /// ```
    /// use quadrille::{GitHub, KeyRing, Login};
    ///
    /// let enterprise = GitHub::new("our-id", "our-secret").hosted_at("https://git.example");
    /// Login::new(KeyRing::ephemeral(), "https://app.example").with(enterprise).check()?;
    /// # Ok::<(), quadrille::Error>(())
    /// ```
    ///
    /// [`Login::check`](crate::Login::check) refuses a base that is not an absolute `https` URL (or
    /// `http` on this machine), or has a user, a query or a fragment:
    /// [`OperatorError::BaseMalformed`].
    #[must_use]
    pub fn hosted_at(mut self, base: impl Into<Cow<'static, str>>) -> Self {
        self.spec.base = Some(base.into());
        self
    }

    /// Makes the secret anew for each request to the token endpoint, from the current time: for a
    /// service whose secret is a JWT that expires, such as [`Apple`](crate::Apple). An error of
    /// `make` is logged, and the login or the refresh fails with
    /// [`OperatorError::SecretNotMade`].
    ///
    /// ```
    /// use quadrille::{Apple, KeyRing, Login, Secret, Service, Timestamp};
    ///
    /// # #[derive(Clone)] struct Signer;
    /// # impl Signer {
    /// #     fn load() -> Self { Self }
    /// #     fn jwt(&self, claims: String) -> Result<String, std::io::Error> { Ok(claims) }
    /// # }
    /// let signer = Signer::load(); // ES256, with the key from Apple's developer site
    /// let apple = Apple::public_client("com.example.web").secret_by(move |now: Timestamp| {
    ///     let (issued, expires) = (now.seconds(), now.seconds() + 300);
    ///     signer.jwt(format!(
    ///         r#"{{"iss":"TEAM","sub":"com.example.web","aud":"https://appleid.apple.com",
    ///             "iat":{issued},"exp":{expires}}}"#
    ///     ))
    /// });
    /// Login::new(KeyRing::ephemeral(), "https://app.example").with(apple).check()?;
    /// # Ok::<(), quadrille::Error>(())
    /// ```
    #[must_use]
    pub fn secret_by<T: Into<Secret>, E: fmt::Display>(
        mut self,
        make: impl Fn(Timestamp) -> Result<T, E> + Send + Sync + 'static,
    ) -> Self {
        self.credential = Credential::Made(Arc::new(move |now| match make(now) {
            Ok(secret) => Ok(secret.into()),
            Err(error) => Err(error.to_string()),
        }));
        self
    }

    /// Sends the requests to this service with this client, in place of that of
    /// [`Login::http`](crate::Login::http): for a service with a proxy or a certificate authority
    /// of its own.
    ///
    /// ```
    /// use quadrille::{GitLab, KeyRing, Login, transport::Reqwest};
    ///
    /// # fn login(pem: &[u8]) -> Result<Login, Box<dyn std::error::Error>> {
    /// let authority = reqwest::Certificate::from_pem(pem)?;
    /// let http = Reqwest::new(reqwest::Client::builder().tls_certs_merge([authority]))?;
    /// let gitlab = GitLab::new("our-id", "our-secret")
    ///     .hosted_at("https://git.corp.example")
    ///     .http(http);
    /// # Ok(Login::new(KeyRing::ephemeral(), "https://app.example").with(gitlab))
    /// # }
    /// ```
    #[must_use]
    pub fn http(mut self, client: impl HttpClient) -> Self {
        self.http = Some(Arc::new(client));
        self
    }

    /// Accepts any TLS certificate in the service's name. Gives up: anyone on the way to the
    /// service can read its tokens and this application's secret, and answer in its place. For a
    /// service with a certificate authority of its own, use [`http`](Self::http) instead.
    #[must_use]
    pub fn without_verifying_certificates_so_that_anyone_can_read_tokens(mut self) -> Self {
        match Reqwest::without_verifying_certificates() {
            Ok(client) => return self.http(client),
            Err(error) => self.fault = Some(error.into()),
        }
        self
    }

    /// Changes any fact about the service.
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
