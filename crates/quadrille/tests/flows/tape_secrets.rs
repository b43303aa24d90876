//! Secrets that a tape learns late, values of which it does not know whether they are secrets, and runs
//! without the token to record with.

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{Request, Response};
use quadrille::{
    GitHub,
    testing::{Tape, TapeError, TapeMode},
    transport::{Body, HttpClient, NetworkError, Purpose, SendError},
};
use serde_json::json;

const SECRET: &str = "uNkNoWnCaNaRy0123456789abcdef";
const URL: &str = "https://api.github.com/user";

/// A network that answers each request with the next of these bodies, and fails after the last.
#[derive(Clone, Default)]
struct Answers {
    bodies: Arc<Vec<Vec<u8>>>,
    asked: Arc<AtomicUsize>,
}

impl Answers {
    fn with(bodies: &[&str]) -> Self {
        let bodies = bodies.iter().map(|body| body.as_bytes().to_vec()).collect();
        Self { bodies: Arc::new(bodies), asked: Arc::default() }
    }
}

impl HttpClient for Answers {
    async fn send(&self, _: Request<Body>, _: Purpose) -> Result<Response<Body>, NetworkError> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst);
        let body = self.bodies.get(number).ok_or(NetworkError::Connect)?;
        Ok(Response::new(Body::from(Bytes::from(body.clone()))))
    }
}

struct Shelf {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl Shelf {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { path: folder.path().join("one.json"), _folder: folder }
    }

    fn open(&self, mode: TapeMode) -> Tape {
        Tape::open_as(&self.path, mode).unwrap()
    }

    /// The file, empty if there is none.
    fn text(&self) -> String {
        fs::read_to_string(&self.path).unwrap_or_default()
    }
}

async fn call(tape: &Tape, url: &str, token: Option<&str>) -> Result<(), SendError> {
    let mut request = Request::get(url);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let request = request.body(Body::from(Bytes::new())).unwrap();
    tape.send_with_cause(request, Purpose::Api).await.map(|_| ())
}

#[tokio::test]
async fn a_value_that_is_known_later_is_replaced_in_the_exchanges_before() {
    let shelf = Shelf::new();
    let first = json!({ "note": SECRET, SECRET: 1 }).to_string();
    let answers = Answers::with(&[&first, "{}"]);
    let tape = shelf.open(TapeMode::Record).over(answers);
    call(&tape, URL, None).await.unwrap();
    assert!(shelf.text().contains(SECRET), "nothing says that it is a secret");
    call(&tape, URL, Some(SECRET)).await.unwrap();
    let text = shelf.text();
    assert!(!text.contains(SECRET) && text.contains("\"note\": \"tape-access_token-1\""), "{text}");
    shelf.open(TapeMode::ReplayOrFail);
}

#[tokio::test]
async fn an_exchange_with_a_disguised_value_that_is_known_later_is_taken_off_the_file() {
    let shelf = Shelf::new();
    let hidden = BASE64_STANDARD.encode(format!("x:{SECRET}"));
    let first = json!({ "note": format!("v1+{hidden}") }).to_string();
    let tape = shelf.open(TapeMode::Record).over(Answers::with(&[&first, "{}", "{}"]));
    call(&tape, URL, None).await.unwrap();
    let error = call(&tape, "https://api.github.com/gists", Some(SECRET)).await.unwrap_err();
    assert_eq!(error.reason, NetworkError::Connect);
    let errors = tape.take_errors();
    let [TapeError::SecretLeft { exchange: 1, member, request, .. }] = &errors[..] else {
        panic!("{errors:?}")
    };
    assert_eq!(
        (&**member, &**request),
        ("response.body.json.note", "GET https://api.github.com/user")
    );
    let text = shelf.text();
    assert!(!text.contains(&hidden) && text.contains("https://api.github.com/gists"), "{text}");
    call(&tape, URL, Some(SECRET)).await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn a_tape_is_readable_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let shelf = Shelf::new();
    let tape = shelf.open(TapeMode::Record).over(Answers::with(&["{}"]));
    call(&tape, URL, None).await.unwrap();
    assert_eq!(fs::metadata(&shelf.path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_random_value_under_a_common_name_is_an_error_that_a_declaration_ends() {
    let shelf = Shelf::new();
    let body = json!({ "keys": [{ "key": SECRET }] }).to_string();
    let in_body = (URL.to_owned(), &*body, "response.body.json.keys.0.key");
    let in_url = (format!("{URL}?key={SECRET}"), "{}", "request.url");
    for (url, body, member) in [in_body, in_url] {
        let record = || shelf.open(TapeMode::Record).over(Answers::with(&[body]));
        let tape = record();
        call(&tape, &url, None).await.unwrap_err();
        let errors = tape.take_errors();
        let [error @ TapeError::Unclear { member: found, .. }] = &errors[..] else {
            panic!("{errors:?}")
        };
        assert_eq!(found, member);
        let said = error.to_string();
        assert!(said.contains("Tape::public(\"key\")") && !said.contains(SECRET), "{said}");
        assert_eq!(shelf.text(), "");

        let tape = record().secret("deploy_key", SECRET);
        call(&tape, &url, None).await.unwrap();
        assert!(!shelf.text().contains(SECRET), "{}", shelf.text());

        let tape = record().public("key");
        call(&tape, &url, None).await.unwrap();
        assert!(shelf.text().contains(SECRET));
        call(&shelf.open(TapeMode::ReplayOrFail), &url, None).await.unwrap();
        fs::remove_file(&shelf.path).unwrap();
    }
}

#[tokio::test]
async fn data_under_the_name_of_a_secret_is_written_if_the_name_is_declared() {
    let shelf = Shelf::new();
    let body = json!({ "next_token": "page-two" }).to_string();
    let record = || shelf.open(TapeMode::Record).over(Answers::with(&[&body]));
    call(&record(), URL, None).await.unwrap();
    assert!(shelf.text().contains("tape-next_token-1"));
    call(&record().public("next_token"), URL, None).await.unwrap();
    assert!(shelf.text().contains("\"next_token\": \"page-two\""), "{}", shelf.text());
    // The file has the declaration, so that it is read without one.
    call(&shelf.open(TapeMode::ReplayOrFail), URL, None).await.unwrap();
}

#[tokio::test]
async fn a_run_without_the_token_to_record_with_sends_and_records_nothing() {
    let shelf = Shelf::new();
    let answers = Answers::with(&[r#"{"message":"Bad credentials"}"#]);
    let tape = shelf.open(TapeMode::Replay).over(answers.clone());
    let github = tape.linked(GitHub::new("our-id", "our-secret"), tape.token("NOT_SET")).await;
    github.get::<serde_json::Value>("user").await.unwrap_err();
    let errors = tape.take_errors();
    let [error @ TapeError::Placeholder { .. }] = &errors[..] else { panic!("{errors:?}") };
    let said = format!(
        "set NOT_SET to an access token, to record GET https://api.github.com/user on the tape {}: the \
         request has a placeholder as its credentials",
        shelf.path.display()
    );
    assert_eq!(error.to_string(), said);
    assert_eq!((answers.asked.load(Ordering::SeqCst), shelf.path.exists()), (0, false));
}

#[tokio::test]
async fn a_network_that_does_not_answer_is_told_with_the_tape_that_lacks_the_exchange() {
    let shelf = Shelf::new();
    let tape = shelf.open(TapeMode::Replay).over(Answers::default());
    let error = call(&tape, URL, Some(SECRET)).await.unwrap_err();
    assert_eq!(error.reason, NetworkError::Connect);
    let errors: Vec<_> = tape.take_errors().iter().map(ToString::to_string).collect();
    let said = format!(
        "the tape {} lacks the exchange GET https://api.github.com/user; QUADRILLE_TAPE=record records the \
         tape again; the network: no connection",
        shelf.path.display()
    );
    assert_eq!(errors, [said]);
}
