//! Pages for the browser where no redirect may tell the client.

pub(in crate::provider) mod problem;
pub(in crate::provider) mod verifier;
