//! Who is at the other end, behind proxies that are trusted.

use std::net::IpAddr;

use axum::http::{HeaderMap, header};

use crate::config::Network;

/// The address that a request came from: the peer's, or what trusted proxies say. Headers of
/// anybody else are what that somebody made up.
pub fn remote_address(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let peer = peer.to_canonical();
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    if !is_trusted(peer) {
        return peer;
    }
    let nearest = |chain: Vec<Option<IpAddr>>| {
        let mut address = peer;
        // Each proxy appends whom it saw: from the right, as far as those can be trusted.
        for hop in chain.into_iter().rev() {
            match hop {
                Some(hop) if is_trusted(address) => address = hop.to_canonical(),
                _ => break,
            }
        }
        address
    };
    let forwarded = chain(headers, header::FORWARDED, forwarded_for);
    let x_forwarded = chain(headers, "x-forwarded-for", |hop| parse(hop.trim()));
    match (forwarded, x_forwarded) {
        (None, None) => peer,
        (Some(chain), None) | (None, Some(chain)) => nearest(chain),
        // The proxy writes one of them and passes on the other, which anybody may have sent: where
        // they differ, neither is believed.
        (Some(one), Some(other)) => {
            let (one, other) = (nearest(one), nearest(other));
            if one == other { one } else { peer }
        }
    }
}

/// Whether a proxy on this machine says whom it saw, and is not believed: either somebody plays, or
/// the operator has forgotten to trust it.
pub(super) fn is_unheeded(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> bool {
    let peer = peer.to_canonical();
    peer.is_loopback()
        && (headers.contains_key(header::FORWARDED) || headers.contains_key("x-forwarded-for"))
        && !trusted.iter().any(|network| network.contains(peer))
}

fn chain(
    headers: &HeaderMap,
    name: impl header::AsHeaderName,
    read: impl Fn(&str) -> Option<IpAddr>,
) -> Option<Vec<Option<IpAddr>>> {
    let values: Vec<_> = headers.get_all(name).iter().collect();
    if values.is_empty() {
        return None;
    }
    // What cannot be read takes none of the others along: anybody may have sent it.
    let hops = values.into_iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    Some(hops.map(|hop| read(std::str::from_utf8(hop).ok()?)).collect())
}

/// The `for` of one element of `Forwarded` (RFC 7239, section 4).
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let pair = |part: &str| {
        let (name, value) = part.trim().split_once('=')?;
        name.eq_ignore_ascii_case("for").then(|| value.trim_matches('"').to_owned())
    };
    parse(&element.split(';').find_map(pair)?)
}

/// An address, with a port or without, in brackets or without.
fn parse(text: &str) -> Option<IpAddr> {
    if let Some(rest) = text.strip_prefix('[') {
        return rest.split(']').next()?.parse().ok();
    }
    text.parse().ok().or_else(|| text.rsplit_once(':')?.0.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, lines: &[(&'static str, &str)]) -> String {
        let trusted = [Network::parse("10.0.0.0/8").unwrap(), Network::parse("::1").unwrap()];
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        remote_address(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn what_strangers_say_about_themselves_is_not_believed() {
        assert_eq!(seen("192.0.2.1", &[("x-forwarded-for", "203.0.113.9")]), "192.0.2.1");
        assert_eq!(seen("192.0.2.1", &[("forwarded", "for=203.0.113.9")]), "192.0.2.1");
        assert_eq!(seen("::ffff:192.0.2.1", &[]), "192.0.2.1");
    }

    #[test]
    fn a_trusted_proxy_says_whom_it_saw_and_what_stands_before_that_is_made_up() {
        let spoofed = "198.51.100.7, 203.0.113.9, 10.1.1.1";
        assert_eq!(seen("10.0.0.1", &[("x-forwarded-for", spoofed)]), "203.0.113.9");
        let two = [("x-forwarded-for", "198.51.100.7"), ("x-forwarded-for", "203.0.113.9")];
        assert_eq!(seen("10.0.0.1", &two), "203.0.113.9");
        assert_eq!(
            seen(
                "::1",
                &[("forwarded", "for=198.51.100.7, For=\"[2001:db8::9]:4711\";proto=https")]
            ),
            "2001:db8::9"
        );
        assert_eq!(seen("10.0.0.1", &[("x-forwarded-for", "203.0.113.9:80")]), "203.0.113.9");
        assert_eq!(seen("10.0.0.1", &[("x-forwarded-for", "unknown")]), "10.0.0.1");
        let broken = [("x-forwarded-for", "Ren\u{e9}, 203.0.113.9")];
        assert_eq!(seen("10.0.0.1", &broken), "203.0.113.9");
    }

    #[test]
    fn where_two_headers_differ_neither_is_believed() {
        let both = [("x-forwarded-for", "203.0.113.9"), ("forwarded", "for=198.51.100.7")];
        assert_eq!(seen("10.0.0.1", &both), "10.0.0.1");
        let same = [("x-forwarded-for", "203.0.113.9"), ("forwarded", "for=203.0.113.9")];
        assert_eq!(seen("10.0.0.1", &same), "203.0.113.9");
    }
}
