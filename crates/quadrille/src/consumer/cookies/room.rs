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

use std::collections::HashSet;

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

/// The cookies that a login uses.
#[derive(Clone, Debug)]
pub(crate) struct InUse {
    /// The keys under which cookies are sealed.
    pub(crate) keys: KeyRing,
    /// The names of its services.
    pub(crate) services: Box<[Box<str>]>,
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
            WHO => self.keys.has_key_of(value),
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
    let kinds = [FIRST, SECOND, WHO, BACK];
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

/// Whether the new cookie fits beside all others: the usual case.
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
    let kinds = [TOKEN[0], TOKEN[1], WHO, BACK];
    kinds.into_iter().try_for_each(|kind| jar.remove(style, &[kind, service].concat()))
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

    use http::{HeaderMap, HeaderValue, header};

    use super::*;
    use crate::{Env, work};

    fn jar(cookies: impl Iterator<Item = String>) -> Jar {
        let mut headers = HeaderMap::new();
        let line = cookies.collect::<Vec<_>>().join("; ");
        headers.insert(header::COOKIE, HeaderValue::try_from(line).unwrap());
        Jar::new(&headers)
    }

    fn style() -> CookieStyle {
        CookieStyle::new(true, None, "/login")
    }

    fn in_use() -> InUse {
        InUse {
            keys: keys(),
            services: ["a", "b", "c"].map(Into::into).into(),
            with_tenants: ["crm".into()].into(),
            tokens: true,
        }
    }

    fn keys() -> KeyRing {
        static KEYS: OnceLock<KeyRing> = OnceLock::new();
        KEYS.get_or_init(KeyRing::ephemeral).clone()
    }

    /// A cookie with a value of so many bytes, as if sealed under a key of the ring.
    fn cookie(name: &str, bytes: usize) -> String {
        sealed_cookie(&keys(), name, bytes)
    }

    fn sealed_cookie(keys: &KeyRing, name: &str, bytes: usize) -> String {
        let sealed = keys.seal(&Env::system(), "purpose", "site", b"");
        let digit = if name.contains("token-") { "1" } else { "" };
        let rest = "x".repeat(bytes - 8 - digit.len());
        format!("{name}={digit}{}{rest}", &sealed[..8])
    }

    /// Asserts that browsers accept the removing lines, and returns the names removed.
    fn removed(jar: &Jar) -> Vec<String> {
        let lines = jar.close();
        let names = lines.iter().map(|line| {
            let (name, rest) = line.to_str().unwrap().split_once('=').unwrap();
            assert_eq!(rest, "; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure");
            name.to_owned()
        });
        names.collect()
    }

    fn attempts(kind: AttemptKind, n: usize) -> impl Iterator<Item = String> {
        let prefix = style().name(kind.name);
        // The newest first, since the order of a browser's cookies is undefined.
        (0..n).rev().map(move |number| format!("{prefix}{number:016x}=x"))
    }

    #[test]
    fn a_header_full_of_attempts_costs_in_proportion_to_its_length() {
        for kind in [WITH_STATE, WITH_TEMPORARY] {
            for coming in [Coming::Attempt(kind), Coming::Kept(&[])] {
                work::assert_proportional(1500, |n| {
                    let jar = jar(attempts(kind, n));
                    work::of(|| make_room(&jar, &style(), &in_use(), coming, 60).unwrap())
                });
                let jar = jar(attempts(kind, 9000));
                make_room(&jar, &style(), &in_use(), coming, 60).unwrap();
                assert!(jar.close().len() <= GONE, "nor does the answer grow with it");
            }
        }
    }

    #[test]
    fn the_oldest_attempts_make_room() {
        let jar = jar(attempts(WITH_STATE, 30));
        make_room(&jar, &style(), &in_use(), Coming::Attempt(WITH_STATE), 60).unwrap();
        let gone: Vec<_> = jar.close();
        assert_eq!(gone.len(), 7);
        for (number, line) in gone.iter().enumerate() {
            let line = line.to_str().unwrap();
            assert!(line.starts_with(&style().name(&format!("try-{number:016x}="))), "{line}");
        }
    }

    #[test]
    fn what_a_visitor_keeps_is_refused_when_it_does_not_fit_and_attempts_give_way() {
        let token =
            |service: &str, bytes: usize| cookie(&style().name(&format!("token-{service}")), bytes);
        let full = || attempts(WITH_STATE, 20).chain([token("a", 3000), token("b", 2000)]);
        let names = |service: &str| [style().name(&format!("token-{service}"))];
        let make = |jar: &Jar, service: &str, bytes| {
            make_room(jar, &style(), &in_use(), Coming::Kept(&names(service)), bytes)
        };
        let fits = jar(full());
        assert_eq!(make(&fits, "c", 1500), Ok(()));
        assert!(!fits.close().is_empty(), "attempts gave way");
        let too_large = jar(full());
        assert!(matches!(
            make(&too_large, "c", 1700),
            Err(OperatorError::CookieTooLarge { bytes: 6700.. })
        ));
        assert!(too_large.close().is_empty(), "nothing is lost by what is refused");
        assert_eq!(make(&jar(full()), "b", 3500), Ok(()), "in the place of the one before");
    }

    #[test]
    fn what_is_of_no_use_makes_room_before_anything_else() {
        let useless = [
            "token-removed",
            "token2-removed",
            "who-removed",
            "back-removed",
            "token-gone~acme",
            "token-a~acme",
            "later-a",
            "try-short",
            "",
        ];
        for name in useless.map(|what| style().name(what)) {
            let jar = jar(attempts(WITH_STATE, 20).chain([
                cookie("session", 9000),
                cookie(&name, 4000),
                cookie(&style().name("token-a"), 2000),
            ]));
            let names = [style().name("token-b")];
            make_room(&jar, &style(), &in_use(), Coming::Kept(&names), 2000).unwrap();
            assert_eq!(removed(&jar), [name]);
        }
        for what in ["token-b", "token2-a", "who-c", "back-c", "token-crm~acme", "browser"] {
            let jar =
                jar([cookie(&style().name(what), 4000), cookie(&style().name("token-a"), 2000)]
                    .into_iter());
            let coming = Coming::Attempt(WITH_TEMPORARY);
            assert!(make_room(&jar, &style(), &in_use(), coming, 2000).is_err(), "{what}");
            assert_eq!(removed(&jar), [""; 0]);
        }
        // If the storage is on the server, a token in a cookie is obsolete.
        let jar = jar([cookie(&style().name("token-b"), 6000)].into_iter());
        let on_server = InUse { tokens: false, ..in_use() };
        make_room(&jar, &style(), &on_server, Coming::Attempt(WITH_TEMPORARY), 2000).unwrap();
        assert_eq!(removed(&jar), [style().name("token-b")]);
    }

    #[test]
    fn cookies_under_a_key_that_is_gone_make_room_first() {
        let gone = KeyRing::ephemeral();
        for what in ["token-a", "who-a", "token2-b"] {
            let name = style().name(what);
            let jar = jar(attempts(WITH_STATE, 20)
                .chain([sealed_cookie(&gone, &name, 4000), cookie(&style().name("who-b"), 2000)]));
            let names = [style().name("token-c")];
            make_room(&jar, &style(), &in_use(), Coming::Kept(&names), 2000).unwrap();
            assert_eq!(removed(&jar), [name]);
        }
    }

    #[test]
    fn what_is_of_no_use_is_left_alone_as_long_as_there_is_room() {
        let jar = jar([cookie(&style().name("token-removed"), 3000)].into_iter());
        make_room(&jar, &style(), &in_use(), Coming::Attempt(WITH_STATE), 60).unwrap();
        assert_eq!(removed(&jar), [""; 0], "another process may be of another version");
    }

    #[test]
    fn another_logins_cookies_share_the_budget_and_make_room_last() {
        let admin = CookieStyle::new(true, None, "/admin/login");
        let others = [cookie(&admin.name("token-a"), 1500), cookie(&admin.name("who-a"), 100)];
        let full = || {
            let ours = [cookie(&style().name("token-a"), 3000), cookie("session", 9000)];
            attempts(WITH_STATE, 20).chain(ours).chain(others.clone())
        };
        let names = [style().name("token-b")];
        let make =
            |jar: &Jar, bytes| make_room(jar, &style(), &in_use(), Coming::Kept(&names), bytes);
        let jar_of_attempts = jar(full());
        make(&jar_of_attempts, 1900).unwrap();
        let gone = removed(&jar_of_attempts);
        assert!(!gone.is_empty() && gone.iter().all(|name| name.contains("try-")), "{gone:?}");
        let jar_of_others = jar(full());
        make(&jar_of_others, 3000).unwrap();
        assert!(removed(&jar_of_others).contains(&admin.name("token-a")));
        let too_large = jar(full());
        assert!(make(&too_large, 4000).is_err());
        assert_eq!(removed(&too_large), [""; 0], "nothing is lost by what is refused");
    }

    #[test]
    fn useless_cookies_without_number_cost_in_proportion_and_are_removed_in_turns() {
        let admin = CookieStyle::new(true, None, "/admin/login");
        for style_of in [style(), admin] {
            let cookies = |n: usize| {
                let style = style_of.clone();
                (0..n).map(move |number| cookie(&style.name(&format!("who-x{number}")), 20))
            };
            work::assert_proportional(1500, |n| {
                let jar = jar(cookies(n));
                work::of(|| {
                    let coming = Coming::Attempt(WITH_STATE);
                    let _ = make_room(&jar, &style(), &in_use(), coming, 60);
                })
            });
            let jar = jar(cookies(200));
            make_room(&jar, &style(), &in_use(), Coming::Attempt(WITH_STATE), 60).unwrap();
            assert!((1..=GONE).contains(&removed(&jar).len()));
        }
    }
}
