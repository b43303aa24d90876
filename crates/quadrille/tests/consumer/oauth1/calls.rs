//! Calls beyond the simple ones, signed.

use bytes::Bytes;
use http::{Method, Response};
use quadrille::{
    Linked, Login, Owner,
    consumer::{
        Account, Begin, Jar, MemoryStorage, Multipart, OperatorError, Part, Protocol, Token,
    },
    oauth1::Placement,
    transport::{Body, Purpose},
};
use serde_json::{Value, json};

use super::{Library, World, client};

/// An account at the library, without a browser.
async fn account(world: &World, placement: Placement) -> (Login, Linked<Library>) {
    let client = client().with_spec(|spec| {
        if let Protocol::OAuth1(oauth1) = &mut spec.protocol {
            oauth1.placement = placement;
        }
    });
    let login = world.login_as(client).storage(MemoryStorage::new());
    let jar = Jar::new(&http::HeaderMap::new());
    let owner = Owner::user(1);
    let url = login.begin(&jar, &Begin::new("library").owner(&owner)).await.unwrap();
    let query = world.service.consent(&url, 7).unwrap();
    let jar = Jar::new(&crate::library::carry(&jar));
    let done = login.finish(&jar, "library", &query, &owner).await.unwrap();
    let linked = login.linked::<Library>(&done.account).await.unwrap();
    (login, linked)
}

#[tokio::test]
async fn a_form_with_files_is_signed_as_a_body_and_not_as_a_form() {
    for placement in [Placement::Header, Placement::Query, Placement::Body] {
        let world = World::new();
        let (_, library) = account(&world, placement).await;
        let send = async |content: Body| {
            let file = Part::new(content).file_name("a.txt", "text/plain");
            let form = Multipart::new().text("a b", "c&d=e").part("file", file);
            library.request(Method::POST, "books").multipart_body(form).json::<Value>().await
        };
        let echo = send(Bytes::from("whole").into()).await.unwrap();
        assert!(echo["body"].as_str().unwrap().contains("\r\n\r\nc&d=e\r\n"), "{placement:?}");
        assert!(echo["body_hash"].is_string(), "{placement:?}");
        let stream = Body::stream(Body::from(Bytes::from("streamed")));
        let echo = send(stream).await.unwrap();
        assert!(echo["body"].as_str().unwrap().contains("\r\n\r\nstreamed\r\n"), "{placement:?}");
        assert_eq!(echo["body_hash"], Value::Null, "its digest is not known yet");
    }
}

#[tokio::test]
async fn a_token_of_the_caller_signs_with_its_own_secret() {
    let world = World::new();
    let (login, library) = account(&world, Placement::Header).await;
    let token = library.access_token().await.unwrap();
    let secret = library.token_secret().await.unwrap().unwrap();
    let own = || Token::new(token.expose());
    let api = login.api("library", own().token_secret(secret.expose())).await.unwrap();
    assert_eq!(api.get::<Value>("x").await.unwrap()["path"], "/api/x");
    let wrong = library.with_token(own().token_secret("another"));
    assert_eq!(wrong.get::<Value>("x").await.unwrap_err().code(), "api_error");
    let before = world.service.asked().len();
    let missing = OperatorError::TokenSecretMissing;
    assert_eq!(library.with_token(own()).get::<Value>("x").await, Err(missing.into()));
    assert_eq!(world.service.asked().len(), before, "nothing was sent");
    let account = Account { owner: Owner::NOBODY, service: "library".into(), subject: "".into() };
    assert!(login.linked::<Library>(&account).await.is_err(), "nothing was stored");
}

#[tokio::test]
async fn each_page_is_signed_for_its_own_url() {
    for placement in [Placement::Header, Placement::Query] {
        let world = World::new();
        let (_, library) = account(&world, placement).await;
        let page = |link: &str| {
            let answer = Response::builder().header("link", link).body(Bytes::from("{}")).unwrap();
            world.service.answers_next_with(Purpose::Api, answer);
        };
        page("<?page=2&q=a%20b>; rel=next");
        let call = library.request(Method::GET, "books").query("q", "a b");
        let mut pages = call.pages::<Value>();
        assert_eq!(pages.next().await.unwrap().unwrap(), json!({}));
        // The service checks the signature of this one.
        let echo = pages.next().await.unwrap().unwrap();
        assert_eq!(echo["path"], "/api/books", "{placement:?}");
        assert!(echo["query"].as_str().unwrap().starts_with("page=2&q=a%20b"), "{placement:?}");
        assert!(pages.next().await.is_none());
    }
}
