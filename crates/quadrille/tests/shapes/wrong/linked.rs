//! `String` does not say which scopes are required

use quadrille::{GitHub, Linked};

pub async fn home(_: Linked<GitHub, String>) {}
