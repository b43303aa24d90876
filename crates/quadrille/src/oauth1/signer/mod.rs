//! Signing a request (RFC 5849, section 3.1).

mod covered;
mod error;

use std::{fmt, sync::Arc};

use aws_lc_rs::{digest, hmac};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Uri, header, request::Parts};
use zeroize::Zeroizing;

use crate::{
    Env, Secret,
    form::{Declared, FORM, FormWriter},
};

use super::{
    KeyError, RequestError, RsaSigningKey, SignatureMethod,
    base_string::{BaseString, Covered},
    encoding::encode_into,
    header as authorization,
};

use covered::{BODY_HASH, Covers, Nonce, Signed, Target};
pub use error::SignError;

/// Where the protocol parameters stand (RFC 5849, section 3.5).
///
/// ```
/// use quadrille::{Secret, oauth1::{Placement, SignatureMethod, Signer}};
///
/// let secret = Secret::from("kd94hf93k423kf44");
/// let signer = Signer::hmac(SignatureMethod::HmacSha1, "dpf43f3p2l4k3l03", &secret)?
///     .placement(Placement::Query);
/// # Ok::<(), quadrille::oauth1::KeyError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Placement {
    /// In the `Authorization` header, which every server accepts.
    #[default]
    Header,
    /// In the query, which servers write to their logs.
    Query,
    /// In the body, which must be a form or empty.
    Body,
}

/// Signs requests for one client, with or without a token. Make it once, since that computes
/// everything derived from the secrets. Cheap to clone.
///
/// ```
/// use quadrille::{Env, Secret, oauth1::{SignatureMethod, Signer}};
///
/// let signer = Signer::hmac(SignatureMethod::HmacSha1, "key", &Secret::from("secret"))?
///     .token("token", &Secret::from("token secret"));
/// let request = http::Request::get("https://api.example/photos?size=small");
/// let request = request.body(bytes::Bytes::new())?;
/// let request = signer.sign(&Env::system(), request, &[])?;
/// let header = request.headers()["authorization"].to_str()?;
/// assert!(header.starts_with(r#"OAuth oauth_consumer_key="key", oauth_token="token""#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Signer {
    client: Arc<str>,
    token: Option<Arc<str>>,
    method: SignatureMethod,
    client_secret: Secret,
    key: Key,
    placement: Placement,
    realm: Option<Arc<str>>,
    body_hash: bool,
    constant: Arc<Constant>,
}

/// The part that all requests share.
#[derive(Default)]
struct Constant {
    /// The shared part of the base string.
    covered: Covered,
    /// The beginning of the header.
    header: Vec<u8>,
    /// Whether a header cannot carry the realm.
    lacks_realm: bool,
}

#[derive(Clone)]
enum Key {
    /// Boxed, since the key schedule takes more than a kilobyte.
    Hmac(Arc<hmac::Key>),
    Rsa(RsaSigningKey),
    Plaintext(Secret),
}

impl Signer {
    /// A signer with a secret shared by client and server, for the HMAC methods and PLAINTEXT.
    ///
    /// # Errors
    /// [`KeyError::OtherKind`] for the RSA methods.
    pub fn hmac(
        method: SignatureMethod,
        client: &str,
        client_secret: &Secret,
    ) -> Result<Self, KeyError> {
        let key = shared(method, client_secret, None).ok_or(KeyError::OtherKind)?;
        Ok(Self::new(method, client, client_secret.clone(), key))
    }

    /// A signer with the client's private key, for the RSA methods.
    ///
    /// # Errors
    /// [`KeyError::OtherKind`] for all other methods, [`KeyError::Sha1NotBuilt`] for RSA-SHA1
    /// without the feature `rsa-sha1`.
    pub fn rsa(
        method: SignatureMethod,
        client: &str,
        key: &RsaSigningKey,
    ) -> Result<Self, KeyError> {
        if !method.is_rsa() {
            return Err(KeyError::OtherKind);
        }
        if method == SignatureMethod::RsaSha1 && !cfg!(feature = "rsa-sha1") {
            return Err(KeyError::Sha1NotBuilt);
        }
        Ok(Self::new(method, client, Secret::default(), Key::Rsa(key.clone())))
    }

    fn new(method: SignatureMethod, client: &str, client_secret: Secret, key: Key) -> Self {
        Self {
            client: client.into(),
            token: None,
            method,
            client_secret,
            key,
            placement: Placement::Header,
            realm: None,
            body_hash: true,
            constant: Arc::default(),
        }
        .prepared()
    }

    fn prepared(mut self) -> Self {
        let mut constant = Constant {
            covered: Covered::with_capacity(192, 4),
            header: b"OAuth ".to_vec(),
            lacks_realm: false,
        };
        if let Some(realm) = &self.realm {
            let mut text = String::new();
            constant.lacks_realm = !authorization::append_realm(&mut text, realm);
            constant.header.extend_from_slice(text.as_bytes());
        }
        self.each_constant(&mut |name, value| {
            constant.covered.add(name, value);
            authorization::append(&mut constant.header, name, value);
        });
        self.constant = Arc::new(constant);
        self
    }

    fn each_constant(&self, each: &mut impl FnMut(&str, &str)) {
        each("oauth_consumer_key", &self.client);
        if let Some(token) = &self.token {
            each("oauth_token", token);
        }
        each("oauth_signature_method", self.method.as_str());
        each("oauth_version", "1.0");
    }

    /// Sets the temporary or token credential. RSA signatures do not depend on its secret.
    #[must_use]
    pub fn token(mut self, identifier: &str, secret: &Secret) -> Self {
        self.token = Some(identifier.into());
        if let Some(key) = shared(self.method, &self.client_secret, Some(secret)) {
            self.key = key;
        }
        self.prepared()
    }

    /// Sets the place of the protocol parameters; [`Placement::Header`] by default.
    #[must_use]
    pub fn placement(mut self, placement: Placement) -> Self {
        self.placement = placement;
        self
    }

    /// Sets the realm of the header: printable ASCII, not signed.
    #[must_use]
    pub fn realm(mut self, realm: &str) -> Self {
        self.realm = Some(realm.into());
        self.prepared()
    }

    /// Omits `oauth_body_hash`, for the few servers that refuse unknown parameters. Gives up: a
    /// body that is not a form can be replaced in transit.
    #[must_use]
    pub fn without_body_hash(mut self) -> Self {
        self.body_hash = false;
        self
    }

    /// The signature method.
    pub const fn method(&self) -> SignatureMethod {
        self.method
    }

    /// Signs a request. `further` holds protocol parameters of this request: `oauth_callback`,
    /// `oauth_verifier`.
    ///
    /// The hash of a non-empty body other than a form is signed (OAuth Request Body Hash, section
    /// 3). If neither a hash nor a `Content-Type` is present, the body is declared as
    /// `application/octet-stream`, so that no reader takes it for a form. The host is that of the
    /// `Host` header, if the request has one (RFC 5849, section 3.4.1.2).
    ///
    /// # Errors
    /// [`SignError`].
    pub fn sign(
        &self,
        env: &Env,
        mut request: Request<Bytes>,
        further: &[(&str, &str)],
    ) -> Result<Request<Bytes>, SignError> {
        let declared = Declared::of(request.headers());
        let body = match declared {
            _ if request.body().is_empty() => Covers::Nothing,
            Declared::Form => Covers::Form(request.body()),
            Declared::Ambiguous => return Err(SignError::BodyAmbiguous),
            Declared::Other | Declared::Nothing => Covers::Hash(request.body()),
        };
        let target = Target::of(request.method(), request.uri(), request.headers())?;
        let signed = self.signed(env, target, &body, further)?;
        let is_bare = matches!(body, Covers::Hash(_)) && signed.body_hash.is_none();
        if is_bare && declared == Declared::Nothing {
            declare_no_form(request.headers_mut());
        }
        match self.placement {
            Placement::Header => {
                let value = self.header_value(&signed)?;
                request.headers_mut().insert(header::AUTHORIZATION, value);
            }
            Placement::Query => {
                let url = request.uri().to_string();
                let mut url = FormWriter::after_url(&url);
                self.append_to(&mut url, &signed);
                *request.uri_mut() =
                    Uri::try_from(url.finish()).map_err(|_| SignError::NotAbsolute)?;
            }
            Placement::Body => {
                let is_form = match declared {
                    Declared::Form => true,
                    Declared::Nothing if request.body().is_empty() => false,
                    _ => return Err(SignError::NoForm),
                };
                let mut own = FormWriter::new();
                self.append_to(&mut own, &signed);
                let mut form = request.body().to_vec();
                if !form.is_empty() && !form.ends_with(b"&") {
                    form.push(b'&');
                }
                form.extend_from_slice(own.finish().as_bytes());
                *request.body_mut() = form.into();
                let headers = request.headers_mut();
                headers.remove(header::CONTENT_LENGTH);
                if !is_form {
                    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(FORM));
                }
            }
        }
        Ok(request)
    }

    /// The value of the `Authorization` header for a request whose body is streamed or not at hand.
    /// `form` is the body if that is a form, which must be signed.
    ///
    /// # Errors
    /// [`SignError`].
    pub fn authorization(
        &self,
        env: &Env,
        request: &Parts,
        form: Option<&[u8]>,
        further: &[(&str, &str)],
    ) -> Result<HeaderValue, SignError> {
        let covers = match Declared::of(&request.headers) {
            Declared::Ambiguous => return Err(SignError::BodyAmbiguous),
            _ => form.map_or(Covers::Nothing, Covers::Form),
        };
        let target = Target::of(&request.method, &request.uri, &request.headers)?;
        let signed = self.signed(env, target, &covers, further)?;
        self.header_value(&signed)
    }

    fn signed<'a>(
        &self,
        env: &Env,
        target: Target<'_>,
        body: &Covers<'_>,
        further: &'a [(&'a str, &'a str)],
    ) -> Result<Signed<'a>, SignError> {
        self.check(further)?;
        let Target { method, origin, path, query } = target;
        let form = if let Covers::Form(form) = body { form } else { &[][..] };
        let body_hash = match (body, self.method.body_hash()) {
            (Covers::Hash(body), Some(algorithm)) if self.body_hash => {
                Some(BASE64_STANDARD.encode(digest::digest(algorithm, body)))
            }
            _ => None,
        };
        let mut signed = Signed {
            // RFC 5849, section 3.3, has no timestamps before 1970.
            timestamp: env.now().seconds().max(0).to_string(),
            nonce: Nonce::random(env),
            further,
            body_hash,
            signature: String::new(),
        };
        // Room for the parameters and, behind them, the base string.
        let further_length: usize =
            further.iter().map(|(name, value)| name.len() + value.len()).sum();
        let room = self.constant.covered.length()
            + 2 * (query.len() + form.len() + further_length)
            + 3 * (origin.authority.len() + path.len())
            + 256;
        let mut covered = self.constant.covered.clone_with_room(room, 12 + further.len());
        covered.add_encoded(query)?;
        covered.add_encoded(form)?;
        if covered.has_of_the_protocol_after(self.constant.covered.parameters()) {
            return Err(SignError::SignedAlready);
        }
        signed.each_plain(&mut |name, value| covered.add_plain(name, value));
        signed.each_other(&mut |name, value| covered.add(name, value));
        let base = || -> BaseString { covered.base_string(method.as_str(), origin, path) };
        signed.signature = match &self.key {
            Key::Plaintext(secrets) => secrets.expose().to_owned(),
            Key::Hmac(key) => BASE64_STANDARD.encode(hmac::sign(key, base().as_bytes())),
            Key::Rsa(key) => BASE64_STANDARD.encode(key.sign(self.method, base().as_bytes())?),
        };
        Ok(signed)
    }

    /// Refuses to sign what no server could read.
    fn check(&self, further: &[(&str, &str)]) -> Result<(), SignError> {
        let own = [&*self.client, self.token.as_deref().unwrap_or_default()];
        let all = further.iter().flat_map(|(name, value)| [*name, *value]).chain(own);
        if all.into_iter().any(|text| text.contains('\0')) {
            return Err(RequestError::Nul.into());
        }
        let mut names = further.iter().map(|(name, _)| *name);
        while let Some(name) = names.next() {
            let is_own = matches!(name, "oauth_timestamp" | "oauth_nonce" | SIGNATURE | BODY_HASH)
                || (name == "oauth_token" && self.token.is_some())
                || ["oauth_consumer_key", "oauth_signature_method", "oauth_version"]
                    .contains(&name);
            if is_own || (name.starts_with("oauth_") && names.clone().any(|other| other == name)) {
                return Err(SignError::SignedAlready);
            }
            // The realm is not signed.
            if name.is_empty() || name == "realm" {
                return Err(RequestError::HeaderMalformed.into());
            }
        }
        Ok(())
    }

    fn header_value(&self, signed: &Signed<'_>) -> Result<HeaderValue, SignError> {
        if self.constant.lacks_realm {
            return Err(SignError::Realm);
        }
        let length = self.constant.header.len() + 160 + 2 * signed.signature.len();
        let mut out = Vec::with_capacity(length);
        out.extend_from_slice(&self.constant.header);
        signed.each_plain(&mut |name, value| authorization::append_plain(&mut out, name, value));
        signed.each_other(&mut |name, value| authorization::append(&mut out, name, value));
        authorization::append(&mut out, SIGNATURE, &signed.signature);
        let mut value = HeaderValue::from_maybe_shared(Bytes::from(out))
            .map_err(|_| RequestError::HeaderMalformed)?;
        value.set_sensitive(true);
        Ok(value)
    }

    fn append_to(&self, out: &mut FormWriter, signed: &Signed<'_>) {
        let mut append = |name: &str, value: &str| {
            out.append(name, value);
        };
        self.each_constant(&mut append);
        signed.each_plain(&mut append);
        signed.each_other(&mut append);
        append(SIGNATURE, &signed.signature);
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("client", &self.client)
            .field("method", &self.method)
            .field("placement", &self.placement)
            .finish_non_exhaustive()
    }
}

const SIGNATURE: &str = "oauth_signature";

/// Declares an unsigned body without `Content-Type` as something other than a form.
pub(crate) fn declare_no_form(headers: &mut HeaderMap) {
    let bytes = HeaderValue::from_static("application/octet-stream");
    headers.insert(header::CONTENT_TYPE, bytes);
}

/// The secrets, encoded and joined (RFC 5849, section 3.4.2). The separator is always there.
pub(super) fn shared_key(client: &Secret, token: Option<&Secret>) -> Zeroizing<Vec<u8>> {
    let token = token.map_or("", Secret::expose);
    // Enough for the worst case: growing would leave a copy of the secrets behind.
    let longest = 3 * (client.expose().len() + token.len()) + 1;
    let mut key = Zeroizing::new(Vec::with_capacity(longest));
    encode_into(&mut key, client.expose().as_bytes());
    key.push(b'&');
    encode_into(&mut key, token.as_bytes());
    key
}

fn shared(method: SignatureMethod, client: &Secret, token: Option<&Secret>) -> Option<Key> {
    let key = shared_key(client, token);
    if method == SignatureMethod::Plaintext {
        // Percent-encoded, hence ASCII.
        return Some(Key::Plaintext(std::str::from_utf8(&key).ok()?.into()));
    }
    Some(Key::Hmac(Arc::new(hmac::Key::new(method.hmac()?, &key))))
}

#[cfg(test)]
mod tests;
