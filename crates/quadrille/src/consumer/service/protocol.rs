//! The facts about a service that only one of the two protocols has.

use std::borrow::Cow;

use crate::{
    oauth1::{Placement, SignatureMethod},
    scope::ScopeSeparator,
};

/// A protocol, and the facts about a service that only this one has. `Text` and `Pairs` are
/// borrowed in [`Spec`](super::Spec) and owned in [`SpecBuf`](super::SpecBuf).
///
/// ```
/// use quadrille::{GitHub, Service as _, consumer::Protocol};
///
/// let Protocol::OAuth2(oauth2) = GitHub::SPEC.protocol else { panic!("GitHub speaks OAuth 2") };
/// assert!(oauth2.pkce);
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Protocol<Text = &'static str, Pairs = &'static [(&'static str, &'static str)]> {
    /// Authorization codes and bearer tokens (RFC 6749, 6750).
    OAuth2(OAuth2<Text, Pairs>),
    /// Temporary credentials and signed requests (RFC 5849).
    OAuth1(OAuth1<Text, Pairs>),
}

/// [`Protocol`] with texts of its own, as a [`SpecBuf`](super::SpecBuf) has it.
pub type ProtocolBuf = Protocol<Cow<'static, str>, Vec<(Cow<'static, str>, Cow<'static, str>)>>;

/// [`OAuth2`] with texts of its own, as a [`SpecBuf`](super::SpecBuf) has it.
pub type OAuth2Buf = OAuth2<Cow<'static, str>, Vec<(Cow<'static, str>, Cow<'static, str>)>>;

/// [`OAuth1`] with texts of its own, as a [`SpecBuf`](super::SpecBuf) has it.
pub type OAuth1Buf = OAuth1<Cow<'static, str>, Vec<(Cow<'static, str>, Cow<'static, str>)>>;

/// A service of OAuth 2, besides its endpoints. Each field is set by a method of
/// [`Spec`](super::Spec).
///
/// ```
/// use quadrille::{Spec, consumer::ClientAuthentication};
///
/// let spec = Spec::oauth2("gitea", "https://a.example", "https://t.example", "https://i.example")
///     .secret_in_body();
/// assert_eq!(spec.protocol.authentication, ClientAuthentication::Post);
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct OAuth2<Text = &'static str, Pairs = &'static [(&'static str, &'static str)]> {
    /// The APIs that tokens are asked for (RFC 8707), separated by spaces; none where the service
    /// does not want to know.
    pub resources: Text,
    /// The issuer that the service names in its answers (RFC 9207), where it does.
    pub issuer: Option<Text>,
    /// Whether the service always names its issuer, so that an answer without it is refused.
    pub issuer_required: bool,
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
    /// The path of the access token in the answer of the token endpoint, where it is not the member
    /// `access_token`. The other members are looked for beside it.
    pub access_token: Option<Text>,
    /// What the service calls its bearer tokens besides `Bearer`, separated by spaces.
    pub token_types: Text,
    /// The error codes of the service's own, each with the registered code that it means.
    pub error_names: Pairs,
    /// The error codes besides `invalid_grant` by which the service says that a refresh token is
    /// dead, separated by spaces.
    pub refresh_refusals: Text,
}

/// How an application proves itself at a token endpoint (RFC 6749, section 2.3.1).
///
/// ```
/// use quadrille::{GitHub, Service as _, consumer::{ClientAuthentication, Protocol}};
///
/// let Protocol::OAuth2(oauth2) = GitHub::SPEC.protocol else { panic!("GitHub speaks OAuth 2") };
/// assert_eq!(oauth2.authentication, ClientAuthentication::Post);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientAuthentication {
    /// In the `Authorization` header, which every server must take.
    Basic,
    /// In the body, for servers that look only there.
    Post,
}

/// A service of OAuth 1.0a, besides its authorization and token endpoints. Each field is set by a
/// method of [`Spec`](super::Spec).
///
/// ```
/// use quadrille::{Service as _, Twitter, consumer::Protocol, oauth1::SignatureMethod};
///
/// let Protocol::OAuth1(oauth1) = Twitter::SPEC.protocol else { panic!("this is OAuth 1") };
/// assert_eq!(oauth1.signature_method, SignatureMethod::HmacSha1);
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct OAuth1<Text = &'static str, Pairs = &'static [(&'static str, &'static str)]> {
    /// The endpoint for temporary credentials (RFC 5849, section 2.1).
    pub temporary: Text,
    /// How requests are signed (RFC 5849, section 3.4).
    pub signature_method: SignatureMethod,
    /// Where the protocol's parameters stand in a request (RFC 5849, section 3.5). Requests that
    /// have no form body have them in the header nevertheless when this is the body.
    pub placement: Placement,
    /// The realm that requests name (RFC 5849, section 3.5.1), where the service wants one. The
    /// request for temporary credentials names the scopes instead, if any are asked for.
    pub realm: Option<Text>,
    /// Whether the digest of a body that is no form is signed (`oauth_body_hash`), without which
    /// the signature says nothing about it.
    pub body_hash: bool,
    /// Whether both credential requests are sent by GET instead of POST.
    pub credentials_by_get: bool,
    /// Further parameters of the request for temporary credentials.
    pub temporary_parameters: Pairs,
    /// Further headers of the request for temporary credentials.
    pub temporary_headers: Pairs,
    /// The `oauth_verifier` with which the service sends back a user who refused, where it does.
    pub refused_verifier: Option<Text>,
    /// The path of a member in the API's 401 answers and the value by which it says that the token
    /// is dead, where no `oauth_problem` does.
    pub dead_token: Option<(Text, Text)>,
}

impl OAuth2 {
    pub(super) const USUAL: Self = Self {
        resources: "",
        issuer: None,
        issuer_required: false,
        authentication: ClientAuthentication::Basic,
        rotates_refresh_tokens: false,
        scope_separator: ScopeSeparator::Space,
        granted_scope_separator: ScopeSeparator::Space,
        pkce: true,
        access_token: None,
        token_types: "",
        error_names: &[],
        refresh_refusals: "",
    };
}

impl OAuth1 {
    pub(super) const fn usual(temporary: &'static str) -> Self {
        Self {
            temporary,
            signature_method: SignatureMethod::HmacSha1,
            placement: Placement::Header,
            realm: None,
            body_hash: true,
            credentials_by_get: false,
            temporary_parameters: &[],
            temporary_headers: &[],
            refused_verifier: None,
            dead_token: None,
        }
    }
}

impl From<OAuth2> for OAuth2Buf {
    fn from(spec: OAuth2) -> Self {
        Self {
            resources: spec.resources.into(),
            issuer: spec.issuer.map(Into::into),
            issuer_required: spec.issuer_required,
            authentication: spec.authentication,
            rotates_refresh_tokens: spec.rotates_refresh_tokens,
            scope_separator: spec.scope_separator,
            granted_scope_separator: spec.granted_scope_separator,
            pkce: spec.pkce,
            access_token: spec.access_token.map(Into::into),
            token_types: spec.token_types.into(),
            error_names: owned(spec.error_names.iter().copied()),
            refresh_refusals: spec.refresh_refusals.into(),
        }
    }
}

impl From<OAuth1> for OAuth1Buf {
    fn from(spec: OAuth1) -> Self {
        Self {
            temporary: spec.temporary.into(),
            signature_method: spec.signature_method,
            placement: spec.placement,
            realm: spec.realm.map(Into::into),
            body_hash: spec.body_hash,
            credentials_by_get: spec.credentials_by_get,
            temporary_parameters: owned(spec.temporary_parameters.iter().copied()),
            temporary_headers: owned(spec.temporary_headers.iter().copied()),
            refused_verifier: spec.refused_verifier.map(Into::into),
            dead_token: spec.dead_token.map(|(path, value)| (path.into(), value.into())),
        }
    }
}

impl From<Protocol> for ProtocolBuf {
    fn from(protocol: Protocol) -> Self {
        match protocol {
            Protocol::OAuth2(oauth2) => Self::OAuth2(oauth2.into()),
            Protocol::OAuth1(oauth1) => Self::OAuth1(oauth1.into()),
        }
    }
}

impl<Text, Pairs> From<OAuth2<Text, Pairs>> for Protocol<Text, Pairs> {
    fn from(oauth2: OAuth2<Text, Pairs>) -> Self {
        Self::OAuth2(oauth2)
    }
}

impl<Text, Pairs> From<OAuth1<Text, Pairs>> for Protocol<Text, Pairs> {
    fn from(oauth1: OAuth1<Text, Pairs>) -> Self {
        Self::OAuth1(oauth1)
    }
}

/// Pairs of names and values, with texts of their own.
pub(super) fn owned<N: Into<Cow<'static, str>>, V: Into<Cow<'static, str>>>(
    pairs: impl IntoIterator<Item = (N, V)>,
) -> Vec<(Cow<'static, str>, Cow<'static, str>)> {
    pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect()
}
