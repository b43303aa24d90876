//! A service known only at run time.

use std::borrow::Cow;

use crate::{Scopes, Secret};

use super::{
    Client, Credential, Dynamic,
    protocol::{OAuth1, OAuth1Buf, OAuth2, OAuth2Buf, ProtocolBuf, owned},
    spec::Spec,
};

type Text = Cow<'static, str>;
type Pairs = Vec<(Text, Text)>;

/// The description of a service known only at run time: rows of a table, a tenant's own server.
/// Each field and each method is as in [`Spec`].
///
/// ```
/// use quadrille::{KeyRing, Login, SpecBuf};
///
/// let spec = SpecBuf::oauth2(
///     "acme",
///     "https://id.acme.example/authorize",
///     "https://id.acme.example/token",
///     "https://api.acme.example",
/// )
/// .scopes("profile")
/// .identity("me", "data.id");
/// let login = Login::new(KeyRing::ephemeral(), "https://app.example")
///     .with(spec.client("our-id", "our-secret"));
/// login.check()?;
/// # Ok::<(), quadrille::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each field is documented in Spec")]
pub struct SpecBuf<P = ProtocolBuf> {
    pub name: Text,
    pub title: Text,
    pub authorize: Text,
    pub token: Text,
    pub api: Text,
    pub base: Option<Text>,
    pub api_below_base: Option<Text>,
    pub scopes: Scopes,
    pub parameters: Pairs,
    pub token_parameters: Pairs,
    pub token_headers: Pairs,
    pub identity: Option<(Text, Text)>,
    pub identity_by_post: Option<Text>,
    pub profile: Pairs,
    pub email_list: Option<Text>,
    pub required_claim: Option<(Text, Text)>,
    pub dead_token: Option<(Text, Text)>,
    pub call_headers: Pairs,
    pub failure_flag: Option<Text>,
    pub protocol: P,
}

impl SpecBuf {
    /// As [`Spec::oauth2`], with owned texts.
    pub fn oauth2(
        name: impl Into<Text>,
        authorize: impl Into<Text>,
        token: impl Into<Text>,
        api: impl Into<Text>,
    ) -> SpecBuf<OAuth2Buf> {
        SpecBuf::new(name.into(), authorize.into(), token.into(), api.into(), OAuth2::USUAL.into())
    }

    /// As [`Spec::oidc`], with owned texts: for an issuer of a table, or of a tenant.
    ///
    /// ```
    /// use quadrille::{KeyRing, Login, SpecBuf};
    ///
    /// let spec = SpecBuf::oidc("acme", "https://id.acme.example").scopes("openid email");
    /// let login = Login::new(KeyRing::ephemeral(), "https://app.example")
    ///     .with(spec.client("our-id", "our-secret"));
    /// login.check()?;
    /// # Ok::<(), quadrille::Error>(())
    /// ```
    pub fn oidc(name: impl Into<Text>, issuer: impl Into<Text>) -> SpecBuf<OAuth2Buf> {
        let issuer = issuer.into();
        let mut spec = Self::oauth2(name, "", "", issuer.clone());
        spec.protocol.openid.issuer = Some(issuer);
        spec.scopes = Scopes::of(["openid"]);
        spec.profile = owned(Spec::OPENID_CLAIMS.iter().copied());
        spec
    }

    /// As [`Spec::oauth1`], with owned texts.
    ///
    /// ```
    /// use quadrille::{SpecBuf, oauth1::SignatureMethod};
    ///
    /// let spec = SpecBuf::oauth1(
    ///     "acme",
    ///     "https://id.acme.example/request_token",
    ///     "https://id.acme.example/authorize",
    ///     "https://id.acme.example/access_token",
    ///     "https://api.acme.example",
    /// )
    /// .signature_method(SignatureMethod::HmacSha256);
    /// let client = spec.client("our-key", "our-secret");
    /// ```
    pub fn oauth1(
        name: impl Into<Text>,
        temporary: impl Into<Text>,
        authorize: impl Into<Text>,
        token: impl Into<Text>,
        api: impl Into<Text>,
    ) -> SpecBuf<OAuth1Buf> {
        let protocol = OAuth1Buf { temporary: temporary.into(), ..OAuth1::usual("").into() };
        SpecBuf::new(name.into(), authorize.into(), token.into(), api.into(), protocol)
    }
}

impl<P> SpecBuf<P> {
    fn new(name: Text, authorize: Text, token: Text, api: Text, protocol: P) -> Self {
        Self {
            title: name.clone(),
            name,
            authorize,
            token,
            api,
            base: None,
            api_below_base: None,
            scopes: Scopes::EMPTY,
            parameters: Vec::new(),
            token_parameters: Vec::new(),
            token_headers: Vec::new(),
            identity: None,
            identity_by_post: None,
            profile: Vec::new(),
            email_list: None,
            required_claim: None,
            dead_token: None,
            call_headers: Vec::new(),
            failure_flag: None,
            protocol,
        }
    }
}

impl<P: Into<ProtocolBuf>> SpecBuf<P> {
    /// Completes the description of a service of either protocol.
    #[must_use]
    pub fn build(self) -> SpecBuf {
        SpecBuf {
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
            protocol: self.protocol.into(),
        }
    }

    /// The application as registered at the service.
    /// [`Login::linked_by_name`](crate::Login::linked_by_name) with [`Dynamic`] loads its accounts.
    pub fn client(self, id: impl Into<String>, secret: impl Into<Secret>) -> Client<Dynamic> {
        Client::new(self.build(), id, Credential::Secret(secret.into()))
    }

    /// [`SpecBuf::client`] at a service of OAuth 1 that requires RSA signatures: see
    /// [`Service::client_with_key`](super::Service::client_with_key).
    pub fn client_with_key(self, id: impl Into<String>, key: impl Into<Secret>) -> Client<Dynamic> {
        Client::new(self.build(), id, Credential::Key(key.into()))
    }

    /// [`SpecBuf::client`] that authenticates by the keys of the site: see
    /// [`Service::signing_client`](super::Service::signing_client).
    pub fn signing_client(self, id: impl Into<String>) -> Client<Dynamic> {
        Client::new(self.build(), id, Credential::SiteKeys)
    }

    /// [`SpecBuf::client`] without a secret, for a program on users' own machines: see
    /// [`Service::public_client`](super::Service::public_client).
    pub fn public_client(self, id: impl Into<String>) -> Client<Dynamic> {
        Client::new(self.build(), id, Credential::Public)
    }
}

impl SpecBuf {
    /// Whether the application must set the service's base.
    pub(crate) fn is_homeless(&self) -> bool {
        self.base.is_none() && !is_absolute(&self.authorize) && !self.is_to_be_discovered()
    }

    /// Whether the endpoints are found by discovery.
    pub(crate) fn is_to_be_discovered(&self) -> bool {
        match &self.protocol {
            ProtocolBuf::OAuth2(oauth2) => {
                self.authorize.is_empty() && oauth2.openid.issuer.is_some()
            }
            ProtocolBuf::OAuth1(_) => false,
        }
    }
}

/// Whether an endpoint is a URL rather than a path below the base.
pub(crate) fn is_absolute(endpoint: &str) -> bool {
    endpoint.contains("://")
}

impl From<Spec> for SpecBuf {
    fn from(spec: Spec) -> Self {
        Self {
            name: spec.name.into(),
            title: spec.title.into(),
            authorize: spec.authorize.into(),
            token: spec.token.into(),
            api: spec.api.into(),
            base: spec.base.map(Into::into),
            api_below_base: spec.api_below_base.map(Into::into),
            scopes: Scopes::of(spec.scopes.split(' ')),
            parameters: owned(spec.parameters.iter().copied()),
            token_parameters: owned(spec.token_parameters.iter().copied()),
            token_headers: owned(spec.token_headers.iter().copied()),
            identity: spec.identity.map(|(path, subject)| (path.into(), subject.into())),
            identity_by_post: spec.identity_by_post.map(Into::into),
            profile: owned(spec.profile.iter().copied()),
            email_list: spec.email_list.map(Into::into),
            dead_token: spec.dead_token.map(|(path, values)| (path.into(), values.into())),
            required_claim: spec.required_claim.map(|(path, value)| (path.into(), value.into())),
            call_headers: owned(spec.call_headers.iter().copied()),
            failure_flag: spec.failure_flag.map(Into::into),
            protocol: spec.protocol.into(),
        }
    }
}
