//! The size limit of all login cookies of one browser, and the order in which they make room.
//!
//! Many proxies refuse a header of 8 KiB, which would lock the user out until the cookies expire.
//! So all services and attempts share one budget. When it is spent, these cookies are removed, in
//! this order:
//!
//! 1. cookies that this login does not use: of a removed service, of a version of this library with
//!    other cookies, sealed under a key that is not in the ring, and tokens if they are stored on
//!    the server now;
//! 2. attempts, the oldest first;
//! 3. cookies of another login at this origin: usually of a former path. If it is in use, its users
//!    log in again, which is better than not at all here.
//!
//! Tokens and identities at services of this login are never removed: if a new cookie does not fit
//! beside them, it is refused. The application's own cookies are neither counted nor changed.

use std::{collections::HashSet, sync::Arc};

use tracing::warn;

use crate::{
    KeyRing,
    consumer::{error::OperatorError, service::names::SEPARATOR},
};

use super::{CookieStyle, Cookies, Jar, Whose};

/// The limit in bytes of all names and values. It leaves a kibibyte for the application's own
/// cookies.
pub(crate) const BUDGET: usize = 7 * 1024;
/// Bytes reserved for attempts.
const FOR_ATTEMPTS: usize = 512;
/// The characters around each cookie in the header.
const AROUND: usize = "=; ".len();
/// The greatest number of cookies that one response removes.
const GONE: usize = 64;
/// Digits of the identifier in the name of an attempt's cookie, beginning with its time.
const DIGITS: usize = 16;

/// A kind of attempt: the prefix of its cookies' names, their greatest number, and their size in
/// bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AttemptKind {
    pub(crate) name: &'static str,
    pub(crate) most: usize,
    pub(crate) bytes: usize,
}

/// Attempts of OAuth 2: 16 random bytes each.
pub(crate) const WITH_STATE: AttemptKind = AttemptKind { name: "try-", most: 24, bytes: 2048 };
/// The part of an OAuth 2 attempt that is too long for `state`: usually the page to return to.
pub(crate) const PAGE: AttemptKind = AttemptKind { name: "page-", most: 8, bytes: 2048 };
/// Attempts of OAuth 1: the whole attempt.
pub(crate) const WITH_TEMPORARY: AttemptKind = AttemptKind { name: "try1-", most: 8, bytes: 4096 };

/// The browser that owns accounts in place of a user. The names below end with the service's.
pub(crate) const BROWSER: &str = "browser";
/// A token, and the part that did not fit into its first cookie.
pub(crate) const TOKEN: [&str; 2] = [FIRST, SECOND];
const FIRST: &str = "token-";
const SECOND: &str = "token2-";
/// The user's identity at a service.
pub(crate) const WHO: &str = "who-";
/// A note that the user has just returned.
pub(crate) const BACK: &str = "back-";
/// A logout at the service, from which the user has not returned.
pub(crate) const OUT: &str = "out-";

/// The cookies that a login uses.
#[derive(Clone, Debug)]
pub(crate) struct InUse {
    /// The keys under which cookies are sealed.
    pub(crate) keys: KeyRing,
    /// The names of its services.
    pub(crate) services: Box<[Arc<str>]>,
    /// The names of its services with tenants.
    pub(crate) with_tenants: Box<[Box<str>]>,
    /// Whether tokens are stored in cookies.
    pub(crate) tokens: bool,
}

impl InUse {
    /// Whether the login uses a cookie with this name after the prefix. `split` are the services of
    /// which a token's first part can be opened.
    fn has(&self, what: &str, value: &str, split: &HashSet<&str>) -> bool {
        let Some((kind, service)) = kind_and_service(what) else { return what == BROWSER };
        let is_open = match kind {
            WHO | OUT => self.keys.has_key_of(value),
            // A digit and the box; the second part continues it.
            FIRST => self.tokens && value.get(1..).is_some_and(|value| self.keys.has_key_of(value)),
            SECOND => self.tokens && split.contains(service),
            _ => true,
        };
        is_open && (self.has_service(service) || self.has_tenant(service))
    }

    fn has_service(&self, name: &str) -> bool {
        self.services.iter().any(|known| **known == *name)
    }

    /// Whether this may be a tenant of a current service. The tenant may not exist.
    fn has_tenant(&self, name: &str) -> bool {
        name.split_once(SEPARATOR)
            .is_some_and(|(service, _)| self.with_tenants.iter().any(|known| **known == *service))
    }
}

/// The kind of a cookie and the service, in its name after the prefix.
fn kind_and_service(what: &str) -> Option<(&'static str, &str)> {
    let kinds = [FIRST, SECOND, WHO, BACK, OUT];
    kinds.into_iter().find_map(|kind| Some((kind, what.strip_prefix(kind)?)))
}

/// A cookie about to be set.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Coming<'a> {
    /// An attempt.
    Attempt(AttemptKind),
    /// Stored cookies, which replace those with these names.
    Kept(&'a [String]),
}

/// An existing cookie.
enum Known {
    Kept { size: usize },
    Useless { name: String, size: usize },
    Attempt { id: String, kind: AttemptKind, size: usize },
    AnotherLogins { name: String, size: usize },
}

/// The size of a cookie in the header, in bytes.
pub(crate) fn size(name: &str, value: &str) -> usize {
    name.len() + value.len() + AROUND
}

/// Makes room for `bytes` (see [`size`]) of a new cookie.
///
/// # Errors
/// [`OperatorError::CookieTooLarge`] if it does not fit beside the stored cookies.
pub(crate) fn make_room(
    jar: &Jar,
    style: &CookieStyle,
    in_use: &InUse,
    coming: Coming<'_>,
    bytes: usize,
) -> Result<(), OperatorError> {
    let replaced = match coming {
        Coming::Attempt(_) => &[][..],
        Coming::Kept(names) => names,
    };
    if jar.read(|cookies| fits(cookies, style, coming, replaced, bytes)) {
        return Ok(());
    }
    let split = jar.pick(|name, value| {
        let Whose::This(what) = style.whose(name) else { return None };
        let service = what.strip_prefix(FIRST)?;
        let sealed = value.get(1..)?;
        in_use.keys.has_key_of(sealed).then(|| service.to_owned())
    });
    let split: HashSet<&str> = split.iter().map(String::as_str).collect();
    let known = jar.pick(|name, value| {
        #[cfg(test)]
        crate::work::count();
        let size = size(name, value);
        let known = match style.whose(name) {
            Whose::Foreign => return None,
            Whose::AnotherLogins => Known::AnotherLogins { name: name.to_owned(), size },
            Whose::This(what) => match attempt(what) {
                Some((id, kind)) => Known::Attempt { id: id.to_owned(), kind, size },
                None if in_use.has(what, value, &split) => Known::Kept { size },
                None => Known::Useless { name: name.to_owned(), size },
            },
        };
        (!replaced.iter().any(|replaced| replaced == name)).then_some(known)
    });
    let (mut kept, mut useless, mut attempts, mut others) = (0, Vec::new(), Vec::new(), Vec::new());
    for known in known {
        match known {
            Known::Kept { size } => kept += size,
            Known::Useless { name, size } => useless.push((size, name)),
            Known::Attempt { id, kind, size } => attempts.push((id, kind, size)),
            Known::AnotherLogins { name, size } => others.push((size, name)),
        }
    }
    let sum = |cookies: &[(usize, String)]| cookies.iter().map(|(size, _)| size).sum::<usize>();
    let reserved = if matches!(coming, Coming::Kept(_)) { FOR_ATTEMPTS } else { 0 };
    if kept + bytes + reserved > BUDGET {
        return Err(OperatorError::CookieTooLarge { bytes: kept + bytes });
    }
    // Attempts and unused cookies can all be removed, so they do not count here.
    let mut firm = kept + bytes + sum(&others);
    let of_others = largest(others, (firm + reserved).saturating_sub(BUDGET));
    firm -= sum(&of_others);
    let attempts_size = attempts.iter().map(|(.., size)| size).sum::<usize>();
    let mut total = firm + sum(&useless) + attempts_size;
    let useless = largest(useless, total.saturating_sub(BUDGET));
    total -= sum(&useless);
    if !of_others.is_empty() {
        warn!(
            count = of_others.len(),
            "cookies of another login at this host were removed to make room: a storage on the \
             server is safer"
        );
    }
    let mut gone: Vec<_> = of_others.into_iter().chain(useless).map(|(_, name)| name).collect();
    gone.truncate(GONE);
    // The oldest first: times sort as their digits do.
    attempts.sort_unstable_by(|(a, ..), (b, ..)| a.cmp(b));
    let (mut count, mut own) = match coming {
        Coming::Attempt(own) => {
            let alike = attempts.iter().filter(|(_, kind, _)| *kind == own);
            alike.fold((0, bytes), |(count, sum), (.., size)| (count + 1, sum + size))
        }
        Coming::Kept(_) => (0, 0),
    };
    for (id, kind, size) in attempts.into_iter().take(GONE - gone.len()) {
        let alike = matches!(coming, Coming::Attempt(own) if own == kind);
        let too_many = alike && (count >= kind.most || own > kind.bytes);
        if too_many || total > BUDGET {
            gone.push(style.name(&[kind.name, &id].concat()));
            total -= size;
            if alike {
                count -= 1;
                own -= size;
            }
        }
    }
    gone.into_iter().try_for_each(|name| jar.remove_named(style, name))
}

/// `true` if the new cookie fits beside all others: the usual case.
fn fits(
    cookies: &Cookies<'_>,
    style: &CookieStyle,
    coming: Coming<'_>,
    replaced: &[String],
    bytes: usize,
) -> bool {
    let (reserved, own) = match coming {
        Coming::Kept(_) => (FOR_ATTEMPTS, None),
        Coming::Attempt(kind) => (0, Some(kind)),
    };
    let (mut total, mut count, mut alike) = (bytes + reserved, 0, bytes);
    for (name, value) in cookies.all() {
        let whose = style.whose(name);
        if whose == Whose::Foreign || replaced.iter().any(|replaced| replaced == name) {
            continue;
        }
        let size = size(name, value);
        total += size;
        let is_alike =
            |own: AttemptKind| matches!(whose, Whose::This(what) if what.starts_with(own.name));
        if own.is_some_and(is_alike) {
            count += 1;
            alike += size;
        }
    }
    total <= BUDGET && own.is_none_or(|own| count < own.most && alike <= own.bytes)
}

/// The largest of `cookies` (sizes and names), as few as have `bytes` together, or all.
fn largest(mut cookies: Vec<(usize, String)>, bytes: usize) -> Vec<(usize, String)> {
    cookies.sort_unstable_by(|(a, _), (b, _)| b.cmp(a));
    let mut sum = 0;
    cookies.retain(|(size, _)| {
        let goes = sum < bytes;
        sum += size;
        goes
    });
    cookies.truncate(GONE);
    cookies
}

/// The end of an attempt's cookie name, and its kind. `None` for a name that this library never
/// makes.
fn attempt(what: &str) -> Option<(&str, AttemptKind)> {
    [WITH_STATE, PAGE, WITH_TEMPORARY].into_iter().find_map(|kind| {
        let id = what.strip_prefix(kind.name)?;
        let fits = id.len() == DIGITS && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        fits.then_some((id, kind))
    })
}

/// The services with tenants of which this browser has cookies, by full name.
pub(crate) fn tenants(jar: &Jar, style: &CookieStyle, in_use: &InUse) -> Vec<String> {
    let mut names = jar.pick(|name, _| {
        let Whose::This(what) = style.whose(name) else { return None };
        let (_, service) = kind_and_service(what)?;
        in_use.has_tenant(service).then(|| service.to_owned())
    });
    names.sort_unstable();
    names.dedup();
    names
}

/// Removes all cookies of a service.
pub(crate) fn remove_all_of(
    jar: &Jar,
    style: &CookieStyle,
    service: &str,
) -> Result<(), OperatorError> {
    let kinds = [TOKEN[0], TOKEN[1], WHO, BACK, OUT];
    kinds.into_iter().try_for_each(|kind| jar.remove(style, &[kind, service].concat()))
}

#[cfg(test)]
mod tests;
