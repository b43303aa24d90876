//! PEM and DER, as far as keys need them.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use zeroize::Zeroizing;

/// The reason why a text is not PEM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PemError {
    /// The text is not PEM, or incomplete.
    NotPem,
    /// The key is encrypted with a passphrase.
    Encrypted,
}

/// The label and the contents of the first PEM block (RFC 7468).
pub(crate) fn decode_pem(pem: &str) -> Result<(&str, Zeroizing<Vec<u8>>), PemError> {
    let (_, rest) = pem.split_once("-----BEGIN ").ok_or(PemError::NotPem)?;
    let (label, rest) = rest.split_once("-----").ok_or(PemError::NotPem)?;
    let (body, rest) = rest.split_once("-----END ").ok_or(PemError::NotPem)?;
    if !rest.starts_with(label) {
        return Err(PemError::NotPem);
    }
    // OpenSSL writes this header before an encrypted PKCS#1 key.
    if body.contains("ENCRYPTED") || label.starts_with("ENCRYPTED") {
        return Err(PemError::Encrypted);
    }
    // Environment variables often spell line breaks as two characters.
    let body = Zeroizing::new(body.replace("\\n", ""));
    let text: Zeroizing<String> =
        Zeroizing::new(body.chars().filter(|char| !char.is_ascii_whitespace()).collect());
    let der = BASE64_STANDARD.decode(text.as_bytes()).map_err(|_| PemError::NotPem)?;
    Ok((label, Zeroizing::new(der)))
}

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const OCTETS: u8 = 0x04;
pub(crate) const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

/// A DER element: tag, contents, complete bytes, and the rest of the input.
pub(crate) struct Element<'a> {
    tag: u8,
    pub(crate) contents: &'a [u8],
    whole: &'a [u8],
    pub(crate) rest: &'a [u8],
}

impl<'a> Element<'a> {
    /// The first element of these bytes.
    pub(crate) fn first(der: &'a [u8]) -> Option<Self> {
        let (tag, after) = der.split_first()?;
        let (first, mut after) = after.split_first()?;
        let mut length = usize::from(*first);
        if length >= 0x80 {
            let count = length - 0x80;
            // No key needs a longer length.
            if count > 3 {
                return None;
            }
            let (digits, tail) = after.split_at_checked(count)?;
            length = digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit));
            after = tail;
        }
        let (contents, rest) = after.split_at_checked(length)?;
        let whole = der.get(..der.len() - rest.len())?;
        Some(Self { tag: *tag, contents, whole, rest })
    }

    /// This element, if it has the tag.
    pub(crate) fn is(self, tag: u8) -> Option<Self> {
        (self.tag == tag).then_some(self)
    }
}

/// The integers of a sequence, without leading zeros: an `RSAPublicKey`, or the `RSAPrivateKey`
/// with its version (RFC 8017, appendix A.1). Its numbers are positive.
pub(crate) fn integers(der: &[u8]) -> Option<Vec<&[u8]>> {
    let mut rest = Element::first(der)?.is(SEQUENCE)?.contents;
    let mut all = Vec::new();
    while !rest.is_empty() {
        let integer = Element::first(rest)?.is(INTEGER)?;
        all.push(without_zeros(integer.contents));
        rest = integer.rest;
    }
    Some(all)
}

/// A big-endian number without leading zeros.
pub(crate) fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

/// The length of a big-endian number in bits.
pub(crate) fn bits(number: &[u8]) -> usize {
    let number = without_zeros(number);
    let top = number.first().map_or(0, |top| top.leading_zeros() as usize);
    number.len() * 8 - top
}

/// The private key of a PKCS#8 document (RFC 5208, section 5).
pub(crate) fn key_of_pkcs8(der: &[u8]) -> Option<&[u8]> {
    let document = Element::first(der)?.is(SEQUENCE)?;
    let version = Element::first(document.contents)?.is(INTEGER)?;
    let algorithm = Element::first(version.rest)?.is(SEQUENCE)?;
    Some(Element::first(algorithm.rest)?.is(OCTETS)?.contents)
}

/// The `SubjectPublicKeyInfo` of a certificate (RFC 5280, section 4.1).
pub(crate) fn key_of_certificate(der: &[u8]) -> Option<&[u8]> {
    let certificate = Element::first(der)?.is(SEQUENCE)?;
    let signed = Element::first(certificate.contents)?.is(SEQUENCE)?;
    let mut fields = signed.contents;
    if let Some(version) = Element::first(fields)?.is(VERSION) {
        fields = version.rest;
    }
    // Serial number, signature algorithm, issuer, validity, subject.
    for _ in 0..5 {
        fields = Element::first(fields)?.rest;
    }
    Some(Element::first(fields)?.is(SEQUENCE)?.whole)
}
