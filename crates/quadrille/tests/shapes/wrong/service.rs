//! `String` is not a service to log in with
//! impl Service for Gitea

use quadrille::{Login, Result};

pub async fn home(login: Login) -> Result<()> {
    login.accounts::<String>().map(|_| ())
}
