//! Ports on loopback for servers that the tests start.

use std::{
    hash::{BuildHasher as _, RandomState},
    net::TcpListener,
    sync::{
        LazyLock,
        atomic::{AtomicU16, Ordering},
    },
};

/// The system takes no port of its own choice from here, on Linux, macOS or Windows: a connection
/// of another test could otherwise have the port before the server does, and an attempt to connect
/// could find itself.
const FIRST: u16 = 12_000;
const COUNT: u16 = 20_000;

/// A port on which nothing listens. No two calls in one process return the same port, so that a
/// server may take its time to begin.
pub(crate) fn free_port() -> u16 {
    static NEXT: LazyLock<AtomicU16> = LazyLock::new(|| {
        let random = RandomState::new().hash_one("port").to_ne_bytes();
        AtomicU16::new(u16::from_ne_bytes([random[0], random[1]]))
    });
    let ports = std::iter::repeat_with(|| FIRST + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT);
    ports
        .take(usize::from(COUNT))
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("no port of loopback is free")
}
