//! The methods of [`Spec`] and [`SpecBuf`] for a fact about a service. One list makes both, so that
//! neither lacks one.

use std::borrow::Cow;

use crate::{
    Scopes,
    jose::Algorithm,
    oauth1::{Placement, SignatureMethod},
    scope::ScopeSeparator,
};

use super::{
    protocol::{ClientAuthentication, OAuth1, OAuth1Buf, OAuth2, OAuth2Buf, Revocation, owned},
    spec::Spec,
    spec_buf::SpecBuf,
};

type Text = Cow<'static, str>;

/// An argument of a method of [`Spec`], and of [`SpecBuf`], by its kind.
macro_rules! argument {
    (Spec, text) => { &'static str };
    (Spec, pairs) => { &'static [(&'static str, &'static str)] };
    (Spec, scopes) => { &'static str };
    (SpecBuf, text) => { impl Into<Text> };
    (SpecBuf, pairs) => { impl IntoIterator<Item = (impl Into<Text>, impl Into<Text>)> };
    (SpecBuf, scopes) => { &str };
    ($side:ident, $kind:ident) => { $kind };
}

/// The type in which a [`SpecBuf`] keeps an argument.
macro_rules! kept {
    (text, $value:ident) => {
        $value.into()
    };
    (pairs, $value:ident) => {
        owned($value)
    };
    (scopes, $value:ident) => {
        Scopes::of($value.split(' '))
    };
    ($kind:ident, $value:ident) => {
        $value
    };
}

macro_rules! facts {
    ($([$($generic:tt)*])? for $spec:ty, $buf:ty: $(
        $(#[$doc:meta])*
        fn $name:ident($($argument:ident: $kind:ident),*) {
            $($($field:ident).+ = $value:expr;)+
        }
    )+) => {
        impl $($($generic)*)? $spec {
            $(
                $(#[$doc])*
                #[must_use]
                pub const fn $name(mut self, $($argument: argument!(Spec, $kind)),*) -> Self {
                    $(self.$($field).+ = $value;)+
                    self
                }
            )+
        }

        impl $($($generic)*)? $buf {
            $(
                #[doc = concat!("As [`Spec::", stringify!($name), "`].")]
                #[must_use]
                pub fn $name(mut self, $($argument: argument!(SpecBuf, $kind)),*) -> Self {
                    $(let $argument = kept!($kind, $argument);)*
                    $(self.$($field).+ = $value;)+
                    self
                }
            )+
        }
    };
}

pub(super) use {argument, facts, kept};

facts! { [<P>] for Spec<P>, SpecBuf<P>:
    /// The display name of the service: "GitHub".
    fn title(title: text) {
        title = title;
    }

    /// The URL of an installation of the service: `https://git.example`, or with a path. Its
    /// endpoints, its issuer and an absolute [`identity`](Spec::identity) keep their paths below
    /// this URL, with or without a trailing slash.
    ///
    /// A base that is not an absolute `https` URL (or `http` on this machine), or has a user, a
    /// query or a fragment, is
    /// [`OperatorError::BaseMalformed`](crate::consumer::OperatorError::BaseMalformed).
    fn hosted_at(base: text) {
        base = Some(base);
    }

    /// The base of API calls, for a service that is begun without one ([`Spec::oidc`], whose calls go
    /// to the issuer).
    fn api_at(base: text) {
        api = base;
    }

    /// The path of the API below the URL of an installation ([`Spec::hosted_at`]), for a service
    /// whose API otherwise has a host of its own.
    fn api_below_base(path: text) {
        api_below_base = Some(path);
    }

    /// The default scopes, separated by spaces.
    fn scopes(scopes: scopes) {
        scopes = scopes;
    }

    /// Further parameters of the authorization request, such as `("prompt", "consent")`.
    fn parameters(parameters: pairs) {
        parameters = parameters;
    }

    /// Further parameters of the request that redeems a code or a verifier.
    fn token_parameters(parameters: pairs) {
        token_parameters = parameters;
    }

    /// Further headers of the request that redeems a code or a verifier.
    fn token_headers(headers: pairs) {
        token_headers = headers;
    }

    /// The path of the API, or the URL, of an account's claims, and the name of the identifier in
    /// that JSON. A nested one is a path: `data.id`, or `data.0.id` in an array; a dot in a name is
    /// written `\\.`. The identifier must never be reused for another account: an `id`, not a login
    /// name or an address.
    ///
    /// A number keeps all its digits. A login whose identifier is not exact (a fraction, an
    /// exponent) fails with [`SubjectMissing`](crate::consumer::ServiceError::SubjectMissing).
    ///
    /// `{subject}` in the path is the account's identifier, for a service that names it in token
    /// responses ([`identity_in_token`](Spec::identity_in_token)).
    fn identity(path: text, subject: text) {
        identity = Some((path, subject));
    }

    /// Requests the claims of [`identity`](Spec::identity) by POST, with a JSON body (a query of
    /// GraphQL) or, if that is empty, without.
    fn identity_by_post(json: text) {
        identity_by_post = Some(json);
    }

    /// The claims of a [`Profile`](crate::Profile), by their names in OpenID Connect (Core 1.0,
    /// section 5.1): `preferred_username`, `name`, `email`, `email_verified`, `picture`. Each has
    /// its path in the response of [`identity`](Spec::identity), or a text with paths in braces:
    /// `("name", "{first_name} {last_name}")`.
    ///
    /// Another name is
    /// [`OperatorError::MemberMalformed`](crate::consumer::OperatorError::MemberMalformed).
    fn profile(claims: pairs) {
        profile = claims;
    }

    /// The path of the API with the list of an account's e-mail addresses: objects with `email`,
    /// `primary` and `verified`. A profile then has the primary address, if the token's scopes
    /// allow that request.
    fn email_list(path: text) {
        email_list = Some(path);
    }

    /// The claim, a path as in [`identity`](Spec::identity), and its value, that an account must
    /// have: a login with any other one is
    /// [`BrowserError::AccountNotAllowed`](crate::consumer::BrowserError::AccountNotAllowed). The
    /// value `*` admits any text that is not empty.
    fn required_claim(path: text, value: text) {
        required_claim = Some((path, value));
    }

    /// The path and the values, separated by spaces, of the member of the API's error responses
    /// that mean an invalid token, for services that do not say so as specifications require (RFC
    /// 6750, section 3.1; `oauth_problem`): `("errors.0.code", "89")`. The account must then be
    /// linked again. Paths are as in [`identity`](Spec::identity).
    fn dead_token(path: text, values: text) {
        dead_token = Some((path, values));
    }

    /// Headers of each call of the API, unless the call sets them itself. `{client_id}` in a value
    /// is the application's identifier at the service.
    fn call_headers(headers: pairs) {
        call_headers = headers;
    }

    /// The member of the API's JSON responses that is `false` in errors with status 200. Such a
    /// response is [`Error::Api`](crate::Error::Api).
    fn failure_flag(member: text) {
        failure_flag = Some(member);
    }
}

facts! { for Spec<OAuth2>, SpecBuf<OAuth2Buf>:
    /// The API that tokens are for (RFC 8707), or several, separated by spaces: for a service whose
    /// tokens are valid at one API only. Authorization and token requests name it.
    fn resources(resources: text) {
        protocol.resources = resources;
    }

    /// The issuer (RFC 9207): a response that names another one is refused.
    fn issuer(issuer: text) {
        protocol.issuer = Some(issuer);
    }

    /// The issuer of a service that names it in every response (its metadata has
    /// `authorization_response_iss_parameter_supported`): a response without it is refused.
    fn issuer_in_every_answer(issuer: text) {
        protocol.issuer = Some(issuer);
        protocol.issuer_required = true;
    }

    /// Sends the secret in the body, for token endpoints that read it only there.
    fn secret_in_body() {
        protocol.authentication = ClientAuthentication::Post;
    }

    /// Sends the secret in the body, and the whole body as JSON, for token endpoints that read only
    /// that.
    fn secret_in_json_body() {
        protocol.authentication = ClientAuthentication::Json;
    }

    /// Authenticates by an assertion for each request, which has this HMAC by the secret
    /// (`client_secret_jwt`; OpenID Connect Core, section 9). The secret itself is never sent, and must
    /// be as long as the hash.
    fn secret_signs_assertions(algorithm: Algorithm) {
        protocol.authentication = ClientAuthentication::SecretJwt(algorithm);
    }

    /// Makes assertions, by which the application authenticates, for the token endpoint in place of
    /// the issuer: for servers that accept only those. Gives up: a server elsewhere that claims this
    /// token endpoint as its own can obtain an assertion for it.
    fn assertions_for_the_token_endpoint_so_that_another_server_can_obtain_them() {
        protocol.assertions_for_token_endpoint = true;
    }

    /// The endpoint for refreshes, for services with one beside the token endpoint.
    fn refresh_endpoint(endpoint: text) {
        protocol.refresh = Some(endpoint);
    }

    /// The scheme of the `Authorization` header of API calls, for services that do not accept
    /// `Bearer` (RFC 6750, section 2.1).
    fn token_scheme(scheme: text) {
        protocol.token_scheme = scheme;
    }

    /// The member of token responses with the origin of the account's API, for services with many
    /// hosts. The path of the API stays the same. The origin must be `https`, and its host one of
    /// `hosts` (separated by spaces) or below one of them, or the origin of the token endpoint: a
    /// login or a refresh with any other origin fails, and no stored token is sent there.
    fn api_in_token(member: text, hosts: text) {
        protocol.api_in_token = Some((member, hosts));
    }

    /// The data centres of a service that keeps each user's account in one of them: the callback's
    /// parameter with the origin of the account's authorization server, and each such origin with
    /// the host of the API there. The code is redeemed there, and for an account whose API
    /// ([`api_in_token`](Spec::api_in_token)) is at such a host or below it, the token is refreshed
    /// and revoked, and claims are requested, there. A callback that names any other origin is
    /// refused.
    fn data_centers(parameter: text, servers: pairs) {
        protocol.data_centers = Some((parameter, servers));
    }

    /// The path of the account's identifier in token responses, which needs no request at login.
    /// [`identity`](Spec::identity) then serves profiles only.
    fn identity_in_token(subject: text) {
        protocol.subject_in_token = Some(subject);
    }

    /// Reads the scopes granted from the callback's parameter `scope`, unless the token response
    /// names them.
    fn scopes_in_callback() {
        protocol.scopes_in_callback = true;
    }

    /// The endpoint that revokes a token, a path of the API or a URL, and its requests:
    /// [`Linked::revoke_at_service`](crate::Linked::revoke_at_service). `{client_id}` and
    /// `{subject}` in the endpoint are the identifiers of application and account.
    fn revocation(endpoint: text, request: Revocation) {
        protocol.revocation = Some((endpoint, request));
    }

    /// The device authorization endpoint (RFC 8628, section 3.1):
    /// [`Login::begin_device`](crate::Login::begin_device).
    fn device_authorization(endpoint: text) {
        protocol.device_authorization = Some(endpoint);
    }

    /// Declares that the service accepts a registered loopback redirect URI with any port, as RFC
    /// 8252, section 7.3, requires. At other services,
    /// [`Login::begin_loopback`](crate::Login::begin_loopback) needs the registered port.
    fn any_loopback_port() {
        protocol.any_loopback_port = true;
    }

    /// The separators of scopes in requests and in responses.
    fn scope_separators(asked: ScopeSeparator, granted: ScopeSeparator) {
        protocol.scope_separator = asked;
        protocol.granted_scope_separator = granted;
    }

    /// Declares that each refresh token is valid once.
    fn rotates_refresh_tokens() {
        protocol.rotates_refresh_tokens = true;
    }

    /// The path of the access token in responses of the token endpoint, for services that do not
    /// put it at `access_token`: `authed_user.access_token`. Scopes, lifetime, type and refresh
    /// token are read beside it. Paths are as in [`Spec::identity`].
    fn access_token(path: text) {
        protocol.access_token = Some(path);
    }

    /// The `token_type`s of the service's bearer tokens, separated by spaces, for services that do
    /// not say `Bearer`. Tokens of any other type are refused (RFC 6749, section 7.1); a missing
    /// type means `Bearer`.
    fn token_types(types: text) {
        protocol.token_types = types;
    }

    /// Error codes of the service's own, each with the registered code that it means (RFC 6749,
    /// sections 4.1.2.1 and 5.2): `("user_cancelled_login", "access_denied")`.
    fn error_names(names: pairs) {
        protocol.error_names = names;
    }

    /// The error codes, separated by spaces, that mean an invalid refresh token besides
    /// `invalid_grant` (RFC 6749, section 5.2). The account must then be linked again at once, not
    /// only after several refusals.
    fn refresh_refusals(codes: text) {
        protocol.refresh_refusals = codes;
    }

    /// Disables PKCE, for the few services that fail with it. Gives up: a code that leaks from the
    /// browser can be injected into another login (RFC 9700, section 2.1.1).
    fn without_pkce_because_the_service_fails_with_it() {
        protocol.pkce = false;
    }
}

facts! { for Spec<OAuth1>, SpecBuf<OAuth1Buf>:
    /// The signature method (RFC 5849, section 3.4); HMAC-SHA1 by default.
    fn signature_method(method: SignatureMethod) {
        protocol.signature_method = method;
    }

    /// The place of the protocol's parameters (RFC 5849, section 3.5); the `Authorization` header
    /// by default. In the query, they and the token end up in the log of every server on the way.
    fn placement(placement: Placement) {
        protocol.placement = placement;
    }

    /// The realm of each request (RFC 5849, section 3.5.1).
    fn realm(realm: text) {
        protocol.realm = Some(realm);
    }

    /// Sends both requests for credentials by GET, for services that accept only that.
    fn credentials_by_get() {
        protocol.credentials_by_get = true;
    }

    /// Further parameters of the request for temporary credentials.
    fn temporary_parameters(parameters: pairs) {
        protocol.temporary_parameters = parameters;
    }

    /// Further headers of the request for temporary credentials.
    fn temporary_headers(headers: pairs) {
        protocol.temporary_headers = headers;
    }

    /// The `oauth_verifier` that means that the user refused. RFC 5849 defines no parameter for a
    /// refusal; at other services this verifier is an ordinary one.
    fn refused_verifier(verifier: text) {
        protocol.refused_verifier = Some(verifier);
    }

    /// Omits `oauth_body_hash`, for services that refuse it. Gives up: only TLS protects bodies
    /// that are not forms.
    fn without_body_hash_because_the_service_fails_with_it() {
        protocol.body_hash = false;
    }
}
