//! `{float}` does not say whose accounts these are
//! the id of a user is wanted here

use quadrille::{Hooks, Login, Visitor};

pub fn login(login: Login) -> Login {
    login.hooks(Hooks::new(()).owner(|_: &Visitor| 7.5))
}
