//! The pages and the API of a provider in a test.

use axum::{
    Router,
    extract::{RawForm, RawQuery, State},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{any, get, post},
};
use http::{HeaderMap, Method, Uri, header};
use serde::Deserialize;
use serde_json::json;
use url::form_urlencoded;

use crate::{
    Authentication,
    guard::Access,
    page::{escape, same_site},
    provider::{
        Authorization, AuthorizationServer, ConsentPage, Decision, DeviceStep, DeviceVerification,
        Reply, Step,
    },
    testing::{Fault, ManualClock},
};

use super::stage::Stage;

/// The cookie with the name of the user, which is no way to sign anybody in outside of a test.
pub(super) const USER: &str = "test-user";

/// The script by which a page sends its form, as a browser of tests does without running it.
const SENDS: &str = "<script>document.forms[0].submit()</script>";

#[derive(Clone)]
struct Pages {
    server: AuthorizationServer,
    stage: Stage,
    clock: ManualClock,
}

/// The server's endpoints with the pages and an API.
pub(super) fn app(server: &AuthorizationServer, stage: &Stage, clock: &ManualClock) -> Router {
    let pages = Pages { server: server.clone(), stage: stage.clone(), clock: clock.clone() };
    let mut app = Router::new()
        .route(server.authorize_path(), get(ask).post(ask))
        .route(server.consent_path(), post(answer))
        .route("/sign-in", get(sign_in_page).post(sign_in))
        .route("/api/{*path}", any(api));
    if let Some(path) = server.device_path() {
        app = app.route(path, get(device).post(device));
    }
    server.attach(app.with_state(pages))
}

impl Pages {
    /// The user of a request.
    fn user(&self, headers: &HeaderMap) -> Option<Authentication> {
        let cookies = headers.get(header::COOKIE).and_then(|it| it.to_str().ok());
        let mut cookies = cookies.unwrap_or_default().split("; ");
        let signed_in = cookies.find_map(|it| it.strip_prefix(USER)?.strip_prefix('='));
        let mut script = self.stage.script();
        let name = signed_in.map(str::to_owned).or_else(|| script.user.clone())?;
        script.seen.insert(name.clone());
        Some(Authentication::new(name, self.clock.now()))
    }
}

async fn ask(State(pages): State<Pages>, headers: HeaderMap, request: Authorization) -> Response {
    match request.step(pages.user(&headers)).await {
        Step::SignIn(back) => sign_in_at(&pages, &back.to_string()),
        Step::Consent(page) => consent(&pages, &page).into_response(),
        Step::Done(reply) => reply.into_response(),
    }
}

/// The page to sign in, or the next one if a user signs in by the script.
fn sign_in_at(pages: &Pages, back: &str) -> Response {
    let user = pages.stage.script().user.clone();
    match user {
        Some(user) => {
            let next = percent_decoded(back);
            ([(header::SET_COOKIE, format!("{USER}={user}; Path=/"))], Redirect::to(&next))
                .into_response()
        }
        None => Redirect::to(&format!("/sign-in?next={back}")).into_response(),
    }
}

/// An address as it is in the query of another one.
fn percent_decoded(text: &str) -> String {
    field(format!("v={text}").as_bytes(), "v")
}

/// A field of a form or a query; empty if there is none.
fn field(form: &[u8], wanted: &str) -> String {
    let mut pairs = form_urlencoded::parse(form);
    let found = pairs.find(|(name, _)| name == wanted);
    found.map_or_else(String::new, |(_, value)| value.into_owned())
}

async fn sign_in_page(RawQuery(query): RawQuery) -> Html<String> {
    let next = field(query.unwrap_or_default().as_bytes(), "next");
    let next = escape(&next);
    Html(format!(
        "<!doctype html><title>Sign in</title><h1>Sign in</h1><form method=\"post\" action=\"/sign-in\">\
         <input type=\"hidden\" name=\"next\" value=\"{next}\"><label>Name <input name=\"name\" \
         required></label> <button>Sign in</button></form>"
    ))
}

async fn sign_in(State(pages): State<Pages>, RawForm(form): RawForm) -> Response {
    let next = same_site(pages.server.issuer(), &field(&form, "next"));
    let next = next.unwrap_or_else(|| "/".to_owned());
    let cookie = format!("{USER}={}; Path=/", field(&form, "name"));
    ([(header::SET_COOKIE, cookie)], Redirect::to(&next)).into_response()
}

/// The consent page: with boxes and buttons, and sent by itself if the users follow the script.
fn consent(pages: &Pages, page: &ConsentPage) -> Html<String> {
    let script = pages.stage.script();
    let name = escape(&page.client.name);
    let mut html = format!(
        "<!doctype html><title>Consent</title><h1>{name} asks for access</h1>\
         <form method=\"post\" action=\"{}\">",
        escape(&page.action),
    );
    for scope in &page.scopes {
        let is_ticked =
            script.allows.as_ref().is_none_or(|all| all.iter().any(|it| **it == *scope.name));
        html += &format!(
            "<label><input type=\"checkbox\" name=\"scope\" value=\"{}\"{}> {}</label>",
            escape(&scope.name),
            if is_ticked { " checked" } else { "" },
            escape(&scope.description),
        );
    }
    for (name, value) in page.form_fields() {
        html += &format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escape(value));
    }
    let mut decisions = [("allow", "Allow"), ("deny", "Deny")];
    if script.faults.contains(&Fault::Denied) {
        // The first button is pressed.
        decisions.reverse();
    }
    for (value, label) in decisions {
        html += &format!("<button name=\"decision\" value=\"{value}\">{label}</button>");
    }
    html += "</form>";
    if !script.shows_pages {
        html += SENDS;
    }
    Html(html)
}

#[derive(Deserialize)]
struct ConsentForm {
    #[serde(default)]
    scope: Vec<String>,
    decision: String,
}

async fn answer(
    State(pages): State<Pages>,
    headers: HeaderMap,
    decision: Decision<ConsentForm>,
) -> Response {
    let Some(user) = pages.user(&headers) else {
        return Redirect::to("/sign-in?next=/").into_response();
    };
    let reply: Reply = match decision.form.decision.as_str() {
        "allow" => decision.by(user).only(&decision.form.scope).await,
        _ => decision.by(user).deny().await,
    };
    reply.into_response()
}

/// The page on which users type the codes of devices in.
async fn device(
    State(pages): State<Pages>,
    headers: HeaderMap,
    request: DeviceVerification,
) -> Response {
    match request.step(pages.user(&headers)).await {
        DeviceStep::SignIn(back) => sign_in_at(&pages, &back.to_string()),
        DeviceStep::Code(page) => {
            let code = escape(page.user_code.as_deref().unwrap_or_default()).into_owned();
            let mut html = format!(
                "<!doctype html><title>Device</title><form method=\"post\" action=\"{}\">\
                 <input name=\"user_code\" value=\"{code}\"><button>Go on</button></form>",
                escape(&page.action),
            );
            let is_scripted = !pages.stage.script().shows_pages;
            if let Some(refused) = page.refused {
                html += &format!("<p>{}</p>", escape(&refused.to_string()));
            } else if is_scripted && page.user_code.is_some() {
                html += SENDS;
            }
            Html(html).into_response()
        }
        DeviceStep::Consent(page) => consent(&pages, &page).into_response(),
        DeviceStep::Done(reply) => reply.into_response(),
    }
}

/// The API: who calls it, and what.
async fn api(access: Access, method: Method, uri: Uri, body: String) -> Response {
    let answer = json!({
        "user": access.user(),
        "scopes": access.scopes().iter().collect::<Vec<_>>(),
        "method": method.as_str(),
        "path": uri.path(),
        "query": uri.query(),
        "body": body,
    });
    ([(header::CONTENT_TYPE, "application/json")], answer.to_string()).into_response()
}
