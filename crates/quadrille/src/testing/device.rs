//! The device logins at a fake service of OAuth 2 (RFC 8628).

use std::collections::HashMap;

use crate::{
    consumer::presets::manners::Manners,
    oauth2::{DeviceAuthorizationRequest, DeviceAuthorizationResponse, ErrorCode},
};

use super::scene::Scene;

/// The path of the page at which users type their codes in, of a service that is a server.
pub(super) const PATH: &str = "/device";

/// The host of a service that is no server. Tests call `FakeService::approve_device`.
const NOWHERE: &str = "https://service.example";

/// The device logins, by their device codes.
#[derive(Debug, Default)]
pub(super) struct Devices(HashMap<String, Device>);

#[derive(Debug)]
struct Device {
    user_code: String,
    scope: String,
    decision: Decision,
}

/// The decision about a device login.
#[derive(Clone, Copy, Debug)]
pub(super) enum Decision {
    Pending,
    Approved(u64),
    Denied,
    Expired,
}

impl Devices {
    /// Begins a login; `number` is unique.
    pub(super) fn begin(
        &mut self,
        asked: &DeviceAuthorizationRequest,
        scene: &Scene,
        number: u64,
    ) -> DeviceAuthorizationResponse {
        let manners = scene.manners();
        let device_code = format!("device-canary-{number}");
        let user_code = format!("WDJB-{number:04}");
        let scope = asked.scope.as_ref().map_or("", |scopes| scopes.as_str()).to_owned();
        let device = Device { user_code: user_code.clone(), scope, decision: Decision::Pending };
        self.0.insert(device_code.clone(), device);
        let page = [scene.base.as_deref().unwrap_or(NOWHERE), PATH].concat();
        let complete = format!("{page}?user_code={user_code}");
        let lifetime = manners.device_lifetime;
        let mut codes = DeviceAuthorizationResponse::new(device_code, user_code, page, lifetime);
        codes.verification_uri_complete = Some(complete);
        codes.interval = Some(manners.device_interval);
        codes
    }

    /// The scopes of the login with this code that no user has decided about.
    #[cfg(feature = "axum")]
    pub(super) fn pending(&self, user_code: &str) -> Option<Vec<String>> {
        let device = self.0.values().find(|device| device.user_code == user_code)?;
        let scopes = device.scope.split_ascii_whitespace().map(str::to_owned).collect();
        matches!(device.decision, Decision::Pending).then_some(scopes)
    }

    /// The user and the scopes of a login that is approved, which ends with this.
    pub(super) fn redeem(
        &mut self,
        device_code: &str,
        manners: &Manners,
    ) -> Result<(u64, String), ErrorCode> {
        let device = self.0.get(device_code).ok_or(manners.dead_code)?;
        match device.decision {
            Decision::Pending => Err(ErrorCode::AuthorizationPending),
            Decision::Denied => Err(ErrorCode::AccessDenied),
            Decision::Expired => Err(ErrorCode::ExpiredToken),
            Decision::Approved(user) => {
                let scope = self.0.remove(device_code).map(|device| device.scope);
                Ok((user, scope.unwrap_or_default()))
            }
        }
    }

    /// Decides about the login with this code; `false` if there is none.
    pub(super) fn decide(&mut self, user_code: &str, decision: Decision) -> bool {
        let device = self.0.values_mut().find(|device| device.user_code == user_code);
        device.map(|device| device.decision = decision).is_some()
    }

    /// Lets all logins expire.
    pub(super) fn expire(&mut self) {
        for device in self.0.values_mut() {
            device.decision = Decision::Expired;
        }
    }
}
