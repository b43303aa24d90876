//! Apache with mod_auth_openidc as a relying party, in the configurations of the guide.

use crate::support::{
    Browser, PATIENCE, Provider, TO_THIS_MACHINE, USER,
    apache::{Apache, Party, block},
    decide, element, eventually, heading, in_a_browser, sign_in,
};

/// The key of a client, with its public half.
const KEY: &str = include_str!("../../../crates/quadrille/tests/consumer/oauth1/rsa.pem");
const PUBLIC: &str = include_str!("../../../crates/quadrille/tests/consumer/oauth1/rsa-public.pem");

const SIGNED_ASSERTIONS: &str =
    "accept_assertions_for_the_token_endpoint_so_that_another_server_can_obtain_them=true";

/// What Apache tells the application of its user.
async fn told(browser: &Browser, name: &str) -> String {
    element(browser, &format!("//p[@id='oidc_{name}']")).await.text().await.unwrap()
}

/// Opens a page of the application, whose user is known at the provider, or becomes known by
/// `at_provider`.
async fn open(browser: &Browser, party: &Party, at_provider: impl AsyncFnOnce()) {
    browser.goto(party.url("/album")).await.unwrap();
    at_provider().await;
    heading(browser, "At /album").await;
    assert_eq!(browser.place().await, party.url("/album"));
    assert_eq!(told(browser, "claim_aud").await, party.client.id);
    assert_eq!(told(browser, "claim_preferred_username").await, USER);
}

/// The seconds of a claim.
async fn seconds(browser: &Browser, name: &str) -> u64 {
    told(browser, name).await.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn apache_tells_an_application_of_its_users_with_each_response_type() {
    in_a_browser("apache", async |browser| {
        let types = "openid_response_types=id_token,code id_token";
        let short = "access_token_lifetime=30s";
        let settings = ["openid=true", types, short, SIGNED_ASSERTIONS];
        let provider = Provider::start(&settings.map(|setting| ["--set", setting]).concat());
        for claim in ["name=Ada Lovelace-Groß", "email=ada@example.com"] {
            provider.claim(claim);
        }
        let mut apache = Apache::new().await;
        let key = apache.file("photos.key.pem", KEY);
        let public = apache.file("photos.pub.pem", PUBLIC);

        let shop = Party::register(&provider, "Shop", &[], &["--client-secret-basic"]);
        apache.host(&shop);
        let hybrid = ["--response-type", "code id_token"];
        let bank = Party::register(&provider, "Bank", &[], &hybrid);
        let lines = ["OIDCResponseMode form_post", "OIDCAuthRequestParams prompt=login"];
        apache.host_with(&bank, &[], &lines.map(block).concat());
        let forum = Party::register(&provider, "Forum", &[], &["--response-type", "id_token"]);
        apache.host_with(&forum, &[], "OIDCResponseType id_token\nOIDCAuthRequestParams max_age=0");
        let keys = block("OIDCProviderTokenEndpointAuth private_key_jwt")
            .replace("/etc/apache2/oidc/photos.key.pem", &key)
            .replace("/etc/apache2/oidc/photos.pub.pem", &public);
        let robot = Party::register(&provider, "Robot", &[], &[]);
        let keys = keys + "OIDCProviderAuthRequestMethod POST";
        apache.host_with(&robot, &["OIDCClientSecret"], &keys);
        let apache = apache.start();

        // With a code, PKCE and a secret.
        open(browser, &shop, async || {
            sign_in(browser).await;
            decide(browser, "allow").await;
        })
        .await;
        let (user, first) =
            (told(browser, "claim_sub").await, seconds(browser, "claim_auth_time").await);
        assert_eq!(told(browser, "claim_name").await, "Ada Lovelace-Groß");
        assert_eq!(told(browser, "claim_email").await, "ada@example.com");
        // The tokens are short of a minute, so each request refreshes them.
        let before = told(browser, "access_token").await;
        open(browser, &shop, async || ()).await;
        let token = told(browser, "access_token").await;
        assert_ne!(token, before);
        assert_eq!(provider.who(&token).await["sub"], user);

        // With an ID token beside the code, by POST, after another sign-in (`prompt=login`).
        open(browser, &bank, async || {
            sign_in(browser).await;
            decide(browser, "allow").await;
        })
        .await;
        assert_eq!(told(browser, "claim_sub").await, user);
        // With an ID token alone, by a script, after another sign-in (`max_age=0`).
        open(browser, &forum, async || {
            sign_in(browser).await;
            decide(browser, "allow").await;
        })
        .await;
        assert_eq!(told(browser, "claim_sub").await, user);
        assert!(seconds(browser, "claim_auth_time").await >= first);

        // With a key whose public half Apache publishes, and a request by POST from another site.
        let (_, keys) = fetched(&robot.url("/oidc?jwks=rsa"), &[]).await;
        provider.believe(&robot.client, &keys);
        open(browser, &robot, async || decide(browser, "allow").await).await;
        assert_eq!(told(browser, "claim_sub").await, user);

        // A client that was removed gets nobody.
        provider.remove(&shop.client);
        browser.delete_cookie(shop.cookie()).await.unwrap();
        let refused = || async {
            browser.goto(shop.url("/album")).await.unwrap();
            browser.source().await.unwrap().contains("This application made a mistake")
        };
        // Another process removed it, which is noticed within a second.
        assert!(eventually(PATIENCE, refused).await, "{}", browser.place().await);
        open(browser, &robot, async || ()).await;
        assert!(!apache.log().contains(":error]"), "{}", apache.log());
    })
    .await;
}

/// The answer to a request with these headers, without a browser and its cookies.
async fn fetched(url: &str, headers: &[(&'static str, &'static str)]) -> (u16, String) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let request =
        headers.iter().fold(http.get(url), |request, (name, value)| request.header(*name, *value));
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_at_one_party_ends_the_sessions_at_others_by_a_frame_and_by_a_token() {
    in_a_browser("apache-logout", async |browser| {
        let provider = Provider::start(&["--set", "openid=true", "--set", TO_THIS_MACHINE]);
        let mut apache = Apache::new().await;
        let shop = Party::register(&provider, "Shop", &["front"], &[]);
        let bank = Party::register(&provider, "Bank", &["front"], &[]);
        let blog = Party::register(&provider, "Blog", &["back"], &[]);
        for party in [&shop, &bank, &blog] {
            apache.host(party);
        }
        let _apache = apache.start();
        open(browser, &shop, async || {
            sign_in(browser).await;
            decide(browser, "allow").await;
        })
        .await;
        for party in [&bank, &blog] {
            open(browser, party, async || decide(browser, "allow").await).await;
        }

        // A hint that was cut ends nothing.
        browser
            .goto(provider.url("/oauth/logout?id_token_hint=eyJhbGciOiJSUzI1NiJ9.eyJ"))
            .await
            .unwrap();
        heading(browser, "You were not signed out").await;
        for party in [&shop, &bank, &blog] {
            open(browser, party, async || ()).await;
        }

        // The page with the frames goes on to the application by itself.
        browser.goto(shop.logout()).await.unwrap();
        heading(browser, "At /bye").await;
        assert_eq!(browser.place().await, shop.url("/bye"));
        for party in [&shop, &bank] {
            browser.goto(party.url("/album")).await.unwrap();
            heading(browser, "Sign in").await;
        }
        // Its logout token is sent in the background.
        let ended = || async {
            browser.goto(blog.url("/album")).await.unwrap();
            browser.place().await.starts_with(&provider.url("/sign-in"))
        };
        assert!(eventually(PATIENCE, ended).await, "{}", browser.place().await);
        // A page for everybody, and no way past Apache.
        let forged = [("OIDC_CLAIM_sub", "forged")];
        let (status, page) = fetched(&shop.url("/bye"), &forged).await;
        assert!(status == 200 && page.contains("At /bye") && !page.contains("forged"), "{page}");
        let (status, _) =
            fetched(&shop.url("/album"), &[forged[0], ("Accept", "application/json")]).await;
        assert_eq!(status, 401, "a request that accepts no page");
        // The consent is remembered.
        sign_in(browser).await;
        heading(browser, "At /album").await;
    })
    .await;
}
