//! The OpenID Connect metadata of a client that describes itself, by a registration or in a document:
//! read, and checked beside its other metadata.

use serde_json::{Map, Value};

use crate::{
    jose::Algorithm,
    provider::{
        client::{
            logout_uris, message_metadata,
            metadata::CheckedMetadata,
            registered_auth::{ClientKeys, RegisteredAuth},
        },
        openid::{client::ClientOpenId, options::OpenId},
        server::Inner,
    },
};

use super::{
    described::Hosts,
    error::ClientRegistrationError,
    openid::{self, Offered},
};

/// The parts of a server that decide what a client may have.
pub(in crate::provider::client) struct Server<'a> {
    /// OpenID Connect, if it is offered.
    pub(in crate::provider::client) openid: Option<&'a OpenId>,
    /// The algorithms that the server signs with.
    pub(in crate::provider::client) algorithms: Vec<Algorithm>,
    /// `true` if the server fetches the keys of clients.
    pub(in crate::provider::client) fetches_keys: bool,
    pub(in crate::provider::client) hosts: Hosts,
}

impl<'a> Server<'a> {
    pub(in crate::provider::client) fn of(inner: &'a Inner) -> Self {
        Self {
            openid: inner.openid.as_ref(),
            algorithms: inner.signing.lasting(),
            fetches_keys: inner.remote_keys.is_some(),
            hosts: Hosts::of(inner),
        }
    }

    /// The metadata in these members, beside those of RFC 7591. `keys` are those in `jwks` or
    /// `jwks_uri`.
    pub(in crate::provider::client) fn read(
        &self,
        members: &Map<String, Value>,
        keys: Option<ClientKeys>,
        beside: &CheckedMetadata,
    ) -> Result<ClientOpenId, ClientRegistrationError> {
        let mut openid = match self.openid {
            Some(offered) => openid::read(members, &self.offered(offered))?,
            None => openid::of_oauth(members)?,
        };
        let keys = match &beside.auth {
            Some(RegisteredAuth::PrivateKeyJwt { keys, .. }) => Some(keys),
            _ => {
                // Keys that are of no use here are not kept.
                let is_used = |openid: &OpenId| openid.objects.is_some() || openid.encrypts;
                openid.keys = keys.filter(|_| self.openid.is_some_and(is_used));
                openid.keys.as_ref()
            }
        };
        if keys.is_some_and(ClientKeys::are_fetched) && !self.fetches_keys {
            return Err(ClientRegistrationError::KeysNotFetched);
        }
        logout_uris::check(&openid, &beside.redirect_uris)?;
        if let Some(offered) = self.openid {
            logout_uris::check_reach(&openid, |url| offered.reaches(url))?;
        }
        let beside = message_metadata::Beside::of(beside.auth.as_ref(), self.openid);
        message_metadata::check(&openid, &beside)?;
        Ok(openid)
    }

    fn offered(&self, openid: &OpenId) -> Offered<'_> {
        Offered {
            algorithms: &self.algorithms,
            has_pairwise: openid.pairwise.is_some(),
            has_objects: openid.objects.is_some(),
            has_encryption: openid.encrypts,
            hosts: self.hosts,
        }
    }
}
