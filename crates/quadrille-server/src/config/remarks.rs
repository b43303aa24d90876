//! Settings without effect, and those that are for development.

use super::{RegistrationMode, Settings, openid::UNSIGNED};

impl Settings {
    /// Sentences about settings that were given and have no effect, or an unsafe one, for the operator.
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        for (keys, is_on, switch) in self.switched() {
            for key in keys.iter().filter(|key| !is_on && !self.is_default(key)) {
                remarks.push(format!("{key} has no effect without {switch}"));
            }
        }
        if !self.openid.enabled && self.scopes.contains_key("openid") {
            remarks.push("the scope openid has no effect without openid".to_owned());
        }
        let is_public = self.issuer.as_ref().is_some_and(|issuer| !issuer.is_of_this_machine());
        if is_public && self.fetches.reach_this_machine {
            remarks.push(
                "fetch_from_this_machine_so_that_strangers_can_send_to_its_services is for tests and \
                 development: this issuer is for other people"
                    .to_owned(),
            );
        }
        let leaks = "send_access_tokens_in_redirects_so_that_they_can_leak";
        let tokens = self.openid.response_types.iter().filter(|it| it.has_token());
        for tokens in tokens.filter(|_| {
            self.openid.enabled && !self.send_access_tokens_in_redirects_so_that_they_can_leak
        }) {
            let name = tokens.as_str();
            remarks.push(format!("{name} in openid_response_types has no effect without {leaks}"));
        }
        remarks
    }

    /// Settings that need another one, whether that is on, and its name.
    fn switched(&self) -> [(&'static [&'static str], bool, &'static str); 11] {
        [
            (
                &[
                    "openid_response_types",
                    "openid_request_objects",
                    "openid_encrypted_responses",
                    "openid_offline_access",
                    "openid_webfinger",
                    "openid_session_management",
                    "openid_pairwise_secret",
                    "openid_acr_values",
                    "claims",
                    "claims_that_users_edit",
                ],
                self.openid.enabled,
                "openid",
            ),
            (
                &[UNSIGNED, "openid_request_object_keys"],
                self.openid.request_objects,
                "openid_request_objects",
            ),
            (
                &["client_metadata_document_scopes"],
                self.client_metadata_documents,
                "client_metadata_documents",
            ),
            (
                &["registration_reserved_names"],
                self.registration.mode != RegistrationMode::Off || self.client_metadata_documents,
                "registration",
            ),
            (
                &[
                    "registration_scopes",
                    "registration_grant_types",
                    "registration_secret_lifetime",
                    "registration_unused_lifetime",
                    "registration_most_unused",
                    "registration_requires_software_statement",
                ],
                self.registration.mode != RegistrationMode::Off,
                "registration",
            ),
            (
                &["personal_access_token_max_lifetime"],
                self.personal_tokens.scopes.is_some(),
                "personal_access_token_scopes",
            ),
            (
                &["device.page", "device.code_lifetime", "device.interval"],
                self.device.enabled,
                "device.enabled",
            ),
            (
                &[
                    "oauth1.signature_methods",
                    "oauth1.timestamp_window",
                    "oauth1.temporary_lifetime",
                    "oauth1.token_lifetime",
                    "oauth1.several_processes",
                ],
                self.oauth1.enabled,
                "oauth1.enabled",
            ),
            (&["proxy_header"], !self.trusted_proxies.is_empty(), "trusted_proxies"),
            (&["traces_ratio"], !self.is_default("traces_endpoint"), "traces_endpoint"),
            (
                &["signing_keys_rotate_every"],
                self.signs(),
                "openid, access_token_format or jwt_resources",
            ),
        ]
    }
}
