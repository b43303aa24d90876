//! Clients (RFC 6749, section 2): their metadata, registration, documents and authentication.

pub(super) mod admin;
pub(super) mod assertion;
pub(super) mod authenticate;
mod change;
pub(super) mod document;
pub(super) mod dynamic;
mod edit;
mod ensure;
pub(super) mod error;
pub(super) mod grant_type;
mod in_table;
pub(super) mod lifetimes;
pub(super) mod metadata;
pub(super) mod name;
pub(super) mod new;
pub(super) mod oauth1;
pub(super) mod personal;
mod policy;
pub(super) mod ready_keys;
pub(super) mod record;
pub(super) mod redirect_uri;
pub(super) mod registered_auth;
pub(super) mod registration;
mod rules;
pub(super) mod sealed;
pub(super) mod secrets;
pub(super) mod transfer;
