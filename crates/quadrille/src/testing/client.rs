//! A client of a provider in the process of a test.

#![expect(clippy::panic, reason = "a test fails by a panic")]

use axum::Router;
use bytes::Bytes;
use http::{Request, Response, header};
use url::Url;

use crate::{
    Env, Scopes, Secret,
    oauth2::{
        AuthorizationRequest, ClientAuth, Resources, TokenRequest, TokenResponse, pkce::Verifier,
    },
    provider::{AuthorizationServer, NewClient},
    scope::ScopeSeparator,
};

use super::{Browser, Page};

/// The redirect URI of a client that a test does not give another one.
const REDIRECT_URI: &str = "https://client.example/callback";

/// The `state` of its requests.
const STATE: &str = "state-of-the-test";

/// A client at the provider of an application: it begins a dance, a [`Browser`] follows it through
/// the sign-in and the consent page of the application, and it redeems the code and calls the API.
///
/// ```
/// # use quadrille::{guard::Access, scopes, testing::TestProvider};
/// use quadrille::testing::{Browser, TestClient};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let provider = TestProvider::new("https://id.example");
/// # provider.shows_pages();
/// # let (server, app) = (provider.server().clone(), provider.router());
/// // `server` is the application's AuthorizationServer, `app` its router with all pages.
/// let client = TestClient::register(&server, "openid").await;
/// let mut browser = Browser::new(app.clone());
/// let sign_in = browser.go(&client.request()).await;
/// let consent = browser.fill(&sign_in, &[("name", "ada")]).await;
/// let back = browser.fill(&consent, &[("decision", "allow")]).await;
/// let granted = client.redeem(back.location()).await;
/// assert!(granted.get(&app, "/api/me").await.text.contains("\"user\":\"ada\""));
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct TestClient {
    server: AuthorizationServer,
    id: String,
    secret: Option<Secret>,
    redirect_uri: String,
    scopes: Scopes,
    verifier: Verifier,
}

/// The tokens of a [`TestClient`].
///
/// ```
/// # use quadrille::testing::{Browser, TestClient, TestProvider};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let provider = TestProvider::new("https://id.example");
/// # let client = TestClient::register(provider.server(), "openid").await;
/// # let page = Browser::new(provider.router()).go(&client.request()).await;
/// let granted = client.redeem(page.location()).await;
/// assert!(granted.tokens.refresh_token.is_some());
/// let again = granted.refresh().await.expect("the refresh token is valid");
/// assert_ne!(again.tokens.access_token, granted.tokens.access_token);
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Granted {
    /// The response of the token endpoint.
    pub tokens: TokenResponse,
    client: TestClient,
}

impl TestClient {
    /// Registers a confidential client that may request these scopes, and does.
    ///
    /// # Panics
    /// If the scopes are malformed, or the server refuses the registration.
    pub async fn register(server: &AuthorizationServer, scopes: &str) -> Self {
        let scopes = Scopes::parse(scopes)
            .unwrap_or_else(|error| panic!("{scopes:?} are no scopes: {error}"));
        let new = NewClient::confidential("A test").redirect_uri(REDIRECT_URI).scopes(scopes);
        Self::register_as(server, new).await
    }

    /// Registers a client with these settings. It requests all of its scopes.
    ///
    /// ```
    /// # use quadrille::testing::{TestClient, TestProvider};
    /// use quadrille::provider::NewClient;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # let provider = TestProvider::new("https://id.example");
    /// let app = NewClient::public("An app").redirect_uri("com.example.app:/callback");
    /// let client = TestClient::register_as(provider.server(), app).await;
    /// assert!(client.request().contains("redirect_uri=com.example.app%3A%2Fcallback"));
    /// # }
    /// ```
    ///
    /// # Panics
    /// If the server refuses the registration, or the client has no redirect URI.
    pub async fn register_as(server: &AuthorizationServer, new: NewClient) -> Self {
        let registered = server.register(new).await;
        let registered =
            registered.unwrap_or_else(|error| panic!("the client is not registered: {error}"));
        let client = registered.client;
        let redirect_uri = client.redirect_uris.first().map(ToString::to_string);
        Self {
            server: server.clone(),
            id: client.id.to_string(),
            secret: registered.secret,
            redirect_uri: redirect_uri.unwrap_or_else(|| panic!("the client has no redirect URI")),
            scopes: client.scopes.clone(),
            verifier: Verifier::random(&Env::system()),
        }
    }

    /// The address of an authorization request with PKCE, for a browser.
    ///
    /// # Panics
    /// If the issuer is no URL.
    pub fn request(&self) -> String {
        let mut request = AuthorizationRequest::new(&*self.id);
        request.redirect_uri = Some(self.redirect_uri.as_str().into());
        request.scope = Some(self.scopes.clone()).filter(|scopes| !scopes.is_empty());
        request.state = Some(STATE.into());
        request.code_challenge = Some(self.verifier.challenge());
        let endpoint = self.endpoint(self.server.authorize_path());
        request.to_url(&endpoint).unwrap_or_else(|error| panic!("{endpoint}: {error}"))
    }

    /// Redeems the code in the address to which the browser was redirected.
    ///
    /// # Panics
    /// If it is no answer to the [request](Self::request), has an error, or the code is invalid.
    pub async fn redeem(&self, callback: &str) -> Granted {
        let url = Url::parse(callback).ok().filter(|_| callback.starts_with(&*self.redirect_uri));
        let Some(url) = url else { panic!("{callback} is not {}", self.redirect_uri) };
        let one = |wanted: &str| {
            let mut pairs = url.query_pairs();
            pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
        };
        assert_eq!(one("state").as_deref(), Some(STATE), "the state of another request");
        let Some(code) = one("code") else {
            panic!(
                "no code: {} {}",
                one("error").unwrap_or_default(),
                one("error_description").unwrap_or_default()
            );
        };
        let asked = TokenRequest::AuthorizationCode {
            code: &code,
            redirect_uri: Some(&self.redirect_uri),
            code_verifier: Some(self.verifier.expose()),
            resource: Resources::EMPTY,
        };
        match self.token(&asked).await {
            Ok(granted) => granted,
            Err(refused) => panic!("the code is refused: {}", text(&refused)),
        }
    }

    /// The answer of the token endpoint to a request of this client.
    async fn token(&self, asked: &TokenRequest<'_>) -> Result<Granted, Response<Bytes>> {
        let client_id = self.id.as_str().into();
        let auth = match &self.secret {
            Some(secret) => ClientAuth::Basic { client_id, client_secret: secret.clone() },
            None => ClientAuth::None { client_id },
        };
        let endpoint = self.endpoint("/token");
        let request = asked.to_request(&endpoint, &auth, &[]);
        let request = request.unwrap_or_else(|error| panic!("{endpoint}: {error}"));
        let response = self.server.token(request).await;
        match serde_json::from_slice::<serde_json::Value>(response.body()) {
            Ok(_) if response.status().is_success() => {
                let tokens = TokenResponse::parse(&response, ScopeSeparator::Space);
                let tokens = tokens.unwrap_or_else(|error| panic!("no tokens: {error}"));
                Ok(Granted { tokens, client: self.clone() })
            }
            _ => Err(response),
        }
    }

    /// The URL of a path at the origin of the issuer.
    fn endpoint(&self, path: &str) -> String {
        let issuer = Url::parse(self.server.issuer());
        let issuer = issuer.unwrap_or_else(|error| panic!("the issuer is no URL: {error}"));
        format!("{}{path}", issuer.origin().ascii_serialization())
    }
}

impl Granted {
    /// Calls an API by GET with the access token.
    ///
    /// # Panics
    /// If the path is none.
    pub async fn get(&self, app: &Router, path: &str) -> Page {
        let bearer = format!("Bearer {}", self.tokens.access_token.expose());
        let request = Request::get(path).header(header::AUTHORIZATION, bearer);
        let request = request.body(axum::body::Body::empty());
        let request = request.unwrap_or_else(|error| panic!("{path}: {error}"));
        Browser::new(app.clone()).send(request).await
    }

    /// Refreshes the tokens.
    ///
    /// # Errors
    /// The response of the token endpoint.
    ///
    /// # Panics
    /// If there is no refresh token.
    pub async fn refresh(&self) -> Result<Self, Response<Bytes>> {
        let token = self.tokens.refresh_token.as_ref();
        let token = token.unwrap_or_else(|| panic!("the client has no refresh token"));
        let asked = TokenRequest::RefreshToken {
            refresh_token: token.expose(),
            scope: None,
            resource: Resources::EMPTY,
        };
        self.client.token(&asked).await
    }
}

fn text(response: &Response<Bytes>) -> String {
    String::from_utf8_lossy(response.body()).into_owned()
}
