//! The members by which a client describes itself to people (RFC 7591, section 2), and its keys.

use std::sync::Arc;

use url::{Host, Url};

use crate::{
    fetch::is_public,
    jose::{KeyError, KeySet},
    loopback::is_loopback,
    oauth2::ClientMetadata,
    page::is_unseen,
    provider::server::Inner,
};

use super::{error::ClientRegistrationError, record::ClientRegistration};

/// The greatest length of a URL, in bytes.
const URL: usize = 2000;
/// The greatest length of other texts, in bytes.
const TEXT: usize = 255;
/// The greatest number of contacts.
const CONTACTS: usize = 10;

/// Names that lead to this machine or into a private network, wherever they are looked up (RFC
/// 6761, RFC 6762, RFC 8375, and those in common use).
const INWARD: [&str; 9] =
    ["localhost", "local", "internal", "intranet", "lan", "home", "corp", "private", "home.arpa"];

/// Checks the members, and returns the part of the record with them.
pub(super) fn check(
    metadata: &ClientMetadata,
    hosts: Hosts,
) -> Result<ClientRegistration, ClientRegistrationError> {
    let registration = ClientRegistration {
        client_uri: hosts.address("client_uri", metadata.client_uri.as_deref())?,
        logo_uri: hosts.address("logo_uri", metadata.logo_uri.as_deref())?,
        tos_uri: hosts.address("tos_uri", metadata.tos_uri.as_deref())?,
        policy_uri: hosts.address("policy_uri", metadata.policy_uri.as_deref())?,
        software_id: text("software_id", metadata.software_id.as_deref())?,
        software_version: text("software_version", metadata.software_version.as_deref())?,
        contacts: contacts(metadata.contacts.iter().map(String::as_str))?,
        ..ClientRegistration::default()
    };
    hosts.address("jwks_uri", metadata.jwks_uri.as_deref())?;
    if metadata.jwks.is_some() && metadata.jwks_uri.is_some() {
        return Err(ClientRegistrationError::KeysTwice);
    }
    if let Some(jwks) = &metadata.jwks {
        let keys = KeySet::from_members(jwks.clone()).map_err(ClientRegistrationError::Keys)?;
        if keys.skipped().contains(&KeyError::NotPublic) {
            return Err(ClientRegistrationError::PrivateKeys);
        }
    }
    Ok(registration)
}

/// The hosts that the addresses of a client may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::provider::client) enum Hosts {
    Public,
    /// The fetcher of documents reaches this machine, too: for tests and development.
    PublicAndThisMachine,
    /// An operator has named it.
    Any,
}

impl Hosts {
    pub(in crate::provider::client) fn of(inner: &Inner) -> Self {
        let here = Url::parse("https://localhost/");
        let reaches = |url: Url| inner.remote_keys.as_ref().is_some_and(|keys| keys.reaches(&url));
        match here.is_ok_and(reaches) {
            true => Self::PublicAndThisMachine,
            false => Self::Public,
        }
    }

    /// An https URL at one of these hosts. Nobody fetches some of them before a user follows it, but a
    /// browser within a private network might.
    pub(in crate::provider::client) fn address(
        self,
        name: &'static str,
        url: Option<&str>,
    ) -> Result<Option<Arc<str>>, ClientRegistrationError> {
        let Some(text) = url else { return Ok(None) };
        let invalid = ClientRegistrationError::Url(name);
        if text.len() > URL || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(invalid);
        }
        let url = Url::parse(text).map_err(|_| invalid)?;
        let is_plain = url.username().is_empty() && url.password().is_none();
        let is_here = self == Self::Any && url.scheme() == "http" && is_loopback(&url);
        if !(url.scheme() == "https" || is_here) || !is_plain {
            return Err(invalid);
        }
        let is_outward = match url.host() {
            Some(Host::Ipv4(address)) => is_public(address.into()),
            Some(Host::Ipv6(address)) => is_public(address.into()),
            Some(Host::Domain(name)) => is_public_name(name),
            None => false,
        };
        let is_fine = match self {
            Self::Public => is_outward,
            Self::PublicAndThisMachine => is_outward || is_loopback(&url),
            Self::Any => true,
        };
        match is_fine {
            true => Ok(Some(text.into())),
            false => Err(ClientRegistrationError::Inward(name)),
        }
    }
}

/// `true` if a name may be one of the public Internet.
fn is_public_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_under = |top: &str| name.strip_suffix(top).is_some_and(|rest| rest.ends_with('.'));
    name.contains('.') && !INWARD.iter().any(|top| is_under(top))
}

pub(in crate::provider::client) fn text(
    name: &'static str,
    text: Option<&str>,
) -> Result<Option<Arc<str>>, ClientRegistrationError> {
    let is_short = |text: &str| text.len() <= TEXT && !text.contains(is_unseen);
    match text {
        Some(text) if !is_short(text) => Err(ClientRegistrationError::Text(name)),
        text => Ok(text.map(Into::into)),
    }
}

pub(in crate::provider::client) fn contacts<'a>(
    contacts: impl ExactSizeIterator<Item = &'a str>,
) -> Result<Vec<Arc<str>>, ClientRegistrationError> {
    if contacts.len() > CONTACTS {
        return Err(ClientRegistrationError::Text("contacts"));
    }
    let checked = contacts.map(|contact| text("contacts", Some(contact)));
    Ok(checked.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_point_inward_or_are_no_addresses_are_refused() {
        use ClientRegistrationError::{Inward, Url};
        for (url, result) in [
            ("https://app.example/", Ok(())),
            ("https://app.example:8443/a?b#c", Ok(())),
            ("https://1.1.1.1/", Ok(())),
            ("https://xn--bcher-kva.example/", Ok(())),
            ("https://localhost.example/", Ok(())),
            ("https://thehome/", Err(Inward("logo_uri"))),
            ("https://localhost/", Err(Inward("logo_uri"))),
            ("https://app.localhost/", Err(Inward("logo_uri"))),
            ("https://localhost./", Err(Inward("logo_uri"))),
            ("https://printer.local/", Err(Inward("logo_uri"))),
            ("https://metadata.google.internal/", Err(Inward("logo_uri"))),
            ("https://metadata.google.internal./", Err(Inward("logo_uri"))),
            ("https://router.home.arpa/", Err(Inward("logo_uri"))),
            ("https://127.0.0.1/", Err(Inward("logo_uri"))),
            ("https://127.1/", Err(Inward("logo_uri"))),
            ("https://0x7f000001/", Err(Inward("logo_uri"))),
            ("https://2130706433/", Err(Inward("logo_uri"))),
            ("https://169.254.169.254/latest/meta-data", Err(Inward("logo_uri"))),
            ("https://10.0.0.1/", Err(Inward("logo_uri"))),
            ("https://[::1]/", Err(Inward("logo_uri"))),
            ("https://[::ffff:127.0.0.1]/", Err(Inward("logo_uri"))),
            ("https://[fd00::1]/", Err(Inward("logo_uri"))),
            ("http://app.example/", Err(Url("logo_uri"))),
            ("javascript:alert(1)", Err(Url("logo_uri"))),
            ("data:image/png;base64,AAAA", Err(Url("logo_uri"))),
            ("file:///etc/passwd", Err(Url("logo_uri"))),
            ("https://user@app.example/", Err(Url("logo_uri"))),
            ("https://:x@app.example/", Err(Url("logo_uri"))),
            ("https://\u{430}pp.example/", Err(Url("logo_uri"))),
            ("https://app.example/\u{202e}", Err(Url("logo_uri"))),
            ("https://app.example/a b", Err(Url("logo_uri"))),
            ("https://", Err(Url("logo_uri"))),
            ("app.example", Err(Url("logo_uri"))),
        ] {
            let metadata =
                ClientMetadata { logo_uri: Some(url.to_owned()), ..ClientMetadata::default() };
            assert_eq!(check(&metadata, Hosts::Public).map(|_| ()), result, "{url}");
        }
        let long = format!("https://app.example/{}", "x".repeat(2000));
        assert_eq!(Hosts::Public.address("tos_uri", Some(&long)), Err(Url("tos_uri")));
        for (url, is_here) in [("https://localhost:8443/k", true), ("https://10.0.0.1/", false)] {
            let found = Hosts::PublicAndThisMachine.address("jwks_uri", Some(url));
            assert_eq!(found.is_ok(), is_here, "{url}");
        }
    }

    #[test]
    fn texts_and_keys_have_limits() {
        use ClientRegistrationError::{Keys, KeysTwice, Text};
        let refused = |change: &dyn Fn(&mut ClientMetadata)| {
            let mut metadata = ClientMetadata::default();
            change(&mut metadata);
            check(&metadata, Hosts::Public).unwrap_err()
        };
        assert_eq!(refused(&|new| new.software_id = Some("x".repeat(256))), Text("software_id"));
        assert_eq!(
            refused(&|new| new.software_version = Some("1\u{202e}".to_owned())),
            Text("software_version")
        );
        assert_eq!(refused(&|new| new.contacts = vec![String::new(); 11]), Text("contacts"));
        assert_eq!(refused(&|new| new.contacts = vec!["\u{7}".to_owned()]), Text("contacts"));
        let none = || Some(serde_json::Map::new());
        assert_eq!(refused(&|new| new.jwks = none()), Keys(crate::jose::KeySetError::Malformed));
        let both = |new: &mut ClientMetadata| {
            (new.jwks, new.jwks_uri) = (none(), Some("https://app.example/keys".to_owned()));
        };
        assert_eq!(refused(&both), KeysTwice);
    }
}
