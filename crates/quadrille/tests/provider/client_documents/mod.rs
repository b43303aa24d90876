//! Clients that nobody registered, and that describe themselves at their `client_id`.

mod changes;
mod openid;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::body::Body;
use http::Request;
use quadrille::{
    Policy, RemoteAddress, Scopes,
    oauth2::{ClientAuth, Resources, TokenRequest},
    provider::{
        AuthorizationServer, ClientMetadataDocuments, ClientType, FetchError, Fetched, Fetcher,
        NewClient, store::MemoryStore,
    },
    testing::ManualClock,
};
use serde_json::json;
use url::Url;

use crate::support::{Answer, Browser, CALLBACK, World};

const ID: &str = "https://app.example/client.json";
const CANARY: &str = "canary-in-a-document";

/// What stands on the web.
#[derive(Clone, Default)]
struct Web(Arc<Mutex<Pages>>);

#[derive(Default)]
struct Pages {
    answer: Option<Result<Fetched, FetchError>>,
    fetched: Vec<String>,
}

impl Web {
    /// With a good document, changed so.
    fn with(change: &serde_json::Value) -> Self {
        let web = Self::default();
        web.put(change);
        web
    }

    fn put(&self, change: &serde_json::Value) {
        self.answers(Ok(Fetched::new(document(change))));
    }

    fn answers(&self, answer: Result<Fetched, FetchError>) {
        self.0.lock().unwrap().answer = Some(answer);
    }

    fn fetched(&self) -> usize {
        self.0.lock().unwrap().fetched.len()
    }
}

impl Fetcher for Web {
    async fn fetch(&self, url: &Url) -> Result<Fetched, FetchError> {
        let mut pages = self.0.lock().unwrap();
        pages.fetched.push(url.to_string());
        pages.answer.clone().unwrap_or(Err(FetchError::Status(404)))
    }
}

fn document(change: &serde_json::Value) -> String {
    let mut document = json!({
        "client_id": ID,
        "client_name": "Photo app",
        "redirect_uris": [CALLBACK, "http://127.0.0.1/cb"],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "none",
        "software_id": CANARY,
    });
    for (name, value) in change.as_object().unwrap() {
        document[name] = value.clone();
    }
    document.to_string()
}

/// A provider that lets such clients in; `client` of the world is this one.
async fn world(web: &Web) -> World {
    let documents = ClientMetadataDocuments::fetched_by(web.clone());
    world_with(documents).await
}

async fn world_with(documents: ClientMetadataDocuments) -> World {
    let set = |server: AuthorizationServer| server.client_metadata_documents(documents);
    let mut world = World::set_up(Policy::safe(), |new| new, set).await;
    as_the_client(&mut world);
    world
}

/// From here on the world asks as the client of the document.
fn as_the_client(world: &mut World) {
    world.client.id = ID.into();
    world.client.redirect_uris = vec![CALLBACK.parse().unwrap()];
    world.secret = String::new();
}

async fn page(world: &World, browser: &mut Browser) -> Answer {
    world.sign_in("ada");
    world.ask(browser, &world.asking()).await
}

/// A problem page, and never a redirect or what was fetched.
fn assert_refused(answer: &Answer, status: u16) {
    assert_eq!((answer.status(), answer.reason()), (status, "client_document"));
    assert_eq!(answer.header("location"), "");
    assert!(!answer.text().contains(CANARY));
}

#[tokio::test]
async fn a_client_that_describes_itself_dances_from_the_question_to_a_refreshed_token() {
    let web = Web::with(&json!({}));
    let world = world(&web).await;
    let mut browser = Browser::default();
    let asked = page(&world, &mut browser).await;
    assert_eq!(asked.status(), 200);
    assert!(asked.text().contains("client=Photo app\nhost=app.example\n"), "{}", asked.text());
    assert!(world.server.client(ID).await.unwrap().is_none(), "nobody has said yes yet");

    let code = browser.answer(&world, &asked, "decision=all").await.query("code");
    let stored = world.server.client(ID).await.unwrap().unwrap();
    assert!(stored.from_document && stored.client_type == ClientType::Public);
    let tokens = world.redeem(&code).await.tokens();
    assert_eq!(tokens.scope, "photos:read photos:write");
    assert!(world.is_good(&tokens.access).await);
    let tokens = world.refresh(&tokens.refresh.unwrap()).await.tokens();
    assert!(world.is_good(&tokens.access).await);
    assert_eq!(web.fetched(), 1, "once for the page, the answer and the tokens");

    // Remembered, as with any client.
    let again = page(&world, &mut Browser::default()).await;
    assert!(!again.query("code").is_empty());
}

#[tokio::test]
async fn pkce_is_required_and_a_secret_refused() {
    let world = world(&Web::with(&json!({}))).await;
    world.sign_in("ada");
    let mut asking = world.asking();
    asking.code_challenge = None;
    let answer = world.ask(&mut Browser::default(), &asking).await;
    assert_warned(&answer, 400, "invalid_request", "invalid_request");
    let code = world.code("ada").await;
    let auth = ClientAuth::Basic { client_id: ID.into(), client_secret: "guess".into() };
    let verifier = world.verifier();
    let asked = TokenRequest::AuthorizationCode {
        code: &code,
        redirect_uri: Some(CALLBACK),
        code_verifier: Some(verifier.expose()),
        resource: Resources::EMPTY,
    };
    assert_eq!(world.token(&auth, &asked).await.error(), "invalid_client");
    world.redeem(&code).await.tokens();
}

#[tokio::test]
async fn nothing_is_fetched_when_it_is_off_or_the_id_is_no_documents_url() {
    let web = Web::with(&json!({}));
    let mut off = World::new().await;
    as_the_client(&mut off);
    assert_eq!(page(&off, &mut Browser::default()).await.reason(), "unknown_client");

    let mut world = world(&web).await;
    for id in ["app", "http://app.example/client.json", "https://app.example/", "https://a.b/#x"] {
        world.client.id = id.into();
        let answer = page(&world, &mut Browser::default()).await;
        assert_eq!(answer.reason(), "unknown_client", "{id}");
    }
    // Nor for a client that somebody registered under such an id.
    let registered = NewClient::public("Known").id("https://app.example/known");
    world.server.register(registered.redirect_uri(CALLBACK)).await.unwrap();
    world.client.id = "https://app.example/known".into();
    assert!(page(&world, &mut Browser::default()).await.text().contains("client=Known\nhost=\n"));
    // Nor at the token endpoint, for who was never let in.
    world.client.id = ID.into();
    assert_eq!(world.redeem("x").await.error(), "invalid_client");
    assert_eq!(web.fetched(), 0);
}

#[tokio::test]
async fn a_document_that_is_bad_or_cannot_be_had_is_a_page_and_never_a_redirect() {
    let web = Web::default();
    let world = world(&web).await;
    for change in [
        json!({"client_id": "https://evil.example/client.json"}),
        json!({"client_secret": CANARY}),
        json!({"token_endpoint_auth_method": "client_secret_post"}),
        json!({"redirect_uris": ["http://app.example/cb", CANARY]}),
        json!({"client_name": format!("a\n{CANARY}")}),
    ] {
        web.put(&change);
        assert_refused(&page(&world, &mut Browser::default()).await, 400);
    }
    web.answers(Ok(Fetched::new(CANARY)));
    assert_refused(&page(&world, &mut Browser::default()).await, 400);
    for error in [FetchError::NotPublic, FetchError::TimedOut, FetchError::Status(302)] {
        web.answers(Err(error));
        assert_refused(&page(&world, &mut Browser::default()).await, 400);
    }
    assert!(world.server.client(ID).await.unwrap().is_none());
    // That it was bad is not remembered.
    web.put(&json!({}));
    assert_eq!(page(&world, &mut Browser::default()).await.status(), 200);
}

#[tokio::test]
async fn a_redirect_uri_that_is_not_in_the_document_is_not_redirected_to() {
    let world = world(&Web::with(&json!({"redirect_uris": ["https://app.example/other"]}))).await;
    let answer = page(&world, &mut Browser::default()).await;
    assert_eq!(answer.reason(), "redirect_uri_not_registered");
}

#[tokio::test]
async fn a_redirect_uri_that_may_not_be_used_costs_the_client_no_other_one() {
    let uris = ["editor://callback", "a.b:", CALLBACK, "https://x;sandbox/cb"];
    let world = world(&Web::with(&json!({"redirect_uris": uris}))).await;
    assert_eq!(page(&world, &mut Browser::default()).await.status(), 200);
    for odd in ["editor://callback", "a.b:", "https://x;sandbox/cb"] {
        let mut asked = world.asking();
        asked.redirect_uri = Some(odd.into());
        let answer = world.ask(&mut Browser::default(), &asked).await;
        assert_eq!((answer.status(), answer.reason()), (400, "redirect_uri_not_registered"));
    }
}

#[tokio::test]
async fn nor_does_what_is_no_text_or_no_value() {
    for (odd, good) in
        [("7", r#""\ud800""#), ("8", r#""https://app.example/\udfff""#), ("9", "1e999")]
    {
        let web = Web::with(&json!({"redirect_uris": [7, CALLBACK, 8, 9], "x": {"a": [7]}}));
        let world = world(&web).await;
        let json = document(&json!({"redirect_uris": [7, CALLBACK, 8, 9], "x": {"a": [7]}}));
        web.answers(Ok(Fetched::new(json.replace(odd, good).replace("software_id", r"\ud800"))));
        assert_eq!(page(&world, &mut Browser::default()).await.status(), 200, "{good}");
    }
    let web = Web::default();
    let world = world(&web).await;
    web.answers(Ok(Fetched::new(document(&json!({})).replace("Photo app", r"Ren\ud800e"))));
    let page = page(&world, &mut Browser::default()).await;
    assert!(page.text().contains("client=Ren\u{fffd}e\n"), "{page:?}");
}

#[tokio::test]
async fn scopes_are_capped_and_a_no_stores_nothing() {
    let web = Web::with(&json!({"scope": "photos:read photos:write admin"}));
    let documents = ClientMetadataDocuments::fetched_by(web.clone());
    let world = world_with(documents.scopes(Scopes::parse("photos:read").unwrap())).await;
    let mut browser = Browser::default();
    let asked = page(&world, &mut browser).await;
    assert!(asked.text().contains("scope=photos:read"));
    assert!(!asked.text().contains("photos:write"));
    let mut more = world.asking();
    more.scope = Some(Scopes::parse("photos:write").unwrap());
    let answer = world.ask(&mut Browser::default(), &more).await;
    assert_warned(&answer, 400, "invalid_scope", "invalid_scope");

    let denied = browser.answer(&world, &asked, "decision=deny").await;
    assert_warned(&denied, 200, "access_denied", "access_denied");
    assert!(world.server.client(ID).await.unwrap().is_none());
}

/// A page with a link to the client, which the person may follow, and no redirect (RFC 9700,
/// section
/// 4.11.2).
fn assert_warned(answer: &Answer, status: u16, reason: &str, told: &str) {
    assert_eq!((answer.status(), answer.reason()), (status, reason), "{}", answer.text());
    assert_eq!((answer.header("location"), answer.header("refresh")), ("", ""));
    let text = answer.text();
    assert!(text.contains(">Go to https://app.example</a>"), "{text}");
    let is_linked = |sign| text.contains(&format!(r#"href="{CALLBACK}{sign}error={told}"#));
    // What asks for a token is told in the fragment.
    assert!(is_linked('?') != is_linked('#'), "{text}");
}

#[tokio::test]
async fn nobody_is_redirected_to_a_client_that_they_have_not_let_in() {
    let world = world(&Web::with(&json!({}))).await;
    let asking = world.asking().to_url("https://id.example/oauth/authorize").unwrap();
    let (_, good) = asking.split_once('?').unwrap();
    let response_type = good.replace("response_type=code", "response_type=token");
    let without_pkce = good.replace("code_challenge=", "x=");
    let broken = [
        (format!("{good}&prompt=none"), "login_required"),
        (format!("{good}&prompt=none%20login"), "invalid_request"),
        (format!("{good}&scope=admin"), "invalid_scope"),
        (format!("{good}&scope=%22"), "invalid_scope"),
        (format!("{good}&scope=a&scope=b"), "invalid_request"),
        (format!("{good}&response_mode=fragment"), "invalid_request"),
        (format!("{good}&response_mode=%zz"), "invalid_request"),
        (format!("{good}&request=x"), "request_not_supported"),
        (format!("{good}&request_uri=urn:x"), "request_uri_not_supported"),
        (format!("{good}&resource=urn:nowhere"), "invalid_target"),
        (format!("{good}&state=again"), "invalid_request"),
        (response_type, "unsupported_response_type"),
        (without_pkce, "invalid_request"),
    ];
    let asked = async |query: &str, told: &str| {
        let get = Browser::default().get(&world, &format!("/oauth/authorize?{query}")).await;
        let form = "application/x-www-form-urlencoded";
        let post = world.request("POST", "/oauth/authorize", form, query).await;
        // Without a user, a valid request is redirected to itself.
        let post = match post.status() {
            303 => Browser::default().get(&world, post.location()).await,
            _ => post,
        };
        for answer in [get, post] {
            // The page has the code that the link tells the client.
            assert_warned(&answer, 400, told, told);
        }
    };
    for (query, told) in &broken {
        asked(query, told).await;
    }
    world.sign_in("ada");
    let silent = format!("{good}&prompt=none");
    asked(&silent, "consent_required").await;

    // What others think of it proves nothing: its maker may be one of them.
    world.sign_in("mallory");
    let mut browser = Browser::default();
    let page = world.ask(&mut browser, &world.asking()).await;
    assert!(!browser.answer(&world, &page, "decision=all").await.query("code").is_empty());
    assert!(world.server.client(ID).await.unwrap().is_some());
    world.sign_in("ada");
    asked(&silent, "consent_required").await;
    asked(&broken[2].0, "invalid_scope").await;
    let page = world.ask(&mut browser, &world.asking()).await;
    let denied = browser.answer(&world, &page, "decision=deny").await;
    assert_warned(&denied, 200, "access_denied", "access_denied");
}

#[tokio::test]
async fn a_client_that_a_person_has_let_in_is_told_of_their_no() {
    let world = world(&Web::with(&json!({}))).await;
    let mut browser = Browser::default();
    let asked = page(&world, &mut browser).await;
    browser.answer(&world, &asked, "decision=only&scope=photos:read").await.query("code");

    let again = page(&world, &mut browser).await;
    assert_eq!(again.status(), 200, "the other scope was not granted");
    let denied = browser.answer(&world, &again, "decision=deny").await;
    assert_eq!(denied.query("error"), "access_denied");
    let silent = world.asking().to_url("https://id.example/oauth/authorize").unwrap();
    let silent = silent.replace("https://id.example", "") + "&prompt=none";
    assert_eq!(browser.get(&world, &silent).await.query("error"), "consent_required");

    // Withdrawn, it is a stranger again.
    world.server.revoke_consent("ada", ID).await.unwrap();
    assert_warned(&browser.get(&world, &silent).await, 400, "consent_required", "consent_required");
}

#[tokio::test]
async fn a_document_has_no_name_that_a_registration_could_not_have() {
    let web = Web::default();
    let documents = ClientMetadataDocuments::fetched_by(web.clone()).reserved_names(["Acme"]);
    let world = world_with(documents).await;
    for name in ["The Acme App", "\u{410}cme", "\u{410}dmin"] {
        web.put(&json!({ "client_name": name }));
        assert_refused(&page(&world, &mut Browser::default()).await, 400);
    }
    web.put(&json!({ "client_name": "Photo app" }));
    assert_eq!(page(&world, &mut Browser::default()).await.status(), 200);
}
