//! The shares of networks in the fetches that their requests cause.
//!
//! A request names a document, and its host may answer as slowly as it likes. One network has a few
//! such fetches at once, so its requests keep those of no other network out.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::RemoteAddress;

use super::FetchError;

/// The number of concurrent fetches for the requests of one network.
const OF_A_NETWORK: usize = 8;

/// The fetches under way, by the network of the request; `None` is that of requests without an
/// address. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Visitors(Arc<Mutex<HashMap<Option<u128>, usize>>>);

/// The permission for one fetch, until it is dropped.
#[derive(Debug)]
struct Share {
    visitors: Visitors,
    network: Option<u128>,
}

impl Visitors {
    /// Does `fetching` on a task of its own, so that its share ends with it and not with the request.
    ///
    /// # Errors
    /// [`FetchError::Busy`] if the requests of this network have all their fetches.
    pub(crate) async fn share<T: Send + 'static>(
        &self,
        from: Option<RemoteAddress>,
        fetching: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, FetchError> {
        let share = self.take(from).ok_or(FetchError::Busy)?;
        let task = tokio::spawn(async move {
            let fetched = fetching.await;
            drop(share);
            fetched
        });
        task.await.map_err(|_| FetchError::Busy)
    }

    fn take(&self, from: Option<RemoteAddress>) -> Option<Share> {
        let network = from.map(RemoteAddress::wide_network);
        let mut fetches = self.fetches();
        let count = fetches.entry(network).or_default();
        if *count >= OF_A_NETWORK {
            return None;
        }
        *count += 1;
        Some(Share { visitors: self.clone(), network })
    }

    fn fetches(&self) -> MutexGuard<'_, HashMap<Option<u128>, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut fetches = self.visitors.fetches();
        if let Some(count) = fetches.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                fetches.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> Option<RemoteAddress> {
        Some(RemoteAddress([192, 0, 2, last].into()))
    }

    #[test]
    fn a_network_has_its_share_and_keeps_no_other_out() {
        let visitors = Visitors::default();
        let mut held: Vec<_> =
            (0..OF_A_NETWORK).map(|_| visitors.take(address(1)).unwrap()).collect();
        assert!(visitors.take(address(1)).is_none());
        assert!(visitors.take(address(2)).is_some() && visitors.take(None).is_some());
        held.pop();
        assert!(visitors.take(address(1)).is_some());
        drop(held);
        assert!(visitors.fetches().is_empty());
    }

    #[tokio::test]
    async fn a_request_that_is_given_up_keeps_its_share_until_the_fetch_ends() {
        let (visitors, (end, ended)) = (Visitors::default(), tokio::sync::oneshot::channel::<()>());
        let fetching = visitors.share(address(1), ended);
        let mut fetching = Box::pin(fetching);
        tokio::select! {
            biased;
            _ = &mut fetching => panic!("it has not ended"),
            () = std::future::ready(()) => {}
        }
        drop(fetching);
        assert_eq!(visitors.fetches().len(), 1);
        drop(end);
        while !visitors.fetches().is_empty() {
            tokio::task::yield_now().await;
        }
    }
}
