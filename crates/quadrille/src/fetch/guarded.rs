//! The fetcher that is confined to the public Internet.

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use url::{Host, Url};

use crate::{
    loopback::is_loopback,
    transport::{self, Body, ErasedClient, NoHttpClient, Purpose},
};

use super::{
    FetchError, Fetched, Fetcher, Notifier, TokenFetcher,
    address::is_public,
    answer::{document, is_json},
    shares::Shares,
};

/// A fetcher confined to the public Internet: https only, to a host all of whose addresses are
/// public (RFC 6890). The address that is checked is the address that is connected to, so a name
/// that changes its meaning in between reaches nothing inside. It follows no redirects and uses no
/// proxy of the environment (which would look names up by itself). It accepts at most 64 KiB
/// within five seconds, declared as JSON but for tokens and pictures. It fetches 64 documents at once, of which four are of one
/// site (hosts with the same last labels, or of one network) and sixteen of sites that hung the last time,
/// so slow hosts of one client do not delay the fetches of others; a fetch waits five seconds for its
/// beginning.
///
/// ```
/// use quadrille::provider::{FetchError, Fetcher as _, GuardedFetcher};
/// use url::Url;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let fetcher = GuardedFetcher::new()?;
/// let metadata = Url::parse("https://169.254.169.254/latest")?;
/// assert_eq!(fetcher.fetch(&metadata).await, Err(FetchError::NotPublic));
/// # Ok(())
/// # }
/// ```
pub struct GuardedFetcher {
    http: Arc<dyn ErasedClient>,
    admits: fn(IpAddr) -> bool,
    loopback: bool,
    deadline: Duration,
    shares: Shares,
}

impl GuardedFetcher {
    /// A fetcher for the public Internet.
    ///
    /// # Errors
    /// [`NoHttpClient`], for example without certificate authorities on this machine.
    pub fn new() -> Result<Self, NoHttpClient> {
        Self::to(is_public, false)
    }

    /// A fetcher that also reaches this machine, with plain http: a client that names a URL then
    /// reaches every service that listens here. For tests and development.
    ///
    /// # Errors
    /// [`NoHttpClient`].
    pub fn that_strangers_can_send_to_services_on_this_machine() -> Result<Self, NoHttpClient> {
        Self::to(|address| is_public(address) || address.is_loopback(), true)
    }

    fn to(admits: fn(IpAddr) -> bool, loopback: bool) -> Result<Self, NoHttpClient> {
        Ok(Self {
            http: transport::guarded(admits)?,
            admits,
            loopback,
            deadline: Duration::from_secs(5),
            shares: Shares::new(),
        })
    }

    /// Trusts further certificate authorities, in PEM, beside those of this machine: for hosts of an
    /// organisation with an authority of its own.
    ///
    /// ```no_run
    /// use quadrille::provider::GuardedFetcher;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let pem = std::fs::read("/etc/ssl/organisation.pem")?;
    /// let fetcher = GuardedFetcher::new()?.further_authorities(&pem)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`NoHttpClient`] if there is no certificate in it.
    pub fn further_authorities(mut self, pem: &[u8]) -> Result<Self, NoHttpClient> {
        self.http = transport::guarded_trusting(self.admits, pem)?;
        Ok(self)
    }

    /// Sets the deadline of a fetch, from its beginning, and the longest wait for that (default:
    /// five seconds).
    #[must_use]
    pub fn deadline(mut self, time: Duration) -> Self {
        self.deadline = time;
        self
    }

    /// Checks a URL without looking its host up.
    fn check(&self, url: &Url) -> Result<(), FetchError> {
        let is_plain = url.scheme() == "http" && self.loopback && is_loopback(url);
        let is_bare =
            url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        if !is_bare || !(url.scheme() == "https" || is_plain) {
            return Err(FetchError::Url);
        }
        // An address in place of a name is connected to without a look-up.
        let address: Option<IpAddr> = match url.host() {
            Some(Host::Ipv4(address)) => Some(address.into()),
            Some(Host::Ipv6(address)) => Some(address.into()),
            Some(Host::Domain(_)) => None,
            None => return Err(FetchError::Url),
        };
        match address {
            Some(address) if !(self.admits)(address) => Err(FetchError::NotPublic),
            None if is_loopback(url) && !self.loopback => Err(FetchError::NotPublic),
            _ => Ok(()),
        }
    }

    /// Gets a document of a type that is `accepted`, and declared so if `is_declared` says it must.
    async fn get(
        &self,
        url: &Url,
        accepted: &'static str,
        is_declared: fn(&HeaderMap) -> bool,
    ) -> Result<Fetched, FetchError> {
        let request = Request::get(url.as_str())
            .header(header::ACCEPT, HeaderValue::from_static(accepted))
            // A client that names many hosts must leave no connections behind.
            .header(header::CONNECTION, HeaderValue::from_static("close"))
            .body(Body::default())
            .map_err(|_| FetchError::Url)?;
        let answer = self.http.send(request, Purpose::Document).await;
        let answer = answer.map_err(|error| error.reason)?;
        if answer.status() == StatusCode::OK && !is_declared(answer.headers()) {
            return Err(FetchError::ContentType);
        }
        document(answer).await
    }

    /// Gets a picture, such as the logo of a client (`logo_uri`; RFC 7591, section 2), of any declared type:
    /// look at its first bytes, and show it from your own origin, never as SVG, which can hold scripts.
    ///
    /// ```
    /// use quadrille::provider::{FetchError, GuardedFetcher};
    /// use url::Url;
    ///
    /// async fn logo(fetcher: &GuardedFetcher, url: &Url) -> Result<bool, FetchError> {
    ///     let picture = fetcher.fetch_picture(url).await?;
    ///     Ok(picture.body.starts_with(b"\x89PNG\r\n\x1a\n"))
    /// }
    /// ```
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn fetch_picture(&self, url: &Url) -> Result<Fetched, FetchError> {
        let accepted = "image/png, image/webp, image/jpeg, image/gif";
        self.within(url, self.get(url, accepted, |_| true)).await
    }

    async fn post(&self, url: &Url, form: &str) -> Result<(), FetchError> {
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        let request = Request::post(url.as_str())
            .header(header::CONTENT_TYPE, kind)
            .header(header::CONNECTION, HeaderValue::from_static("close"))
            .body(Body::from(Bytes::from(form.to_owned())))
            .map_err(|_| FetchError::Url)?;
        let answer = self.http.send(request, Purpose::Notify).await;
        match answer.map_err(|error| error.reason)?.status() {
            StatusCode::OK | StatusCode::NO_CONTENT => Ok(()),
            status => Err(FetchError::Status(status.as_u16())),
        }
    }

    /// Does `work` for a URL within the shares and the deadline.
    async fn within<T>(
        &self,
        url: &Url,
        work: impl Future<Output = Result<T, FetchError>>,
    ) -> Result<T, FetchError> {
        self.check(url)?;
        let share = tokio::time::timeout(self.deadline, self.shares.take(url)).await;
        let _share = share.map_err(|_| FetchError::Busy)??;
        let done = tokio::time::timeout(self.deadline, work).await;
        let done = done.unwrap_or(Err(FetchError::TimedOut));
        self.shares.heard(url, matches!(done, Err(FetchError::TimedOut)));
        done
    }
}

impl Fetcher for GuardedFetcher {
    async fn fetch(&self, url: &Url) -> Result<Fetched, FetchError> {
        self.within(url, self.get(url, "application/json", is_json)).await
    }

    fn reaches(&self, url: &Url) -> bool {
        self.check(url).is_ok()
    }
}

impl TokenFetcher for GuardedFetcher {
    async fn fetch_token(&self, url: &Url) -> Result<Fetched, FetchError> {
        let accepted = "application/oauth-authz-req+jwt, application/jwt";
        // OpenID Connect names no type for them.
        self.within(url, self.get(url, accepted, |_| true)).await
    }
}

impl Notifier for GuardedFetcher {
    async fn notify(&self, url: &Url, form: &str) -> Result<(), FetchError> {
        self.within(url, self.post(url, form)).await
    }

    fn reaches(&self, url: &Url) -> bool {
        self.check(url).is_ok()
    }
}

impl fmt::Debug for GuardedFetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardedFetcher")
            .field("loopback", &self.loopback)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_https_to_a_public_host_is_sent() {
        let fetcher = GuardedFetcher::new().unwrap();
        let check = |url: &str| fetcher.check(&Url::parse(url).unwrap());
        for url in ["https://app.example/a?b", "https://app.example:8443/", "https://9.9.9.9/"] {
            assert_eq!(check(url), Ok(()), "{url}");
        }
        for url in [
            "http://app.example/",
            "http://127.0.0.1/",
            "https://user@app.example/",
            "https://:x@app.example/",
            "https://app.example/#x",
            "ftp://app.example/",
            "file:///etc/passwd",
            "data:application/json,{}",
        ] {
            assert_eq!(check(url), Err(FetchError::Url), "{url}");
        }
        for url in [
            "https://localhost/",
            "https://app.localhost/",
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://10.0.0.1/",
        ] {
            assert_eq!(check(url), Err(FetchError::NotPublic), "{url}");
        }
    }

    #[test]
    fn this_machine_is_let_in_by_its_long_name_only_and_nothing_else_with_it() {
        let fetcher =
            GuardedFetcher::that_strangers_can_send_to_services_on_this_machine().unwrap();
        let check = |url: &str| fetcher.check(&Url::parse(url).unwrap());
        assert_eq!(check("http://127.0.0.1:1/"), Ok(()));
        assert_eq!(check("https://localhost/"), Ok(()));
        assert_eq!(check("http://app.example/"), Err(FetchError::Url));
        assert_eq!(check("https://10.0.0.1/"), Err(FetchError::NotPublic));
    }
}
