//! Response types and response modes (RFC 6749, sections 3.1.1 and 8.4; OAuth 2.0 Multiple Response
//! Type Encoding Practices).

use serde::{Deserialize, Serialize};

/// The response type of an authorization request (RFC 6749, section 3.1.1): what the redirect
/// brings to the client.
///
/// ```
/// use quadrille::oauth2::ResponseType;
///
/// assert_eq!(ResponseType::Code.as_str(), "code");
/// assert_eq!(ResponseType::parse("token"), Some(ResponseType::Token));
/// assert!(ResponseType::Token.has_token() && !ResponseType::Token.has_code());
/// assert_eq!(ResponseType::parse("id_token code"), Some(ResponseType::CodeIdToken));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ResponseType {
    /// An authorization code (RFC 6749, section 4.1.1).
    #[default]
    Code,
    /// An access token (RFC 6749, section 4.2.1). RFC 9700, section 2.1.2 advises against it: the
    /// token is in the address of a page, where it can leak, and nothing binds it to the client.
    Token,
    /// An ID token (OpenID Connect Core, section 3.2).
    IdToken,
    /// An ID token and an access token (OpenID Connect Core, section 3.2).
    #[serde(rename = "id_token token")]
    IdTokenToken,
    /// A code and an ID token (OpenID Connect Core, section 3.3).
    #[serde(rename = "code id_token")]
    CodeIdToken,
    /// A code and an access token (OpenID Connect Core, section 3.3).
    #[serde(rename = "code token")]
    CodeToken,
    /// A code, an ID token and an access token (OpenID Connect Core, section 3.3).
    #[serde(rename = "code id_token token")]
    CodeIdTokenToken,
}

impl ResponseType {
    /// All response types.
    pub const ALL: [Self; 7] = [
        Self::Code,
        Self::Token,
        Self::IdToken,
        Self::IdTokenToken,
        Self::CodeIdToken,
        Self::CodeToken,
        Self::CodeIdTokenToken,
    ];

    /// The value in a message.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Token => "token",
            Self::IdToken => "id_token",
            Self::IdTokenToken => "id_token token",
            Self::CodeIdToken => "code id_token",
            Self::CodeToken => "code token",
            Self::CodeIdTokenToken => "code id_token token",
        }
    }

    /// Reads the value in a message, whose words have any order (RFC 6749, section 3.1.1). `None`
    /// for a response type that this library does not know.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words: Vec<&str> = text.split(' ').collect();
        // The order of the alphabet is that of the names.
        words.sort_unstable();
        Self::ALL.into_iter().find(|known| known.as_str().split(' ').eq(words.iter().copied()))
    }

    /// `true` for the two response types of RFC 6749.
    #[cfg(feature = "provider")]
    pub(crate) const fn is_plain(self) -> bool {
        matches!(self, Self::Code | Self::Token)
    }

    /// `true` if the response has a token, of either kind: it is never in a query.
    #[cfg(feature = "provider")]
    pub(crate) const fn has_any_token(self) -> bool {
        self.has_token() || self.has_id_token()
    }

    /// `true` if the response has an authorization code.
    pub const fn has_code(self) -> bool {
        matches!(self, Self::Code | Self::CodeIdToken | Self::CodeToken | Self::CodeIdTokenToken)
    }

    /// `true` if the response has an access token.
    pub const fn has_token(self) -> bool {
        matches!(self, Self::Token | Self::IdTokenToken | Self::CodeToken | Self::CodeIdTokenToken)
    }

    /// `true` if the response has an ID token.
    pub const fn has_id_token(self) -> bool {
        matches!(
            self,
            Self::IdToken | Self::IdTokenToken | Self::CodeIdToken | Self::CodeIdTokenToken
        )
    }
}

/// The response mode of an authorization request (OAuth 2.0 Multiple Response Type Encoding
/// Practices, section 2.1): where the parameters of the response are.
///
/// ```
/// use quadrille::oauth2::ResponseMode;
///
/// assert_eq!(ResponseMode::default_of("code"), ResponseMode::Query);
/// assert_eq!(ResponseMode::default_of("id_token token"), ResponseMode::Fragment);
/// assert_eq!(ResponseMode::Fragment.as_str(), "fragment");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ResponseMode {
    /// The query, which the client's server receives.
    Query,
    /// The fragment, which stays in the browser.
    Fragment,
    /// A form that a page sends by POST (OAuth 2.0 Form Post Response Mode).
    FormPost,
}

impl ResponseMode {
    /// The value in a message.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Fragment => "fragment",
            Self::FormPost => "form_post",
        }
    }

    /// The response mode of a request that names none, by its `response_type`, also one that this
    /// library does not know: the fragment for those with a token (OAuth 2.0 Multiple Response Type
    /// Encoding Practices, section 5).
    pub fn default_of(response_type: &str) -> Self {
        match response_type.split(' ').any(|part| matches!(part, "token" | "id_token")) {
            true => Self::Fragment,
            false => Self::Query,
        }
    }
}
