//! Issuers elsewhere, and the ways to trust them.

pub(super) mod introspection;
pub(super) mod jwt;
mod members;
mod memory;
pub(super) mod trust;
