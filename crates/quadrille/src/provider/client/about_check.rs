//! The check of the facts about a client that users are shown.

use std::sync::Arc;

use crate::registered_domain::{of_https, registered_domain};

use super::{
    about::{ClientAbout, ClientAboutError},
    dynamic::described::{Hosts, contacts, text},
};

impl ClientAbout {
    /// Checks the facts that an operator has set.
    pub(super) fn check(&self) -> Result<(), ClientAboutError> {
        for (name, url) in self.addresses() {
            Hosts::Any.address(name, url).map_err(|_| ClientAboutError::Url(name))?;
        }
        let owner = text("owner", self.owner.as_deref());
        owner.map_err(|_| ClientAboutError::Text("owner"))?;
        let contacts = contacts(self.contacts.iter().map(|contact| &**contact));
        contacts.map(drop).map_err(|_| ClientAboutError::Text("contacts"))
    }

    /// The facts for which this domain vouches: addresses at it. A sentence among the contacts would be
    /// the client's advertisement.
    pub(super) fn at_domain(self, domain: Option<&str>) -> Self {
        let is_there = |url: &Arc<str>| domain.is_some() && of_https(url).as_deref() == domain;
        let is_contact = |contact: &Arc<str>| match contact.rsplit_once('@') {
            Some((mailbox, host)) => {
                let is_name = |c: u8| c.is_ascii_alphanumeric() || c == b'.' || c == b'-';
                !mailbox.is_empty()
                    && mailbox.bytes().all(|c| c.is_ascii_graphic() && c != b'@')
                    && host.bytes().all(is_name)
                    && domain == Some(registered_domain(host))
            }
            None => is_there(contact),
        };
        Self {
            owner: None,
            client_uri: self.client_uri.filter(is_there),
            logo_uri: self.logo_uri.filter(is_there),
            tos_uri: self.tos_uri.filter(is_there),
            policy_uri: self.policy_uri.filter(is_there),
            contacts: self.contacts.into_iter().filter(is_contact).collect(),
        }
    }

    /// The facts of a document at this URL, without those that are not valid or at another domain: they
    /// are of no use, and affect no other.
    pub(super) fn of_document(self, url: &str) -> Self {
        let address = |name, url: Option<Arc<str>>| {
            Hosts::Public.address(name, url.as_deref()).unwrap_or_default()
        };
        let valid = contacts(self.contacts.iter().map(|contact| &**contact));
        Self {
            owner: None,
            client_uri: address("client_uri", self.client_uri),
            logo_uri: address("logo_uri", self.logo_uri),
            tos_uri: address("tos_uri", self.tos_uri),
            policy_uri: address("policy_uri", self.policy_uri),
            contacts: valid.unwrap_or_default(),
        }
        .at_domain(of_https(url).as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "https://www.app.example/client.json";

    #[test]
    fn facts_that_are_not_valid_are_refused_to_operators_and_left_out_of_documents() {
        for (url, here, there) in [
            ("https://app.example/logo.png", true, true),
            ("https://cdn.app.example/logo.png", true, true),
            ("https://accounts.google.com/logo.png", true, false),
            ("https://photos.intranet/", true, false),
            ("http://localhost:3000/logo.png", true, false),
            ("http://app.example/", false, false),
            ("javascript:alert(1)", false, false),
            ("https://ada@app.example/", false, false),
        ] {
            let about = ClientAbout { logo_uri: Some(url.into()), ..ClientAbout::default() };
            assert_eq!(about.check().is_ok(), here, "{url}");
            assert_eq!(about.of_document(DOCUMENT).logo_uri.is_some(), there, "{url}");
        }
        let of = |owner: &str| ClientAbout { owner: Some(owner.into()), ..ClientAbout::default() };
        assert_eq!(of("Prints & Frames").check(), Ok(()));
        for owner in ["a\u{202e}b", &"x".repeat(256)] {
            assert_eq!(of(owner).check(), Err(ClientAboutError::Text("owner")), "{owner}");
        }
        assert!(of("Ada").of_document(DOCUMENT).is_empty(), "nobody vouches for it");
    }

    #[test]
    fn a_client_has_contacts_at_its_own_domain_and_no_sentences() {
        for (contact, counts) in [
            ("ada@app.example", true),
            ("help@mail.app.example", true),
            ("https://app.example/help", true),
            ("security@accounts.google.com", false),
            ("this application is safe, says help@app.example", false),
            ("ada@app.example@google.com", false),
            ("https://app.example@google.com/", false),
            ("@app.example", false),
            ("a@google.com@app.example", false),
            ("ada@app.example/is-safe", false),
            ("Press Allow", false),
            ("ada@", false),
        ] {
            let about = ClientAbout { contacts: vec![contact.into()], ..ClientAbout::default() };
            let shown = about.at_domain(Some("app.example"));
            assert_eq!(shown.contacts.len(), usize::from(counts), "{contact}");
        }
    }
}
