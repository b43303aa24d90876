//! Fake services as servers: each service's login in a browser, over HTTP.

use axum::body::{Body, to_bytes};
use http::{HeaderMap, Method, Request, StatusCode, header};
use quadrille::{
    GitHub, KeyRing, Login, Owner, Scopes, SpecBuf, Twitter,
    consumer::{Account, Begin, BrowserError, Jar, MemoryStorage, Protocol, RevokedAtService},
    oauth1::RsaVerifyingKey,
    testing::{FakeService, Fault, Row, SERVICES},
    transport::{HttpClient as _, Purpose, Reqwest},
};
use serde_json::{Value, json};

use crate::{
    library::carry,
    oauth1::RSA_KEY,
    support::{SECRET, SITE},
};

/// A response to a browser.
struct Page {
    status: StatusCode,
    location: Option<String>,
    text: String,
}

/// Sends what a browser sends: a navigation, or a form.
async fn browse(http: &Reqwest, url: &str, form: Option<&str>) -> Page {
    let method = if form.is_some() { Method::POST } else { Method::GET };
    let request = Request::builder()
        .method(method)
        .uri(url)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(bytes::Bytes::from(form.unwrap_or("").to_owned()).into())
        .unwrap();
    let answer = http.send(request, Purpose::Api).await.unwrap();
    let location = answer.headers().get(header::LOCATION);
    let location = location.map(|location| location.to_str().unwrap().to_owned());
    let status = answer.status();
    let body = to_bytes(Body::new(answer.into_body()), 1 << 20).await.unwrap();
    Page { status, location, text: String::from_utf8(body.to_vec()).unwrap() }
}

/// An application at a service that is a server.
struct World {
    name: &'static str,
    fake: FakeService,
    login: Login,
    http: Reqwest,
}

impl World {
    async fn of(row: &Row, http: &Reqwest) -> Self {
        let fake = FakeService::playing(row, "our-id", SECRET).user(json!({})).user(json!({}));
        let key = include_str!("oauth1/rsa-public.pem");
        fake.knows_key(RsaVerifyingKey::from_pem(key).unwrap());
        let base = fake.listen(0).await.unwrap();
        let spec = SpecBuf::from(row.spec).hosted_at(base);
        let is_keyed =
            matches!(&spec.protocol, Protocol::OAuth1(it) if it.signature_method.is_rsa());
        let client = match is_keyed {
            true => spec.client_with_key("our-id", RSA_KEY),
            false => spec.client("our-id", SECRET),
        };
        let login =
            Login::new(KeyRing::ephemeral(), SITE).with(client).storage(MemoryStorage::new());
        Self { name: row.spec.name, fake, login, http: http.clone() }
    }

    async fn leave(&self) -> (Jar, String) {
        let jar = Jar::new(&HeaderMap::new());
        let begin = Begin::new(self.name).owner(&Owner::user(1));
        let url = self.login.begin(&jar, &begin).await.unwrap();
        (Jar::new(&carry(&jar)), url)
    }

    /// The account after a form on the service's page, or without one.
    async fn log_in(&self, form: Option<&str>) -> quadrille::Result<Account> {
        let (jar, url) = self.leave().await;
        let page = browse(&self.http, &url, form).await;
        let query = match &page.location {
            Some(location) => location.split_once('?').unwrap().1.to_owned(),
            None => {
                assert!(page.text.contains("action=\"https://app.example/login/"), "{}", page.text);
                let fields = page.text.split("type=\"hidden\" name=\"").skip(1);
                let pairs = fields.map(|field| {
                    let (name, rest) = field.split_once("\" value=\"").unwrap();
                    format!("{name}={}", rest.split_once('"').unwrap().0)
                });
                pairs.collect::<Vec<_>>().join("&")
            }
        };
        let done = self.login.finish(&jar, self.name, &query, &Owner::user(1)).await?;
        Ok(done.account)
    }
}

#[tokio::test]
async fn each_service_is_a_server_with_a_page() {
    let http = Reqwest::standard().unwrap();
    for row in SERVICES {
        let world = World::of(row, &http).await;
        let (_, url) = world.leave().await;
        let page = browse(&world.http, &url, None).await;
        assert_eq!(page.status, StatusCode::OK, "{row:?}");
        for part in [row.spec.title, "our-id", "value=\"1\"", "value=\"2\"", "Deny"] {
            assert!(page.text.contains(part), "{}: {part} of {}", row.type_name, page.text);
        }

        let account = world.log_in(Some("allow=2")).await;
        let account = account.unwrap_or_else(|error| panic!("{row:?}: {error:?}"));
        assert!(account.subject.is_empty() || account.subject.ends_with('2'), "{account:?}");
        let linked = world.login.linked_by_name(&account).await.unwrap();
        let echo: Value = linked.get("anything").await.unwrap();
        assert!(echo["path"].as_str().unwrap().ends_with("/anything"), "{row:?}: {echo}");
        if row.spec.identity.is_some() {
            assert_eq!(linked.profile().await.unwrap().subject, *account.subject, "{row:?}");
        }
        if matches!(row.spec.protocol, Protocol::OAuth2(it) if it.revocation.is_some()) {
            assert_eq!(linked.revoke_at_service().await, RevokedAtService::Revoked, "{row:?}");
        }

        let error = world.log_in(Some("deny=1")).await.unwrap_err();
        assert_eq!(error, BrowserError::Denied.into(), "{row:?}");

        world.fake.approves_as(7);
        let account = world.log_in(None).await.unwrap();
        assert!(account.subject.is_empty() || account.subject.ends_with('7'), "{account:?}");
    }
}

#[tokio::test]
async fn accounts_have_the_claims_given() {
    let github = FakeService::of::<GitHub>("our-id", SECRET)
        .user(json!({"id": 41, "login": "grace", "email": "grace@example.com"}))
        .user(json!({"login": "<b>"}));
    let base = github.listen(0).await.unwrap();
    let http = Reqwest::standard().unwrap();
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with(GitHub::new("our-id", SECRET).hosted_at(base))
        .storage(MemoryStorage::new())
        .http(http.clone());
    let world = World { name: "github", fake: github, login, http };
    let (_, url) = world.leave().await;
    let page = browse(&world.http, &url, None).await;
    assert!(page.text.contains("value=\"41\">Allow as grace (41)<"), "{}", page.text);
    assert!(page.text.contains("value=\"1\">Allow as &lt;b&gt; (1)<"), "{}", page.text);
    let account = world.log_in(Some("allow=41")).await.unwrap();
    let me = world.login.linked::<GitHub>(&account).await.unwrap().profile().await.unwrap();
    assert_eq!((&*me.subject, me.user_name.as_deref()), ("41", Some("grace")));
    assert_eq!(
        (me.email.as_deref(), me.name.as_deref()),
        (Some("grace@example.com"), Some("Ada Lovelace"))
    );
}

#[tokio::test]
async fn an_invalid_request_gets_a_page_that_says_so() {
    let http = Reqwest::standard().unwrap();
    for (row, query) in
        [("GitHub", "response_type=code&client_id=another"), ("Twitter", "oauth_token=x")]
    {
        let row = SERVICES.iter().find(|known| known.type_name == row).unwrap();
        let fake = FakeService::playing(row, "our-id", SECRET);
        let base = fake.listen(0).await.unwrap();
        for form in [None, Some("allow=1"), Some("deny=1")] {
            let page = browse(&http, &format!("{base}/authorize?{query}"), form).await;
            assert_eq!(page.status, StatusCode::BAD_REQUEST);
            assert!(page.text.contains("Invalid request"), "{}", page.text);
        }
    }
}

#[tokio::test]
async fn a_pin_is_shown_for_a_program() {
    let fake = FakeService::of::<Twitter>("our-key", SECRET);
    let base = fake.listen(0).await.unwrap();
    let http = Reqwest::standard().unwrap();
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with(Twitter::new("our-key", SECRET).hosted_at(base))
        .storage(MemoryStorage::new())
        .http(http.clone());
    let begun = login.begin_out_of_band(&Begin::new("twitter")).await.unwrap();
    let page = browse(&http, &begun.url, Some("allow=7")).await;
    let pin =
        page.text.split("<h1>Your PIN</h1><p><code>").nth(1).unwrap().split('<').next().unwrap();
    let done = login.finish_out_of_band(&begun.attempt, pin, &Owner::NOBODY).await.unwrap();
    assert_eq!(&*done.account.subject, "7");
}

#[tokio::test]
async fn the_code_of_a_device_is_typed_in_and_confirmed_at_the_server() {
    let fake = FakeService::of::<GitHub>("our-id", SECRET).user(json!({"login": "ada"}));
    let base = fake.listen(0).await.unwrap();
    let http = Reqwest::standard().unwrap();
    // The program's requests need no network, so its pauses take no time.
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with(GitHub::new("our-id", SECRET).hosted_at(base.clone()))
        .storage(MemoryStorage::new())
        .http(fake.clone());
    let begin = Begin::new("github").further_scopes(Scopes::of(["gist"]));

    let device = login.begin_device(&begin).await.unwrap();
    assert_eq!(device.verification_uri(), format!("{base}/device"));
    let page = browse(&http, device.verification_uri(), None).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("name=\"user_code\""), "{}", page.text);
    let page = browse(&http, &format!("{base}/device?user_code=WRONG"), None).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert!(page.text.contains("No login waits for this code"), "{}", page.text);

    // As a user types it.
    let typed = device.user_code().to_ascii_lowercase();
    let url = format!("{base}/device?user_code=+{typed}+");
    let page = browse(&http, &url, None).await;
    assert_eq!(page.status, StatusCode::OK);
    for part in ["our-id", "<code>gist</code>", device.user_code(), "Allow as ada (1)", "Deny"] {
        assert!(page.text.contains(part), "{part} of {}", page.text);
    }
    let form = format!("user_code={}&allow=1", device.user_code());
    let page = browse(&http, &format!("{base}/device"), Some(&form)).await;
    assert!(page.text.contains("Go back to your device"), "{}", page.text);
    let again = browse(&http, &format!("{base}/device"), Some(&form)).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
    tokio::time::pause();
    let authorized = device.finish().await.unwrap();
    tokio::time::resume();
    assert_eq!(&*authorized.account.subject, "1");

    let device = login.begin_device(&begin).await.unwrap();
    let form = format!("user_code={}&deny=1", device.user_code());
    browse(&http, &format!("{base}/device"), Some(&form)).await;
    tokio::time::pause();
    assert_eq!(device.finish().await.unwrap_err(), BrowserError::Denied.into());
}

#[tokio::test]
async fn a_callback_that_is_not_registered_gets_a_page_that_names_it() {
    let http = Reqwest::standard().unwrap();
    let row = SERVICES.iter().find(|known| known.type_name == "GitHub").unwrap();
    let world = World::of(row, &http).await;
    let (_, url) = world.leave().await;
    let callback = world.fake.callback(&url).unwrap();
    world.fake.registers("https://app.example/elsewhere");
    for form in [None, Some("allow=1"), Some("deny=1")] {
        let page = browse(&http, &url, form).await;
        assert_eq!((page.status, page.location), (StatusCode::BAD_REQUEST, None));
        assert!(page.text.contains("Redirect URI not registered"), "{}", page.text);
        assert!(page.text.contains(&callback), "{}", page.text);
    }
    world.fake.registers(&callback);
    world.log_in(Some("allow=1")).await.unwrap();
    world.fake.suffers(Fault::CallbackUnregistered);
    assert_eq!(browse(&http, &url, Some("allow=1")).await.status, StatusCode::BAD_REQUEST);
}
