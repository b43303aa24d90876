//! The registered domain of a host, by the public suffix list: the party behind it has any number of names
//! below it.

use url::{Host, Url};

/// The registered domain of a name; the name itself if it is a public suffix, or no suffix of it is known.
pub(crate) fn registered_domain(name: &str) -> &str {
    let name = name.trim_end_matches('.');
    psl::domain_str(name).unwrap_or(name)
}

/// The registered domain of an `https` URL, or its whole address.
pub(crate) fn of_https(url: &str) -> Option<String> {
    let url = Url::parse(url).ok().filter(|url| url.scheme() == "https")?;
    Some(match url.host()? {
        Host::Domain(name) => registered_domain(name).to_owned(),
        address => address.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_below_a_domain_are_one_party_and_tenants_of_a_host_are_not() {
        for (url, domain) in [
            ("https://a.b.shop.example/x", Some("shop.example")),
            ("https://shop.example.:8443/", Some("shop.example")),
            ("https://a.shop.co.uk/", Some("shop.co.uk")),
            ("https://ada.github.io/", Some("ada.github.io")),
            ("https://github.io/", Some("github.io")),
            ("https://localhost/", Some("localhost")),
            ("https://203.0.113.5/", Some("203.0.113.5")),
            ("https://[2001:db8::1]/", Some("[2001:db8::1]")),
            ("http://shop.example/", None),
            ("com.example.app:/cb", None),
            ("shop.example", None),
        ] {
            assert_eq!(of_https(url).as_deref(), domain, "{url}");
        }
    }
}
