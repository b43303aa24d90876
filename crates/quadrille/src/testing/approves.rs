//! The services at which a browser of tests logs in.

use super::{FakeService, Tape};

/// A service at which a [`Browser`](super::Browser) logs in
/// ([`log_in`](super::Browser::log_in)): a fake one, a tape, or a provider in the same process.
///
/// ```
/// use quadrille::testing::{Approves, FakeService};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let service = FakeService::new("our-id", "our-secret");
/// assert_eq!(service.approve("https://service.example/authorize", 7).await, None);
/// # }
/// ```
pub trait Approves: Sync {
    /// The user who approves: the number of an account, or a name.
    type User<'u>: Send;

    /// Approves the authorization request in `url` as this user. Returns the URL to which the service
    /// redirects the browser, `None` if it refuses the request itself.
    fn approve(
        &self,
        url: &str,
        user: Self::User<'_>,
    ) -> impl Future<Output = Option<String>> + Send;
}

/// By the number of an account.
impl Approves for FakeService {
    type User<'u> = u64;

    async fn approve(&self, url: &str, user: Self::User<'_>) -> Option<String> {
        let query = self.consent(url, user)?;
        let callback = self.callback(url)?;
        let separator = if callback.contains('?') { '&' } else { '?' };
        Some(format!("{callback}{separator}{query}"))
    }
}

/// By the user with whom the tape was recorded.
impl Approves for Tape {
    type User<'u> = ();

    async fn approve(&self, url: &str, (): Self::User<'_>) -> Option<String> {
        self.callback(url)
    }
}
