//! What a data folder remembers of an earlier start.

use super::{Settings, error::Origin};
use crate::issuer::Issuer;

impl Settings {
    /// The settings as `serve` takes them in a folder that remembers this issuer.
    pub fn remembering(&self, issuer: &Issuer) -> Self {
        let mut settings = self.for_issuer(Some(issuer)).into_owned();
        for setting in &mut settings.effective {
            match setting.key {
                "issuer" => {
                    setting.value = issuer.to_string();
                    setting.origin = Origin::Data(self.data_dir.clone());
                }
                "openid" => setting.value = settings.openid.enabled.to_string(),
                _ => {}
            }
        }
        settings
    }
}
