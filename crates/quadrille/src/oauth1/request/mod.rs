//! Reading and verifying a signed request (RFC 5849, section 3.2).

use std::{borrow::Cow, fmt, mem};

use aws_lc_rs::{constant_time::verify_slices_are_equal, digest, hmac};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderMap, Uri, request::Parts};

use crate::{Secret, Timestamp, form::Declared};

use super::{
    Placement, RequestError, RsaVerifyingKey, SignatureMethod,
    base_string::{BaseString, Covered, Origin},
    fields::Fields,
    header::{self, Credentials, Pair},
    signer,
};

const BODY_HASH: &str = "oauth_body_hash";
/// Parameters accepted in the query or the form of a request whose header is signed: many clients
/// follow the guide of X (Twitter), which puts them there in spite of RFC 5849, section 3.5. The
/// signature covers them there as well.
const APART: [&str; 2] = ["oauth_callback", "oauth_verifier"];

/// A well-formed request that claims to be signed. [`is_signed_by`](Self::is_signed_by) verifies
/// the signature.
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
    /// The protocol parameters of the header, else those of the query or the form.
    protocol: Vec<Pair<'a>>,
    /// The parameters of [`APART`] outside of the header.
    apart: Vec<Pair<'a>>,
    query: Fields<'a>,
    form: Fields<'a>,
    declared: Declared,
    method: SignatureMethod,
    timestamp: Option<Timestamp>,
}

/// A key that verifies a signature.
///
/// ```
/// use quadrille::{Secret, oauth1::{SignedRequest, VerifyingKey}};
///
/// fn is_signed(request: &SignedRequest<'_>, client: &Secret, token: &Secret) -> bool {
///     let key = VerifyingKey::Shared { client_secret: client, token_secret: Some(token) };
///     request.is_signed_by("https://album.example", &key)
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub enum VerifyingKey<'a> {
    /// The secrets shared by client and server, for HMAC and PLAINTEXT.
    Shared {
        /// The client's secret.
        client_secret: &'a Secret,
        /// The token's secret, if the request has a token.
        token_secret: Option<&'a Secret>,
    },
    /// The same secrets, prepared for one HMAC method.
    Hmac(&'a HmacVerifyingKey),
    /// The client's public key, for RSA.
    Rsa(&'a RsaVerifyingKey),
}

/// The secrets of a client and a token, prepared to verify many requests by one method. It can sign
/// as well, so it is as confidential as the secrets.
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
    /// A key for this method; `None` unless it is an HMAC method.
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
    /// Reads a request; `None` if it does not claim to be signed, in which case nothing else is
    /// checked.
    ///
    /// `body` must be complete if [`needs_the_body`](Self::needs_the_body) says so, and is not used
    /// otherwise.
    ///
    /// # Errors
    /// [`RequestError`] if a request that claims to be signed is malformed.
    pub fn read(parts: &'a Parts, body: &'a [u8]) -> Result<Option<Self>, RequestError> {
        let header = match header::find(&parts.headers)? {
            Credentials::OAuth(header) => Some(header),
            Credentials::Other => return Ok(None),
            Credentials::Nothing => None,
        };
        let declared = Declared::of(&parts.headers);
        let query = Fields::of_query(&parts.uri);
        let fields = Fields::of_body(declared, body);
        if header.is_none() && !(query.claim_a_signature() || fields.claim_a_signature()) {
            return Ok(None);
        }
        if declared == Declared::Ambiguous && !body.is_empty() {
            return Err(RequestError::BodyAmbiguous);
        }
        let header = header.map(header::parse).transpose()?;
        let (mut in_query, mut in_form) = (query.protocol()?, fields.protocol()?);
        let (placement, protocol) = match (header, in_query.is_empty(), in_form.is_empty()) {
            (Some(header), ..) => (Placement::Header, header),
            (None, false, true) => (Placement::Query, mem::take(&mut in_query)),
            (None, true, false) => (Placement::Body, mem::take(&mut in_form)),
            _ => return Err(RequestError::SeveralPlaces),
        };
        let apart = [in_query, in_form].concat();
        if !apart.iter().all(|(name, _)| APART.contains(&&**name)) {
            return Err(RequestError::SeveralPlaces);
        }
        let mut signed = Self {
            parts,
            placement,
            protocol,
            apart,
            query,
            form: fields,
            declared,
            method: SignatureMethod::Plaintext,
            timestamp: None,
        };
        signed.check()?;
        if declared == Declared::Nothing && !body.is_empty() && signed.body_hash().is_none() {
            return Err(RequestError::BodyUndeclared);
        }
        Ok(Some(signed))
    }

    /// Whether verifying a request takes its body: the request claims to be signed, or may do so in
    /// the body, and the signature covers the body, or may cover it.
    pub fn needs_the_body(headers: &HeaderMap, uri: &Uri) -> bool {
        match header::find(headers) {
            // The request is refused with any body.
            Err(_) => false,
            Ok(Credentials::OAuth(header)) => {
                Declared::of(headers) != Declared::Other
                    || header::parse(header).is_ok_and(|pairs| has_body_hash(&pairs))
            }
            Ok(Credentials::Other) => false,
            Ok(Credentials::Nothing) => {
                let query = Fields::of_query(uri);
                let has_hash = || query.protocol().is_ok_and(|pairs| has_body_hash(&pairs));
                match Declared::of(headers) {
                    Declared::Form | Declared::Ambiguous => true,
                    Declared::Nothing => query.claim_a_signature(),
                    Declared::Other => query.claim_a_signature() && has_hash(),
                }
            }
        }
    }

    /// Whether verifying this request takes the body.
    #[cfg(any(feature = "guard", test))]
    pub(crate) fn depends_on_the_body(&self) -> bool {
        self.declared != Declared::Other || self.body_hash().is_some()
    }

    fn check(&mut self) -> Result<(), RequestError> {
        const ALL: [&str; 11] = [
            "oauth_consumer_key",
            "oauth_signature_method",
            "oauth_signature",
            "oauth_timestamp",
            "oauth_nonce",
            "oauth_version",
            "oauth_token",
            "oauth_callback",
            "oauth_verifier",
            BODY_HASH,
            "realm",
        ];
        let mut seen = 0_u16;
        for (name, _) in self.protocol.iter().chain(&self.apart) {
            let known = (0..).zip(ALL).find(|(_, known)| known == name);
            let Some((number, name)) = known else { continue };
            if seen & 1 << number != 0 {
                return Err(RequestError::Duplicate(name));
            }
            seen |= 1 << number;
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

    /// The temporary or token credential (`oauth_token`); `None` if it is empty.
    pub fn token(&self) -> Option<&str> {
        self.one("oauth_token")
    }

    /// The signature method.
    pub const fn method(&self) -> SignatureMethod {
        self.method
    }

    /// `oauth_timestamp`, which only PLAINTEXT may omit.
    pub const fn timestamp(&self) -> Option<Timestamp> {
        self.timestamp
    }

    /// `oauth_nonce`, which only PLAINTEXT may omit: unique among the client's requests with this
    /// timestamp.
    pub fn nonce(&self) -> Option<&str> {
        self.one("oauth_nonce")
    }

    /// The URL to which the user is redirected (`oauth_callback`).
    pub fn callback(&self) -> Option<&str> {
        self.one("oauth_callback")
    }

    /// The verification code (`oauth_verifier`).
    pub fn verifier(&self) -> Option<&str> {
        self.one("oauth_verifier")
    }

    /// The realm of the `Authorization` header, which is not signed.
    pub fn realm(&self) -> Option<&str> {
        self.protocol.iter().find(|(name, _)| name == "realm").map(|(_, value)| &**value)
    }

    /// The hash of the body (`oauth_body_hash`). An empty value is the hash of no body.
    pub fn body_hash(&self) -> Option<&str> {
        self.many(BODY_HASH).next()
    }

    /// The signature, as received.
    pub fn signature(&self) -> &str {
        self.one("oauth_signature").unwrap_or_default()
    }

    /// The place of the protocol parameters.
    pub const fn placement(&self) -> Placement {
        self.placement
    }

    /// A parameter outside of the protocol, such as `scope`, from header, query or form; `None` if
    /// it is empty.
    ///
    /// # Errors
    /// [`RequestError::Duplicate`] if it has several values; [`RequestError::NotUtf8`] and
    /// [`RequestError::Nul`] if its value is not text.
    pub fn parameter(&self, name: &'static str) -> Result<Option<Cow<'_, str>>, RequestError> {
        let in_header = self.header().filter(|(known, _)| *known == name);
        let in_header = in_header.map(|(_, value)| Ok(Cow::Borrowed(value)));
        let elsewhere = self.query.texts(name).chain(self.form.texts(name));
        let mut found = None;
        for value in in_header.chain(elsewhere) {
            let value = value?;
            if !value.is_empty() && found.replace(value).is_some() {
                return Err(RequestError::Duplicate(name));
            }
        }
        Ok(found)
    }

    /// All parameters that the signature covers, decoded, in the order received.
    pub fn covered(&self) -> impl Iterator<Item = (Cow<'_, [u8]>, Cow<'_, [u8]>)> {
        let header = self.header();
        let header = header.map(|(name, value)| (name.as_bytes().into(), value.as_bytes().into()));
        let all = header.chain(self.query.decoded()).chain(self.form.decoded());
        all.filter(|(name, _): &(Cow<'_, [u8]>, Cow<'_, [u8]>)| **name != *b"oauth_signature")
    }

    /// The parameters of the header except the realm, which is not signed.
    fn header(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = match self.placement {
            Placement::Header => &*self.protocol,
            Placement::Query | Placement::Body => &[],
        };
        let pairs = pairs.iter().map(|(name, value)| (&**name, &**value));
        pairs.filter(|(name, _)| *name != "realm")
    }

    /// The signature base string (RFC 5849, section 3.4.1) at `origin`, the server's own public
    /// origin: the `Host` header proves nothing.
    pub fn base_string(&self, origin: &str) -> String {
        self.base(origin).into()
    }

    fn base(&self, origin: &str) -> BaseString {
        let length = self.query.length() + self.form.length();
        let mut covered = Covered::with_capacity(1024 + 4 * length, 16);
        for (name, value) in self.header().filter(|(name, _)| *name != "oauth_signature") {
            covered.add(name, value);
        }
        self.query.add_to(&mut covered);
        self.form.add_to(&mut covered);
        let method = self.parts.method.as_str();
        covered.base_string(method, Origin::parse(origin), self.parts.uri.path())
    }

    /// Whether this key signed this request at `origin`. The comparison takes constant time.
    /// `false` for a key of another kind.
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

    /// Checks that `body` is the signed one (OAuth Request Body Hash, section 4). The signature
    /// covers a form itself, so a form has no hash; other bodies may have one. The hash is that of
    /// the signature method or SHA-1, which many clients use with all methods; the client chooses,
    /// since the hash is signed.
    ///
    /// # Errors
    /// [`RequestError::BodyHashOfForm`] and [`RequestError::BodyHashWrong`].
    pub fn check_body(&self, body: &[u8]) -> Result<(), RequestError> {
        let Some(hash) = self.body_hash() else { return Ok(()) };
        if self.declared == Declared::Form {
            return Err(RequestError::BodyHashOfForm);
        }
        let hash = BASE64_STANDARD.decode(hash).map_err(|_| RequestError::BodyHashWrong)?;
        let own = self.method.body_hash().unwrap_or(&digest::SHA1_FOR_LEGACY_USE_ONLY);
        let is_right = [own, &digest::SHA1_FOR_LEGACY_USE_ONLY]
            .into_iter()
            .any(|algorithm| digest::digest(algorithm, body).as_ref() == &*hash);
        if is_right { Ok(()) } else { Err(RequestError::BodyHashWrong) }
    }

    /// The value of a protocol parameter; `None` if it is empty.
    fn one(&self, name: &'static str) -> Option<&str> {
        self.many(name).next().filter(|value| !value.is_empty())
    }

    fn many(&self, name: &'static str) -> impl Iterator<Item = &str> {
        let all = self.protocol.iter().chain(&self.apart).filter(move |(known, _)| *known == name);
        all.map(|(_, value)| &**value)
    }
}

fn has_body_hash(pairs: &[Pair<'_>]) -> bool {
    pairs.iter().any(|(name, _)| name == BODY_HASH)
}

/// Only names: values may be secrets.
impl fmt::Debug for SignedRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedRequest")
            .field("client", &self.client())
            .field("method", &self.method)
            .field("placement", &self.placement)
            .finish_non_exhaustive()
    }
}

/// A number of seconds: only digits, and no more of them than a few centuries need.
fn seconds(text: &str) -> Result<Timestamp, RequestError> {
    let is_number = text.len() <= 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = if is_number { text.parse().ok() } else { None };
    match number {
        Some(number) if number > 0 => Ok(Timestamp::from_seconds(number)),
        _ => Err(RequestError::Timestamp),
    }
}

#[cfg(test)]
mod tests;
