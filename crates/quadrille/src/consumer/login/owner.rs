//! The owner of a visitor's accounts: a user of the application, or a browser.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::consumer::{
    account::Owner,
    cookies::{Jar, room::BROWSER},
    error::Result,
};

use super::{Login, Ready};

impl Login {
    /// The owner of this visitor's accounts: if no user is signed in and tokens are stored on the
    /// server, the browser owns them. `None` for an unknown browser.
    pub(crate) fn owner_key(
        &self,
        ready: &Ready,
        owner: &Owner,
        jar: Option<&Jar>,
    ) -> Option<Owner> {
        if *owner != Owner::NOBODY || self.0.storage.is_in_browser() {
            return Some(owner.clone());
        }
        let mut ids = jar?.values(&ready.site.style.name(BROWSER)).into_iter();
        let is_id = |id: &String| BASE64_URL_SAFE_NO_PAD.decode(id).is_ok_and(|id| id.len() == 16);
        // Of two identifiers, one may be an attacker's.
        let id = ids.by_ref().find(is_id)?;
        (!ids.any(|other| is_id(&other))).then(|| Owner::browser(&id))
    }

    /// As [`Login::owner_key`], but gives an unknown browser an identifier. A browser with other accounts
    /// than this one gets a new identifier: somebody who knows the old one, from before another user of
    /// the browser logged in or because they put it there, would have the account that is linked now.
    /// `former`: the owner by a former answer to the same callback, so to this browser. It keeps the
    /// identifier of that answer, which it has not got yet, so that one login has one owner.
    pub(crate) async fn new_owner_key(
        &self,
        ready: &Ready,
        owner: &Owner,
        jar: &Jar,
        (service, subject): (&str, &str),
        former: Option<&Owner>,
    ) -> Result<Owner> {
        let known = self.owner_key(ready, owner, Some(jar));
        let former = former.and_then(|former| former.as_browser());
        if let Some(known) = &known {
            let stays = match former {
                _ if known == owner => true,
                Some(former) => known.as_browser() == Some(former),
                None => self.keeps_identifier(ready, known, jar, service, subject).await?,
            };
            if stays {
                return Ok(known.clone());
            }
        }
        let new = || BASE64_URL_SAFE_NO_PAD.encode(self.0.env.random::<16>());
        let id = former.map_or_else(new, str::to_owned);
        let owner = Owner::browser(&id);
        jar.set(&ready.site.style, BROWSER, id, Duration::from_secs(400 * 24 * 3600))?;
        Ok(owner)
    }

    /// Whether an account is linked under the identifier that the browser has.
    async fn keeps_identifier(
        &self,
        ready: &Ready,
        known: &Owner,
        jar: &Jar,
        service: &str,
        subject: &str,
    ) -> Result<bool> {
        let (cx, storage) = (self.context(ready, Some(jar)), &self.0.storage);
        let same = storage.load(&cx, known, service, Some(subject)).await?;
        if same.is_some_and(|same| !self.has_ended_account(&same)) {
            return Ok(true);
        }
        // Accounts of tenants cannot be listed, so they would stay behind.
        let stays = !self.0.tenants.is_empty();
        Ok(stays && storage.load(&cx, known, service, None).await?.is_none())
    }
}
