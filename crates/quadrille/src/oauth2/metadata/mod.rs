//! Server metadata (RFC 8414) and protected resource metadata (RFC 9728).

mod resource;

use std::{borrow::Cow, collections::BTreeMap};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use super::answer;

pub use resource::{ResourceMetadata, resource_metadata_url};

/// The metadata of an authorization server (RFC 8414, section 2). [`extra`](Self::extra) keeps all
/// members without a field.
///
/// ```
/// use quadrille::oauth2::metadata::{MetadataError, ServerMetadata};
///
/// let json = br#"{
///     "issuer": "https://id.example",
///     "authorization_endpoint": "https://id.example/authorize",
///     "token_endpoint": "https://id.example/token",
///     "response_types_supported": ["code"],
///     "made_up": true
/// }"#;
/// let metadata = ServerMetadata::parse(json, "https://id.example")?;
/// assert_eq!(metadata.token_endpoint.as_deref(), Some("https://id.example/token"));
/// assert_eq!(metadata.extra["made_up"], true);
/// assert_eq!(
///     ServerMetadata::parse(json, "https://other.example"),
///     Err(MetadataError::OtherIssuer),
/// );
/// # Ok::<(), MetadataError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ServerMetadata {
    /// The issuer: an `https` URL without query and fragment.
    pub issuer: String,
    /// The authorization endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_endpoint: Option<String>,
    /// The token endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_endpoint: Option<String>,
    /// The device authorization endpoint (RFC 8628, section 4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_authorization_endpoint: Option<String>,
    /// The revocation endpoint (RFC 7009).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation_endpoint: Option<String>,
    /// The introspection endpoint (RFC 7662).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introspection_endpoint: Option<String>,
    /// The registration endpoint (RFC 7591).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration_endpoint: Option<String>,
    /// The URL of the server's keys (RFC 7517).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// The supported scopes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes_supported: Option<Vec<String>>,
    /// The supported response types.
    #[serde(default)]
    pub response_types_supported: Vec<String>,
    /// The supported response modes; `query` and `fragment` if omitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_modes_supported: Option<Vec<String>>,
    /// The supported grant types; `authorization_code` and `implicit` if omitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_types_supported: Option<Vec<String>>,
    /// The authentication methods of the token endpoint; `client_secret_basic` if omitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// The signature algorithms of client assertions at the token endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_signing_alg_values_supported: Option<Vec<String>>,
    /// The authentication methods of the revocation endpoint; `client_secret_basic` if omitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// The signature algorithms of client assertions at the revocation endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation_endpoint_auth_signing_alg_values_supported: Option<Vec<String>>,
    /// The authentication methods of the introspection endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introspection_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// The signature algorithms of client assertions at the introspection endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introspection_endpoint_auth_signing_alg_values_supported: Option<Vec<String>>,
    /// The challenge methods of PKCE (RFC 7636); no PKCE if omitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_challenge_methods_supported: Option<Vec<String>>,
    /// Whether authorization responses contain `iss` (RFC 9207, section 3).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub authorization_response_iss_parameter_supported: bool,
    /// Whether a `client_id` may be the URL of a document in which the client describes itself
    /// (draft-ietf-oauth-client-id-metadata-document).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub client_id_metadata_document_supported: bool,
    /// A page for developers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_documentation: Option<String>,
    /// The languages of its pages (BCP 47).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ui_locales_supported: Option<Vec<String>>,
    /// The server's policy on the use of its data by clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub op_policy_uri: Option<String>,
    /// The server's terms of service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub op_tos_uri: Option<String>,
    /// The metadata as a signed JWT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_metadata: Option<String>,
    /// All other members.
    #[serde(flatten)]
    pub extra: BTreeMap<String, Value>,
}

/// The reason why metadata cannot be used.
///
/// ```
/// use quadrille::oauth2::metadata::{MetadataError, ServerMetadata};
///
/// let json = br#"{"issuer":"https://evil.example"}"#;
/// let error = ServerMetadata::parse(json, "https://id.example").unwrap_err();
/// assert_eq!(error, MetadataError::OtherIssuer);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// The document is not a JSON object with members of the right types.
    #[error("the metadata is malformed")]
    Malformed,
    /// The value of this member has another type than this one.
    #[error("in the metadata, {0} is not {1}")]
    WrongType(&'static str, &'static str),
    /// The document names another issuer, which is a mix-up attack (RFC 8414, section 3.3).
    #[error("the issuer in the metadata is not the requested one")]
    OtherIssuer,
    /// The document names another API, which is an impersonation (RFC 9728, section 3.3).
    #[error("the resource in the metadata is not the requested one")]
    OtherResource,
}

impl ServerMetadata {
    /// Reads the metadata document of `issuer`. A member that is not exact counts as omitted.
    ///
    /// # Errors
    /// [`MetadataError`]. Issuers are compared character by character.
    pub fn parse(json: &[u8], issuer: &str) -> Result<Self, MetadataError> {
        let members = exact_members(json)?;
        let wrong = wrong_type(&members);
        let metadata = serde_json::from_value::<Self>(Value::Object(members));
        let metadata = metadata.map_err(|_| wrong.unwrap_or(MetadataError::Malformed))?;
        if metadata.issuer == issuer { Ok(metadata) } else { Err(MetadataError::OtherIssuer) }
    }
}

/// The members with a field, by the type of their values.
const TEXTS: [&str; 12] = [
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "device_authorization_endpoint",
    "revocation_endpoint",
    "introspection_endpoint",
    "registration_endpoint",
    "jwks_uri",
    "service_documentation",
    "op_policy_uri",
    "op_tos_uri",
    "signed_metadata",
];
const LISTS: [&str; 12] = [
    "response_types_supported",
    "scopes_supported",
    "response_modes_supported",
    "grant_types_supported",
    "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_alg_values_supported",
    "revocation_endpoint_auth_methods_supported",
    "revocation_endpoint_auth_signing_alg_values_supported",
    "introspection_endpoint_auth_methods_supported",
    "introspection_endpoint_auth_signing_alg_values_supported",
    "code_challenge_methods_supported",
    "ui_locales_supported",
];
const FLAGS: [&str; 2] =
    ["authorization_response_iss_parameter_supported", "client_id_metadata_document_supported"];

/// The first member with a value of another type than its field has. `null` is one of each type, but
/// where a field cannot be without a value.
fn wrong_type(members: &Map<String, Value>) -> Option<MetadataError> {
    let is_list =
        |value: &Value| value.as_array().is_some_and(|all| all.iter().all(Value::is_string));
    let find = |names: &[&'static str], expected, is_right: &dyn Fn(&Value) -> bool| {
        let is_wrong = |name: &&&str| members.get(**name).is_some_and(|value| !is_right(value));
        names.iter().find(is_wrong).map(|name| MetadataError::WrongType(name, expected))
    };
    let (issuer, texts) = TEXTS.split_at(1);
    let (response_types, lists) = LISTS.split_at(1);
    find(issuer, "a text", &Value::is_string)
        .or_else(|| find(texts, "a text", &|value| value.is_null() || value.is_string()))
        .or_else(|| find(response_types, "a list of texts", &is_list))
        .or_else(|| find(lists, "a list of texts", &|value| value.is_null() || is_list(value)))
        .or_else(|| find(&FLAGS, "true or false", &Value::is_boolean))
}

/// The members of a document, without those that are not exact.
fn exact_members(json: &[u8]) -> Result<Map<String, Value>, MetadataError> {
    let text = answer::text(json);
    let mut members = answer::members(&text).ok_or(MetadataError::Malformed)?;
    if matches!(text, Cow::Owned(_)) {
        members.retain(|name, value| {
            ![name.as_str(), &value.to_string()].concat().contains(answer::UNREADABLE)
        });
    }
    Ok(members)
}

/// The document of RFC 8414.
pub const OAUTH_AUTHORIZATION_SERVER: &str = "oauth-authorization-server";
/// The document of OpenID Connect Discovery.
pub const OPENID_CONFIGURATION: &str = "openid-configuration";

/// The paths of the metadata of an issuer with this path: that of RFC 8414 (section 3.1), which
/// puts the issuer's path last, and that of OpenID Connect Discovery (section 4.1), which puts it
/// first. Equal for an issuer without a path.
///
/// ```
/// use quadrille::oauth2::metadata::{OAUTH_AUTHORIZATION_SERVER, well_known_paths};
///
/// assert_eq!(
///     well_known_paths("/tenant/7", OAUTH_AUTHORIZATION_SERVER),
///     [
///         "/.well-known/oauth-authorization-server/tenant/7",
///         "/tenant/7/.well-known/oauth-authorization-server",
///     ],
/// );
/// ```
pub fn well_known_paths(issuer_path: &str, document: &str) -> [String; 2] {
    let path = issuer_path.trim_end_matches('/');
    [format!("/.well-known/{document}{path}"), format!("{path}/.well-known/{document}")]
}

/// The URLs of the metadata of `issuer`, in the order to try them: RFC 8414's, then the two of
/// OpenID Connect. `None` unless `issuer` is an absolute URL without query and fragment.
///
/// ```
/// use quadrille::oauth2::metadata::well_known_urls;
///
/// let urls = well_known_urls("https://id.example/tenant").unwrap();
/// assert_eq!(
///     urls.iter().map(|url| url.as_str()).collect::<Vec<_>>(),
///     [
///         "https://id.example/.well-known/oauth-authorization-server/tenant",
///         "https://id.example/tenant/.well-known/openid-configuration",
///         "https://id.example/.well-known/openid-configuration/tenant",
///     ],
/// );
/// assert!(well_known_urls("https://id.example/?a=b").is_none());
/// ```
pub fn well_known_urls(issuer: &str) -> Option<Vec<Url>> {
    let issuer = Url::parse(issuer).ok()?;
    if issuer.cannot_be_a_base() || issuer.query().is_some() || issuer.fragment().is_some() {
        return None;
    }
    let [oauth, _] = well_known_paths(issuer.path(), OAUTH_AUTHORIZATION_SERVER);
    let [openid, discovery] = well_known_paths(issuer.path(), OPENID_CONFIGURATION);
    let mut paths = vec![oauth, discovery, openid];
    paths.dedup();
    let at = |path: String| {
        let mut url = issuer.clone();
        url.set_path(&path);
        url
    };
    Some(paths.into_iter().map(at).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_well_known_forms_are_one_for_an_issuer_without_a_path() {
        for issuer in ["https://id.example", "https://id.example/"] {
            let urls = well_known_urls(issuer).unwrap();
            assert_eq!(
                urls.iter().map(Url::as_str).collect::<Vec<_>>(),
                [
                    "https://id.example/.well-known/oauth-authorization-server",
                    "https://id.example/.well-known/openid-configuration",
                ],
                "{issuer}"
            );
        }
        for bad in ["", "id.example", "mailto:a@b", "https://id.example/#x"] {
            assert_eq!(well_known_urls(bad), None, "{bad}");
        }
    }

    #[test]
    fn each_member_with_a_field_is_named_when_its_value_is_of_another_type() {
        for name in TEXTS.iter().chain(&LISTS).chain(&FLAGS) {
            let mut metadata = serde_json::json!({ "issuer": "https://id.example" });
            metadata[*name] = serde_json::json!({});
            let read = ServerMetadata::parse(metadata.to_string().as_bytes(), "https://id.example");
            let named = matches!(read, Err(MetadataError::WrongType(wrong, _)) if wrong == *name);
            assert!(named, "{name}: {read:?}");
        }
    }

    #[test]
    fn the_issuer_is_compared_to_the_character_and_the_shape_to_the_type() {
        let read = |json: &str| ServerMetadata::parse(json.as_bytes(), "https://id.example");
        assert!(read(r#"{"issuer":"https://id.example","jwks_uri":null}"#).is_ok());
        let odd = r#"{"issuer":"https://id.example","\ud800":1,"x":["\udfff"],"far":1e999,
            "token_endpoint":"https://id.example/\ud800"}"#;
        assert_eq!(read(odd).unwrap().token_endpoint, None, "what is read is read exactly");
        assert!(read(r#"{"issuer":"https://id.example\ud800"}"#).is_err());
        for other in ["https://id.example/", "https://ID.example", "http://id.example", ""] {
            let json = format!(r#"{{"issuer":"{other}"}}"#);
            assert_eq!(read(&json), Err(MetadataError::OtherIssuer), "{other}");
        }
        for malformed in ["", "<html>", "[]", "{}"] {
            assert_eq!(read(malformed), Err(MetadataError::Malformed), "{malformed}");
        }
        for (member, name, expected) in [
            (r#""jwks_uri":1"#, "jwks_uri", "a text"),
            (r#""scopes_supported":["a",1]"#, "scopes_supported", "a list of texts"),
            (r#""response_types_supported":null"#, "response_types_supported", "a list of texts"),
        ] {
            let wrong = read(&format!(r#"{{"issuer":"https://id.example",{member}}}"#));
            assert_eq!(wrong, Err(MetadataError::WrongType(name, expected)), "{member}");
        }
    }
}
