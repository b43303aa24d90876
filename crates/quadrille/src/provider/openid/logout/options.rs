//! The options of logout.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use url::Url;

use crate::fetch::{ErasedNotifier, Notifier, leads_outward};

use super::{page::SignedOutPage, places::Places};

/// Logout at an OpenID Provider (OpenID Connect RP-Initiated Logout 1.0): clients send browsers to
/// the end session endpoint, a page of the application, and those of a session that ends learn of
/// it, by frames of a page (Front-Channel Logout 1.0) and, with a [notifier](Self::back_channel), by
/// requests (Back-Channel Logout 1.0).
///
/// ```
/// use quadrille::provider::{Logout, OpenId};
///
/// let openid = OpenId::new().logout(Logout::new());
/// ```
#[derive(Clone)]
#[must_use]
pub struct Logout {
    pub(super) notifier: Option<Arc<dyn ErasedNotifier>>,
    pub(super) places: Arc<Places>,
    pub(super) page: Option<Arc<PageFn>>,
}

type PageFn = dyn Fn(&SignedOutPage<'_>) -> http::Response<Bytes> + Send + Sync;

impl Default for Logout {
    fn default() -> Self {
        Self::new()
    }
}

impl Logout {
    /// Logout at the request of clients, and by frames.
    pub fn new() -> Self {
        Self { notifier: None, places: Arc::new(Places::new()), page: None }
    }

    /// Sends logout tokens to the clients of a session that ends: a `GuardedFetcher` (feature
    /// `http-client`), or a notifier of your own. Each is sent in the background and, if the client
    /// cannot be reached, once more. Failures are in the log.
    ///
    /// ```
    /// use quadrille::provider::{FetchError, Logout, Notifier};
    /// use url::Url;
    ///
    /// struct Printed;
    ///
    /// impl Notifier for Printed {
    ///     async fn notify(&self, url: &Url, _form: &str) -> Result<(), FetchError> {
    ///         println!("a logout for {url}");
    ///         Ok(())
    ///     }
    /// }
    ///
    /// let logout = Logout::new().back_channel(Printed);
    /// ```
    pub fn back_channel(mut self, notifier: impl Notifier) -> Self {
        self.notifier = Some(Arc::new(notifier));
        self
    }

    /// `true` if clients get logout tokens.
    pub(in crate::provider) fn has_back_channel(&self) -> bool {
        self.notifier.is_some()
    }

    /// `true` if addresses of clients may be at this URL.
    pub(in crate::provider) fn reaches(&self, url: &Url) -> bool {
        self.notifier.as_ref().map_or_else(|| leads_outward(url), |notifier| notifier.reaches(url))
    }

    /// Sets the page after a logout, in place of a plain one. Give it the
    /// [headers](SignedOutPage::headers) of the page, which let its frames load.
    ///
    /// ```
    /// use quadrille::provider::Logout;
    ///
    /// let logout = Logout::new().page(|page| {
    ///     let html = format!("<p>You are signed out.</p>{}", page.frames());
    ///     let mut response = http::Response::new(html.into());
    ///     *response.headers_mut() = page.headers("style-src 'self'");
    ///     response
    /// });
    /// ```
    pub fn page(
        mut self,
        page: impl Fn(&SignedOutPage<'_>) -> http::Response<Bytes> + Send + Sync + 'static,
    ) -> Self {
        self.page = Some(Arc::new(page));
        self
    }
}

impl fmt::Debug for Logout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logout")
            .field("back_channel", &self.notifier.is_some())
            .field("page", &self.page.is_some())
            .finish_non_exhaustive()
    }
}
