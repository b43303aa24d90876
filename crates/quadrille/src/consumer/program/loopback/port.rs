//! The port of a loopback login (RFC 8252, sections 7.3 and 8.3).

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use tokio::net::TcpListener;

use crate::consumer::error::OperatorError;

const IPV4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const IPV6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);
/// The number of attempts to find a port that is free for both addresses.
const ATTEMPTS: usize = 16;

/// The host of a redirect URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// `127.0.0.1`, or `[::1]` on a machine without IPv4.
    Address,
    /// `[::1]`
    Ipv6,
    /// `localhost`, which may lead to both addresses.
    Localhost,
}

impl Host {
    /// The listeners on this port (0 for a free one), and the authority of the redirect URI.
    pub(super) async fn listen(
        self,
        port: u16,
    ) -> Result<(Vec<TcpListener>, String), OperatorError> {
        let listeners = match self {
            Self::Address => match bind(IPV4, port).await {
                Ok(listener) => vec![listener],
                Err((_, error)) if is_missing(&error) => vec![one(IPV6, port).await?],
                Err((address, error)) => return Err(refused(address, &error)),
            },
            Self::Ipv6 => vec![one(IPV6, port).await?],
            Self::Localhost => both(port).await?,
        };
        let address = listeners.first().map(TcpListener::local_addr);
        let Some(Ok(address)) = address else {
            return Err(OperatorError::Io(io::ErrorKind::Other));
        };
        let authority = match self {
            Self::Localhost => format!("localhost:{}", address.port()),
            Self::Address | Self::Ipv6 => address.to_string(),
        };
        Ok((listeners, authority))
    }
}

/// Listeners on both addresses: a browser may connect to either, where another program could listen.
async fn both(port: u16) -> Result<Vec<TcpListener>, OperatorError> {
    for attempt in 1..=ATTEMPTS {
        let first = match bind(IPV4, port).await {
            Ok(first) => first,
            Err((_, error)) if is_missing(&error) => return Ok(vec![one(IPV6, port).await?]),
            Err((address, error)) => return Err(refused(address, &error)),
        };
        let same = first.local_addr().map_err(|error| OperatorError::Io(error.kind()))?.port();
        match bind(IPV6, same).await {
            Ok(second) => return Ok(vec![first, second]),
            Err((_, error)) if is_missing(&error) => return Ok(vec![first]),
            Err((_, error))
                if port == 0 && error.kind() == io::ErrorKind::AddrInUse && attempt < ATTEMPTS => {}
            Err((address, error)) => return Err(refused(address, &error)),
        }
    }
    Err(OperatorError::Io(io::ErrorKind::AddrInUse))
}

async fn one(address: IpAddr, port: u16) -> Result<TcpListener, OperatorError> {
    bind(address, port).await.map_err(|(address, error)| refused(address, &error))
}

async fn bind(address: IpAddr, port: u16) -> Result<TcpListener, (SocketAddr, io::Error)> {
    let address = SocketAddr::new(address, port);
    TcpListener::bind(address).await.map_err(|error| (address, error))
}

/// Whether the machine lacks this version of IP.
fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported)
}

fn refused(address: SocketAddr, error: &io::Error) -> OperatorError {
    OperatorError::LoopbackListen { address, error: error.kind() }
}
