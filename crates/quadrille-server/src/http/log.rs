//! The request log.

use std::net::IpAddr;

use axum::http::{Method, Request, StatusCode, Uri};
use quadrille::{Env, Timestamp};
use tracing::Level;

/// A request under way. Queries are left out: they hold codes and states.
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
        let path = uri.path();
        let (millis, status) = (env.now().since(started).as_millis(), status.as_u16());
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(target: "quadrille::request", %method, path, status, %address, millis)
            };
        }
        match status {
            400..500 | 503 => line!(info),
            500.. => line!(error),
            _ => line!(debug),
        }
    }
}
