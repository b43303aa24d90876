//! Any<Gists>` does not say which scopes are required
//! `Any<(Photos, Upload)>` is one of them

use quadrille::{GitHub, Linked, scope::Any, scopes};

scopes! { Gists = "gist", "Create gists"; }

pub async fn home(_: Linked<GitHub, Any<Gists>>) {}
