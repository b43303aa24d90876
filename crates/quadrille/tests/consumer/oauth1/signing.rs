//! How requests are signed: by each method, in each place, with every option.

use std::pin::Pin;

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use quadrille::{
    Error, KeyRing, Linked, Login, Owner, Service, Spec,
    consumer::{
        Account, Begin, Client, Jar, MemoryStorage, OperatorError, Protocol, ServiceError, Token,
    },
    oauth1::{Placement, SignatureMethod},
    transport::{Body, NetworkError, Purpose},
};
use serde_json::{Value, json};

use super::{Library, RSA_KEY, RSA_PKCS1, World, client};
use crate::support::{SECRET, SITE};

fn methods() -> Vec<SignatureMethod> {
    let mut all = vec![
        SignatureMethod::HmacSha1,
        SignatureMethod::HmacSha256,
        SignatureMethod::HmacSha512,
        SignatureMethod::RsaSha256,
        SignatureMethod::RsaSha512,
        SignatureMethod::Plaintext,
    ];
    if cfg!(feature = "rsa-sha1") {
        all.push(SignatureMethod::RsaSha1);
    }
    all
}

fn client_with(method: SignatureMethod, placement: Placement) -> Client<Library> {
    let client = match method.is_rsa() {
        true => Library::client_with_key("our-key", RSA_KEY),
        false => client(),
    };
    client.with_spec(|spec| {
        if let Protocol::OAuth1(oauth1) = &mut spec.protocol {
            oauth1.signature_method = method;
            oauth1.placement = placement;
        }
    })
}

/// An account at the library, without a browser.
async fn account(world: &World, client: Client<Library>) -> quadrille::Result<Linked<Library>> {
    let login = world.login_as(client).storage(MemoryStorage::new());
    let jar = Jar::new(&http::HeaderMap::new());
    let owner = Owner::user(1);
    let url = login.begin(&jar, &Begin::new("library").owner(&owner)).await?;
    let query = world.service.consent(&url, 7).expect("a right request");
    let jar = Jar::new(&crate::library::carry(&jar));
    let done = login.finish(&jar, "library", &query, &owner).await?;
    login.linked::<Library>(&done.account).await
}

#[tokio::test]
async fn a_login_and_its_calls_by_every_method_in_every_place() {
    for method in methods() {
        for placement in [Placement::Header, Placement::Query, Placement::Body] {
            let world = World::new();
            let what = format!("{method:?} {placement:?}");
            let library = account(&world, client_with(method, placement)).await;
            let library = library.unwrap_or_else(|error| panic!("{what}: {error}"));
            let echo: Value = library
                .request(Method::GET, ["a b", "ü"])
                .query("q", "a+b & c=d %41 ü")
                .query("empty", "")
                .query("q", "again")
                .json()
                .await
                .unwrap();
            assert_eq!(echo["signature_method"], method.as_str(), "{what}");
            let form = library.request(Method::POST, "form");
            let form = form.form_body([("b c", "d&e+f"), ("a", ""), ("b c", "ü")]);
            let echo: Value = form.json().await.unwrap();
            let body = echo["body"].as_str().unwrap();
            assert!(body.starts_with("b+c=d%26e%2Bf&a=&b+c=%C3%BC"), "{what}: {body}");
            assert_eq!(body.contains("oauth_signature="), placement == Placement::Body, "{what}");
            let echo: Value = library.post("json", &json!({ "a": 1 })).await.unwrap();
            // PLAINTEXT signs nothing.
            let hashed = method != SignatureMethod::Plaintext;
            assert_eq!(echo["body_hash"].is_string(), hashed, "{what}: {echo}");
            let calls = world.service.asked();
            for asked in &calls {
                let header = asked.request.headers().get("authorization").is_some();
                let query = asked.request.uri().query().unwrap_or("").contains("oauth_signature=");
                match placement {
                    Placement::Header => assert!(header && !query, "{what}"),
                    Placement::Query => assert!(query && !header, "{what}"),
                    Placement::Body => assert!(!query, "{what}"),
                }
            }
        }
    }
}

#[tokio::test]
async fn a_token_without_a_secret_signs_nothing() {
    let world = World::new();
    let storage = MemoryStorage::everyone_has("library", Token::new("of-another-time"));
    let login = world.login().storage(storage);
    let account = Account { owner: Owner::NOBODY, service: "library".into(), subject: "".into() };
    let library = login.linked::<Library>(&account).await.unwrap();
    let missing = OperatorError::TokenSecretMissing;
    assert_eq!(library.get::<Value>("me").await, Err(missing.into()));
    assert!(
        world.service.asked().is_empty(),
        "nothing is sent with a signature by an empty secret"
    );
}

#[tokio::test]
async fn a_key_is_taken_as_text_in_either_form_and_from_a_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), RSA_PKCS1).unwrap();
    let escaped = RSA_KEY.replace('\n', "\\n");
    for key in [RSA_KEY, RSA_PKCS1, &escaped, file.path().to_str().unwrap()] {
        let world = World::new();
        let keyed = Library::client_with_key("our-key", key).with_spec(|spec| {
            if let Protocol::OAuth1(oauth1) = &mut spec.protocol {
                oauth1.signature_method = SignatureMethod::RsaSha256;
            }
        });
        assert!(account(&world, keyed).await.is_ok());
    }
}

#[test]
fn a_wrong_configuration_is_named_at_start() {
    let check = |client: Client<Library>| {
        let error = Login::new(KeyRing::ephemeral(), SITE).with(client).check().err();
        error.map(|error| error.code())
    };
    let rsa = |client: Client<Library>| {
        client.with_spec(|spec| {
            if let Protocol::OAuth1(oauth1) = &mut spec.protocol {
                oauth1.signature_method = SignatureMethod::RsaSha256;
            }
        })
    };
    let temporary = |url: &'static str| {
        client().with_spec(|spec| {
            if let Protocol::OAuth1(oauth1) = &mut spec.protocol {
                oauth1.temporary = url.into();
            }
        })
    };
    let keyed = |key: &str| Library::client_with_key("our-key", key);
    for (client, expected) in [
        (client(), None),
        (rsa(keyed(RSA_KEY)), None),
        (rsa(client()), Some("credential_mismatch")),
        (keyed(RSA_KEY), Some("credential_mismatch")),
        (Library::public_client("our-key"), Some("credential_mismatch")),
        (rsa(keyed("/no/such/file.pem")), Some("signing_key_unusable")),
        (rsa(keyed("")), Some("signing_key_unusable")),
        (rsa(keyed(&RSA_KEY[..400])), Some("signing_key_unusable")),
        (rsa(keyed(include_str!("rsa-public.pem"))), Some("signing_key_unusable")),
        (temporary("http://library.example/request"), Some("endpoint_malformed")),
        (temporary("/request"), Some("endpoint_malformed")),
    ] {
        assert_eq!(check(client), expected);
    }
    let github = quadrille::GitHub::client_with_key("id", RSA_KEY);
    let error = Login::new(KeyRing::ephemeral(), SITE).with(github).check().unwrap_err();
    assert_eq!(error, OperatorError::CredentialMismatch { service: "github".into() }.into());
}

/// A service with every peculiarity that a row can say.
struct Odd;

impl Service for Odd {
    const SPEC: Spec = Spec::oauth1(
        "odd",
        "https://odd.example/request?tenant=a%20b",
        "https://odd.example/authorize?tenant=a%20b",
        "https://odd.example/access",
        "https://odd.example/api/",
    )
    .title("Odd")
    .realm("the odd one")
    .parameters(&[("lang", "en & fr")])
    .temporary_parameters(&[("x_auth_access_type", "read")])
    .temporary_headers(&[("x-temporary", "1")])
    .token_parameters(&[("x_token", "a b")])
    .token_headers(&[("x-token", "2")])
    .without_body_hash_because_the_service_fails_with_it()
    .build();
}

#[tokio::test]
async fn what_a_services_row_says_is_what_is_asked() {
    for by_get in [false, true] {
        let world = World::new();
        let client = Odd::client("our-key", SECRET).with_spec(|spec| {
            if let Protocol::OAuth1(oauth1) = &mut spec.protocol {
                oauth1.credentials_by_get = by_get;
            }
        });
        let login = Login::new(KeyRing::ephemeral(), SITE)
            .with(client)
            .storage(MemoryStorage::new())
            .http(world.service.clone());
        let jar = Jar::new(&http::HeaderMap::new());
        let url = login.begin(&jar, &Begin::new("odd").owner(&Owner::user(1))).await.unwrap();
        let expected = "https://odd.example/authorize?tenant=a%20b&lang=en+%26+fr&oauth_token=";
        assert!(url.starts_with(expected), "{url}");
        let query = world.service.consent(&url, 7).unwrap();
        let jar = Jar::new(&crate::library::carry(&jar));
        let done = login.finish(&jar, "odd", &query, &Owner::user(1)).await.unwrap();
        assert_eq!(&*done.account.subject, "", "nothing says who it is");
        let odd = login.linked::<Odd>(&done.account).await.unwrap();
        let echo: Value = odd.post("x", &json!({})).await.unwrap();
        assert_eq!(echo["body_hash"], Value::Null);

        let asked = world.service.asked();
        let [temporary, token, call] = asked.as_slice() else { panic!("{asked:?}") };
        let method = if by_get { "GET" } else { "POST" };
        assert_eq!(temporary.request.method(), method);
        assert_eq!(temporary.request.headers()["x-temporary"], "1");
        assert_eq!(token.request.headers()["x-token"], "2");
        let uri = temporary.request.uri().to_string();
        let (query, body) =
            if by_get { ("&x_auth_access_type=read", "") } else { ("", "x_auth_access_type=read") };
        assert_eq!(uri, format!("https://odd.example/request?tenant=a%20b{query}"));
        assert_eq!(temporary.request.body(), body);
        let body = if by_get { "" } else { "x_token=a+b" };
        assert_eq!(token.request.body(), body);
        for asked in [temporary, token, call] {
            let header = asked.request.headers()["authorization"].to_str().unwrap();
            assert!(header.starts_with("OAuth realm=\"the odd one\","), "{header}");
        }
    }
}

#[tokio::test]
async fn each_try_is_signed_anew_and_never_for_another_origin() {
    let world = World::new();
    let library = account(&world, client()).await.unwrap();
    let redirect = |status: u16, to: &str| {
        Response::builder().status(status).header("location", to).body(Bytes::new()).unwrap()
    };
    world.service.answers_next_with(Purpose::Api, redirect(307, "/api/moved?page=2"));
    let echo: Value = library.post("things", &json!({"a": 1})).await.unwrap();
    assert_eq!((&echo["path"], &echo["query"]), (&json!("/api/moved"), &json!("page=2")));
    world.service.answers_next_with(Purpose::Api, redirect(303, "/api/made"));
    let form = library.request(Method::POST, "things").form_body([("a", "1")]);
    let echo: Value = form.json().await.unwrap();
    assert_eq!((&echo["method"], &echo["body"]), (&json!("GET"), &json!("")));
    world.service.answers_next_with(Purpose::Api, redirect(302, "https://evil.example/"));
    let before = world.service.asked().len();
    let redirected = Error::Service { service: "library".into(), error: ServiceError::Redirected };
    assert_eq!(library.get::<Value>("x").await.unwrap_err(), redirected);
    assert_eq!(world.service.asked().len(), before + 1);
    let error = library.get::<Value>("https://evil.example/").await.unwrap_err();
    assert_eq!(error, OperatorError::ForeignOrigin.into());
    let elsewhere = library.request(Method::GET, "https://uploads.library.example/x");
    elsewhere.send_token_to_another_origin().send().await.unwrap();
}

#[tokio::test]
async fn a_refused_signature_is_an_error_of_the_api_and_nothing_is_tried_again() {
    let world = World::new();
    let library = account(&world, client()).await.unwrap();
    let before = world.service.asked().len();
    world.service.answers_next(
        Purpose::Api,
        StatusCode::UNAUTHORIZED,
        "oauth_problem=signature_invalid",
    );
    let error = library.get::<Value>("me").await.unwrap_err();
    let Error::Api { status, body, .. } = error else { panic!("{error:?}") };
    assert_eq!(
        (status, &body[..]),
        (StatusCode::UNAUTHORIZED, &b"oauth_problem=signature_invalid"[..])
    );
    assert_eq!(world.service.asked().len(), before + 1);
}

/// A stream of two pieces.
struct Pieces(u8);

impl futures_core::Stream for Pieces {
    type Item = Result<Bytes, NetworkError>;
    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.0 += 1;
        std::task::Poll::Ready((self.0 <= 2).then(|| Ok(Bytes::from(format!("piece={};", self.0)))))
    }
}

#[tokio::test]
async fn a_body_that_streams_is_not_signed_and_a_form_may_not_stream() {
    for placement in [Placement::Header, Placement::Query, Placement::Body] {
        let world = World::new();
        let client = client_with(SignatureMethod::HmacSha1, placement);
        let library = account(&world, client).await.unwrap();
        let upload = || library.request(Method::PUT, "upload").body(Body::stream(Pieces(0)));
        let echo: Value = upload().json().await.unwrap();
        assert_eq!(echo["body"], "piece=1;piece=2;", "{placement:?}");
        assert_eq!(echo["body_hash"], Value::Null, "its digest is not known yet");
        let before = world.service.asked().len();
        let form = upload().header("content-type", "application/x-www-form-urlencoded");
        assert_eq!(form.send().await.unwrap_err(), OperatorError::CallMalformed.into());
        assert_eq!(world.service.asked().len(), before, "nothing was sent");
    }
}
