//! A service as registered by an application, ready for use.

use std::{fmt, ops::Deref, sync::Arc};

use crate::consumer::{
    backoff::outage::Outage,
    dance::{Dance, OAuth1Dance, OAuth2Dance},
    error::OperatorError,
    registration::{Registration, Settled},
    service::Protocol,
};

/// A service, ready for use.
pub(crate) struct Registered {
    pub(crate) settled: Arc<Settled>,
    pub(crate) dance: Dance,
    pub(crate) outage: Outage,
}

impl Registered {
    /// Checks a registration for the site with this name. The service's name is checked already.
    pub(crate) fn new(registration: &Registration, site: &str) -> Result<Self, OperatorError> {
        let settled = Arc::new(Settled::new(registration, site)?);
        let dance = match &settled.spec.protocol {
            Protocol::OAuth2(oauth2) => {
                Dance::OAuth2(Box::new(OAuth2Dance::new(&settled, oauth2)?))
            }
            Protocol::OAuth1(oauth1) => {
                Dance::OAuth1(Box::new(OAuth1Dance::new(&settled, oauth1)?))
            }
        };
        Ok(Self { settled, dance, outage: Outage::default() })
    }
}

impl Deref for Registered {
    type Target = Settled;
    fn deref(&self) -> &Settled {
        &self.settled
    }
}

impl fmt::Debug for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registered").field("name", &self.name).finish_non_exhaustive()
    }
}
