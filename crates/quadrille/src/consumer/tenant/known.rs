//! The tenants of a service, and those that were looked up a moment ago.

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
        registered::Registered,
        registration::Registration,
    },
};

/// How long a tenant's client is used without asking again.
const LASTS: Duration = Duration::from_secs(60);
/// How many are kept.
const MOST: usize = 2000;
pub(super) type Resolving =
    Pin<Box<dyn Future<Output = Result<Option<Registration>, OperatorError>> + Send + 'static>>;

/// The tenants of one service.
#[derive(Clone)]
pub(crate) struct Tenants {
    pub(super) service: Arc<str>,
    pub(super) resolve: Arc<dyn Fn(String) -> Resolving + Send + Sync>,
}

impl Tenants {
    pub(crate) fn service(&self) -> &str {
        &self.service
    }
}

/// The tenants of the last minute, by their service's name.
#[derive(Debug, Default)]
pub(crate) struct KnownTenants(Mutex<Known>);

/// Each with the time at which it was looked up.
type Known = HashMap<Arc<str>, (Timestamp, Arc<Registered>)>;

impl KnownTenants {
    pub(super) fn recall(&self, name: &str, now: Timestamp) -> Option<Arc<Registered>> {
        let known = self.lock();
        let (since, registered) = known.get(name)?;
        (now.since(*since) < LASTS).then(|| Arc::clone(registered))
    }

    pub(super) fn keep(&self, registered: &Arc<Registered>, now: Timestamp) {
        let mut known = self.lock();
        if known.len() >= MOST {
            known.retain(|_, (since, _)| now.since(*since) < LASTS);
            if known.len() >= MOST {
                // Each comes back at the cost of one look-up.
                known.clear();
            }
        }
        known.insert(Arc::clone(&registered.name), (now, Arc::clone(registered)));
    }

    /// Forgets a tenant that there is not any more.
    pub(super) fn forget(&self, name: &str) {
        self.lock().remove(name);
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
