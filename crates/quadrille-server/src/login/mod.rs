//! Logins at other services, for `quadrille login`: the token is printed or saved.

mod error;
mod registration;
mod save;
mod variable;

use std::{path::PathBuf, sync::Arc, time::Duration};

use quadrille::consumer::{Begin, Finished, Loopback, Token};

pub use error::LoginError;
pub use registration::Registration;
use save::Saving;

/// A login at a service.
#[derive(Debug)]
pub struct Request {
    /// The application's registration at the service.
    pub registration: Registration,
    /// The way of the login.
    pub flow: Flow,
    /// The file for the token.
    pub save: Option<PathBuf>,
}

/// The way of a login.
#[derive(Debug)]
pub enum Flow {
    /// A code that the user types in elsewhere (RFC 8628).
    Device,
    /// A browser that returns to a port of this machine (RFC 8252).
    Loopback {
        /// The port; `None` for a free one.
        port: Option<u16>,
        /// The path of the redirect URI.
        path: String,
        /// Whether the redirect URI has the name `localhost`.
        localhost: bool,
        /// The time that the user has.
        lasts: Duration,
    },
}

/// The result of a login.
#[derive(Debug)]
pub struct LoggedIn {
    /// The account's identifier at the service; empty if it has none.
    pub subject: Arc<str>,
    /// The token.
    pub token: Token,
    /// The file for it, if it is to be saved.
    saving: Option<Saving>,
}

impl Request {
    /// Logs in. `tell` shows a message to the user.
    ///
    /// # Errors
    /// [`LoginError`]. A file that cannot be written is found before the login.
    pub async fn log_in(
        self,
        tell: impl Fn(&str) + Send + Sync + 'static,
    ) -> Result<LoggedIn, LoginError> {
        let Self { registration, flow, save } = self;
        let saving = save.as_deref().map(Saving::prepare).transpose()?;
        let service = registration.service().to_owned();
        let login = registration.login()?;
        let begin = Begin::new(&service);
        let wrong = |error| LoginError::login(&service, error);
        let finished: Finished = match flow {
            Flow::Device => {
                let device = login.begin_device(&begin).await.map_err(wrong)?;
                let minutes = device.expires_in().as_secs().div_ceil(60);
                let (uri, code) = (device.verification_uri(), device.user_code());
                tell(&format!(
                    "Open {uri}\nand type the code {code}\nIt expires in {minutes} minutes."
                ));
                device.finish().await.map_err(wrong)?
            }
            Flow::Loopback { port, path, localhost, lasts } => {
                let mut loopback = Loopback::new().path(path).lasts(lasts).open(move |url| {
                    tell(&format!("Open this page in the browser of this machine:\n{url}"));
                });
                if let Some(port) = port {
                    loopback = loopback.port(port);
                }
                if localhost {
                    loopback = loopback.localhost_because_the_service_accepts_no_address();
                }
                let begun = login.begin_loopback(&begin, loopback).await.map_err(wrong)?;
                begun.finish().await.map_err(wrong)?
            }
        };
        let linked = login.linked_by_name(&finished.account).await.map_err(wrong)?;
        let token = linked.token().await.map_err(wrong)?;
        Ok(LoggedIn { subject: finished.account.subject, token, saving })
    }
}

impl LoggedIn {
    /// Writes `text` to the file for the token. `None` if it is not to be saved.
    ///
    /// # Errors
    /// [`LoginError::File`].
    pub fn save(&mut self, text: &str) -> Result<Option<PathBuf>, LoginError> {
        self.saving.take().map(|saving| saving.finish(text)).transpose()
    }
}
