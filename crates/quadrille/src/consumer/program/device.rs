//! The device flow (RFC 8628): the user types a code in elsewhere, and the program polls.

use std::{fmt, time::Duration};

use crate::{
    Timestamp,
    consumer::{
        dance::{Granted, NoToken},
        error::Result,
        flow::{Begin, Finished},
        login::Login,
    },
    oauth2::DeviceAuthorizationResponse,
};

use super::{Attempted, pace::Pace};

/// A device login in progress: [`Login::begin_device`]. Dropping it cancels the login; at the
/// service, the codes then expire.
///
/// ```
/// use quadrille::{Result, consumer::{DeviceLogin, Finished}};
///
/// async fn wait(device: DeviceLogin) -> Result<Finished> {
///     println!("Open {} and type {}.", device.verification_uri(), device.user_code());
///     println!("The code expires in {} minutes.", device.expires_in().as_secs() / 60);
///     device.finish().await
/// }
/// ```
pub struct DeviceLogin {
    attempted: Attempted,
    codes: DeviceAuthorizationResponse,
    /// The time of the response, by the monotonic clock.
    begun: Timestamp,
}

impl Login {
    /// Begins a login with the device flow (RFC 8628), for programs without a browser: on a server,
    /// in a container, on a television. Show the user the code and the URL, then call
    /// [`DeviceLogin::finish`].
    ///
    /// Anyone may send a code to a user and ask for it to be typed in. The service's page names the
    /// application; tell your users that only a code which their own program shows is to be typed
    /// in (RFC 8628, section 5.4).
    ///
    /// ```no_run
    /// use quadrille::{GitHub, KeyRing, Login, Service as _, consumer::{Begin, MemoryStorage}};
    ///
    /// # async fn example() -> quadrille::Result<()> {
    /// let login = Login::new(KeyRing::ephemeral(), "http://localhost")
    ///     .with(GitHub::public_client("our-id"))
    ///     .storage(MemoryStorage::new());
    /// let device = login.begin_device(&Begin::new("github")).await?;
    /// println!("Open {} and type {}.", device.verification_uri(), device.user_code());
    /// let done = device.finish().await?;
    /// let github = login.linked::<GitHub>(&done.account).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`OperatorError::NoDeviceFlow`](crate::consumer::OperatorError::NoDeviceFlow) for a service
    /// without [`Spec::device_authorization`](crate::Spec::device_authorization),
    /// [`OperatorError::NotForPrograms`](crate::consumer::OperatorError::NotForPrograms) with OAuth
    /// 1, [`OperatorError::OutsideRequest`](crate::consumer::OperatorError::OutsideRequest) if
    /// tokens are stored in cookies, and those of the request.
    pub async fn begin_device(&self, begin: &Begin<'_>) -> Result<DeviceLogin> {
        let attempted = Attempted::new(self, begin).await?;
        let parameters = begin.parameters(&attempted.registered)?;
        let site = &self.ready()?.site;
        let dance = attempted.dance()?;
        let codes = dance.begin_device(site, &attempted.attempt, parameters).await?;
        Ok(DeviceLogin { attempted, codes, begun: site.env.steady() })
    }
}

impl DeviceLogin {
    /// The code for the user to type in. Services ignore case and punctuation.
    pub fn user_code(&self) -> &str {
        &self.codes.user_code
    }

    /// The URL at which the user types the code in: short, and `https`.
    pub fn verification_uri(&self) -> &str {
        &self.codes.verification_uri
    }

    /// The URL with the code in it, for a link or a QR code, if the service has one. Show the code,
    /// too: the user compares it with the one on the page (RFC 8628, section 3.3.1).
    pub fn verification_uri_complete(&self) -> Option<&str> {
        self.codes.verification_uri_complete.as_deref()
    }

    /// The lifetime of the codes from the response on.
    pub fn expires_in(&self) -> Duration {
        self.codes.expires_in
    }

    /// Waits for the decision of the user, and stores the account for the owner of
    /// [`Begin::owner`]. Calls no hooks.
    ///
    /// The token is requested at the service's pace (RFC 8628, section 3.5). After a failure of the
    /// network or of the service the pause doubles, and the login goes on until the codes expire.
    ///
    /// # Errors
    /// [`BrowserError::Denied`](crate::consumer::BrowserError::Denied) if the user refuses,
    /// [`BrowserError::AttemptExpired`](crate::consumer::BrowserError::AttemptExpired) if the codes
    /// expire first (or the last failure of a service that could not be reached), and those of
    /// [`Login::finish`].
    pub async fn finish(self) -> Result<Finished> {
        let env = &self.attempted.login.ready()?.site.env;
        let left = self.codes.expires_in.saturating_sub(env.steady().since(self.begun));
        let mut pace = Pace::new(self.codes.interval);
        let granted = match tokio::time::timeout(left, self.poll(&mut pace)).await {
            Ok(granted) => granted?,
            Err(_) => return Err(pace.expired()),
        };
        self.attempted.finish(granted, &[]).await
    }

    async fn poll(&self, pace: &mut Pace) -> Result<Granted> {
        let Attempted { login, attempt, .. } = &self.attempted;
        let site = &login.ready()?.site;
        let dance = self.attempted.dance()?;
        loop {
            tokio::time::sleep(pace.wait()).await;
            match dance.poll_device(site, attempt, self.codes.device_code.expose()).await {
                Ok(granted) => return Ok(granted),
                Err(NoToken { error, interval }) => pace.hear(error, interval)?,
            }
        }
    }
}

impl fmt::Debug for DeviceLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceLogin")
            .field("service", &self.attempted.registered.name)
            .field("verification_uri", &self.codes.verification_uri)
            .finish_non_exhaustive()
    }
}
