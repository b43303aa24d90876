//! Logout (OpenID Connect RP-Initiated Logout 1.0, Front-Channel Logout 1.0 and Back-Channel Logout
//! 1.0): a client asks for it, or the application ends a session, and the session's clients learn
//! of it.

mod back_channel;
mod check;
pub(in crate::provider) mod ended;
pub(in crate::provider) mod error;
pub(in crate::provider) mod joined;
mod next;
pub(in crate::provider) mod options;
pub(in crate::provider) mod page;
mod parties;
mod party;
mod places;
pub(in crate::provider) mod request;
pub(in crate::provider) mod sign_out;
mod ticket;
