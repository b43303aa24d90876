//! The number of a request, by which the log, the audit log and an error page name it.

use std::{fmt, future::Future, net::IpAddr, sync::Arc};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use quadrille::Env;

use crate::config::Network;

/// The header in which a trusted proxy gives the number, and in which the response has it.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The most characters of a number that a proxy gives.
const MOST: usize = 128;

tokio::task_local! {
    static CURRENT: RequestId;
}

/// The number of a request. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestId(Arc<str>);

impl RequestId {
    /// The number that a trusted proxy gave, else a random one. A number of a stranger could be that
    /// of another request, or of any length.
    pub(crate) fn of(env: &Env, peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> Self {
        let is_trusted = trusted.iter().any(|network| network.contains(peer.to_canonical()));
        let given = if is_trusted { given(headers) } else { None };
        Self(given.map_or_else(|| random(env).into(), Arc::from))
    }

    /// The number.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The value of the header.
    pub(crate) fn header(&self) -> Option<HeaderValue> {
        HeaderValue::try_from(&*self.0).ok()
    }

    /// Runs `work`, in which this is the [current](current) number.
    pub(crate) async fn scope<F: Future>(self, work: F) -> F::Output {
        CURRENT.scope(self, work).await
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The number of the request that this task answers.
pub(crate) fn current() -> Option<RequestId> {
    CURRENT.try_with(Clone::clone).ok()
}

/// 64 random bits in hexadecimal.
fn random(env: &Env) -> String {
    format!("{:016x}", u64::from_ne_bytes(env.random()))
}

/// The only number in the headers, if it has the form of one: letters, digits, and a few marks that
/// mean nothing in a log, a page or a shell.
fn given(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(HEADER).iter();
    let (Some(only), None) = (values.next(), values.next()) else { return None };
    let text = only.to_str().ok()?;
    let is_of_it = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_one = (1..=MOST).contains(&text.len()) && text.bytes().all(is_of_it);
    is_one.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(peer: &str, values: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(HEADER, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let trusted = [Network::parse("10.0.0.0/8").unwrap()];
        RequestId::of(&Env::system(), peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn a_trusted_proxy_gives_the_number_and_nobody_else() {
        let uuid = "550e8400-e29b-41d4-a716-446655440000";
        assert_eq!(of("10.0.0.1", &[uuid]), uuid);
        assert_eq!(of("::ffff:10.0.0.1", &["a"]), "a");
        let longest = "x".repeat(MOST);
        assert_eq!(of("10.0.0.1", &[&longest]), longest);
        let long = "x".repeat(MOST + 1);
        for (peer, values) in [
            ("192.0.2.1", &[uuid][..]),
            ("10.0.0.1", &[]),
            ("10.0.0.1", &[""]),
            ("10.0.0.1", &[&long]),
            ("10.0.0.1", &["one", "two"]),
            ("10.0.0.1", &["one two"]),
            ("10.0.0.1", &["<b>"]),
            ("10.0.0.1", &["\"quoted\""]),
            ("10.0.0.1", &["a\u{e9}"]),
        ] {
            let random = of(peer, values);
            assert_eq!(random.len(), 16, "{values:?}");
            assert!(random.bytes().all(|byte| byte.is_ascii_hexdigit()), "{random}");
            assert_ne!(random, of(peer, values));
        }
    }
}
