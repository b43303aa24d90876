//! The names of environment variables.

/// The environment variable of a service's setting.
pub(super) fn variable(service: &str, key: &str) -> String {
    format!("{}_OAUTH_{key}", service.to_ascii_uppercase().replace('-', "_"))
}
