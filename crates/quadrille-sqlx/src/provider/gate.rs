//! Whether the database can be reached.
//!
//! Where a server refuses connections, a pool of sqlx goes on trying, and each request that needs a
//! connection waits for as long as the pool allows, without the reason. So a task finds out, by a
//! connection of its own, and all requests get the reason at once. While the server is away no request
//! waits: one of them has it looked for, after pauses that become longer.

use std::{
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use quadrille::{Env, Timestamp, provider::store::StoreError};
use tokio::{runtime::Handle, sync::Notify, time::timeout};

use super::{engine::Engine, fault::reason, held::Held};

/// The time that a pool with a server within reach needs to give a connection.
const USUAL: Duration = Duration::from_millis(250);
/// The longest time until a server answers a new connection.
const PATIENCE: Duration = Duration::from_secs(5);
/// The time for which a server that answered counts as within reach.
const TRUSTED: Duration = Duration::from_secs(1);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The way to the pool.
#[derive(Clone)]
pub(super) struct Gate(Arc<Inner>);

struct Inner {
    is_replica: bool,
    env: Env,
    runtime: Handle,
    state: Mutex<State>,
    /// Locked while a task looks.
    looking: Arc<tokio::sync::Mutex<()>>,
    /// Tells those who wait for the pool that the server is out of reach.
    closed: Notify,
}

#[derive(Default)]
struct State {
    away: Option<Away>,
    /// The last connection of our own, and the reason why the server refused it, if it did.
    answered: Option<(Timestamp, Option<StoreError>)>,
}

/// The server is out of reach.
struct Away {
    reason: StoreError,
    /// The time of the next look.
    until: Timestamp,
    failures: u32,
}

impl Gate {
    pub(super) fn new(runtime: Handle) -> Self {
        Self::to(runtime, false)
    }

    /// The way to a replica, without which all goes on.
    #[cfg(feature = "postgres")]
    pub(super) fn to_replica(runtime: Handle) -> Self {
        Self::to(runtime, true)
    }

    fn to(runtime: Handle, is_replica: bool) -> Self {
        Self(Arc::new(Inner {
            is_replica,
            env: Env::system(),
            runtime,
            state: Mutex::default(),
            looking: Arc::default(),
            closed: Notify::new(),
        }))
    }

    /// A connection of the pool.
    pub(super) async fn pass<E: Engine>(&self, pool: &E) -> Result<Held<E::Driver>, StoreError> {
        if let Some(reason) = self.away() {
            self.look(pool);
            return Err(reason);
        }
        let mut acquiring = pin!(pool.pool().acquire());
        let acquired = match timeout(USUAL, &mut acquiring).await {
            Ok(acquired) => acquired,
            Err(_) => {
                // All connections may be in use, or the server does not respond.
                let mut closed = pin!(self.0.closed.notified());
                closed.as_mut().enable();
                if let Some(reason) = self.away() {
                    return Err(reason);
                }
                self.look(pool);
                tokio::select! {
                    acquired = &mut acquiring => acquired,
                    () = closed => return Err(self.why_not(pool)),
                }
            }
        };
        match acquired {
            Ok(connection) => Ok(Held::new(connection)),
            Err(sqlx::Error::PoolTimedOut) => {
                self.look(pool);
                Err(self.why_not(pool))
            }
            Err(error) if is_out_of_reach(&error) => Err(self.close(reason(error))),
            Err(error) => Err(reason(error)),
        }
    }

    /// Has the server looked for by a task, unless one looks, or has just looked.
    fn look<E: Engine>(&self, pool: &E) {
        let Ok(turn) = Arc::clone(&self.0.looking).try_lock_owned() else { return };
        let now = self.0.env.steady();
        let is_due = match &*self.state() {
            State { away: Some(away), .. } => now >= away.until,
            State { answered: Some((time, _)), .. } => now.since(*time) >= TRUSTED,
            State { .. } => true,
        };
        if is_due {
            let (gate, pool) = (self.clone(), pool.clone());
            self.0.runtime.spawn(async move {
                gate.dial(&pool).await;
                drop(turn);
            });
        }
    }

    async fn dial<E: Engine>(&self, pool: &E) {
        let refused = match timeout(PATIENCE, pool.dial()).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) if is_out_of_reach(&error) => {
                self.close(reason(error));
                return;
            }
            Ok(Err(error)) => Some(reason(error)),
            Err(_) => {
                let seconds = PATIENCE.as_secs();
                let reason = format!("the server has not answered within {seconds} seconds");
                self.close(StoreError::unavailable(reason));
                return;
            }
        };
        let mut state = self.state();
        state.answered = Some((self.0.env.steady(), refused));
        if state.away.take().is_some() && !self.0.is_replica {
            tracing::info!("the database is within reach again");
        }
    }

    fn close(&self, reason: StoreError) -> StoreError {
        let mut state = self.state();
        let failures = state.away.as_ref().map_or(0, |away| away.failures.saturating_add(1));
        // The store names a replica in its warning.
        if failures == 0 && !self.0.is_replica {
            tracing::error!(%reason, "the database is out of reach");
        }
        let until = self.0.env.steady() + pause(&self.0.env, failures);
        state.away = Some(Away { reason: reason.clone(), until, failures });
        drop(state);
        self.0.closed.notify_waiters();
        reason
    }

    /// The reason why the server is out of reach.
    fn away(&self) -> Option<StoreError> {
        self.state().away.as_ref().map(|away| away.reason.clone())
    }

    /// The reason why there is no connection.
    fn why_not<E: Engine>(&self, pool: &E) -> StoreError {
        let state = self.state();
        if let Some(away) = &state.away {
            return away.reason.clone();
        }
        if let Some((_, Some(refused))) = &state.answered {
            return refused.clone();
        }
        let connections = pool.pool().options().get_max_connections();
        StoreError::unavailable(format!(
            "no connection was free in time: all {connections} of this process are in use, or the \
             server does not answer"
        ))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether no connection of the pool can be of use either.
fn is_out_of_reach(error: &sqlx::Error) -> bool {
    match error {
        // What accepts connections in place of a server that is away ends them at once.
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) => true,
        // It starts or stops.
        sqlx::Error::Database(error) => {
            matches!(error.code().as_deref(), Some("57P01" | "57P02" | "57P03"))
        }
        _ => false,
    }
}

/// The pause before the next look, of which a random half is left out: processes that lost their
/// database at the same time do not return at the same time.
fn pause(env: &Env, failures: u32) -> Duration {
    let longest = LONGEST_PAUSE.min(FIRST_PAUSE * (1 << failures.min(10)));
    let random = f64::from(u16::from_be_bytes(env.random())) / f64::from(u16::MAX);
    longest.mul_f64(0.5 + random / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_become_longer_and_differ() {
        let env = Env::system();
        for failures in 0..40 {
            let longest = LONGEST_PAUSE.min(FIRST_PAUSE * (1 << failures.min(10)));
            let pauses: Vec<_> = (0..50).map(|_| pause(&env, failures)).collect();
            assert!(pauses.iter().all(|pause| *pause <= longest && *pause >= longest / 2));
            assert!(pauses.iter().any(|pause| *pause != pauses[0]), "{failures}");
        }
    }
}
