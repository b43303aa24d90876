//! a hook cannot return `String`
//! `After`, `()` or a `Result` of them is wanted here

use quadrille::{Authorized, Hooks, Login};

pub async fn signed_in(_: Authorized) -> String {
    String::new()
}

pub fn login(login: Login) -> Login {
    login.hooks(Hooks::new(()).on_authorized(signed_in))
}
