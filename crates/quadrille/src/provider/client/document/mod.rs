//! Clients that describe themselves, in a document at the URL that is their `client_id`
//! (draft-ietf-oauth-client-id-metadata-document).
//!
//! No operator registers them. Their document is loaded when they request something, and they are
//! stored with the first consent, since a grant lives no longer than its client's row.

pub(crate) mod admission;
pub(crate) mod error;
pub(crate) mod load;
mod members;
pub(crate) mod metadata;
mod openid;
