//! The methods of [`Spec`](super::Spec), for a service that is known at run time only.

use std::borrow::Cow;

use crate::{
    Scopes,
    oauth1::{Placement, SignatureMethod},
    scope::ScopeSeparator,
};

use super::{
    SpecBuf,
    protocol::{ClientAuthentication, OAuth1, OAuth2, Protocol},
};

type Text = Cow<'static, str>;
type Pairs = Vec<(Text, Text)>;

/// Pairs of names and values.
fn pairs<N: Into<Text>, V: Into<Text>>(pairs: impl IntoIterator<Item = (N, V)>) -> Pairs {
    pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect()
}

impl SpecBuf {
    /// As [`Spec::title`](super::Spec::title).
    #[must_use]
    pub fn title(mut self, title: impl Into<Text>) -> Self {
        self.title = title.into();
        self
    }

    /// As [`Spec::scopes`](super::Spec::scopes).
    #[must_use]
    pub fn scopes(mut self, scopes: &str) -> Self {
        self.scopes = Scopes::of(scopes.split(' '));
        self
    }

    /// As [`Spec::parameters`](super::Spec::parameters).
    #[must_use]
    pub fn parameters<N: Into<Text>, V: Into<Text>>(
        mut self,
        parameters: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.parameters = pairs(parameters);
        self
    }

    /// As [`Spec::token_parameters`](super::Spec::token_parameters).
    #[must_use]
    pub fn token_parameters<N: Into<Text>, V: Into<Text>>(
        mut self,
        parameters: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.token_parameters = pairs(parameters);
        self
    }

    /// As [`Spec::token_headers`](super::Spec::token_headers).
    #[must_use]
    pub fn token_headers<N: Into<Text>, V: Into<Text>>(
        mut self,
        headers: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.token_headers = pairs(headers);
        self
    }

    /// As [`Spec::identity`](super::Spec::identity).
    #[must_use]
    pub fn identity(mut self, path: impl Into<Text>, subject: impl Into<Text>) -> Self {
        self.identity = Some((path.into(), subject.into()));
        self
    }
}

/// Services of OAuth 2.
impl SpecBuf {
    /// As [`Spec::resources`](super::Spec::resources).
    #[must_use]
    pub fn resources(self, resources: impl Into<Text>) -> Self {
        self.change_oauth2(|oauth2| oauth2.resources = resources.into())
    }

    /// As [`Spec::issuer`](super::Spec::issuer).
    #[must_use]
    pub fn issuer(self, issuer: impl Into<Text>) -> Self {
        self.change_oauth2(|oauth2| oauth2.issuer = Some(issuer.into()))
    }

    /// As [`Spec::issuer_in_every_answer`](super::Spec::issuer_in_every_answer).
    #[must_use]
    pub fn issuer_in_every_answer(self, issuer: impl Into<Text>) -> Self {
        self.change_oauth2(|oauth2| {
            oauth2.issuer = Some(issuer.into());
            oauth2.issuer_required = true;
        })
    }

    /// As [`Spec::secret_in_body`](super::Spec::secret_in_body).
    #[must_use]
    pub fn secret_in_body(self) -> Self {
        self.change_oauth2(|oauth2| oauth2.authentication = ClientAuthentication::Post)
    }

    /// As [`Spec::scope_separators`](super::Spec::scope_separators).
    #[must_use]
    pub fn scope_separators(self, asked: ScopeSeparator, granted: ScopeSeparator) -> Self {
        self.change_oauth2(|oauth2| {
            oauth2.scope_separator = asked;
            oauth2.granted_scope_separator = granted;
        })
    }

    /// As [`Spec::rotates_refresh_tokens`](super::Spec::rotates_refresh_tokens).
    #[must_use]
    pub fn rotates_refresh_tokens(self) -> Self {
        self.change_oauth2(|oauth2| oauth2.rotates_refresh_tokens = true)
    }

    /// As [`Spec::access_token`](super::Spec::access_token).
    #[must_use]
    pub fn access_token(self, path: impl Into<Text>) -> Self {
        self.change_oauth2(|oauth2| oauth2.access_token = Some(path.into()))
    }

    /// As [`Spec::token_types`](super::Spec::token_types).
    #[must_use]
    pub fn token_types(self, types: impl Into<Text>) -> Self {
        self.change_oauth2(|oauth2| oauth2.token_types = types.into())
    }

    /// As [`Spec::refresh_refusals`](super::Spec::refresh_refusals).
    #[must_use]
    pub fn refresh_refusals(self, codes: impl Into<Text>) -> Self {
        self.change_oauth2(|oauth2| oauth2.refresh_refusals = codes.into())
    }

    /// As [`Spec::without_pkce_because_the_service_fails_with_it`](super::Spec::without_pkce_because_the_service_fails_with_it).
    #[must_use]
    pub fn without_pkce_because_the_service_fails_with_it(self) -> Self {
        self.change_oauth2(|oauth2| oauth2.pkce = false)
    }

    fn change_oauth2(mut self, change: impl FnOnce(&mut OAuth2<Text>)) -> Self {
        match &mut self.protocol {
            Protocol::OAuth2(oauth2) => change(oauth2),
            Protocol::OAuth1(_) => self.is_mismatched = true,
        }
        self
    }
}

/// Services of OAuth 1.
impl SpecBuf {
    /// As [`Spec::signature_method`](super::Spec::signature_method).
    #[must_use]
    pub fn signature_method(self, method: SignatureMethod) -> Self {
        self.change_oauth1(|oauth1| oauth1.signature_method = method)
    }

    /// As [`Spec::placement`](super::Spec::placement).
    #[must_use]
    pub fn placement(self, placement: Placement) -> Self {
        self.change_oauth1(|oauth1| oauth1.placement = placement)
    }

    /// As [`Spec::realm`](super::Spec::realm).
    #[must_use]
    pub fn realm(self, realm: impl Into<Text>) -> Self {
        self.change_oauth1(|oauth1| oauth1.realm = Some(realm.into()))
    }

    /// As [`Spec::credentials_by_get`](super::Spec::credentials_by_get).
    #[must_use]
    pub fn credentials_by_get(self) -> Self {
        self.change_oauth1(|oauth1| oauth1.credentials_by_get = true)
    }

    /// As [`Spec::without_body_hash_because_the_service_fails_with_it`](super::Spec::without_body_hash_because_the_service_fails_with_it).
    #[must_use]
    pub fn without_body_hash_because_the_service_fails_with_it(self) -> Self {
        self.change_oauth1(|oauth1| oauth1.body_hash = false)
    }

    /// As [`Spec::temporary_parameters`](super::Spec::temporary_parameters).
    #[must_use]
    pub fn temporary_parameters<N: Into<Text>, V: Into<Text>>(
        self,
        parameters: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.change_oauth1(|oauth1| oauth1.temporary_parameters = pairs(parameters))
    }

    /// As [`Spec::temporary_headers`](super::Spec::temporary_headers).
    #[must_use]
    pub fn temporary_headers<N: Into<Text>, V: Into<Text>>(
        self,
        headers: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.change_oauth1(|oauth1| oauth1.temporary_headers = pairs(headers))
    }

    fn change_oauth1(mut self, change: impl FnOnce(&mut OAuth1<Text, Pairs>)) -> Self {
        match &mut self.protocol {
            Protocol::OAuth1(oauth1) => change(oauth1),
            Protocol::OAuth2(_) => self.is_mismatched = true,
        }
        self
    }
}
