//! Clients that describe themselves: from any document to a token.

use std::sync::{Arc, Mutex, PoisonError};

use arbitrary::{Arbitrary, Unstructured};
use bytes::Bytes;
use http::{Request, header};
use quadrille::{
    Authentication,
    form::FormWriter,
    oauth2::{AuthorizationRequest, pkce::Verifier},
    provider::{ClientMetadataDocuments, FetchError, Fetched, Fetcher, store::MemoryStore},
};
use serde_json::{Value, json};
use url::Url;

use crate::{
    block_on,
    nature::Nature,
    world::{Answer, Browser, ISSUER, Process},
};

const IDS: [&str; 8] = [
    "https://app.example/client.json",
    "https://app.example/other.json",
    "https://app.example/",
    "https://app.example/a/../client.json",
    "https://app.example/client.json#x",
    "https://user@app.example/client.json",
    "http://app.example/client.json",
    "https://APP.example/client.json",
];

const URIS: [&str; 14] = [
    "https://app.example/cb",
    "http://127.0.0.1/cb",
    "com.example.app:/cb",
    "a.b:",
    "com.example.app://@",
    "https://x;sandbox/",
    "https://x,y/",
    "http://app.example/cb",
    "editor://callback",
    "javascript:alert(1)",
    "https://user:pass@app.example/",
    "https://app.example/*",
    "",
    "http://localhost/cb",
];

/// The members of a document that have a meaning, with values that have one in some of them.
const MEMBERS: [&str; 10] = [
    "client_id",
    "client_name",
    "redirect_uris",
    "grant_types",
    "response_types",
    "token_endpoint_auth_method",
    "scope",
    "client_secret",
    "client_uri",
    "jwks",
];

#[derive(Arbitrary, Debug)]
enum Document<'a> {
    /// A valid document, with some members replaced.
    Good(Vec<(u8, Member<'a>)>),
    Raw(&'a [u8]),
    Missing(u16),
}

#[derive(Arbitrary, Debug)]
enum Member<'a> {
    None,
    Null,
    Number(i64),
    Text(&'a str),
    Id(u8),
    Uri(u8),
    Uris(Vec<u8>),
    Texts(Vec<&'a str>),
    Scopes(u8),
    Method(u8),
    Grants(u8),
}

impl Member<'_> {
    fn value(&self) -> Option<Value> {
        let pick = |list: &[&'static str], n: u8| list[usize::from(n) % list.len()];
        Some(match self {
            Self::None => return None,
            Self::Null => Value::Null,
            Self::Number(number) => json!(number),
            Self::Text(text) => json!(text),
            Self::Id(number) => json!(pick(&IDS, *number)),
            Self::Uri(number) => json!(pick(&URIS, *number)),
            Self::Uris(many) => json!(many.iter().map(|n| pick(&URIS, *n)).collect::<Vec<_>>()),
            Self::Texts(texts) => json!(texts),
            Self::Scopes(number) => {
                json!(pick(
                    &["read", "read write", "admin", "unknown", "", "read \"", "a\u{e9}"],
                    *number
                ))
            }
            Self::Method(number) => json!(pick(&["none", "client_secret_basic", "x"], *number)),
            Self::Grants(number) => match number % 4 {
                0 => json!(["authorization_code"]),
                1 => json!(["authorization_code", "refresh_token", "implicit"]),
                2 => json!(["refresh_token"]),
                _ => json!([1, null]),
            },
        })
    }
}

#[derive(Clone, Default)]
struct Web(Arc<Mutex<Option<Result<Fetched, FetchError>>>>);

impl Fetcher for Web {
    async fn fetch(&self, _: &Url) -> Result<Fetched, FetchError> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.clone().unwrap_or(Err(FetchError::Unreachable))
    }
}

/// The target `documents`.
pub fn documents(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Ok((id, uri, document)) = <(u8, u8, Document<'_>)>::arbitrary(&mut input) else { return };
    crate::tell(&document);
    let id = if id < 128 { IDS[0] } else { IDS[usize::from(id) % IDS.len()] };
    let uri = URIS[usize::from(uri) % URIS.len()];
    let (fetched, said) = match &document {
        Document::Missing(status) => (Err(FetchError::Status(*status)), None),
        Document::Raw(bytes) => {
            (Ok(Fetched::new(bytes.to_vec())), serde_json::from_slice(bytes).ok())
        }
        Document::Good(members) => {
            let mut good = json!({
                "client_id": id,
                "client_name": "An app",
                "redirect_uris": [URIS[0], URIS[1], URIS[2]],
                "grant_types": ["authorization_code", "refresh_token"],
                "token_endpoint_auth_method": "none",
            });
            for (name, value) in members {
                let name = MEMBERS[usize::from(*name) % MEMBERS.len()];
                match value.value() {
                    Some(value) => good[name] = value,
                    None => {
                        good.as_object_mut().expect("an object").remove(name);
                    }
                }
            }
            (Ok(Fetched::new(good.to_string())), Some(good))
        }
    };
    let is_good = matches!(&document, Document::Good(members) if members.is_empty());
    let flow = Flow { id, uri, said: said.unwrap_or_default(), is_good };
    block_on(flow.run(fetched));
}

struct Flow {
    id: &'static str,
    uri: &'static str,
    /// The content of the document.
    said: Value,
    is_good: bool,
}

impl Flow {
    async fn run(&self, fetched: Result<Fetched, FetchError>) {
        let (nature, web) = (Nature::new(6), Web::default());
        *web.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(fetched);
        let store = MemoryStore::new(nature.env());
        let process = Process::start(store, &nature, |server| {
            server.client_metadata_documents(ClientMetadataDocuments::fetched_by(web))
        });
        let mut browser = Browser::default();
        let signed_out = self.ask(&process, &mut browser, "none").await;
        assert!(signed_out.location().is_none(), "nobody let it in: {signed_out:?}");
        browser.user = Some(Authentication::new("ada", nature.now()));
        let page = self.ask(&process, &mut browser, "").await;
        let Some(ticket) = page.lines("field=ticket=").next() else {
            assert!(page.location().is_none() && page.status >= 400, "{page:?}");
            let is_right =
                self.is_good && self.id == IDS[0] && [0, 1, 2].map(|n| URIS[n]).contains(&self.uri);
            assert!(!is_right, "refused though right: {page:?}");
            return;
        };
        // The page shows only text of the document, and requests use only its URIs.
        assert_eq!(self.said["client_id"], self.id);
        assert!(self.said.get("client_secret").is_none_or(Value::is_null));
        let uris = self.said["redirect_uris"].as_array().expect("some");
        assert!(uris.iter().any(|known| known == self.uri), "{} is not in {uris:?}", self.uri);
        let mut form = FormWriter::new();
        form.append("ticket", ticket).append("decision", "all");
        let answer = browser.post(&process, "/oauth/consent", form.finish()).await;
        let code = answer.parameter(self.uri, "code");
        let code = code.unwrap_or_else(|| panic!("no code: {answer:?}"));
        let answer = self.redeem(&process, &code).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let token = answer.member("access_token").expect("a token");
        let bearer = format!("Bearer {token}");
        let request = Request::get("/here/any").header(header::AUTHORIZATION, bearer);
        let answer = process.send(request.body(Bytes::new()).expect("a token")).await;
        assert_eq!(answer.status, 200);
        assert_eq!(self.redeem(&process, &code).await.status, 400, "redeemed twice");
        let stored = process.server.client(self.id).await.expect("no fault").expect("a client");
        assert!(stored.from_document && stored.secrets.is_empty());
    }

    async fn ask(&self, process: &Process, browser: &mut Browser, prompt: &str) -> Answer {
        let mut request = AuthorizationRequest::new(self.id);
        request.redirect_uri =
            Some(self.uri.into()).filter(|uri: &std::borrow::Cow<'_, str>| !uri.is_empty());
        request.code_challenge = Some(Verifier::from_bytes(&[1; 32]).challenge());
        let url = request.to_url("https://id.example/oauth/authorize").expect("an endpoint");
        let mut path = FormWriter::after_url(url.strip_prefix(ISSUER).expect("its own"));
        path.append_some("prompt", Some(prompt).filter(|prompt| !prompt.is_empty()));
        browser.get(process, &path.finish()).await
    }

    async fn redeem(&self, process: &Process, code: &str) -> Answer {
        let verifier = Verifier::from_bytes(&[1; 32]);
        let mut form = FormWriter::new();
        form.append("grant_type", "authorization_code")
            .append("code", code)
            .append("client_id", self.id)
            .append("redirect_uri", self.uri)
            .append("code_verifier", verifier.expose());
        let request = Request::post("/oauth/token")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Bytes::from(form.finish()));
        process.send(request.expect("a request")).await
    }
}
