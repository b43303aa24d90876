//! Where services depart from the specifications in ways that a row of data cannot say.

use crate::{
    oauth1::{Callback, Problem},
    oauth2::ErrorCode,
};

/// What a service's own error code means. GitHub has names of its own for two of them.
pub(crate) fn standard_error(code: &ErrorCode) -> ErrorCode {
    match code.as_str() {
        "bad_verification_code" | "bad_refresh_token" | "incorrect_device_code" => {
            ErrorCode::InvalidGrant
        }
        "incorrect_client_credentials" => ErrorCode::InvalidClient,
        _ => code.clone(),
    }
}

/// What a callback of OAuth 1 means. JIRA has a verifier that says no.
pub(crate) fn standard_callback(callback: Callback) -> Callback {
    match callback {
        Callback::Approved { token, verifier } if verifier.expose() == "denied" => {
            Callback::Refused { token: Some(token), problem: Problem::PermissionDenied }
        }
        other => other,
    }
}
