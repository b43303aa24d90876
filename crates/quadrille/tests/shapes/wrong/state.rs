//! is not a hook for `Authorized` with the state `()`
//! each further argument is an extractor that implements `FromRequestParts<()>`

use quadrille::{After, Authorized, Hooks, Login};

pub struct Session;

pub async fn signed_in(_: Authorized, _: Session) -> After {
    After::go_on()
}

pub fn login(login: Login) -> Login {
    login.hooks(Hooks::new(()).on_authorized(signed_in))
}
