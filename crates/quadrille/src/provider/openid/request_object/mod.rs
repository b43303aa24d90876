//! Request objects (OpenID Connect Core, section 6; RFC 9101): the parameters of an authorization
//! request in a token, by value (`request`) or by reference (`request_uri`).

pub(crate) mod error;
pub(crate) mod options;
mod parameters;
pub(crate) mod reference;
pub(crate) mod resolve;
mod signature;
