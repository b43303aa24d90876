//! The check of the facts about a client that users are shown.

use std::sync::Arc;

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

    /// The facts of a document, without those that are not valid: they are of no use, and affect no other.
    pub(super) fn of_document(self) -> Self {
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
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_that_are_not_valid_are_refused_to_operators_and_left_out_of_documents() {
        for (url, here, there) in [
            ("https://app.example/logo.png", true, true),
            ("https://photos.intranet/", true, false),
            ("http://localhost:3000/logo.png", true, false),
            ("http://app.example/", false, false),
            ("javascript:alert(1)", false, false),
            ("https://ada@app.example/", false, false),
        ] {
            let about = ClientAbout { logo_uri: Some(url.into()), ..ClientAbout::default() };
            assert_eq!(about.check().is_ok(), here, "{url}");
            assert_eq!(about.of_document().logo_uri.is_some(), there, "{url}");
        }
        let of = |owner: &str| ClientAbout { owner: Some(owner.into()), ..ClientAbout::default() };
        assert_eq!(of("Prints & Frames").check(), Ok(()));
        for owner in ["a\u{202e}b", &"x".repeat(256)] {
            assert_eq!(of(owner).check(), Err(ClientAboutError::Text("owner")), "{owner}");
        }
        assert!(of("Ada").of_document().is_empty(), "nobody vouches for it");
    }
}
