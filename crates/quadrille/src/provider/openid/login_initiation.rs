//! Logins that another party than the client begins (OpenID Connect Core, section 4).

use url::Url;

use crate::provider::{client::record::Client, server::AuthorizationServer};

/// The URL that begins a login at a client: its `initiate_login_uri`, with the issuer (OpenID Connect
/// Core, section 4). The client sends the browser back with an authorization request, or not.
///
/// ```
/// use quadrille::provider::{AuthorizationServer, Client};
///
/// fn open(server: &AuthorizationServer, client: &Client) -> Option<String> {
///     let login = server.initiate_login(client)?;
///     Some(format!("<a href=\"{}\">Open {}</a>", login.login_hint("ada").url(), client.name))
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginInitiation {
    url: Url,
}

impl LoginInitiation {
    fn new(address: &str, issuer: &str) -> Option<Self> {
        let url = Url::parse(address).ok().filter(is_initiation)?;
        Some(Self { url }.with("iss", issuer))
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.url.query_pairs_mut().append_pair(name, value);
        self
    }

    /// Adds the name with which the user may want to sign in (`login_hint`). The client sends it back,
    /// and learns it: not for a client with pairwise subjects.
    #[must_use]
    pub fn login_hint(self, hint: &str) -> Self {
        self.with("login_hint", hint)
    }

    /// Adds the page of the client to which the user wants to get (`target_link_uri`). A client goes only
    /// to pages of its own.
    #[must_use]
    pub fn target_link_uri(self, uri: &str) -> Self {
        self.with("target_link_uri", uri)
    }

    /// The URL, for a link or a redirect; to write it into a page, escape it.
    pub fn url(&self) -> &Url {
        &self.url
    }
}

/// The parameters of a request that initiates a login, which no address has itself.
const PARAMETERS: [&str; 3] = ["iss", "login_hint", "target_link_uri"];

/// Whether a login may begin at this URL, which a browser opens.
pub(crate) fn is_initiation(url: &Url) -> bool {
    url.scheme() == "https"
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query_pairs().all(|(name, _)| !PARAMETERS.contains(&&*name))
}

impl AuthorizationServer {
    /// The URL that begins a login at a client, for a link on a page of the application: see
    /// [`LoginInitiation`]. `None` for a client without an
    /// [`initiate_login_uri`](crate::provider::ClientOpenId::initiate_login_uri), and on a server without
    /// OpenID Connect.
    pub fn initiate_login(&self, client: &Client) -> Option<LoginInitiation> {
        let inner = self.inner();
        inner.openid.as_ref()?;
        let address = client.openid.initiate_login_uri.as_deref()?;
        LoginInitiation::new(address, inner.issuer.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_keeps_its_query_and_names_the_issuer_first() {
        let new = |address| LoginInitiation::new(address, "https://id.example/a b");
        let login = new("https://app.example/login?tenant=7").unwrap();
        let login = login.login_hint("ada&x").target_link_uri("https://app.example/#album");
        assert_eq!(
            login.url().as_str(),
            "https://app.example/login?tenant=7&iss=https%3A%2F%2Fid.example%2Fa+b&login_hint=ada%26x\
             &target_link_uri=https%3A%2F%2Fapp.example%2F%23album"
        );
        for wrong in ["http://app.example/", "javascript:alert(1)", "https://ada@app.example/", ""]
        {
            assert_eq!(new(wrong), None, "{wrong}");
        }
    }
}
