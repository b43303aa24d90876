//! The user that a command names.

use crate::{
    Failure,
    data::Data,
    users::{User, UserName},
};

pub(super) async fn user(data: &Data, name: &str) -> Result<User, Failure> {
    let not_found = || Failure::NotFound { what: "user", name: name.to_owned() };
    let parsed = UserName::parse(name).map_err(|_| not_found())?;
    let user = data.backend().user_by_name(&parsed).await.map_err(|error| data.failure(error))?;
    user.ok_or_else(not_found)
}
