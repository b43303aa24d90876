//! Protected resource metadata (RFC 9728).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::{MetadataError, exact_members};

/// The document of RFC 9728.
const OAUTH_PROTECTED_RESOURCE: &str = "oauth-protected-resource";

/// The metadata of an API (RFC 9728, section 2). [`extra`](Self::extra) keeps all members without a
/// field, such as translations (`resource_name#fr`).
///
/// ```
/// use quadrille::oauth2::metadata::{MetadataError, ResourceMetadata};
///
/// let json = br#"{
///     "resource": "https://api.example/photos",
///     "authorization_servers": ["https://id.example"],
///     "bearer_methods_supported": ["header"],
///     "made_up": true
/// }"#;
/// let metadata = ResourceMetadata::parse(json, "https://api.example/photos")?;
/// assert_eq!(metadata.authorization_servers, ["https://id.example"]);
/// assert_eq!(metadata.extra["made_up"], true);
/// assert_eq!(
///     ResourceMetadata::parse(json, "https://api.example"),
///     Err(MetadataError::OtherResource),
/// );
/// # Ok::<(), MetadataError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ResourceMetadata {
    /// The API's URI, which clients name as `resource` (RFC 8707).
    pub resource: String,
    /// The issuers whose tokens the API accepts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorization_servers: Vec<String>,
    /// The URL of the API's keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// The scopes that the API knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes_supported: Option<Vec<String>>,
    /// The places of access tokens: `header`, `body`, `query` (RFC 6750, section 2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bearer_methods_supported: Option<Vec<String>>,
    /// The signature algorithms of the API's responses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_signing_alg_values_supported: Option<Vec<String>>,
    /// The API's name, for users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_name: Option<String>,
    /// A page for developers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_documentation: Option<String>,
    /// The API's policy on the use of its data by clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_policy_uri: Option<String>,
    /// The API's terms of service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_tos_uri: Option<String>,
    /// Whether access tokens may be bound to a client's certificate (RFC 8705).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tls_client_certificate_bound_access_tokens: bool,
    /// The types of `authorization_details` (RFC 9396).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_details_types_supported: Option<Vec<String>>,
    /// The signature algorithms of DPoP proofs (RFC 9449).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dpop_signing_alg_values_supported: Option<Vec<String>>,
    /// Whether every access token must be bound to a key by DPoP (RFC 9449).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dpop_bound_access_tokens_required: bool,
    /// The metadata as a signed JWT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_metadata: Option<String>,
    /// All other members.
    #[serde(flatten)]
    pub extra: BTreeMap<String, Value>,
}

impl ResourceMetadata {
    /// The metadata of the API with this URI, without any other member.
    pub fn of(resource: impl Into<String>) -> Self {
        Self { resource: resource.into(), ..Self::default() }
    }

    /// Reads the metadata document of `resource`. A member that is not exact counts as omitted.
    ///
    /// # Errors
    /// [`MetadataError`]. URIs are compared character by character (RFC 9728, section 3.3).
    pub fn parse(json: &[u8], resource: &str) -> Result<Self, MetadataError> {
        let metadata = serde_json::from_value::<Self>(Value::Object(exact_members(json)?));
        let metadata = metadata.map_err(|_| MetadataError::Malformed)?;
        if metadata.resource == resource { Ok(metadata) } else { Err(MetadataError::OtherResource) }
    }
}

/// The URL of an API's metadata (RFC 9728, section 3.1): the document comes between the host and
/// the path of `resource`. `None` unless `resource` is an `http` or `https` URL without a fragment.
///
/// ```
/// use quadrille::oauth2::metadata::resource_metadata_url;
///
/// assert_eq!(
///     resource_metadata_url("https://api.example/photos?v=2").unwrap().as_str(),
///     "https://api.example/.well-known/oauth-protected-resource/photos?v=2",
/// );
/// assert!(resource_metadata_url("urn:photos").is_none());
/// ```
pub fn resource_metadata_url(resource: &str) -> Option<Url> {
    let mut url = Url::parse(resource).ok()?;
    if !matches!(url.scheme(), "https" | "http") || url.fragment().is_some() {
        return None;
    }
    let path = if url.path() == "/" { "" } else { url.path() };
    let path = format!("/.well-known/{OAUTH_PROTECTED_RESOURCE}{path}");
    url.set_path(&path);
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_comes_between_host_and_path() {
        for (resource, url) in [
            ("https://api.example", "https://api.example/.well-known/oauth-protected-resource"),
            ("https://api.example/", "https://api.example/.well-known/oauth-protected-resource"),
            (
                "https://api.example/a/?b=c",
                "https://api.example/.well-known/oauth-protected-resource/a/?b=c",
            ),
            (
                "https://API.example:8443/?b",
                "https://api.example:8443/.well-known/oauth-protected-resource?b",
            ),
        ] {
            assert_eq!(resource_metadata_url(resource).unwrap().as_str(), url, "{resource}");
        }
        for bad in ["", "api.example", "/photos", "urn:photos", "https://api.example/#a"] {
            assert_eq!(resource_metadata_url(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_resource_is_compared_to_the_character() {
        let read =
            |json: &str| ResourceMetadata::parse(json.as_bytes(), "https://api.example").map(drop);
        assert_eq!(read(r#"{"resource":"https://api.example"}"#), Ok(()));
        for other in ["https://api.example/", "https://API.example", "http://api.example", ""] {
            let json = format!(r#"{{"resource":"{other}"}}"#);
            assert_eq!(read(&json), Err(MetadataError::OtherResource), "{other}");
        }
        for malformed in ["", "[]", "{}", r#"{"resource":1}"#] {
            assert_eq!(read(malformed), Err(MetadataError::Malformed), "{malformed}");
        }
    }
}
