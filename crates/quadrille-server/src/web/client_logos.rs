//! The logos of clients (RFC 7591, section 2: `logo_uri`): fetched by the program, kept, and shown from
//! its own origin, so that nobody elsewhere learns who looks at a page.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use quadrille::{Env, Timestamp, provider::GuardedFetcher};
use url::Url;

use super::pages::{LogoFault, Picture};

/// The greatest number of logos that are kept.
const MOST: usize = 256;

/// The time after which a logo is fetched again.
const FRESH: Duration = Duration::from_secs(24 * 3600);

/// The time after which a logo that could not be fetched is tried again.
const AGAIN: Duration = Duration::from_secs(10 * 60);

/// The logos of clients. Cheap to clone.
#[derive(Clone)]
pub(super) struct ClientLogos(Arc<Shared>);

struct Shared {
    env: Env,
    fetcher: GuardedFetcher,
    known: Mutex<HashMap<Box<str>, Known>>,
}

/// A logo by its URL.
struct Known {
    /// The time of the last attempt to fetch it.
    tried: Timestamp,
    picture: Option<Arc<Picture>>,
}

impl Known {
    /// Whether it is time to fetch the logo.
    fn is_due(&self, now: Timestamp) -> bool {
        let wait = if self.picture.is_some() { FRESH } else { AGAIN };
        now.since(self.tried) >= wait || self.tried.since(now) >= wait
    }
}

impl ClientLogos {
    /// No logos yet.
    pub(super) fn new(env: Env, fetcher: GuardedFetcher) -> Self {
        Self(Arc::new(Shared { env, fetcher, known: Mutex::default() }))
    }

    /// The logo at a URL, if it is here. If it is not, or is old, it is fetched: the page does not wait for
    /// a host of somebody else.
    pub(super) fn at(&self, url: &str) -> Option<Arc<Picture>> {
        let now = self.0.env.now();
        let mut known = self.0.known();
        let picture = known.get(url).and_then(|known| known.picture.clone());
        if known.get(url).is_none_or(|known| known.is_due(now)) {
            make_room(&mut known);
            known.insert(url.into(), Known { tried: now, picture: picture.clone() });
            let (shared, url) = (Arc::clone(&self.0), url.to_owned());
            tokio::spawn(async move { shared.fetch(&url).await });
        }
        picture
    }

    /// The logo with this fingerprint.
    pub(super) fn named(&self, fingerprint: &str) -> Option<Arc<Picture>> {
        let known = self.0.known();
        let mut pictures = known.values().filter_map(|known| known.picture.as_ref());
        pictures.find(|picture| picture.fingerprint == fingerprint).cloned()
    }
}

/// Forgets the logo that was fetched first, if there are as many as are kept.
fn make_room(known: &mut HashMap<Box<str>, Known>) {
    if known.len() < MOST {
        return;
    }
    let oldest = known.iter().min_by_key(|(_, known)| known.tried).map(|(url, _)| url.clone());
    if let Some(url) = oldest {
        known.remove(&url);
    }
}

impl Shared {
    fn known(&self) -> MutexGuard<'_, HashMap<Box<str>, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn fetch(&self, url: &str) {
        let picture = match self.picture(url).await {
            Ok(picture) => Arc::new(picture),
            Err(reason) => {
                tracing::info!(url, %reason, "the logo of a client is not shown");
                return;
            }
        };
        if let Some(known) = self.known().get_mut(url) {
            known.picture = Some(picture);
        }
    }

    async fn picture(&self, url: &str) -> Result<Picture, NoLogo> {
        let parsed = Url::parse(url).map_err(|_| NoLogo::Url)?;
        let fetched = self.fetcher.fetch_picture(&parsed).await?;
        Ok(Picture::of_client(fetched.body)?)
    }
}

/// The reason why a logo is not shown.
#[derive(Debug, thiserror::Error)]
enum NoLogo {
    #[error("its address is no URL")]
    Url,
    #[error(transparent)]
    Fetch(#[from] quadrille::provider::FetchError),
    #[error(transparent)]
    Fault(#[from] LogoFault),
}

impl fmt::Debug for ClientLogos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientLogos").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn known(tried: i64, picture: bool) -> Known {
        let png = Bytes::from_static(b"\x89PNG\r\n\x1a\nrest");
        let picture = picture.then(|| Arc::new(Picture::of_client(png).unwrap()));
        Known { tried: Timestamp::from_seconds(tried), picture }
    }

    #[test]
    fn a_logo_is_fetched_again_after_a_day_and_after_a_failure_sooner() {
        let due = |known: Known, now| known.is_due(Timestamp::from_seconds(now));
        assert!(!due(known(0, true), 24 * 3600 - 1) && due(known(0, true), 24 * 3600));
        assert!(!due(known(0, false), 599) && due(known(0, false), 600));
        assert!(due(known(100_000, true), 0), "the clock was set back");
    }

    #[test]
    fn the_logo_that_was_fetched_first_gives_way() {
        let mut all = HashMap::new();
        for nth in 0..MOST {
            let tried = i64::try_from(nth).unwrap();
            all.insert(format!("https://{nth}.example/").into(), known(tried, false));
        }
        make_room(&mut all);
        assert!(all.len() == MOST - 1 && !all.contains_key("https://0.example/"));
        make_room(&mut all);
        assert_eq!(all.len(), MOST - 1);
    }
}
