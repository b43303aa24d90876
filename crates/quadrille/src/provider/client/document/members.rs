//! The members of a client's metadata document that belong to OpenID Connect, and those that would
//! protect the client or its users and that no server here heeds.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IgnoredAny, MapAccess, Visitor},
};
use serde_json::{Map, Value, value::RawValue};

/// The members that have an effect, as in a registration (OpenID Connect Dynamic Client Registration,
/// section 2). `application_type` has none: the redirect URIs are limited by other rules.
const EFFECTIVE: [&str; 20] = [
    "backchannel_logout_session_required",
    "backchannel_logout_uri",
    "default_acr_values",
    "default_max_age",
    "frontchannel_logout_session_required",
    "frontchannel_logout_uri",
    "id_token_encrypted_response_alg",
    "id_token_encrypted_response_enc",
    "id_token_signed_response_alg",
    "initiate_login_uri",
    "post_logout_redirect_uris",
    "request_object_encryption_alg",
    "request_object_encryption_enc",
    "request_object_signing_alg",
    "request_uris",
    "require_auth_time",
    "require_signed_request_object",
    "userinfo_encrypted_response_alg",
    "userinfo_encrypted_response_enc",
    "userinfo_signed_response_alg",
];

/// The members that would protect, and are not heeded: pushed requests (RFC 9126, section 6), tokens
/// bound to a key (RFC 9449, section 5.2; RFC 8705, section 3.4) and signed or encrypted responses of
/// the authorization endpoint (JARM, section 3).
const PROTECTIVE: [&str; 5] = [
    "authorization_encrypted_response_alg",
    "authorization_signed_response_alg",
    "dpop_bound_access_tokens",
    "require_pushed_authorization_requests",
    "tls_client_certificate_bound_access_tokens",
];

/// The keys of a document.
const KEYS: [&str; 2] = ["jwks", "jwks_uri"];

/// The members of a document beside those of RFC 7591.
#[derive(Debug, Default)]
pub(super) struct Members {
    pub(super) effective: Map<String, Value>,
    /// The first of the members that would protect, and are not heeded.
    pub(super) unheeded: Option<&'static str>,
    pub(super) jwks: Option<Box<RawValue>>,
    pub(super) jwks_uri: Option<String>,
}

/// Members that have no use here may be anything.
impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Members::default();
        while let Some(name) = map.next_key::<String>()? {
            let known = |names: &[&'static str]| names.iter().find(|it| **it == name).copied();
            if known(&KEYS).is_some() {
                match (&*name, map.next_value::<Box<RawValue>>()?) {
                    ("jwks", jwks) => members.jwks = Some(jwks),
                    (_, uri) => members.jwks_uri = serde_json::from_str(uri.get()).ok(),
                }
            } else if let Some(name) = known(&EFFECTIVE) {
                let value = map.next_value::<Value>()?;
                if !value.is_null() && members.effective.insert(name.to_owned(), value).is_some() {
                    return Err(A::Error::custom("a member is repeated"));
                }
            } else if let Some(name) = known(&PROTECTIVE) {
                match map.next_value::<Value>()? {
                    Value::Null | Value::Bool(false) => {}
                    _ => members.unheeded = members.unheeded.or(Some(name)),
                }
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_that_have_no_use_may_be_anything_and_the_others_are_there_once() {
        let read = |json: &str| serde_json::from_str::<Members>(json);
        let members = read(
            r#"{"x":1,"x":1e999,"default_max_age":7,"request_uris":null,"jwks":[],"jwks_uri":8,
                "dpop_bound_access_tokens":false}"#,
        );
        let members = members.unwrap();
        assert_eq!(Value::from(members.effective), serde_json::json!({ "default_max_age": 7 }));
        assert_eq!((members.unheeded, members.jwks_uri), (None, None));
        assert_eq!(members.jwks.unwrap().get(), "[]");
        let bound = read(r#"{"dpop_bound_access_tokens":true}"#).unwrap();
        assert_eq!(bound.unheeded, Some("dpop_bound_access_tokens"));
        for twice in [
            r#"{"default_max_age":7,"default_max_age":8}"#,
            r#"{"require_auth_time":true,"require_auth_time":true}"#,
            "[]",
        ] {
            assert!(read(twice).is_err(), "{twice}");
        }
    }
}
