//! The clients, and the model's facts about them.

use quadrille::{
    Scopes,
    oauth2::Resources,
    provider::{GrantType, NewClient, oauth1::NewKey},
};

use super::process::API;

/// The scopes of the server, and one that it does not have.
pub(crate) const SCOPES: [&str; 4] = ["read", "write", "admin", "unknown"];

/// The registration of a client.
#[derive(Debug)]
pub(crate) struct Registration {
    pub(crate) id: &'static str,
    pub(crate) is_confidential: bool,
    pub(crate) redirect_uris: &'static [&'static str],
    /// The number of its [`SCOPES`], from the first.
    pub(crate) scopes: usize,
    pub(crate) is_first_party: bool,
    pub(crate) is_api: bool,
    /// Whether the client may get tokens in redirects (RFC 6749, section 4.2).
    pub(crate) has_implicit: bool,
    /// The shared secret of OAuth 1.0a.
    pub(crate) oauth1: Option<&'static str>,
}

pub(crate) const CLIENTS: [Registration; 6] = [
    Registration {
        id: "web",
        is_confidential: true,
        redirect_uris: &["https://web.example/cb", "https://web.example/other?x=1"],
        scopes: 2,
        is_first_party: false,
        is_api: false,
        has_implicit: true,
        oauth1: Some("the secret of web"),
    },
    Registration {
        id: "printer",
        is_confidential: true,
        redirect_uris: &["https://printer.example/cb"],
        scopes: 1,
        is_first_party: false,
        is_api: false,
        has_implicit: false,
        oauth1: Some("the secret of printer"),
    },
    Registration {
        id: "native",
        is_confidential: false,
        redirect_uris: &["http://127.0.0.1/cb", "com.example.native:/cb"],
        scopes: 2,
        is_first_party: false,
        is_api: false,
        has_implicit: true,
        oauth1: None,
    },
    Registration {
        id: "house",
        is_confidential: true,
        redirect_uris: &["https://house.example/cb"],
        scopes: 3,
        is_first_party: true,
        is_api: false,
        has_implicit: true,
        oauth1: None,
    },
    Registration {
        id: "machine",
        is_confidential: true,
        redirect_uris: &[],
        scopes: 2,
        is_first_party: false,
        is_api: false,
        has_implicit: false,
        oauth1: None,
    },
    Registration {
        id: "api",
        is_confidential: true,
        redirect_uris: &[],
        scopes: 0,
        is_first_party: false,
        is_api: true,
        has_implicit: false,
        oauth1: None,
    },
];

/// The redirect URIs in requests: every registered one, and similar ones.
pub(crate) const URIS: [&str; 24] = [
    "https://web.example/cb",
    "https://web.example/other?x=1",
    "https://printer.example/cb",
    "http://127.0.0.1/cb",
    "com.example.native:/cb",
    "https://house.example/cb",
    "http://127.0.0.1:8080/cb",
    "http://127.0.0.1:65535/cb",
    "http://127.0.0.1:65536/cb",
    "http://127.0.0.1:/cb",
    "http://127.0.0.1:8080@evil.example/cb",
    "http://127.0.0.1.evil.example/cb",
    "http://127.0.0.1:8080/cb/evil",
    "http://localhost/cb",
    "https://web.example/cb/",
    "https://web.example/cb/evil",
    "https://web.example/cb?x=1",
    "https://web.example/cb#x",
    "https://web.example.evil.example/cb",
    "https://web.example@evil.example/cb",
    "https://WEB.example/cb",
    "http://web.example/cb",
    "com.example.native://evil.example/cb",
    "javascript:alert(1)",
];

/// Whether a client may be answered at a URI (RFC 6749, section 3.1.2; RFC 8252, section 7.3): one
/// of its redirect URIs, character by character, with any port for a loopback address.
pub(crate) fn may_redirect(client: &Registration, uri: &str) -> bool {
    let is_loopback = |known: &str| {
        let Some(path) = known.strip_prefix("http://127.0.0.1") else { return false };
        let Some(rest) = uri.strip_prefix("http://127.0.0.1:") else { return false };
        let Some(port) = rest.strip_suffix(path) else { return false };
        !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok()
    };
    client.redirect_uris.iter().any(|known| *known == uri || is_loopback(known))
}

impl Registration {
    /// The scopes that the client may request.
    pub(crate) fn scopes(&self) -> Scopes {
        Scopes::of(SCOPES.into_iter().take(self.scopes))
    }

    /// Whether the client uses the authorization code grant.
    pub(crate) fn asks_users(&self) -> bool {
        !self.redirect_uris.is_empty()
    }

    pub(crate) fn new_client(&self) -> NewClient {
        let mut new = match self.is_confidential {
            true => NewClient::confidential(self.id),
            false => NewClient::public(self.id),
        };
        for uri in self.redirect_uris {
            new = new.redirect_uri(*uri);
        }
        if self.has_implicit {
            new = new.grant_types([
                GrantType::AuthorizationCode,
                GrantType::RefreshToken,
                GrantType::Implicit,
            ]);
        }
        if self.is_first_party {
            new = new.first_party();
        }
        if self.is_api {
            new = new.resource_server(Resources::of([API]).expect("a URI"));
        }
        if let Some(secret) = self.oauth1 {
            new = new.oauth1(NewKey::ChosenSecret(secret.into())).oauth1_out_of_band();
        }
        new.id(self.id).scopes(self.scopes())
    }
}
