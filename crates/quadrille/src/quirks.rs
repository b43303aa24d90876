//! Where services depart from the specifications in ways that a row of data cannot say.

use crate::{
    oauth1::{Callback, Problem},
    oauth2::{ErrorCode, answer},
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

/// Whether an error code, in answer to a refresh, says that the refresh token is dead: there is
/// nothing else in the request that it could mean.
pub(crate) fn ends_refresh_token(code: &str) -> bool {
    matches!(
        code,
        "invalid_token"
            | "expired_token"
            | "token_expired"
            | "token_revoked"
            | "invalid_refresh_token"
            | "refresh_token_expired"
    )
}

/// Whether the body of an API's 401 says that a token of OAuth 1 is dead, where no `oauth_problem`
/// does. Twitter has a number for it: "Invalid or expired token".
pub(crate) fn says_token_is_dead(body: &[u8]) -> bool {
    let members = answer::members(&answer::text(body));
    let code = members.as_ref().and_then(|members| members.get("errors")?.get(0)?.get("code"));
    code.and_then(serde_json::Value::as_u64) == Some(89)
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
