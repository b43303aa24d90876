//! The parameters in the query or the form of a request that may be signed, as received.

use std::borrow::Cow;

use http::Uri;

use crate::form::Declared;

use super::{
    RequestError,
    base_string::Covered,
    encoding::{decode_field, decode_text},
    header::Pair,
};

/// A form of an API may be larger than any message of the protocol.
const LONGEST: usize = 1 << 20;
const MOST: usize = 1000;

/// Encoded names and values. Decoded, they may be any bytes: a signature covers bytes (RFC 5849,
/// section 3.4.1.3), and only protocol parameters must be text.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn of_query(uri: &'a Uri) -> Self {
        Self(uri.query().unwrap_or("").as_bytes())
    }

    /// The fields of a body that some readers may take for a form.
    pub(super) fn of_body(declared: Declared, body: &'a [u8]) -> Self {
        match declared {
            Declared::Form | Declared::Ambiguous => Self(body),
            Declared::Other | Declared::Nothing => Self::default(),
        }
    }

    pub(super) const fn length(self) -> usize {
        self.0.len()
    }

    /// Whether a parameter claims that the request is signed. A link of a page may carry a token
    /// (`oauth_token`, `oauth_callback`) without being signed.
    pub(super) fn claim_a_signature(self) -> bool {
        const ANY: [&[u8]; 3] =
            [b"oauth_signature", b"oauth_signature_method", b"oauth_consumer_key"];
        self.fields().any(|field| {
            let starts = matches!(field.first(), Some(b'o' | b'%'));
            starts && decode_field(split(field).0).is_ok_and(|name| ANY.contains(&&*name))
        })
    }

    /// The parameters whose names begin with `oauth_`, decoded.
    ///
    /// # Errors
    /// [`RequestError`] if any parameter is malformed, there are too many, or one of the protocol
    /// is not UTF-8.
    pub(super) fn protocol(self) -> Result<Vec<Pair<'a>>, RequestError> {
        if self.0.len() > LONGEST {
            return Err(RequestError::TooLong);
        }
        let mut found = Vec::new();
        for (number, (name, value)) in self.pairs().enumerate() {
            if number == MOST {
                return Err(RequestError::TooMany);
            }
            check_encoding(name)?;
            check_encoding(value)?;
            let starts = matches!(name.first(), Some(b'o' | b'%'));
            if starts && decode_field(name)?.starts_with(b"oauth_") {
                found.push((decode_text(name)?, decode_text(value)?));
            }
        }
        Ok(found)
    }

    /// The values of the parameters with this name.
    pub(super) fn texts(
        self,
        name: &'static str,
    ) -> impl Iterator<Item = Result<Cow<'a, str>, RequestError>> {
        let is_it = move |raw| decode_field(raw).is_ok_and(|known| *known == *name.as_bytes());
        self.pairs().filter(move |(raw, _)| is_it(raw)).map(|(_, value)| decode_text(value))
    }

    /// All parameters, decoded.
    pub(super) fn decoded(self) -> impl Iterator<Item = (Cow<'a, [u8]>, Cow<'a, [u8]>)> {
        let decoded = |(name, value)| Some((decode_field(name).ok()?, decode_field(value).ok()?));
        self.pairs().filter_map(decoded)
    }

    /// Adds all parameters except the signature.
    pub(super) fn add_to(self, covered: &mut Covered) {
        // The encoding was checked when the parameters were read.
        let _ = covered.add_signed(self.0);
    }

    fn pairs(self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        self.fields().map(split)
    }

    /// Names with values, not split.
    fn fields(self) -> impl Iterator<Item = &'a [u8]> {
        self.0.split(|byte| *byte == b'&').filter(|field| !field.is_empty())
    }
}

/// The name and the value of a field.
fn split(field: &[u8]) -> (&[u8], &[u8]) {
    let equals = field.iter().position(|byte| *byte == b'=');
    let (name, value) = field.split_at(equals.unwrap_or(field.len()));
    (name, value.get(1..).unwrap_or_default())
}

/// Checks that two hexadecimal digits follow each percent sign.
fn check_encoding(raw: &[u8]) -> Result<(), RequestError> {
    if raw.contains(&b'%') { decode_field(raw).map(drop) } else { Ok(()) }
}
