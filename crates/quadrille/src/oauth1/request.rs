//! A signed request, as the server reads and verifies it (RFC 5849, section 3.2).

use std::fmt;

use aws_lc_rs::{constant_time::verify_slices_are_equal, digest, hmac};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::request::Parts;

use crate::{
    Secret, Timestamp,
    oauth2::form::{Limits, Params},
};

use super::{
    Placement, RequestError, RsaVerifyingKey, SignatureMethod,
    base_string::{BaseString, Covered, Origin},
    header::{self, Pair},
    signer,
};

/// An API's forms may be larger than any message of the protocol.
const LIMITS: Limits = Limits { bytes: 1 << 20, value_bytes: 1 << 20, parameters: 1000 };

/// A request that says it is signed, read and in good form. Whether the signature is right is what
/// [`is_signed_by`](Self::is_signed_by) tells.
///
/// ```
/// use quadrille::{Env, Secret, oauth1::{SignatureMethod, SignedRequest, Signer, VerifyingKey}};
///
/// // The client signs ...
/// let secret = Secret::from("kd94hf93k423kf44");
/// let signer = Signer::hmac(SignatureMethod::HmacSha256, "dpf43f3p2l4k3l03", &secret)?
///     .token("nnch734d00sl2jdk", &Secret::from("pfkkdhi9sl3r4s00"));
/// let request = http::Request::get("https://photos.example/photos?size=original")
///     .body(bytes::Bytes::new())?;
/// let request = signer.sign(&Env::system(), request, &[])?;
///
/// // ... and the server reads and verifies, under the origin that it is known by.
/// let (parts, body) = request.into_parts();
/// let signed = SignedRequest::read(&parts, &body)?.ok_or("not signed")?;
/// assert_eq!((signed.client(), signed.token()), ("dpf43f3p2l4k3l03", Some("nnch734d00sl2jdk")));
/// let key = VerifyingKey::Shared {
///     client_secret: &secret,
///     token_secret: Some(&Secret::from("pfkkdhi9sl3r4s00")),
/// };
/// assert!(signed.is_signed_by("https://photos.example", &key));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct SignedRequest<'a> {
    parts: &'a Parts,
    placement: Placement,
    /// The protocol parameters where they came in the header.
    header: Vec<Pair<'a>>,
    query: Params<'a>,
    form: Params<'a>,
    is_form: bool,
    method: SignatureMethod,
    timestamp: Option<Timestamp>,
}

/// By what a signature is verified.
#[derive(Clone, Copy, Debug)]
pub enum VerifyingKey<'a> {
    /// The secrets that the client shares with the server: for HMAC and PLAINTEXT.
    Shared {
        /// The client's.
        client_secret: &'a Secret,
        /// The token's, where there is one.
        token_secret: Option<&'a Secret>,
    },
    /// The same secrets, made ready for one method: for HMAC.
    Hmac(&'a HmacVerifyingKey),
    /// The client's public key: for RSA.
    Rsa(&'a RsaVerifyingKey),
}

/// The secrets of a client and a token, made ready to verify many requests by one method. It can
/// sign as well, and so is as secret as they are.
///
/// ```
/// use quadrille::{Secret, oauth1::{HmacVerifyingKey, SignatureMethod}};
///
/// let (client, token) = (Secret::from("kd94hf93k423kf44"), Secret::from("pfkkdhi9sl3r4s00"));
/// let key = HmacVerifyingKey::new(SignatureMethod::HmacSha256, &client, Some(&token));
/// assert!(key.is_some());
/// assert!(HmacVerifyingKey::new(SignatureMethod::Plaintext, &client, Some(&token)).is_none());
/// ```
#[derive(Clone)]
pub struct HmacVerifyingKey {
    method: SignatureMethod,
    key: hmac::Key,
}

impl HmacVerifyingKey {
    /// For this method; `None` if it is not one of HMAC.
    pub fn new(
        method: SignatureMethod,
        client_secret: &Secret,
        token_secret: Option<&Secret>,
    ) -> Option<Self> {
        let algorithm = method.hmac()?;
        let key = signer::shared_key(client_secret, token_secret);
        Some(Self { method, key: hmac::Key::new(algorithm, &key) })
    }
}

impl fmt::Debug for HmacVerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HmacVerifyingKey").field("method", &self.method).finish_non_exhaustive()
    }
}

impl<'a> SignedRequest<'a> {
    /// Reads a request. `None`: it has no credentials of this kind at all.
    ///
    /// `body` matters only when it is a form, whose parameters are signed, too; bring it whole then.
    /// [`may_cover_the_body`](Self::may_cover_the_body) tells before.
    ///
    /// # Errors
    /// [`RequestError`], when it has credentials and they are not in good form.
    pub fn read(parts: &'a Parts, body: &'a [u8]) -> Result<Option<Self>, RequestError> {
        let header = header::find(&parts.headers)?;
        let is_form = crate::oauth2::form::is_form(&parts.headers);
        let query = parts.uri.query().unwrap_or("").as_bytes();
        let claims = |text: &[u8]| contains(text, b"oauth_");
        if header.is_none() {
            let other = header::is_of_another_scheme(&parts.headers);
            if other || !(claims(query) || (is_form && claims(body))) {
                return Ok(None);
            }
        }
        let header = header.map(header::parse).transpose()?;
        let read = |text| Params::parse_within(text, LIMITS).and_then(Params::all_readable);
        let query = read(query)?;
        let form = if is_form { read(body)? } else { Params::default() };
        let in_query = query.iter().any(|(name, _)| name.starts_with("oauth_"));
        let in_body = form.iter().any(|(name, _)| name.starts_with("oauth_"));
        let placement = match (&header, in_query, in_body) {
            (Some(_), false, false) => Placement::Header,
            (None, true, false) => Placement::Query,
            (None, false, true) => Placement::Body,
            (None, false, false) => return Ok(None),
            _ => return Err(RequestError::SeveralPlaces),
        };
        let header = header.unwrap_or_default();
        let mut signed = Self {
            parts,
            placement,
            header,
            query,
            form,
            is_form,
            method: SignatureMethod::Plaintext,
            timestamp: None,
        };
        // A page's link may carry a token (`oauth_token`, `oauth_callback`); that signs nothing.
        let unsigned = ["oauth_signature", "oauth_signature_method", "oauth_consumer_key"];
        if placement != Placement::Header
            && unsigned.iter().all(|name| signed.many(name).next().is_none())
        {
            return Ok(None);
        }
        signed.check()?;
        Ok(Some(signed))
    }

    /// Whether the body of a request must be known to read its signature: it is a form, and the
    /// request has, or may have in that form, credentials of this kind.
    pub fn may_cover_the_body(parts: &Parts) -> bool {
        let is_form = crate::oauth2::form::is_form(&parts.headers);
        let is_ours = || header::find(&parts.headers).is_ok_and(|found| found.is_some());
        is_form && (is_ours() || !header::is_of_another_scheme(&parts.headers))
    }

    fn check(&mut self) -> Result<(), RequestError> {
        const ALL: [&str; 10] = [
            "oauth_consumer_key",
            "oauth_signature_method",
            "oauth_signature",
            "oauth_timestamp",
            "oauth_nonce",
            "oauth_version",
            "oauth_token",
            "oauth_callback",
            "oauth_verifier",
            "oauth_body_hash",
        ];
        for name in ALL {
            if self.many(name).nth(1).is_some() {
                return Err(RequestError::Duplicate(name));
            }
        }
        let realms = self.header.iter().filter(|(name, _)| name == "realm");
        if realms.count() > 1 {
            return Err(RequestError::Duplicate("realm"));
        }
        let needed = |name| self.one(name).ok_or(RequestError::Missing(name));
        needed("oauth_consumer_key")?;
        let method = needed("oauth_signature_method")?;
        let method = SignatureMethod::parse(method).ok_or(RequestError::UnknownMethod)?;
        needed("oauth_signature")?;
        if method != SignatureMethod::Plaintext {
            needed("oauth_timestamp")?;
            needed("oauth_nonce")?;
        }
        if self.one("oauth_version").is_some_and(|version| version != "1.0") {
            return Err(RequestError::Version);
        }
        let timestamp = self.one("oauth_timestamp").map(seconds).transpose()?;
        (self.method, self.timestamp) = (method, timestamp);
        Ok(())
    }

    /// The client (`oauth_consumer_key`).
    pub fn client(&self) -> &str {
        self.one("oauth_consumer_key").unwrap_or_default()
    }

    /// The temporary or token credential (`oauth_token`). One without a value is none.
    pub fn token(&self) -> Option<&str> {
        self.one("oauth_token")
    }

    /// How it is signed.
    pub const fn method(&self) -> SignatureMethod {
        self.method
    }

    /// When the client says it was made; only PLAINTEXT may leave it out.
    pub const fn timestamp(&self) -> Option<Timestamp> {
        self.timestamp
    }

    /// What the client says it never sent before with this timestamp; only PLAINTEXT may leave it
    /// out.
    pub fn nonce(&self) -> Option<&str> {
        self.one("oauth_nonce")
    }

    /// Where the person is to be sent (`oauth_callback`).
    pub fn callback(&self) -> Option<&str> {
        self.one("oauth_callback")
    }

    /// The verification code (`oauth_verifier`).
    pub fn verifier(&self) -> Option<&str> {
        self.one("oauth_verifier")
    }

    /// The realm of the `Authorization` header, which is not signed.
    pub fn realm(&self) -> Option<&str> {
        self.header.iter().find(|(name, _)| name == "realm").map(|(_, value)| &**value)
    }

    /// The hash of the body (`oauth_body_hash`).
    pub fn body_hash(&self) -> Option<&str> {
        self.one("oauth_body_hash")
    }

    /// The signature, as it came.
    pub fn signature(&self) -> &str {
        self.one("oauth_signature").unwrap_or_default()
    }

    /// Where the protocol parameters stand.
    pub const fn placement(&self) -> Placement {
        self.placement
    }

    /// A parameter beside those of the protocol, from query or form: `scope`, say.
    ///
    /// # Errors
    /// [`RequestError::Duplicate`] when it has several values.
    pub fn parameter(&self, name: &'static str) -> Result<Option<&str>, RequestError> {
        let mut values = self.query.many(name).chain(self.form.many(name));
        let first = values.next();
        if values.next().is_some() { Err(RequestError::Duplicate(name)) } else { Ok(first) }
    }

    /// All parameters that the signature covers, decoded, in the order in which they came.
    pub fn covered(&self) -> impl Iterator<Item = (&str, &str)> {
        let header = self.header.iter().map(|(name, value)| (&**name, &**value));
        let all = header.filter(|(name, _)| *name != "realm");
        let all = all.chain(self.query.iter()).chain(self.form.iter());
        all.filter(|(name, _)| *name != "oauth_signature")
    }

    /// The signature base string (RFC 5849, section 3.4.1) at `origin`, which is the server's own
    /// public one: what the client believes, the `Host` header say, proves nothing.
    pub fn base_string(&self, origin: &str) -> String {
        self.base(origin).into()
    }

    fn base(&self, origin: &str) -> BaseString {
        let length = self.parts.uri.query().map_or(0, str::len);
        let mut covered = Covered::with_capacity(1024 + 4 * length, 16);
        for (name, value) in self.covered() {
            covered.add(name, value);
        }
        let method = self.parts.method.as_str();
        covered.base_string(method, Origin::parse(origin), self.parts.uri.path())
    }

    /// Whether the signature was made with this key over this request at `origin`. Comparing takes
    /// the same time however much of it is right. A key of the wrong kind makes no signature.
    pub fn is_signed_by(&self, origin: &str, key: &VerifyingKey<'_>) -> bool {
        match (key, self.method) {
            (VerifyingKey::Shared { client_secret, token_secret }, SignatureMethod::Plaintext) => {
                let expected = signer::shared_key(client_secret, *token_secret);
                verify_slices_are_equal(&expected, self.signature().as_bytes()).is_ok()
            }
            (VerifyingKey::Shared { client_secret, token_secret }, method) => {
                HmacVerifyingKey::new(method, client_secret, *token_secret)
                    .is_some_and(|key| self.is_signed_by(origin, &VerifyingKey::Hmac(&key)))
            }
            (VerifyingKey::Hmac(key), method) => {
                let tag = hmac::sign(&key.key, self.base(origin).as_bytes());
                let Ok(signature) = BASE64_STANDARD.decode(self.signature()) else { return false };
                let is_same = verify_slices_are_equal(tag.as_ref(), &signature).is_ok();
                is_same && key.method == method
            }
            (VerifyingKey::Rsa(key), method) => {
                let Ok(signature) = BASE64_STANDARD.decode(self.signature()) else { return false };
                key.verifies(method, self.base(origin).as_bytes(), &signature)
            }
        }
    }

    /// Whether `body` is the one that was signed (OAuth Request Body Hash, section 4). A form is
    /// covered by the signature itself and has no hash; other bodies need none, either. The hash is
    /// that of the signature method or SHA-1, which many clients use with all of them; since it is
    /// signed, nobody else can choose.
    ///
    /// # Errors
    /// [`RequestError::BodyHashOfForm`] and [`RequestError::BodyHashWrong`].
    pub fn check_body(&self, body: &[u8]) -> Result<(), RequestError> {
        let Some(hash) = self.body_hash() else { return Ok(()) };
        if self.is_form {
            return Err(RequestError::BodyHashOfForm);
        }
        let hash = BASE64_STANDARD.decode(hash).map_err(|_| RequestError::BodyHashWrong)?;
        let own = self.method.body_hash().unwrap_or(&digest::SHA1_FOR_LEGACY_USE_ONLY);
        let is_right = [own, &digest::SHA1_FOR_LEGACY_USE_ONLY]
            .into_iter()
            .any(|algorithm| digest::digest(algorithm, body).as_ref() == &*hash);
        if is_right { Ok(()) } else { Err(RequestError::BodyHashWrong) }
    }

    /// The value of a protocol parameter; one that is empty is left out.
    fn one(&self, name: &'static str) -> Option<&str> {
        self.many(name).next().filter(|value| !value.is_empty())
    }

    fn many(&self, name: &'static str) -> impl Iterator<Item = &str> {
        let header = self.header.iter().map(|(name, value)| (&**name, &**value));
        let elsewhere = match self.placement {
            Placement::Header => None,
            Placement::Query => Some(&self.query),
            Placement::Body => Some(&self.form),
        };
        let all = header.chain(elsewhere.into_iter().flat_map(Params::iter));
        all.filter(move |(known, _)| *known == name).map(|(_, value)| value)
    }
}

/// Names only: values may be secrets.
impl fmt::Debug for SignedRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedRequest")
            .field("client", &self.client())
            .field("method", &self.method)
            .field("placement", &self.placement)
            .finish_non_exhaustive()
    }
}

/// A number of seconds: digits alone, and no more of them than centuries need.
fn seconds(text: &str) -> Result<Timestamp, RequestError> {
    let is_number = text.len() <= 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = if is_number { text.parse().ok() } else { None };
    match number {
        Some(number) if number > 0 => Ok(Timestamp::from_seconds(number)),
        _ => Err(RequestError::Timestamp),
    }
}

/// Whether parameters may be among these, however their names are encoded: a name that has a
/// percent sign may be anything.
fn contains(text: &[u8], name: &[u8]) -> bool {
    text.contains(&b'%') || text.windows(name.len()).any(|window| window == name)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Request;

    use super::*;

    fn parts(request: Request<Bytes>) -> (Parts, Bytes) {
        request.into_parts()
    }

    /// RFC 5849, sections 3.1 and 3.4.1.1, with the errata (the nonce is `7d8f3e4a`).
    #[test]
    fn the_base_string_of_the_rfc() {
        let request =
            Request::post("http://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b")
                .header("content-type", "application/x-www-form-urlencoded")
                .header(
                    "authorization",
                    r#"OAuth realm="Example",
                    oauth_consumer_key="9djdj82h48djs9d2",
                    oauth_token="kkk9d7dh3k39sjv7",
                    oauth_signature_method="HMAC-SHA1",
                    oauth_timestamp="137131201",
                    oauth_nonce="7d8f3e4a",
                    oauth_signature="bYT5CMsGcbgUdFHObYMEfcx6bsw%3D""#
                        .replace('\n', ""),
                )
                .body(Bytes::from("c2&a3=2+q"))
                .unwrap();
        let (parts, body) = parts(request);
        let signed = SignedRequest::read(&parts, &body).unwrap().unwrap();
        assert_eq!(
            signed.base_string("http://EXAMPLE.COM:80"),
            "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
        );
        assert_eq!(signed.realm(), Some("Example"));
    }

    #[test]
    fn a_key_that_was_made_ready_verifies_its_own_method_and_no_other() {
        let secret = Secret::from("secret");
        let sign = |method| {
            let signer = super::super::Signer::hmac(method, "client", &secret).unwrap();
            let request = Request::get("https://api.example/").body(Bytes::new()).unwrap();
            parts(signer.sign(&crate::Env::system(), request, &[]).unwrap())
        };
        let key = HmacVerifyingKey::new(SignatureMethod::HmacSha256, &secret, None).unwrap();
        for method in [SignatureMethod::HmacSha256, SignatureMethod::HmacSha512] {
            let (parts, body) = sign(method);
            let signed = SignedRequest::read(&parts, &body).unwrap().unwrap();
            let is_right = signed.is_signed_by("https://api.example", &VerifyingKey::Hmac(&key));
            assert_eq!(is_right, method == SignatureMethod::HmacSha256);
        }
        assert!(!format!("{key:?}").contains("secret"));
    }

    #[test]
    fn what_is_not_signed_is_left_to_others() {
        for request in [
            Request::get("/authorize?oauth_token=abc").body(Bytes::new()),
            Request::get("/").header("authorization", "Bearer abc").body(Bytes::new()),
            Request::get("/?a=oauth_").body(Bytes::new()),
            Request::get("/?oauth_consumer_key=k")
                .header("authorization", "Basic YTpi")
                .body(Bytes::new()),
        ] {
            let (parts, body) = parts(request.unwrap());
            assert!(SignedRequest::read(&parts, &body).unwrap().is_none(), "{}", parts.uri);
        }
    }
}
