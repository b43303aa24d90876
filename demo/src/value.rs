//! The values that are followed through a dance: their kinds, and the facts that are kept of them.

use serde::Deserialize;

/// The kind of a masked value. The most sensitive kind comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    Password,
    State,
    LoginCookie,
    Challenge,
    Code,
    Verifier,
    TemporaryToken,
    TemporarySecret,
    #[serde(rename = "oauth-verifier")]
    OAuthVerifier,
    ClientSecret,
    AccessToken,
    RefreshToken,
    Token,
    TokenSecret,
    Nonce,
    Signature,
    Session,
    Other,
}

/// The number of a masked value within its dance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ValueId(pub(crate) usize);

/// The facts about a value worth following, without the value.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub(crate) kind: Kind,
    /// The first and last characters, if the value is long enough to spare them; the whole value,
    /// if it is no secret.
    pub(crate) shown: String,
    pub(crate) length: usize,
    /// The number among the values of the kind: the second access token is the one of a refresh.
    pub(crate) ordinal: usize,
}

/// The dance that a value, or a chapter, belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    OAuth1,
    OAuth2,
}

impl Protocol {
    /// The name for people.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::OAuth1 => "OAuth 1.0a",
            Self::OAuth2 => "OAuth 2",
        }
    }
}

/// The facts about a kind.
struct Facts {
    name: &'static str,
    slug: &'static str,
    /// Whether the value belongs to one login only.
    of_one_login: bool,
    /// The dance that the value gives away, if only one has such values.
    protocol: Option<Protocol>,
}

impl Kind {
    const fn facts(self) -> Facts {
        use Protocol::{OAuth1, OAuth2};
        let (name, slug, of_one_login, protocol) = match self {
            Self::Password => ("password", "password", false, None),
            Self::State => ("state", "state", true, None),
            Self::LoginCookie => ("login cookie", "login-cookie", false, None),
            Self::Challenge => ("code challenge", "challenge", true, Some(OAuth2)),
            Self::Code => ("code", "code", true, Some(OAuth2)),
            Self::Verifier => ("code verifier", "verifier", true, Some(OAuth2)),
            Self::TemporaryToken => ("temporary token", "temporary", true, Some(OAuth1)),
            Self::TemporarySecret => ("temporary secret", "temporary-secret", true, Some(OAuth1)),
            Self::OAuthVerifier => ("verifier", "oauth-verifier", true, Some(OAuth1)),
            Self::ClientSecret => ("client secret", "secret", false, None),
            Self::AccessToken => ("access token", "access", true, Some(OAuth2)),
            Self::RefreshToken => ("refresh token", "refresh", true, Some(OAuth2)),
            Self::Token => ("token", "token", true, Some(OAuth1)),
            Self::TokenSecret => ("token secret", "token-secret", true, Some(OAuth1)),
            Self::Nonce => ("nonce", "nonce", true, Some(OAuth1)),
            Self::Signature => ("signature", "signature", true, Some(OAuth1)),
            Self::Session => ("session", "session", false, None),
            Self::Other => ("hidden", "other", false, None),
        };
        Facts { name, slug, of_one_login, protocol }
    }

    /// The name for people.
    pub(crate) const fn name(self) -> &'static str {
        self.facts().name
    }

    /// The name in class names.
    pub(crate) const fn slug(self) -> &'static str {
        self.facts().slug
    }

    /// Whether the value belongs to one login only.
    pub(crate) const fn is_of_one_login(self) -> bool {
        self.facts().of_one_login
    }

    /// The dance that the value gives away, if only one has such values.
    pub(crate) const fn protocol(self) -> Option<Protocol> {
        self.facts().protocol
    }

    /// Whether the value plays a part in the dance.
    pub(crate) const fn is_worth_following(self) -> bool {
        !matches!(self, Self::Session | Self::Other)
    }

    /// Whether the value belongs to one message only. Such a value is no secret, and only its kind
    /// is followed.
    pub(crate) const fn is_of_one_message(self) -> bool {
        matches!(self, Self::Nonce | Self::Signature)
    }

    /// Whether the values of the kind are numbered within a dance.
    pub(crate) const fn is_counted(self) -> bool {
        matches!(self, Self::AccessToken | Self::RefreshToken)
    }
}
