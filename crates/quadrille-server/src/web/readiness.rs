//! The last look at the store.

use std::time::Duration;

use quadrille::{Env, Timestamp};
use tokio::sync::Mutex;

/// The shortest time between two looks.
const EVERY: Duration = Duration::from_secs(1);

/// The last look at the store, for `/ready`. A look writes, and anybody may cause one, so there is one
/// in a second.
#[derive(Debug, Default)]
pub(super) struct Readiness(Mutex<Option<(Timestamp, Looked)>>);

/// `ok` or a reason, for each part that is in the store.
#[derive(Clone, Copy, Debug)]
pub(super) struct Looked {
    pub(super) store: &'static str,
    pub(super) lease: &'static str,
    /// Of the cache of short-lived records; `None` without one.
    pub(super) cache: Option<&'static str>,
}

impl Readiness {
    /// The result of `look`, or of the last one if that was within a second.
    pub(super) async fn look<F: Future<Output = Looked>>(
        &self,
        env: &Env,
        look: impl FnOnce() -> F,
    ) -> Looked {
        let mut last = self.0.lock().await;
        if let Some((time, parts)) = *last
            && env.steady().since(time) < EVERY
        {
            return parts;
        }
        let parts = look().await;
        *last = Some((env.steady(), parts));
        parts
    }
}

#[cfg(test)]
mod tests {
    use quadrille::testing::ManualClock;

    use super::*;

    #[tokio::test]
    async fn the_store_is_looked_at_once_in_a_second() {
        let (clock, readiness) = (ManualClock::new(), Readiness::default());
        let looked = std::cell::Cell::new(0);
        let look = || async {
            looked.set(looked.get() + 1);
            Looked { store: "ok", lease: "ok", cache: None }
        };
        for (wait, expected) in [(0, 1), (999, 1), (1, 2), (10, 2)] {
            clock.advance(Duration::from_millis(wait));
            let env = clock.env();
            tokio::join!(readiness.look(&env, look), readiness.look(&env, look));
            assert_eq!(looked.get(), expected, "{wait}");
        }
    }
}
