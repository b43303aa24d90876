//! The processors are shared by network, not by connection.
//!
//! The runtime runs tasks in the order in which they became ready. Hyper answers up to sixteen
//! pipelined requests each time that it runs, so a thousand connections of one address would put
//! sixteen thousand answers in front of any other request. Here a network has only a few requests
//! among the tasks that are ready, and the others wait for these, in order. A request of another
//! network waits for those few, however many connections there are.

use std::{
    collections::HashMap,
    future::{Future, poll_fn},
    num::NonZeroUsize,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
};

use quadrille::RemoteAddress;
use tokio::{sync::Semaphore, task::yield_now};

/// The shares of all networks.
#[derive(Debug)]
pub(super) struct Shares {
    /// The number of requests of one network that are ready at once: enough for all processors.
    at_once: NonZeroUsize,
    /// The shares that are in use.
    used: Mutex<HashMap<u128, Share>>,
}

#[derive(Debug)]
struct Share {
    /// The number of requests, waiting ones included.
    requests: usize,
    ready: Arc<Semaphore>,
}

/// A request in the share of its network.
struct Member<'a> {
    shares: &'a Shares,
    network: u128,
    ready: Arc<Semaphore>,
}

impl Shares {
    pub(super) fn new() -> Self {
        let at_once = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self { at_once, used: Mutex::default() }
    }

    /// Runs `work` for a request from this address, within the share of its network. Work that
    /// waits, for example for the database, takes nothing of the share.
    pub(super) async fn run<F: Future>(&self, from: RemoteAddress, work: F) -> F::Output {
        let member = self.join(from.wide_network());
        let mut work = pin!(work);
        loop {
            // Never an error, since nobody closes the semaphore.
            let ready = member.ready.acquire().await;
            // Other networks go first, one request after the other. Without this, a connection
            // would go on with its next request at once.
            yield_now().await;
            let step = poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx))).await;
            drop(ready);
            match step {
                Poll::Ready(outcome) => return outcome,
                Poll::Pending => woken().await,
            }
        }
    }

    fn join(&self, network: u128) -> Member<'_> {
        let mut used = self.used();
        let share = used.entry(network).or_insert_with(|| Share {
            requests: 0,
            ready: Arc::new(Semaphore::new(self.at_once.get())),
        });
        share.requests += 1;
        Member { shares: self, network, ready: Arc::clone(&share.ready) }
    }

    fn used(&self) -> MutexGuard<'_, HashMap<u128, Share>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Member<'_> {
    fn drop(&mut self) {
        let mut used = self.shares.used();
        match used.get_mut(&self.network) {
            Some(share) if share.requests > 1 => share.requests -= 1,
            _ => drop(used.remove(&self.network)),
        }
    }
}

/// Waits until something wakes the task, as the work that was polled before does.
async fn woken() {
    let mut waits = true;
    poll_fn(|_| if std::mem::take(&mut waits) { Poll::Pending } else { Poll::Ready(()) }).await;
}

#[cfg(test)]
mod tests {
    use std::{
        net::Ipv4Addr,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use tokio::task::JoinSet;

    use super::*;

    fn address(last: u8) -> RemoteAddress {
        RemoteAddress(Ipv4Addr::new(192, 0, 2, last).into())
    }

    /// A thousand connections of one network, each with requests in store.
    fn flood(shares: &Arc<Shares>, answered: &Arc<AtomicUsize>) -> JoinSet<()> {
        let mut flood = JoinSet::new();
        for _ in 0..1000 {
            let (shares, answered) = (Arc::clone(shares), Arc::clone(answered));
            flood.spawn(async move {
                for _ in 0..100 {
                    shares
                        .run(address(1), async { answered.fetch_add(1, Ordering::Relaxed) })
                        .await;
                }
            });
        }
        flood
    }

    #[tokio::test]
    async fn a_request_waits_for_a_few_of_another_network_however_many_there_are() {
        let (shares, answered) = (Arc::new(Shares::new()), Arc::default());
        let mut flood = flood(&shares, &answered);
        while answered.load(Ordering::Relaxed) < 2000 {
            yield_now().await;
        }
        // Work of several steps waits at each.
        let before = answered.load(Ordering::Relaxed);
        for _ in 0..10 {
            shares.run(address(2), yield_now()).await;
        }
        let meanwhile = answered.load(Ordering::Relaxed) - before;
        assert!(meanwhile < 100 * shares.at_once.get(), "{meanwhile}");
        while flood.join_next().await.is_some() {}
        assert_eq!(answered.load(Ordering::Relaxed), 100_000, "all of them are answered");
        assert!(shares.used().is_empty());
    }

    #[tokio::test]
    async fn work_that_waits_takes_nothing_of_the_share_and_a_client_that_goes_away_neither() {
        let shares = Arc::new(Shares::new());
        let mut waiting = JoinSet::new();
        for _ in 0..100 {
            let shares = Arc::clone(&shares);
            waiting
                .spawn(async move { shares.run(address(1), std::future::pending::<()>()).await });
        }
        shares.run(address(1), yield_now()).await;
        waiting.shutdown().await;
        assert!(shares.used().is_empty());
    }
}
