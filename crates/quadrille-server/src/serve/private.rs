//! The listener that is not public.

use std::{io, net::SocketAddr, time::Duration};

use tokio::task::JoinHandle;

use crate::{Failure, meter, web::Private};

use super::socket::{BACKLOG, bind};

/// The time between two passes over the recorded durations, which wait in memory for them.
const UPKEEP: Duration = Duration::from_secs(5);

/// The listener, until this is dropped.
pub(super) struct Listener {
    pub(super) address: SocketAddr,
    pub(super) routes: Private,
    tasks: [JoinHandle<()>; 2],
}

/// Starts to measure, and to answer at `address`.
pub(super) fn listen(address: SocketAddr) -> Result<Listener, Failure> {
    let failure = |error| Failure::Listen { address, error };
    let listener = bind(address).and_then(|socket| socket.listen(BACKLOG)).map_err(failure)?;
    let address = listener.local_addr().map_err(failure)?;
    let handle = meter::install().map_err(|error| io::Error::other(error.to_string()))?;
    let routes = Private::new(handle.clone());
    let router = routes.router();
    let answering = tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "measurements and readiness are not served any more");
        }
    });
    let upkeep = tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP).await;
            handle.run_upkeep();
        }
    });
    Ok(Listener { address, routes, tasks: [answering, upkeep] })
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}
