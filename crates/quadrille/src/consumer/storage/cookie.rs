use std::time::Duration;

use tracing::warn;

use crate::{
    consumer::{
        account::{Account, Owner, Stored, Token},
        cookies::{
            Jar,
            room::{Coming, TOKEN, make_room, size},
        },
        error::{OperatorError, Result},
        wire::{Reader, Writer, bound_to_all},
    },
    seal::OpenError,
};

use super::{
    Change, Context, Replaced, TokenStorage,
    encoding::{read_token, write_token},
};

/// The size of one cookie in bytes. Browsers keep 4096 bytes with name and attributes.
const CHUNK: usize = 3600;
const PURPOSE: &str = "token cookie";
/// The lifetime of a cookie: browsers allow at most 400 days.
const LIVES: Duration = Duration::from_secs(400 * 24 * 3600);
const VERSION: u64 = 2;

/// Stores each user's token in a sealed cookie, which they can neither read nor change. The server
/// stores nothing. The default.
///
/// One account per service and browser. The owner is part of the seal, so after Alice signs out,
/// Bob does not see her account in the same browser. Limits: no access outside of a request
/// ([`Linked::detach`](crate::Linked::detach) helps for a while), some 6 KiB for all services
/// together ([`OperatorError::CookieTooLarge`]), and no guarantee for refreshes across processes.
///
/// ```
/// use quadrille::{KeyRing, Login, consumer::CookieStorage};
///
/// let login = Login::new(KeyRing::ephemeral(), "https://app.example").storage(CookieStorage);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct CookieStorage;

impl TokenStorage for CookieStorage {
    fn is_durable(&self) -> bool {
        false
    }

    fn is_in_browser(&self) -> bool {
        true
    }

    async fn link(&self, cx: &Context<'_>, account: &Account, token: &Token) -> Result<()> {
        write(cx, account, token, false).map(drop)
    }

    async fn load(
        &self,
        cx: &Context<'_>,
        owner: &Owner,
        service: &str,
        subject: Option<&str>,
    ) -> Result<Option<Stored>> {
        let stored = read(cx, owner, service)?;
        Ok(stored.filter(|s| subject.is_none_or(|subject| *s.account.subject == *subject)))
    }

    async fn replace(
        &self,
        cx: &Context<'_>,
        seen: &Stored,
        change: Change<'_>,
    ) -> Result<Replaced> {
        let current = read(cx, &seen.account.owner, &seen.account.service)?;
        match current {
            Some(current) if current.version == seen.version => {}
            other => return Ok(Replaced::Changed(other)),
        }
        let changed = change.applied_to(seen, seen.version);
        let Stored { account, token, needs_linking_again, .. } = &changed;
        // The version of a cookie follows from its text.
        let version = write(cx, account, token, *needs_linking_again)?;
        Ok(Replaced::Done(Stored { version, ..changed }))
    }

    async fn unlink(&self, cx: &Context<'_>, account: &Account) -> Result<bool> {
        let jar = jar(cx)?;
        // Another account may have replaced it, perhaps in another tab.
        match read(cx, &account.owner, &account.service)? {
            Some(kept) if kept.account.subject == account.subject => {}
            _ => return Ok(false),
        }
        for part in TOKEN {
            jar.remove(&cx.site.style, &[part, &account.service].concat())?;
        }
        Ok(true)
    }

    async fn accounts(
        &self,
        _: &Context<'_>,
        _: &str,
        _: Option<&Account>,
        _: usize,
    ) -> Result<Vec<Stored>> {
        Err(OperatorError::OutsideRequest.into())
    }
}

/// Returns the version.
fn write(cx: &Context<'_>, account: &Account, token: &Token, ended: bool) -> Result<u64> {
    let jar = jar(cx)?;
    let mut out = Writer::with_capacity(256);
    out.number(VERSION).number(u64::from(ended)).text(&account.subject);
    write_token(&mut out, token);
    let plain = zeroize::Zeroizing::new(out.finish());
    let bound_to = bound_to(cx, &account.owner, &account.service);
    let text = cx.site.keys.seal_bound(&cx.site.env, &bound_to, &plain);
    let names = TOKEN.map(|part| cx.site.style.name_of(part, &account.service));
    let bytes = text.len() + names.iter().map(|name| size(name, "")).sum::<usize>();
    make_room(jar, &cx.site.style, &cx.site.in_use, Coming::Kept(&names), bytes)?;
    // The first cookie contains the number of parts, so an obsolete second one is not joined.
    let (first, second) = text.split_at_checked(CHUNK).unwrap_or((&text, ""));
    let count = if second.is_empty() { "1" } else { "2" };
    let [whole, rest] = names;
    jar.set_named(&cx.site.style, whole, [count, first].concat(), LIVES)?;
    if !second.is_empty() {
        jar.set_named(&cx.site.style, rest, second.to_owned(), LIVES)?;
    } else if jar.has(&rest) {
        jar.remove_named(&cx.site.style, rest)?;
    }
    Ok(version(&text))
}

/// The owner's account at `service`.
pub(super) fn read(cx: &Context<'_>, owner: &Owner, service: &str) -> Result<Option<Stored>> {
    let jar = jar(cx)?;
    let bound_to = bound_to(cx, owner, service);
    let mut is_unknown = false;
    let mut open = |sealed: &str| match cx.site.keys.open_bound(&bound_to, sealed) {
        Ok(plain) => parse(cx, &plain, owner, service, version(sealed)),
        Err(OpenError::UnknownKey) => {
            is_unknown = true;
            None
        }
        // Another owner's cookie, or one changed by hand: this owner has linked nothing.
        Err(OpenError::Broken | OpenError::Malformed) => None,
    };
    let found = jar.read(|cookies| {
        let is_part =
            |part: &'static str| move |name: &str| cx.site.style.strip(part, name) == Some(service);
        let [first, second] = TOKEN.map(is_part);
        cookies.find(first, |first| match first.split_at_checked(1)? {
            ("1", whole) => open(whole),
            ("2", half) => cookies.find(second, |second| open(&[half, second].concat())),
            _ => None,
        })
    });
    // Keys that end with the process leave such cookies behind at each start.
    if found.is_none() && is_unknown && !cx.site.keys.is_ephemeral() {
        warn!(service, "a token cookie is sealed under a key that is not in the ring");
        return Err(OperatorError::KeyUnknown.into());
    }
    Ok(found)
}

fn parse(
    cx: &Context<'_>,
    plain: &[u8],
    owner: &Owner,
    service: &str,
    version: u64,
) -> Option<Stored> {
    let mut from = Reader(plain);
    if from.number()? != VERSION {
        return None;
    }
    let needs_linking_again = from.number()? != 0;
    let account = cx.account(owner, service, from.text()?);
    let token = read_token(&mut from)?;
    Some(Stored { account, token, version, needs_linking_again })
}

/// A cookie has no counter; 48 bits of the box's salt, which is random, serve as the version.
fn version(sealed: &str) -> u64 {
    // Version and key take less than eight characters of base64, the salt up to the 28th.
    let salt = sealed.as_bytes().get(8..).and_then(|rest| rest.first_chunk());
    salt.map_or(0, |salt| u64::from_be_bytes(*salt))
}

fn bound_to(cx: &Context<'_>, owner: &Owner, service: &str) -> String {
    bound_to_all(PURPOSE, [&cx.site.name, owner.as_str(), service])
}

fn jar<'a>(cx: &Context<'a>) -> Result<&'a Jar> {
    cx.jar.ok_or_else(|| OperatorError::OutsideRequest.into())
}
