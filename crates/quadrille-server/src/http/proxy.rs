//! The client's address behind trusted proxies.

use std::net::IpAddr;

use axum::http::HeaderMap;

use crate::config::{Network, ProxyHeader};

/// The client's address: the peer's, or the one that trusted proxies name in `proxy_header`. No
/// other header is read, since a proxy passes on any header that it does not set itself, whatever
/// the client put into it.
pub fn remote_address(
    peer: IpAddr,
    headers: &HeaderMap,
    trusted: &[Network],
    proxy_header: ProxyHeader,
) -> IpAddr {
    let peer = peer.to_canonical();
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let read = match proxy_header {
        ProxyHeader::XForwardedFor => |hop: &str| parse(hop.trim()),
        ProxyHeader::Forwarded => forwarded_for,
    };
    // An unreadable element does not affect the others: any client may have sent it.
    let values: Vec<_> = headers.get_all(proxy_header.name()).iter().collect();
    let hops = values.into_iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    // Empty elements do not count (RFC 9110, section 5.6.1.2).
    let hops = hops.filter(|hop| !hop.trim_ascii().is_empty());
    let chain: Vec<_> = hops.map(|hop| read(std::str::from_utf8(hop).ok()?)).collect();
    let mut address = peer;
    // Each proxy appends the address of its peer. Read from the right, while the addresses are
    // trusted.
    for hop in chain.into_iter().rev() {
        match hop {
            Some(hop) if is_trusted(address) => address = hop.to_canonical(),
            _ => break,
        }
    }
    address
}

/// A proxy that sends a header which the program ignores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unheeded {
    /// The proxy is on this machine and not trusted: either a local client plays, or the operator
    /// forgot to trust the proxy.
    Proxy,
    /// The proxy is trusted, and sent this header instead of `proxy_header`.
    Header(ProxyHeader),
}

/// The ignored header of a proxy, if the request came through such a proxy.
pub(super) fn unheeded(
    peer: IpAddr,
    headers: &HeaderMap,
    trusted: &[Network],
    proxy_header: ProxyHeader,
) -> Option<Unheeded> {
    let peer = peer.to_canonical();
    let sent = |header: ProxyHeader| headers.contains_key(header.name());
    let other = match proxy_header {
        ProxyHeader::XForwardedFor => ProxyHeader::Forwarded,
        ProxyHeader::Forwarded => ProxyHeader::XForwardedFor,
    };
    if trusted.iter().any(|network| network.contains(peer)) {
        return (sent(other) && !sent(proxy_header)).then_some(Unheeded::Header(other));
    }
    (peer.is_loopback() && (sent(other) || sent(proxy_header))).then_some(Unheeded::Proxy)
}

/// The `for` of one element of `Forwarded` (RFC 7239, section 4).
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let pair = |part: &str| {
        let (name, value) = part.trim().split_once('=')?;
        name.eq_ignore_ascii_case("for").then(|| value.trim_matches('"').to_owned())
    };
    parse(&element.split(';').find_map(pair)?)
}

/// An address, with or without port and brackets.
fn parse(text: &str) -> Option<IpAddr> {
    if let Some(rest) = text.strip_prefix('[') {
        return rest.split(']').next()?.parse().ok();
    }
    text.parse().ok().or_else(|| text.rsplit_once(':')?.0.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    use ProxyHeader::{Forwarded, XForwardedFor};

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    fn trusted() -> [Network; 2] {
        [Network::parse("10.0.0.0/8").unwrap(), Network::parse("::1").unwrap()]
    }

    fn seen(peer: &str, header: ProxyHeader, lines: &[(&'static str, &str)]) -> String {
        let peer = peer.parse().unwrap();
        remote_address(peer, &headers(lines), &trusted(), header).to_string()
    }

    #[test]
    fn what_strangers_say_about_themselves_is_not_believed() {
        let (lines, header) = ([("x-forwarded-for", "203.0.113.9")], XForwardedFor);
        assert_eq!(seen("192.0.2.1", header, &lines), "192.0.2.1");
        let lines = [("forwarded", "for=203.0.113.9")];
        assert_eq!(seen("192.0.2.1", Forwarded, &lines), "192.0.2.1");
        assert_eq!(seen("::ffff:192.0.2.1", header, &[]), "192.0.2.1");
    }

    #[test]
    fn a_trusted_proxy_says_whom_it_saw_and_what_stands_before_that_is_made_up() {
        let seen_by = |lines: &[(&'static str, &str)]| seen("10.0.0.1", XForwardedFor, lines);
        let spoofed = "198.51.100.7, 203.0.113.9, 10.1.1.1";
        assert_eq!(seen_by(&[("x-forwarded-for", spoofed)]), "203.0.113.9");
        let two = [("x-forwarded-for", "198.51.100.7"), ("x-forwarded-for", "203.0.113.9")];
        assert_eq!(seen_by(&two), "203.0.113.9");
        assert_eq!(seen_by(&[("x-forwarded-for", "203.0.113.9:80")]), "203.0.113.9");
        for empty in ["203.0.113.9,", "203.0.113.9, ,\t", ",, 203.0.113.9", " ,203.0.113.9, ,"] {
            assert_eq!(seen_by(&[("x-forwarded-for", empty)]), "203.0.113.9", "{empty}");
        }
        let two = [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "")];
        assert_eq!(seen_by(&two), "203.0.113.9");
        assert_eq!(seen_by(&[("x-forwarded-for", "")]), "10.0.0.1");
        assert_eq!(seen_by(&[("x-forwarded-for", "unknown")]), "10.0.0.1");
        let broken = [("x-forwarded-for", "Ren\u{e9}, 203.0.113.9")];
        assert_eq!(seen_by(&broken), "203.0.113.9");
        let elements = "for=198.51.100.7, For=\"[2001:db8::9]:4711\";proto=https";
        assert_eq!(seen("::1", Forwarded, &[("forwarded", elements)]), "2001:db8::9");
    }

    #[test]
    fn a_header_that_the_proxy_does_not_set_is_ignored_whoever_sent_it() {
        let both = [("x-forwarded-for", "203.0.113.9"), ("forwarded", "for=1.1.1.1")];
        assert_eq!(seen("10.0.0.1", XForwardedFor, &both), "203.0.113.9");
        assert_eq!(seen("10.0.0.1", Forwarded, &both), "1.1.1.1");
        assert_eq!(seen("10.0.0.1", XForwardedFor, &both[1..]), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", Forwarded, &both[..1]), "10.0.0.1");
    }

    #[test]
    fn a_proxy_that_speaks_in_vain_is_noticed() {
        let (x, other) = (("x-forwarded-for", "203.0.113.9"), ("forwarded", "for=1.1.1.1"));
        let noticed = |peer: &str, lines: &[(&'static str, &str)]| {
            unheeded(peer.parse().unwrap(), &headers(lines), &trusted(), XForwardedFor)
        };
        assert_eq!(noticed("127.0.0.1", &[x]), Some(Unheeded::Proxy));
        assert_eq!(noticed("127.0.0.1", &[other]), Some(Unheeded::Proxy));
        assert_eq!(noticed("10.0.0.1", &[other]), Some(Unheeded::Header(Forwarded)));
        for (peer, lines) in
            [("10.0.0.1", &[x, other][..]), ("10.0.0.1", &[x]), ("192.0.2.1", &[x]), ("::1", &[])]
        {
            assert_eq!(noticed(peer, lines), None, "{peer} {lines:?}");
        }
    }
}
