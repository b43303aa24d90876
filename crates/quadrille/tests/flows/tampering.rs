//! Who sits on the line and changes what is signed is refused, and uses nothing up.

use bytes::Bytes;
use http::{Method, Request, Uri};
use quadrille::oauth1::{Placement, SignatureMethod};

use crate::{
    oauth1::{PLACEMENTS, methods, world},
    printer::signing,
    wire::Proxy,
    world::PRINTER,
};

fn with_target(request: &Request<Bytes>, target: &str) -> Option<Request<Bytes>> {
    let mut changed = request.clone();
    *changed.uri_mut() = target.parse::<Uri>().unwrap();
    Some(changed)
}

fn another_query(request: &Request<Bytes>) -> Option<Request<Bytes>> {
    let separator = if request.uri().query().is_some() { '&' } else { '?' };
    with_target(request, &format!("{}{separator}added=1", request.uri()))
}

fn another_path(request: &Request<Bytes>) -> Option<Request<Bytes>> {
    // Paths that exist, so that it is the signature that is wrong.
    let target = request.uri().to_string();
    let changed = match target.contains("/api/") {
        true => target.replace("/search", "/me"),
        false => return None,
    };
    (changed != target).then(|| with_target(request, &changed))?
}

fn another_body(request: &Request<Bytes>) -> Option<Request<Bytes>> {
    let body = std::str::from_utf8(request.body()).unwrap();
    let changed = match request.headers().get("content-type")?.to_str().unwrap() {
        "application/json" => body.replace("cake", "tea"),
        _ => format!("{body}&added=1"),
    };
    (changed != body).then(|| request.clone().map(|_| changed.into()))
}

fn another_method(request: &Request<Bytes>) -> Option<Request<Bytes>> {
    let target = request.uri().path();
    // The endpoints for credentials take both.
    let takes_both = target.starts_with("/oauth/") && request.body().is_empty();
    let mut changed = request.clone();
    *changed.method_mut() = Method::GET;
    takes_both.then_some(changed)
}

fn another_signature(request: &Request<Bytes>) -> Option<Request<Bytes>> {
    let change = |text: &str| {
        let start = text.find("oauth_signature=")? + "oauth_signature=".len();
        let start = start + usize::from(text[start..].starts_with('"'));
        let other = if text[start..].starts_with('A') { "B" } else { "A" };
        Some(format!("{}{other}{}", &text[..start], &text[start + 1..]))
    };
    if let Some(target) = change(&request.uri().to_string()) {
        return with_target(request, &target);
    }
    let mut changed = request.clone();
    if let Some(header) = request.headers().get("authorization") {
        let header = change(header.to_str().unwrap())?;
        changed.headers_mut().insert("authorization", header.parse().unwrap());
        return Some(changed);
    }
    let body = change(std::str::from_utf8(request.body()).unwrap())?;
    Some(changed.map(|_| body.into()))
}

#[tokio::test]
async fn changed_requests_are_refused_and_those_that_were_meant_still_count() {
    for method in methods() {
        if method == SignatureMethod::Plaintext {
            continue; // It signs nothing: hence its long name.
        }
        for placement in PLACEMENTS {
            let world = world(method).await;
            let login = world.login(signing(&world, method, placement));
            for (change, name, least) in [
                (another_query as _, "query", 4 + 3),
                (another_path as _, "path", 1),
                (another_body as _, "body", 2),
                // One of the requests for credentials carries the scope in a form.
                (another_method as _, "method", if placement == Placement::Body { 0 } else { 1 }),
                (another_signature as _, "signature", 4 + 3),
            ] {
                let what = format!("{method:?} {placement:?} {name}");
                world.wire.is_held_by(Proxy::Tries(change));
                let mut browser = world.browser(&login);
                let mut page = browser.ask("/me", "ada").await;
                if page.text.contains("<form") {
                    page = browser.decide(&page, "allow").await;
                }
                assert_eq!(page.text, "You are ada", "{what}: {page:?}");
                for path in ["search", "form", "json"] {
                    let page = browser.open(&format!("{PRINTER}/{path}")).await;
                    assert_eq!(page.status, 200, "{what}: {page:?}");
                }
                let refused = world.wire.refused();
                assert!(refused.len() >= least, "{what}: {refused:?}");
                // Whoever is wrong often has to wait, which holds up nobody who is right.
                let is_refusal = |status: &u16| matches!(status, 401 | 429);
                assert!(refused.iter().all(is_refusal), "{what}: {refused:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_visitor_whose_line_is_tampered_with_is_told_and_goes_on_when_it_is_not() {
    let world = world(SignatureMethod::HmacSha256).await;
    let login = world.login(signing(&world, SignatureMethod::HmacSha256, Placement::Header));
    let mut browser = world.browser(&login);
    world.wire.is_held_by(Proxy::Sends(another_query));
    let page = browser.open(&format!("{PRINTER}/me")).await;
    assert!(page.has_code("client_refused"), "{page:?}");

    world.wire.is_held_by(Proxy::Honest);
    let asked = browser.ask("/me", "ada").await;
    world.wire.is_held_by(Proxy::Sends(another_query));
    let page = browser.decide(&asked, "allow").await;
    assert!(page.has_code("client_refused"), "{page:?}");
    world.wire.is_held_by(Proxy::Honest);
    let page = browser.open(&format!("{PRINTER}/me")).await;
    assert_eq!(page.text, "You are ada", "one more try, and nobody is asked again: {page:?}");

    world.wire.is_held_by(Proxy::Sends(another_body));
    let page = browser.open(&format!("{PRINTER}/form")).await;
    assert!(page.has_code("api_error"), "{page:?}");
    world.wire.is_held_by(Proxy::Honest);
    assert_eq!(browser.open(&format!("{PRINTER}/form")).await.status, 200);
}
