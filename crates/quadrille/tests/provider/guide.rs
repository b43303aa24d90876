//! The first example of the guide (docs/src/provider/provider.md), as a person uses it.

#[rustfmt::skip]
mod example {
// begin
use std::convert::Infallible;

use axum::{
    Router,
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::request::Parts,
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use quadrille::{Authentication, Env, KeyRing, guard::Access, page::{escape, same_site}, scopes};
use quadrille::provider::{
    Authorization, AuthorizationServer, ConsentPage, Decision, IssuerError, Step,
    store::MemoryStore,
};
use serde::Deserialize;

scopes! {
    Photos = "photos:read", "See your photos";
    Upload = "photos:write", "Add and change photos";
}

fn provider() -> Result<(AuthorizationServer, Router), IssuerError> {
    let server = AuthorizationServer::new("https://id.example", MemoryStore::new(Env::system()))?
        .keys(KeyRing::ephemeral())
        .scope::<Photos>()
        .scope::<Upload>();
    let app = server.attach(
        Router::new()
            .route("/oauth/authorize", get(ask).post(ask)) // both (OpenID Connect Core 3.1.2.1)
            .route("/oauth/consent", post(answer))
            .route("/api/photos", get(photos)),
    );
    Ok((server, app))
}

// `CurrentUser`, at the end, is the extractor of your sign-in.
async fn ask(user: Option<CurrentUser>, request: Authorization) -> Response {
    match request.step(user.map(|user| user.0)).await {
        Step::SignIn(back) => Redirect::to(&format!("/sign-in?next={back}")).into_response(),
        Step::Consent(page) => consent_page(&page).into_response(),
        Step::Done(reply) => reply.into_response(),
    }
}

#[derive(Deserialize)]
struct ConsentForm {
    #[serde(default)]
    scope: Vec<String>, // check boxes
    decision: String, // the button
}

async fn answer(user: Option<CurrentUser>, decision: Decision<ConsentForm>) -> Response {
    let Some(user) = user else {
        // Signed out while the page was open: the request begins again.
        let back = decision.again().map_or_else(|| "/".to_owned(), |back| back.to_string());
        return Redirect::to(&format!("/sign-in?next={back}")).into_response();
    };
    let reply = match decision.form.decision.as_str() {
        "allow" => decision.by(user.0).only(&decision.form.scope).await,
        _ => decision.by(user.0).deny().await,
    };
    reply.into_response()
}

async fn photos(access: Access<Photos>) -> String {
    format!("photos of {:?}", access.user())
}

// Your template. Escape what the application chose: its name, its host, where the answer goes.
fn consent_page(page: &ConsentPage) -> Html<String> {
    let mut html = format!("<h1>{} asks for access to your account</h1>", escape(&page.client.name));
    if let Some(host) = &page.client_host {
        html += &format!("<p>Nobody here knows this application: {} calls it so.</p>", escape(host));
    }
    if page.registered_itself {
        html += "<p>This application registered itself, and chose its name.</p>";
    }
    if let Some(destination) = &page.destination {
        html += &format!("<p>You will go to {}.</p>", escape(destination));
    }
    let apis: Vec<_> = page.resources.iter().map(escape).collect();
    if !apis.is_empty() {
        html += &format!("<p>It asks for access to {}, and to nothing else.</p>", apis.join(", "));
    }
    html += &format!(r#"<form method="post" action="{}">"#, page.action);
    for scope in &page.scopes {
        let (name, description) = (escape(&scope.name), escape(&scope.description));
        // A user who has consented before may have refused what is not granted: it is not ticked again.
        let is_granted = page.granted.contains(&scope.name);
        let ticked = if is_granted || !page.has_consented { " checked" } else { "" };
        let before = if is_granted { ": you allowed this before" } else { "" };
        html += &format!(
            r#"<p><label><input type="checkbox" name="scope" value="{name}"{ticked}> {description}{before}</label></p>"#
        );
    }
    for (name, value) in page.form_fields() {
        html += &format!(r#"<input type="hidden" name="{name}" value="{value}">"#);
    }
    html += r#"<button name="decision" value="allow">Allow</button>"#;
    html += r#"<button name="decision" value="deny">Deny</button></form>"#;
    Html(html)
}

// The end of your sign-in. Anybody may have written `next` into the link that led to it.
fn after_sign_in(next: &str) -> Redirect {
    Redirect::to(&same_site("https://id.example", next).unwrap_or_else(|| "/".to_owned()))
}

// Your sign-in: here, a middleware of your sessions has put the user into the request.
struct CurrentUser(Authentication);

impl<S: Send + Sync> FromRequestParts<S> for CurrentUser {
    type Rejection = Redirect;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Redirect> {
        let user = parts.extensions.get().cloned();
        user.map(Self).ok_or_else(|| Redirect::to("/sign-in?next=/"))
    }
}

// For `Option<CurrentUser>`.
impl<S: Send + Sync> OptionalFromRequestParts<S> for CurrentUser {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(parts.extensions.get().cloned().map(Self))
    }
}
// end
pub(super) fn made() -> (AuthorizationServer, Router) {
    provider().unwrap()
}

pub(super) fn goes_on(next: &str) -> Redirect {
    after_sign_in(next)
}
}

use axum::{
    Extension, Router,
    body::{Body, to_bytes},
};
use http::{Request, Response, header};
use quadrille::{Authentication, Env, Scopes, form::FormWriter, provider::NewClient};
use tower::ServiceExt as _;

use crate::support::CALLBACK;

#[test]
fn it_is_the_example_in_the_guide() {
    let (_, code) = include_str!("guide.rs").split_once("// begin\n").unwrap();
    let (code, _) = code.split_once("// end\n").unwrap();
    assert!(include_str!("../../../../docs/src/provider/provider.md").contains(code));
}

async fn send(app: &Router, request: Request<Body>) -> Response<String> {
    let (parts, body) = app.clone().oneshot(request).await.unwrap().into_parts();
    let body = to_bytes(body, 100_000).await.unwrap();
    Response::from_parts(parts, String::from_utf8(body.to_vec()).unwrap())
}

/// The attribute of a tag.
fn attribute<'t>(tag: &'t str, name: &str) -> &'t str {
    let (_, value) = tag.split_once(&format!("{name}=\"")).unwrap();
    value.split_once('"').unwrap().0
}

#[tokio::test]
async fn it_shows_who_asks_for_what_and_its_button_allows_it() {
    let (server, app) = example::made();
    let new = NewClient::confidential("Photo <printer>").redirect_uri(CALLBACK);
    let new = new.scopes(Scopes::parse("photos:read photos:write").unwrap());
    let id = server.register(new).await.unwrap().client.id;
    let url = format!(
        "/oauth/authorize?response_type=code&client_id={id}&state=1&code_challenge_method=S256\
         &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    );
    let nobody = send(&app, Request::get(&url).body(Body::empty()).unwrap()).await;
    let location = nobody.headers()[header::LOCATION].to_str().unwrap();
    assert!(location.starts_with("/sign-in?next="), "{location}");

    let app = app.layer(Extension(Authentication::new("4711", Env::system().now())));
    for (button, untick, result) in [
        ("allow", None, "code="),
        ("allow", Some("photos:write"), "code="),
        ("deny", None, "error=access_denied"),
    ] {
        let url = format!("{url}&prompt=consent");
        let page = send(&app, Request::get(url).body(Body::empty()).unwrap()).await;
        let html = page.body();
        for words in [
            "Photo &lt;printer&gt; asks for access",
            "You will go to",
            "See your photos",
            "Add and change photos",
        ] {
            assert!(html.contains(words), "{html}");
        }
        let mut form = FormWriter::new();
        for tag in html.split('<').filter(|tag| tag.starts_with("input ")) {
            let (name, value) = (attribute(tag, "name"), attribute(tag, "value"));
            let is_sent = attribute(tag, "type") == "hidden" || tag.contains(" checked");
            if is_sent && untick != Some(value) {
                form.append(name, value);
            }
        }
        form.append("decision", button);
        let form_tag = html.split('<').find(|tag| tag.starts_with("form ")).unwrap();
        let cookie = page.headers()[header::SET_COOKIE].to_str().unwrap();
        let posted = Request::post(attribute(form_tag, "action"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::COOKIE, cookie.split(';').next().unwrap())
            .body(Body::from(form.finish()));
        let answer = send(&app, posted.unwrap()).await;
        let location = answer.headers()[header::LOCATION].to_str().unwrap();
        assert!(location.starts_with(CALLBACK) && location.contains(result), "{location}");
    }
}

#[tokio::test]
async fn it_does_not_tick_again_what_a_user_has_refused() {
    let (server, app) = example::made();
    let new = NewClient::confidential("Photo printer").redirect_uri(CALLBACK);
    let new = new.scopes(Scopes::parse("photos:read photos:write").unwrap());
    let id = server.register(new).await.unwrap().client.id;
    let app = app.layer(Extension(Authentication::new("4711", Env::system().now())));
    let url = format!(
        "/oauth/authorize?response_type=code&client_id={id}&state=1&code_challenge_method=S256\
         &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    );
    let ticked = |page: &Response<String>, scope: &str| {
        let value = format!("value=\"{scope}\"");
        let tag = page.body().split('<').find(|tag| tag.contains(&value)).unwrap().to_owned();
        (tag.contains(" checked"), tag.contains("you allowed this before"))
    };
    let page = send(&app, Request::get(&url).body(Body::empty()).unwrap()).await;
    assert_eq!(ticked(&page, "photos:read"), (true, false));
    assert_eq!(ticked(&page, "photos:write"), (true, false));
    let tags: Vec<_> = page.body().split('<').filter(|tag| tag.contains("hidden")).collect();
    let mut form = FormWriter::new();
    for tag in tags {
        form.append(attribute(tag, "name"), attribute(tag, "value"));
    }
    form.append("scope", "photos:read").append("decision", "allow");
    let cookie = page.headers()[header::SET_COOKIE].to_str().unwrap();
    let posted = Request::post("/oauth/consent")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::COOKIE, cookie.split(';').next().unwrap())
        .body(Body::from(form.finish()));
    assert!(send(&app, posted.unwrap()).await.headers().contains_key(header::LOCATION));
    let page = send(&app, Request::get(&url).body(Body::empty()).unwrap()).await;
    assert_eq!(ticked(&page, "photos:read"), (true, true));
    assert_eq!(ticked(&page, "photos:write"), (false, false));
}

/// RFC 9700, section 4.11.
#[test]
fn its_sign_in_goes_on_to_pages_of_the_site_alone() {
    for (next, location) in [
        ("/oauth/authorize?client_id=a&state=b%20c", "/oauth/authorize?client_id=a&state=b%20c"),
        ("/device?user_code=BCDF-GHJK", "/device?user_code=BCDF-GHJK"),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
    ] {
        let answer = axum::response::IntoResponse::into_response(example::goes_on(next));
        assert_eq!(answer.headers()[header::LOCATION], location, "{next}");
    }
}
