//! `{float}` does not say whose accounts these are
//! the id of a user is wanted here

use quadrille::{Login, Visitor};

pub fn login(login: Login) -> Login {
    login.owner((), |_: &Visitor| 7.5)
}
