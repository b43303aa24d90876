//! Client authentication (RFC 6749, section 2.3; RFC 7521, section 4.2; RFC 7523, section 2.2).

use std::{borrow::Cow, fmt};

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
    prelude::BASE64_STANDARD,
};
use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};

use super::{EndpointError, ErrorCode, ErrorResponse};
use crate::{
    Secret,
    form::{self, FormError, FormWriter, Params},
    jose::{ClaimsError, TokenError, Unverified},
};

/// The client's credentials at a server, with the method that sends them.
///
/// ```
/// use quadrille::{Secret, oauth2::{ClientAuth, Resources, TokenRequest}};
///
/// let auth = ClientAuth::Basic { client_id: "web:1".into(), client_secret: Secret::from("s&t") };
/// let request = TokenRequest::ClientCredentials { scope: None, resource: Resources::EMPTY }
///     .to_request("https://id.example/oauth/token", &auth, &[])?;
/// // Both are form-encoded first, so that a colon in the id does no harm: "web%3A1:s%26t".
/// assert_eq!(request.headers()["authorization"], "Basic d2ViJTNBMTpzJTI2dA==");
/// # Ok::<(), quadrille::oauth2::EndpointError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientAuth {
    /// HTTP Basic, which every server must support: `client_secret_basic`.
    Basic {
        /// The `client_id`.
        client_id: Box<str>,
        /// The `client_secret`.
        client_secret: Secret,
    },
    /// In the body, for servers without HTTP Basic: `client_secret_post`.
    Post {
        /// The `client_id`.
        client_id: Box<str>,
        /// The `client_secret`.
        client_secret: Secret,
    },
    /// A signed assertion, for one request: `private_key_jwt` or `client_secret_jwt` (RFC 7523,
    /// section 2.2).
    Assertion {
        /// The `client_id`.
        client_id: Box<str>,
        /// The JWT, whose issuer and subject are the client.
        assertion: Secret,
    },
    /// No authentication, for public clients: `none`.
    None {
        /// The `client_id`.
        client_id: Box<str>,
    },
}

/// The `client_assertion_type` of a JWT (RFC 7523, section 2.2).
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

impl ClientAuth {
    /// The `client_id`.
    pub fn client_id(&self) -> &str {
        match self {
            Self::Basic { client_id, .. }
            | Self::Post { client_id, .. }
            | Self::Assertion { client_id, .. }
            | Self::None { client_id } => client_id,
        }
    }

    /// Adds the credentials to the body or the headers of a request.
    pub(super) fn apply(
        &self,
        body: &mut FormWriter,
        headers: &mut HeaderMap,
    ) -> Result<(), EndpointError> {
        match self {
            Self::Basic { client_id, client_secret } => {
                headers.insert(AUTHORIZATION, basic(client_id, client_secret.expose())?);
            }
            Self::Post { client_id, client_secret } => {
                body.append("client_id", client_id);
                body.append("client_secret", client_secret.expose());
            }
            Self::Assertion { client_id, assertion } => {
                body.append("client_id", client_id);
                body.append("client_assertion_type", JWT_BEARER);
                body.append("client_assertion", assertion.expose());
            }
            Self::None { client_id } => {
                body.append("client_id", client_id);
            }
        }
        Ok(())
    }
}

/// The reason why client or authentication method cannot be read from a request.
///
/// ```
/// use http::HeaderMap;
/// use quadrille::{form::Params, oauth2::{ClientAuthError, PresentedClient}};
///
/// let body = Params::parse(b"client_secret=x")?;
/// let error = PresentedClient::parse(&HeaderMap::new(), &body).unwrap_err();
/// assert_eq!(error, ClientAuthError::SecretWithoutId);
/// # Ok::<(), quadrille::form::FormError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ClientAuthError {
    /// `client_id` or `client_secret` is repeated.
    #[error(transparent)]
    Form(#[from] FormError),
    /// There is neither a `client_id` nor an `Authorization` header.
    #[error("the request does not say which client sends it")]
    Missing,
    /// The client authenticates in header and body, by several headers, or by a secret and an
    /// assertion.
    #[error("the client authenticates in more than one way")]
    SeveralMethods,
    /// The `client_id` of the body is not that of the header, or not the subject of the assertion.
    #[error("the client_id is not that of the Authorization header or the client_assertion")]
    DifferentClients,
    /// The `Authorization` header has a scheme that is not for client authentication.
    #[error("the scheme of the Authorization header is not supported for clients")]
    UnsupportedScheme,
    /// The `Authorization` header does not encode an id and a secret (RFC 7617; RFC 6749, section
    /// 2.3.1).
    #[error("the Basic credentials are malformed")]
    MalformedBasic,
    /// There is a `client_assertion` without its type, or a type without an assertion.
    #[error("client_assertion and client_assertion_type belong together")]
    AssertionWithoutType,
    /// The `client_assertion_type` is not that of a JWT.
    #[error("this client_assertion_type is not supported")]
    UnsupportedAssertion,
    /// The `client_assertion` is not a signed JWT.
    #[error("client_assertion: {0}")]
    MalformedAssertion(#[from] TokenError),
    /// The claims of the `client_assertion` cannot be read, or name no client.
    #[error("client_assertion: {0}")]
    AssertionClaims(#[from] ClaimsError),
    /// There is a `client_secret`, but no `client_id`.
    #[error("the request has a client_secret without a client_id")]
    SecretWithoutId,
}

impl ClientAuthError {
    /// The error code (RFC 6749, section 5.2).
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Form(_)
            | Self::SeveralMethods
            | Self::DifferentClients
            | Self::AssertionWithoutType
            | Self::SecretWithoutId => ErrorCode::InvalidRequest,
            Self::Missing
            | Self::UnsupportedScheme
            | Self::MalformedBasic
            | Self::UnsupportedAssertion
            | Self::MalformedAssertion(_)
            | Self::AssertionClaims(_) => ErrorCode::InvalidClient,
        }
    }
}

impl From<ClientAuthError> for ErrorResponse {
    fn from(error: ClientAuthError) -> Self {
        Self::new(error.code()).describe(error.to_string())
    }
}

/// The client that a request names, with its proof. Nothing is verified yet.
///
/// A `client_id` in the body beside HTTP Basic is not a second method if it is the same.
///
/// ```
/// use http::{HeaderMap, HeaderValue};
/// use quadrille::{form::Params, oauth2::{AuthMethod, ClientAuthError, PresentedClient}};
///
/// let mut headers = HeaderMap::new();
/// headers.insert("authorization", HeaderValue::from_static("Basic d2ViJTNBMTpzJTI2dA=="));
/// let body = Params::parse(b"grant_type=client_credentials")?;
/// let client = PresentedClient::parse(&headers, &body)?;
/// assert_eq!(client.id, "web:1");
/// assert_eq!(client.proof.secret(), Some("s&t"));
/// assert_eq!(client.method(), AuthMethod::ClientSecretBasic);
///
/// let body = Params::parse(b"client_id=web%3A1&client_secret=s%26t")?;
/// assert_eq!(PresentedClient::parse(&headers, &body), Err(ClientAuthError::SeveralMethods));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PresentedClient<'a> {
    /// The `client_id`.
    pub id: Cow<'a, str>,
    /// The proof that it is this client.
    pub proof: ClientProof<'a>,
    /// The secret as it stands in HTTP Basic, if it differs from the form-decoded one.
    raw_secret: Option<Secret>,
    method: AuthMethod,
}

/// The proof of a client's identity in a request (RFC 6749, section 2.3).
///
/// ```
/// use http::HeaderMap;
/// use quadrille::{form::Params, oauth2::{ClientProof, PresentedClient}};
///
/// let body = Params::parse(b"client_id=web&client_secret=s3cret")?;
/// let client = PresentedClient::parse(&HeaderMap::new(), &body)?;
/// assert_eq!(client.proof, ClientProof::Secret("s3cret".into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientProof<'a> {
    /// None: a public client.
    None,
    /// The `client_secret`, which is not empty.
    Secret(Cow<'a, str>),
    /// The `client_assertion`, a signed JWT. Nothing about it is verified.
    Assertion(&'a str),
}

impl<'a> ClientProof<'a> {
    fn of_secret(secret: Option<Cow<'a, str>>) -> Self {
        secret.filter(|secret| !secret.is_empty()).map_or(Self::None, Self::Secret)
    }

    /// The `client_secret`, if that is the proof.
    pub fn secret(&self) -> Option<&str> {
        match self {
            Self::None | Self::Assertion(_) => None,
            Self::Secret(secret) => Some(secret),
        }
    }
}

impl fmt::Debug for ClientProof<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Secret(_) => "Secret",
            Self::Assertion(_) => "Assertion",
        })
    }
}

/// An authentication method of clients, by its registered name (RFC 7591, section 2).
///
/// ```
/// use quadrille::oauth2::AuthMethod;
///
/// assert_eq!(AuthMethod::ClientSecretBasic.as_str(), "client_secret_basic");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuthMethod {
    /// `client_secret_basic`.
    ClientSecretBasic,
    /// `client_secret_post`.
    ClientSecretPost,
    /// `client_secret_jwt`: an assertion with an HMAC by the secret (RFC 7523, section 2.2).
    ClientSecretJwt,
    /// `private_key_jwt`: an assertion signed with a private key (RFC 7523, section 2.2).
    PrivateKeyJwt,
    /// `none`: the `client_id` only.
    None,
}

impl AuthMethod {
    /// The name in metadata.
    ///
    /// ```
    /// use quadrille::oauth2::AuthMethod;
    ///
    /// assert_eq!(AuthMethod::ClientSecretBasic.as_str(), "client_secret_basic");
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::ClientSecretJwt => "client_secret_jwt",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::None => "none",
        }
    }
}

impl<'a> PresentedClient<'a> {
    /// Reads the client from the headers and the body of a request. An assertion names the client
    /// as its subject.
    ///
    /// # Errors
    /// [`ClientAuthError`].
    pub fn parse(headers: &HeaderMap, body: &'a Params<'_>) -> Result<Self, ClientAuthError> {
        let id = body.one("client_id")?;
        let secret = body.one("client_secret")?;
        match (body.one("client_assertion")?, body.one("client_assertion_type")?) {
            (None, None) => {}
            (Some(_), Some(_)) if secret.is_some() || headers.contains_key(AUTHORIZATION) => {
                return Err(ClientAuthError::SeveralMethods);
            }
            (Some(assertion), Some(JWT_BEARER)) => return Self::of_assertion(assertion, id),
            (Some(_), Some(_)) => return Err(ClientAuthError::UnsupportedAssertion),
            _ => return Err(ClientAuthError::AssertionWithoutType),
        }
        let mut authorizations = headers.get_all(AUTHORIZATION).iter();
        let Some(authorization) = authorizations.next() else {
            return match (id, secret) {
                (Some(id), secret) => Ok(Self {
                    id: Cow::Borrowed(id),
                    proof: ClientProof::of_secret(secret.map(Cow::Borrowed)),
                    raw_secret: None,
                    method: match secret {
                        Some(_) => AuthMethod::ClientSecretPost,
                        None => AuthMethod::None,
                    },
                }),
                (None, Some(_)) => Err(ClientAuthError::SecretWithoutId),
                (None, None) => Err(ClientAuthError::Missing),
            };
        };
        if secret.is_some() || authorizations.next().is_some() {
            return Err(ClientAuthError::SeveralMethods);
        }
        let Basic { id: basic_id, secret: basic_secret, raw_secret } = parse_basic(authorization)?;
        if id.is_some_and(|id| id != basic_id) {
            return Err(ClientAuthError::DifferentClients);
        }
        Ok(Self {
            id: Cow::Owned(basic_id),
            method: if basic_secret.is_empty() {
                AuthMethod::None
            } else {
                AuthMethod::ClientSecretBasic
            },
            proof: ClientProof::of_secret(Some(Cow::Owned(basic_secret))),
            raw_secret,
        })
    }

    fn of_assertion(assertion: &'a str, id: Option<&str>) -> Result<Self, ClientAuthError> {
        let token = Unverified::parse(assertion)?;
        let subject = token.claims_of_anybody()?.sub.filter(|subject| !subject.is_empty());
        let subject = subject.ok_or(ClaimsError::Missing("sub"))?;
        if id.is_some_and(|id| id != subject) {
            return Err(ClientAuthError::DifferentClients);
        }
        Ok(Self {
            id: Cow::Owned(subject),
            proof: ClientProof::Assertion(assertion),
            raw_secret: None,
            method: match token.header().algorithm().is_symmetric() {
                true => AuthMethod::ClientSecretJwt,
                false => AuthMethod::PrivateKeyJwt,
            },
        })
    }

    /// The secret in another reading: as it stands in HTTP Basic, if form-decoding it (RFC 6749,
    /// section 2.3.1) changes it. Many clients send it unencoded (requests-oauthlib, Authlib,
    /// curl). A generated secret is the same in both readings; a chosen one may fit this one.
    ///
    /// ```
    /// use http::{HeaderMap, HeaderValue};
    /// use quadrille::{form::Params, oauth2::PresentedClient};
    ///
    /// let mut headers = HeaderMap::new();
    /// headers.insert("authorization", HeaderValue::from_static("Basic d2ViOmErYg==")); // web:a+b
    /// let body = Params::parse(b"")?;
    /// let client = PresentedClient::parse(&headers, &body)?;
    /// assert_eq!(client.proof.secret(), Some("a b"));
    /// assert_eq!(client.raw_secret().map(|secret| secret.expose()), Some("a+b"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn raw_secret(&self) -> Option<&Secret> {
        self.raw_secret.as_ref()
    }

    /// The client's authentication method.
    pub fn method(&self) -> AuthMethod {
        self.method
    }
}

impl fmt::Debug for PresentedClient<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresentedClient")
            .field("id", &self.id)
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

/// Clients send base64 with and without padding.
const BASIC: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn basic(id: &str, secret: &str) -> Result<HeaderValue, EndpointError> {
    let mut pair = String::with_capacity(id.len() + secret.len() + 1);
    form::encode_into(&mut pair, id);
    pair.push(':');
    form::encode_into(&mut pair, secret);
    let text = format!("Basic {}", BASE64_STANDARD.encode(&pair));
    let mut value = HeaderValue::try_from(text).map_err(|_| EndpointError::Credentials)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Credentials in HTTP Basic.
struct Basic {
    id: String,
    secret: String,
    /// The secret without decoding, if that differs.
    raw_secret: Option<Secret>,
}

fn parse_basic(value: &HeaderValue) -> Result<Basic, ClientAuthError> {
    let text = value.to_str().map_err(|_| ClientAuthError::MalformedBasic)?;
    // As with all schemes here, a tab separates like a space.
    let (scheme, credentials) = text.split_once([' ', '\t']).unwrap_or((text, ""));
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(ClientAuthError::UnsupportedScheme);
    }
    let pair = BASIC.decode(credentials.trim()).map_err(|_| ClientAuthError::MalformedBasic)?;
    // One pass over all bytes; most pairs need no second one.
    let is_plain = pair.iter().fold(true, |plain, byte| plain & !matches!(byte, 0 | b'%' | b'+'));
    let mut id = String::from_utf8(pair).map_err(|_| ClientAuthError::MalformedBasic)?;
    let colon = id.find(':').ok_or(ClientAuthError::MalformedBasic)?;
    let secret = id.split_off(colon + 1);
    id.truncate(colon);
    if id.is_empty() {
        return Err(ClientAuthError::MalformedBasic);
    }
    if is_plain {
        return Ok(Basic { id, secret, raw_secret: None });
    }
    let raw = Secret::from(&secret);
    let secret = decode_lenient(secret)?;
    let raw_secret = Some(raw).filter(|raw| raw.expose() != secret);
    Ok(Basic { id: decode_lenient(id)?, secret, raw_secret })
}

/// Form-decodes one side of the colon. Many clients do not encode it (requests-oauthlib, curl), so
/// a text that is no encoding stays as it is. Secrets issued here contain neither `%` nor `+`,
/// so both readings agree.
fn decode_lenient(text: String) -> Result<String, ClientAuthError> {
    match form::decode(&text) {
        _ if text.contains('\0') => Err(ClientAuthError::MalformedBasic),
        Ok(Cow::Owned(decoded)) => Ok(decoded),
        Ok(Cow::Borrowed(_)) | Err(FormError::BrokenPercent | FormError::NotUtf8) => Ok(text),
        Err(_) => Err(ClientAuthError::MalformedBasic),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::{Algorithm, Claims, Protected, SigningKey};

    fn present(
        authorization: &[&str],
        body: &str,
    ) -> Result<(String, Option<String>, AuthMethod), ClientAuthError> {
        let mut headers = HeaderMap::new();
        for value in authorization {
            headers.append(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        let params = Params::parse(body.as_bytes()).unwrap();
        PresentedClient::parse(&headers, &params).map(|client| {
            (client.id.into_owned(), client.proof.secret().map(str::to_owned), client.method)
        })
    }

    fn basic_of(pair: &str) -> String {
        format!("Basic {}", BASE64_STANDARD.encode(pair))
    }

    #[test]
    fn what_common_clients_send_is_understood() {
        let ok = |id: &str, secret: &str, method| {
            Ok((id.to_owned(), (!secret.is_empty()).then(|| secret.to_owned()), method))
        };
        let basic = AuthMethod::ClientSecretBasic;
        // RFC 6749, section 2.3.1
        assert_eq!(
            present(&["Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3"], ""),
            ok("s6BhdRkqt3", "7Fjfp0ZBr1KtDRbnfVdmIw", basic)
        );
        // openid-client and oauth4webapi encode even `-` and `_`.
        assert_eq!(
            present(&[&basic_of("my%2Did:se%5Fcret%2D")], ""),
            ok("my-id", "se_cret-", basic)
        );
        // requests-oauthlib encodes nothing, and repeats the id in the body.
        assert_eq!(
            present(&[&basic_of("my-id:100%!~secret")], "client_id=my-id"),
            ok("my-id", "100%!~secret", basic)
        );
        // Authlib sends the scheme in any case, other clients omit padding.
        assert_eq!(present(&["basic YTpi"], ""), ok("a", "b", basic));
        assert_eq!(present(&["BASIC  YWE6Yg"], ""), ok("aa", "b", basic));
        assert_eq!(present(&["Basic\tYTpi"], ""), ok("a", "b", basic));
        assert_eq!(present(&["basic \t YTpi"], ""), ok("a", "b", basic));
        assert_eq!(present(&[&basic_of("a:")], ""), ok("a", "", AuthMethod::None));
        assert_eq!(
            present(&[], "client_id=a&client_secret=b%2Bc"),
            ok("a", "b+c", AuthMethod::ClientSecretPost)
        );
        assert_eq!(present(&[], "client_id=a"), ok("a", "", AuthMethod::None));
    }

    #[test]
    fn each_confusion_has_its_own_reason_and_code() {
        use ClientAuthError as E;
        let good = basic_of("a:b");
        let cases: [(&[&str], &str, E, &str); 13] = [
            (&[], "", E::Missing, "invalid_client"),
            (&[], "client_secret=x", E::SecretWithoutId, "invalid_request"),
            (&[&good], "client_id=a&client_secret=b", E::SeveralMethods, "invalid_request"),
            (&[&good], "client_secret=b", E::SeveralMethods, "invalid_request"),
            (&[&good, &good], "", E::SeveralMethods, "invalid_request"),
            (&[&good], "client_id=c", E::DifferentClients, "invalid_request"),
            (&["Bearer x"], "client_id=a", E::UnsupportedScheme, "invalid_client"),
            (&["Basic"], "", E::MalformedBasic, "invalid_client"),
            (&["Basic !!"], "", E::MalformedBasic, "invalid_client"),
            (&[&basic_of("nocolon")], "", E::MalformedBasic, "invalid_client"),
            (&[&basic_of(":b")], "", E::MalformedBasic, "invalid_client"),
            (&[&basic_of("a:%00")], "", E::MalformedBasic, "invalid_client"),
            (
                &[],
                "client_id=a&client_id=a",
                E::Form(FormError::Duplicate("client_id")),
                "invalid_request",
            ),
        ];
        for (headers, body, error, code) in cases {
            assert_eq!(present(headers, body), Err(error), "{headers:?} {body}");
            assert_eq!(error.code().as_str(), code, "{error:?}");
        }
    }

    fn assertion(algorithm: Algorithm, sub: Option<&str>) -> String {
        let key = match algorithm.is_symmetric() {
            true => SigningKey::hmac(algorithm, &"a secret of at least 32 bytes!!!!".into()),
            false => SigningKey::generate(algorithm),
        };
        let claims = Claims { sub: sub.map(ToOwned::to_owned), ..Claims::default() };
        key.unwrap().sign_claims(&Protected::plain(), &claims).unwrap()
    }

    fn asserted(text: &str, more: &str) -> String {
        let mut body = FormWriter::new();
        body.append("client_assertion", text);
        body.append("client_assertion_type", JWT_BEARER);
        format!("{}{more}", body.finish())
    }

    #[test]
    fn an_assertion_names_its_client_and_is_the_only_proof() {
        use ClientAuthError as E;
        let signed = assertion(Algorithm::Es256, Some("web"));
        let web = |method| Ok(("web".to_owned(), None, method));
        assert_eq!(present(&[], &asserted(&signed, "")), web(AuthMethod::PrivateKeyJwt));
        let same = asserted(&signed, "&client_id=web");
        assert_eq!(present(&[], &same), web(AuthMethod::PrivateKeyJwt));
        let shared = assertion(Algorithm::Hs256, Some("web"));
        assert_eq!(present(&[], &asserted(&shared, "")), web(AuthMethod::ClientSecretJwt));

        let missing = E::AssertionClaims(ClaimsError::Missing("sub"));
        let nobody = assertion(Algorithm::Es256, None);
        let (none, basic) = ("eyJhbGciOiJub25lIn0.eyJzdWIiOiJ3ZWIifQ.", basic_of("web:b"));
        for (headers, body, error) in [
            (&[][..], asserted(&signed, "&client_id=other"), E::DifferentClients),
            (&[], asserted(&signed, "&client_id=web&client_secret=x"), E::SeveralMethods),
            (&[&*basic], asserted(&signed, ""), E::SeveralMethods),
            (&["Bearer x"], asserted(&signed, ""), E::SeveralMethods),
            (&[], asserted(&nobody, "&client_id=web"), missing),
            (&[], asserted(none, ""), E::MalformedAssertion(TokenError::Unsecured)),
            (&[], asserted("x", ""), E::MalformedAssertion(TokenError::NotCompact)),
            (&[], format!("client_id=web&client_assertion={signed}"), E::AssertionWithoutType),
            (&[], format!("client_assertion_type={JWT_BEARER}"), E::AssertionWithoutType),
            (
                &[],
                format!("client_assertion={signed}&client_assertion_type=urn:x"),
                E::UnsupportedAssertion,
            ),
            (
                &[],
                asserted(&signed, &format!("&client_assertion={signed}")),
                E::Form(FormError::Duplicate("client_assertion")),
            ),
        ] {
            assert_eq!(present(headers, &body), Err(error), "{headers:?} {body}");
        }
    }

    #[test]
    fn a_secret_shows_neither_in_debug_output_nor_in_the_header_s() {
        let client = ClientAuth::Basic { client_id: "a".into(), client_secret: "canary".into() };
        assert!(!format!("{client:?}").contains("canary"));
        let params = Params::parse(b"client_id=a&client_secret=canary").unwrap();
        let client = PresentedClient::parse(&HeaderMap::new(), &params).unwrap();
        assert!(!format!("{client:?}").contains("canary"));
        assert_eq!(format!("{:?}", basic("a", "b").unwrap()), "Sensitive");
    }
}
