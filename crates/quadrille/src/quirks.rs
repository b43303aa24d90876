//! Where services depart from the specifications in ways that a row of data cannot say.

use crate::oauth2::ErrorCode;

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
