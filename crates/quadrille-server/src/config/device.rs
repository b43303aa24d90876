//! The settings of the device authorization grant.

use std::time::Duration;

use quadrille::provider::DeviceGrant;

use super::{error::ConfigError, found::Found};

/// The settings of the device authorization grant (RFC 8628).
#[derive(Clone, Copy, Debug)]
pub struct DeviceSettings {
    /// `true` if the server offers the grant.
    pub enabled: bool,
    /// The lifetime of device codes and user codes.
    pub code_lifetime: Duration,
    /// The time between two polls of a device.
    pub interval: Duration,
}

impl DeviceSettings {
    /// The offer of the authorization server. `None` if the grant is off.
    pub fn offer(&self) -> Option<DeviceGrant> {
        let offer = || DeviceGrant::new().code_lifetime(self.code_lifetime).interval(self.interval);
        self.enabled.then(offer)
    }

    /// Builds the settings from the found values.
    pub(super) fn of(found: &mut Found) -> Result<Self, ConfigError> {
        Ok(Self {
            enabled: found.switch("device.enabled")?,
            code_lifetime: found.duration("device.code_lifetime", Duration::from_secs(15 * 60))?,
            interval: found.duration("device.interval", Duration::from_secs(5))?,
        })
    }
}
