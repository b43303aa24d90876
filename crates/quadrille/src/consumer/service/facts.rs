//! The methods of [`Spec`] and [`SpecBuf`] that say a fact about a service. Both are made from one
//! list, so that neither lacks one.

use std::borrow::Cow;

use crate::{
    Scopes,
    oauth1::{Placement, SignatureMethod},
    scope::ScopeSeparator,
};

use super::{
    protocol::{ClientAuthentication, OAuth1, OAuth1Buf, OAuth2, OAuth2Buf, owned},
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

/// What a [`SpecBuf`] keeps of an argument.
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

facts! { [<P>] for Spec<P>, SpecBuf<P>:
    /// The name that people know the service by: "GitHub".
    fn title(title: text) {
        title = title;
    }

    /// The URL of an installation of the service: `https://git.example`, or with a path. Its
    /// endpoints, its issuer and an absolute [`identity`](Spec::identity) keep their paths, and
    /// stand below this URL, with a slash at its end or without.
    ///
    /// A base that is not an absolute `https` URL (or `http` on this machine), or has a user, a
    /// query or a fragment, is
    /// [`OperatorError::BaseMalformed`](crate::consumer::OperatorError::BaseMalformed).
    fn hosted_at(base: text) {
        base = Some(base);
    }

    /// The path of the API below the URL of an installation ([`Spec::hosted_at`]), for a service
    /// whose own API has a host of its own.
    fn api_below_base(path: text) {
        api_below_base = Some(path);
    }

    /// The scopes that are asked for unless the application says otherwise, separated by spaces.
    fn scopes(scopes: scopes) {
        scopes = scopes;
    }

    /// Further parameters of the authorization request, like `("prompt", "consent")`.
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

    /// The path of the API, or the URL, where the service says who an account is, and the name of
    /// the identifier in that JSON. Below other members, it is a path: `data.id`, or `data.0.id` in
    /// an array; a dot in a name is written `\\.`. The identifier must never be given to another
    /// account: an `id`, not a login name or an address.
    ///
    /// A number is taken digit for digit, however long. A login whose identifier cannot be read
    /// exactly (a fraction, an exponent) fails with
    /// [`SubjectMissing`](crate::consumer::ServiceError::SubjectMissing).
    fn identity(path: text, subject: text) {
        identity = Some((path, subject));
    }
}

facts! { for Spec<OAuth2>, SpecBuf<OAuth2Buf>:
    /// The API that tokens are asked for (RFC 8707), or several, separated by spaces: for a service
    /// whose tokens are good at one API only. Its authorization and token requests name it.
    fn resources(resources: text) {
        protocol.resources = resources;
    }

    /// The issuer (RFC 9207): an answer that names another one is refused.
    fn issuer(issuer: text) {
        protocol.issuer = Some(issuer);
    }

    /// The issuer of a service that names it in every answer (its metadata has
    /// `authorization_response_iss_parameter_supported`): an answer without it is refused.
    fn issuer_in_every_answer(issuer: text) {
        protocol.issuer = Some(issuer);
        protocol.issuer_required = true;
    }

    /// For token endpoints that look for the secret in the body only.
    fn secret_in_body() {
        protocol.authentication = ClientAuthentication::Post;
    }

    /// What separates scopes in requests, and in answers.
    fn scope_separators(asked: ScopeSeparator, granted: ScopeSeparator) {
        protocol.scope_separator = asked;
        protocol.granted_scope_separator = granted;
    }

    /// For services whose refresh tokens are good once.
    fn rotates_refresh_tokens() {
        protocol.rotates_refresh_tokens = true;
    }

    /// The path of the access token in the answers of the token endpoint, for services that give it
    /// another name or another place than `access_token`: `authed_user.access_token`. Scopes,
    /// lifetime, type and refresh token are looked for beside it. Paths are as in
    /// [`Spec::identity`].
    fn access_token(path: text) {
        protocol.access_token = Some(path);
    }

    /// What the service calls its bearer tokens, separated by spaces, where it says another
    /// `token_type` than `Bearer`. Tokens of any other type are refused (RFC 6749, section 7.1); a
    /// service that says no type means `Bearer`.
    fn token_types(types: text) {
        protocol.token_types = types;
    }

    /// Error codes that the service made up, each with the registered code that it means (RFC 6749,
    /// sections 4.1.2.1 and 5.2): `("user_cancelled_login", "access_denied")`.
    fn error_names(names: pairs) {
        protocol.error_names = names;
    }

    /// The error codes, separated by spaces, by which the service says that a refresh token is
    /// dead, where `invalid_grant` (RFC 6749, section 5.2) is not among them. The account then needs
    /// linking again at once, and not only after several refusals.
    fn refresh_refusals(codes: text) {
        protocol.refresh_refusals = codes;
    }

    /// For the few services that fail when PKCE is used. What is given up: a code that leaks from
    /// the browser can be injected into another login (RFC 9700, section 2.1.1).
    fn without_pkce_because_the_service_fails_with_it() {
        protocol.pkce = false;
    }
}

facts! { for Spec<OAuth1>, SpecBuf<OAuth1Buf>:
    /// How requests are signed (RFC 5849, section 3.4): by HMAC-SHA1, unless said otherwise.
    fn signature_method(method: SignatureMethod) {
        protocol.signature_method = method;
    }

    /// Where the protocol's parameters stand (RFC 5849, section 3.5): in the `Authorization` header,
    /// unless said otherwise. In the query, they and the token are in the log of every server on the
    /// way.
    fn placement(placement: Placement) {
        protocol.placement = placement;
    }

    /// The realm to name in each request (RFC 5849, section 3.5.1).
    fn realm(realm: text) {
        protocol.realm = Some(realm);
    }

    /// For services that take the two requests for credentials by GET only.
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

    /// The `oauth_verifier` with which the service sends back a user who refused. RFC 5849 has no
    /// word for a refusal; at other services the same verifier is one like any other.
    fn refused_verifier(verifier: text) {
        protocol.refused_verifier = Some(verifier);
    }

    /// The member of the API's 401 answers that says that the token is dead, and the value by which
    /// it does, for services that send no `oauth_problem`: `("errors.0.code", "89")`. Paths are as
    /// in [`Spec::identity`].
    fn dead_token(path: text, value: text) {
        protocol.dead_token = Some((path, value));
    }

    /// For services that refuse requests with `oauth_body_hash`. What is given up: bodies that are
    /// no forms are protected by TLS alone.
    fn without_body_hash_because_the_service_fails_with_it() {
        protocol.body_hash = false;
    }
}
