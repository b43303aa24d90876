//! A proxy that ends TLS and passes bytes on, in the place of Caddy, nginx or a load balancer. For
//! Caddy, two lines do the same: `app.example` and `reverse_proxy 127.0.0.1:3000`.

use std::{error::Error, io, net::SocketAddr, sync::Arc};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    },
};

/// A certificate for `localhost`. Its key is public, so it is for this example only.
const CERTIFICATE: &[u8] = include_bytes!("localhost.pem");
const KEY: &[u8] = include_bytes!("localhost.key.pem");

pub(crate) fn tls() -> Result<TlsAcceptor, Box<dyn Error>> {
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE)?;
    let key = PrivateKeyDer::from_pem_slice(KEY)?;
    let config = ServerConfig::builder().with_no_client_auth();
    Ok(TlsAcceptor::from(Arc::new(config.with_single_cert(vec![certificate], key)?)))
}

/// Passes each connection on to the application.
pub(crate) async fn run(
    public: TcpListener,
    application: SocketAddr,
    tls: TlsAcceptor,
) -> io::Result<()> {
    loop {
        let (browser, _) = public.accept().await?;
        let tls = tls.clone();
        tokio::spawn(async move {
            let mut browser = tls.accept(browser).await?;
            let mut application = TcpStream::connect(application).await?;
            copy_bidirectional(&mut browser, &mut application).await
        });
    }
}
