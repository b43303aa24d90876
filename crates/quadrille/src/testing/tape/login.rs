//! The login of a replay, which begins at the tape instead of the service.

use bytes::Bytes;
use http::{Request, header};
use serde_json::Value;
use url::Url;

use crate::{form::FormWriter, jose::Unverified};

use super::{
    content::Content,
    exchange::Exchange,
    issuer::{Begun, Issuer},
};

/// The callback of the login at `url`, with a placeholder as the code: what the service redirects a user
/// to who approves. `temporary` is that of the login in OAuth 1 that has begun. `None` if `url` is no
/// authorization request.
pub(super) fn callback(
    url: &str,
    exchanges: &[Exchange],
    issuer: &mut Issuer,
    temporary: Option<&str>,
) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let one = |wanted: &str| parameter(&url, wanted);
    if let Some(redirect_uri) = one("redirect_uri") {
        let challenge = one("code_challenge").and_then(|challenge| challenge.parse().ok());
        issuer.begins(Begun { nonce: one("nonce"), challenge });
        let mut form = FormWriter::after_url(&redirect_uri);
        form.append("code", "tape-code-0");
        form.append_some("state", one("state").as_deref());
        form.append_some("iss", issuer_at(exchanges, &url));
        return Some(form.finish());
    }
    let token = one("oauth_token")?;
    let mut form = FormWriter::after_url(temporary?);
    form.append("oauth_token", &token).append("oauth_verifier", "tape-oauth_verifier-0");
    Some(form.finish())
}

/// A parameter of an authorization request, in its URL or in its request object (RFC 9101), whose
/// signature the service has checked when the tape was recorded.
fn parameter(url: &Url, wanted: &str) -> Option<String> {
    let in_url = |wanted: &str| {
        let mut pairs = url.query_pairs();
        pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    in_url(wanted).or_else(|| {
        let object = in_url("request")?;
        let claims = Unverified::parse(&object).ok()?.claims_of_anybody().ok()?;
        claims.text(wanted).map(str::to_owned)
    })
}

/// The issuer that names itself in each authorization response (RFC 9207), by the metadata on the tape
/// with this authorization endpoint.
fn issuer_at<'e>(exchanges: &'e [Exchange], url: &Url) -> Option<&'e str> {
    let mut endpoint = url.clone();
    endpoint.set_query(None);
    let is_there = |metadata: &&Value| {
        let there = metadata.get("authorization_endpoint").and_then(Value::as_str);
        let mut there = there.and_then(|there| Url::parse(there).ok());
        there.iter_mut().for_each(|there| there.set_query(None));
        there.as_ref() == Some(&endpoint)
            && metadata.get("authorization_response_iss_parameter_supported")
                == Some(&Value::Bool(true))
    };
    let mut documents = exchanges.iter().filter_map(|exchange| match &exchange.response.body {
        Some(Content::Json(json)) => Some(json),
        _ => None,
    });
    documents.find(is_there)?.get("issuer")?.as_str()
}

/// The callback of a request for temporary credentials (RFC 5849, section 2.1).
pub(super) fn oauth_callback(request: &Request<Bytes>) -> Option<String> {
    let header = request.headers().get(header::AUTHORIZATION).and_then(|it| it.to_str().ok());
    let in_header = header.unwrap_or_default().replace([',', ' '], "&").replace('"', "");
    let body = std::str::from_utf8(request.body()).unwrap_or_default();
    let query = request.uri().query().unwrap_or_default();
    [&*in_header, body, query].into_iter().find_map(|pairs| {
        let mut pairs = url::form_urlencoded::parse(pairs.as_bytes());
        pairs.find(|(name, _)| name == "oauth_callback").map(|(_, value)| value.into_owned())
    })
}
