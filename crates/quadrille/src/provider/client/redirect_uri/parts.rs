//! The parts of a redirect URI, as slices of its text.

/// The authority (RFC 3986, section 3.2), if there is one.
pub(super) fn authority(uri: &str) -> Option<&str> {
    let (_, rest) = uri.split_once(':')?;
    rest.strip_prefix("//")?.split(['/', '?']).next()
}

pub(super) fn is_http(uri: &str) -> bool {
    uri.starts_with("http://")
}

/// The parts of an `http` URI: scheme and host, the port, and the rest.
pub(super) fn split_port(uri: &str) -> Option<(&str, Option<&str>, &str)> {
    let authority = is_http(uri).then(|| authority(uri)).flatten()?;
    let (start, rest) = uri.split_at_checked("http://".len() + authority.len())?;
    // An IPv6 address has colons, too.
    let port = match authority.rfind(':') {
        Some(colon) if !authority.get(colon..)?.contains(']') => authority.get(colon + 1..),
        _ => None,
    };
    match port {
        None => Some((start, None, rest)),
        Some(port) => {
            // A browser writes no zeros in front, and nothing can listen at port 0.
            let is_number = !port.starts_with('0')
                && port.bytes().all(|digit| digit.is_ascii_digit())
                && port.parse::<u16>().is_ok();
            let start = start.strip_suffix(port)?.strip_suffix(':')?;
            is_number.then_some((start, Some(port), rest))
        }
    }
}
