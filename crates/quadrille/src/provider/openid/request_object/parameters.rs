//! The parameters in a request object: a pure decision about its claims (OpenID Connect Core, section
//! 6.1; RFC 9101, section 6.3).

use serde_json::Value;

use crate::{
    Timestamp,
    jose::{Claims, ClaimsError, ClaimsPolicy},
    oauth2::ResponseType,
};

use super::error::RequestObjectError;

/// The parts of a request outside its object, and the server that got it.
pub(super) struct Outside<'a> {
    pub(super) issuer: &'a str,
    pub(super) client: &'a str,
    pub(super) response_type: &'a str,
}

/// The parameters in an object, whose signature was verified. Issuer, audience and times are compared
/// where the object has them (OpenID Connect Core, section 6.1).
pub(super) fn parameters(
    claims: &Claims,
    outside: &Outside<'_>,
    now: Timestamp,
) -> Result<Vec<(String, String)>, RequestObjectError> {
    let wrong = |error| Err(RequestObjectError::Claims(error));
    if claims.iss.as_deref().is_some_and(|iss| iss != outside.client) {
        return wrong(ClaimsError::Issuer);
    }
    if !claims.aud.is_empty() && !claims.aud.iter().any(|aud| *aud == *outside.issuer) {
        return wrong(ClaimsError::Audience);
    }
    ClaimsPolicy::times().check(claims, now).map_err(RequestObjectError::Claims)?;
    if claims.sub.as_deref() == Some(outside.client) {
        return Err(RequestObjectError::OfAssertion);
    }
    if claims.extra.contains_key("request") || claims.extra.contains_key("request_uri") {
        return Err(RequestObjectError::Nested);
    }
    let mut parameters = Vec::new();
    for (name, value) in &claims.extra {
        for text in texts(name, value)? {
            if text.contains('\0') || name.contains('\0') {
                return Err(RequestObjectError::Member);
            }
            parameters.push((name.clone(), text));
        }
    }
    let differs = |name: &str, is_same: &dyn Fn(&str) -> bool| {
        parameters.iter().any(|(known, value)| known == name && !is_same(value))
    };
    if differs("client_id", &|inside| inside == outside.client) {
        return Err(RequestObjectError::OtherClient);
    }
    let response_type = ResponseType::parse(outside.response_type);
    let is_same = |inside: &str| {
        inside == outside.response_type
            || response_type.is_some() && ResponseType::parse(inside) == response_type
    };
    match differs("response_type", &is_same) {
        true => Err(RequestObjectError::OtherResponseType),
        false => Ok(parameters),
    }
}

/// The values of the parameter that a member is: numbers and objects as JSON has them, and a list of
/// resources as several (RFC 9101, section 4; RFC 8707, section 2).
fn texts(name: &str, value: &Value) -> Result<Vec<String>, RequestObjectError> {
    let text = |value: &Value| match value {
        Value::Null => Err(RequestObjectError::Member),
        Value::String(text) => Ok(text.clone()),
        other => Ok(other.to_string()),
    };
    match value {
        Value::Array(several) if name == "resource" => several.iter().map(text).collect(),
        one => Ok(vec![text(one)?]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn read(claims: &Value) -> Result<Vec<(String, String)>, RequestObjectError> {
        let claims = Claims::parse(claims.to_string().as_bytes());
        let claims = claims.map_err(RequestObjectError::Claims)?;
        let outside =
            Outside { issuer: "https://id.example", client: "web", response_type: "code id_token" };
        parameters(&claims, &outside, NOW)
    }

    #[test]
    fn members_become_parameters_and_registered_claims_do_not() {
        let read = read(&json!({
            "iss": "web", "aud": ["https://id.example", "x"], "exp": NOW.seconds(), "jti": "1",
            "client_id": "web", "response_type": "id_token code", "max_age": 7,
            "claims": { "id_token": { "acr": null } }, "resource": ["urn:a", "urn:b"], "scope": "",
        }));
        let mut read = read.unwrap();
        read.sort();
        let pairs = [
            ("claims", r#"{"id_token":{"acr":null}}"#),
            ("client_id", "web"),
            ("max_age", "7"),
            ("resource", "urn:a"),
            ("resource", "urn:b"),
            ("response_type", "id_token code"),
            ("scope", ""),
        ];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(read, pairs);
    }

    #[test]
    fn an_object_of_or_for_others_or_of_another_time_is_rejected() {
        use RequestObjectError as E;
        let (past, future) = (NOW.seconds() - 31, NOW.seconds() + 31);
        for (claims, error) in [
            (json!({ "iss": "app" }), E::Claims(ClaimsError::Issuer)),
            (json!({ "aud": "https://id.example/" }), E::Claims(ClaimsError::Audience)),
            (json!({ "aud": ["https://other.example"] }), E::Claims(ClaimsError::Audience)),
            (json!({ "aud": "" }), E::Claims(ClaimsError::Audience)),
            (json!({ "aud": [] }), E::Claims(ClaimsError::Malformed("aud"))),
            (json!({ "aud": null }), E::Claims(ClaimsError::Malformed("aud"))),
            (json!({ "aud": {} }), E::Claims(ClaimsError::Malformed("aud"))),
            (json!({ "aud": ["https://id.example", 7] }), E::Claims(ClaimsError::Malformed("aud"))),
            (json!({ "iss": ["web"] }), E::Claims(ClaimsError::Malformed("iss"))),
            (json!({ "iss": "" }), E::Claims(ClaimsError::Issuer)),
            (json!({ "exp": past }), E::Claims(ClaimsError::Expired)),
            (json!({ "nbf": future }), E::Claims(ClaimsError::NotYetValid)),
            (json!({ "iat": future }), E::Claims(ClaimsError::IssuedInFuture)),
            (json!({ "sub": "web" }), E::OfAssertion),
            (json!({ "client_id": "app" }), E::OtherClient),
            (json!({ "client_id": 7 }), E::OtherClient),
            (json!({ "response_type": "code" }), E::OtherResponseType),
            (json!({ "request": "a.b.c" }), E::Nested),
            (json!({ "request_uri": "" }), E::Nested),
            (json!({ "state": null }), E::Member),
            (json!({ "state": "a\u{0}b" }), E::Member),
            (json!({ "resource": ["urn:a", null] }), E::Member),
        ] {
            assert_eq!(read(&claims), Err(error), "{claims}");
        }
        assert_eq!(read(&json!({ "exp": past + 2, "nbf": future - 2 })), Ok(Vec::new()));
    }
}
