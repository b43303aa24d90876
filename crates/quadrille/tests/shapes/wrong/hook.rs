//! is not a hook for `Authorized` with the state `()`
//! a hook is an `async fn` whose first argument is `Authorized`
//! its shape is `async fn(event: Authorized, ...) -> After`

use quadrille::{After, Authorized, Hooks, Login};

pub async fn signed_in(_: u8, _: Authorized) -> After {
    After::go_on()
}

pub fn login(login: Login) -> Login {
    login.hooks(Hooks::new(()).on_authorized(signed_in))
}
