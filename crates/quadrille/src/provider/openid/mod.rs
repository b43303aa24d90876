//! OpenID Connect at the provider (OpenID Connect Core 1.0): what is said about a user, to whom, and
//! in which message.

pub(super) mod claims;
pub(super) mod client;
pub(crate) mod details;
pub(super) mod discovery;
pub(crate) mod encryption;
pub(super) mod form_post;
pub(crate) mod hint;
pub(crate) mod id_token;
pub(crate) mod login_initiation;
pub(crate) mod logout;
pub(crate) mod messages;
mod offer;
pub(crate) mod offline;
pub(super) mod options;
pub(crate) mod pairwise;
pub(crate) mod release;
pub(crate) mod request_object;
mod script_page;
pub(crate) mod session;
pub(crate) mod session_management;
