//! OpenID Connect at the provider (OpenID Connect Core 1.0): what is said about a user, to whom, and
//! in which message.

pub(super) mod claims;
pub(super) mod client;
pub(crate) mod details;
pub(super) mod discovery;
pub(super) mod form_post;
pub(crate) mod hint;
pub(crate) mod id_token;
pub(crate) mod logout;
mod offer;
pub(super) mod options;
pub(crate) mod pairwise;
pub(crate) mod release;
pub(crate) mod session;
