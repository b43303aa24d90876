//! Clients: the applications that a provider lets in.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Scopes, Timestamp, oauth2::Resources};

use super::{
    OAuth1Client, redirect,
    store::{GrantTypes, RowId, SecretHash},
};

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
    /// Where it may be answered (exact match, but for the port of a loopback address: RFC 8252,
    /// section 7.3).
    pub redirect_uris: Vec<String>,
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
    pub oauth1: Option<OAuth1Client>,
    /// Whether it is an API elsewhere that may ask what tokens are worth (RFC 7662), and which: those
    /// for these APIs, or, where there is none, those that name no API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_server: Option<Resources>,
    /// Whether it describes itself, in a document at the URL that is its `client_id`, instead of being
    /// registered: see [`ClientMetadataDocuments`](super::ClientMetadataDocuments).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub from_document: bool,
    /// When it was registered, or first let in.
    pub created: Timestamp,
}

impl Client {
    /// What the Content-Security-Policy's `form-action` has to allow on a page whose form leads, by
    /// redirects, to the client's answer at `redirect_uri`: a sign-in page, after which the person
    /// may be sent on without being asked. Browsers apply it to every redirect that follows a form.
    /// `None` for what is not registered.
    ///
    /// ```
    /// # use quadrille::{Env, Scopes, provider::{AuthorizationServer, NewClient, store::MemoryStore}};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = AuthorizationServer::new("https://id.example", MemoryStore::new(Env::system()))?;
    /// let printer = NewClient::confidential("Photo printer").redirect_uri("https://printer.example/cb");
    /// let client = server.register(printer).await?.client;
    /// let allowed = client.form_action(Some("https://printer.example/cb"));
    /// assert_eq!(allowed.as_deref(), Some("'self' https://printer.example"));
    /// assert_eq!(client.form_action(Some("https://evil.example/cb")), None);
    /// # Ok(())
    /// # }
    /// ```
    pub fn form_action(&self, redirect_uri: Option<&str>) -> Option<String> {
        let uri = match (redirect_uri, &*self.redirect_uris) {
            (Some(uri), registered) => redirect::is_registered(registered, uri).then_some(uri)?,
            (None, [only]) => only,
            (None, _) => return None,
        };
        Some(format!("'self' {}", redirect::form_action(uri)?))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    #[test]
    fn a_page_may_lead_to_a_registered_redirect_uri_only() {
        let mut client = client("app", "https://app.example/cb");
        let allowed = Some("'self' https://app.example".to_owned());
        assert_eq!(client.form_action(Some("https://app.example/cb")), allowed);
        assert_eq!(client.form_action(None), allowed, "there is only one");
        assert_eq!(client.form_action(Some("https://app.example/other")), None);
        assert_eq!(client.form_action(Some("https://evil.example; script-src *")), None);
        client.redirect_uris.push("com.example.app:/cb".to_owned());
        assert_eq!(client.form_action(None), None, "which one?");
        let native = client.form_action(Some("com.example.app:/cb"));
        assert_eq!(native.as_deref(), Some("'self' com.example.app:"));
    }

    /// A confidential client for everything.
    pub(crate) fn client(id: &str, redirect_uri: &str) -> Client {
        Client {
            id: id.into(),
            number: RowId(0),
            name: id.to_owned(),
            client_type: ClientType::Confidential,
            secrets: Vec::new(),
            redirect_uris: vec![redirect_uri.to_owned()],
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
            created: Timestamp::default(),
        }
    }
}
