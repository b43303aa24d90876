//! The shares of sites in the fetches that are under way at once.
//!
//! A client names the URLs of its documents, and its hosts may be as slow as it likes. A site has a
//! few fetches at once, however many clients and hosts name it. The others of a site wait without
//! a place among all, so they keep no other site out. Sites that hung the last time have a part of the
//! places, so that any number of them leave room for the others.
//!
//! The usual port of a site has a share of its own: a stranger who names ports of it that drop what is
//! sent to them keeps nobody from its documents.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use url::{Host, Url};

use crate::RemoteAddress;

use super::FetchError;

/// The number of concurrent fetches, and of those of one site.
const AT_ONCE: usize = 64;
const OF_A_SITE: usize = 4;

/// The number of concurrent fetches from sites that hung the last time, and of such sites that are
/// remembered.
const OF_HANGING: usize = 16;
const HANGING: usize = 1024;

/// The number of sites at which those without a fetch are forgotten.
const SITES: usize = 256;

pub(super) struct Shares {
    all: Semaphore,
    sites: Mutex<HashMap<Site, Weak<Semaphore>>>,
    hanging: Semaphore,
    /// The sites that hung the last time, the latest one last.
    hung: Mutex<VecDeque<Site>>,
}

/// The permission to fetch, until it is dropped.
pub(super) struct Share<'a> {
    _of_site: OwnedSemaphorePermit,
    _of_hanging: Option<SemaphorePermit<'a>>,
    _of_all: SemaphorePermit<'a>,
}

/// The party behind a host, as far as its name tells, and whether at the usual port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Site {
    party: Party,
    has_usual_port: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Party {
    Domain(String),
    Network(u128),
}

impl Shares {
    pub(super) fn new() -> Self {
        Self {
            all: Semaphore::new(AT_ONCE),
            sites: Mutex::default(),
            hanging: Semaphore::new(OF_HANGING),
            hung: Mutex::default(),
        }
    }

    /// Waits for a place of the host's site, for one of those that hung if it did, and then for one of
    /// all.
    pub(super) async fn take(&self, url: &Url) -> Result<Share<'_>, FetchError> {
        let site = Site::of(url)?;
        let of_site = self.site(site.clone());
        // Semaphores are never closed.
        let of_site = of_site.acquire_owned().await.map_err(|_| FetchError::Busy)?;
        let has_hung = self.hung().contains(&site);
        let of_hanging = match has_hung {
            true => Some(self.hanging.acquire().await.map_err(|_| FetchError::Busy)?),
            false => None,
        };
        let of_all = self.all.acquire().await.map_err(|_| FetchError::Busy)?;
        Ok(Share { _of_site: of_site, _of_hanging: of_hanging, _of_all: of_all })
    }

    /// Notes whether the site of a host has hung.
    pub(super) fn heard(&self, url: &Url, hangs: bool) {
        let Ok(site) = Site::of(url) else { return };
        let mut hung = self.hung();
        hung.retain(|known| *known != site);
        if hangs {
            if hung.len() >= HANGING {
                hung.pop_front();
            }
            hung.push_back(site);
        }
    }

    fn hung(&self) -> MutexGuard<'_, VecDeque<Site>> {
        self.hung.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn site(&self, site: Site) -> Arc<Semaphore> {
        let mut sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = sites.get(&site).and_then(Weak::upgrade) {
            return known;
        }
        if sites.len() >= SITES {
            sites.retain(|_, known| known.strong_count() > 0);
        }
        let new = Arc::new(Semaphore::new(OF_A_SITE));
        sites.insert(site, Arc::downgrade(&new));
        new
    }
}

impl Site {
    fn of(url: &Url) -> Result<Self, FetchError> {
        let network = |address: IpAddr| Party::Network(RemoteAddress(address).wide_network());
        let party = match url.host().ok_or(FetchError::Url)? {
            Host::Ipv4(address) => network(address.into()),
            Host::Ipv6(address) => network(address.into()),
            Host::Domain(name) => Party::Domain(domain(name)),
        };
        Ok(Self { party, has_usual_port: url.port().is_none() })
    }
}

/// The domain that the party behind a name has registered, by the public suffix list: the party has
/// any number of names below it.
fn domain(name: &str) -> String {
    let name = name.trim_end_matches('.');
    psl::domain_str(name).unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(host: &str) -> Url {
        Url::parse(&format!("https://{host}/keys")).unwrap()
    }

    #[test]
    fn names_of_one_party_are_one_site() {
        let same = |a: &str, b: &str| Site::of(&url(a)) == Site::of(&url(b));
        assert!(same("a.evil.example", "b.c.evil.example."));
        assert!(same("a.evil.co.uk", "evil.co.uk"));
        assert!(same("a.abc.io", "b.abc.io"));
        assert!(same("[2001:db8:0:1::1]", "[2001:db8:0:2::1]"));
        assert!(!same("evil.example", "good.example"));
        assert!(!same("evil.co.uk", "good.co.uk"));
        assert!(!same("evil.github.io", "good.github.io"));
        assert!(!same("evil.example:8443", "evil.example"));
        assert!(same("a.evil.example:8443", "evil.example:9"));
        assert!(!same("192.0.2.1", "198.51.100.1"));
        assert!(!same("localhost", "example"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_site_has_its_share_and_those_that_wait_keep_no_other_out() {
        let shares = Shares::new();
        let mut held = Vec::new();
        for number in 0..OF_A_SITE {
            held.push(shares.take(&url(&format!("h{number}.evil.example"))).await.unwrap());
        }
        let (fifth, other) = (url("fifth.evil.example"), url("good.example"));
        let mut waits: Vec<_> = (0..200).map(|_| Box::pin(shares.take(&fifth))).collect();
        for wait in &mut waits {
            tokio::select! {
                biased;
                _ = wait => panic!("a fifth fetch of one site"),
                () = std::future::ready(()) => {}
            }
        }
        assert!(shares.take(&other).await.is_ok());
        drop(held.pop());
        assert!(waits.remove(0).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn ports_of_a_site_that_drop_everything_keep_nobody_from_its_usual_one() {
        let shares = Shares::new();
        let mut held = Vec::new();
        for port in 0..OF_A_SITE {
            let url = url(&format!("good.example:{}", 8000 + port));
            held.push(shares.take(&url).await.unwrap());
            shares.heard(&url, true);
        }
        assert!(!shares.hung().contains(&Site::of(&url("good.example")).unwrap()));
        assert!(shares.take(&url("good.example")).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn any_number_of_sites_that_hang_leave_room_for_the_others() {
        let shares = Shares::new();
        let hung = |number: usize| url(&format!("h{number}.example-{number}"));
        (0..2 * HANGING).for_each(|number| shares.heard(&hung(number), true));
        assert_eq!(shares.hung().len(), HANGING);
        let latest = |number: usize| hung(HANGING + number);
        let mut held = Vec::new();
        for number in 0..OF_HANGING {
            held.push(shares.take(&latest(number)).await.unwrap());
        }
        let next = latest(OF_HANGING);
        let mut waits = Box::pin(shares.take(&next));
        tokio::select! {
            biased;
            _ = &mut waits => panic!("all places are of sites that hang"),
            () = std::future::ready(()) => {}
        }
        // Those that answer have all the others.
        for number in 0..AT_ONCE - OF_HANGING {
            held.push(shares.take(&url(&format!("good.example-{number}"))).await.unwrap());
        }
        drop(held);
        assert!(waits.await.is_ok());
        shares.heard(&next, false);
        assert!(!shares.hung().contains(&Site::of(&next).unwrap()));
    }

    #[tokio::test]
    async fn sites_without_a_fetch_are_forgotten() {
        let shares = Shares::new();
        for number in 0..3 * SITES {
            drop(shares.take(&url(&format!("h{number}.example"))).await.unwrap());
            assert!(shares.sites.lock().unwrap().len() <= SITES);
        }
    }
}
