//! The request log.

use std::net::IpAddr;

use axum::http::{Method, Request, StatusCode, Uri};
use quadrille::{Env, Timestamp, guard::mask_secrets};
use tracing::Level;

/// A request under way. Queries are left out: they hold codes and states. A client may send a token
/// as the path or as the method, by mistake: such texts are masked.
pub(super) struct Entry(Option<Line>);

struct Line {
    started: Timestamp,
    method: Method,
    uri: Uri,
    address: IpAddr,
}

impl Entry {
    pub(super) fn new<B>(env: &Env, request: &Request<B>, address: IpAddr) -> Self {
        // An entry that no log level shows is not built.
        if !tracing::enabled!(target: "quadrille::request", Level::ERROR) {
            return Self(None);
        }
        Self(Some(Line {
            started: env.now(),
            method: request.method().clone(),
            uri: request.uri().clone(),
            address,
        }))
    }

    /// Logs the answer. Success is logged at `debug`, since a busy provider would log nothing else.
    /// 503 is not an error here: its reason is logged where it is found, and in a flood any
    /// stranger causes it.
    pub(super) fn write(self, env: &Env, status: StatusCode) {
        let Some(line) = self.0 else { return };
        let Line { started, method, uri, address } = line;
        let (path, method) = (masked(uri.path()), mask_secrets(method.as_str()));
        let (millis, status) = (env.now().since(started).as_millis(), status.as_u16());
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(target: "quadrille::request", %method, path = &*path, status, %address, millis)
            };
        }
        match status {
            400..500 | 503 => line!(info),
            500.. => line!(error),
            _ => line!(debug),
        }
    }
}

/// The path for the log. Segment by segment, so that a long path alone is no secret.
fn masked(path: &str) -> String {
    path.split('/').map(mask_secrets).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_in_a_path_is_masked_and_a_path_is_not() {
        for (path, shown) in [
            ("/", "/"),
            ("/oauth/token", "/oauth/token"),
            ("/.well-known/oauth-authorization-server/v2/tenant-17", ""),
            ("/oauth2/v1/device_authorization/", ""),
            ("/api/2YotnFZFEjr1zCsicMWpAA/me", "/api/2Yot... (22 characters)/me"),
            ("/api/me%3Ftoken=2YotnFZFEjr1zCsicMWpAA", "/api/me%3Fto... (30 characters)"),
        ] {
            assert_eq!(masked(path), if shown.is_empty() { path } else { shown });
        }
    }
}
