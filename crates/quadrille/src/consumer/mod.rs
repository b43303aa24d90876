//! Logging users in at other services, and calling those services for them.
//!
//! [`Login`] is the entry. In axum, [`Login::attach`](crate::Login::attach) adds the routes, and
//! handlers take [`Linked`], [`Identity`] or [`Visitor`](crate::Visitor). In other programs,
//! [`Login::begin`] and [`Login::finish`] are the two halves of a login, and [`Login::linked`]
//! loads an account.

mod account;
mod attempt;
mod backoff;
mod call;
mod claims;
mod client_keys;
mod confined;
mod cookies;
mod dance;
pub(crate) mod error;
mod exchange;
mod flow;
mod hooks;
mod identity;
mod linked;
mod login;
mod openid;
mod organizations;
pub(crate) mod presets;
mod program;
mod refresh;
mod registration;
mod service;
mod settings;
mod single_flight;
mod site;
mod storage;
pub(crate) mod to_the_end;
pub mod users;
mod wire;

pub use account::{Account, IntoOwner, Owner, ProviderSession, Stored, Token};
pub use call::{
    Answer, Call, Multipart, Pages, Part,
    api::{Api, ApiPath},
};
pub use claims::{Claims, Profile};
pub use client_keys::ClientKeys;
pub use cookies::Jar;
pub use error::{
    BrowserError, ClaimSourceError, NotLinked, NotLinkedReason, OperatorError,
    RegistrationUnusable, RequestObjectUnusable, ServiceError, StorageError,
};
pub use flow::{
    Begin, Finished, authorized::Authorized, initiated::InitiatedLogin, out_of_band::OutOfBand,
};
pub use hooks::Refreshed;
pub use identity::{Identity, sourced::FromSource};
pub use linked::{
    Accounts, Linked,
    revoke::{LoggedOut, RevokedAtService},
};
pub use login::{Login, organizations::Organization};
pub use openid::{claim_sources::SourcedClaims, ended::SessionEnded, presented::PresentedIdToken};
pub use organizations::Organizations;
pub use presets::words::*;
pub use program::{DeviceLogin, Loopback, LoopbackLogin};
pub use service::{
    ClaimsProviders, Client, ClientAuthentication, ClientOption, Dynamic, Encryption, Hybrid,
    OAuth1, OAuth1Buf, OAuth2, OAuth2Buf, OpenId, OpenIdAccount, OpenIdBuf, Protocol, ProtocolBuf,
    RequestObjects, Revocation, Service, Spec, SpecBuf,
};
pub use settings::LoginSettings;
#[cfg(feature = "memory-cache")]
pub use storage::MemoryCache;
pub use storage::{
    CacheKey, CachedStorage, Change, Context, CookieStorage, FileStorage, MemoryStorage,
    NullStorage, Progress, Replaced, Reseal, SealedRow, SealedRows, TokenCache, TokenStorage,
};

#[cfg(feature = "testing")]
pub(crate) use self::{cookies::room::InUse, site::Site};

#[cfg(feature = "axum")]
pub(crate) use self::{
    attempt::{
        Attempt, Ending,
        returned::{is_in_loop, is_just_back, return_cookie},
    },
    dance::trail::Trail,
    flow::Verified,
    hooks::ErasedHooks,
    identity::{of_account, recall},
    linked::forget_in_browser,
    login::registered::Registered,
    openid::presented::is_submitted_twice,
    refresh::held::{Held, Wanted, not_linked},
};
