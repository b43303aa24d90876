//! The kind of an application that registers itself: a pure decision about its redirect URIs (OpenID
//! Connect Dynamic Client Registration, section 2).

use url::Url;

use crate::{
    loopback::is_loopback,
    provider::{client::redirect_uri::RedirectUri, openid::client::ApplicationType},
};

use super::described::Hosts;

/// `true` if the redirect URIs are those of such an application. A website with tokens in redirects
/// has https URLs elsewhere than on the user's machine, and a native application URLs of a scheme of
/// its own or http ones on that machine.
pub(super) fn fits(
    application_type: ApplicationType,
    redirect_uris: &[RedirectUri],
    is_implicit: bool,
    hosts: Hosts,
) -> bool {
    let is_here = |uri: &RedirectUri| Url::parse(uri.as_str()).is_ok_and(|url| is_loopback(&url));
    redirect_uris.iter().all(|uri| match application_type {
        ApplicationType::Web if is_implicit => {
            uri.is_https() && (hosts == Hosts::PublicAndThisMachine || !is_here(uri))
        }
        ApplicationType::Web => true,
        ApplicationType::Native => !uri.is_web() || (!uri.is_https() && is_here(uri)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirect_uris_are_those_of_the_kind_of_application() {
        use ApplicationType::{Native, Web};
        for (kind, is_implicit, uri, expected) in [
            (Web, true, "https://app.example/cb", true),
            (Web, true, "http://localhost/cb", false),
            (Web, true, "https://localhost/cb", false),
            (Web, true, "com.example.app:/cb", false),
            (Web, false, "http://localhost/cb", true),
            (Web, false, "com.example.app:/cb", true),
            (Native, false, "com.example.app:/cb", true),
            (Native, false, "http://127.0.0.1/cb", true),
            (Native, false, "http://[::1]/cb", true),
            (Native, true, "http://localhost:9/cb", true),
            (Native, false, "https://localhost/cb", false),
            (Native, false, "https://app.example/cb", false),
        ] {
            let uris = [RedirectUri::parse(uri).unwrap()];
            assert_eq!(fits(kind, &uris, is_implicit, Hosts::Public), expected, "{kind:?} {uri}");
        }
        let here = [RedirectUri::parse("https://localhost/cb").unwrap()];
        assert!(fits(Web, &here, true, Hosts::PublicAndThisMachine));
    }
}
