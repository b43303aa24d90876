//! The options of OpenID Connect.

use std::{collections::BTreeMap, fmt, sync::Arc};

use url::Url;

use crate::{
    Scopes, oauth2::ResponseType, oidc::claims_of_scope, provider::authorize::page_hints::Display,
};

use super::{
    claims::{Claims, ErasedClaims},
    details::{OPENID, scope_of, without_language},
    logout::options::Logout,
    offline::OFFLINE_ACCESS,
    pairwise::PairwiseKey,
    request_object::options::RequestObjects,
};

/// OpenID Connect at an authorization server: clients learn who their users are, by ID tokens and at
/// the userinfo endpoint (OpenID Connect Core 1.0).
///
/// The scope `openid` is offered with it, and those of the standard claims that the application
/// knows: `profile`, `email`, `address` and `phone`. The server needs
/// [signing keys](crate::provider::AuthorizationServer::signing_keys), and one for RS256 among
/// them, which every provider must have (OpenID Connect Discovery, section 3).
///
/// ```
/// use quadrille::{
///     Env, Policy,
///     jose::{Algorithm, SigningKey, SigningKeys},
///     provider::{
///         AuthorizationServer, ClaimsQuery, ClaimsUnavailable, OpenId, UserClaims,
///         store::MemoryStore,
///     },
/// };
///
/// async fn claims(query: ClaimsQuery) -> Result<Option<UserClaims>, ClaimsUnavailable> {
///     let email = format!("{}@example.com", query.subject());
///     Ok(Some(UserClaims::from_iter([("email".to_owned(), email.into())])))
/// }
///
/// let env = Env::system();
/// let keys = SigningKeys::new(SigningKey::generate(Algorithm::Rs256)?, env.now())?;
/// let server = AuthorizationServer::new("https://id.example", MemoryStore::new(env))?
///     .policy(Policy::openid())
///     .signing_keys(keys)
///     .openid(OpenId::new().claims(["email"], claims));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct OpenId {
    pub(super) source: Option<Arc<dyn ErasedClaims>>,
    /// The claims that the application knows.
    pub(super) supported: Vec<Box<str>>,
    /// The claims of the application's own scopes.
    pub(super) of_scopes: BTreeMap<Box<str>, Vec<Box<str>>>,
    /// The response types beside those of RFC 6749.
    response_types: Vec<ResponseType>,
    /// The secret of pairwise subjects; `None` if they are not offered.
    pub(crate) pairwise: Option<PairwiseKey>,
    /// Logout; `None` if it is not offered.
    pub(super) logout: Option<Logout>,
    /// Request objects; `None` if they are not offered.
    pub(crate) objects: Option<RequestObjects>,
    /// `true` if answers are encrypted for clients that are registered so.
    pub(crate) encrypts: bool,
    /// `true` if clients find the issuer of a user.
    pub(crate) has_webfinger: bool,
    /// `true` if refresh tokens of OpenID Connect need the scope `offline_access`.
    pub(crate) has_offline_access: bool,
    /// `true` if pages of clients notice that a user signs in or out.
    pub(crate) manages_sessions: bool,
    /// `true` if users can open an account on the sign-in page.
    pub(crate) creates_accounts: bool,
    /// The languages of the pages.
    pub(super) ui_locales: Vec<Box<str>>,
    /// The kinds of display that the pages suit.
    pub(super) displays: Vec<Display>,
}

/// The standard scopes, as a consent page says them.
const DESCRIPTIONS: [(&str, &str); 4] = [
    ("profile", "See your name and profile"),
    ("email", "See your email address"),
    ("address", "See your postal address"),
    ("phone", "See your phone number"),
];

/// The claims that the server itself writes (RFC 7519, section 4.1; OpenID Connect Core, sections 2
/// and 3.3.2.11).
const OF_THE_SERVER: [&str; 16] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "azp",
    "at_hash",
    "c_hash",
    "s_hash",
    "sid",
];

impl OpenId {
    /// OpenID Connect without claims: clients learn a user's subject, and when and how the user has
    /// signed in.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the source of the claims about users, and the names of those that it knows
    /// (`claims_supported`). No other claims are passed on, and none that the server itself writes,
    /// such as `sub` and `auth_time`.
    pub fn claims<N: AsRef<str>>(
        mut self,
        names: impl IntoIterator<Item = N>,
        source: impl Claims,
    ) -> Self {
        let names = names.into_iter().map(|name| Box::from(name.as_ref()));
        self.supported = names.filter(|name| !OF_THE_SERVER.contains(&&**name)).collect();
        self.source = Some(Arc::new(source));
        self
    }

    /// Has a scope of the application's own request claims, as `profile` does. The scope itself is
    /// added by [`scope`](crate::provider::AuthorizationServer::scope), with its description.
    ///
    /// ```
    /// use quadrille::provider::OpenId;
    ///
    /// let openid = OpenId::new().scope_of_claims("groups", ["groups"]);
    /// ```
    pub fn scope_of_claims<N: AsRef<str>>(
        mut self,
        scope: &str,
        names: impl IntoIterator<Item = N>,
    ) -> Self {
        let names = names.into_iter().map(|name| name.as_ref().into()).collect();
        self.of_scopes.insert(scope.into(), names);
        self
    }

    /// Offers pairwise subjects (OpenID Connect Core, section 8) to the clients that are registered
    /// [for them](crate::provider::ClientOpenId::subject_type): such clients cannot tell that two of
    /// their users are one. The subjects follow from this secret: keep it as long as the clients keep
    /// their users, and out of the key ring, whose keys are replaced. Access tokens of such clients
    /// are never JWTs, in which they could read the user's own subject.
    ///
    /// ```
    /// use quadrille::provider::OpenId;
    ///
    /// # let secret = [7; 32];
    /// let openid = OpenId::new().pairwise_subjects(&secret);
    /// ```
    pub fn pairwise_subjects(mut self, secret: &[u8; 32]) -> Self {
        self.pairwise = Some(PairwiseKey::new(secret));
        self
    }

    /// Offers logout: the end session endpoint, which the application has a page for, at
    /// [`end_session_path`](crate::provider::AuthorizationServer::end_session_path) (OpenID Connect
    /// RP-Initiated Logout 1.0).
    ///
    /// ```
    /// use quadrille::provider::{Logout, OpenId};
    ///
    /// let openid = OpenId::new().logout(Logout::new());
    /// ```
    pub fn logout(mut self, logout: Logout) -> Self {
        self.logout = Some(logout);
        self
    }

    /// Offers request objects: the parameters of a request in a token that the client signs (OpenID
    /// Connect Core, section 6; RFC 9101).
    ///
    /// ```
    /// use quadrille::provider::{OpenId, RequestObjects};
    ///
    /// let openid = OpenId::new().request_objects(RequestObjects::new());
    /// ```
    pub fn request_objects(mut self, objects: RequestObjects) -> Self {
        self.objects = Some(objects);
        self
    }

    /// Offers encrypted ID tokens and userinfo responses to clients that are
    /// [registered](crate::provider::ClientOpenId::id_token_encrypted_response) for them: to a public
    /// key of the client ([`ClientOpenId::keys`](crate::provider::ClientOpenId::keys)), or by its secret
    /// if it is registered for `client_secret_jwt`. A client without a usable key gets an error, and no
    /// answer in the clear.
    ///
    /// ```
    /// use quadrille::{
    ///     jose::KeyManagement,
    ///     provider::{ClientKeys, ClientOpenId, MessageEncryption, NewClient, OpenId},
    /// };
    ///
    /// let openid = OpenId::new().encrypted_responses();
    /// let mut metadata = ClientOpenId::default();
    /// metadata.keys = Some(ClientKeys::JwksUri("https://bank.example/jwks.json".into()));
    /// metadata.id_token_encrypted_response = Some(MessageEncryption::by(KeyManagement::EcdhEs));
    /// let bank = NewClient::confidential("Bank")
    ///     .redirect_uri("https://bank.example/callback")
    ///     .openid(metadata);
    /// ```
    pub fn encrypted_responses(mut self) -> Self {
        self.encrypts = true;
        self
    }

    /// Offers the scope `offline_access` (OpenID Connect Core, section 11): a request with the scope
    /// `openid` gets a refresh token only if it has this one, too. A website must have the user asked
    /// each time (`prompt=consent`); otherwise, and in a request without a code, the scope is ignored.
    /// Without this option, a client with the grant type `refresh_token` gets refresh tokens as it does
    /// without OpenID Connect.
    ///
    /// ```
    /// use quadrille::provider::OpenId;
    ///
    /// let openid = OpenId::new().offline_access();
    /// ```
    pub fn offline_access(mut self) -> Self {
        self.has_offline_access = true;
        self
    }

    /// Offers WebFinger: a client finds this issuer by the address of a user (`acct:ada@id.example`), or by
    /// a URL at the origin of the issuer (OpenID Connect Discovery, section 2). The answer is the same for
    /// all names, so that nobody learns which users there are. It is at the origin's
    /// `/.well-known/webfinger`, also for an issuer with a path.
    ///
    /// ```
    /// use quadrille::provider::OpenId;
    ///
    /// let openid = OpenId::new().webfinger();
    /// ```
    pub fn webfinger(mut self) -> Self {
        self.has_webfinger = true;
        self
    }

    /// Offers session management (OpenID Connect Session Management 1.0): a page of a client frames the
    /// provider's page at `check_session_iframe`, and notices by it, without requests, when another user
    /// signs in in this browser, or the user out. The frame reads a cookie, which an application changes
    /// as it opens and ends sessions:
    /// [`browser_state_cookie`](crate::provider::AuthorizationServer::browser_state_cookie).
    ///
    /// Browsers that keep the cookies of other sites from frames, as more and more do, let no frame know
    /// anything, except for a client of the provider's own site: prefer [`logout`](Self::logout) with a
    /// back channel. The cookie has `SameSite=None; Secure`, so that the others let the frame read it.
    ///
    /// ```
    /// use quadrille::provider::OpenId;
    ///
    /// let openid = OpenId::new().session_management();
    /// ```
    pub fn session_management(mut self) -> Self {
        self.manages_sessions = true;
        self
    }

    /// Declares that users can open an account here: `prompt=create` is offered, and reaches the
    /// application as [`PageHints::create`](crate::provider::PageHints::create) (Initiating User
    /// Registration via OpenID Connect 1.0).
    ///
    /// ```
    /// use quadrille::provider::OpenId;
    ///
    /// let openid = OpenId::new().users_can_open_accounts();
    /// ```
    pub fn users_can_open_accounts(mut self) -> Self {
        self.creates_accounts = true;
        self
    }

    /// Declares the languages of the application's pages (`ui_locales_supported`, BCP 47). The wishes of a
    /// request reach the application as [`PageHints::ui_locales`](crate::provider::PageHints::ui_locales)
    /// in any case.
    ///
    /// ```
    /// use quadrille::provider::OpenId;
    ///
    /// let openid = OpenId::new().ui_locales(["en", "de-AT"]);
    /// ```
    pub fn ui_locales<L: AsRef<str>>(mut self, tags: impl IntoIterator<Item = L>) -> Self {
        self.ui_locales = tags.into_iter().map(|tag| tag.as_ref().into()).collect();
        self
    }

    /// Declares the kinds of display that the application's pages suit (`display_values_supported`). The
    /// wish of a request reaches the application as
    /// [`PageHints::display`](crate::provider::PageHints::display) in any case.
    ///
    /// ```
    /// use quadrille::provider::{Display, OpenId};
    ///
    /// let openid = OpenId::new().displays([Display::Page, Display::Popup]);
    /// ```
    pub fn displays(mut self, kinds: impl IntoIterator<Item = Display>) -> Self {
        self.displays = kinds.into_iter().collect();
        self
    }

    /// Offers response types beside `code`, by name, to the clients that are
    /// [registered](crate::provider::ClientOpenId::response_types) for them: ID tokens in the
    /// redirect, alone or beside a code (OpenID Connect Core, sections 3.2 and 3.3). Clients must
    /// send a `nonce` with those. Everything that sees the address of the client's page learns from
    /// the ID token who the user is. Response types with an access token are offered only together
    /// with [`send_access_tokens_in_redirects_so_that_they_can_leak`].
    ///
    /// ```
    /// use quadrille::{
    ///     oauth2::ResponseType,
    ///     provider::{ClientOpenId, NewClient, OpenId},
    /// };
    ///
    /// let offered = OpenId::new().response_types([ResponseType::CodeIdToken]);
    /// let mut openid = ClientOpenId::default();
    /// openid.response_types = vec![ResponseType::CodeIdToken];
    /// let bank = NewClient::confidential("Bank")
    ///     .redirect_uri("https://bank.example/callback")
    ///     .openid(openid);
    /// ```
    ///
    /// [`send_access_tokens_in_redirects_so_that_they_can_leak`]: crate::provider::AuthorizationServer::send_access_tokens_in_redirects_so_that_they_can_leak
    pub fn response_types(mut self, types: impl IntoIterator<Item = ResponseType>) -> Self {
        self.response_types = types.into_iter().collect();
        self
    }

    /// Whether addresses of clients for logout may be at this URL.
    pub(crate) fn reaches(&self, url: &Url) -> bool {
        self.logout.as_ref().is_none_or(|logout| logout.reaches(url))
    }

    /// Whether a response type was named.
    pub(crate) fn has_named(&self, response_type: ResponseType) -> bool {
        self.response_types.contains(&response_type)
    }

    /// The scopes that are offered, with their descriptions.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let is_known = |name: &&'static str| self.supports(name);
        let offered: Vec<_> = DESCRIPTIONS
            .into_iter()
            .filter(|(scope, _)| claims_of_scope(scope).iter().any(is_known))
            .collect();
        let offline = (OFFLINE_ACCESS, "Act for you while you are away");
        let offline = self.has_offline_access.then_some(offline);
        [(OPENID, "Know who you are")].into_iter().chain(offered).chain(offline)
    }

    /// Whether the application knows a claim.
    pub(crate) fn supports(&self, name: &str) -> bool {
        self.supported.iter().any(|known| **known == *name)
    }

    /// `true` if a client may have a claim by its name: one that scopes give, only if such a scope is
    /// among those that it may request.
    pub(crate) fn may_have(&self, may_request: &Scopes, name: &str) -> bool {
        let base = without_language(name);
        let has = |names: &[Box<str>]| names.iter().any(|known| **known == *base);
        let own = self.of_scopes.iter().filter(|(_, names)| has(names)).map(|(scope, _)| &**scope);
        let mut scopes = scope_of(name).into_iter().chain(own).peekable();
        scopes.peek().is_none() || scopes.any(|scope| may_request.contains(scope))
    }

    /// The claims that a scope requests.
    pub(super) fn claims_of<'a>(&'a self, scope: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let own = self.of_scopes.get(scope).into_iter().flatten().map(|name| &**name);
        own.chain(claims_of_scope(scope).iter().copied())
    }
}

impl fmt::Debug for OpenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenId")
            .field("claims", &self.supported)
            .field("scopes_of_claims", &self.of_scopes)
            .field("response_types", &self.response_types)
            .field("pairwise", &self.pairwise.is_some())
            .field("logout", &self.logout)
            .field("creates_accounts", &self.creates_accounts)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oidc::STANDARD_SCOPES;

    #[test]
    fn the_scopes_of_unknown_claims_are_not_offered() {
        let scopes = |openid: OpenId| openid.scopes().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(scopes(OpenId::new()), ["openid"]);
        let some =
            OpenId::new().claims(["sub", "email_verified", "name", "groups"], async |_| Ok(None));
        assert!(!some.supports("sub"));
        assert_eq!(scopes(some), ["openid", "profile", "email"]);
        assert_eq!(DESCRIPTIONS.map(|(scope, _)| scope), STANDARD_SCOPES);
    }

    #[test]
    fn a_claim_of_a_scope_is_for_clients_that_may_request_the_scope() {
        let openid = OpenId::new().scope_of_claims("teams", ["groups", "email"]);
        let may_have = |scopes: [&str; 2], name: &str| openid.may_have(&Scopes::of(scopes), name);
        for (scopes, name, is_for) in [
            (["openid", "teams"], "groups", true),
            (["openid", "profile"], "groups", false),
            (["openid", "profile"], "groups#de", false),
            (["openid", "profile"], "name#ja", true),
            (["openid", "teams"], "name", false),
            (["openid", "teams"], "email", true),
            (["openid", "email"], "email", true),
            (["openid", "profile"], "of no scope", true),
        ] {
            assert_eq!(may_have(scopes, name), is_for, "{scopes:?} {name}");
        }
    }
}
