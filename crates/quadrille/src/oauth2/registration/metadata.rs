//! Client metadata (RFC 7591, section 2).

use std::fmt;

use serde_json::{Map, Value};

use super::error::RegistrationRequestError;
use crate::{Scopes, json::JsonObject};

/// The members that a server assigns. They are never among the metadata of a client.
pub(super) const ASSIGNED: [&str; 6] = [
    "client_id",
    "client_secret",
    "client_id_issued_at",
    "client_secret_expires_at",
    "registration_access_token",
    "registration_client_uri",
];

/// The metadata of a client (RFC 7591, section 2), as a client sends them and a server returns
/// them.
///
/// ```
/// use quadrille::oauth2::ClientMetadata;
///
/// let mut metadata = ClientMetadata::default();
/// metadata.redirect_uris = vec!["https://app.example/callback".to_owned()];
/// metadata.client_name = Some("Photo printer".to_owned());
/// metadata.token_endpoint_auth_method = Some("none".to_owned());
/// ```
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct ClientMetadata {
    /// The redirect URIs.
    pub redirect_uris: Vec<String>,
    /// The method by which the client authenticates; `client_secret_basic` if omitted.
    pub token_endpoint_auth_method: Option<String>,
    /// The algorithm of the client's assertions (OpenID Connect Dynamic Client Registration, section
    /// 2); any if omitted.
    pub token_endpoint_auth_signing_alg: Option<String>,
    /// The grant types; `authorization_code` if omitted.
    pub grant_types: Option<Vec<String>>,
    /// The response types; `code` if omitted.
    pub response_types: Option<Vec<String>>,
    /// The name for users, without a language.
    pub client_name: Option<String>,
    /// The page about the client.
    pub client_uri: Option<String>,
    /// The logo.
    pub logo_uri: Option<String>,
    /// The scopes that the client may request.
    pub scope: Option<Scopes>,
    /// The addresses of the people responsible for the client.
    pub contacts: Vec<String>,
    /// The terms of service.
    pub tos_uri: Option<String>,
    /// The policy on the use of the data of users.
    pub policy_uri: Option<String>,
    /// The URL of the client's keys (RFC 7517).
    pub jwks_uri: Option<String>,
    /// The client's keys (RFC 7517, section 5). Only one of `jwks` and `jwks_uri` is used.
    pub jwks: Option<Map<String, Value>>,
    /// The identifier of the software, the same for all its clients.
    pub software_id: Option<String>,
    /// The version of the software.
    pub software_version: Option<String>,
    /// The software statement: a JWT with metadata (section 2.3).
    pub software_statement: Option<String>,
    /// All other members, those for a language (`client_name#ja`) among them. Members that a server
    /// assigns, such as `client_id`, are neither read nor written here.
    pub extra: Map<String, Value>,
}

impl ClientMetadata {
    /// Takes the metadata out of the members of a JSON object. A member with the value `null`, and
    /// an empty text, count as omitted (RFC 7592, section 2.2).
    ///
    /// # Errors
    /// [`RegistrationRequestError::Member`] if a member is of the wrong type.
    pub fn from_members(mut members: Map<String, Value>) -> Result<Self, RegistrationRequestError> {
        let all = &mut members;
        let metadata = Self {
            redirect_uris: list(all, "redirect_uris")?.unwrap_or_default(),
            token_endpoint_auth_method: text(all, "token_endpoint_auth_method")?,
            token_endpoint_auth_signing_alg: text(all, "token_endpoint_auth_signing_alg")?,
            grant_types: list(all, "grant_types")?,
            response_types: list(all, "response_types")?,
            client_name: text(all, "client_name")?,
            client_uri: text(all, "client_uri")?,
            logo_uri: text(all, "logo_uri")?,
            scope: text(all, "scope")?
                .map(|scope| Scopes::parse(&scope))
                .transpose()
                .map_err(|_| RegistrationRequestError::Member("scope"))?,
            contacts: list(all, "contacts")?.unwrap_or_default(),
            tos_uri: text(all, "tos_uri")?,
            policy_uri: text(all, "policy_uri")?,
            jwks_uri: text(all, "jwks_uri")?,
            jwks: object(all, "jwks")?,
            software_id: text(all, "software_id")?,
            software_version: text(all, "software_version")?,
            software_statement: text(all, "software_statement")?,
            extra: Map::new(),
        };
        members.retain(|name, value| !value.is_null() && !ASSIGNED.contains(&name.as_str()));
        Ok(Self { extra: members, ..metadata })
    }

    /// The metadata of a response of a real service. A member of the wrong type counts as omitted.
    pub(super) fn from_answer(mut members: Map<String, Value>) -> Self {
        for name in KNOWN {
            let Some(value) = members.remove(name) else { continue };
            let alone = Map::from_iter([(name.to_owned(), value.clone())]);
            if Self::from_members(alone).is_ok() {
                members.insert(name.to_owned(), value);
            }
        }
        // Each member was read alone.
        Self::from_members(members).unwrap_or_default()
    }

    /// Writes the members that are there.
    pub(super) fn write(&self, object: &mut JsonObject) {
        let lists = [
            ("redirect_uris", Some(&self.redirect_uris).filter(|uris| !uris.is_empty())),
            ("grant_types", self.grant_types.as_ref()),
            ("response_types", self.response_types.as_ref()),
            ("contacts", Some(&self.contacts).filter(|contacts| !contacts.is_empty())),
        ];
        for (name, list) in lists {
            if let Some(list) = list {
                object.value(name, &list.as_slice().into());
            }
        }
        let texts = [
            ("token_endpoint_auth_method", &self.token_endpoint_auth_method),
            ("token_endpoint_auth_signing_alg", &self.token_endpoint_auth_signing_alg),
            ("client_name", &self.client_name),
            ("client_uri", &self.client_uri),
            ("logo_uri", &self.logo_uri),
            ("tos_uri", &self.tos_uri),
            ("policy_uri", &self.policy_uri),
            ("jwks_uri", &self.jwks_uri),
            ("software_id", &self.software_id),
            ("software_version", &self.software_version),
            ("software_statement", &self.software_statement),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                object.string(name, text);
            }
        }
        if let Some(scope) = &self.scope {
            object.string("scope", scope.as_str());
        }
        if let Some(jwks) = &self.jwks {
            object.value("jwks", &jwks.clone().into());
        }
        let names = self.extra.iter().filter(|(name, _)| !ASSIGNED.contains(&name.as_str()));
        for (name, value) in names.filter(|(name, _)| !KNOWN.contains(&name.as_str())) {
            object.value(name, value);
        }
    }
}

/// Omits the values of `jwks`, `extra` and the software statement.
impl fmt::Debug for ClientMetadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientMetadata")
            .field("client_name", &self.client_name)
            .field("redirect_uris", &self.redirect_uris)
            .field("token_endpoint_auth_method", &self.token_endpoint_auth_method)
            .field("grant_types", &self.grant_types)
            .field("response_types", &self.response_types)
            .field("scope", &self.scope)
            .field("software_id", &self.software_id)
            .field("extra", &self.extra.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// The members with a field.
const KNOWN: [&str; 17] = [
    "redirect_uris",
    "token_endpoint_auth_method",
    "token_endpoint_auth_signing_alg",
    "grant_types",
    "response_types",
    "client_name",
    "client_uri",
    "logo_uri",
    "scope",
    "contacts",
    "tos_uri",
    "policy_uri",
    "jwks_uri",
    "jwks",
    "software_id",
    "software_version",
    "software_statement",
];

/// A text; `None` if it is omitted.
pub(super) fn text(
    members: &mut Map<String, Value>,
    name: &'static str,
) -> Result<Option<String>, RegistrationRequestError> {
    match members.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
        Some(_) => Err(RegistrationRequestError::Member(name)),
    }
}

fn list(
    members: &mut Map<String, Value>,
    name: &'static str,
) -> Result<Option<Vec<String>>, RegistrationRequestError> {
    let element = |value| match value {
        Value::String(text) => Ok(text),
        _ => Err(RegistrationRequestError::Member(name)),
    };
    match members.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(values)) => {
            values.into_iter().map(element).collect::<Result<_, _>>().map(Some)
        }
        Some(_) => Err(RegistrationRequestError::Member(name)),
    }
}

fn object(
    members: &mut Map<String, Value>,
    name: &'static str,
) -> Result<Option<Map<String, Value>>, RegistrationRequestError> {
    match members.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object)),
        Some(_) => Err(RegistrationRequestError::Member(name)),
    }
}
