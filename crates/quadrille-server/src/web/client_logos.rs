//! The logos of clients (RFC 7591, section 2: `logo_uri`): fetched by the program, kept in the database, and
//! shown from its own origin, so that nobody elsewhere learns who looks at a page.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use quadrille::{Env, Timestamp, provider::GuardedFetcher};
use url::Url;

use crate::data::{Backend, LogoKey, StoredLogo};

use super::pages::{LogoFault, Picture};

/// The greatest number of logos in memory.
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
    backend: Arc<dyn Backend>,
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
    /// The logos in a database.
    pub(super) fn new(env: Env, backend: Arc<dyn Backend>, fetcher: GuardedFetcher) -> Self {
        Self(Arc::new(Shared { env, backend, fetcher, known: Mutex::default() }))
    }

    /// The logo at a URL, if it is here. If it is not, or is old, it is fetched: the page does not wait for
    /// a host of somebody else.
    pub(super) async fn at(&self, client: &Arc<str>, url: &str) -> Option<Arc<Picture>> {
        let now = self.0.env.now();
        let remembered = self.0.known().get(url).map(|known| known.picture.clone());
        let picture = match remembered {
            Some(picture) => picture,
            None => self.0.stored(url).await,
        };
        if self.0.begins(url, now) {
            let (shared, client, url) = (Arc::clone(&self.0), Arc::clone(client), url.to_owned());
            tokio::spawn(async move { shared.fetch(&client, &url, now).await });
        }
        picture
    }

    /// The logo with this fingerprint.
    pub(super) async fn named(&self, fingerprint: &str) -> Option<Arc<Picture>> {
        let remembered = {
            let known = self.0.known();
            let mut pictures = known.values().filter_map(|known| known.picture.as_ref());
            pictures.find(|picture| picture.fingerprint == fingerprint).cloned()
        };
        match remembered {
            Some(picture) => Some(picture),
            // Another process has fetched it, or this one before it was started anew.
            None => {
                self.0.look_up(LogoKey::Fingerprint(fingerprint)).await.map(|(picture, _)| picture)
            }
        }
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

    /// The logo of a URL in the database, which is remembered.
    async fn stored(&self, url: &str) -> Option<Arc<Picture>> {
        let (picture, fetched) = self.look_up(LogoKey::Url(url)).await?;
        let known = Known { tried: fetched, picture: Some(Arc::clone(&picture)) };
        let mut all = self.known();
        make_room(&mut all);
        all.insert(url.into(), known);
        Some(picture)
    }

    /// A logo in the database, and the time at which it was fetched.
    async fn look_up(&self, which: LogoKey<'_>) -> Option<(Arc<Picture>, Timestamp)> {
        let stored = self.backend.logo(which).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "the logo of a client cannot be looked up");
            None
        })?;
        let picture = Picture::of_client(stored.picture).ok()?;
        Some((Arc::new(picture), stored.fetched))
    }

    /// Whether it is time to fetch a logo. One caller at once is told so.
    fn begins(&self, url: &str, now: Timestamp) -> bool {
        let mut all = self.known();
        if let Some(known) = all.get_mut(url) {
            let is_due = known.is_due(now);
            if is_due {
                known.tried = now;
            }
            return is_due;
        }
        make_room(&mut all);
        all.insert(url.into(), Known { tried: now, picture: None });
        true
    }

    /// Fetches the logo of a client, and stores it.
    async fn fetch(&self, client: &str, url: &str, now: Timestamp) {
        // The rest of the address may hold a secret.
        let parsed = Url::parse(url).ok();
        let host = parsed.as_ref().and_then(Url::host_str).unwrap_or_default();
        let picture = match self.picture(parsed.as_ref()).await {
            Ok(picture) => Arc::new(picture),
            Err(reason) => {
                tracing::info!(client, host, %reason, "the logo of a client is not shown");
                return;
            }
        };
        let logo = StoredLogo {
            url: url.into(),
            fingerprint: picture.fingerprint.as_str().into(),
            picture: picture.bytes().clone(),
            fetched: now,
        };
        if let Err(error) = self.backend.put_logo(logo).await {
            tracing::warn!(client, host, %error, "the logo of a client cannot be stored");
        }
        if let Some(known) = self.known().get_mut(url) {
            known.picture = Some(picture);
        }
    }

    async fn picture(&self, url: Option<&Url>) -> Result<Picture, NoLogo> {
        let fetched = self.fetcher.fetch_picture(url.ok_or(NoLogo::Url)?).await?;
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
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0";
        let png = Bytes::from_static(png);
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
