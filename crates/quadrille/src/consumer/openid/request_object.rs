//! Request objects: authorization requests that the site signs (RFC 9101; OpenID Connect Core, section 6).

use std::time::Duration;

use serde_json::{Map, Value};

use crate::{
    Timestamp,
    consumer::{
        error::RequestObjectUnusable,
        service::{Encryption, RequestObjects},
    },
    jose::{Algorithm, Claims},
    oidc::ProviderMetadata,
};

/// The lifetime of a request object: the user is on the way to the provider.
pub(crate) const LIFETIME: Duration = Duration::from_secs(120);

/// The type of a request object (RFC 9101, section 10.8).
pub(crate) const TYPE: &str = "oauth-authz-req+jwt";

/// Whether a provider takes request objects with this delivery, signature (`None` for `none`) and
/// encryption (OpenID Connect Discovery, section 3).
///
/// # Errors
/// [`RequestObjectUnusable`].
pub(crate) fn check(
    metadata: &ProviderMetadata,
    delivery: RequestObjects,
    algorithm: Option<Algorithm>,
    encryption: Option<Encryption>,
) -> Result<(), RequestObjectUnusable> {
    let supported = &metadata.request_objects;
    match (delivery.is_by_reference(), algorithm) {
        (false, _) if !supported.by_value => Err(RequestObjectUnusable::ByValue),
        (true, _) if !supported.by_reference => Err(RequestObjectUnusable::ByReference),
        (_, Some(algorithm)) if !supported.signing_algorithms.contains(&algorithm) => {
            Err(RequestObjectUnusable::Algorithm)
        }
        (_, None) if !supported.unsigned => Err(RequestObjectUnusable::Unsigned),
        _ => match encryption {
            Some((algorithm, content))
                if !supported.encryption_algorithms.contains(&algorithm)
                    || !supported.content_encryptions.contains(&content) =>
            {
                Err(RequestObjectUnusable::Encryption)
            }
            _ => Ok(()),
        },
    }
}

/// The claims of a request object with these parameters, for this issuer. `max_age` is a number there,
/// `claims` an object, and what is repeated a list (OpenID Connect Core, section 6.1).
pub(crate) fn claims<'a>(
    client_id: &str,
    issuer: &str,
    parameters: impl Iterator<Item = (&'a str, &'a str)>,
    id: String,
    now: Timestamp,
) -> Claims {
    let mut extra = Map::new();
    for (name, text) in parameters {
        let value = match name {
            "max_age" => text.parse::<u64>().map_or_else(|_| text.into(), Value::from),
            "claims" => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
            _ => text.into(),
        };
        let value = match extra.remove(name) {
            None => value,
            Some(Value::Array(mut all)) => {
                all.push(value);
                all.into()
            }
            Some(first) => vec![first, value].into(),
        };
        extra.insert(name.to_owned(), value);
    }
    Claims {
        iss: Some(client_id.to_owned()),
        aud: vec![issuer.to_owned()],
        iat: Some(now),
        nbf: Some(now),
        exp: Some(now + LIFETIME),
        jti: Some(id),
        extra,
        ..Claims::default()
    }
}

/// The parameters that stay in the URL beside the request object: those that OpenID Connect requires
/// there (section 6.1), which tell nobody more than a login itself.
pub(crate) fn stays(name: &str) -> bool {
    matches!(name, "response_type" | "client_id" | "scope")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::jose::{ContentEncryption, KeyManagement};

    fn metadata(change: &Value) -> ProviderMetadata {
        let mut all = json!({
            "issuer": "https://id.example",
            "authorization_endpoint": "https://id.example/authorize",
            "token_endpoint": "https://id.example/token",
            "jwks_uri": "https://id.example/keys",
        });
        for (name, value) in change.as_object().unwrap() {
            all[name] = value.clone();
        }
        ProviderMetadata::parse(all.to_string().as_bytes(), "https://id.example").unwrap()
    }

    #[test]
    fn a_provider_gets_what_its_metadata_say() {
        use RequestObjects::{ByReference, ByValue};
        type U = RequestObjectUnusable;
        let (es, rs) = (Some(Algorithm::Es256), Some(Algorithm::Rs256));
        let unsigned = RequestObjects::UnsignedByReferenceSoThatOnlyTlsProvesWhoseItIs;
        let encryption = Some((KeyManagement::EcdhEsA256Kw, ContentEncryption::A256Gcm));
        let value = json!({ "request_parameter_supported": true });
        let with_es = json!({
            "request_parameter_supported": true,
            "request_object_signing_alg_values_supported": ["none", "ES256"],
        });
        let encrypts = json!({
            "request_parameter_supported": true,
            "request_object_encryption_alg_values_supported": ["RSA-OAEP", "ECDH-ES+A256KW"],
            "request_object_encryption_enc_values_supported": ["A256GCM"],
        });
        let only_key = json!({
            "request_parameter_supported": true,
            "request_object_encryption_alg_values_supported": ["ECDH-ES+A256KW"],
        });
        for (change, delivery, algorithm, encryption, expected) in [
            (json!({}), ByValue, rs, None, Err(U::ByValue)),
            (json!({ "request_parameter_supported": "true" }), ByValue, rs, None, Err(U::ByValue)),
            (value.clone(), ByValue, rs, None, Ok(())),
            // Without a list there is RS256 alone (section 3).
            (value.clone(), ByValue, es, None, Err(U::Algorithm)),
            (with_es.clone(), ByValue, es, None, Ok(())),
            (with_es.clone(), ByValue, rs, None, Err(U::Algorithm)),
            (with_es, unsigned, None, None, Ok(())),
            (value.clone(), unsigned, None, None, Err(U::Unsigned)),
            // Omitted, it is true.
            (json!({}), ByReference, rs, None, Ok(())),
            (
                json!({ "request_uri_parameter_supported": false }),
                ByReference,
                rs,
                None,
                Err(U::ByReference),
            ),
            (
                json!({ "require_request_uri_registration": true }),
                ByReference,
                rs,
                None,
                Err(U::ByReference),
            ),
            (value, ByValue, rs, encryption, Err(U::Encryption)),
            (only_key, ByValue, rs, encryption, Err(U::Encryption)),
            (encrypts, ByValue, rs, encryption, Ok(())),
        ] {
            let checked = check(&metadata(&change), delivery, algorithm, encryption);
            assert_eq!(checked, expected, "{change}");
        }
    }

    #[test]
    fn claims_have_the_types_that_the_specification_says() {
        let now = Timestamp::from_seconds(1_800_000_000);
        let parameters = [
            ("max_age", "60"),
            ("claims", r#"{"userinfo":{"email":null}}"#),
            ("resource", "urn:a"),
            ("resource", "urn:b"),
            ("resource", "urn:c"),
            ("state", "60"),
        ];
        let all = claims("our-id", "https://id.example", parameters.into_iter(), "x".into(), now);
        let all: Value = serde_json::from_slice(&all.to_json()).unwrap();
        let expected = json!({
            "iss": "our-id", "aud": "https://id.example", "jti": "x",
            "iat": 1_800_000_000, "nbf": 1_800_000_000, "exp": 1_800_000_120,
            "max_age": 60, "claims": { "userinfo": { "email": null } },
            "resource": ["urn:a", "urn:b", "urn:c"], "state": "60",
        });
        assert_eq!(all, expected);
    }
}
