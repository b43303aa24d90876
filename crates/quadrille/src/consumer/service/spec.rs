//! A service known at compile time.

use super::protocol::{OAuth1, OAuth2, Protocol};

/// The description of a service known at compile time. [`Spec::oauth2`] or [`Spec::oauth1`] begins
/// one, further methods add facts, and `build` completes it; all of them are `const`.
///
/// ```
/// use quadrille::{Service, Spec, oauth1::SignatureMethod};
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
///     .identity("user", "id")
///     .build();
/// }
///
/// struct Library;
/// impl Service for Library {
///     const SPEC: Spec = Spec::oauth1(
///         "library",
///         "https://library.example/oauth/request_token",
///         "https://library.example/oauth/authorize",
///         "https://library.example/oauth/access_token",
///         "https://library.example/api",
///     )
///     .signature_method(SignatureMethod::HmacSha256)
///     .identity("me", "id")
///     .build();
/// }
/// ```
///
/// Until `build`, its type names the protocol of the service. Methods of the other protocol do not
/// exist:
///
/// ```compile_fail,E0599
/// use quadrille::Spec;
///
/// const SPEC: Spec = Spec::oauth1("a", "", "", "", "").rotates_refresh_tokens().build();
/// # let _ = SPEC;
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Spec<P = Protocol> {
    /// Path segment, part of cookie names and storage keys, prefix of environment variables.
    pub name: &'static str,
    /// The display name of the service.
    pub title: &'static str,
    /// The authorization endpoint (RFC 6749, section 3.1; RFC 5849, section 2.2).
    pub authorize: &'static str,
    /// The token endpoint (RFC 6749, section 3.2; RFC 5849, section 2.3).
    pub token: &'static str,
    /// The base URL of API calls.
    pub api: &'static str,
    /// The URL of an installation, which replaces the base of the endpoints.
    pub base: Option<&'static str>,
    /// The path of the API below [`base`](Self::base), unless it is the path of [`api`](Self::api).
    pub api_below_base: Option<&'static str>,
    /// The default scopes, separated by spaces. OAuth 1 has no scopes; the request for temporary
    /// credentials sends them as a parameter `scope`.
    pub scopes: &'static str,
    /// Further parameters of the authorization request.
    pub parameters: &'static [(&'static str, &'static str)],
    /// Further parameters of the request that redeems a code or a verifier.
    pub token_parameters: &'static [(&'static str, &'static str)],
    /// Further headers of the request that redeems a code or a verifier.
    pub token_headers: &'static [(&'static str, &'static str)],
    /// The path of the API with an account's claims, and the member with the account's identifier.
    pub identity: Option<(&'static str, &'static str)>,
    /// The body of the request for claims, empty for none, if it is a POST.
    pub identity_by_post: Option<&'static str>,
    /// The claims of a profile by their names in OpenID Connect, each with its place in the
    /// response of [`identity`](Self::identity).
    pub profile: &'static [(&'static str, &'static str)],
    /// The path of the API with the list of an account's e-mail addresses.
    pub email_list: Option<&'static str>,
    /// The claim, and its value, that an account must have.
    pub required_claim: Option<(&'static str, &'static str)>,
    /// The path and the values of the member of the API's error responses that mean an invalid
    /// token.
    pub dead_token: Option<(&'static str, &'static str)>,
    /// Headers of each call of the API.
    pub call_headers: &'static [(&'static str, &'static str)],
    /// The member of responses that is `false` in errors with status 200.
    pub failure_flag: Option<&'static str>,
    /// The protocol with its facts.
    pub protocol: P,
}

impl Spec {
    /// The claims of a service of OpenID Connect (Core 1.0, section 5.1), for
    /// [`profile`](Spec::profile).
    ///
    /// ```
    /// use quadrille::{Service, Spec};
    ///
    /// struct Acme;
    /// impl Service for Acme {
    ///     const SPEC: Spec = Spec::oauth2(
    ///         "acme",
    ///         "https://id.acme.example/authorize",
    ///         "https://id.acme.example/token",
    ///         "https://id.acme.example",
    ///     )
    ///     .scopes("openid email profile")
    ///     .identity("userinfo", "sub")
    ///     .profile(Spec::OPENID_CLAIMS)
    ///     .build();
    /// }
    /// ```
    pub const OPENID_CLAIMS: &'static [(&'static str, &'static str)] = &[
        ("preferred_username", "preferred_username"),
        ("name", "name"),
        ("email", "email"),
        ("email_verified", "email_verified"),
        ("picture", "picture"),
    ];

    /// Begins a service of OAuth 2 with authorization codes: its name, its authorization and token
    /// endpoints, and the base of its API. Endpoints are URLs or, for a service without a host of
    /// its own, paths below the [`base`](Spec::hosted_at) that the application sets.
    pub const fn oauth2(
        name: &'static str,
        authorize: &'static str,
        token: &'static str,
        api: &'static str,
    ) -> Spec<OAuth2> {
        Spec::new(name, authorize, token, api, OAuth2::USUAL)
    }

    /// Begins an OpenID Provider (OpenID Connect Core): its name and its issuer, an https URL (or http
    /// on this machine), exactly as the provider writes it. Endpoints and keys are found by discovery
    /// when they are needed, and kept for as long as the provider says, within a minute and an hour.
    ///
    /// ```
    /// use quadrille::{Identity, Service, Spec};
    ///
    /// struct Acme;
    /// impl Service for Acme {
    ///     const SPEC: Spec = Spec::oidc("acme", "https://id.acme.example")
    ///         .scopes("openid email profile")
    ///         .build();
    /// }
    ///
    /// async fn home(me: Identity<Acme>) -> String {
    ///     let name = me.claims().and_then(|claims| claims.text("name"));
    ///     format!("Welcome, {}", name.unwrap_or("stranger"))
    /// }
    /// ```
    pub const fn oidc(name: &'static str, issuer: &'static str) -> Spec<OAuth2> {
        let mut spec = Self::oauth2(name, "", "", issuer);
        spec.protocol.openid.issuer = Some(issuer);
        spec.scopes = "openid";
        spec.profile = Self::OPENID_CLAIMS;
        spec
    }

    /// Begins a service of OAuth 1.0a (RFC 5849): its name, its endpoints in the order of use
    /// (temporary credentials, authorization, token credentials), and the base of its API; URLs or
    /// paths as in [`Spec::oauth2`]. By default, requests are signed by HMAC-SHA1, in the header.
    pub const fn oauth1(
        name: &'static str,
        temporary: &'static str,
        authorize: &'static str,
        token: &'static str,
        api: &'static str,
    ) -> Spec<OAuth1> {
        Spec::new(name, authorize, token, api, OAuth1::usual(temporary))
    }
}

impl Spec<OAuth2> {
    /// Completes the description.
    #[must_use]
    pub const fn build(self) -> Spec {
        self.with(Protocol::OAuth2(self.protocol))
    }
}

impl Spec<OAuth1> {
    /// Completes the description.
    #[must_use]
    pub const fn build(self) -> Spec {
        self.with(Protocol::OAuth1(self.protocol))
    }
}

impl<P: Copy> Spec<P> {
    const fn new(
        name: &'static str,
        authorize: &'static str,
        token: &'static str,
        api: &'static str,
        protocol: P,
    ) -> Self {
        Self {
            name,
            title: name,
            authorize,
            token,
            api,
            base: None,
            api_below_base: None,
            scopes: "",
            parameters: &[],
            token_parameters: &[],
            token_headers: &[],
            identity: None,
            identity_by_post: None,
            profile: &[],
            email_list: None,
            required_claim: None,
            dead_token: None,
            call_headers: &[],
            failure_flag: None,
            protocol,
        }
    }

    const fn with<Q: Copy>(&self, protocol: Q) -> Spec<Q> {
        Spec {
            name: self.name,
            title: self.title,
            authorize: self.authorize,
            token: self.token,
            api: self.api,
            base: self.base,
            api_below_base: self.api_below_base,
            scopes: self.scopes,
            parameters: self.parameters,
            token_parameters: self.token_parameters,
            token_headers: self.token_headers,
            identity: self.identity,
            identity_by_post: self.identity_by_post,
            profile: self.profile,
            email_list: self.email_list,
            required_claim: self.required_claim,
            dead_token: self.dead_token,
            call_headers: self.call_headers,
            failure_flag: self.failure_flag,
            protocol,
        }
    }
}
