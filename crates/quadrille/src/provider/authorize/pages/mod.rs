//! Pages for the browser, for cases in which no redirect may tell the client.

pub(in crate::provider) mod device;
pub(in crate::provider) mod problem;
pub(in crate::provider) mod verifier;
