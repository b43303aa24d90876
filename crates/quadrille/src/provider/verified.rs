//! What an access token stands for, once a guard has seen that it is good.

use std::{fmt, sync::Arc};

use crate::{Scopes, Timestamp, oauth2::Resources};

use super::{
    actor::{Actor, Authentication},
    store::AccessRecord,
};

/// What a good access token stands for: what a [`Guard`](super::Guard) found.
#[derive(Clone)]
pub struct Verified(Known);

#[derive(Clone)]
enum Known {
    /// From this process' server.
    Record(Arc<AccessRecord>),
    /// By the word of an issuer elsewhere.
    #[cfg(feature = "http-client")]
    Told(Arc<Told>),
}

/// What an issuer elsewhere said of a token.
#[cfg(feature = "http-client")]
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) client: Arc<str>,
    pub(crate) actor: Actor,
    pub(crate) scopes: Scopes,
    pub(crate) audience: Resources,
    pub(crate) authentication: Option<Arc<Authentication>>,
    pub(crate) expires: Timestamp,
}

impl Verified {
    /// Who acts: a person through the client, or the client itself.
    pub fn actor(&self) -> &Actor {
        match &self.0 {
            Known::Record(record) => &record.grant.actor,
            #[cfg(feature = "http-client")]
            Known::Told(told) => &told.actor,
        }
    }

    /// The `client_id`; empty where an issuer elsewhere does not say.
    pub fn client(&self) -> &Arc<str> {
        match &self.0 {
            Known::Record(record) => &record.grant.client,
            #[cfg(feature = "http-client")]
            Known::Told(told) => &told.client,
        }
    }

    /// What the token is good for.
    pub fn scopes(&self) -> &Scopes {
        match &self.0 {
            Known::Record(record) => &record.grant.scopes,
            #[cfg(feature = "http-client")]
            Known::Told(told) => &told.scopes,
        }
    }

    /// The APIs at which it is good (RFC 8707); the server's own where there is none.
    pub fn audience(&self) -> &Resources {
        match &self.0 {
            Known::Record(record) => &record.grant.resources,
            #[cfg(feature = "http-client")]
            Known::Told(told) => &told.audience,
        }
    }

    /// How and when the person signed in; `None` when the client acts for itself, or an issuer
    /// elsewhere does not say.
    pub fn authentication(&self) -> Option<&Arc<Authentication>> {
        match &self.0 {
            Known::Record(record) => record.grant.authentication.as_ref(),
            #[cfg(feature = "http-client")]
            Known::Told(told) => told.authentication.as_ref(),
        }
    }

    /// When the token stops being good.
    pub fn expires(&self) -> Timestamp {
        match &self.0 {
            Known::Record(record) => record.expires,
            #[cfg(feature = "http-client")]
            Known::Told(told) => told.expires,
        }
    }
}

#[cfg(feature = "http-client")]
impl From<Arc<Told>> for Verified {
    fn from(told: Arc<Told>) -> Self {
        Self(Known::Told(told))
    }
}

impl From<Arc<AccessRecord>> for Verified {
    fn from(record: Arc<AccessRecord>) -> Self {
        Self(Known::Record(record))
    }
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("actor", self.actor())
            .field("client", self.client())
            .field("scopes", self.scopes())
            .field("audience", self.audience())
            .finish_non_exhaustive()
    }
}
