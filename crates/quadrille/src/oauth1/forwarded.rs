//! A signed request that an API without keys forwards to the issuer for verification.

use std::{borrow::Cow, fmt};

use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, Response, Uri,
    header::{AUTHORIZATION, CONTENT_TYPE},
    request::Parts,
};

use crate::{
    form::{FORM, FormWriter, Params, hex_digit, is_form},
    oauth2::{
        ActiveToken, ClientAuth, EndpointError, IntrospectionResponse, IntrospectionResponseError,
        RequestError, answer, post_form,
    },
};

use super::Problem;

const TOKEN: &str = "token";
const METHOD: &str = "request_method";
const URL: &str = "request_url";
const AUTHORIZATION_OF_REQUEST: &str = "request_authorization";
const FORM_OF_REQUEST: &str = "request_form";

/// The part of an introspection request (RFC 7662) that describes a signed request. An API without the secrets cannot verify a signature (RFC 5849, section 3.2),
/// and the identifier of a token proves nothing without one. So the API sends everything that the
/// signature covers, and the issuer verifies the signature and rejects a replay.
///
/// RFC 7662, section 2.1, lets a server accept further parameters. These are an extension of
/// Quadrille's: `request_method`, `request_url`, `request_authorization` (if the request has the
/// header) and `request_form` (if its body is a form). Other bodies are not sent: the API compares
/// them with the signed `oauth_body_hash`. `token` is that of the signed request; it is missing if the
/// client signed without one.
///
/// ```
/// use quadrille::{Env, Secret, oauth1::{Forwarded, SignatureMethod, SignedRequest, Signer}};
/// use quadrille::{form::Params, oauth2::ClientAuth};
///
/// let signer = Signer::hmac(SignatureMethod::HmacSha256, "printer", &Secret::from("its secret"))?;
/// let request = http::Request::get("https://api.example/photos?size=9");
/// let request = request.body(bytes::Bytes::new())?;
/// let (parts, body) = signer.sign(&Env::system(), request, &[])?.into_parts();
///
/// // The API, which is at https://api.example ...
/// let forwarded = Forwarded::of(&parts, "https://api.example", &body).ok_or("no text")?;
/// let auth = ClientAuth::Basic { client_id: "api".into(), client_secret: "s3cret".into() };
/// let question = forwarded.to_question(None, "https://id.example/oauth/introspect", &auth)?;
///
/// // ... and the issuer, which reads what the client signed.
/// let params = Params::of_body(&question)?;
/// assert_eq!(Forwarded::token(&params)?, None);
/// let forwarded = Forwarded::parse(&params)?.ok_or("nothing was forwarded")?;
/// let (parts, body, origin) = forwarded.to_request().ok_or("no request")?;
/// let signed = SignedRequest::read(&parts, &body)?.ok_or("not signed")?;
/// assert_eq!((signed.client(), &*origin), ("printer", "https://api.example"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Forwarded<'a> {
    method: Cow<'a, str>,
    url: Cow<'a, str>,
    authorization: Option<Cow<'a, str>>,
    form: Option<Cow<'a, str>>,
}

impl<'a> Forwarded<'a> {
    /// Describes a request to an API at `origin`. `body` must be complete if it is a form. `None`
    /// if the header is not text, which no client could have signed.
    pub fn of(parts: &'a Parts, origin: &str, body: &'a [u8]) -> Option<Self> {
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        let is_text = |text: &&str| !text.contains('\0');
        let text = |bytes| std::str::from_utf8(bytes).ok().filter(is_text).map(Cow::Borrowed);
        let authorization = parts.headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
        // An empty form adds nothing to the signature.
        let form = (is_form(&parts.headers) && !body.is_empty()).then_some(body);
        let form = form.map(|form| text(form).unwrap_or_else(|| encoded(form).into()));
        Some(Self {
            method: parts.method.as_str().into(),
            url: format!("{origin}{target}").into(),
            authorization: authorization.map(|value| text(value).ok_or(())).transpose().ok()?,
            form,
        })
    }

    /// The parameters of the introspection request.
    pub fn parameters(&self) -> Vec<(&'static str, &str)> {
        let always = [(METHOD, Some(&self.method)), (URL, Some(&self.url))];
        let sometimes = [
            (AUTHORIZATION_OF_REQUEST, self.authorization.as_ref()),
            (FORM_OF_REQUEST, self.form.as_ref()),
        ];
        let all = always.into_iter().chain(sometimes);
        all.filter_map(|(name, value)| Some((name, &**value?))).collect()
    }

    /// The introspection request about the signed request, which was signed with this token, if with
    /// any.
    ///
    /// # Errors
    /// [`EndpointError`] if no request can be sent to the endpoint.
    pub fn to_question(
        &self,
        token: Option<&str>,
        endpoint: &str,
        auth: &ClientAuth,
    ) -> Result<Request<Bytes>, EndpointError> {
        let mut body = FormWriter::new();
        body.append_some(TOKEN, token);
        for (name, value) in self.parameters() {
            body.append(name, value);
        }
        post_form(endpoint, auth, body)
    }

    /// Reads the token of an introspection request about a signed request; `None` if the client
    /// signed without one.
    ///
    /// # Errors
    /// [`RequestError`] if the parameter is repeated.
    pub fn token(params: &'a Params<'_>) -> Result<Option<&'a str>, RequestError> {
        Ok(params.one(TOKEN)?)
    }

    /// Reads the parameters of an introspection request; `None` if it describes no signed request.
    ///
    /// # Errors
    /// [`RequestError`] if only some of the parameters are present, or one is repeated.
    pub fn parse(params: &'a Params<'_>) -> Result<Option<Self>, RequestError> {
        let one = |name| Ok::<_, RequestError>(params.one(name)?.map(Cow::Borrowed));
        let (method, url) = (one(METHOD)?, one(URL)?);
        let (authorization, form) = (one(AUTHORIZATION_OF_REQUEST)?, one(FORM_OF_REQUEST)?);
        if method.is_none() && url.is_none() && authorization.is_none() && form.is_none() {
            return Ok(None);
        }
        let method = method.ok_or(RequestError::Missing(METHOD))?;
        let url = url.ok_or(RequestError::Missing(URL))?;
        Ok(Some(Self { method, url, authorization, form }))
    }

    /// The request as received by the API, with its body if that is a form, and the origin that the
    /// client signed. `None` if no such request can exist.
    pub fn to_request(&self) -> Option<(Parts, Bytes, String)> {
        let url: Uri = self.url.parse().ok()?;
        let (scheme, authority) = (url.scheme_str()?, url.authority()?);
        if !matches!(scheme, "https" | "http") || authority.as_str().contains('@') {
            return None;
        }
        let origin = format!("{scheme}://{authority}");
        let mut request = Request::new(());
        *request.method_mut() = Method::from_bytes(self.method.as_bytes()).ok()?;
        *request.uri_mut() = url.path_and_query()?.as_str().parse().ok()?;
        if let Some(authorization) = &self.authorization {
            let value = HeaderValue::from_str(authorization).ok()?;
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        if self.form.is_some() {
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(FORM));
        }
        let form = self.form.as_deref().unwrap_or_default();
        let (parts, ()) = request.into_parts();
        Some((parts, Bytes::copy_from_slice(form.as_bytes()), origin))
    }
}

/// The form with all bytes outside ASCII percent-encoded.
fn encoded(form: &[u8]) -> String {
    let mut text = String::with_capacity(form.len() + 64);
    for byte in form {
        match byte {
            b'!'..=b'~' => text.push(char::from(*byte)),
            byte => {
                text.push('%');
                text.push(char::from(hex_digit(byte >> 4)));
                text.push(char::from(hex_digit(byte & 15)));
            }
        }
    }
    text
}

/// Omits the signature and the form.
impl fmt::Debug for Forwarded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forwarded").field("method", &self.method).finish_non_exhaustive()
    }
}

/// The issuer's verdict on a [`Forwarded`] request.
///
/// ```
/// use quadrille::oauth1::{Problem, Verdict};
///
/// let verdict = Verdict::Bad(Some(Problem::NonceUsed));
/// let response = verdict.to_response();
/// assert_eq!(response.body(), r#"{"active":false,"oauth_problem":"nonce_used"}"#);
/// assert_eq!(Verdict::parse(&response), Ok(verdict));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "lives for a moment: a box costs more than a copy")]
pub enum Verdict<'a> {
    /// The signature is valid and the request no replay. Holds the token's meaning; its
    /// `token_type` is [`Verdict::TOKEN_TYPE`].
    Good(ActiveToken<'a>),
    /// The request must be refused, with this problem for the client; `None` if the API may not
    /// know the reason.
    Bad(Option<Problem>),
}

impl Verdict<'_> {
    /// The `token_type` that tells a verdict on a request from one on a token alone, which anybody
    /// may have picked up: a server without the extension returns the latter.
    pub const TOKEN_TYPE: &'static str = "oauth1";

    /// The response of the introspection endpoint, with `Cache-Control: no-store`.
    pub fn to_response(&self) -> Response<Bytes> {
        match self {
            Self::Good(token) => {
                let mut token = token.clone();
                token.token_type = Some(Self::TOKEN_TYPE.into());
                IntrospectionResponse::Active(token).to_response()
            }
            Self::Bad(None) => IntrospectionResponse::Inactive.to_response(),
            Self::Bad(Some(problem)) => {
                let problem = problem.as_str();
                IntrospectionResponse::Inactive
                    .to_response()
                    .map(|_| format!(r#"{{"active":false,"oauth_problem":"{problem}"}}"#).into())
            }
        }
    }
}

impl Verdict<'static> {
    /// Reads the response of a server. A response about the token alone is [`Verdict::Bad`].
    ///
    /// # Errors
    /// See [`IntrospectionResponse::parse`].
    pub fn parse(response: &Response<Bytes>) -> Result<Self, IntrospectionResponseError> {
        Ok(match IntrospectionResponse::parse(response)? {
            IntrospectionResponse::Active(token)
                if token.token_type.as_deref() == Some(Self::TOKEN_TYPE) =>
            {
                Self::Good(token)
            }
            IntrospectionResponse::Active(_) => Self::Bad(None),
            IntrospectionResponse::Inactive => {
                let object = answer::members(&answer::text(response.body()));
                let word = object.as_ref().and_then(|object| object.get("oauth_problem")?.as_str());
                Self::Bad(word.and_then(Problem::parse))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(method: &str, target: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn what_is_forwarded_arrives_as_it_came() {
        let form = "application/x-www-form-urlencoded";
        for (method, target, headers, body) in [
            ("GET", "/a%20b?x=%2B&x&y=+", vec![("authorization", "OAuth a=\"b\"")], ""),
            ("POST", "/", vec![("content-type", form)], "a=%26&a=&=%C3%BC"),
            ("PUT", "/p?", vec![("content-type", form), ("authorization", "OAuth")], "x"),
        ] {
            let given = parts(method, target, &headers);
            let forwarded =
                Forwarded::of(&given, "https://api.example:8443", body.as_bytes()).unwrap();
            assert!(!format!("{forwarded:?}").contains("OAuth"));
            let mut writer = FormWriter::new();
            for (name, value) in forwarded.parameters() {
                writer.append(name, value);
            }
            let text = writer.finish();
            let params = Params::parse(text.as_bytes()).unwrap();
            let read = Forwarded::parse(&params).unwrap().unwrap();
            assert_eq!(read, forwarded);
            let (parts, read, origin) = read.to_request().unwrap();
            assert_eq!((&parts.method, &parts.uri), (&given.method, &given.uri));
            assert_eq!((&parts.headers, &*read), (&given.headers, body.as_bytes()));
            assert_eq!(origin, "https://api.example:8443");
        }
    }

    #[test]
    fn parameters_that_make_no_request_are_refused() {
        let parse = |text: &str| {
            let params = Params::parse(text.as_bytes()).unwrap();
            Forwarded::parse(&params).map(|read| read.map(|read| read.to_request().is_some()))
        };
        assert_eq!(parse("token=a"), Ok(None));
        assert_eq!(parse("request_method=GET"), Err(RequestError::Missing(URL)));
        assert_eq!(parse("request_url=https://a.example/"), Err(RequestError::Missing(METHOD)));
        assert_eq!(parse("request_form=a"), Err(RequestError::Missing(METHOD)));
        assert_eq!(parse("request_method=GET&request_url=https://a.example/"), Ok(Some(true)));
        for url in ["/", "a.example", "ftp://a.example/", "https://u@a.example/", "https://", "x y"]
        {
            assert_eq!(
                parse(&format!("request_method=GET&request_url={url}")),
                Ok(Some(false)),
                "{url}"
            );
        }
        assert_eq!(parse("request_method=G+T&request_url=https://a.example/"), Ok(Some(false)));
        let header = "request_authorization=OAuth%0Ax";
        let text = format!("request_method=GET&request_url=https://a.example/&{header}");
        assert_eq!(parse(&text), Ok(Some(false)));
    }

    #[test]
    fn the_answer_about_a_token_by_itself_is_no_answer_about_a_request() {
        let parse = |body: &'static str| Verdict::parse(&Response::new(Bytes::from(body)));
        let good = parse(r#"{"active":true,"token_type":"oauth1","sub":"ada"}"#);
        assert!(matches!(good, Ok(Verdict::Good(_))));
        for body in [
            r#"{"active":true}"#,
            r#"{"active":true,"token_type":"Bearer","sub":"ada"}"#,
            r#"{"active":false,"token_type":"oauth1"}"#,
            r#"{"active":false,"oauth_problem":"whatever"}"#,
        ] {
            assert_eq!(parse(body), Ok(Verdict::Bad(None)), "{body}");
        }
        assert_eq!(parse("{}"), Err(IntrospectionResponseError::Malformed));
    }
}
