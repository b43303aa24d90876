//! The address of a request's sender.

use std::net::IpAddr;

/// The network address of a request's sender, without the port, in the extensions of the request.
/// Set it if the server knows better than the connection, for example behind a trusted proxy.
/// Otherwise it is that of axum's connection, if the application is served by
/// `into_make_service_with_connect_info::<SocketAddr>()`. Without it limits by address do not hold.
///
/// ```
/// use quadrille::RemoteAddress;
///
/// let mut request = http::Request::new(());
/// request.extensions_mut().insert(RemoteAddress([192, 0, 2, 7].into()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoteAddress(pub IpAddr);

impl RemoteAddress {
    /// The address of the sender of a request with these extensions: that which a layer has set,
    /// otherwise that of axum's connection. `None` if neither is there.
    ///
    /// ```
    /// use quadrille::RemoteAddress;
    ///
    /// let mut request = http::Request::new(());
    /// assert!(RemoteAddress::of(request.extensions()).is_none());
    /// let address = RemoteAddress([192, 0, 2, 7].into());
    /// request.extensions_mut().insert(address);
    /// assert_eq!(RemoteAddress::of(request.extensions()), Some(address));
    /// ```
    pub fn of(extensions: &http::Extensions) -> Option<Self> {
        let set = extensions.get().copied();
        #[cfg(feature = "axum")]
        let set = set.or_else(|| {
            use axum::extract::ConnectInfo;

            let connection = extensions.get::<ConnectInfo<std::net::SocketAddr>>()?;
            Some(Self(connection.0.ip()))
        });
        set
    }

    /// The network that belongs to one party: an IPv4 address, or the first 64 bits of an IPv6 one.
    pub fn network(self) -> u128 {
        match self.0.to_canonical() {
            IpAddr::V4(address) => u128::from(u32::from(address)),
            IpAddr::V6(address) => u128::from(address) >> 64 << 64 | 1 << 63,
        }
    }

    /// The widest network that one party may have for the asking: an IPv4 address, or the first 48
    /// bits of an IPv6 one (RFC 6177), which are 65,536 networks. Many parties may share it, too.
    pub fn wide_network(self) -> u128 {
        match self.0.to_canonical() {
            IpAddr::V4(address) => u128::from(u32::from(address)),
            IpAddr::V6(address) => u128::from(address) >> 80 << 80 | 1 << 62,
        }
    }
}
