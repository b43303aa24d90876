//! Which bodies a signature covers, and that nothing else is read behind it.

use aws_lc_rs::hmac;
use axum::{
    Router,
    body::Body,
    extract::Form,
    routing::{any, post},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderValue, Request, header, request::Parts};
use quadrille::{
    guard::{Access, Guard},
    oauth1::{Credentials, Placement, SignedRequest, percent_encode},
};
use tower::ServiceExt as _;

use crate::{
    oauth1_support::{SECRET, Signing, problem, world},
    support::{Answer, ISSUER, World},
};

const FORM: &str = "application/x-www-form-urlencoded";

#[derive(serde::Deserialize)]
struct Transfer {
    to: String,
}

/// Reads a form as liberally as anybody: whatever its type.
async fn transfer(_: Access, body: Bytes) -> String {
    let text = String::from_utf8_lossy(&body).into_owned();
    text.strip_prefix("to=").unwrap_or_default().to_owned()
}

fn apps(world: &World) -> [Router; 2] {
    fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
        Router::new()
            .route("/transfer", post(transfer))
            .route("/form", post(async |_: Access, Form(form): Form<Transfer>| form.to))
            .route("/json", any(async |_: Access, body: Bytes| body))
            .route(
                "/maybe",
                any(async |access: Option<Access>, body: Bytes| {
                    format!("{} {}", access.is_some(), body.len())
                }),
            )
            .route("/open", any(async |body: Bytes| body.len().to_string()))
    }
    [world.server.attach(routes()), routes().layer(Guard::new(&world.server))]
}

async fn send(app: &Router, request: Request<Body>) -> Answer {
    let response = app.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    Answer::of(http::Response::from_parts(parts, body))
}

async fn signing(world: &World) -> Signing {
    let token = Signing::new(world).linked(world, "ada").await;
    Signing::new(world).with(&token)
}

/// What is signed in this test is signed by hand: no signer of ours signs it.
fn signature(base: &str, token: &Credentials) -> String {
    let key = format!("{}&{}", percent_encode(SECRET), percent_encode(token.secret.expose()));
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    BASE64_STANDARD.encode(hmac::sign(&key, base.as_bytes()))
}

#[tokio::test]
async fn a_form_that_was_moved_to_the_query_is_not_replaced_by_another_body() {
    let world = world().await;
    let signing = signing(&world).await;
    for app in apps(&world) {
        for path in ["/transfer", "/form"] {
            for types in [
                &[&b"application/x-www-form-urlencodedx"[..]][..],
                &[b"application/x-www-form-urlencoded-x; charset=utf-8"],
                &[b"application/x-www-form-urlencoded", b"text/plain"],
                &[b"text/plain", b"application/x-www-form-urlencoded"],
                &[b"application/x-www-form-urlencoded", b"application/x-www-form-urlencoded"],
                &[b"application/x-www-form-urlencoded, text/plain"],
                &[b"text/plain, application/x-www-form-urlencoded"],
                &[b"application/x-www-form-urlencoded;charset=\xe9"],
                &[b"application/x-www-form-urlencoded\xff"],
                &[b"APPLICATION/X-WWW-FORM-URLENCODEDX"],
                &[b"text/plain; x=application/x-www-form-urlencoded"],
                &[b""],
                &[],
            ] {
                for placement in [Placement::Header, Placement::Query] {
                    let signing = signing.placed(placement);
                    let request = signing.request(&world, "POST", path, Some("to=bob"), &[]);
                    let (mut parts, _) = request.into_parts();
                    let query = parts.uri.query().unwrap_or_default();
                    parts.uri = format!("{path}?{query}&to=bob").parse().unwrap();
                    parts.headers.remove(header::CONTENT_TYPE);
                    for value in types {
                        let value = HeaderValue::from_bytes(value).unwrap();
                        parts.headers.append(header::CONTENT_TYPE, value);
                    }
                    let request = Request::from_parts(parts, Body::from("to=mallory"));
                    let answer = send(&app, request).await;
                    let found = (answer.status(), problem(&answer));
                    assert_eq!(found, (400, "parameter_rejected".to_owned()), "{types:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_form_by_any_of_its_names_is_covered() {
    let world = world().await;
    let signing = signing(&world).await;
    for app in apps(&world) {
        for content_type in [FORM, "Application/X-WWW-Form-Urlencoded ; charset=UTF-8"] {
            let form = |body: &'static str| {
                let request = signing.request(&world, "POST", "/transfer", Some("to=bob"), &[]);
                let (mut parts, _) = request.into_parts();
                parts.headers.insert(header::CONTENT_TYPE, content_type.parse().unwrap());
                Request::from_parts(parts, Body::from(body))
            };
            assert_eq!(send(&app, form("to=bob")).await.text(), "bob");
            assert_eq!(problem(&send(&app, form("to=mallory")).await), "signature_invalid");
        }
    }
}

#[tokio::test]
async fn a_hash_that_was_signed_counts_however_its_name_is_written() {
    let world = world().await;
    let token = Signing::new(&world).linked(&world, "ada").await;
    let signing = Signing::new(&world).with(&token);
    let of_nothing = percent_encode("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    // The hash of no body is empty, and a hash all the same.
    let digests = [of_nothing.as_str(), ""];
    let names = ["oauth_body_hash", "oauth_body%5Fhash", "oauth_body%5fhash", "%6Fauth_body_hash"];
    for app in apps(&world) {
        for in_header in [true, false] {
            let cases = names.iter().flat_map(|name| {
                digests.iter().flat_map(move |digest| [(name, *digest, "{}"), (name, *digest, "")])
            });
            for (name, digest, body) in cases {
                let placement = if in_header { Placement::Header } else { Placement::Query };
                let request = signing.placed(placement).request(&world, "POST", "/json", None, &[]);
                let mut parts = request.into_parts().0;
                let json = HeaderValue::from_static("application/json");
                parts.headers.insert(header::CONTENT_TYPE, json);
                let header = parts.headers.get("authorization");
                let header = header.map(|value| value.to_str().unwrap().to_owned());
                let write = |parts: &mut Parts, text: String| match in_header {
                    true => drop(parts.headers.insert("authorization", text.parse().unwrap())),
                    false => parts.uri = text.parse().unwrap(),
                };
                let text = match &header {
                    Some(text) => {
                        text.replacen("OAuth ", &format!("OAuth\t{name}=\"{digest}\","), 1)
                    }
                    None => format!("{}&{name}={digest}", parts.uri),
                };
                write(&mut parts, text.clone());
                let (base, old) = {
                    let signed = SignedRequest::read(&parts, b"").unwrap().unwrap();
                    (signed.base_string(ISSUER), signed.signature().to_owned())
                };
                let new = percent_encode(&signature(&base, &token));
                write(&mut parts, text.replace(&percent_encode(&old), &new));
                let answer = send(&app, Request::from_parts(parts, Body::from(body))).await;
                let is_right = body.is_empty() && !digest.is_empty();
                let expected = if is_right { 200 } else { 401 };
                assert_eq!(answer.status(), expected, "{name} {digest} {body} {answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_request_that_claims_nothing_is_not_judged() {
    let world = world().await;
    let many = "x=1&".repeat(1500);
    let bearer = world.tokens("ada").await.access;
    for app in apps(&world) {
        for path in ["/maybe", "/open"] {
            for target in ["?q=100%", "?q=caf%E9", "?%zz=%00&oauth_token=%ff", "?oauth_verifier=%"]
            {
                for (content_type, body) in [
                    (FORM, many.as_str()),
                    (FORM, "q=100%&r=%ff&s=%00&oauth_token=%"),
                    ("application/x-www-form-urlencodedx", "a=b"),
                    ("text/plain", "100%"),
                ] {
                    let ask = |authorization: Option<&str>| {
                        let mut request = Request::post(format!("{path}{target}"))
                            .header(header::CONTENT_TYPE, content_type);
                        if let Some(value) = authorization {
                            request = request.header(header::AUTHORIZATION, value);
                        }
                        request.body(Body::from(body.to_owned())).unwrap()
                    };
                    let answer = send(&app, ask(None)).await;
                    let expected = match path {
                        "/maybe" => format!("false {}", body.len()),
                        _ => body.len().to_string(),
                    };
                    assert_eq!(answer.text(), expected, "{path}{target} {content_type}");
                    let answer = send(&app, ask(Some(&format!("Bearer {bearer}")))).await;
                    assert_eq!(answer.status(), 200, "{path}{target} {content_type}");
                    assert_eq!(send(&app, ask(Some("Basic YTpi"))).await.status(), 200);
                }
            }
        }
    }
}

#[tokio::test]
async fn credentials_beside_others_are_refused() {
    let world = world().await;
    let signing = signing(&world).await;
    let bearer = format!("Bearer {}", world.tokens("ada").await.access);
    for app in apps(&world) {
        for (first, other) in
            [(true, "Basic YTpi"), (false, "Basic YTpi"), (true, &bearer), (false, &bearer)]
        {
            let mut request = signing.request(&world, "GET", "/maybe", None, &[]);
            let ours = request.headers_mut().remove("authorization").unwrap();
            let other: HeaderValue = other.parse().unwrap();
            let both = if first { [ours, other] } else { [other, ours] };
            for value in both {
                request.headers_mut().append("authorization", value);
            }
            let answer = send(&app, request).await;
            assert_eq!((answer.status(), problem(&answer).as_str()), (400, "parameter_rejected"));
        }
    }
}

#[tokio::test]
async fn the_scheme_may_be_followed_by_a_tab_and_names_are_encoded() {
    let world = world().await;
    let signing = signing(&world).await;
    for app in apps(&world) {
        let ask = async |change: &dyn Fn(&str) -> String| {
            let mut request = signing.request(&world, "GET", "/maybe", None, &[]);
            let header = change(request.headers()["authorization"].to_str().unwrap());
            request.headers_mut().insert("authorization", header.parse().unwrap());
            send(&app, request).await
        };
        assert_eq!(ask(&|text| text.replacen(' ', "\t", 1)).await.text(), "true 0");
        assert_eq!(ask(&|text| text.replacen("OAuth ", "oAuTh \t ", 1)).await.text(), "true 0");
        for name in ["a b", "\"a\"", "a\tb", "a/b", "a:b"] {
            let answer = ask(&|text| format!("{text}, {name}=\"c\"")).await;
            let found = (answer.status(), problem(&answer));
            assert_eq!(found, (400, "parameter_rejected".to_owned()), "{name}");
        }
    }
}

#[tokio::test]
async fn any_bytes_that_are_signed_reach_the_handler() {
    let world = world().await;
    let signing = signing(&world).await;
    for app in apps(&world) {
        for form in ["a=%00&b=%ff&%C3=%28", "a=\u{fc}"] {
            let path = "/maybe?x=%ff&y=%00&%C3%28=1";
            let request = signing.request(&world, "POST", path, Some(form), &[]);
            let answer = send(&app, request).await;
            assert_eq!(answer.text(), format!("true {}", form.len()));
            let request = signing.request(&world, "POST", path, Some(form), &[]);
            let (mut parts, body) = request.into_parts();
            parts.uri = "/maybe?x=%fe&y=%00&%C3%28=1".parse().unwrap();
            let answer = send(&app, Request::from_parts(parts, body)).await;
            assert_eq!(problem(&answer), "signature_invalid");
        }
    }
}
