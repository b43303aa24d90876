//! Services that need no description: one row each.

use crate::{
    Secret,
    consumer::{Client, Service, Spec},
    error::Result,
    scope::ScopeSeparator,
};
#[cfg(feature = "rsa-sha1")]
use crate::{
    consumer::{Protocol, SpecBuf, variable},
    oauth1::SignatureMethod,
};

/// GitHub (OAuth Apps and GitHub Apps). Register at <https://github.com/settings/developers> with
/// the callback `{public URL}/login/github/authorized`.
///
/// Checked November 2026: PKCE is taken; errors come under status 200 and scopes separated by
/// commas, both of which are understood; the e-mail address is at `user/emails` with the scope
/// `user:email`.
#[derive(Clone, Copy, Debug)]
pub struct GitHub;

impl Service for GitHub {
    const SPEC: Spec = Spec::oauth2(
        "github",
        "https://github.com/login/oauth/authorize",
        "https://github.com/login/oauth/access_token",
        "https://api.github.com",
    )
    .title("GitHub")
    .issuer("https://github.com/login/oauth")
    .identity("user", "id")
    .scope_separators(ScopeSeparator::Space, ScopeSeparator::Comma)
    .secret_in_body();
}

impl GitHub {
    /// This application's identifier and secret, from `GITHUB_OAUTH_CLIENT_ID` and
    /// `GITHUB_OAUTH_CLIENT_SECRET`.
    ///
    /// # Errors
    /// [`OperatorFault::VariableMissing`](crate::error::OperatorFault::VariableMissing) with the
    /// name of the one that is not set.
    pub fn from_env() -> Result<Client<Self>> {
        Self::client_from_env()
    }

    /// This application's identifier and secret.
    pub fn new(id: impl Into<String>, secret: impl Into<Secret>) -> Client<Self> {
        Self::client(id, secret)
    }
}

/// Twitter (X), by OAuth 1.0a. Register at <https://developer.x.com> with the callback `{public
/// URL}/login/twitter/authorized`, and for "log in with X" see that the app may read.
///
/// Checked November 2026: the endpoints are at `api.x.com` (those at `api.twitter.com` answer too);
/// requests are signed by HMAC-SHA1; tokens do not expire; a visitor who says no comes back with
/// `denied`. The API below is version 1.1, of which the free tier has
/// `account/verify_credentials.json`; version 2 takes the same signed requests at
/// `https://api.x.com/2/...`.
#[derive(Clone, Copy, Debug)]
pub struct Twitter;

impl Service for Twitter {
    const SPEC: Spec = Spec::oauth1(
        "twitter",
        "https://api.x.com/oauth/request_token",
        "https://api.x.com/oauth/authorize",
        "https://api.x.com/oauth/access_token",
        "https://api.x.com/1.1",
    )
    .title("Twitter")
    .identity("account/verify_credentials.json", "id_str");
}

impl Twitter {
    /// This application's key and secret, from `TWITTER_OAUTH_CLIENT_KEY` and
    /// `TWITTER_OAUTH_CLIENT_SECRET`.
    ///
    /// # Errors
    /// [`OperatorFault::VariableMissing`](crate::error::OperatorFault::VariableMissing) with the
    /// name of the one that is not set.
    pub fn from_env() -> Result<Client<Self>> {
        Self::client_from_env()
    }

    /// This application's key and secret.
    pub fn new(key: impl Into<String>, secret: impl Into<Secret>) -> Client<Self> {
        Self::client(key, secret)
    }
}

/// An installation of JIRA (Server or Data Center), by OAuth 1.0a with RSA-SHA1. In the cloud, JIRA
/// speaks OAuth 2.
///
/// Register under "Application links" as an incoming link, with a consumer key of your choice and
/// the public half of an RSA key:
///
/// ```sh
/// openssl genrsa -out jira.pem 2048 && openssl rsa -in jira.pem -pubout
/// ```
///
/// Checked November 2026: a visitor who says no comes back with the verifier `denied`; tokens last
/// five years; bodies are JSON; the identifier is the user's `key`, which does not change when they
/// are renamed.
#[cfg(feature = "rsa-sha1")]
#[derive(Clone, Copy, Debug)]
pub struct Jira;

#[cfg(feature = "rsa-sha1")]
impl Service for Jira {
    // The endpoints are below the installation's URL, which `Jira::new` knows.
    const SPEC: Spec = Spec::oauth1("jira", "", "", "", "")
        .title("JIRA")
        .signature_method(SignatureMethod::RsaSha1)
        .identity("rest/api/2/myself", "key");
}

#[cfg(feature = "rsa-sha1")]
impl Jira {
    /// The installation at `base_url` (`https://jira.example`, or with a path:
    /// `https://corp.example/jira`), this application's consumer key there, and its private key as
    /// PEM or the path of a PEM file.
    pub fn new(
        base_url: impl AsRef<str>,
        consumer_key: impl Into<String>,
        rsa_key: impl Into<Secret>,
    ) -> Client<Self> {
        Self::client_with_key(consumer_key, rsa_key)
            .with_spec(|spec| at_installation(spec, base_url.as_ref()))
    }

    /// The installation's URL, this application's consumer key and its private key, from
    /// `JIRA_OAUTH_BASE_URL`, `JIRA_OAUTH_CONSUMER_KEY` and `JIRA_OAUTH_RSA_KEY`.
    ///
    /// # Errors
    /// [`OperatorFault::VariableMissing`](crate::error::OperatorFault::VariableMissing) with the
    /// name of the one that is not set.
    pub fn from_env() -> Result<Client<Self>> {
        let base_url = variable("jira", "BASE_URL")?;
        Ok(Self::client_from_env()?.with_spec(|spec| at_installation(spec, &base_url)))
    }
}

#[cfg(feature = "rsa-sha1")]
fn at_installation(spec: &mut SpecBuf, base_url: &str) {
    let base = base_url.trim_end_matches('/');
    let endpoint = |name: &str| format!("{base}/plugins/servlet/oauth/{name}").into();
    if let Protocol::OAuth1(oauth1) = &mut spec.protocol {
        oauth1.temporary = endpoint("request-token");
    }
    spec.authorize = endpoint("authorize");
    spec.token = endpoint("access-token");
    spec.api = base.to_owned().into();
}
