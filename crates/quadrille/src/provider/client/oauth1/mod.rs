//! The keys of a client for OAuth 1.0a.

pub(crate) mod new_key;
pub(crate) mod record;
