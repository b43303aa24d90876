//! The comparison of a request's redirect URI with the registered ones (RFC 6749, section 3.1.2.3).

use crate::provider::client::record::Client;

use super::{RedirectUri, parts::split_port};

/// A rule of the application for redirect URIs that are not registered.
pub(crate) type RedirectRule = dyn Fn(&Client, &RedirectUri) -> bool + Send + Sync;

impl Client {
    /// The redirect URI of a request, if it is the client's: registered, of a registered pattern,
    /// or accepted by the rule of the application.
    pub(crate) fn redirect_uri(
        &self,
        presented: &str,
        rule: Option<&RedirectRule>,
    ) -> Option<RedirectUri> {
        if let Some(known) = RedirectUri::named(presented, &self.redirect_uris) {
            return Some(known);
        }
        let has_pattern = self.redirect_patterns.iter().any(|pattern| pattern.matches(presented));
        if !has_pattern && rule.is_none() {
            return None;
        }
        let uri = RedirectUri::parse(presented).ok()?;
        (has_pattern || rule.is_some_and(|rule| rule(self, &uri))).then_some(uri)
    }
}

impl RedirectUri {
    /// The redirect URI of a request, if it is registered: equal to one of `registered`, character
    /// by character, except the port of a URI to this machine. A native application learns its port
    /// only when it starts to listen (RFC 8252, section 7.3), under `localhost` or an address.
    pub(crate) fn named(presented: &str, registered: &[Self]) -> Option<Self> {
        if let Some(known) = registered.iter().find(|known| *known.0 == *presented) {
            return Some(known.clone());
        }
        let (host, _, rest) = split_port(presented)?;
        let is_known = registered.iter().filter_map(|known| split_port(&known.0));
        let is_known = is_known.into_iter().any(|(a, _, b)| (a, b) == (host, rest));
        is_known.then(|| Self::parse(presented).ok()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use url::Url;

    fn registered<const N: usize>(uris: [&str; N]) -> [RedirectUri; N] {
        uris.map(|uri| uri.parse().unwrap())
    }

    #[test]
    fn the_port_of_this_machine_is_free_and_nothing_else_is() {
        let known = registered([
            "http://127.0.0.1/cb",
            "http://[::1]:80/cb",
            "http://localhost/cb",
            "https://app.example/cb",
        ]);
        for uri in [
            "http://127.0.0.1/cb",
            "http://127.0.0.1:5555/cb",
            "http://127.0.0.1:80/cb",
            "http://[::1]/cb",
            "http://[::1]:65535/cb",
            "http://localhost/cb",
            "http://localhost:1/cb",
            "https://app.example/cb",
        ] {
            assert_eq!(RedirectUri::named(uri, &known).unwrap(), uri);
        }
        for uri in [
            "http://127.0.0.1:5555/cb/",
            "http://127.0.0.1:5555/cb?x",
            "http://127.0.0.1:5555@evil.example/cb",
            "http://127.0.0.1:/cb",
            "http://127.0.0.1:99999/cb",
            "http://127.0.0.1:+1/cb",
            "http://127.0.0.1:000001/cb",
            "http://127.0.0.1:0/cb",
            "http://127.0.0.1:080/cb",
            "http://[::1]:00080/cb",
            "http://localhost:0/cb",
            "http://127.0.0.1.evil.example/cb",
            "http://127.0.0.2/cb",
            "http://localhost:1:2/cb",
            "http://localhost.evil.example:1/cb",
            "http://localhost.:1/cb",
            "http://LOCALHOST:1/cb",
            "http://app.localhost:1/cb",
            "https://localhost:1/cb",
            "https://127.0.0.1/cb",
            "HTTP://127.0.0.1/cb",
            "http://[::1]:1.evil.example/cb",
            "http://[::1]:1]/cb",
            "https://app.example:8443/cb",
        ] {
            assert_eq!(RedirectUri::named(uri, &known), None, "{uri}");
        }
        let native = registered(["http://127.0.0.1/cb"]);
        assert_eq!(RedirectUri::named("http://localhost:1/cb", &native), None);
    }

    proptest! {
        #[test]
        fn whatever_matches_leads_to_the_registered_host(
            uri in "http://(127\\.0\\.0\\.1|[a-z.@:/]{0,9})[:@/a-z0-9.?]{0,12}",
        ) {
            if RedirectUri::named(&uri, &registered(["http://127.0.0.1/cb"])).is_some() {
                let url = Url::parse(&uri).unwrap();
                prop_assert_eq!(url.host_str(), Some("127.0.0.1"));
                prop_assert_eq!(url.path(), "/cb");
                prop_assert_eq!(url.username(), "");
            }
        }
    }
}
