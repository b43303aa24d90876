//! The settings of requests to URLs that clients name.

use quadrille::{provider::GuardedFetcher, transport::NoHttpClient};

use super::{error::ConfigError, found::Found};

/// The settings of requests to URLs that clients name.
#[derive(Clone, Copy, Debug, Default)]
pub struct FetchSettings {
    /// `true` if they may be sent to this machine, without TLS.
    pub reach_this_machine: bool,
}

impl FetchSettings {
    /// Builds the settings from the found values.
    pub(super) fn of(found: &mut Found) -> Result<Self, ConfigError> {
        let key = "fetch_from_this_machine_so_that_strangers_can_send_to_its_services";
        Ok(Self { reach_this_machine: found.switch(key)? })
    }

    /// A new fetcher, with shares of its own.
    ///
    /// # Errors
    /// [`NoHttpClient`].
    pub fn fetcher(&self) -> Result<GuardedFetcher, NoHttpClient> {
        match self.reach_this_machine {
            true => GuardedFetcher::that_strangers_can_send_to_services_on_this_machine(),
            false => GuardedFetcher::new(),
        }
    }
}
