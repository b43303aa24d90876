//! What an access token stands for, once a guard has seen that it is good.

use std::{fmt, sync::Arc};

use crate::{Scopes, Timestamp, oauth2::Resources};

use super::{
    Actor, Authentication,
    store::{AccessRecord, Grant},
};

/// What a good access token stands for: what a [`Guard`](super::Guard) found.
#[derive(Clone)]
pub struct Verified(Arc<AccessRecord>);

impl Verified {
    fn grant(&self) -> &Grant {
        &self.0.grant
    }

    /// Who acts: a person through the client, or the client itself.
    pub fn actor(&self) -> &Actor {
        &self.grant().actor
    }

    /// The `client_id`.
    pub fn client(&self) -> &Arc<str> {
        &self.grant().client
    }

    /// What the token is good for.
    pub fn scopes(&self) -> &Scopes {
        &self.grant().scopes
    }

    /// The APIs at which it is good (RFC 8707); the server's own where there is none.
    pub fn audience(&self) -> &Resources {
        &self.grant().resources
    }

    /// How and when the person signed in; `None` when the client acts for itself.
    pub fn authentication(&self) -> Option<&Arc<Authentication>> {
        self.grant().authentication.as_ref()
    }

    /// When the token stops being good.
    pub fn expires(&self) -> Timestamp {
        self.0.expires
    }
}

impl From<Arc<AccessRecord>> for Verified {
    fn from(record: Arc<AccessRecord>) -> Self {
        Self(record)
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
