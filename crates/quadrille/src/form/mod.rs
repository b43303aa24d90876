//! Parameters of a query or a form body (RFC 6749, appendix B).

mod declared;
mod encoding;
mod writer;

use std::{borrow::Cow, fmt};

use bytes::Bytes;
use http::Request;

use declared::is_coded;
pub(crate) use declared::{Declared, FORM, is_form};
pub(super) use encoding::{decode, encode_into};
pub(crate) use encoding::{from_hex, hex_digit, is_unreserved, percent_decode};
pub use writer::FormWriter;

/// The reason why parameters cannot be read. Contains no part of the input.
///
/// ```
/// use quadrille::form::{FormError, Params};
///
/// let params = Params::parse(b"scope=a&scope=b")?;
/// assert_eq!(params.one("scope"), Err(FormError::Duplicate("scope")));
/// # Ok::<(), FormError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum FormError {
    /// A parameter is not UTF-8, before or after percent-decoding.
    #[error("the parameters are not UTF-8")]
    NotUtf8,
    /// A percent sign is not followed by two hexadecimal digits.
    #[error("a parameter holds a percent sign without two hexadecimal digits after it")]
    BrokenPercent,
    /// A parameter contains NUL, plain or percent-encoded.
    #[error("a parameter holds a NUL")]
    Nul,
    /// All parameters together are longer than [`Limits::bytes`].
    #[error("the parameters are too long")]
    TooLong,
    /// A parameter is longer than [`Limits::value_bytes`].
    #[error("a parameter is too long")]
    ValueTooLong,
    /// There are more parameters than [`Limits::parameters`].
    #[error("there are too many parameters")]
    TooMany,
    /// This parameter is repeated.
    #[error("the parameter {0} is repeated")]
    Duplicate(&'static str),
    /// The body is not declared as `application/x-www-form-urlencoded`.
    #[error("the body must be application/x-www-form-urlencoded")]
    ContentType,
    /// The body is compressed (RFC 9110, section 8.4).
    #[error("the body has a Content-Encoding: a form is sent as it is")]
    ContentEncoding,
}

/// Limits of the input.
///
/// ```
/// use quadrille::form::{FormError, Limits, Params};
///
/// let limits = Limits { parameters: 1, ..Limits::default() };
/// assert_eq!(Params::parse_within(b"a=1&b=2", limits).unwrap_err(), FormError::TooMany);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes in all, before decoding.
    pub bytes: usize,
    /// Bytes of a name and its value together, before decoding.
    pub value_bytes: usize,
    /// The number of parameters.
    pub parameters: usize,
}

impl Limits {
    /// 64 KiB in total, 16 KiB per parameter, 64 parameters: room for any assertion or request
    /// object.
    pub const DEFAULT: Self = Self { bytes: 64 * 1024, value_bytes: 16 * 1024, parameters: 64 };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The parameters of a query or a form body, in order.
///
/// Copies only percent-encoded values. A parameter without a value counts as missing, and none may
/// be repeated unless its specification allows that (RFC 6749, section 3.1): read it with
/// [`one`](Self::one), or with [`many`](Self::many) if it may.
///
/// A malformed parameter is an error only for the caller that reads it: unknown parameters are
/// ignored (RFC 6749, section 3.1), including malformed ones.
///
/// ```
/// use quadrille::form::{FormError, Params};
///
/// let params = Params::parse(b"grant_type=authorization_code&code=a%2Fb&scope=&x=1&x=2")?;
/// assert_eq!(params.one("code")?, Some("a/b"));
/// assert_eq!(params.one("scope")?, None);
/// assert_eq!(params.one("x"), Err(FormError::Duplicate("x")));
/// assert_eq!(params.many("x").collect::<Vec<_>>(), ["1", "2"]);
///
/// let params = Params::parse(b"code=a&utm_campaign=100%")?;
/// assert_eq!(params.one("code")?, Some("a"));
/// assert_eq!(params.one("utm_campaign"), Err(FormError::BrokenPercent));
/// # Ok::<(), FormError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Params<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// Malformed parameters: the name, if that was decoded, and the reason.
    broken: Vec<(Option<Cow<'a, str>>, FormError)>,
}

impl<'a> Params<'a> {
    /// Reads a query (without its question mark) or a form body.
    ///
    /// # Errors
    /// [`FormError::TooLong`], [`FormError::ValueTooLong`] and [`FormError::TooMany`].
    pub fn parse(input: &'a [u8]) -> Result<Self, FormError> {
        Self::parse_within(input, Limits::DEFAULT)
    }

    /// [`Params::parse`] with other limits.
    ///
    /// # Errors
    /// See [`Params::parse`].
    pub fn parse_within(input: &'a [u8], limits: Limits) -> Result<Self, FormError> {
        if input.len() > limits.bytes {
            return Err(FormError::TooLong);
        }
        let capacity = if input.is_empty() { 0 } else { 8 };
        let mut params = Self { pairs: Vec::with_capacity(capacity), broken: Vec::new() };
        // Most inputs are UTF-8 throughout and need one check.
        let text = std::str::from_utf8(input).ok();
        // One pass over all bytes; most pairs need no second one.
        let mut pair = Pair::default();
        for (at, byte) in input.iter().enumerate() {
            if !is_mark(*byte) {
                continue;
            }
            match byte {
                b'&' => {
                    params.push(input, text, pair, at, limits)?;
                    pair = Pair { start: at + 1, ..Pair::default() };
                }
                b'=' if pair.equals.is_none() => pair.equals = Some(at),
                b'%' | b'+' | 0 => pair.is_encoded = true,
                _ => {}
            }
        }
        params.push(input, text, pair, input.len(), limits)?;
        Ok(params)
    }

    /// Adds the pair that ends before `end`, unless it is empty.
    fn push(
        &mut self,
        input: &'a [u8],
        text: Option<&'a str>,
        pair: Pair,
        end: usize,
        limits: Limits,
    ) -> Result<(), FormError> {
        if pair.start == end {
            return Ok(());
        }
        if self.pairs.len() + self.broken.len() == limits.parameters {
            return Err(FormError::TooMany);
        }
        if end - pair.start > limits.value_bytes {
            return Err(FormError::ValueTooLong);
        }
        let equals = pair.equals.unwrap_or(end);
        let part = |from: usize, to: usize| {
            let raw = match text {
                Some(text) => text.get(from..to),
                None => std::str::from_utf8(input.get(from..to).unwrap_or_default())
                    .map(Some)
                    .map_err(|_| FormError::NotUtf8)?,
            }
            .unwrap_or_default();
            match pair.is_encoded {
                true if raw.contains('\0') => Err(FormError::Nul),
                true => decode(raw),
                false => Ok(Cow::Borrowed(raw)),
            }
        };
        match (part(pair.start, equals), part(equals + 1, end.max(equals + 1))) {
            (Ok(name), Ok(value)) => self.pairs.push((name, value)),
            (Ok(name), Err(error)) => self.broken.push((Some(name), error)),
            (Err(error), _) => self.broken.push((None, error)),
        }
        Ok(())
    }

    /// The parameters without those of these names, and with others in their place.
    #[cfg(feature = "provider")]
    pub(crate) fn replaced(
        mut self,
        is_replaced: impl Fn(&str) -> bool,
        by: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        self.pairs.retain(|(name, _)| !is_replaced(name));
        self.broken.retain(|(name, _)| name.as_deref().is_none_or(|name| !is_replaced(name)));
        self.pairs.extend(by.into_iter().map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// Checks that every parameter of this name was decoded.
    pub(super) fn check(&self, name: &str) -> Result<(), FormError> {
        let mut broken = self.broken.iter();
        match broken.find(|(known, _)| known.as_deref() == Some(name)) {
            Some((_, error)) => Err(*error),
            None => Ok(()),
        }
    }

    /// The names of malformed parameters.
    pub(crate) fn broken_names(&self) -> impl Iterator<Item = &str> {
        self.broken.iter().filter_map(|(name, _)| name.as_deref())
    }

    /// The parameters in the query of `request`; empty without a query.
    ///
    /// # Errors
    /// See [`Params::parse`].
    ///
    /// ```
    /// use quadrille::form::Params;
    ///
    /// let request = http::Request::get("/authorize?client_id=web").body(()).unwrap();
    /// assert_eq!(Params::of_query(&request)?.one("client_id")?, Some("web"));
    /// # Ok::<(), quadrille::form::FormError>(())
    /// ```
    pub fn of_query<B>(request: &'a Request<B>) -> Result<Self, FormError> {
        Self::parse(request.uri().query().unwrap_or("").as_bytes())
    }

    /// The parameters in the body of `request`, which must be declared as
    /// `application/x-www-form-urlencoded`. An empty body needs no declaration. Line ends after a form
    /// are no part of it: clients of HTTP/1.0 send one, and within a form they are encoded.
    ///
    /// # Errors
    /// See [`Params::parse`]; [`FormError::ContentType`], [`FormError::ContentEncoding`].
    ///
    /// ```
    /// use bytes::Bytes;
    /// use quadrille::form::{FormError, Params};
    ///
    /// let body = Bytes::from_static(br#"{"grant_type":"client_credentials"}"#);
    /// let request = http::Request::post("/token").header("content-type", "application/json");
    /// let request = request.body(body).unwrap();
    /// assert_eq!(Params::of_body(&request), Err(FormError::ContentType));
    /// ```
    pub fn of_body(request: &'a Request<Bytes>) -> Result<Self, FormError> {
        Self::of_body_within(request, Limits::DEFAULT)
    }

    /// [`Params::of_body`] with other limits.
    ///
    /// # Errors
    /// See [`Params::of_body`].
    pub fn of_body_within(request: &'a Request<Bytes>, limits: Limits) -> Result<Self, FormError> {
        if request.body().is_empty() {
            return Ok(Self::default());
        }
        if is_coded(request.headers()) {
            return Err(FormError::ContentEncoding);
        }
        if !is_form(request.headers()) {
            return Err(FormError::ContentType);
        }
        Self::parse_within(without_line_ends(request.body()), limits)
    }

    /// The parameters in a response of unknown type. Nearly any text reads as a form, so its names
    /// must look like names. A value that is not UTF-8 affects no other.
    pub(crate) fn of_answer(text: &'a str) -> Option<Self> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._[]".contains(&byte);
        let params = Self::parse(text.as_bytes()).ok()?;
        let is_form = params.iter().all(|(name, _)| name.bytes().all(is_name))
            && params
                .broken
                .iter()
                .all(|(name, _)| name.as_ref().is_some_and(|name| name.bytes().all(is_name)));
        is_form.then_some(params)
    }

    /// The value of a parameter that must not be repeated; `None` if it is missing or empty.
    ///
    /// # Errors
    /// [`FormError::Duplicate`] if it has several values, even equal ones, or the reason why it
    /// cannot be decoded.
    pub fn one(&self, name: &'static str) -> Result<Option<&str>, FormError> {
        self.check(name)?;
        let mut values = self.many(name);
        let first = values.next();
        if values.next().is_some() { Err(FormError::Duplicate(name)) } else { Ok(first) }
    }

    /// The values of a parameter that may be repeated, such as `resource` (RFC 8707, section 2).
    /// Skips malformed ones.
    pub fn many<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s str> {
        self.iter()
            .filter(move |(known, value)| *known == name && !value.is_empty())
            .map(|(_, v)| v)
    }

    /// All decoded names and values, in order, including empty values.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Whether there are no parameters.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty() && self.broken.is_empty()
    }
}

/// A form without the line ends after it.
pub(crate) fn without_line_ends(mut form: &[u8]) -> &[u8] {
    while let [before @ .., b'\r' | b'\n'] = form {
        form = before;
    }
    form
}

/// Whether a byte means something in a form, of which most bytes mean nothing.
const fn is_mark(byte: u8) -> bool {
    const MARKS: u64 = 1 | 1 << b'&' | 1 << b'=' | 1 << b'%' | 1 << b'+';
    byte < 64 && MARKS >> byte & 1 == 1
}

/// The position of a pair read so far.
#[derive(Clone, Copy, Default)]
struct Pair {
    start: usize,
    equals: Option<usize>,
    is_encoded: bool,
}

/// Only names: values may be secrets.
impl fmt::Debug for Params<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Params")?;
        f.debug_list().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use http::header::{CONTENT_ENCODING, CONTENT_TYPE};

    use super::*;

    #[test]
    fn each_kind_of_broken_input_has_its_own_reason() {
        let cases: [(&[u8], FormError); 7] = [
            (b"a=\xff", FormError::NotUtf8),
            (b"a=%ff", FormError::NotUtf8),
            (b"a=%", FormError::BrokenPercent),
            (b"a=%4", FormError::BrokenPercent),
            (b"a=%zz", FormError::BrokenPercent),
            (b"a=\0", FormError::Nul),
            (b"a=%00", FormError::Nul),
        ];
        for (input, error) in cases {
            let params = Params::parse(input).unwrap();
            assert_eq!(params.one("a"), Err(error), "{}", input.escape_ascii());
        }
        let unnamed = Params::parse(b"%=a").unwrap();
        assert_eq!(unnamed.iter().count(), 0);
    }

    #[test]
    fn what_nobody_asks_for_may_be_broken() {
        for broken in [
            &b"utm_campaign=100%"[..],
            b"q=caf%E9",
            b"q=caf\xe9",
            b"caf\xe9=q",
            b"caf%E9=q",
            b"q=%u00f3",
            b"q=%00",
            b"q=\0",
            b"q\0=1",
            b"q=1&q=%&q=2",
        ] {
            for whole in [[broken, b"&code=a"].concat(), [b"code=a&", broken].concat()] {
                let params = Params::parse(&whole).unwrap();
                assert_eq!(params.one("code"), Ok(Some("a")), "{}", whole.escape_ascii());
            }
        }
        let twice = Params::parse(b"code=a&code=%").unwrap();
        assert_eq!(twice.one("code"), Err(FormError::BrokenPercent), "it is not the first one");
    }

    #[test]
    fn limits_hold_to_the_byte() {
        let limits = Limits { bytes: 7, value_bytes: 4, parameters: 2 };
        assert!(Params::parse_within(b"aa=1&b=", limits).is_ok());
        assert_eq!(Params::parse_within(b"aa=1&b=2", limits), Err(FormError::TooLong));
        assert_eq!(Params::parse_within(b"aa=12", limits), Err(FormError::ValueTooLong));
        assert_eq!(Params::parse_within(b"a&b&c", limits), Err(FormError::TooMany));
        assert_eq!(Params::parse(&[b'a'; 16 * 1024 + 1]), Err(FormError::ValueTooLong));
        assert_eq!(Params::parse("a&".repeat(65).as_bytes()), Err(FormError::TooMany));
    }

    #[test]
    fn nothing_is_copied_that_was_not_encoded() {
        let params = Params::parse(b"plain=value&enc%6Fded=a+b").unwrap();
        assert!(matches!(params.pairs[0], (Cow::Borrowed("plain"), Cow::Borrowed("value"))));
        assert_eq!(params.one("encoded"), Ok(Some("a b")));
    }

    #[test]
    fn a_parameter_without_a_value_is_left_out_and_does_not_count_as_a_repeat() {
        let params = Params::parse(b"&a&b=&c=1&c=&&=x").unwrap();
        assert_eq!(params.one("a"), Ok(None));
        assert_eq!(params.one("b"), Ok(None));
        assert_eq!(params.one("c"), Ok(Some("1")));
        assert_eq!(params.iter().count(), 5);
    }

    #[test]
    fn a_body_must_say_that_it_is_a_form() {
        let request = |content_type: &str| {
            Request::post("/").header(CONTENT_TYPE, content_type).body(Bytes::from("a=1")).unwrap()
        };
        for good in [
            "application/x-www-form-urlencoded",
            "Application/X-WWW-Form-URLEncoded ; charset=UTF-8",
        ] {
            assert_eq!(Params::of_body(&request(good)).unwrap().one("a"), Ok(Some("1")));
        }
        for bad in ["text/plain", "application/json", "application/x-www-form-urlencodedx", ""] {
            assert_eq!(Params::of_body(&request(bad)), Err(FormError::ContentType), "{bad}");
        }
        let undeclared = Request::post("/").body(Bytes::from("a=1")).unwrap();
        assert_eq!(Params::of_body(&undeclared), Err(FormError::ContentType));
        let empty = Request::post("/").body(Bytes::new()).unwrap();
        assert_eq!(Params::of_body(&empty), Ok(Params::default()));
    }

    #[test]
    fn line_ends_after_a_form_are_no_part_of_its_last_value() {
        for end in ["\r\n", "\n", "\r\n\r\n", ""] {
            let body = Bytes::from(format!("a=1\n&b=2%0D%0A{end}"));
            let request = Request::post("/").header(CONTENT_TYPE, FORM).body(body).unwrap();
            let params = Params::of_body(&request).unwrap();
            assert_eq!(params.one("a"), Ok(Some("1\n")));
            assert_eq!(params.one("b"), Ok(Some("2\r\n")), "one that is encoded is meant");
        }
        let request = Request::post("/").header(CONTENT_TYPE, FORM).body("\r\n".into()).unwrap();
        assert_eq!(Params::of_body(&request), Ok(Params::default()));
    }

    #[test]
    fn a_compressed_form_is_no_form_to_any_reader_and_called_so() {
        let request = |coding: &str| {
            let request = Request::post("/").header(CONTENT_TYPE, FORM);
            request.header(CONTENT_ENCODING, coding).body(Bytes::from("a=1")).unwrap()
        };
        for coding in ["gzip", "GZIP", "gzip, identity", "identity, br", "x", ""] {
            let request = request(coding);
            assert_eq!(Params::of_body(&request), Err(FormError::ContentEncoding), "{coding}");
            assert_eq!(Declared::of(request.headers()), Declared::Ambiguous, "{coding}");
        }
        for none in ["identity", " Identity "] {
            assert_eq!(Params::of_body(&request(none)).unwrap().one("a"), Ok(Some("1")), "{none}");
        }
        let empty = Request::post("/").header(CONTENT_ENCODING, "gzip").body(Bytes::new()).unwrap();
        assert_eq!(Params::of_body(&empty), Ok(Params::default()));
    }
}
