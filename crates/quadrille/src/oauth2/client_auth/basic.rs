//! Client credentials in HTTP Basic (RFC 6749, section 2.3.1; RFC 7617).

use std::borrow::Cow;

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
    prelude::BASE64_STANDARD,
};
use http::HeaderValue;

use crate::{
    Secret,
    form::{self, FormError},
    oauth2::EndpointError,
};

use super::error::ClientAuthError;

/// Clients send base64 with and without padding.
const BASIC: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The `Authorization` header of a client.
pub(super) fn basic(id: &str, secret: &str) -> Result<HeaderValue, EndpointError> {
    let mut pair = String::with_capacity(id.len() + secret.len() + 1);
    form::encode_into(&mut pair, id);
    pair.push(':');
    form::encode_into(&mut pair, secret);
    let text = ["Basic ", &BASE64_STANDARD.encode(&pair)].concat();
    let mut value = HeaderValue::try_from(text).map_err(|_| EndpointError::Credentials)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Credentials in HTTP Basic.
pub(super) struct Basic {
    pub(super) id: String,
    /// The identifier without decoding, if that differs.
    pub(super) raw_id: Option<String>,
    pub(super) secret: String,
    /// The secret without decoding, if that differs.
    pub(super) raw_secret: Option<Secret>,
}

pub(super) fn parse_basic(value: &HeaderValue) -> Result<Basic, ClientAuthError> {
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
        return Ok(Basic { id, raw_id: None, secret, raw_secret: None });
    }
    let (raw_id, raw_secret) = (id.clone(), Secret::from(&secret));
    let (id, secret) = (decode_lenient(id)?, decode_lenient(secret)?);
    let raw_id = Some(raw_id).filter(|raw| *raw != id);
    let raw_secret = Some(raw_secret).filter(|raw| raw.expose() != secret);
    Ok(Basic { id, raw_id, secret, raw_secret })
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
