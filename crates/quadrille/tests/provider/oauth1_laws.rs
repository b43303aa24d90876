//! What holds at an API for all signed requests: those of ours are let in however they are written,
//! once, and any that was changed is not, and uses nothing up.

use axum::{Router, body::Body, routing::any};
use bytes::Bytes;
use http::{Request, header};
use proptest::{collection::vec, option, prelude::*, sample};
use quadrille::{
    form::FormWriter,
    guard::{Access, Guard},
    oauth1::{Placement, SignatureMethod},
};
use tower::ServiceExt as _;

use crate::{
    oauth1_support::{SECRET, Signing, problem, to_server, world},
    support::{Answer, ISSUER, Photos},
};

const FORM: &str = "application/x-www-form-urlencoded";

type Pairs = Vec<(String, String)>;

/// What is signed, how, and where its parameters stand.
#[derive(Clone, Debug)]
struct Asked {
    verb: &'static str,
    query: Pairs,
    form: Option<Pairs>,
    method: SignatureMethod,
    placement: Placement,
}

/// What somebody on the way makes of it.
#[derive(Clone, Copy, Debug)]
enum Change {
    Verb,
    NewParameter,
    NoParameter,
    OtherValue,
}

fn pairs() -> impl Strategy<Value = Pairs> {
    let name = "[^\u{0}]{1,8}".prop_filter("of the protocol", |name| !name.starts_with("oauth_"));
    vec((name, "[^\u{0}]{0,12}"), 0..4)
}

prop_compose! {
    fn asked()(
        verb in sample::select(vec!["GET", "POST", "PUT"]),
        query in pairs(),
        form in option::of(pairs()),
        method in sample::select(vec![
            SignatureMethod::HmacSha1,
            SignatureMethod::HmacSha256,
            SignatureMethod::HmacSha512,
        ]),
        placement in sample::select(vec![Placement::Header, Placement::Query, Placement::Body]),
    ) -> Asked {
        // Only a form has room for parameters.
        let form = form.or_else(|| (placement == Placement::Body).then(Vec::new));
        Asked { verb, query, form, method, placement }
    }
}

fn change() -> impl Strategy<Value = Change> {
    use Change::{NewParameter, NoParameter, OtherValue, Verb};
    sample::select(vec![Verb, NewParameter, NoParameter, OtherValue, OtherValue])
}

impl Asked {
    fn unsigned(&self) -> Request<Bytes> {
        let write = |pairs: &Pairs| {
            let mut out = FormWriter::new();
            for (name, value) in pairs {
                out.append(name, value);
            }
            out.finish()
        };
        let separator = if self.query.is_empty() { "" } else { "?" };
        let target = format!("{ISSUER}/api/echo{separator}{}", write(&self.query));
        let mut request = Request::builder().method(self.verb).uri(target);
        if self.form.is_some() {
            request = request.header(header::CONTENT_TYPE, FORM);
        }
        request.body(self.form.as_ref().map(write).unwrap_or_default().into()).unwrap()
    }
}

/// A request with what can be written in other ways, or changed: its query, form and header.
#[derive(Clone, Debug)]
struct Written {
    request: Request<Bytes>,
    query: Vec<String>,
    form: Vec<String>,
    header: Vec<String>,
}

impl Written {
    fn of(request: Request<Bytes>) -> Self {
        let split = |text: &str, separator: &str| -> Vec<String> {
            let parts = text.split(separator).filter(|part| !part.is_empty());
            parts.map(str::to_owned).collect()
        };
        let authorization = request.headers().get(header::AUTHORIZATION);
        let header = authorization.map_or("", |value| value.to_str().unwrap());
        Self {
            query: split(request.uri().query().unwrap_or(""), "&"),
            form: split(std::str::from_utf8(request.body()).unwrap(), "&"),
            header: split(header.trim_start_matches("OAuth "), ", "),
            request,
        }
    }

    fn lists(&mut self) -> [&mut Vec<String>; 3] {
        [&mut self.query, &mut self.form, &mut self.header]
    }

    /// In another order, and with every character percent-encoded that may be.
    fn rewritten(mut self, by: usize) -> Self {
        for list in self.lists() {
            let len = list.len().max(1);
            list.rotate_left(by % len);
        }
        for pair in self.query.iter_mut().chain(&mut self.form) {
            *pair = pair.split('=').map(encoded).collect::<Vec<_>>().join("=");
        }
        self
    }

    fn changed(mut self, change: Change, at: sample::Index) -> Self {
        let total: usize = self.lists().iter().map(|list| list.len()).sum();
        let mut at = at.index(total);
        match change {
            Change::Verb => {
                let other = if self.request.method() == "PUT" { "POST" } else { "PUT" };
                *self.request.method_mut() = other.parse().unwrap();
            }
            Change::NewParameter => self.query.push("added=1".to_owned()),
            Change::NoParameter | Change::OtherValue => {
                for list in self.lists() {
                    if at >= list.len() {
                        at -= list.len();
                        continue;
                    }
                    let pair = list.remove(at);
                    if matches!(change, Change::OtherValue) {
                        list.insert(
                            at,
                            match pair.strip_suffix('"') {
                                Some(quoted) => format!("{quoted}x\""),
                                None => pair + "x",
                            },
                        );
                    }
                    break;
                }
            }
        }
        self
    }

    fn request(&self) -> Request<Body> {
        let mut request = self.request.clone();
        let separator = if self.query.is_empty() { "" } else { "?" };
        let target = format!("{ISSUER}/api/echo{separator}{}", self.query.join("&"));
        *request.uri_mut() = target.parse().unwrap();
        *request.body_mut() = self.form.join("&").into();
        if !self.header.is_empty() {
            let header = format!("OAuth {}", self.header.join(", "));
            request.headers_mut().insert(header::AUTHORIZATION, header.parse().unwrap());
        }
        to_server(request, ISSUER)
    }
}

fn encoded(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match char {
            '%' => {
                out.push('%');
                out.extend(chars.by_ref().take(2).map(|digit| digit.to_ascii_lowercase()));
            }
            '+' => out.push_str("%20"),
            char if char.is_ascii_alphanumeric() => {
                out.push_str(&format!("%{:02x}", u32::from(char)));
            }
            char => out.push(char),
        }
    }
    out
}

async fn echo(_: Access<Photos>, body: Bytes) -> Bytes {
    body
}

#[test]
fn a_signed_request_is_let_in_once_however_it_is_written_and_a_changed_one_uses_nothing_up() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (world, token) = runtime.block_on(async {
        let world = world().await;
        let token = Signing::new(&world).linked(&world, "ada").await;
        (world, token)
    });
    let routes = || Router::new().route("/api/echo", any(echo));
    let apps = [world.server.attach(routes()), routes().layer(Guard::new(&world.server))];
    let send = |request: Request<Body>, guarded: bool| {
        runtime.block_on(async {
            let response = apps[usize::from(guarded)].clone().oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            Answer::of(http::Response::from_parts(parts, body))
        })
    };
    let cases = ProptestConfig { cases: 256, failure_persistence: None, ..Default::default() };
    proptest!(cases, |(
        asked in asked(), change in change(), at: sample::Index, by in 0..8usize, guarded: bool,
    )| {
        // Whoever was refused often has to wait.
        world.clock.advance(std::time::Duration::from_secs(600));
        let signing = Signing::by(&world, asked.method, SECRET).with(&token);
        let signing = signing.placed(asked.placement);
        let signed = signing.signer.sign(&world.env, asked.unsigned(), &[]).unwrap();
        let written = Written::of(signed);

        let refused = send(written.clone().changed(change, at).request(), guarded);
        prop_assert!(matches!(refused.status(), 400 | 401), "{refused:?}");
        let rewritten = written.clone().rewritten(by);
        let let_in = send(rewritten.request(), guarded);
        prop_assert_eq!(let_in.status(), 200, "{:?}", let_in);
        prop_assert_eq!(let_in.text(), rewritten.form.join("&"), "the handler gets the body whole");
        let again = send(written.request(), !guarded);
        prop_assert_eq!((again.status(), problem(&again)), (401, "nonce_used".to_owned()));
    });
}
