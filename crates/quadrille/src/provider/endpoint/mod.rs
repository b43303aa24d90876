//! The endpoints that clients call, over plain requests and answers: a file for each, and the table
//! of them.

mod check_session;
mod device;
mod introspect;
mod jwks;
mod metadata;
mod oauth1;
mod register;
mod revoke;
pub(crate) mod row;
pub(super) mod table;
mod token;
mod userinfo;
mod webfinger;
