//! What a service is, known at compile time.

use crate::{
    oauth1::{Placement, SignatureMethod},
    scope::ScopeSeparator,
};

use super::protocol::{ClientAuthentication, OAuth1, OAuth2, Protocol};

/// Everything known about a service at compile time. Build one with [`Spec::oauth2`] or
/// [`Spec::oauth1`] and the methods after it; all of them are `const`.
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
///     .identity("user", "id");
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
///     .identity("me", "id");
/// }
/// ```
///
/// A method that belongs to the other protocol panics, which in a constant is an error of the
/// compiler:
///
/// ```compile_fail
/// use quadrille::Spec;
///
/// const SPEC: Spec = Spec::oauth1("a", "", "", "", "").rotates_refresh_tokens();
/// # let _ = SPEC;
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Spec {
    /// Path segment, part of cookie names and storage keys, prefix of environment variables.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// Where the visitor is asked: the authorization endpoint (RFC 6749, section 3.1; RFC 5849,
    /// section 2.2).
    pub authorize: &'static str,
    /// Where tokens are had: the token endpoint (RFC 6749, section 3.2; RFC 5849, section 2.3).
    pub token: &'static str,
    /// What relative paths of API calls are joined to.
    pub api: &'static str,
    /// What is asked for when the application does not say, separated by spaces. OAuth 1 has no
    /// scopes; there they are asked for in a parameter `scope` of the request for temporary credentials.
    pub scopes: &'static str,
    /// Further parameters of the authorization request.
    pub parameters: &'static [(&'static str, &'static str)],
    /// Further parameters of the request that redeems a code or a verifier.
    pub token_parameters: &'static [(&'static str, &'static str)],
    /// Further headers of the request that redeems a code or a verifier.
    pub token_headers: &'static [(&'static str, &'static str)],
    /// Where the service says who an account is, and under which name in that JSON.
    pub identity: Option<(&'static str, &'static str)>,
    /// Which dance it dances, and the facts that only this one has.
    pub protocol: Protocol,
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
        Self::new(name, authorize, token, api, Protocol::OAuth2(OAuth2::USUAL))
    }

    /// A service that speaks OAuth 1.0a (RFC 5849): its name, its endpoints in the order in which
    /// they are used (temporary credentials, authorization, token credentials), and the base of its
    /// API. Requests are signed by HMAC-SHA1, in the header, unless the methods below say
    /// otherwise.
    pub const fn oauth1(
        name: &'static str,
        temporary: &'static str,
        authorize: &'static str,
        token: &'static str,
        api: &'static str,
    ) -> Self {
        Self::new(name, authorize, token, api, Protocol::OAuth1(OAuth1::usual(temporary)))
    }

    const fn new(
        name: &'static str,
        authorize: &'static str,
        token: &'static str,
        api: &'static str,
        protocol: Protocol,
    ) -> Self {
        Self {
            name,
            title: name,
            authorize,
            token,
            api,
            scopes: "",
            parameters: &[],
            token_parameters: &[],
            token_headers: &[],
            identity: None,
            protocol,
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

    /// Further parameters of the authorization request, like `("prompt", "consent")`.
    #[must_use]
    pub const fn parameters(mut self, parameters: &'static [(&'static str, &'static str)]) -> Self {
        self.parameters = parameters;
        self
    }

    /// Further parameters of the request that redeems a code or a verifier.
    #[must_use]
    pub const fn token_parameters(
        mut self,
        parameters: &'static [(&'static str, &'static str)],
    ) -> Self {
        self.token_parameters = parameters;
        self
    }

    /// Further headers of the request that redeems a code or a verifier.
    #[must_use]
    pub const fn token_headers(mut self, headers: &'static [(&'static str, &'static str)]) -> Self {
        self.token_headers = headers;
        self
    }

    /// Where the service says who an account is (a path of its API, or a URL), and the name of the
    /// identifier in that JSON. Below other members, it is a path: `data.id`, or `data.0.id` in an
    /// array; a dot in a name is written `\\.`. The identifier must never be given to another
    /// account: an `id`, not a login name or an address.
    ///
    /// A number is taken digit for digit, however long. A login whose identifier cannot be read
    /// exactly (a fraction, an exponent) fails with
    /// [`SubjectMissing`](crate::error::ServiceFault::SubjectMissing).
    #[must_use]
    pub const fn identity(mut self, path: &'static str, subject: &'static str) -> Self {
        self.identity = Some((path, subject));
        self
    }
}

/// Services of OAuth 2. With one of OAuth 1, these panic.
impl Spec {
    /// The API that tokens are asked for (RFC 8707), or several, separated by spaces: for a service
    /// whose tokens are good at one API only. Its authorization and token requests name it.
    #[must_use]
    pub const fn resources(mut self, resources: &'static str) -> Self {
        self.of_oauth2().resources = resources;
        self
    }

    /// The issuer (RFC 9207): an answer that names another one is refused.
    #[must_use]
    pub const fn issuer(mut self, issuer: &'static str) -> Self {
        self.of_oauth2().issuer = Some(issuer);
        self
    }

    /// The issuer of a service that names it in every answer (its metadata has
    /// `authorization_response_iss_parameter_supported`): an answer without it is refused.
    #[must_use]
    pub const fn issuer_in_every_answer(mut self, issuer: &'static str) -> Self {
        let oauth2 = self.of_oauth2();
        oauth2.issuer = Some(issuer);
        oauth2.issuer_required = true;
        self
    }

    /// For token endpoints that look for the secret in the body only.
    #[must_use]
    pub const fn secret_in_body(mut self) -> Self {
        self.of_oauth2().authentication = ClientAuthentication::Post;
        self
    }

    /// What separates scopes in requests, and in answers.
    #[must_use]
    pub const fn scope_separators(
        mut self,
        asked: ScopeSeparator,
        granted: ScopeSeparator,
    ) -> Self {
        let oauth2 = self.of_oauth2();
        oauth2.scope_separator = asked;
        oauth2.granted_scope_separator = granted;
        self
    }

    /// For services whose refresh tokens are good once.
    #[must_use]
    pub const fn rotates_refresh_tokens(mut self) -> Self {
        self.of_oauth2().rotates_refresh_tokens = true;
        self
    }

    /// The path of the access token in the answers of the token endpoint, for services that give it
    /// another name or another place than `access_token`: `authed_user.access_token`. Scopes,
    /// lifetime, type and refresh token are looked for beside it. Paths are as in
    /// [`Spec::identity`].
    #[must_use]
    pub const fn access_token(mut self, path: &'static str) -> Self {
        self.of_oauth2().access_token = Some(path);
        self
    }

    /// What the service calls its bearer tokens, separated by spaces, where it says another
    /// `token_type` than `Bearer`. Tokens of any other type are refused (RFC 6749, section 7.1); a
    /// service that says no type means `Bearer`.
    #[must_use]
    pub const fn token_types(mut self, types: &'static str) -> Self {
        self.of_oauth2().token_types = types;
        self
    }

    /// The error codes, separated by spaces, by which the service says that a refresh token is
    /// dead, where `invalid_grant` (RFC 6749, section 5.2) is not among them. The account then needs
    /// linking again at once, and not only after several refusals.
    #[must_use]
    pub const fn refresh_refusals(mut self, codes: &'static str) -> Self {
        self.of_oauth2().refresh_refusals = codes;
        self
    }

    /// For the few services that fail when PKCE is used. What is given up: a code that leaks from
    /// the browser can be injected into another login (RFC 9700, section 2.1.1).
    #[must_use]
    pub const fn without_pkce_because_the_service_fails_with_it(mut self) -> Self {
        self.of_oauth2().pkce = false;
        self
    }

    #[expect(clippy::panic, reason = "in a constant, an error of the compiler")]
    const fn of_oauth2(&mut self) -> &mut OAuth2 {
        match &mut self.protocol {
            Protocol::OAuth2(oauth2) => oauth2,
            Protocol::OAuth1(_) => panic!("this is said of services of OAuth 2 only"),
        }
    }
}

/// Services of OAuth 1. With one of OAuth 2, these panic.
impl Spec {
    /// How requests are signed (RFC 5849, section 3.4): by HMAC-SHA1, unless said otherwise.
    #[must_use]
    pub const fn signature_method(mut self, method: SignatureMethod) -> Self {
        self.of_oauth1().signature_method = method;
        self
    }

    /// Where the protocol's parameters stand (RFC 5849, section 3.5): in the `Authorization` header,
    /// unless said otherwise. In the query, they and the token are in the logs of whoever is on the
    /// way.
    #[must_use]
    pub const fn placement(mut self, placement: Placement) -> Self {
        self.of_oauth1().placement = placement;
        self
    }

    /// The realm to name in each request (RFC 5849, section 3.5.1).
    #[must_use]
    pub const fn realm(mut self, realm: &'static str) -> Self {
        self.of_oauth1().realm = Some(realm);
        self
    }

    /// For services that take the two requests for credentials by GET only.
    #[must_use]
    pub const fn credentials_by_get(mut self) -> Self {
        self.of_oauth1().credentials_by_get = true;
        self
    }

    /// Further parameters of the request for temporary credentials.
    #[must_use]
    pub const fn temporary_parameters(
        mut self,
        parameters: &'static [(&'static str, &'static str)],
    ) -> Self {
        self.of_oauth1().temporary_parameters = parameters;
        self
    }

    /// Further headers of the request for temporary credentials.
    #[must_use]
    pub const fn temporary_headers(
        mut self,
        headers: &'static [(&'static str, &'static str)],
    ) -> Self {
        self.of_oauth1().temporary_headers = headers;
        self
    }

    /// For services that refuse requests with `oauth_body_hash`. What is given up: bodies that are
    /// no forms are protected by TLS alone.
    #[must_use]
    pub const fn without_body_hash_because_the_service_fails_with_it(mut self) -> Self {
        self.of_oauth1().body_hash = false;
        self
    }

    #[expect(clippy::panic, reason = "in a constant, an error of the compiler")]
    const fn of_oauth1(&mut self) -> &mut OAuth1 {
        match &mut self.protocol {
            Protocol::OAuth1(oauth1) => oauth1,
            Protocol::OAuth2(_) => panic!("this is said of services of OAuth 1 only"),
        }
    }
}
