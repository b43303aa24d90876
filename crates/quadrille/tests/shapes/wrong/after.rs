//! `fn(Authorized) -> impl Future<Output = String> {signed_in}` is not a hook for `Authorized`
//! it may return `After`, `()`, or a `Result` of them

use quadrille::{Authorized, Hooks, Login};

pub async fn signed_in(_: Authorized) -> String {
    String::new()
}

pub fn login(login: Login) -> Login {
    login.hooks(Hooks::new(()).on_authorized(signed_in))
}
