//! The parts of a provider's client that need no browser.

use quadrille::{Env, oauth2::pkce::Verifier};
use reqwest::Url;
use serde_json::Value;

/// A registered client.
pub(crate) struct Client {
    pub(crate) issuer: String,
    pub(crate) id: String,
    pub(crate) secret: Option<String>,
    pub(crate) redirect_uri: String,
    verifier: Verifier,
}

impl Client {
    pub(crate) fn new(issuer: &str, id: &str, secret: Option<&str>, redirect_uri: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            id: id.to_owned(),
            secret: secret.map(str::to_owned),
            redirect_uri: redirect_uri.to_owned(),
            verifier: Verifier::random(&Env::system()),
        }
    }

    /// The URL of the authorization request.
    pub(crate) fn question(&self) -> String {
        self.question_for("photos:read")
    }

    /// The URL of an authorization request for these scopes.
    pub(crate) fn question_for(&self, scopes: &str) -> String {
        let query = [
            ("response_type", "code"),
            ("client_id", &*self.id),
            ("redirect_uri", &self.redirect_uri),
            ("scope", scopes),
            ("state", "s"),
            ("code_challenge", &self.verifier.challenge().to_string()),
            ("code_challenge_method", "S256"),
        ];
        let endpoint = format!("{}/oauth/authorize", self.issuer);
        Url::parse_with_params(&endpoint, query).unwrap().into()
    }

    /// Redeems the code in the URL `place`.
    pub(crate) async fn redeem(&self, place: &str) {
        let url = Url::parse(place).unwrap();
        let code = url.query_pairs().find(|(name, _)| name == "code");
        let (_, code) = code.unwrap_or_else(|| panic!("no code at {place}"));
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", self.verifier.expose()),
        ];
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut request = http.post(format!("{}/oauth/token", self.issuer));
        match &self.secret {
            Some(secret) => request = request.basic_auth(&self.id, Some(secret)),
            None => fields.push(("client_id", &self.id)),
        }
        let answer = request.form(&fields).send().await.unwrap();
        let (status, told) = (answer.status(), answer.json::<Value>().await.unwrap());
        assert_eq!(status, 200, "{told}");
        assert!(told["access_token"].is_string(), "{told}");
    }
}
