//! The reasons why a client is not registered, or its registration not read, changed or removed
//! (RFC 7591, section 3.2.2; RFC 7592).

use std::time::Duration;

use http::StatusCode;

use crate::{
    jose::{ClaimsError, KeySetError, TokenError},
    oauth2::{ErrorCode, RegistrationRequestError},
    provider::{
        client::{
            logout_uris::LogoutUriError, message_error::MessageMetadataError,
            metadata::ClientMetadataError, redirect_uri::RedirectUriError,
            registered_auth::RegisteredAuthError,
        },
        reason::Disclosure,
    },
};

/// The reason why a dynamic registration is refused (RFC 7591, section 3.2.2), or a request about
/// one (RFC 7592). The client's developer gets its words, which have no part of the request.
///
/// ```
/// use quadrille::{oauth2::ErrorCode, provider::{ClientRegistrationError, RedirectUriError}};
///
/// let error = ClientRegistrationError::RedirectUri(RedirectUriError::Fragment);
/// assert_eq!(error.code(), ErrorCode::InvalidRedirectUri);
/// assert_eq!(error.to_string(), "redirect_uris: the URI has a fragment");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientRegistrationError {
    /// The request cannot be read.
    #[error(transparent)]
    Request(#[from] RegistrationRequestError),
    /// The body is longer than 32 KiB.
    #[error("the metadata is longer than 32 KiB")]
    TooLong,
    /// A redirect URI is not accepted.
    #[error("redirect_uris: {0}")]
    RedirectUri(RedirectUriError),
    /// The redirect URIs are not those of a website with tokens in redirects (OpenID Connect Dynamic
    /// Client Registration, section 2).
    #[error(
        "redirect_uris: with application_type web and the grant type implicit they are https URLs, \
         none of them on the machine of the user"
    )]
    NotOfWebsite,
    /// The redirect URIs are not those of a native application (OpenID Connect Dynamic Client
    /// Registration, section 2).
    #[error(
        "redirect_uris: with application_type native they have a private-use scheme, or are http \
         URLs of loopback (127.0.0.1, [::1] or localhost); https needs application_type web"
    )]
    NotOfNative,
    /// There are too many redirect URIs.
    #[error("redirect_uris: at most 32 are accepted")]
    TooManyRedirectUris,
    /// The client has a grant type with redirects, and no redirect URI.
    #[error("redirect_uris: a client with authorization_code or implicit needs one")]
    NoRedirectUri,
    /// The name is too long, or has invisible characters.
    #[error("client_name: at most 100 characters, all of them visible")]
    Name,
    /// The name has letters that pass for others.
    #[error(
        "client_name: a word has letters of several scripts, or letters in a style of their own, \
         which pass for others"
    )]
    Lookalike,
    /// The name is reserved, or passes for one that is.
    #[error("client_name: it is a reserved name, or passes for one")]
    ReservedName,
    /// The `token_endpoint_auth_method` is unknown.
    #[error(
        "token_endpoint_auth_method: see token_endpoint_auth_methods_supported in the metadata"
    )]
    AuthMethod,
    /// Of the grant types, none by which a client gets tokens is for clients that register themselves.
    /// Others are left out.
    #[error("grant_types: none of them is for clients that register themselves")]
    GrantType,
    /// The client has no grant type, or `refresh_token` alone.
    #[error("grant_types: refresh_token alone gives no token, nor does an empty list")]
    NoGrantType,
    /// The client is public, and requests client credentials or token exchange.
    #[error(
        "grant_types: a client without a secret cannot use client_credentials or token exchange"
    )]
    PublicClientForItself,
    /// A response type is unknown, or does not fit the grant types (RFC 7591, section 2.1).
    #[error(
        "response_types: those with code go with authorization_code in grant_types, and those with \
         token or id_token with implicit"
    )]
    ResponseType,
    /// The client requests no scope that such clients may have.
    #[error("scope: none of them is for clients that register themselves")]
    Scope,
    /// A URL is not https, or malformed.
    #[error("{0}: an https URL of at most 2000 characters, without user name and password")]
    Url(&'static str),
    /// A URL leads to this machine or into a private network.
    #[error("{0}: the host is not on the public Internet")]
    Inward(&'static str),
    /// A text is too long, or has invisible characters.
    #[error("{0}: too long, too many, or with invisible characters")]
    Text(&'static str),
    /// The client has both `jwks` and `jwks_uri` (RFC 7591, section 2).
    #[error("jwks: not together with jwks_uri")]
    KeysTwice,
    /// The keys of the client are malformed.
    #[error("jwks: {0}")]
    Keys(KeySetError),
    /// The keys of the client include a private or shared one, which is now known to others.
    #[error("jwks: a private or shared key; replace that key, and give only public ones")]
    PrivateKeys,
    /// The client signs assertions, and has no key for them.
    #[error("jwks: private_key_jwt needs a usable key here, or jwks_uri")]
    KeysMissing,
    /// The server fetches no keys of clients.
    #[error("jwks_uri: this server fetches no keys of clients, use jwks")]
    KeysNotFetched,
    /// The algorithm is unknown, or not one of the authentication method.
    #[error("token_endpoint_auth_signing_alg: unknown, or not for the authentication method")]
    SigningAlgorithm,
    /// The server does not sign with this algorithm.
    #[error("{0}: this server signs with the algorithms in its metadata")]
    ResponseAlgorithm(&'static str),
    /// The server does not do what this member says.
    #[error("{0}: not supported by this server")]
    Unsupported(&'static str),
    /// An address after a logout is not accepted.
    #[error("post_logout_redirect_uris: {0}")]
    PostLogoutRedirectUri(RedirectUriError),
    /// The client is to get pairwise subjects, and its redirect URIs have several hosts, or none
    /// (OpenID Connect Core, section 8.1).
    #[error("sector_identifier_uri: needed where redirect_uris have several hosts")]
    SectorMissing,
    /// The client is to get pairwise subjects, and could learn those of another sector by a grant that
    /// needs no redirect (OpenID Connect Core, section 8.1).
    #[error(
        "grant_types: a client with pairwise subjects gets tokens of users by its redirect_uris alone"
    )]
    SectorUnproven,
    /// The client is to get pairwise subjects, and logout tokens with them at another host than its
    /// redirect URIs (OpenID Connect Core, section 8.1).
    #[error(
        "backchannel_logout_uri: it must be at a host of redirect_uris, with pairwise subjects"
    )]
    LogoutElsewhere,
    /// The document cannot be had, or does not name all redirect URIs (OpenID Connect Dynamic Client
    /// Registration, section 5).
    #[error("sector_identifier_uri: no JSON list there that names all redirect_uris")]
    Sector,
    /// The server fetches no documents of clients.
    #[error("sector_identifier_uri: this server fetches no documents of clients")]
    SectorNotFetched,
    /// An address for logout is rejected.
    #[error(transparent)]
    LogoutUri(#[from] LogoutUriError),
    /// The metadata for signed and encrypted messages is rejected.
    #[error(transparent)]
    Messages(#[from] MessageMetadataError),
    /// The server accepts only clients with a software statement.
    #[error("software_statement: this server requires one")]
    StatementMissing,
    /// The issuer of the software statement is not trusted here.
    #[error("the software statement is of no issuer that this server trusts")]
    StatementUnapproved,
    /// The keys of the statement's issuer cannot be fetched. The same request may succeed later.
    #[error("the keys for the software statement cannot be fetched")]
    StatementKeysUnknown,
    /// The software statement is malformed, or its signature is wrong.
    #[error("the software statement is invalid: {0}")]
    StatementToken(TokenError),
    /// The claims of the software statement are invalid.
    #[error("the software statement is invalid: {0}")]
    StatementClaims(ClaimsError),
    /// A member of the software statement is malformed.
    #[error("the software statement is invalid: {0}")]
    StatementMember(RegistrationRequestError),
    /// The software statement has no member that describes a client.
    #[error("the software statement is invalid: it describes no client")]
    StatementEmpty,
    /// The request has no initial access token, and one is needed.
    #[error("a registration needs an initial access token of this server")]
    TokenMissing,
    /// The token is unknown, expired, spent or revoked, or the client was removed.
    #[error("the token is unknown, expired, used up or revoked")]
    TokenInvalid,
    /// Too many clients were registered from this network; try again after this time.
    #[error("too many clients were registered from this network")]
    TooOften(Duration),
    /// Too many clients were registered and never used; try again after this time.
    #[error("too many clients were registered and not used")]
    Full(Duration),
    /// The client was changed by another request with the same token, or at the same time. A request
    /// with the current token may succeed.
    #[error(
        "the registration was changed by another request: read it, which also brings the current \
         registration access token, and repeat"
    )]
    ChangedMeanwhile,
    /// An update names another `client_id` (RFC 7592, section 2.2).
    #[error("client_id: it cannot be changed")]
    OtherClient,
    /// The document at the `sector_identifier_uri` is not fetched now: others of this network are.
    #[error("sector_identifier_uri: others are being fetched for this network; try again")]
    SectorLater,
    /// An update would give the client other subjects for its users, such as those of another sector
    /// (OpenID Connect Core, section 8.1).
    #[error(
        "subject_type, sector_identifier_uri, redirect_uris: they cannot change the subjects of users; \
         register another client"
    )]
    OtherSubjects,
    /// An update names another secret than a valid one of the client (RFC 7592, section 2.2).
    #[error("client_secret: it cannot be chosen; omit it")]
    OtherSecret,
}

impl ClientRegistrationError {
    /// The code on the wire.
    pub fn code(&self) -> ErrorCode {
        self.disclosed().code
    }

    /// The time to wait, if the same request may succeed then.
    pub(crate) const fn wait(&self) -> Option<Duration> {
        match self {
            Self::TooOften(wait) | Self::Full(wait) => Some(*wait),
            _ => None,
        }
    }

    /// The member of the metadata that is at fault, whose value may stand in the log.
    pub(crate) const fn member(&self) -> Option<&'static str> {
        match self {
            Self::RedirectUri(_)
            | Self::TooManyRedirectUris
            | Self::NoRedirectUri
            | Self::NotOfWebsite
            | Self::NotOfNative
            | Self::OtherSubjects => Some("redirect_uris"),
            Self::Name | Self::Lookalike | Self::ReservedName => Some("client_name"),
            Self::AuthMethod => Some("token_endpoint_auth_method"),
            Self::SigningAlgorithm => Some("token_endpoint_auth_signing_alg"),
            Self::GrantType
            | Self::NoGrantType
            | Self::PublicClientForItself
            | Self::SectorUnproven => Some("grant_types"),
            Self::ResponseType => Some("response_types"),
            Self::Scope => Some("scope"),
            Self::PostLogoutRedirectUri(_) => Some("post_logout_redirect_uris"),
            Self::SectorMissing | Self::Sector | Self::SectorNotFetched | Self::SectorLater => {
                Some("sector_identifier_uri")
            }
            Self::LogoutElsewhere => Some("backchannel_logout_uri"),
            Self::KeysNotFetched => Some("jwks_uri"),
            Self::OtherClient => Some("client_id"),
            Self::Url(name)
            | Self::Inward(name)
            | Self::Text(name)
            | Self::ResponseAlgorithm(name)
            | Self::Unsupported(name) => Some(name),
            _ => None,
        }
    }

    pub(crate) fn disclosed(&self) -> Disclosure {
        let metadata = Disclosure::words(ErrorCode::InvalidClientMetadata);
        match self {
            Self::Request(RegistrationRequestError::ContentType) => {
                metadata.status(StatusCode::UNSUPPORTED_MEDIA_TYPE)
            }
            Self::Request(error) => Disclosure::words(error.code()),
            Self::TooLong => metadata.status(StatusCode::PAYLOAD_TOO_LARGE),
            Self::RedirectUri(_)
            | Self::TooManyRedirectUris
            | Self::NoRedirectUri
            | Self::NotOfWebsite
            | Self::NotOfNative => Disclosure::words(ErrorCode::InvalidRedirectUri),
            Self::StatementUnapproved => Disclosure::words(ErrorCode::UnapprovedSoftwareStatement),
            Self::StatementToken(_)
            | Self::StatementClaims(_)
            | Self::StatementMember(_)
            | Self::StatementEmpty => Disclosure::words(ErrorCode::InvalidSoftwareStatement),
            Self::TokenMissing | Self::TokenInvalid => Disclosure::words(ErrorCode::InvalidToken),
            Self::StatementKeysUnknown | Self::SectorLater => {
                Disclosure::words(ErrorCode::TemporarilyUnavailable)
            }
            Self::TooOften(_) | Self::Full(_) => {
                Disclosure::words(ErrorCode::TemporarilyUnavailable)
                    .status(StatusCode::TOO_MANY_REQUESTS)
            }
            Self::ChangedMeanwhile => {
                Disclosure::words(ErrorCode::TemporarilyUnavailable).status(StatusCode::CONFLICT)
            }
            _ => metadata,
        }
    }
}

impl From<ClientMetadataError> for ClientRegistrationError {
    fn from(error: ClientMetadataError) -> Self {
        use ClientMetadataError as E;
        use RegisteredAuthError as A;
        match error {
            E::Name => Self::Name,
            E::Lookalike => Self::Lookalike,
            E::AuthMethod => Self::AuthMethod,
            E::KeysMissing | E::Auth(A::NoKey) => Self::KeysMissing,
            E::KeysTwice => Self::KeysTwice,
            E::Auth(A::Keys(error)) => Self::Keys(error),
            E::Auth(A::PrivateKeys) => Self::PrivateKeys,
            E::Auth(A::JwksUri) => Self::Url("jwks_uri"),
            E::Auth(A::SigningAlgorithm) => Self::SigningAlgorithm,
            E::RedirectUri { reason, .. } => Self::RedirectUri(reason),
            E::TooManyRedirectUris => Self::TooManyRedirectUris,
            E::NoRedirectUri => Self::NoRedirectUri,
            E::NoGrantType | E::RefreshTokenAlone => Self::NoGrantType,
            E::GrantType => Self::GrantType,
            E::PublicClientForItself | E::PublicClientExchanges => Self::PublicClientForItself,
            E::ResponseType => Self::ResponseType,
            E::UnknownScope(_) => Self::Scope,
        }
    }
}
