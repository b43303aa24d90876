//! The endpoints that clients call, over plain requests and answers.

mod introspect;
mod metadata;
mod revoke;
mod token;

pub(crate) use introspect::{about, is_meant_for};
pub(crate) use revoke::revocable;
