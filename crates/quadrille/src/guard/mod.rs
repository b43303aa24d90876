//! Check the requests that come to an API: access tokens (RFC 6750) and signed requests (RFC 5849).
//!
//! A [`Guard`] stands before a service and trusts an authority: the authorization server in this
//! process, an issuer elsewhere that it asks ([`Introspection`], RFC 7662), or one whose signatures
//! it verifies ([`JwtAccessTokens`], RFC 9068). A handler takes an [`Access`], which names the
//! scopes that it needs.

mod access;
mod authority;
mod body;
mod check;
#[cfg(feature = "http-client")]
mod elsewhere;
mod error;
#[cfg(feature = "axum")]
mod lazy;
pub(crate) mod log;
pub(crate) mod masked;
mod metadata;
mod options;
pub(crate) mod presented;
mod refused;
mod service;
mod signature;
mod signed;
mod step_up;
#[cfg(feature = "testing")]
mod test;
#[cfg(any(feature = "http-client", feature = "testing"))]
mod told;
mod user_information;
mod verdict;
mod verified;

pub use access::Access;
pub use body::GuardBody;
#[cfg(feature = "http-client")]
pub use elsewhere::{
    introspection::{Introspection, IntrospectionError},
    jwt::{JwtAccessTokens, JwtAccessTokensError},
    trust::Trust,
};
pub use error::AccessError;
pub use masked::mask_secrets;
pub use options::Guard;
pub use refused::Refused;
pub use service::GuardService;
pub use signature::SignatureError;
pub use step_up::StepUp;
pub use verified::Verified;

#[cfg(feature = "provider")]
pub(crate) use authority::{Answer, Authority, SignedAt};
#[cfg(feature = "provider")]
pub(crate) use body::BODY_LIMIT;
#[cfg(all(feature = "axum", feature = "provider"))]
pub(crate) use body::{is_covered, read as read_body};
#[cfg(feature = "axum")]
pub(crate) use lazy::Lazy;
#[cfg(all(feature = "axum", feature = "provider"))]
pub(crate) use lazy::Lends;
#[cfg(feature = "provider")]
pub(crate) use refused::RefusalPage;
#[cfg(feature = "provider")]
pub(crate) use signature::challenge;
#[cfg(feature = "provider")]
pub(crate) use verified::Facts;
