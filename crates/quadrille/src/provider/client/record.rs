//! Clients: the applications that a provider lets in.

use std::{collections::BTreeSet, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    Scopes, Timestamp,
    oauth2::Resources,
    provider::{
        oauth1::client::Registration,
        store::{RowId, SecretHash},
    },
};

use super::redirect_uri::{self, RedirectUri};

/// How a client gets a token (RFC 6749, section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum GrantType {
    /// RFC 6749, section 4.1.
    AuthorizationCode,
    /// RFC 6749, section 4.4.
    ClientCredentials,
    /// RFC 6749, section 6.
    RefreshToken,
}

impl GrantType {
    /// As it stands in messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::ClientCredentials => "client_credentials",
            Self::RefreshToken => "refresh_token",
        }
    }
}

/// The grant types that a client may use, by their names on the wire.
pub type GrantTypes = BTreeSet<GrantType>;

/// How long a client's name may be, in characters.
pub(crate) const LONGEST_NAME: usize = 100;

/// Whether a client can go by this name on the pages of a provider: people see all of it, and it
/// leaves the text around it as it is. That excludes control characters, characters that show
/// nothing (`Default_Ignorable_Code_Point` of Unicode, variation selectors apart), and those that
/// turn the direction of what follows.
pub(crate) fn is_shown(name: &str) -> bool {
    let is_unseen = |c: char| {
        c.is_control()
            || matches!(
                c,
                '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
                    | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                    | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
                    | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
                    | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
            )
    };
    let is_selector = |c: char| matches!(c, '\u{fe00}'..='\u{fe0f}');
    !name.chars().all(|c| c.is_whitespace() || is_selector(c))
        && name.chars().count() <= LONGEST_NAME
        && !name.contains(is_unseen)
}

/// Whether a client can keep a secret (RFC 6749, section 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientType {
    /// It authenticates.
    Confidential,
    /// It cannot: a native or single-page application. PKCE is required of it.
    Public,
}

/// How a client's secret is checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SecretVerifier {
    /// SHA-256, for generated secrets of at least 128 random bits: there is nothing to guess.
    Sha256(SecretHash),
    /// Argon2id in PHC form, for secrets that people chose.
    Argon2id(Arc<str>),
}

/// One of a client's secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientSecret {
    /// How it is checked.
    pub verifier: SecretVerifier,
    /// When it stops being good, so that a new one can be rolled out first.
    pub expires: Option<Timestamp>,
}

/// An application that a provider lets in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Client {
    /// The `client_id`.
    pub id: Arc<str>,
    /// Tells this client from an earlier one with the same `client_id`.
    pub number: RowId,
    /// What people call it.
    pub name: String,
    /// Whether it can keep a secret.
    pub client_type: ClientType,
    /// Its secrets; any that has not expired is good.
    pub secrets: Vec<ClientSecret>,
    /// Where it may be answered (exact match, but for the port of a URI to this machine: RFC 8252,
    /// section 7.3).
    #[serde(deserialize_with = "redirect_uri::stored")]
    pub redirect_uris: Vec<RedirectUri>,
    /// What it may ask for.
    pub scopes: Scopes,
    /// How it may get tokens.
    pub grant_types: GrantTypes,
    /// Whether people are not asked for consent, because the client is the provider's own. They
    /// are if it is public and the answer goes to a loopback address or a scheme, where any program
    /// could claim to be it (RFC 8252, section 8.6).
    pub first_party: bool,
    /// Its part in OAuth 1.0a, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth1: Option<Registration>,
    /// Whether it is an API elsewhere that may ask what tokens are worth (RFC 7662), and which:
    /// those for these APIs, or, where there is none, those that name no API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_server: Option<Resources>,
    /// Whether it describes itself, in a document at the URL that is its `client_id`, instead of
    /// being registered: see [`ClientMetadataDocuments`](crate::provider::ClientMetadataDocuments).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub from_document: bool,
    /// Whether it may leave PKCE out, although the policy asks for it: see
    /// [`NewClient::allow_without_pkce_so_that_a_leaked_code_can_be_injected`](crate::provider::NewClient::allow_without_pkce_so_that_a_leaked_code_can_be_injected).
    /// It says nothing for a public client, which must use PKCE.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_pkce: bool,
    /// When it was registered, or first let in.
    pub created: Timestamp,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A confidential client for everything.
    pub(crate) fn client(id: &str, redirect_uri: &str) -> Client {
        Client {
            id: id.into(),
            number: RowId(0),
            name: id.to_owned(),
            client_type: ClientType::Confidential,
            secrets: Vec::new(),
            redirect_uris: vec![redirect_uri.parse().unwrap()],
            scopes: Scopes::of(["a", "b"]),
            grant_types: [
                GrantType::AuthorizationCode,
                GrantType::ClientCredentials,
                GrantType::RefreshToken,
            ]
            .into(),
            first_party: false,
            oauth1: None,
            resource_server: None,
            from_document: false,
            without_pkce: false,
            created: Timestamp::default(),
        }
    }
}
