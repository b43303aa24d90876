//! The request objects that providers get from this site.

use crate::{
    consumer::{
        error::{BrowserError, Result},
        login::Login,
        storage::records::{Key, Kind},
    },
    form::{Limits, Params},
};

impl Login {
    /// The request object that a provider asks for with this query (`request_uri`; RFC 9101, section
    /// 5.2.3): each once, within two minutes. The routes of the login respond with it, as
    /// `application/oauth-authz-req+jwt`. `None` if there is none.
    ///
    /// # Errors
    /// [`BrowserError::CallbackMalformed`], an unknown service, and those of the storage.
    pub async fn request_object(&self, service: &str, query: &str) -> Result<Option<String>> {
        let ready = self.ready()?;
        self.by_name(service).await?;
        let malformed = |_| BrowserError::CallbackMalformed;
        let params = Params::parse_within(query.as_bytes(), Limits::DEFAULT).map_err(malformed)?;
        let key = params.one("object").map_err(malformed)?;
        let key = key.and_then(Key::from_text).ok_or(BrowserError::CallbackMalformed)?;
        let Some(records) = self.records(ready) else { return Ok(None) };
        let object = records.take(Kind::Requests, &key).await?;
        Ok(object.filter(|_| key.at > ready.site.env.now()))
    }
}
