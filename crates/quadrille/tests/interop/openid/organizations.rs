//! One login box for many organizations: the provider of one is found by WebFinger, and the site
//! registers itself there.

use std::time::Duration;

use http::HeaderMap;
use quadrille::{
    Env, Login,
    consumer::{Begin, Jar, Organizations},
    jose::Algorithm,
    testing::ManualClock,
    transport::Reqwest,
};
use serde_json::json;
use tokio::net::TcpListener;
use url::Url;

use super::world::{Page, Site, keys, open};
use crate::support::{Browsers, Running, certificate, node};

/// A provider on https, at which a site registers itself.
struct World {
    provider: Running,
    browsers: Browsers,
    clock: ManualClock,
    site: Site,
}

impl World {
    /// `wants_token`: the provider registers nobody without an initial access token.
    async fn new(
        wants_token: bool,
        organizations: impl FnOnce(Organizations, &Running) -> Organizations,
        settings: impl FnOnce(Login) -> Login,
    ) -> Self {
        let tls = json!({
            "cert": certificate("self-signed.pem"),
            "key": certificate("self-signed-key.pem"),
        });
        let told = json!({ "clients": [], "tls": tls, "initial_access_token": wants_token });
        let provider = Running::start(node("servers/openid-provider.js"), &told).await;
        let authority = include_bytes!("../../consumer/self-signed.pem");
        let authority = reqwest::Certificate::from_pem(authority).unwrap();
        let http = reqwest::Client::builder().no_proxy().tls_certs_merge([authority]);
        let known = Organizations::new("work")
            .client_name("Photo album")
            .scopes("openid email")
            .allow_issuer(&*provider.issuer)
            .http_that_strangers_can_send_to_services_inside(Reqwest::new(http).unwrap());
        let known = organizations(known, &provider);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let clock = ManualClock::at(Env::system().now());
        let site =
            Site::open(listener, url, &clock, |login| settings(login.with_organizations(known)));
        Self { provider, browsers: Browsers::start(), clock, site }
    }

    /// The user of a browser types their address at the provider into the box.
    async fn type_in(&mut self, browser: &str, user: &str) {
        let typed = format!("{}/{user}", self.provider.issuer);
        let fill = json!({ "login": user, "identifier": typed });
        let urls = [self.site.at("/box")];
        let page = open(&mut self.browsers, browser, &fill, &urls).await.remove(0);
        let failed = self.site.heard.failed();
        assert_eq!((&*page.text, page.url), ("an album", self.site.at("/album")), "{failed:?}");
    }

    async fn open(&mut self, browser: &str, url: String) -> Page {
        open(&mut self.browsers, browser, &json!({}), &[url]).await.remove(0)
    }

    /// The name of the login of the provider's organization.
    async fn service(&self) -> String {
        let login = &self.site.login;
        login.register_at("work", &self.provider.issuer).await.unwrap().service
    }

    /// The identifier that the provider gave the site.
    async fn client_id(&self) -> String {
        let jar = Jar::new(&HeaderMap::new());
        let service = self.service().await;
        let url = self.site.login.begin(&jar, &Begin::new(&service)).await.unwrap();
        let url = Url::parse(&url).unwrap();
        let id = url.query_pairs().find(|(name, _)| name == "client_id");
        id.unwrap().1.into_owned()
    }
}

#[tokio::test]
async fn users_log_in_at_their_organization_where_the_site_registers_itself() {
    let with_keys = |login: Login| login.client_keys(keys(Algorithm::Es256, []));
    let mut world = World::new(false, |organizations, _| organizations, with_keys).await;
    let browsers = [("desk", "margot"), ("phone", "margot"), ("bo's", "bo")];
    for (browser, user) in browsers {
        world.type_in(browser, user).await;
    }
    let service = world.service().await;
    let who = world.site.at(&format!("/who/{service}"));
    let account = world.site.at(&format!("/account/{service}"));
    let margot = world.open("desk", who).await.user();
    assert_eq!(margot["account"], format!("{}#margot", world.provider.issuer));
    assert_eq!(margot["email"], "margot@id.example");

    // The registration has the way back from a logout, and asks for logouts of single sessions.
    let out = world.site.at(&format!("/login/{service}/logout?at_service=1&next=/album"));
    assert_eq!(world.open("desk", out).await.text, "an album");
    let mut known = Vec::new();
    for (browser, _) in browsers {
        known.push(world.open(browser, account.clone()).await.text);
    }
    let of = |user: &str| format!("{}#{user}", world.provider.issuer);
    assert_eq!(known, ["nobody".to_owned(), of("margot"), of("bo")]);
}

#[tokio::test]
async fn a_provider_registers_the_site_that_has_its_token_and_renews_the_secret() {
    let without = |organizations, _: &Running| organizations;
    let stranger = World::new(true, without, |login| login).await;
    let issuer = stranger.provider.issuer.clone();
    let refused = stranger.site.login.register_at("work", &issuer).await.unwrap_err();
    assert_eq!(refused.code(), "registration_refused", "{refused}");

    let with = |organizations: Organizations, provider: &Running| {
        let token = provider.told["initial_access_token"].as_str().unwrap();
        organizations.initial_access_token(&*provider.issuer, token)
    };
    let mut world = World::new(true, with, |login| login).await;
    world.type_in("margot's", "margot").await;
    let id = world.client_id().await;
    // A quarter of the secret's two hours is left, so the site reads its registration: there is another.
    let now = world.clock.now();
    world.clock.advance(Duration::from_secs(6000));
    assert_eq!(world.client_id().await, id, "it does not register again");
    // The provider's own clock stands where it stood.
    world.clock.set(now);
    world.type_in("bo's", "bo").await;
}
