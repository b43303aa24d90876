//! The client of requests to hosts that users and other parties choose.

use std::sync::Arc;

use http::{Request, Response};
use url::Url;

use crate::{
    consumer::error::OperatorError,
    fetch::{is_public, leads_outward},
    transport::{self, Body, ErasedClient, HttpClient, NetworkError, Purpose},
};

/// A client that is confined to the public Internet: neither an address nor a name leads inside.
struct Confined(Arc<dyn ErasedClient>);

/// A client that is confined to the public Internet.
pub(super) fn confined() -> Result<Arc<dyn ErasedClient>, OperatorError> {
    Ok(Arc::new(Confined(transport::guarded(is_public)?)))
}

impl HttpClient for Confined {
    async fn send(
        &self,
        request: Request<Body>,
        purpose: Purpose,
    ) -> Result<Response<Body>, NetworkError> {
        // An address in place of a name is connected to without a look-up.
        if !is_outside(&request.uri().to_string()) {
            return Err(NetworkError::AddressRefused);
        }
        self.0.send(request, purpose).await.map_err(|error| error.reason)
    }
}

/// Whether a URL is https, and its host a name or a public address.
fn is_outside(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| url.scheme() == "https" && leads_outward(&url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_address_of_this_machine_or_its_network_is_outside() {
        for url in ["https://id.example/", "https://id.example:8443/a?b", "https://9.9.9.9/"] {
            assert!(is_outside(url), "{url}");
        }
        for url in [
            "http://id.example/",
            "https://127.0.0.1/",
            "https://0x7f.1/",
            "https://2130706433/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://169.254.169.254/latest/",
            "https://192.168.1.1/",
            "ftp://id.example/",
            "",
        ] {
            assert!(!is_outside(url), "{url}");
        }
    }
}
