//! Logout at the OpenID Provider, too (OpenID Connect RP-Initiated Logout 1.0).
//!
//! As at a login, a cookie of the browser has what the way back is compared with: the `state`, and the
//! page to go on to.

use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::{
    Timestamp,
    consumer::{
        account::{Owner, Stored},
        cookies::{
            Jar,
            room::{Coming, OUT, make_room, size},
        },
        error::{BrowserError, Result},
        login::Login,
        registration::Settled,
        site::Site,
        wire::{Reader, Writer, lengths_first},
    },
    form::Params,
    oidc::EndSessionRequest,
};

/// The time that a user may take at the provider.
const LIFETIME: Duration = Duration::from_secs(3600);
const PURPOSE: &str = "logout at a service";
/// The length of the longest ID token that is sent along. Many proxies accept 8 KiB of a URL.
const LONGEST_HINT: usize = 6 * 1024;
/// The length of the longest page to return to.
const LONGEST_NEXT: usize = 1024;

impl Login {
    /// The URL at the OpenID Provider that ends the user's session there, too: to redirect the user to
    /// after [`Linked::log_out`](crate::Linked::log_out), which removes the ID token that goes along,
    /// so call this before. They return to `{public URL}/login/{service}/logged-out`, which is to be
    /// registered there (`post_logout_redirect_uris`), and go on to `next`. Send [`Jar::close`]'s
    /// cookies along. `None` at a service without an end session endpoint.
    ///
    /// ```
    /// use quadrille::{Login, Owner, Result, consumer::Jar};
    ///
    /// async fn log_out(login: &Login, jar: &Jar, user: &Owner) -> Result<String> {
    ///     let url = login.log_out_at_service(jar, "acme", user, "/goodbye").await?;
    ///     // ... the application logs the user out here ...
    ///     Ok(url.unwrap_or_else(|| "/goodbye".to_owned()))
    /// }
    /// ```
    ///
    /// # Errors
    /// An unknown service, those of the storage, and those of the request for the provider's metadata.
    pub async fn log_out_at_service(
        &self,
        jar: &Jar,
        service: &str,
        owner: &Owner,
        next: &str,
    ) -> Result<Option<String>> {
        let stored = self.load(Some(jar), service, owner).await?;
        self.way_out(jar, service, stored.as_ref(), next).await
    }

    /// [`log_out_at_service`](Self::log_out_at_service), for an account that may be unlinked already.
    pub(crate) async fn way_out(
        &self,
        jar: &Jar,
        service: &str,
        stored: Option<&Stored>,
        next: &str,
    ) -> Result<Option<String>> {
        let site = &self.ready()?.site;
        let registered = self.by_name(service).await?.discovered(site).await?;
        let endpoint = registered.openid().and_then(|openid| openid.end_session.as_deref());
        let Some(endpoint) = endpoint else { return Ok(None) };
        let hint = stored.and_then(|stored| stored.token.id_token.as_ref());
        let hint = hint.map(crate::Secret::expose).filter(|hint| hint.len() <= LONGEST_HINT);
        let state = BASE64_URL_SAFE_NO_PAD.encode(site.env.random::<16>());
        let next = self.page_of_this_site(next).filter(|next| next.len() <= LONGEST_NEXT);
        let next = next.unwrap_or_else(|| [&site.base_path, "/"].concat());
        let sealed = sealed(site, &registered, &state, &next);
        let name = site.style.name_of(OUT, &registered.name);
        let (bytes, names) = (size(&name, &sealed), [name]);
        make_room(jar, &site.style, &site.in_use, Coming::Kept(&names), bytes)?;
        let [name] = names;
        jar.set_named(&site.style, name, sealed, LIFETIME)?;
        let back = format!("{}/{}/logged-out", site.name, registered.name);
        let request = EndSessionRequest {
            id_token_hint: hint,
            client_id: Some(&registered.id),
            post_logout_redirect_uri: Some(&back),
            state: Some(&state),
            ..EndSessionRequest::new()
        };
        Ok(Some(request.to_url(endpoint)))
    }

    /// The page to go on to after a logout at the provider, by the query of the request with which the
    /// user returned: its `state` must be that of this browser, once, within an hour.
    ///
    /// # Errors
    /// [`BrowserError::StateUnknown`], [`BrowserError::AttemptCookieMissing`],
    /// [`BrowserError::AttemptExpired`], and an unknown service.
    pub async fn logged_out_at_service(
        &self,
        jar: &Jar,
        service: &str,
        query: &str,
    ) -> Result<String> {
        let site = &self.ready()?.site;
        let registered = self.by_name(service).await?;
        let params =
            Params::parse(query.as_bytes()).map_err(|_| BrowserError::CallbackMalformed)?;
        let state = params.one("state").map_err(|_| BrowserError::CallbackMalformed)?;
        let state = state.ok_or(BrowserError::StateUnknown)?;
        let name = site.style.name_of(OUT, &registered.name);
        let opened =
            |value: &String| site.keys.open(PURPOSE, &bound_to(site, &registered), value).ok();
        let held = jar.values(&name).iter().find_map(opened);
        let held = held.ok_or(BrowserError::AttemptCookieMissing)?;
        let next = checked(&held, state, site.env.now())?;
        jar.remove_named(&site.style, name)?;
        Ok(next)
    }
}

fn sealed(site: &Site, service: &Settled, state: &str, next: &str) -> String {
    let mut out = Writer::with_capacity(64 + next.len());
    out.number(site.env.now().seconds().unsigned_abs()).text(state).text(next);
    site.keys.seal(&site.env, PURPOSE, &bound_to(site, service), &out.finish())
}

fn bound_to(site: &Site, service: &Settled) -> String {
    lengths_first([&service.name]) + &site.name
}

/// The page in a cookie, if the `state` is its own and it has not expired.
fn checked(plain: &[u8], state: &str, now: Timestamp) -> Result<String, BrowserError> {
    let mut from = Reader(plain);
    let mut read = || {
        let begun = Timestamp::from_seconds(i64::try_from(from.number()?).ok()?);
        Some((begun, from.text()?.to_owned(), from.text()?.to_owned()))
    };
    let (begun, expected, next) = read().ok_or(BrowserError::StateUnknown)?;
    verify_slices_are_equal(expected.as_bytes(), state.as_bytes())
        .map_err(|_| BrowserError::StateUnknown)?;
    if now.since(begun) > LIFETIME {
        return Err(BrowserError::AttemptExpired);
    }
    Ok(next)
}
