//! Defence of secrets that people choose: slow hashes, a line for them, and limits.
//!
//! A server defends its clients' chosen secrets with these by itself. An application uses them for
//! the passwords on its own sign-in page: [`Kdf`] hashes, on threads that the application shares
//! with the server ([`AuthorizationServer::kdf`](super::AuthorizationServer::kdf)); [`Line`] puts
//! attempts in an order in which a flood does not delay others; [`Throttle`] counts failures, and
//! [`SharedCounts`] those of several processes together.

pub(super) mod imported;
mod jobs;
mod kdf;
mod line;
pub(super) mod passwords;
mod shared;
mod throttle;
pub(super) mod turns;

pub use imported::VerifierError;
pub(crate) use kdf::Terms;
pub use kdf::{Cost, Kdf, KdfError, Verdict};
pub use line::{Away, Failures, Line, Place};
pub use shared::{CountChange, SharedCounts};
pub(crate) use shared::{LimitsNow, Party, SharedLimits};
pub use throttle::{Rate, Throttle, Who};
