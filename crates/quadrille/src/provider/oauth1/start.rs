//! The time since which this process remembers signed requests, by a clock that may be set.

use std::time::Duration;

use tokio::sync::OnceCell;

use crate::{
    Env, Timestamp,
    provider::{error::Error, store::ErasedStore},
};

/// The start of this process. A request with an earlier timestamp may have been accepted by another
/// process before.
#[derive(Debug)]
pub(crate) struct Start {
    /// By the clock as it was.
    clock: Timestamp,
    steady: Timestamp,
    /// Facts of the store at the first request.
    before: OnceCell<Before>,
}

/// Facts of the store that may put the start later.
#[derive(Clone, Copy, Debug)]
struct Before {
    /// The time of the newest row, if it was in the future: the clock is behind the one of an earlier
    /// process.
    future: Option<Timestamp>,
    /// The loss of the marks of an earlier process.
    lost: Option<Timestamp>,
}

impl Start {
    pub(crate) fn new(env: &Env) -> Self {
        Self { clock: env.now(), steady: env.steady(), before: OnceCell::new() }
    }

    /// The start by the clock as it is `now`. A machine may start with a clock that is behind, and
    /// set it later, so the time since the start counts too.
    ///
    /// A time further ahead than two windows does not count: an earlier process that had such a
    /// clock accepted nothing that is valid now. So a clock that once was far ahead ends nothing.
    pub(super) async fn at(
        &self,
        env: &Env,
        store: &dyn ErasedStore,
        window: Duration,
        now: Timestamp,
    ) -> Result<Timestamp, Error> {
        let by_duration = now - env.steady().since(self.steady);
        let load = async || {
            let newest = store.newest().await?.time();
            let future = (newest.seconds() > now.seconds()).then_some(newest);
            let lost = store.keys_known_since().await?.lost();
            Ok::<_, Error>(Before { future, lost })
        };
        let Before { future, lost } = *self.before.get_or_try_init(load).await?;
        let reach = now + window + window;
        let candidates = [
            Some(self.clock),
            future.map(|newest| newest + SECOND),
            // A client whose clock is ahead may have used a request a window before its timestamp.
            lost.map(|lost| lost + window + SECOND),
        ];
        let counts = candidates.into_iter().flatten().filter(|time| *time <= reach);
        Ok(counts.fold(by_duration, Timestamp::max))
    }
}

/// The resolution of timestamps: those of the newest row's second do not count either.
const SECOND: Duration = Duration::from_secs(1);
