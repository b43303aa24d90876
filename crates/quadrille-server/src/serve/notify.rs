//! The messages to a service manager (`Type=notify` of systemd).

use std::os::{
    linux::net::SocketAddrExt as _,
    unix::net::{SocketAddr, UnixDatagram},
};

/// The variable with the socket of the service manager.
const SOCKET: &str = "NOTIFY_SOCKET";

/// Says that connections are accepted.
pub(super) fn ready() {
    say("READY=1");
}

/// Says that the process stops.
pub(super) fn stopping() {
    say("STOPPING=1");
}

/// Sends one message, if a service manager waits for any.
fn say(message: &str) {
    let Some(name) = std::env::var_os(SOCKET) else { return };
    let sent = UnixDatagram::unbound().and_then(|socket| {
        let address = match name.as_encoded_bytes().strip_prefix(b"@") {
            Some(rest) => SocketAddr::from_abstract_name(rest)?,
            None => SocketAddr::from_pathname(&name)?,
        };
        socket.send_to_addr(message.as_bytes(), &address)
    });
    if let Err(error) = sent {
        tracing::warn!(%error, "the service manager cannot be told {message}");
    }
}
