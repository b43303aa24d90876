//! Facts about a service that belong to one of the two protocols.

use std::borrow::Cow;

use crate::{
    jose::{Algorithm, ContentEncryption, KeyManagement},
    oauth1::{Placement, SignatureMethod},
    scope::ScopeSeparator,
};

use super::{hybrid::Hybrid, request_objects::RequestObjects};

/// The algorithms of an encrypted token: of its key, and of its content (RFC 7518, sections 4 and 5).
///
/// ```
/// use quadrille::{consumer::Encryption, jose::{ContentEncryption, KeyManagement}};
///
/// let encryption: Encryption = (KeyManagement::EcdhEsA256Kw, ContentEncryption::A256Gcm);
/// # let _ = encryption;
/// ```
pub type Encryption = (KeyManagement, ContentEncryption);

/// A protocol with its facts about a service. `Text` and `Pairs` are borrowed in
/// [`Spec`](super::Spec) and owned in [`SpecBuf`](super::SpecBuf).
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

/// [`Protocol`] with owned texts, for a [`SpecBuf`](super::SpecBuf).
///
/// ```
/// use quadrille::{SpecBuf, consumer::ProtocolBuf};
///
/// fn is_oauth1(spec: &SpecBuf) -> bool {
///     matches!(spec.protocol, ProtocolBuf::OAuth1(_))
/// }
/// ```
pub type ProtocolBuf = Protocol<Cow<'static, str>, Vec<(Cow<'static, str>, Cow<'static, str>)>>;

/// [`OAuth2`] with owned texts, for a [`SpecBuf`](super::SpecBuf).
///
/// ```
/// use quadrille::{SpecBuf, consumer::{OAuth2Buf, ProtocolBuf}};
///
/// fn oauth2(spec: &SpecBuf) -> Option<&OAuth2Buf> {
///     let ProtocolBuf::OAuth2(oauth2) = &spec.protocol else { return None };
///     Some(oauth2)
/// }
/// ```
pub type OAuth2Buf = OAuth2<Cow<'static, str>, Vec<(Cow<'static, str>, Cow<'static, str>)>>;

/// [`OAuth1`] with owned texts, for a [`SpecBuf`](super::SpecBuf).
///
/// ```
/// use quadrille::{SpecBuf, consumer::{OAuth1Buf, ProtocolBuf}};
///
/// fn oauth1(spec: &SpecBuf) -> Option<&OAuth1Buf> {
///     let ProtocolBuf::OAuth1(oauth1) = &spec.protocol else { return None };
///     Some(oauth1)
/// }
/// ```
pub type OAuth1Buf = OAuth1<Cow<'static, str>, Vec<(Cow<'static, str>, Cow<'static, str>)>>;

/// [`OpenId`] with owned texts, for a [`SpecBuf`](super::SpecBuf).
///
/// ```
/// use quadrille::{SpecBuf, consumer::{OpenIdBuf, ProtocolBuf}};
///
/// fn openid(spec: &SpecBuf) -> Option<&OpenIdBuf> {
///     let ProtocolBuf::OAuth2(oauth2) = &spec.protocol else { return None };
///     oauth2.openid.issuer.is_some().then_some(&oauth2.openid)
/// }
/// ```
pub type OpenIdBuf = OpenId<Cow<'static, str>>;

/// The facts about a service of OAuth 2, other than its endpoints. A method of
/// [`Spec`](super::Spec) sets each field.
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
    /// The APIs that tokens are for (RFC 8707), separated by spaces; empty for no `resource`.
    pub resources: Text,
    /// The issuer in the service's responses (RFC 9207), if it sends one.
    pub issuer: Option<Text>,
    /// Whether a response without the issuer is refused.
    pub issuer_required: bool,
    /// The authentication method at the token endpoint.
    pub authentication: ClientAuthentication,
    /// Whether the audience of assertions is the token endpoint in place of the issuer.
    pub assertions_for_token_endpoint: bool,
    /// Whether each refresh token is valid once, so that a lost response loses the account.
    pub rotates_refresh_tokens: bool,
    /// The separator of scopes in requests.
    pub scope_separator: ScopeSeparator,
    /// The separator of scopes in responses.
    pub granted_scope_separator: ScopeSeparator,
    /// Whether to use PKCE (RFC 7636). Practically all services support or ignore it.
    pub pkce: bool,
    /// The path of the access token in the response of the token endpoint, unless it is the member
    /// `access_token`. The other members are read beside it.
    pub access_token: Option<Text>,
    /// The token types of bearer tokens besides `Bearer`, separated by spaces.
    pub token_types: Text,
    /// Error codes of the service's own, each with the registered code that it means.
    pub error_names: Pairs,
    /// The error codes besides `invalid_grant` that mean an invalid refresh token, separated by
    /// spaces.
    pub refresh_refusals: Text,
    /// The endpoint for refreshes, unless it is the token endpoint.
    pub refresh: Option<Text>,
    /// The scheme of the `Authorization` header of API calls.
    pub token_scheme: Text,
    /// The member of token responses with the origin of the account's API, and the hosts that may
    /// be its host or a parent domain of it, separated by spaces.
    pub api_in_token: Option<(Text, Text)>,
    /// The callback's parameter with the origin of the account's authorization server, and each
    /// such origin with the host of the API there.
    pub data_centers: Option<(Text, Pairs)>,
    /// The path of the account's identifier in token responses.
    pub subject_in_token: Option<Text>,
    /// Whether the callback names the scopes granted.
    pub scopes_in_callback: bool,
    /// The endpoint that revokes a token, and its requests.
    pub revocation: Option<(Text, Revocation)>,
    /// The device authorization endpoint (RFC 8628), if the service has that flow.
    pub device_authorization: Option<Text>,
    /// Whether the service accepts a registered loopback redirect URI with any port (RFC 8252,
    /// section 7.3).
    pub any_loopback_port: bool,
    /// The facts about an OpenID Provider, if the service is one.
    pub openid: OpenId<Text>,
}

/// The facts about a service that is an OpenID Provider (OpenID Connect Core 1.0): its ID tokens say
/// who has logged in. A method of [`Spec`](super::Spec) sets each field.
///
/// ```
/// use quadrille::Spec;
///
/// let spec = Spec::oidc("acme", "https://id.acme.example");
/// assert_eq!(spec.protocol.openid.issuer, Some("https://id.acme.example"));
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct OpenId<Text = &'static str> {
    /// The issuer of the ID tokens, to the character; `None` for a service that is no OpenID
    /// Provider.
    pub issuer: Option<Text>,
    /// The URL of the issuer's keys (`jwks_uri`); `None` to find it in the issuer's metadata.
    pub keys: Option<Text>,
    /// The end session endpoint (RP-Initiated Logout, section 2.1), if the service has one.
    pub end_session: Option<Text>,
    /// A placeholder in the issuer, and the claim of each token that it stands for.
    pub tenants: Option<(Text, Text)>,
    /// Whether the service does not repeat the `nonce` of a request.
    pub forgets_nonce: bool,
    /// Whether front-channel logouts of the service have a `sid` without the `iss`.
    pub forgets_issuer_in_front_channel: bool,
    /// The algorithm that is registered for ID tokens, if one is; that of an HMAC is by the client
    /// secret.
    pub id_token_algorithm: Option<Algorithm>,
    /// The encryption of ID tokens, if the service encrypts them for this site.
    pub id_token_encryption: Option<Encryption>,
    /// Whether the service signs the claims of its userinfo endpoint.
    pub signed_userinfo: bool,
    /// The algorithm that is registered for signed claims of the userinfo endpoint, if one is.
    pub userinfo_algorithm: Option<Algorithm>,
    /// The encryption of signed claims of the userinfo endpoint, if the service encrypts them.
    pub userinfo_encryption: Option<Encryption>,
    /// Whether requests to the userinfo endpoint have the access token in their body.
    pub userinfo_token_in_body: bool,
    /// The delivery of signed authorization requests, if the service is to get such.
    pub request_objects: Option<RequestObjects>,
    /// The encryption of signed authorization requests, if they are to be encrypted.
    pub request_encryption: Option<Encryption>,
    /// The response type of logins, if it is one of the hybrid flow.
    pub hybrid: Option<Hybrid>,
    /// The account's identifier in storages.
    pub account: OpenIdAccount<Text>,
}

/// The account's identifier in storages, at an OpenID Provider.
///
/// ```
/// use quadrille::{Spec, consumer::OpenIdAccount};
///
/// let spec = Spec::oidc("acme", "https://id.acme.example");
/// assert_eq!(spec.protocol.openid.account, OpenIdAccount::IssuerAndSubject);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenIdAccount<Text = &'static str> {
    /// The issuer and the subject, joined by `#`, which is in no issuer: only both together are
    /// unique (OpenID Connect Core, section 5.7), and a service may get another issuer.
    IssuerAndSubject,
    /// The subject alone, for a service that has one issuer forever.
    Subject,
    /// Another claim of the ID token, for a service with an identifier of its own that is unique at
    /// all its issuers.
    Claim(Text),
}

/// The authentication of an application with a secret at a token endpoint (RFC 6749, section 2.3.1).
/// One without a secret sends its identifier alone, or signs
/// ([`Service::signing_client`](super::Service::signing_client)).
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
    /// In the `Authorization` header, which every server must support.
    Basic,
    /// In the body, for servers that read only that.
    Post,
    /// In the body, with all parameters of the request as one JSON object.
    Json,
    /// By an assertion for each request, with this HMAC by the secret (`client_secret_jwt`; OpenID
    /// Connect Core, section 9).
    SecretJwt(Algorithm),
}

/// The request that revokes a token at a service.
///
/// ```
/// use quadrille::{GitHub, Service as _, consumer::{Protocol, Revocation}};
///
/// let Protocol::OAuth2(oauth2) = GitHub::SPEC.protocol else { panic!("GitHub speaks OAuth 2") };
/// assert!(matches!(oauth2.revocation, Some((_, Revocation::DeleteByClient))));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Revocation {
    /// RFC 7009, with the authentication of the token endpoint. It names the refresh token if there
    /// is one.
    Standard,
    /// RFC 7009, with the `client_id` alone.
    WithoutSecret,
    /// A DELETE with HTTP Basic, and a JSON object with the `access_token`.
    DeleteByClient,
    /// A POST of a form with the `access_token`.
    PostAccessToken,
    /// A POST without a body, with the token as in API calls.
    PostBearer,
    /// A DELETE with the token as in API calls.
    DeleteBearer,
}

impl Revocation {
    /// Whether the access token revokes itself, so that it must not have expired.
    pub(crate) const fn is_by_bearer(self) -> bool {
        matches!(self, Self::PostBearer | Self::DeleteBearer)
    }
}

/// The facts about a service of OAuth 1.0a, other than its authorization and token endpoints. A
/// method of [`Spec`](super::Spec) sets each field.
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
    /// The signature method (RFC 5849, section 3.4).
    pub signature_method: SignatureMethod,
    /// The place of the protocol's parameters in a request (RFC 5849, section 3.5). If it is the
    /// body, requests without a form use the header.
    pub placement: Placement,
    /// The realm of requests (RFC 5849, section 3.5.1), if the service requires one.  The request
    /// for temporary credentials names the scopes instead, if any are requested.
    pub realm: Option<Text>,
    /// Whether the digest of a body other than a form is signed (`oauth_body_hash`); without it,
    /// the signature does not cover the body.
    pub body_hash: bool,
    /// Whether both credential requests are sent by GET instead of POST.
    pub credentials_by_get: bool,
    /// Further parameters of the request for temporary credentials.
    pub temporary_parameters: Pairs,
    /// Further headers of the request for temporary credentials.
    pub temporary_headers: Pairs,
    /// The `oauth_verifier` that means that the user refused, if the service sends one.
    pub refused_verifier: Option<Text>,
}

impl OAuth2 {
    pub(super) const USUAL: Self = Self {
        resources: "",
        issuer: None,
        issuer_required: false,
        authentication: ClientAuthentication::Basic,
        assertions_for_token_endpoint: false,
        rotates_refresh_tokens: false,
        scope_separator: ScopeSeparator::Space,
        granted_scope_separator: ScopeSeparator::Space,
        pkce: true,
        access_token: None,
        token_types: "",
        error_names: &[],
        refresh_refusals: "",
        refresh: None,
        token_scheme: "Bearer",
        api_in_token: None,
        data_centers: None,
        subject_in_token: None,
        scopes_in_callback: false,
        revocation: None,
        device_authorization: None,
        any_loopback_port: false,
        openid: OpenId::NONE,
    };
}

impl OpenId {
    const NONE: Self = Self {
        issuer: None,
        keys: None,
        end_session: None,
        tenants: None,
        forgets_nonce: false,
        forgets_issuer_in_front_channel: false,
        id_token_algorithm: None,
        id_token_encryption: None,
        signed_userinfo: false,
        userinfo_algorithm: None,
        userinfo_encryption: None,
        userinfo_token_in_body: false,
        request_objects: None,
        request_encryption: None,
        hybrid: None,
        account: OpenIdAccount::IssuerAndSubject,
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
            assertions_for_token_endpoint: spec.assertions_for_token_endpoint,
            rotates_refresh_tokens: spec.rotates_refresh_tokens,
            scope_separator: spec.scope_separator,
            granted_scope_separator: spec.granted_scope_separator,
            pkce: spec.pkce,
            access_token: spec.access_token.map(Into::into),
            token_types: spec.token_types.into(),
            error_names: owned(spec.error_names.iter().copied()),
            refresh_refusals: spec.refresh_refusals.into(),
            refresh: spec.refresh.map(Into::into),
            token_scheme: spec.token_scheme.into(),
            api_in_token: spec.api_in_token.map(|(member, hosts)| (member.into(), hosts.into())),
            data_centers: spec
                .data_centers
                .map(|(parameter, servers)| (parameter.into(), owned(servers.iter().copied()))),
            subject_in_token: spec.subject_in_token.map(Into::into),
            scopes_in_callback: spec.scopes_in_callback,
            revocation: spec.revocation.map(|(endpoint, request)| (endpoint.into(), request)),
            device_authorization: spec.device_authorization.map(Into::into),
            any_loopback_port: spec.any_loopback_port,
            openid: spec.openid.into(),
        }
    }
}

impl From<OpenId> for OpenIdBuf {
    fn from(openid: OpenId) -> Self {
        Self {
            issuer: openid.issuer.map(Into::into),
            keys: openid.keys.map(Into::into),
            end_session: openid.end_session.map(Into::into),
            tenants: openid.tenants.map(|(placeholder, claim)| (placeholder.into(), claim.into())),
            forgets_nonce: openid.forgets_nonce,
            forgets_issuer_in_front_channel: openid.forgets_issuer_in_front_channel,
            id_token_algorithm: openid.id_token_algorithm,
            id_token_encryption: openid.id_token_encryption,
            signed_userinfo: openid.signed_userinfo,
            userinfo_algorithm: openid.userinfo_algorithm,
            userinfo_encryption: openid.userinfo_encryption,
            userinfo_token_in_body: openid.userinfo_token_in_body,
            request_objects: openid.request_objects,
            request_encryption: openid.request_encryption,
            hybrid: openid.hybrid,
            account: match openid.account {
                OpenIdAccount::IssuerAndSubject => OpenIdAccount::IssuerAndSubject,
                OpenIdAccount::Subject => OpenIdAccount::Subject,
                OpenIdAccount::Claim(claim) => OpenIdAccount::Claim(claim.into()),
            },
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

/// Owned pairs of names and values.
pub(super) fn owned<N: Into<Cow<'static, str>>, V: Into<Cow<'static, str>>>(
    pairs: impl IntoIterator<Item = (N, V)>,
) -> Vec<(Cow<'static, str>, Cow<'static, str>)> {
    pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect()
}
