//! Signing a request (RFC 5849, section 3.1).

use std::{fmt, sync::Arc};

use aws_lc_rs::{digest, hmac};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Uri, header};
use zeroize::Zeroizing;

use crate::{
    Env, Secret,
    oauth2::form::{FormError, FormWriter, Params, is_form},
};

use super::{
    KeyError, RsaSigningKey, SignatureMethod,
    encoding::{Covered, base_uri, encode_into},
    header as authorization,
};

/// Where the protocol parameters stand (RFC 5849, section 3.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Placement {
    /// In the `Authorization` header, which every server takes.
    #[default]
    Header,
    /// In the query, where they end up in logs.
    Query,
    /// In the body, which must be a form or empty.
    Body,
}

/// Why a request could not be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// It has no absolute `http` or `https` URL.
    #[error("only a request to an absolute http or https URL can be signed")]
    NotAbsolute,
    /// Its query or its form cannot be read.
    #[error(transparent)]
    Form(#[from] FormError),
    /// The parameters should go into a body that is no form.
    #[error("protocol parameters can stand in the body of a form only")]
    NoForm,
    /// It is signed already, or carries parameters that begin with `oauth_`.
    #[error("the request has protocol parameters already")]
    SignedAlready,
    /// The key does not serve.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Signs requests for one client, with or without a token. Make it once: what follows from the
/// secrets is computed only then. Cheap to clone.
///
/// ```
/// use quadrille::{Env, Secret, oauth1::{SignatureMethod, Signer}};
///
/// let signer = Signer::hmac(SignatureMethod::HmacSha1, "key", &Secret::from("secret"))?
///     .token("token", &Secret::from("token secret"));
/// let request = http::Request::get("https://api.example/photos?size=small").body(bytes::Bytes::new())?;
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
}

#[derive(Clone)]
enum Key {
    /// Of more than a kilobyte, since the schedule of the key is kept.
    Hmac(Arc<hmac::Key>),
    Rsa(RsaSigningKey),
    Plaintext(Secret),
}

impl Signer {
    /// With a secret that client and server share: for the HMAC methods and PLAINTEXT.
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

    /// With the client's private key: for the RSA methods.
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
        }
    }

    /// With a temporary or token credential. RSA signatures do not depend on its secret.
    #[must_use]
    pub fn token(mut self, identifier: &str, secret: &Secret) -> Self {
        self.token = Some(identifier.into());
        if let Some(key) = shared(self.method, &self.client_secret, Some(secret)) {
            self.key = key;
        }
        self
    }

    /// Where the protocol parameters go: into the header unless said otherwise.
    #[must_use]
    pub fn placement(mut self, placement: Placement) -> Self {
        self.placement = placement;
        self
    }

    /// The realm in the header. It is not signed.
    #[must_use]
    pub fn realm(mut self, realm: &str) -> Self {
        self.realm = Some(realm.into());
        self
    }

    /// Leaves `oauth_body_hash` out, for the few servers that refuse what they do not know. What is
    /// given up: a body that is no form can be exchanged on the way.
    #[must_use]
    pub fn without_body_hash(mut self) -> Self {
        self.body_hash = false;
        self
    }

    /// How it signs.
    pub const fn method(&self) -> SignatureMethod {
        self.method
    }

    /// Signs a request. `further` are protocol parameters of this one: `oauth_callback`,
    /// `oauth_verifier`.
    ///
    /// A body that is no form is covered by its hash (OAuth Request Body Hash, section 3), unless it
    /// is empty.
    ///
    /// # Errors
    /// [`SignError`].
    pub fn sign(
        &self,
        env: &Env,
        mut request: Request<Bytes>,
        further: &[(&str, &str)],
    ) -> Result<Request<Bytes>, SignError> {
        let form = is_form(request.headers());
        let body = match form {
            true => Covers::Form(request.body()),
            false if request.body().is_empty() => Covers::Nothing,
            false => Covers::Hash(request.body()),
        };
        let signed = self.signed(env, request.method(), request.uri(), &body, further)?;
        match self.placement {
            Placement::Header => {
                let value = self.header_value(&signed);
                request.headers_mut().insert(header::AUTHORIZATION, value);
            }
            Placement::Query => {
                let url = request.uri().to_string();
                let mut url = FormWriter::after_url(&url);
                signed.append_to(&mut url);
                *request.uri_mut() =
                    Uri::try_from(url.finish()).map_err(|_| SignError::NotAbsolute)?;
            }
            Placement::Body if !form && !request.body().is_empty() => {
                return Err(SignError::NoForm);
            }
            Placement::Body => {
                let mut text = FormWriter::after_body(request.body());
                signed.append_to(&mut text);
                *request.body_mut() = text.finish().into();
                let headers = request.headers_mut();
                headers.remove(header::CONTENT_LENGTH);
                if !form {
                    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
                    headers.insert(header::CONTENT_TYPE, form);
                }
            }
        }
        Ok(request)
    }

    /// The value of the `Authorization` header for a request whose body is sent while it is made, or
    /// is not at hand: `form` is the body where it is a form, which must be signed.
    ///
    /// # Errors
    /// [`SignError`].
    pub fn authorization(
        &self,
        env: &Env,
        method: &Method,
        uri: &Uri,
        form: Option<&[u8]>,
        further: &[(&str, &str)],
    ) -> Result<HeaderValue, SignError> {
        let covers = form.map_or(Covers::Nothing, Covers::Form);
        let signed = self.signed(env, method, uri, &covers, further)?;
        Ok(self.header_value(&signed))
    }

    fn signed<'a>(
        &'a self,
        env: &Env,
        method: &Method,
        uri: &Uri,
        body: &Covers<'_>,
        further: &[(&'a str, &'a str)],
    ) -> Result<Signed<'a>, SignError> {
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(SignError::NotAbsolute);
        };
        if !matches!(scheme, "http" | "https") {
            return Err(SignError::NotAbsolute);
        }
        // Who the user is does not belong to an origin.
        let host = authority.as_str().rsplit('@').next().unwrap_or_default();
        let query = Params::parse(uri.query().unwrap_or("").as_bytes())?;
        let form = match body {
            Covers::Form(form) => Params::parse(form)?,
            Covers::Hash(_) | Covers::Nothing => Params::default(),
        };
        if query.iter().chain(form.iter()).any(|(name, _)| name.starts_with("oauth_")) {
            return Err(SignError::SignedAlready);
        }
        let body_hash = match (body, self.method.body_hash()) {
            (Covers::Hash(body), Some(algorithm)) if self.body_hash => {
                Some(BASE64_STANDARD.encode(digest::digest(algorithm, body)))
            }
            _ => None,
        };
        let mut signed = Signed {
            client: &self.client,
            token: self.token.as_deref(),
            method: self.method,
            timestamp: env.now().seconds().to_string(),
            nonce: nonce(env),
            further: further.to_vec(),
            body_hash,
            signature: String::new(),
        };
        signed.signature = match &self.key {
            Key::Plaintext(secrets) => secrets.expose().to_owned(),
            Key::Hmac(key) => {
                let base = signed.base_string(method, scheme, host, uri.path(), &query, &form);
                BASE64_STANDARD.encode(hmac::sign(key, base.as_bytes()))
            }
            Key::Rsa(key) => {
                let base = signed.base_string(method, scheme, host, uri.path(), &query, &form);
                BASE64_STANDARD.encode(key.sign(self.method, base.as_bytes())?)
            }
        };
        Ok(signed)
    }

    fn header_value(&self, signed: &Signed<'_>) -> HeaderValue {
        let mut out = String::with_capacity(384);
        out.push_str("OAuth ");
        if let Some(realm) = &self.realm {
            authorization::append_realm(&mut out, realm);
        }
        signed.each(|name, value| authorization::append(&mut out, name, value));
        // It is all printable ASCII.
        let mut value = HeaderValue::try_from(out).unwrap_or(HeaderValue::from_static("OAuth"));
        value.set_sensitive(true);
        value
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

/// What a signature says of the body.
enum Covers<'a> {
    Nothing,
    Form(&'a [u8]),
    Hash(&'a [u8]),
}

/// The protocol parameters of one request.
struct Signed<'a> {
    client: &'a str,
    token: Option<&'a str>,
    method: SignatureMethod,
    timestamp: String,
    nonce: String,
    further: Vec<(&'a str, &'a str)>,
    body_hash: Option<String>,
    signature: String,
}

impl Signed<'_> {
    fn each(&self, mut each: impl FnMut(&str, &str)) {
        self.each_but_signature(&mut each);
        each("oauth_signature", &self.signature);
    }

    fn each_but_signature(&self, each: &mut impl FnMut(&str, &str)) {
        each("oauth_consumer_key", self.client);
        if let Some(token) = self.token {
            each("oauth_token", token);
        }
        each("oauth_signature_method", self.method.as_str());
        each("oauth_timestamp", &self.timestamp);
        each("oauth_nonce", &self.nonce);
        each("oauth_version", "1.0");
        for (name, value) in &self.further {
            each(name, value);
        }
        if let Some(hash) = &self.body_hash {
            each("oauth_body_hash", hash);
        }
    }

    fn append_to(&self, out: &mut FormWriter) {
        self.each(|name, value| {
            out.append(name, value);
        });
    }

    fn base_string(
        &self,
        method: &Method,
        scheme: &str,
        host: &str,
        path: &str,
        query: &Params<'_>,
        form: &Params<'_>,
    ) -> String {
        let mut covered = Covered::with_capacity(512, 10 + query.iter().len() + form.iter().len());
        for (name, value) in query.iter().chain(form.iter()) {
            covered.add(name, value);
        }
        self.each_but_signature(&mut |name, value| covered.add(name, value));
        let origin = [scheme, "://", host].concat();
        covered.base_string(method.as_str(), &base_uri(&origin, path))
    }
}

/// Unguessable, and 28 letters and digits: servers built on oauthlib take no others than 20 to 30.
fn nonce(env: &Env) -> String {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let bytes: [u8; 14] = env.random();
    let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().map_or('0', char::from);
    let mut out = String::with_capacity(28);
    for byte in bytes {
        out.push(digit(byte >> 4));
        out.push(digit(byte & 15));
    }
    out
}

/// The secrets, encoded and joined (RFC 5849, section 3.4.2). The separator is always there.
pub(super) fn shared_key(client: &Secret, token: Option<&Secret>) -> Zeroizing<String> {
    let token = token.map_or("", Secret::expose);
    // Large enough that no copy of it is left behind by growing.
    let longest = 3 * (client.expose().len() + token.len()) + 1;
    let mut key = Zeroizing::new(String::with_capacity(longest));
    encode_into(&mut key, client.expose());
    key.push('&');
    encode_into(&mut key, token);
    key
}

fn shared(method: SignatureMethod, client: &Secret, token: Option<&Secret>) -> Option<Key> {
    let key = shared_key(client, token);
    if method == SignatureMethod::Plaintext {
        return Some(Key::Plaintext(Secret::from(key.as_str())));
    }
    Some(Key::Hmac(Arc::new(hmac::Key::new(method.hmac()?, key.as_bytes()))))
}
