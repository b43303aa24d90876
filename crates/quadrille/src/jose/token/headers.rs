//! The headers of tokens.

use std::{cell::RefCell, sync::Arc};

use crate::jose::{Header, TokenError, base64url};

/// The number of headers that a thread keeps.
const KEPT: usize = 8;

/// The longest text of a header that is kept, in bytes.
const LONGEST: usize = 256;

thread_local! {
    /// All tokens that a key signs for one purpose have the same header, whose reading costs as much as
    /// that of half the claims. Nothing secret is in it.
    static LATELY: RefCell<Lately> = const { RefCell::new(Lately::new()) };
}

/// The header with this text in a token.
///
/// # Errors
/// [`TokenError`].
pub(super) fn read(text: &str) -> Result<Arc<Header>, TokenError> {
    if let Some(known) = LATELY.with_borrow(|lately| lately.find(text)) {
        return Ok(known);
    }
    let json = base64url::decode(text).ok_or(TokenError::NotBase64Url)?;
    let header = Arc::new(Header::parse(&json)?);
    if header.is_plain() && text.len() <= LONGEST {
        LATELY.with_borrow_mut(|lately| lately.keep(text, &header));
    }
    Ok(header)
}

/// The headers that a thread has read lately.
struct Lately {
    headers: [Option<(Box<str>, Arc<Header>)>; KEPT],
    /// The place of the next one.
    next: usize,
}

impl Lately {
    const fn new() -> Self {
        Self { headers: [const { None }; KEPT], next: 0 }
    }

    fn find(&self, text: &str) -> Option<Arc<Header>> {
        let known = self.headers.iter().flatten().find(|(known, _)| **known == *text);
        known.map(|(_, header)| header.clone())
    }

    /// Keeps a header in the place of the oldest.
    fn keep(&mut self, text: &str, header: &Arc<Header>) {
        if let Some(place) = self.headers.get_mut(self.next) {
            *place = Some((text.into(), header.clone()));
        }
        self.next = (self.next + 1) % KEPT;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_again_as_it_was_among_any_number_of_others() {
        let text =
            |number: usize| base64url::encode(format!(r#"{{"alg":"ES256","kid":"{number}"}}"#));
        for round in [0..3 * KEPT, 0..KEPT, 5..2 * KEPT] {
            for number in round {
                for _ in 0..2 {
                    let header = read(&text(number)).unwrap();
                    assert_eq!(header.kid(), Some(&*number.to_string()));
                }
            }
        }
        let other = read(&base64url::encode(r#"{"alg":"EdDSA","kid":"0"}"#)).unwrap();
        assert_ne!(*other, *read(&text(0)).unwrap());
    }

    #[test]
    fn a_header_that_is_long_or_has_more_members_is_not_kept() {
        let kid = "k".repeat(LONGEST);
        for (json, is_kept) in [
            (r#"{"alg":"ES256","typ":"JWT","cty":"JWT","kid":"1"}"#.to_owned(), true),
            (format!(r#"{{"alg":"ES256","kid":"{kid}"}}"#), false),
            (r#"{"alg":"ES256","jku":"https://id.example"}"#.to_owned(), false),
        ] {
            let text = base64url::encode(json);
            let is_same = Arc::ptr_eq(&read(&text).unwrap(), &read(&text).unwrap());
            assert_eq!(is_same, is_kept, "{text}");
        }
    }

    #[test]
    fn a_header_that_is_rejected_is_rejected_again() {
        for _ in 0..2 {
            for (json, error) in [
                (r#"{"alg":"none"}"#, TokenError::Unsecured),
                (r#"{"alg":"ES256","crit":[]}"#, TokenError::Critical),
                (r#"{"alg":"ES256","alg":"ES256"}"#, TokenError::Repeated),
            ] {
                assert_eq!(read(&base64url::encode(json)).err(), Some(error), "{json}");
            }
            let padded = format!("{}=", base64url::encode(r#"{"alg":"ES256"}"#));
            assert!(read(padded.trim_end_matches('=')).is_ok());
            assert_eq!(read(&padded).err(), Some(TokenError::NotBase64Url));
        }
    }
}
