//! Callbacks by POST (`response_mode=form_post`; OAuth 2.0 Form Post Response Mode).
//!
//! The service's page sends the parameters in a form. Browsers send no `SameSite` cookies with such
//! a request of another site, so it can be matched with no attempt. Its parameters are sealed into
//! the query of a second request, which this origin begins. The seal proves nothing; it keeps the
//! code and the user's data out of histories and logs. A form with an ID token, which Google's button
//! sends, goes the same way.

use crate::{
    consumer::{
        error::{BrowserError, Result},
        login::Login,
        registration::Settled,
        site::Site,
        wire::lengths_first,
    },
    form::Params,
};

const PURPOSE: &str = "callback by POST";
/// The parameter of the second request.
const POSTED: &str = "posted";
/// The length of the form in bytes. Many proxies accept 8 KiB of a sealed URL.
pub(super) const LONGEST: usize = 4096;
/// The length of a form that has tokens, too, in bytes: as much as fits into 8 KiB at all.
const LONGEST_WITH_TOKENS: usize = 5888;

impl Login {
    /// The query of the request that finishes a login whose callback is a POST with this form. The
    /// response to the POST must be a page of this origin that loads the callback with that query,
    /// not a redirect: only then browsers send the cookies that [`Login::finish`] needs. The form
    /// is not checked here.
    ///
    /// The routes of [`Login::attach`](crate::Login::attach) call it, at services whose
    /// authorization request has `response_mode=form_post`.
    ///
    /// ```
    /// use quadrille::{GitHub, KeyRing, Login};
    ///
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// let github = GitHub::new("our-id", "our-secret").parameter("response_mode", "form_post");
    /// let login = Login::new(KeyRing::ephemeral(), "https://app.example").with(github);
    /// let query = login.posted_callback("github", b"code=splendid&state=xyz").await?;
    /// assert!(query.starts_with("posted="));
    /// assert!(!query.contains("splendid"));
    /// # Ok::<(), quadrille::Error>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// An unknown service; [`BrowserError::CallbackMalformed`] for a form that is not UTF-8 or
    /// longer than 4 KiB (5,888 bytes in the hybrid flow), and at a service that sends no forms.
    pub async fn posted_callback(&self, service: &str, form: &[u8]) -> Result<String> {
        let ready = self.ready()?;
        let registered = self.by_name(service).await?;
        let text = std::str::from_utf8(form).map_err(|_| BrowserError::CallbackMalformed)?;
        let is_hybrid = registered.openid().is_some_and(|openid| openid.hybrid.is_some());
        // Where nobody asked for one, the ID token of the token endpoint says the same, and needs no
        // URL.
        let kept = text.split('&').filter(|pair| is_hybrid || !pair.starts_with("id_token="));
        let kept = kept.collect::<Vec<_>>().join("&");
        let longest = if is_hybrid { LONGEST_WITH_TOKENS } else { LONGEST };
        if kept.len() > longest || !registered.sends_forms() {
            return Err(BrowserError::CallbackMalformed.into());
        }
        Ok(sealed(&ready.site, &registered, PURPOSE, &kept))
    }
}

impl Settled {
    /// Whether the service sends callbacks by POST.
    pub(crate) fn sends_forms(&self) -> bool {
        let mut parameters = self.spec.parameters.iter();
        parameters.any(|(name, value)| name == "response_mode" && value == "form_post")
            || self.openid().is_some_and(|openid| openid.hybrid.is_some())
    }
}

/// The form that was posted before, if it is sealed in the query.
pub(crate) fn unsealed(
    site: &Site,
    service: &Settled,
    params: &Params<'_>,
) -> Result<Option<String>, BrowserError> {
    match service.sends_forms() {
        true => opened(site, service, PURPOSE, params),
        false => Ok(None),
    }
}

/// The query with this form.
pub(super) fn sealed(site: &Site, service: &Settled, purpose: &str, form: &str) -> String {
    let sealed = site.keys.seal(&site.env, purpose, &bound_to(service, site), form.as_bytes());
    [POSTED, "=", &sealed].concat()
}

/// The form in the query, if there is one.
pub(super) fn opened(
    site: &Site,
    service: &Settled,
    purpose: &str,
    params: &Params<'_>,
) -> Result<Option<String>, BrowserError> {
    let malformed = || BrowserError::CallbackMalformed;
    let Some(sealed) = params.one(POSTED).map_err(|_| malformed())? else { return Ok(None) };
    let plain = site.keys.open(purpose, &bound_to(service, site), sealed);
    let plain = plain.map_err(|_| malformed())?.to_vec();
    String::from_utf8(plain).map(Some).map_err(|_| malformed())
}

fn bound_to(service: &Settled, site: &Site) -> String {
    lengths_first([&service.name]) + &site.name
}
