//! The `Host` of a request (RFC 9112, section 3.2).

use std::net::Ipv6Addr;

use axum::http::{HeaderMap, Version, header};

/// Whether the request has the one `Host` that its version asks for. A client of HTTP/1.0 need not
/// send any.
pub(super) fn is_valid(version: Version, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => std::str::from_utf8(host.as_bytes()).is_ok_and(is_authority),
        (None, _) => version < Version::HTTP_11,
        (Some(_), Some(_)) => false,
    }
}

/// Whether the text is `uri-host [ ":" port ]` (RFC 9110, section 7.2), which may be empty.
/// Addresses of versions after 6 do not exist.
fn is_authority(text: &str) -> bool {
    let rest = match text.strip_prefix('[') {
        Some(literal) => match literal.split_once(']') {
            Some((address, rest)) if address.parse::<Ipv6Addr>().is_ok() => rest,
            _ => return false,
        },
        None => text.trim_start_matches(|c| c != ':'),
    };
    let name = text.strip_suffix(rest).unwrap_or(text);
    let is_name = name.starts_with('[') || is_registered_name(name);
    let port = rest.strip_prefix(':').unwrap_or(rest);
    is_name && rest.starts_with(':') != rest.is_empty() && port.bytes().all(|b| b.is_ascii_digit())
}

/// Whether the text is a `reg-name` or an IPv4 address (RFC 3986, section 3.2.2).
fn is_registered_name(text: &str) -> bool {
    let mut parts = text.split('%');
    let plain = |part: &str| {
        part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&b))
    };
    parts.next().is_some_and(plain)
        && parts.all(|part| {
            let mut bytes = part.bytes();
            let mut is_hex = || bytes.next().is_some_and(|b| b.is_ascii_hexdigit());
            is_hex() && is_hex() && plain(part)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn valid(version: Version, hosts: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(header::HOST, host.parse().unwrap());
        }
        is_valid(version, &headers)
    }

    #[test]
    fn a_request_has_one_host_and_only_one_of_http_1_0_may_have_none() {
        for host in
            ["id.example", "localhost:4004", "127.0.0.1", "[::1]:80", "x:", "", "a%2Fb", "a_b"]
        {
            assert!(valid(Version::HTTP_11, &[host]), "{host:?}");
            assert!(!valid(Version::HTTP_11, &[host, host]), "{host:?} twice");
            assert!(!valid(Version::HTTP_10, &[host, host]), "{host:?} twice");
        }
        assert!(!valid(Version::HTTP_11, &[]) && valid(Version::HTTP_10, &[]));
    }

    #[test]
    fn a_host_that_is_none_is_refused() {
        for host in [
            "a b", "a/b", "a@b", "http://a", "a:b", "a:1:2", "::1", "[::1", "[::1]x", "[x]", "a%2",
            "a%zz", "a?b", "a#b", "a\\b", "a<b", "é", "a,b c",
        ] {
            assert!(!valid(Version::HTTP_11, &[host]), "{host:?}");
            assert!(!valid(Version::HTTP_10, &[host]), "{host:?}");
        }
    }
}
