//! How many bytes all login cookies of one browser may have together, and which of them make room.
//!
//! A header of 8 KiB is refused by many a proxy, and then the visitor is locked out until the
//! cookies end. So there is one budget for all services and attempts: attempts make room, the
//! oldest first; what a visitor keeps (tokens, who they are) does not, and is refused when it does
//! not fit.

use crate::error::OperatorFault;

use super::cookies::{CookieStyle, Jar};

/// Bytes of names and values in all. It leaves a kibibyte for the application's own cookies.
pub(crate) const BUDGET: usize = 7 * 1024;
/// Bytes that are left to attempts whatever a visitor keeps.
const FOR_ATTEMPTS: usize = 512;
/// What stands around each in the header.
const AROUND: usize = "=; ".len();
/// How many attempts one answer ends.
const GONE: usize = 64;
/// Digits of the identifier in the name of an attempt's cookie; the first of them are its time.
const DIGITS: usize = 16;

/// A kind of attempt: what its cookies' names begin with, how many there may be, and their bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AttemptKind {
    pub(crate) name: &'static str,
    pub(crate) most: usize,
    pub(crate) bytes: usize,
}

/// Attempts of OAuth 2: 16 random bytes each.
pub(crate) const WITH_STATE: AttemptKind = AttemptKind { name: "try-", most: 24, bytes: 2048 };
/// What is too long for the `state` of an attempt of OAuth 2: the page to come back to, as a rule.
pub(crate) const PAGE: AttemptKind = AttemptKind { name: "page-", most: 8, bytes: 2048 };
/// Attempts of OAuth 1: all that is known of them.
pub(crate) const WITH_TEMPORARY: AttemptKind = AttemptKind { name: "try1-", most: 8, bytes: 4096 };

/// What is about to be set.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Coming<'a> {
    /// An attempt.
    Attempt(AttemptKind),
    /// Cookies that a visitor keeps, in the place of those with these names.
    Kept(&'a [String]),
}

/// A cookie that is there.
enum Known {
    Attempt { id: String, kind: AttemptKind, size: usize },
    Kept { size: usize },
}

/// The bytes that a cookie has in the header.
pub(crate) fn size(name: &str, value: &str) -> usize {
    name.len() + value.len() + AROUND
}

/// Makes room for `bytes` (see [`size`]) of what is coming.
///
/// # Errors
/// [`OperatorFault::CookieTooLarge`] when it does not fit beside what the visitor keeps.
pub(crate) fn make_room(
    jar: &Jar,
    style: &CookieStyle,
    coming: Coming<'_>,
    bytes: usize,
) -> Result<(), OperatorFault> {
    let replaced = match coming {
        Coming::Attempt(_) => &[][..],
        Coming::Kept(names) => names,
    };
    let known = jar.pick(|name, value| {
        #[cfg(test)]
        crate::work::count();
        if !style.is_ours(name) || replaced.iter().any(|replaced| replaced == name) {
            return None;
        }
        let size = size(name, value);
        Some(match attempt(style, name) {
            Some((id, kind)) => Known::Attempt { id: id.to_owned(), kind, size },
            None => Known::Kept { size },
        })
    });
    let (mut kept, mut attempts) = (0, Vec::new());
    for known in known {
        match known {
            Known::Kept { size } => kept += size,
            Known::Attempt { id, kind, size } => attempts.push((id, kind, size)),
        }
    }
    let reserved = if matches!(coming, Coming::Kept(_)) { FOR_ATTEMPTS } else { 0 };
    if kept + bytes + reserved > BUDGET {
        return Err(OperatorFault::CookieTooLarge { bytes: kept + bytes });
    }
    // The oldest first: times sort as their digits do.
    attempts.sort_unstable_by(|(a, ..), (b, ..)| a.cmp(b));
    let mut total = kept + bytes + attempts.iter().map(|(.., size)| size).sum::<usize>();
    let (mut count, mut own) = match coming {
        Coming::Attempt(own) => {
            let alike = attempts.iter().filter(|(_, kind, _)| *kind == own);
            alike.fold((0, bytes), |(count, sum), (.., size)| (count + 1, sum + size))
        }
        Coming::Kept(_) => (0, 0),
    };
    for (id, kind, size) in attempts.into_iter().take(GONE) {
        let alike = matches!(coming, Coming::Attempt(own) if own == kind);
        let too_many = alike && (count >= kind.most || own > kind.bytes);
        if too_many || total > BUDGET {
            jar.remove_known(style, &[kind.name, &id].concat())?;
            total -= size;
            if alike {
                count -= 1;
                own -= size;
            }
        }
    }
    Ok(())
}

/// What an attempt's cookie is called after its kind, and the kind. A name that we never gave is
/// none.
fn attempt<'a>(style: &CookieStyle, name: &'a str) -> Option<(&'a str, AttemptKind)> {
    [WITH_STATE, PAGE, WITH_TEMPORARY].into_iter().find_map(|kind| {
        let id = style.strip(kind.name, name)?;
        let fits = id.len() == DIGITS && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        fits.then_some((id, kind))
    })
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, header};

    use super::*;
    use crate::work;

    fn jar(cookies: impl Iterator<Item = String>) -> Jar {
        let mut headers = HeaderMap::new();
        let line = cookies.collect::<Vec<_>>().join("; ");
        headers.insert(header::COOKIE, HeaderValue::try_from(line).unwrap());
        Jar::new(&headers)
    }

    fn style() -> CookieStyle {
        CookieStyle::new(true, None, "/login")
    }

    fn attempts(kind: AttemptKind, n: usize) -> impl Iterator<Item = String> {
        let prefix = style().name(kind.name);
        // The newest first, as nothing says how a browser orders them.
        (0..n).rev().map(move |number| format!("{prefix}{number:016x}=x"))
    }

    #[test]
    fn a_header_full_of_attempts_costs_in_proportion_to_its_length() {
        for kind in [WITH_STATE, WITH_TEMPORARY] {
            for coming in [Coming::Attempt(kind), Coming::Kept(&[])] {
                work::assert_proportional(1500, |n| {
                    let jar = jar(attempts(kind, n));
                    work::of(|| make_room(&jar, &style(), coming, 60).unwrap())
                });
                let jar = jar(attempts(kind, 9000));
                make_room(&jar, &style(), coming, 60).unwrap();
                assert!(jar.close().len() <= GONE, "nor does the answer grow with it");
            }
        }
    }

    #[test]
    fn the_oldest_attempts_make_room() {
        let jar = jar(attempts(WITH_STATE, 30));
        make_room(&jar, &style(), Coming::Attempt(WITH_STATE), 60).unwrap();
        let gone: Vec<_> = jar.close();
        assert_eq!(gone.len(), 7);
        for (number, line) in gone.iter().enumerate() {
            let line = line.to_str().unwrap();
            assert!(line.starts_with(&style().name(&format!("try-{number:016x}="))), "{line}");
        }
    }

    #[test]
    fn what_a_visitor_keeps_is_refused_when_it_does_not_fit_and_attempts_give_way() {
        let token = |service: &str, bytes: usize| {
            format!("{}={}", style().name(&format!("token-{service}")), "x".repeat(bytes))
        };
        let full = || attempts(WITH_STATE, 20).chain([token("a", 3000), token("b", 2000)]);
        let names = |service: &str| [style().name(&format!("token-{service}"))];
        let make = |jar: &Jar, service: &str, bytes| {
            make_room(jar, &style(), Coming::Kept(&names(service)), bytes)
        };
        let fits = jar(full());
        assert_eq!(make(&fits, "c", 1500), Ok(()));
        assert!(!fits.close().is_empty(), "attempts gave way");
        let too_large = jar(full());
        assert!(matches!(
            make(&too_large, "c", 1700),
            Err(OperatorFault::CookieTooLarge { bytes: 6700.. })
        ));
        assert!(too_large.close().is_empty(), "nothing is lost by what is refused");
        assert_eq!(make(&jar(full()), "b", 3500), Ok(()), "in the place of the one before");
        // Another mount of the same site shares the header, and so the budget.
        let other = CookieStyle::new(true, None, "/admin/login").name("token-a");
        let beside = jar(full().chain([format!("{other}={}", "x".repeat(1500))]));
        assert!(make(&beside, "c", 1500).is_err());
    }
}
