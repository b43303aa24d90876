//! The settings of requests to URLs that clients name.

use std::sync::Arc;

use quadrille::{provider::GuardedFetcher, transport::NoHttpClient};

use crate::named_file;

use super::{error::ConfigError, found::Found, value};

const AUTHORITIES: &str = "certificate_authorities";

/// The beginning of a certificate in PEM (RFC 7468, section 5).
const PEM: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// The settings of requests to URLs that clients name.
#[derive(Clone, Debug, Default)]
pub struct FetchSettings {
    /// `true` if they may be sent to this machine, without TLS.
    pub reach_this_machine: bool,
    /// Certificate authorities beside those of the machine, in PEM.
    authorities: Option<Arc<[u8]>>,
}

impl FetchSettings {
    /// Builds the settings from the found values.
    pub(super) fn of(found: &mut Found) -> Result<Self, ConfigError> {
        let key = "fetch_from_this_machine_so_that_strangers_can_send_to_its_services";
        let absent = "those of the machine";
        let path = found.optional(AUTHORITIES, value::path, value::show_path, absent)?;
        let read = |path: std::path::PathBuf| {
            let read = named_file::bytes(&path).and_then(|pem| {
                let has_some = pem.windows(PEM.len()).any(|part| part == PEM);
                let nothing = || std::io::Error::other("there is no certificate in it");
                has_some.then(|| pem.as_slice().into()).ok_or_else(nothing)
            });
            read.map_err(|error| ConfigError::Authorities { path, error })
        };
        Ok(Self {
            reach_this_machine: found.switch(key)?,
            authorities: path.map(read).transpose()?,
        })
    }

    /// The certificate authorities beside those of the machine, in PEM.
    pub fn authorities(&self) -> Option<&[u8]> {
        self.authorities.as_deref()
    }

    /// A new fetcher, with shares of its own.
    ///
    /// # Errors
    /// [`NoHttpClient`].
    pub fn fetcher(&self) -> Result<GuardedFetcher, NoHttpClient> {
        let fetcher = match self.reach_this_machine {
            true => GuardedFetcher::that_strangers_can_send_to_services_on_this_machine(),
            false => GuardedFetcher::new(),
        };
        match &self.authorities {
            Some(pem) => fetcher?.further_authorities(pem),
            None => fetcher,
        }
    }
}
