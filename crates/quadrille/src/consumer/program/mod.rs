//! Logins of programs on a user's own machine: with a code that the user types in elsewhere
//! (RFC 8628), or in a browser that returns to a port of the machine (RFC 8252).

mod device;
mod loopback;
mod pace;

pub use device::DeviceLogin;
pub use loopback::{Loopback, LoopbackLogin};

use std::sync::Arc;

use super::{
    account::Owner,
    attempt::Attempt,
    dance::{Dance, Granted, OAuth2Dance},
    error::{OperatorError, Result},
    flow::{Begin, Finished, authorized::Authorized},
    login::{Login, registered::Registered},
};

/// A login of a program that keeps the attempt in its memory.
struct Attempted {
    login: Login,
    registered: Arc<Registered>,
    attempt: Attempt,
    owner: Owner,
}

impl Attempted {
    /// The attempt that `begin` describes.
    async fn new(login: &Login, begin: &Begin<'_>) -> Result<Self> {
        if login.0.storage.is_in_browser() {
            return Err(OperatorError::OutsideRequest.into());
        }
        let ready = login.ready()?;
        let registered = login.by_name(begin.service()).await?.discovered(&ready.site).await?;
        let attempt = login.attempt(None, ready, &registered, begin).await?;
        let owner = begin.owned_by().clone();
        Ok(Self { login: login.clone(), registered, attempt, owner })
    }

    /// The dance of the service, which must be of OAuth 2.
    fn dance(&self) -> Result<&OAuth2Dance> {
        match &self.registered.dance {
            Dance::OAuth2(dance) => Ok(dance),
            Dance::OAuth1(_) => {
                let service = (*self.registered.name).into();
                Err(OperatorError::NotForPrograms { service }.into())
            }
        }
    }

    /// Stores the account.
    async fn finish(self, granted: Granted, callback: &[(String, String)]) -> Result<Finished> {
        let Self { login, registered, attempt, owner } = self;
        let authorized = Authorized::new(&login, &registered, &owner, granted, &attempt, callback);
        authorized.check().await?;
        let account = authorized.keep(None, &owner, None).await?;
        Ok(Finished { account, next: attempt.next, data: attempt.data })
    }
}
