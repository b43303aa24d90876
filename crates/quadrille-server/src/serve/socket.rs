//! The sockets that listen.

use std::{io, net::SocketAddr};

use tokio::net::TcpSocket;

/// The number of connections that the system queues before they are accepted, as in tokio's own
/// listener.
pub(super) const BACKLOG: u32 = 1024;

/// Binds the address without accepting connections. A script that waits for the port may run its
/// first command once it can connect. By then, everything that commands look up is recorded.
pub(super) fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // On Unix, the option frees the address of ended connections, never of a listener. On Windows,
    // it would take the address from any program.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}
