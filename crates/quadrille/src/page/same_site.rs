//! Redirect targets: pages of this site and nothing else.

use url::{Position, Url};

/// `wanted` as a path (with its query) of the site `origin`, normalised as browsers do; `None` if a
/// browser, or a careless server, could take it for another site. For redirects after a login to a
/// path from a URL, which anybody may have made.
///
/// ```
/// use quadrille::page::same_site;
///
/// let origin = "https://app.example";
/// assert_eq!(same_site(origin, "/album?page=2").as_deref(), Some("/album?page=2"));
/// assert_eq!(same_site(origin, "https://app.example/album").as_deref(), Some("/album"));
/// for trick in ["https://evil.example/", "//evil.example", "/\\evil.example", "/..//evil.example"] {
///     assert_eq!(same_site(origin, trick), None);
/// }
/// ```
pub fn same_site(origin: &str, wanted: &str) -> Option<String> {
    let path = match wanted.strip_prefix(origin) {
        Some("") => "/",
        Some(path) if path.starts_with('/') => path,
        _ => wanted,
    };
    // Browsers drop tabs and line ends and read backslashes as slashes before they parse a URL.
    if !path.starts_with('/') || path.chars().any(|c| c.is_control() || c == '\\' || c == ' ') {
        return None;
    }
    let base = Url::parse("https://quadrille.invalid/").ok()?;
    let url = base.join(path).ok()?;
    if url.origin() != base.origin() || !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    // Nor for a server that decodes the path before it redirects again.
    let mut decoded = url.path().to_owned();
    for _ in 0..3 {
        decoded = percent_decode(&decoded);
        if decoded.starts_with("//") || decoded.contains(['\\', '\r', '\n', '\t', '\0']) {
            return None;
        }
    }
    Some(url[Position::BeforePath..].to_owned())
}

fn percent_decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        match (byte, digit(ahead.next()), digit(ahead.next())) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                bytes = ahead;
            }
            _ => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ORIGIN: &str = "https://app.example";

    #[test]
    fn pages_of_this_site_are_kept() {
        for (wanted, kept) in [
            ("/", "/"),
            ("/album?page=2&q=a%20b", "/album?page=2&q=a%20b"),
            ("/a/../b", "/b"),
            ("/search?url=https://other.example/", "/search?url=https://other.example/"),
            ("/caf\u{e9}", "/caf%C3%A9"),
            ("/a%2Fb", "/a%2Fb"),
            ("/@user:1", "/@user:1"),
            ("/page#part", "/page#part"),
            ("https://app.example/album?x=1", "/album?x=1"),
            ("https://app.example", "/"),
        ] {
            assert_eq!(same_site(ORIGIN, wanted).as_deref(), Some(kept), "{wanted}");
        }
    }

    #[test]
    fn the_known_tricks_to_leave_the_site_fail() {
        for trick in [
            "",
            "album",
            "//evil.example",
            "///evil.example",
            "////evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "\\/evil.example",
            "/\\/evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "/\r\n/evil.example",
            "\t//evil.example",
            " //evil.example",
            "/ /evil.example",
            "/%09/evil.example",
            "/%0d%0aLocation:%20https://evil.example",
            "/%0a/evil.example",
            "/%2f/evil.example",
            "/%2fevil.example",
            "/%2F%2Fevil.example",
            "/%5cevil.example",
            "/%5Cevil.example",
            "/%252f%252fevil.example",
            "/%25252fevil.example",
            "/.//evil.example",
            "/..//evil.example",
            "/a/..//evil.example",
            "/%2e%2e//evil.example",
            "https://evil.example",
            "https:evil.example",
            "https:/evil.example",
            "http:///evil.example",
            "HTTPS://evil.example",
            "https://app.example.evil.example/",
            "https://app.example@evil.example/",
            "https://app.exampleevil.example",
            "https://app.example:444/",
            "http://app.example/",
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "java\nscript:alert(1)",
            "/\u{0}/evil.example",
            "data:text/html,x",
            "vbscript:x",
            "@evil.example",
            ".evil.example",
            "?next=//evil.example",
            "#//evil.example",
            "/%00",
        ] {
            assert_eq!(same_site(ORIGIN, trick), None, "{trick:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_kept_stays_on_this_site(wanted in "[/\\\\.%0-9a-f:@?#h\t]{0,24}") {
            if let Some(kept) = same_site(ORIGIN, &wanted) {
                let url = Url::parse(ORIGIN).unwrap().join(&kept).unwrap();
                prop_assert_eq!(url.origin(), Url::parse(ORIGIN).unwrap().origin());
                prop_assert!(kept.starts_with('/') && !kept.starts_with("//"));
                prop_assert_eq!(same_site(ORIGIN, &kept), Some(kept));
            }
        }
    }
}
