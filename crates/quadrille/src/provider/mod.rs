//! Let other applications in, with their users' consent.

mod access_format;
mod admin;
mod assertion_use;
mod authority;
mod authorize;
mod client;
mod client_access;
mod clock;
mod device;
mod endpoint;
mod error;
pub mod guessing;
mod issuer;
mod known_ring;
mod metadata;
mod meter;
pub mod oauth1;
mod openid;
mod options;
mod paths;
mod personal;
mod reason;
mod refusal;
mod reseal;
mod route;
mod scopes;
mod server;
mod signing;
mod signing_options;
pub mod store;
mod subject;
mod token;
mod wire;

#[cfg(feature = "http-client")]
pub use crate::fetch::GuardedFetcher;
pub use crate::fetch::{FetchError, Fetched, Fetcher, Notifier, TokenFetcher};
pub use access_format::AccessTokenFormat;
#[cfg(feature = "axum")]
pub(crate) use authorize::{authorization::AUTHORIZATION, consent::CONSENT, consent_page::Slot};
pub use authorize::{
    authorization::{Authorization, Step},
    back::Back,
    consent::{By, Decision},
    consent_page::{ConsentPage, DeviceInfo},
    device::{DeviceStep, DeviceVerification, UserCodeError, UserCodePage},
    error::{AuthorizeError, BrowserError},
    page_hints::{Display, PageHints, PageNeeded},
    pages::{
        device::DeviceAnswerPage,
        problem::{Onward, Problem},
        verifier::VerifierPage,
    },
};
pub use client::{
    about::{ClientAbout, ClientAboutError},
    admin::AdminError,
    document::{error::ClientDocumentError, load::ClientMetadataDocuments},
    dynamic::{
        error::ClientRegistrationError,
        initial::{InitialAccessToken, InitialTokenError},
        record::ClientRegistration,
        settings::DynamicRegistration,
    },
    error::AuthenticateError,
    grant_type::{ExtensionGrantType, GrantType, GrantTypes, InvalidGrantType},
    lifetimes::Lifetimes,
    logout_uris::LogoutUriError,
    message_error::MessageMetadataError,
    metadata::ClientMetadataError,
    new::NewClient,
    record::{Client, ClientSecret, ClientType, SecretVerifier},
    redirect_uri::{RedirectPattern, RedirectPatternError, RedirectUri, RedirectUriError},
    registered_auth::{ClientKeys, RegisteredAuth, RegisteredAuthError},
    registration::{Registered, RegistrationError},
    secrets::{AddedSecret, NewSecret},
    transfer::{
        error::{ImportError, LineError},
        export::ExportedSecrets,
        import::ImportedClients,
        weak::{WeakSecret, Weakness},
    },
};
pub use client_access::ClientAccess;
pub use device::DeviceGrant;
#[cfg(feature = "axum")]
pub(crate) use endpoint::{row::Endpoint, table::ENDPOINTS};
pub use error::endpoint::{DeviceAuthorizationError, EndpointError, Refusal, TokenError};
pub use error::{ClientError, Error, OperatorError};
pub use issuer::{IssuerError, check_issuer};
#[cfg(feature = "metrics")]
pub use meter::describe_metrics;
pub use openid::{
    claims::{Claims, ClaimsQuery, ClaimsUnavailable, UserClaims},
    client::{ApplicationType, ClientOpenId, SubjectType},
    login_initiation::LoginInitiation,
    logout::{
        error::EndSessionError,
        joined::SessionClient,
        options::Logout,
        page::{SignedOutOnward, SignedOutPage},
        request::{EndSession, EndSessionStep, SignOutPage},
        sign_out::SignOut,
    },
    messages::{MessageEncryption, RequestObjectSigning},
    options::OpenId,
    request_object::{error::RequestObjectError, options::RequestObjects},
};
pub use personal::{MintError, MintedToken, NewToken};
pub use reseal::{Reseal, ResealProgress};
pub use scopes::ScopeInfo;
pub use server::AuthorizationServer;
pub use token::decided::{
    asserted::Asserted,
    exchange::{ActorToken, Exchanged, Exchanging},
    extension::{ExtensionGrant, GrantRequest},
    granted::{Granted, NotGranted},
    password::{PasswordAttempt, PasswordNotChecked, PasswordVerifier},
    trusted::{TrustedIssuer, TrustedIssuerError},
};
pub use token::grant::error::{
    AssertionError, ClientCredentialsError, CodeError, DeviceCodeError, DirectError, ExchangeError,
    PasswordError, RefreshError,
};
pub use token::planned::{NotIssued, Occasion, PlannedToken, ReservedMember};
pub use token::{
    prefix::{InvalidTokenPrefix, TokenPrefix, TokenPrefixes},
    text_error::TokenTextError,
};
pub use wire::Reply;
#[cfg(feature = "axum")]
pub(crate) use wire::Unread;
