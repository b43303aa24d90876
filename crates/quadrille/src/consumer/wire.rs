//! The compact encoding of sealed states and cookies: bytes with their lengths, and variable-length
//! numbers.

/// Writes fields in order.
#[derive(Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    pub(crate) fn number(&mut self, mut number: u64) -> &mut Self {
        while number >= 0x80 {
            self.0.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
        self
    }

    pub(crate) fn fixed(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        self.number(text.len() as u64).fixed(text.as_bytes())
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Reads fields in order; `None` once one is missing.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    #[inline]
    pub(crate) fn number(&mut self) -> Option<u64> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        // Most numbers are lengths of short texts.
        let mut number = u64::from(first & 0x7f);
        if first & 0x80 == 0 {
            return Some(number);
        }
        let mut shift = 7;
        while shift < u64::BITS {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
            shift += 7;
        }
        None
    }

    pub(crate) fn fixed<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*bytes)
    }

    #[inline]
    pub(crate) fn text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(bytes).ok()
    }
}

/// The texts one after the other. Their lengths keep "a" + "bc" from "ab" + "c".
pub(crate) fn lengths_first<const N: usize>(texts: [&str; N]) -> String {
    after(&[], texts)
}

/// The associated data of a box with this purpose whose site is the output of [`lengths_first`].
pub(crate) fn bound_to_all<const N: usize>(purpose: &str, texts: [&str; N]) -> String {
    after(&[purpose, "\0"], texts)
}

fn after<const N: usize>(beginning: &[&str], texts: [&str; N]) -> String {
    let beginning_length: usize = beginning.iter().map(|text| text.len()).sum();
    let length: usize = texts.iter().map(|text| text.len() + 5).sum();
    let mut out = String::with_capacity(beginning_length + length);
    out.extend(beginning.iter().copied());
    for text in texts {
        push_decimal(&mut out, text.len() as u64);
        out.push(':');
        out.push_str(text);
    }
    out
}

/// Appends a number, in a fraction of the time that the formatter of the standard library takes.
pub(crate) fn push_decimal(out: &mut String, number: u64) {
    if number >= 10 {
        push_decimal(out, number / 10);
    }
    out.push(char::from(b'0' + (number % 10) as u8));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_written_is_read(number: u64, text: String, fixed: [u8; 6]) {
            let mut writer = Writer::default();
            writer.number(number).text(&text).fixed(&fixed);
            let bytes = writer.finish();
            let mut reader = Reader(&bytes);
            prop_assert_eq!(reader.number(), Some(number));
            prop_assert_eq!(reader.text(), Some(&*text));
            prop_assert_eq!(reader.fixed(), Some(fixed));
            prop_assert_eq!(reader.number(), None);
        }

        #[test]
        fn each_text_follows_its_length(one: String, other: String) {
            let joined = lengths_first([&one, &other]);
            let written = format!("{}:{one}{}:{other}", one.len(), other.len());
            prop_assert_eq!(joined, written);
        }

        #[test]
        fn no_bytes_confuse_the_reader(bytes: Vec<u8>) {
            let mut reader = Reader(&bytes);
            while reader.text().is_some() {}
            let _ = reader.number();
        }
    }
}
