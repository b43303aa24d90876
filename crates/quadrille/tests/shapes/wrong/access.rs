//! `&'static str` does not say which scopes are required
//! scopes are types that `scopes!` makes

use quadrille::guard::Access;

pub async fn photos(_: Access<&'static str>) {}
