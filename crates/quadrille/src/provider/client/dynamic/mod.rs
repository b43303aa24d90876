//! Dynamic client registration (RFC 7591) and its management (RFC 7592).

mod application_type;
pub(super) mod described;
pub(crate) mod error;
pub(crate) mod initial;
pub(crate) mod manage;
mod openid;
pub(crate) mod record;
pub(crate) mod register;
mod room;
pub(super) mod sector;
pub(super) mod self_described;
pub(crate) mod settings;
mod statement;
pub(crate) mod used;
