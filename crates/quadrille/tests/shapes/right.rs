//! The right shapes.

use quadrille::{
    After, Authentication, Authorized, GitHub, Hooks, KeyRing, Linked, Login, Owner, Visitor,
    guard::Access,
    provider::{Decision, Reply},
    scope::Any,
    scopes,
};

scopes! {
    Photos = "photos:read", "See your photos";
    Upload = "photos:write", "Add photos of yours";
}

pub async fn photos(_: Access<Any<(Photos, Upload)>>) {}

pub async fn upload(_: Linked<GitHub, (Photos, Upload)>) {}

pub async fn answer(user: Authentication, decision: Decision<()>) -> Reply {
    decision.by(user).all().await
}

pub async fn signed_in(_: Authorized, _: Visitor) -> After {
    After::go_on()
}

pub fn login(login: Login) -> Login {
    let owner = |visitor: &Visitor| visitor.owner().clone();
    login.hooks(Hooks::new(()).on_authorized(signed_in).owner(owner))
}

pub fn keys() -> (KeyRing, Owner) {
    (KeyRing::ephemeral(), Owner::user(7))
}
