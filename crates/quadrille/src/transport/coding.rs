//! Compressed responses. No request asks for them, but some services send them.

use std::io::Read;

use bytes::Bytes;
use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::{HeaderMap, header::CONTENT_ENCODING};

/// The reason why a body cannot be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DecodeError {
    /// The decoded body is longer than the limit.
    TooLarge,
    /// The content coding is unknown, or the body violates it.
    Coding,
}

/// Decodes the content coding of a body (RFC 9110, section 8.4), up to `limit` bytes.
pub(super) fn decoded(
    headers: &HeaderMap,
    body: Bytes,
    limit: usize,
) -> Result<Bytes, DecodeError> {
    let mut coding = None;
    for value in headers.get_all(CONTENT_ENCODING) {
        let value = value.to_str().map_err(|_| DecodeError::Coding)?;
        for name in value.split(',').map(str::trim) {
            if name.is_empty() || name.eq_ignore_ascii_case("identity") {
                continue;
            }
            if coding.replace(name.to_ascii_lowercase()).is_some() {
                return Err(DecodeError::Coding);
            }
        }
    }
    match coding.as_deref() {
        None => Ok(body),
        // A response without a body, such as 204, may name a coding.
        Some(_) if body.is_empty() => Ok(body),
        Some("gzip" | "x-gzip") => inflate(MultiGzDecoder::new(&*body), limit),
        // The specification means zlib; some servers send raw deflate.
        Some("deflate") => match inflate(ZlibDecoder::new(&*body), limit) {
            Err(DecodeError::Coding) => inflate(DeflateDecoder::new(&*body), limit),
            other => other,
        },
        Some(_) => Err(DecodeError::Coding),
    }
}

/// Reads at most `limit` bytes of output.
fn inflate(reader: impl Read, limit: usize) -> Result<Bytes, DecodeError> {
    let mut out = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    reader.take(most).read_to_end(&mut out).map_err(|_| DecodeError::Coding)?;
    if out.len() > limit { Err(DecodeError::TooLarge) } else { Ok(out.into()) }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{
        Compression,
        write::{DeflateEncoder, GzEncoder, ZlibEncoder},
    };
    use http::HeaderValue;

    use super::*;

    fn headers(codings: &[&'static str]) -> HeaderMap {
        codings.iter().map(|coding| (CONTENT_ENCODING, HeaderValue::from_static(coding))).collect()
    }

    fn gzip(plain: &[u8]) -> Bytes {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap().into()
    }

    #[test]
    fn gzip_and_deflate_are_undone_and_other_codings_refused() {
        let plain = Bytes::from_static(b"{\"access_token\":\"a\"}");
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(&plain).unwrap();
        let zlib = Bytes::from(zlib.finish().unwrap());
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::default());
        raw.write_all(&plain).unwrap();
        let raw = Bytes::from(raw.finish().unwrap());
        let decode =
            |codings: &[&'static str], body: &Bytes| decoded(&headers(codings), body.clone(), 1024);
        assert_eq!(decode(&[], &plain), Ok(plain.clone()));
        assert_eq!(decode(&["identity"], &plain), Ok(plain.clone()));
        assert_eq!(decode(&["", "identity, identity"], &plain), Ok(plain.clone()));
        assert_eq!(decode(&["gzip"], &gzip(&plain)), Ok(plain.clone()));
        assert_eq!(decode(&["GZIP"], &gzip(&plain)), Ok(plain.clone()));
        assert_eq!(decode(&["identity, x-gzip"], &gzip(&plain)), Ok(plain.clone()));
        assert_eq!(decode(&["deflate"], &zlib), Ok(plain.clone()));
        assert_eq!(decode(&["deflate"], &raw), Ok(plain.clone()));
        assert_eq!(decode(&["gzip"], &Bytes::new()), Ok(Bytes::new()));
        let broken = gzip(&plain).slice(..20);
        for (codings, body) in [
            (&["br"][..], &plain),
            (&["zstd"], &plain),
            (&["gzip, gzip"], &plain),
            (&["gzip", "br"], &plain),
            (&["gzip"], &plain),
            (&["gzip"], &broken),
            (&["deflate"], &plain),
        ] {
            assert_eq!(decode(codings, body), Err(DecodeError::Coding), "{codings:?}");
        }
    }

    #[test]
    fn what_is_small_and_becomes_large_is_not_read_to_its_end() {
        let bomb = gzip(&vec![0; 10 * 1024 * 1024]);
        assert!(bomb.len() < 16 * 1024);
        let limit = 256 * 1024;
        assert_eq!(decoded(&headers(&["gzip"]), bomb, limit), Err(DecodeError::TooLarge));
        let fits = gzip(&vec![0; limit]);
        assert_eq!(decoded(&headers(&["gzip"]), fits, limit).unwrap().len(), limit);
    }
}
