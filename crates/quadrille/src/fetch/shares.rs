//! The shares of sites in the fetches that are under way at once.
//!
//! A client names the URLs of its documents, and its hosts may be as slow as it likes. A site has a
//! few fetches at once, however many clients and hosts name it. The others of a site wait without
//! a place among all, so they keep no other site out. Sites of which a host hung the last time have a part
//! of the places, so that any number of them leave room for the others.
//!
//! Anybody can name any host and port of a site, also those that drop what is sent to them. They keep
//! nobody from the site's documents: its usual port has a share of its own, and so have its hosts that
//! answered the last time, those that hung, and those of which nothing is known.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use url::{Host, Url};

use crate::{RemoteAddress, registered_domain::registered_domain};

use super::FetchError;

/// The number of concurrent fetches, and of those of one site by the standing of its hosts.
const AT_ONCE: usize = 64;
const OF_A_SITE: usize = 4;

/// The number of concurrent fetches from sites of which a host hung the last time.
const OF_HANGING: usize = 16;

/// The number of hosts that are remembered, of those that answered and of those that hung.
const HOSTS: usize = 1024;

/// The number of shares at which those without a fetch are forgotten.
const SITES: usize = 256;

pub(super) struct Shares {
    all: Semaphore,
    sites: Mutex<HashMap<(Site, Standing), Weak<Semaphore>>>,
    hanging: Semaphore,
    memory: Mutex<Memory>,
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

/// What is known of a host and port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Standing {
    /// It answered the last time.
    Answered,
    /// It hung the last time.
    Hung,
    Unknown,
}

/// A host and port, with its site.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    host: Host<String>,
    port: Option<u16>,
    site: Site,
}

/// The hosts that answered and those that hung the last time, the latest ones last.
#[derive(Default)]
struct Memory {
    answered: VecDeque<Place>,
    hung: VecDeque<Place>,
}

impl Shares {
    pub(super) fn new() -> Self {
        Self {
            all: Semaphore::new(AT_ONCE),
            sites: Mutex::default(),
            hanging: Semaphore::new(OF_HANGING),
            memory: Mutex::default(),
        }
    }

    /// Waits for a place of the host's site, for one of those that hung if a host of the site did, and
    /// then for one of all.
    pub(super) async fn take(&self, url: &Url) -> Result<Share<'_>, FetchError> {
        let place = Place::of(url)?;
        // Semaphores are never closed.
        let (standing, of_site) = loop {
            let standing = self.memory().standing(&place);
            let share = self.share(&place.site, standing);
            let permit = share.acquire_owned().await.map_err(|_| FetchError::Busy)?;
            // While this fetch waited, the host may have hung.
            if self.memory().standing(&place) == standing {
                break (standing, permit);
            }
        };
        let hangs = standing != Standing::Answered && self.memory().has_hung(&place.site);
        let of_hanging = match hangs {
            true => Some(self.hanging.acquire().await.map_err(|_| FetchError::Busy)?),
            false => None,
        };
        let of_all = self.all.acquire().await.map_err(|_| FetchError::Busy)?;
        Ok(Share { _of_site: of_site, _of_hanging: of_hanging, _of_all: of_all })
    }

    /// Notes whether a host has hung.
    pub(super) fn heard(&self, url: &Url, hangs: bool) {
        let Ok(place) = Place::of(url) else { return };
        let mut memory = self.memory();
        memory.answered.retain(|known| *known != place);
        memory.hung.retain(|known| *known != place);
        let hosts = if hangs { &mut memory.hung } else { &mut memory.answered };
        if hosts.len() >= HOSTS {
            hosts.pop_front();
        }
        hosts.push_back(place);
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn share(&self, site: &Site, standing: Standing) -> Arc<Semaphore> {
        let mut sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (site.clone(), standing);
        if let Some(known) = sites.get(&key).and_then(Weak::upgrade) {
            return known;
        }
        if sites.len() >= SITES {
            sites.retain(|_, known| known.strong_count() > 0);
        }
        let new = Arc::new(Semaphore::new(OF_A_SITE));
        sites.insert(key, Arc::downgrade(&new));
        new
    }
}

impl Memory {
    fn standing(&self, place: &Place) -> Standing {
        if self.hung.contains(place) {
            Standing::Hung
        } else if self.answered.contains(place) {
            Standing::Answered
        } else {
            Standing::Unknown
        }
    }

    /// Whether a host of the site hung the last time.
    fn has_hung(&self, site: &Site) -> bool {
        self.hung.iter().any(|known| known.site == *site)
    }
}

impl Place {
    fn of(url: &Url) -> Result<Self, FetchError> {
        let host = url.host().ok_or(FetchError::Url)?.to_owned();
        let network = |address: IpAddr| Party::Network(RemoteAddress(address).wide_network());
        let party = match &host {
            Host::Ipv4(address) => network((*address).into()),
            Host::Ipv6(address) => network((*address).into()),
            Host::Domain(name) => Party::Domain(registered_domain(name).to_owned()),
        };
        let port = url.port();
        Ok(Self { host, port, site: Site { party, has_usual_port: port.is_none() } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(host: &str) -> Url {
        Url::parse(&format!("https://{host}/keys")).unwrap()
    }

    #[test]
    fn names_of_one_party_are_one_site() {
        let site = |host: &str| Place::of(&url(host)).unwrap().site;
        let same = |a: &str, b: &str| site(a) == site(b);
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
        assert!(!shares.memory().has_hung(&Place::of(&url("good.example")).unwrap().site));
        assert!(shares.take(&url("good.example")).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn hosts_of_a_site_that_hang_keep_nobody_from_those_that_answer() {
        let shares = Shares::new();
        let (login, mail) = (url("login.good.example"), url("smtp.good.example"));
        shares.heard(&login, false);
        let mut held = Vec::new();
        for _ in 0..OF_A_SITE {
            held.push(shares.take(&mail).await.unwrap());
        }
        assert!(shares.take(&login).await.is_ok());
        // A fetch that waits goes on as one of a host that hung, and leaves the place to the others.
        let mut waits = Box::pin(shares.take(&mail));
        tokio::select! {
            biased;
            _ = &mut waits => panic!("a fifth fetch of one site"),
            () = std::future::ready(()) => {}
        }
        shares.heard(&mail, true);
        drop(held);
        let hangs = waits.await.unwrap();
        let new = url("www.good.example");
        for _ in 0..OF_A_SITE {
            assert!(shares.take(&new).await.is_ok());
        }
        // Sites that hang have all of their places, and one of them is the good one's.
        let mut held = vec![hangs];
        for number in 1..OF_HANGING {
            let url = url(&format!("h.example-{number}"));
            shares.heard(&url, true);
            held.push(shares.take(&url).await.unwrap());
        }
        assert!(shares.take(&login).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn any_number_of_sites_that_hang_leave_room_for_the_others() {
        let shares = Shares::new();
        let hung = |number: usize| url(&format!("h{number}.example-{number}"));
        (0..2 * HOSTS).for_each(|number| shares.heard(&hung(number), true));
        assert_eq!(shares.memory().hung.len(), HOSTS);
        let latest = |number: usize| hung(HOSTS + number);
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
        assert!(!shares.memory().has_hung(&Place::of(&next).unwrap().site));
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
