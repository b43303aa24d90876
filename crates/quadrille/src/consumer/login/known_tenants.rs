//! The tenants of a service, and a memory of recent look-ups.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{
    Timestamp,
    consumer::{
        error::{OperatorError, Result},
        organizations::Organizations,
        registration::Registration,
    },
};

use super::registered::Registered;

/// The time for which a look-up is remembered.
const LASTS: Duration = Duration::from_secs(60);
/// The greatest number of remembered look-ups.
const MOST: usize = 2000;
pub(super) type Resolving =
    Pin<Box<dyn Future<Output = Result<Option<Registration>, OperatorError>> + Send + 'static>>;

/// The tenants of one service.
#[derive(Clone)]
pub(crate) struct Tenants {
    pub(super) service: Arc<str>,
    pub(super) resolver: Resolver,
}

/// The source of the tenants.
#[derive(Clone)]
pub(super) enum Resolver {
    /// The application.
    Hook(Arc<dyn Fn(String) -> Resolving + Send + Sync>),
    /// The registrations of the site, in its storage.
    Stored(Arc<Organizations>),
}

impl Tenants {
    pub(super) fn organizations(organizations: Organizations) -> Self {
        let service = Arc::clone(&organizations.service);
        Self { service, resolver: Resolver::Stored(Arc::new(organizations)) }
    }

    pub(super) fn as_organizations(&self) -> Option<&Arc<Organizations>> {
        match &self.resolver {
            Resolver::Stored(organizations) => Some(organizations),
            Resolver::Hook(_) => None,
        }
    }

    pub(crate) fn service(&self) -> &str {
        &self.service
    }
}

/// The tenants looked up in the last minute, by the service's name.
#[derive(Debug, Default)]
pub(crate) struct KnownTenants(Mutex<Known>);

/// Services with the time of the look-up.
type Known = HashMap<Arc<str>, (Timestamp, Arc<Registered>)>;

impl KnownTenants {
    pub(super) fn recall(&self, name: &str, now: Timestamp) -> Option<Arc<Registered>> {
        let known = self.lock();
        let (since, registered) = known.get(name)?;
        (now.since(*since) < LASTS).then(|| Arc::clone(registered))
    }

    /// The last look-up, however long ago.
    pub(super) fn last(&self, name: &str) -> Option<Arc<Registered>> {
        self.lock().get(name).map(|(_, registered)| Arc::clone(registered))
    }

    pub(super) fn keep(&self, registered: &Arc<Registered>, now: Timestamp) {
        let mut known = self.lock();
        if known.len() >= MOST {
            known.retain(|_, (since, _)| now.since(*since) < LASTS);
            if known.len() >= MOST {
                // Each costs another look-up.
                known.clear();
            }
        }
        known.insert(Arc::clone(&registered.name), (now, Arc::clone(registered)));
    }

    /// Forgets a tenant that no longer exists.
    pub(super) fn forget(&self, name: &str) {
        self.lock().remove(name);
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
