//! Any<Photos>` does not say which scopes are required
//! a scope, a tuple of scopes, `Any` of a tuple, or `()` is wanted here
//! `Any<(Photos, Upload)>` is one of them

use quadrille::{guard::Access, scope::Any, scopes};

scopes! { Photos = "photos:read", "See your photos"; }

pub async fn photos(_: Access<Any<Photos>>) {}
