//! The device authorization grant (RFC 8628), as a server offers it.

pub(super) mod guesses;
pub(super) mod pace;
pub(super) mod user_code;

use std::{sync::Arc, time::Duration};

/// The terms on which a server offers the device authorization grant (RFC 8628). Pass it to
/// [`AuthorizationServer::device_grant`](super::AuthorizationServer::device_grant); without it the
/// server offers none.
///
/// Device codes live for 15 minutes, and clients poll every five seconds. The user types the code
/// in on a page of the application, at `/device` below the issuer: see
/// [`DeviceVerification`](super::DeviceVerification).
///
/// A user code has eight of 19 letters (34 bits): no vowels, so that no word appears, and no two
/// letters that look alike. One of `n` codes that wait is found by a guess with a probability of
/// `n / 17 000 000 000`, and only signed-in users can guess: each ten times at once, then once a
/// minute.
///
/// ```
/// use std::time::Duration;
/// use quadrille::{
///     Env, provider::{AuthorizationServer, DeviceGrant, store::MemoryStore},
/// };
///
/// let device = DeviceGrant::new().page("/activate").code_lifetime(Duration::from_secs(600));
/// let server = AuthorizationServer::new("https://id.example", MemoryStore::new(Env::system()))?
///     .device_grant(device);
/// assert_eq!(server.device_path(), Some("/activate"));
/// # Ok::<(), quadrille::provider::IssuerError>(())
/// ```
#[derive(Clone, Debug)]
pub struct DeviceGrant {
    pub(super) lifetime: Duration,
    pub(super) interval: Duration,
    /// The path of the page, from the root of the origin once the server has it.
    pub(super) page: Arc<str>,
}

impl DeviceGrant {
    /// The defaults.
    pub fn new() -> Self {
        Self {
            lifetime: Duration::from_secs(15 * 60),
            interval: Duration::from_secs(5),
            page: "/device".into(),
        }
    }

    /// Sets the lifetime of device codes and user codes (RFC 8628, section 3.2: `expires_in`), in
    /// whole seconds. A longer one gives guesses at user codes more time.
    #[must_use]
    pub fn code_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Duration::from_secs(lifetime.as_secs().max(1));
        self
    }

    /// Sets the time between two polls of a client (RFC 8628, section 3.2: `interval`), in whole
    /// seconds, one at least. A client that polls much sooner gets `slow_down`, and must wait five
    /// seconds longer from then on.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = Duration::from_secs(interval.as_secs().max(1));
        self
    }

    /// Moves the page on which users type codes in to another path below the issuer. Users type its
    /// address, too, so it should be short.
    #[must_use]
    pub fn page(mut self, path: &str) -> Self {
        self.page = format!("/{}", path.trim_matches('/')).into();
        self
    }

    /// The same below this path.
    pub(super) fn below(mut self, issuer: &str) -> Self {
        self.page = format!("{issuer}{}", self.page).into();
        self
    }
}

impl Default for DeviceGrant {
    fn default() -> Self {
        Self::new()
    }
}
