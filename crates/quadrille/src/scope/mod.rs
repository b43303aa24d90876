//! Scopes: sets of them in messages, and single ones as types.

mod requirement;
mod set;
mod tree;

pub use requirement::{Any, Scope, ScopeRequirement};
pub use set::{InvalidScope, ScopeSeparator, Scopes};
pub use tree::ScopeTree;
