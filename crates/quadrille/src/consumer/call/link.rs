//! Links in headers (RFC 8288).

use std::{iter::Peekable, str::Chars};

use http::{HeaderMap, header};

/// The target of the first link to the next page (`rel="next"`), a URL relative to the response's.
/// A link from another resource than the response (`anchor`) does not count.
pub(super) fn next_page(headers: &HeaderMap) -> Option<String> {
    headers.get_all(header::LINK).iter().find_map(|value| {
        let value = String::from_utf8_lossy(value.as_bytes());
        let mut chars = value.chars().peekable();
        std::iter::from_fn(|| Link::read(&mut chars)).find(Link::is_next).map(|link| link.target)
    })
}

struct Link {
    target: String,
    /// The first `rel`; others do not count (section 3.3).
    rel: Option<String>,
    is_anchored: bool,
}

impl Link {
    /// Reads one link (section 3); `None` at the end, or where no link begins.
    fn read(chars: &mut Peekable<Chars<'_>>) -> Option<Self> {
        skip(chars, |char| char.is_ascii_whitespace() || char == ',');
        chars.next_if_eq(&'<')?;
        let mut target = String::new();
        loop {
            match chars.next()? {
                '>' => break,
                char => target.push(char),
            }
        }
        let mut link = Self { target: target.trim().to_owned(), rel: None, is_anchored: false };
        loop {
            skip(chars, |char| char.is_ascii_whitespace());
            match chars.next() {
                Some(';') => link.read_parameter(chars),
                None | Some(',') => return Some(link),
                Some(_) => {}
            }
        }
    }

    fn read_parameter(&mut self, chars: &mut Peekable<Chars<'_>>) {
        skip(chars, |char| char.is_ascii_whitespace());
        let is_name = |char: char| !char.is_ascii_whitespace() && !matches!(char, '=' | ';' | ',');
        let name = take(chars, is_name);
        skip(chars, |char| char.is_ascii_whitespace());
        let value = match chars.next_if_eq(&'=') {
            Some(_) => value(chars),
            None => String::new(),
        };
        if name.eq_ignore_ascii_case("anchor") {
            self.is_anchored = true;
        } else if name.eq_ignore_ascii_case("rel") && self.rel.is_none() {
            self.rel = Some(value);
        }
    }

    fn is_next(&self) -> bool {
        let mut relations = self.rel.iter().flat_map(|rel| rel.split_ascii_whitespace());
        !self.is_anchored && relations.any(|relation| relation.eq_ignore_ascii_case("next"))
    }
}

/// A token or a quoted string (RFC 9110, section 5.6.4).
fn value(chars: &mut Peekable<Chars<'_>>) -> String {
    skip(chars, |char| char.is_ascii_whitespace());
    if chars.next_if_eq(&'"').is_none() {
        return take(chars, |char| !char.is_ascii_whitespace() && !matches!(char, ';' | ','));
    }
    let mut value = String::new();
    while let Some(char) = chars.next() {
        match char {
            '"' => break,
            '\\' => value.extend(chars.next()),
            char => value.push(char),
        }
    }
    value
}

fn skip(chars: &mut Peekable<Chars<'_>>, is_skipped: impl Fn(char) -> bool) {
    while chars.next_if(|char| is_skipped(*char)).is_some() {}
}

fn take(chars: &mut Peekable<Chars<'_>>, is_taken: impl Fn(char) -> bool) -> String {
    std::iter::from_fn(|| chars.next_if(|char| is_taken(*char))).collect()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn next(values: &[&str]) -> Option<String> {
        let value =
            |value: &&str| (header::LINK, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        next_page(&values.iter().map(value).collect())
    }

    #[test]
    fn the_link_to_the_next_page_is_found_among_others() {
        for (values, expected) in [
            (&["</2>; rel=\"next\""][..], Some("/2")),
            (&["</1>; rel=\"prev\", </3>; rel=\"next\""], Some("/3")),
            (&["</1>; rel=prev", "</3>;rel=next"], Some("/3")),
            (&["</1>; rel=\"first prev\",</3>; rel=\"last NEXT\""], Some("/3")),
            (
                &["</a,b;c>; rel=\"prev\"; title=\"a, <b>; rel=\\\"next\\\"\", </2>; rel=next"],
                Some("/2"),
            ),
            (&["</2?a=1,2&b=3>; title=\"x;y\" ; REL = \"next\""], Some("/2?a=1,2&b=3")),
            (&[" , ,</2>; crossorigin; rel=next,"], Some("/2")),
            (&["</2>; rel=next; rel=prev"], Some("/2")),
            (&["</2>; rel=prev; rel=next"], None),
            (&["</2>; rel=\"nextish\""], None),
            (&["</2>; rel=next; anchor=\"/other\""], None),
            (&["</2>; title=\"rel=next\""], None),
            (&["<>; rel=next"], Some("")),
            (&["</2; rel=next"], None),
            (&["/2; rel=next"], None),
            (&["</2>"], None),
            (&[""], None),
            (&[], None),
        ] {
            assert_eq!(next(values).as_deref(), expected, "{values:?}");
        }
    }

    proptest! {
        #[test]
        fn no_header_confuses_the_reader(bytes in "[ -~]{0,200}") {
            let _ = next(&[&bytes]);
        }

        #[test]
        fn any_text_fits_a_quoted_string(title in "[ -~]{0,40}") {
            let quoted = title.replace('\\', "\\\\").replace('"', "\\\"");
            let value = format!("</1>; title=\"{quoted}\"; rel=prev, </2>; rel=next");
            prop_assert_eq!(next(&[&value]), Some("/2".to_owned()));
        }
    }
}
