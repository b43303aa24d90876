//! What a service is, known at run time only.

use std::borrow::Cow;

use crate::{Scopes, Secret};

use super::{
    Client, Credential, Dynamic,
    protocol::{OAuth1, OAuth2, Protocol},
    spec::Spec,
};

type Text = Cow<'static, str>;
type Pairs = Vec<(Text, Text)>;

/// A service known at run time only: rows of a table, a tenant's own server. Each field and each
/// method is as in [`Spec`]. A method that belongs to the other protocol changes nothing, and
/// [`Login::check`](crate::Login::check) gives
/// [`OperatorFault::ProtocolMismatch`](crate::error::OperatorFault::ProtocolMismatch).
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
pub struct SpecBuf {
    pub name: Text,
    pub title: Text,
    pub authorize: Text,
    pub token: Text,
    pub api: Text,
    pub scopes: Scopes,
    pub parameters: Pairs,
    pub token_parameters: Pairs,
    pub token_headers: Pairs,
    pub identity: Option<(Text, Text)>,
    pub protocol: Protocol<Text, Pairs>,
    /// A method of the other protocol was called.
    pub(crate) is_mismatched: bool,
}

impl SpecBuf {
    /// As [`Spec::oauth2`], from texts of any origin.
    pub fn oauth2(
        name: impl Into<Text>,
        authorize: impl Into<Text>,
        token: impl Into<Text>,
        api: impl Into<Text>,
    ) -> Self {
        let spec = Self::from(Spec::oauth2("", "", "", ""));
        spec.at(name.into(), authorize.into(), token.into(), api.into())
    }

    /// As [`Spec::oauth1`], from texts of any origin.
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
    ) -> Self {
        let mut spec = Self::from(Spec::oauth1("", "", "", "", ""));
        if let Protocol::OAuth1(oauth1) = &mut spec.protocol {
            oauth1.temporary = temporary.into();
        }
        spec.at(name.into(), authorize.into(), token.into(), api.into())
    }

    fn at(mut self, name: Text, authorize: Text, token: Text, api: Text) -> Self {
        self.title = name.clone();
        self.name = name;
        self.authorize = authorize;
        self.token = token;
        self.api = api;
        self
    }

    /// This application as the service knows it. Its accounts are reached by
    /// [`Login::linked_by_name`](crate::Login::linked_by_name) and [`Dynamic`].
    pub fn client(self, id: impl Into<String>, secret: impl Into<Secret>) -> Client<Dynamic> {
        Client::new(self, id, Credential::Secret(secret.into()))
    }

    /// [`SpecBuf::client`] at a service of OAuth 1 that wants RSA signatures: see
    /// [`Service::client_with_key`](super::Service::client_with_key).
    pub fn client_with_key(self, id: impl Into<String>, key: impl Into<Secret>) -> Client<Dynamic> {
        Client::new(self, id, Credential::Key(key.into()))
    }
}

impl From<Spec> for SpecBuf {
    fn from(spec: Spec) -> Self {
        Self {
            name: spec.name.into(),
            title: spec.title.into(),
            authorize: spec.authorize.into(),
            token: spec.token.into(),
            api: spec.api.into(),
            scopes: Scopes::of(spec.scopes.split(' ')),
            parameters: pairs(spec.parameters),
            token_parameters: pairs(spec.token_parameters),
            token_headers: pairs(spec.token_headers),
            identity: spec.identity.map(|(path, subject)| (path.into(), subject.into())),
            protocol: match spec.protocol {
                Protocol::OAuth2(oauth2) => Protocol::OAuth2(oauth2.into()),
                Protocol::OAuth1(oauth1) => Protocol::OAuth1(oauth1.into()),
            },
            is_mismatched: false,
        }
    }
}

impl From<OAuth2> for OAuth2<Text> {
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
            refresh_refusals: spec.refresh_refusals.into(),
        }
    }
}

impl From<OAuth1> for OAuth1<Text, Pairs> {
    fn from(spec: OAuth1) -> Self {
        Self {
            temporary: spec.temporary.into(),
            signature_method: spec.signature_method,
            placement: spec.placement,
            realm: spec.realm.map(Into::into),
            body_hash: spec.body_hash,
            credentials_by_get: spec.credentials_by_get,
            temporary_parameters: pairs(spec.temporary_parameters),
            temporary_headers: pairs(spec.temporary_headers),
        }
    }
}

fn pairs(pairs: &'static [(&'static str, &'static str)]) -> Pairs {
    pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
}
