//! The facts about a client that users are shown beside its name (RFC 7591, section 2).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The facts about a client that users are shown beside its name (RFC 7591, section 2). Nobody has
/// checked those of a client that registered or describes itself.
///
/// ```
/// use quadrille::provider::NewClient;
///
/// let printer = NewClient::confidential("Photo printer")
///     .redirect_uri("https://printer.example/callback")
///     .about(|about| {
///         about.owner = Some("Prints & Frames Ltd".into());
///         about.policy_uri = Some("https://printer.example/privacy".into());
///     });
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ClientAbout {
    /// The person or organization who is responsible for the client: the operator's word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<Arc<str>>,
    /// The page about the client (`client_uri`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<Arc<str>>,
    /// The logo (`logo_uri`). This library neither fetches nor shows it: a page that does must not let
    /// the user's browser fetch it, which would tell the client who looks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<Arc<str>>,
    /// The terms of service (`tos_uri`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<Arc<str>>,
    /// The policy on the use of the data of users (`policy_uri`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<Arc<str>>,
    /// The addresses of the people who are responsible for the client.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<Arc<str>>,
}

/// A fact about a client is rejected.
///
/// ```
/// use quadrille::provider::ClientAboutError;
///
/// let error = ClientAboutError::Url("logo_uri");
/// assert_eq!(
///     error.to_string(),
///     "logo_uri: an https URL without user name and password is needed",
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientAboutError {
    /// An address.
    #[error("{0}: an https URL without user name and password is needed")]
    Url(&'static str),
    /// A text, or a list of texts.
    #[error("{0}: text of at most 255 bytes that users see all of is needed")]
    Text(&'static str),
}

impl ClientAbout {
    /// `true` if nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The facts in the member of a record.
    pub(super) fn member(self) -> Option<Box<Self>> {
        (!self.is_empty()).then(|| Box::new(self))
    }

    /// The addresses, each with its name.
    pub(super) fn addresses(&self) -> [(&'static str, Option<&str>); 4] {
        [
            ("client_uri", self.client_uri.as_deref()),
            ("logo_uri", self.logo_uri.as_deref()),
            ("tos_uri", self.tos_uri.as_deref()),
            ("policy_uri", self.policy_uri.as_deref()),
        ]
    }
}
