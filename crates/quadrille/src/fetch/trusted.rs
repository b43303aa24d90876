//! The fetcher of documents at URLs that the application or its issuer named.

use std::{sync::Arc, time::Duration};

use http::{HeaderValue, Request, header};
use url::Url;

use crate::{
    loopback::is_secure,
    transport::{Body, ErasedClient, NetworkError, Purpose},
};

use super::{FetchError, Fetched, Fetcher, answer::document};

/// A fetcher of documents of a trusted party, which may be inside of the network: over https, or
/// http on this machine. Follows no redirects.
pub(crate) struct TrustedFetcher {
    pub(crate) http: Arc<dyn ErasedClient>,
    /// The deadline of a whole fetch.
    pub(crate) deadline: Duration,
}

impl TrustedFetcher {
    async fn get(&self, url: &Url) -> Result<Fetched, FetchError> {
        let request = || {
            Request::get(url.as_str())
                .header(header::ACCEPT, HeaderValue::from_static("application/json"))
                .body(Body::default())
                .map_err(|_| FetchError::Url)
        };
        let answer = match self.http.send(request()?, Purpose::Document).await {
            // As a rule, the server closed a kept connection at this moment.
            Err(error) if error.reason == NetworkError::Interrupted => {
                self.http.send(request()?, Purpose::Document).await
            }
            answer => answer,
        };
        document(answer.map_err(|error| error.reason)?).await
    }
}

impl Fetcher for TrustedFetcher {
    async fn fetch(&self, url: &Url) -> Result<Fetched, FetchError> {
        if !is_secure(url) {
            return Err(FetchError::Url);
        }
        let fetched = tokio::time::timeout(self.deadline, self.get(url)).await;
        fetched.unwrap_or(Err(FetchError::TimedOut))
    }
}
