//! Logging users in at other services, and calling those services for them.
//!
//! [`Login`] is the entry. In axum, [`Login::attach`](crate::Login::attach) adds the routes, and
//! handlers take [`Linked`], [`Identity`] or [`Visitor`](crate::Visitor). In other programs,
//! [`Login::begin`] and [`Login::finish`] are the two halves of a login, and [`Login::linked`]
//! loads an account.

mod account;
mod allowed;
mod api;
mod attempt;
mod authorized;
mod backoff;
mod call;
mod came;
mod claims;
mod cookie_room;
mod cookies;
mod dance;
mod endpoint;
pub(crate) mod error;
mod exchange;
mod flights;
mod flow;
mod held;
mod hooks;
mod hosted;
mod identity;
mod linked;
mod login;
mod names;
mod out_of_band;
mod outage;
mod posted;
pub(crate) mod presets;
mod profile;
mod refresh;
mod registered;
mod registration;
mod returned;
mod revoke;
mod revoked;
mod service;
mod site;
mod storage;
mod tenant;
mod trail;
mod unwritten;
pub mod users;
mod wire;

pub use account::{Account, IntoOwner, Owner, Stored, Token};
pub use api::{Api, ApiPath};
pub use authorized::Authorized;
pub use call::{Answer, Call, Multipart, Pages, Part};
pub use claims::{Claims, Profile};
pub use cookies::Jar;
pub use error::{
    BrowserError, NotLinked, NotLinkedReason, OperatorError, ServiceError, StorageError,
};
pub use flow::{Begin, Finished};
pub use hooks::Refreshed;
pub use identity::Identity;
pub use linked::{Accounts, Linked};
pub use login::Login;
pub use out_of_band::OutOfBand;
pub use revoke::{LoggedOut, RevokedAtService};
pub use service::{
    Client, ClientAuthentication, Dynamic, OAuth1, OAuth1Buf, OAuth2, OAuth2Buf, Protocol,
    ProtocolBuf, Revocation, Service, Spec, SpecBuf,
};
pub use storage::{
    Change, Context, CookieStorage, MemoryStorage, NullStorage, Replaced, TokenStorage,
};

#[cfg(feature = "testing")]
pub(crate) use self::{cookie_room::InUse, site::Site};

#[cfg(feature = "axum")]
pub(crate) use self::{
    attempt::{Attempt, Ending},
    flow::Verified,
    held::{Held, Wanted, not_linked},
    hooks::ErasedHooks,
    identity::{of_account, recall},
    linked::forget_in_browser,
    registered::Registered,
    returned::{is_in_loop, is_just_back, return_cookie},
    trail::Trail,
};
