//! The metadata of an OpenID Provider, as a relying party reads them (OpenID Connect Discovery 1.0,
//! sections 3 and 4).

use std::collections::BTreeMap;

use serde_json::Value;
use url::Url;

use crate::{
    jose::{Algorithm, ContentEncryption, KeyManagement},
    loopback::{is_loopback, is_secure},
    oauth2::metadata::{MetadataError, OPENID_CONFIGURATION, ServerMetadata, well_known_paths},
};

/// The URL of the metadata of an issuer (OpenID Connect Discovery, section 4.1): its path, and then
/// the well-known one. A slash at the end of the path is dropped.
///
/// ```
/// use quadrille::oidc::configuration_url;
///
/// let url = configuration_url("https://id.example/tenant")?;
/// assert_eq!(url.as_str(), "https://id.example/tenant/.well-known/openid-configuration");
/// # Ok::<(), quadrille::oidc::DiscoveryError>(())
/// ```
///
/// # Errors
/// [`DiscoveryError::Issuer`] unless the issuer is an https URL (or http on this machine) without
/// query and fragment.
pub fn configuration_url(issuer: &str) -> Result<Url, DiscoveryError> {
    let mut url = issuer_url(issuer)?;
    let [_, path] = well_known_paths(url.path(), OPENID_CONFIGURATION);
    url.set_path(&path);
    Ok(url)
}

/// The metadata of an OpenID Provider (OpenID Connect Discovery, section 3; RP-Initiated Logout,
/// section 2.1). The endpoints are URLs to which secrets may be sent.
///
/// ```
/// use quadrille::oidc::{DiscoveryError, ProviderMetadata};
///
/// let json = br#"{
///     "issuer": "https://id.example",
///     "authorization_endpoint": "https://id.example/authorize",
///     "token_endpoint": "https://id.example/token",
///     "userinfo_endpoint": "https://api.id.example/me",
///     "jwks_uri": "https://keys.example/id.json",
///     "response_types_supported": ["code", "id_token"],
///     "subject_types_supported": ["public"],
///     "id_token_signing_alg_values_supported": ["RS256", "none"]
/// }"#;
/// let provider = ProviderMetadata::parse(json, "https://id.example")?;
/// assert_eq!(provider.jwks_uri.as_str(), "https://keys.example/id.json");
///
/// // Another issuer's document is none of this one's, and neither is one with other letters.
/// let other = ProviderMetadata::parse(json, "https://ID.example");
/// assert_eq!(other, Err(DiscoveryError::OtherIssuer));
/// # Ok::<(), DiscoveryError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProviderMetadata {
    /// The issuer, as it was asked for.
    pub issuer: String,
    /// The authorization endpoint.
    pub authorization_endpoint: Url,
    /// The token endpoint, which a provider of the implicit flow alone lacks.
    pub token_endpoint: Option<Url>,
    /// The URL of the provider's keys (RFC 7517).
    pub jwks_uri: Url,
    /// The userinfo endpoint.
    pub userinfo_endpoint: Option<Url>,
    /// The revocation endpoint (RFC 7009).
    pub revocation_endpoint: Option<Url>,
    /// The device authorization endpoint (RFC 8628).
    pub device_authorization_endpoint: Option<Url>,
    /// The end session endpoint (RP-Initiated Logout, section 2.1).
    pub end_session_endpoint: Option<Url>,
    /// The signature algorithms of ID tokens that are known here. `none` is none of them.
    pub id_token_signing_algorithms: Vec<Algorithm>,
    /// The signature algorithms of the userinfo endpoint that are known here.
    pub userinfo_signing_algorithms: Vec<Algorithm>,
    /// Whether every authorization response names the issuer (RFC 9207, section 3).
    pub names_issuer_in_every_answer: bool,
    /// The authentication methods of the token endpoint; `client_secret_basic` if omitted.
    pub token_endpoint_auth_methods: Option<Vec<String>>,
    /// The signature algorithms of assertions at the token endpoint that are known here.
    pub token_endpoint_auth_signing_algorithms: Vec<Algorithm>,
    /// The challenge methods of PKCE (RFC 7636); unknown if omitted.
    pub code_challenge_methods: Option<Vec<String>>,
    /// The request objects that the provider takes.
    pub request_objects: RequestObjectsSupported,
    /// The endpoint for dynamic registration (OpenID Connect Dynamic Client Registration, section 3).
    pub registration_endpoint: Option<Url>,
    /// The page that other sites frame to notice the end of a session (Session Management 1.0, section
    /// 3.3).
    pub check_session_iframe: Option<Url>,
    /// Whether logout tokens can name the session that has ended (`backchannel_logout_session_supported`;
    /// OpenID Connect Back-Channel Logout 1.0, section 2.1).
    pub logout_tokens_name_sessions: bool,
}

/// The request objects that a provider takes (OpenID Connect Discovery, section 3).
///
/// ```
/// use quadrille::{jose::Algorithm, oidc::ProviderMetadata};
///
/// let json = br#"{
///     "issuer": "https://id.example",
///     "authorization_endpoint": "https://id.example/authorize",
///     "jwks_uri": "https://id.example/keys",
///     "request_parameter_supported": true
/// }"#;
/// let supported = ProviderMetadata::parse(json, "https://id.example")?.request_objects;
/// assert!(supported.by_value);
/// assert_eq!(supported.signing_algorithms, [Algorithm::Rs256]);
/// # Ok::<(), quadrille::oidc::DiscoveryError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestObjectsSupported {
    /// In the request itself (`request_parameter_supported`); not if omitted.
    pub by_value: bool,
    /// At any URL of the client (`request_uri_parameter_supported`, without
    /// `require_request_uri_registration`); so if omitted.
    pub by_reference: bool,
    /// The signature algorithms that are known here; RS256 if omitted.
    pub signing_algorithms: Vec<Algorithm>,
    /// Without a signature (`none` among those algorithms); not if omitted.
    pub unsigned: bool,
    /// The key management algorithms that are known here.
    pub encryption_algorithms: Vec<KeyManagement>,
    /// The content encryption algorithms that are known here.
    pub content_encryptions: Vec<ContentEncryption>,
}

impl RequestObjectsSupported {
    fn read(members: &BTreeMap<String, Value>) -> Self {
        let is = |name: &str, omitted| match members.get(name) {
            None | Some(Value::Null) => omitted,
            Some(value) => *value == Value::Bool(true),
        };
        fn all<T>(value: Option<&Value>, read: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
            let names = value?.as_array()?.iter().filter_map(Value::as_str);
            Some(names.filter_map(read).collect())
        }
        let named = |name: &str| members.get(name);
        let signing = named("request_object_signing_alg_values_supported");
        let encryption = named("request_object_encryption_alg_values_supported");
        let content = named("request_object_encryption_enc_values_supported");
        Self {
            by_value: is("request_parameter_supported", false),
            by_reference: is("request_uri_parameter_supported", true)
                && !is("require_request_uri_registration", false),
            signing_algorithms: all(signing, Algorithm::parse)
                .unwrap_or_else(|| vec![Algorithm::Rs256]),
            unsigned: all(signing, |name| (name == "none").then_some(()))
                .is_some_and(|unsigned| !unsigned.is_empty()),
            encryption_algorithms: all(encryption, KeyManagement::parse).unwrap_or_default(),
            content_encryptions: all(content, ContentEncryption::parse).unwrap_or_default(),
        }
    }
}

/// The reason why the metadata of a provider cannot be used.
///
/// ```
/// use quadrille::oidc::{DiscoveryError, ProviderMetadata};
///
/// let json = br#"{"issuer":"https://id.example"}"#;
/// let bare = ProviderMetadata::parse(json, "https://id.example");
/// assert_eq!(bare, Err(DiscoveryError::Missing("authorization_endpoint")));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoveryError {
    /// The issuer is not an https URL (or http on this machine) without query and fragment.
    #[error("the issuer is not an https URL without query and fragment")]
    Issuer,
    /// The document is not a JSON object with an issuer.
    #[error("the provider's metadata are malformed")]
    Malformed,
    /// The value of this member has another type than this one.
    #[error("in the provider's metadata, {0} is not {1}")]
    WrongType(&'static str, &'static str),
    /// The document names another issuer (section 4.3), which would be a mix-up.
    #[error("the provider's metadata are of another issuer")]
    OtherIssuer,
    /// A required member is missing.
    #[error("the provider's metadata have no {0}")]
    Missing(&'static str),
    /// An endpoint is not an https URL, or has a user or a fragment. Only a provider on this machine
    /// may have endpoints of http, and those on this machine, too: a document of any other must not
    /// send requests to the services here.
    #[error("in the provider's metadata, {0} is not an https URL")]
    Endpoint(&'static str),
}

impl ProviderMetadata {
    /// Reads the metadata document of `issuer`. Issuers are compared character by character. The
    /// document may be at any URL, so its endpoints are checked one by one; members that a relying
    /// party has no use for are ignored.
    ///
    /// # Errors
    /// [`DiscoveryError`].
    pub fn parse(json: &[u8], issuer: &str) -> Result<Self, DiscoveryError> {
        let own = issuer_url(issuer)?;
        let read = ServerMetadata::parse(json, issuer).map_err(|error| match error {
            MetadataError::OtherIssuer => DiscoveryError::OtherIssuer,
            MetadataError::WrongType(name, expected) => DiscoveryError::WrongType(name, expected),
            MetadataError::Malformed | MetadataError::OtherResource => DiscoveryError::Malformed,
        })?;
        let endpoint = |name, text: Option<&str>| text.map(|text| endpoint(name, text, &own));
        let further = |name| match read.extra.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => endpoint(name, Some(text)).transpose(),
            Some(_) => Err(DiscoveryError::WrongType(name, "a text")),
        };
        let required = |name, text: &Option<String>| {
            endpoint(name, text.as_deref()).ok_or(DiscoveryError::Missing(name))?
        };
        let optional = |name, text: &Option<String>| endpoint(name, text.as_deref()).transpose();
        let algorithms = |name| {
            let named = read.extra.get(name).and_then(Value::as_array).into_iter().flatten();
            named.filter_map(|name| Algorithm::parse(name.as_str()?)).collect()
        };
        Ok(Self {
            issuer: issuer.to_owned(),
            authorization_endpoint: required(
                "authorization_endpoint",
                &read.authorization_endpoint,
            )?,
            token_endpoint: optional("token_endpoint", &read.token_endpoint)?,
            jwks_uri: required("jwks_uri", &read.jwks_uri)?,
            userinfo_endpoint: further("userinfo_endpoint")?,
            revocation_endpoint: optional("revocation_endpoint", &read.revocation_endpoint)?,
            device_authorization_endpoint: optional(
                "device_authorization_endpoint",
                &read.device_authorization_endpoint,
            )?,
            end_session_endpoint: further("end_session_endpoint")?,
            id_token_signing_algorithms: algorithms("id_token_signing_alg_values_supported"),
            userinfo_signing_algorithms: algorithms("userinfo_signing_alg_values_supported"),
            token_endpoint_auth_signing_algorithms: algorithms(
                "token_endpoint_auth_signing_alg_values_supported",
            ),
            names_issuer_in_every_answer: read.authorization_response_iss_parameter_supported,
            token_endpoint_auth_methods: read.token_endpoint_auth_methods_supported,
            code_challenge_methods: read.code_challenge_methods_supported,
            request_objects: RequestObjectsSupported::read(&read.extra),
            registration_endpoint: optional("registration_endpoint", &read.registration_endpoint)?,
            check_session_iframe: further("check_session_iframe")?,
            logout_tokens_name_sessions: read.extra.get("backchannel_logout_session_supported")
                == Some(&Value::Bool(true)),
        })
    }
}

fn issuer_url(issuer: &str) -> Result<Url, DiscoveryError> {
    let url = Url::parse(issuer).ok().filter(is_secure).filter(is_bare);
    url.filter(|url| url.query().is_none()).ok_or(DiscoveryError::Issuer)
}

fn endpoint(name: &'static str, text: &str, issuer: &Url) -> Result<Url, DiscoveryError> {
    let url = Url::parse(text).ok().filter(is_secure).filter(is_bare);
    let url = url.filter(|url| url.scheme() == "https" || is_loopback(issuer));
    url.ok_or(DiscoveryError::Endpoint(name))
}

fn is_bare(url: &Url) -> bool {
    url.username().is_empty() && url.password().is_none() && url.fragment().is_none()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ISSUER: &str = "https://id.example/tenant";

    fn document(change: &Value) -> Value {
        let mut all = json!({
            "issuer": ISSUER,
            "authorization_endpoint": "https://id.example/authorize",
            "token_endpoint": "https://id.example/token",
            "jwks_uri": "https://id.example/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["none", "RS256", "ES256", "PS999"],
        });
        for (name, value) in change.as_object().unwrap() {
            all[name] = value.clone();
        }
        all.as_object_mut().unwrap().retain(|_, value| *value != json!("-"));
        all
    }

    fn read(change: &Value) -> Result<ProviderMetadata, DiscoveryError> {
        ProviderMetadata::parse(document(change).to_string().as_bytes(), ISSUER)
    }

    #[test]
    fn a_document_that_lies_is_not_believed() {
        use DiscoveryError as E;
        for (change, error) in [
            (json!({ "issuer": "https://id.example/tenant/" }), E::OtherIssuer),
            (json!({ "issuer": "https://id.example" }), E::OtherIssuer),
            (json!({ "issuer": "https://ID.example/tenant" }), E::OtherIssuer),
            (json!({ "issuer": "http://id.example/tenant" }), E::OtherIssuer),
            (json!({ "issuer": "https://id.example/tenant?" }), E::OtherIssuer),
            (json!({ "issuer": "https://evil.example" }), E::OtherIssuer),
            (json!({ "issuer": "-" }), E::Malformed),
            (json!({ "issuer": [ISSUER] }), E::WrongType("issuer", "a text")),
            (json!({ "authorization_endpoint": "-" }), E::Missing("authorization_endpoint")),
            (json!({ "jwks_uri": "-" }), E::Missing("jwks_uri")),
            (json!({ "jwks_uri": null }), E::Missing("jwks_uri")),
            (json!({ "jwks_uri": 7 }), E::WrongType("jwks_uri", "a text")),
            (json!({ "jwks_uri": "/keys" }), E::Endpoint("jwks_uri")),
            (json!({ "jwks_uri": "http://id.example/keys" }), E::Endpoint("jwks_uri")),
            (json!({ "jwks_uri": "file:///etc/passwd" }), E::Endpoint("jwks_uri")),
            (json!({ "jwks_uri": "https://id.example/keys#a" }), E::Endpoint("jwks_uri")),
            (json!({ "token_endpoint": "https://a@id.example/" }), E::Endpoint("token_endpoint")),
            (json!({ "token_endpoint": "http://127.0.0.1/t" }), E::Endpoint("token_endpoint")),
            (json!({ "token_endpoint": "http://localhost/t" }), E::Endpoint("token_endpoint")),
            (json!({ "userinfo_endpoint": "http://[::1]/" }), E::Endpoint("userinfo_endpoint")),
            (json!({ "userinfo_endpoint": {} }), E::WrongType("userinfo_endpoint", "a text")),
            (
                json!({ "token_endpoint_auth_methods_supported": "none" }),
                E::WrongType("token_endpoint_auth_methods_supported", "a list of texts"),
            ),
            (
                json!({ "response_types_supported": null }),
                E::WrongType("response_types_supported", "a list of texts"),
            ),
            (
                json!({ "authorization_response_iss_parameter_supported": "yes" }),
                E::WrongType("authorization_response_iss_parameter_supported", "true or false"),
            ),
            (
                json!({ "end_session_endpoint": "javascript:alert(1)" }),
                E::Endpoint("end_session_endpoint"),
            ),
        ] {
            assert_eq!(read(&change), Err(error), "{change}");
        }
        for text in ["", "<html>", "[]", "null", r#"{"issuer":"#] {
            let read = ProviderMetadata::parse(text.as_bytes(), ISSUER);
            assert_eq!(read, Err(E::Malformed), "{text}");
        }
    }

    #[test]
    fn what_a_document_says_is_read() {
        let provider = read(&json!({
            "token_endpoint": "-",
            "userinfo_endpoint": "https://api.example/me",
            "end_session_endpoint": "https://id.example/logout?all=1",
            "authorization_response_iss_parameter_supported": true,
            "backchannel_logout_session_supported": true,
            "made_up": [1],
        }))
        .unwrap();
        assert_eq!(provider.token_endpoint, None);
        assert_eq!(provider.userinfo_endpoint.unwrap().as_str(), "https://api.example/me");
        let logout = provider.end_session_endpoint.unwrap();
        assert_eq!(logout.as_str(), "https://id.example/logout?all=1");
        assert!(provider.names_issuer_in_every_answer);
        assert!(provider.logout_tokens_name_sessions);
        assert!(!read(&json!({})).unwrap().logout_tokens_name_sessions);
        assert_eq!(
            provider.id_token_signing_algorithms,
            [Algorithm::Rs256, Algorithm::Es256],
            "neither none nor what is unknown"
        );
    }

    #[test]
    fn a_provider_on_this_machine_may_have_its_endpoints_here() {
        let issuer = "http://localhost:4000";
        let document = document(&json!({
            "issuer": issuer,
            "jwks_uri": "http://127.0.0.1:4000/keys",
        }));
        let read = ProviderMetadata::parse(document.to_string().as_bytes(), issuer);
        assert_eq!(read.unwrap().jwks_uri.as_str(), "http://127.0.0.1:4000/keys");
    }

    #[test]
    fn the_well_known_path_follows_the_issuers() {
        for (issuer, url) in [
            ("https://id.example", "https://id.example/.well-known/openid-configuration"),
            ("https://id.example/", "https://id.example/.well-known/openid-configuration"),
            ("https://id.example/a/b", "https://id.example/a/b/.well-known/openid-configuration"),
            ("https://id.example/a/", "https://id.example/a/.well-known/openid-configuration"),
        ] {
            assert_eq!(configuration_url(issuer).unwrap().as_str(), url);
        }
        for issuer in [
            "",
            "id.example",
            "http://id.example",
            "https://id.example?a",
            "https://id.example/#a",
            "https://a:b@id.example",
            "mailto:a@id.example",
        ] {
            assert_eq!(configuration_url(issuer), Err(DiscoveryError::Issuer), "{issuer}");
        }
    }
}
