//! The request objects that providers get from this site.

use crate::{
    consumer::{
        error::{BrowserError, Result},
        login::{Login, Ready},
        openid::published::Publisher,
    },
    form::{Limits, Params},
};

impl Login {
    /// The request object that a provider asks for with this query (`request_uri`; RFC 9101, section
    /// 5.2.3): each once, within two minutes, and of those that wait for their providers the newest 4096
    /// of each process. The routes of the login respond with it, as `application/oauth-authz-req+jwt`.
    /// `None` if there is none.
    ///
    /// # Errors
    /// [`BrowserError::CallbackMalformed`], an unknown service, and those of the storage.
    pub async fn request_object(&self, service: &str, query: &str) -> Result<Option<String>> {
        let ready = self.ready()?;
        let registered = self.by_name(service).await?;
        let malformed = |_| BrowserError::CallbackMalformed;
        let params = Params::parse_within(query.as_bytes(), Limits::DEFAULT).map_err(malformed)?;
        let reference = params.one("object").map_err(malformed)?;
        let reference = reference.ok_or(BrowserError::CallbackMalformed)?;
        match self.publisher(ready) {
            Some(publisher) => publisher.take(&ready.site, &registered.name, reference).await,
            None => Ok(None),
        }
    }

    /// The place of request objects, if the processes of the site share a storage.
    pub(crate) fn publisher<'a>(&'a self, ready: &'a Ready) -> Option<Publisher<'a>> {
        let records = self.records(ready)?;
        Some(Publisher { records, waiting: &self.0.requests })
    }
}
