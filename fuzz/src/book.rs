//! The signature base string of RFC 5849, section 3.4.1, written as simply as possible: without
//! regard to speed, and without code of the library.

use http::{HeaderMap, Method, Uri, header};

type Pair = (Vec<u8>, Vec<u8>);

/// The base string of a request at an origin. `None` if a percent-encoding is not valid, or the
/// header does not follow section 3.5.1.
pub(crate) fn base_string(
    method: &Method,
    origin: &str,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Option<String> {
    let mut pairs = Vec::new();
    for (name, value) in header_parameters(headers)? {
        if name != b"realm" {
            pairs.push((name, value));
        }
    }
    pairs.extend(form_pairs(uri.query().unwrap_or("").as_bytes())?);
    let content_type = headers.get(header::CONTENT_TYPE).map(|value| value.as_bytes());
    if content_type == Some(b"application/x-www-form-urlencoded") {
        pairs.extend(form_pairs(body)?);
    }
    pairs.retain(|(name, _)| name != b"oauth_signature");
    let mut encoded: Vec<(String, String)> =
        pairs.into_iter().map(|(name, value)| (encode(&name), encode(&value))).collect();
    encoded.sort();
    let joined: Vec<String> =
        encoded.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let url = format!("{}{}", origin_of(origin), uri.path());
    Some(format!(
        "{}&{}&{}",
        method.as_str().to_ascii_uppercase(),
        encode(url.as_bytes()),
        encode(joined.join("&").as_bytes())
    ))
}

/// The scheme and host in lower case, and the port if it is not the default.
fn origin_of(origin: &str) -> String {
    let lower = origin.to_ascii_lowercase();
    let usual = if lower.starts_with("https://") { ":443" } else { ":80" };
    lower.strip_suffix(usual).unwrap_or(&lower).to_owned()
}

/// The names and values of a query or a form.
pub(crate) fn form_pairs(text: &[u8]) -> Option<Vec<Pair>> {
    let mut pairs = Vec::new();
    for part in text.split(|byte| *byte == b'&').filter(|part| !part.is_empty()) {
        let mut halves = part.splitn(2, |byte| *byte == b'=');
        let name = decode(halves.next()?, true)?;
        let value = decode(halves.next().unwrap_or(b""), true)?;
        pairs.push((name, value));
    }
    Some(pairs)
}

fn header_parameters(headers: &HeaderMap) -> Option<Vec<Pair>> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Some(Vec::new()) };
    let text = value.to_str().ok()?.strip_prefix("OAuth ")?;
    let mut pairs = Vec::new();
    for part in text.split(',') {
        let (name, value) = part.trim().split_once('=')?;
        let value = value.strip_prefix('"')?.strip_suffix('"')?;
        if value.contains('"') {
            return None;
        }
        pairs.push((decode(name.as_bytes(), false)?, decode(value.as_bytes(), false)?));
    }
    Some(pairs)
}

fn decode(text: &[u8], plus_is_space: bool) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'%' => {
                let digits = std::str::from_utf8(text.get(at + 1..at + 3)?).ok()?;
                if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                    return None;
                }
                out.push(u8::from_str_radix(digits, 16).ok()?);
                at += 3;
                continue;
            }
            b'+' if plus_is_space => out.push(b' '),
            byte => out.push(byte),
        }
        at += 1;
    }
    Some(out)
}

/// Percent-encoding (section 3.6).
pub(crate) fn encode(text: &[u8]) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.iter()
        .map(|byte| match is_plain(*byte) {
            true => char::from(*byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect()
}
