//! What only one of the two dances knows of.

use crate::{
    oauth1::{Placement, SignatureMethod},
    scope::ScopeSeparator,
};

/// Which dance a service dances, and the facts that only this one has. `Text` and `Pairs` are
/// borrowed in [`Spec`](super::Spec) and owned in [`SpecBuf`](super::SpecBuf).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Protocol<Text = &'static str, Pairs = &'static [(&'static str, &'static str)]> {
    /// Authorization codes and bearer tokens (RFC 6749, 6750).
    OAuth2(OAuth2<Text>),
    /// Temporary credentials and signed requests (RFC 5849).
    OAuth1(OAuth1<Text, Pairs>),
}

/// What is known about a service of OAuth 2 besides its endpoints.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct OAuth2<Text = &'static str> {
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
    /// The error codes besides `invalid_grant` by which the service says that a refresh token is
    /// dead, separated by spaces.
    pub refresh_refusals: Text,
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

/// What is known about a service of OAuth 1.0a besides its authorization and token endpoints.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct OAuth1<Text = &'static str, Pairs = &'static [(&'static str, &'static str)]> {
    /// Where temporary credentials are had (RFC 5849, section 2.1).
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
        }
    }
}
