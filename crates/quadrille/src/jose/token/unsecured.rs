//! Unsecured tokens (RFC 7515, section 6; RFC 7519, section 6.1), which anybody can have written.

#[cfg(feature = "provider")]
use super::TokenType;
use crate::jose::base64url;
#[cfg(feature = "consumer")]
use crate::jose::{Claims, Protected};
#[cfg(feature = "provider")]
use crate::jose::{Header, MAX_TOKEN_LEN, TokenError};

/// An unsecured JWT: nothing in it says who has written it.
#[cfg(feature = "consumer")]
pub(crate) fn unsecured(header: &Protected<'_>, claims: &Claims) -> String {
    let mut token = base64url::encode(header.write_unsecured());
    token.push('.');
    base64url::encode_into(claims.to_json(), &mut token);
    token.push('.');
    token
}

/// The payload of an unsecured token of this type, at most [`MAX_TOKEN_LEN`] bytes long. Nothing says
/// who has written it.
///
/// # Errors
/// [`TokenError`]; [`TokenError::AlgorithmNotAccepted`] for a signed one.
#[cfg(feature = "provider")]
pub(crate) fn payload_of_anybody(token: &str, typ: TokenType) -> Result<Vec<u8>, TokenError> {
    if token.len() > MAX_TOKEN_LEN {
        return Err(TokenError::TooLong);
    }
    let mut parts = token.split('.');
    let all = [(); 3].map(|()| parts.next());
    let ([Some(header), Some(payload), Some(signature)], None) = (all, parts.next()) else {
        return Err(TokenError::NotCompact);
    };
    let header = base64url::decode(header).ok_or(TokenError::NotBase64Url)?;
    let found = Header::type_of_unsecured(&header)?;
    // A signature says nothing here, so its presence is a mistake (RFC 7515, section 6).
    if !signature.is_empty() {
        return Err(TokenError::Signature);
    }
    match typ.matches(found.as_deref()) {
        true => base64url::decode(payload).ok_or(TokenError::NotBase64Url),
        false => Err(TokenError::OtherType),
    }
}

#[cfg(all(test, feature = "provider"))]
mod tests {
    use super::*;

    fn token(header: &str, signature: &str) -> String {
        let payload = base64url::encode(r#"{"a":1}"#);
        format!("{}.{payload}.{signature}", base64url::encode(header))
    }

    #[cfg(feature = "consumer")]
    #[test]
    fn what_is_written_is_read() {
        let claims = Claims { iss: Some("our-id".into()), ..Claims::default() };
        let token = unsecured(&Protected::typ("a+jwt"), &claims);
        let payload = payload_of_anybody(&token, TokenType::Is("a+jwt"));
        assert_eq!(payload, Ok(claims.to_json()));
    }

    #[test]
    fn only_an_unsecured_token_of_the_type_without_a_signature_is_read() {
        let read = |token: &str| payload_of_anybody(token, TokenType::Plain);
        assert_eq!(read(&token(r#"{"alg":"none"}"#, "")).as_deref(), Ok(&br#"{"a":1}"#[..]));
        for (token, error) in [
            (token(r#"{"alg":"none"}"#, "QQ"), TokenError::Signature),
            (token(r#"{"alg":"None"}"#, ""), TokenError::AlgorithmNotAccepted),
            (token(r#"{"alg":"RS256"}"#, ""), TokenError::AlgorithmNotAccepted),
            (token(r#"{"alg":"none","alg":"none"}"#, ""), TokenError::Repeated),
            (token(r#"{"alg":"none","crit":["b64"]}"#, ""), TokenError::Critical),
            (token(r#"{"alg":"none","b64":false}"#, ""), TokenError::NotEncoded),
            (token(r#"{"alg":"none","typ":"at+jwt"}"#, ""), TokenError::OtherType),
            (token(r#"{"alg":"none"}"#, "").replace('.', ""), TokenError::NotCompact),
            (format!("{}.", token(r#"{"alg":"none"}"#, "")), TokenError::NotCompact),
            (format!("!{}", token(r#"{"alg":"none"}"#, "")), TokenError::NotBase64Url),
            ("a".repeat(MAX_TOKEN_LEN + 1), TokenError::TooLong),
        ] {
            assert_eq!(read(&token), Err(error), "{token}");
        }
    }
}
