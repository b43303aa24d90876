//! The record of a client's dynamic registration (RFC 7591).

use std::{net::IpAddr, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    Scopes, Timestamp,
    provider::{
        client::{about::ClientAbout, grant_type::GrantTypes},
        store::ids::SecretHash,
    },
};

/// The dynamic registration of a client (RFC 7591): the part of its record that other clients do
/// not have.
///
/// ```
/// use quadrille::provider::Client;
///
/// fn came_by_itself(client: &Client) -> bool {
///     client.registration.as_ref().is_some_and(|found| found.initial_access_token.is_none())
/// }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ClientRegistration {
    /// The hash of the registration access token (RFC 7592, section 3).
    pub token: SecretHash,
    /// The hash of the registration access token before, which reads and deletes the registration until
    /// the current one is used: a response may be lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_token: Option<SecretHash>,
    /// The time until which the client must be used, else it is removed; `None` after the first
    /// use, or if it need not be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unused_until: Option<Timestamp>,
    /// The address from which the client was registered, until the client is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<IpAddr>,
    /// The name of the initial access token that allowed the registration; `None` for an open
    /// registration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_access_token: Option<Arc<str>>,
    /// The time of the latest change of the name or of a redirect URI. Consents from before do not
    /// count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed: Option<Timestamp>,
    /// The scopes that the operator has set, which limit those of an update; `None` for those of
    /// the server's registration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope_ceiling: Option<Scopes>,
    /// The grant types that the operator has set, which limit those of an update; `None` for those
    /// of the server's registration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_type_ceiling: Option<GrantTypes>,
    /// The page about the client (`client_uri`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<Arc<str>>,
    /// The logo (`logo_uri`). This library neither fetches nor shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<Arc<str>>,
    /// The terms of service (`tos_uri`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<Arc<str>>,
    /// The policy on the use of the data of users (`policy_uri`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<Arc<str>>,
    /// The addresses of the people responsible for the client.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<Arc<str>>,
    /// The identifier of the software (`software_id`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_id: Option<Arc<str>>,
    /// The version of the software (`software_version`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_version: Option<Arc<str>>,
    /// The software statement that the registration was made with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_statement: Option<Arc<str>>,
}

impl ClientRegistration {
    /// The facts about the client, in its own words.
    pub(in crate::provider::client) fn about(&self) -> ClientAbout {
        ClientAbout {
            owner: None,
            client_uri: self.client_uri.clone(),
            logo_uri: self.logo_uri.clone(),
            tos_uri: self.tos_uri.clone(),
            policy_uri: self.policy_uri.clone(),
            contacts: self.contacts.clone(),
        }
    }
}
