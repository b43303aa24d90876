//! The pages of a fake service that is a server.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::Value;

use crate::{form::Params, page::escape};

use super::{
    accounts::value_at,
    scene::{Asks, Scene},
};

/// The page on which a user chooses an account and approves or refuses a request.
pub(super) fn consent(scene: &Scene, asks: &Asks) -> Response<Bytes> {
    let mut html = requests(scene, &asks.application, &asks.scopes);
    html += "<form method=\"post\">";
    html += &buttons(scene);
    html += "</form>";
    page(StatusCode::OK, scene, &html)
}

/// The sentences with which a page says what an application requests.
fn requests(scene: &Scene, application: &str, scopes: &[String]) -> String {
    let mut html = format!(
        "<h1>Log in with {}</h1><p>This is an emulator, for tests.</p>\
         <p>The application <b>{}</b> requests access",
        escape(title(scene)),
        escape(application),
    );
    match scopes.is_empty() {
        true => html += " without scopes.</p>",
        false => {
            let scopes: Vec<_> = scopes
                .iter()
                .map(|scope| format!("<li><code>{}</code></li>", escape(scope)))
                .collect();
            html += &format!(" with these scopes:</p><ul>{}</ul>", scopes.concat());
        }
    }
    html
}

/// A button for each account, and one to refuse.
fn buttons(scene: &Scene) -> String {
    let mut html = String::new();
    for user in scene.accounts.numbers() {
        let name = name_of(scene, user);
        let name = escape(&name);
        html += &format!("<button name=\"allow\" value=\"{user}\">Allow as {name}</button> ");
    }
    html + "<button name=\"deny\" value=\"1\">Deny</button>"
}

/// The reason of a refusal that has no other.
pub(super) const UNCLEAR: &str =
    "the application is unknown, or a parameter is missing or repeated";

/// The page of an authorization request that is invalid, and why.
pub(super) fn refusal(scene: &Scene, why: &str) -> Response<Bytes> {
    let html = format!("<h1>Invalid request</h1><p>It is refused: {}.</p>", escape(why));
    page(StatusCode::BAD_REQUEST, scene, &html)
}

/// The page of a request with a callback that is not registered.
pub(super) fn unregistered(scene: &Scene, callback: &str) -> Response<Bytes> {
    let html = format!(
        "<h1>Redirect URI not registered</h1><p>The application has sent you here with \
         <code>{}</code>, which is not among its registered redirect URIs. A real service compares \
         every character: scheme, host, port and path.</p>",
        escape(callback),
    );
    page(StatusCode::BAD_REQUEST, scene, &html)
}

/// The page on which a user types a device's code in (RFC 8628, section 3.3); `is_wrong` after one
/// that no login has.
pub(super) fn device_code(scene: &Scene, is_wrong: bool) -> Response<Bytes> {
    let mut html = format!(
        "<h1>Log in with {}</h1><p>This is an emulator, for tests.</p>",
        escape(title(scene)),
    );
    if is_wrong {
        html += "<p>No login waits for this code.</p>";
    }
    html += "<form method=\"get\"><label>The code on your device: \
             <input name=\"user_code\" autofocus required></label> <button>Go on</button></form>";
    let status = if is_wrong { StatusCode::NOT_FOUND } else { StatusCode::OK };
    page(status, scene, &html)
}

/// The page on which a user chooses an account and approves or refuses a device's login.
pub(super) fn device_consent(
    scene: &Scene,
    application: &str,
    user_code: &str,
    scopes: &[String],
) -> Response<Bytes> {
    let code = escape(user_code);
    let html = format!(
        "{}<p>Go on only if your device shows the code <b>{code}</b>.</p><form method=\"post\">\
         <input type=\"hidden\" name=\"user_code\" value=\"{code}\">{}</form>",
        requests(scene, application, scopes),
        buttons(scene),
    );
    page(StatusCode::OK, scene, &html)
}

/// The page after a user's decision about a device's login.
pub(super) fn device_decided(scene: &Scene) -> Response<Bytes> {
    page(StatusCode::OK, scene, "<h1>Done</h1><p>Go back to your device.</p>")
}

/// The page with the PIN of an out-of-band request (OAuth 1).
pub(super) fn pin(scene: &Scene, pin: &str) -> Response<Bytes> {
    let html = format!("<h1>Your PIN</h1><p><code>{}</code></p>", escape(pin));
    page(StatusCode::OK, scene, &html)
}

/// The page that posts the parameters of `query` to a callback (OAuth 2.0 Form Post Response Mode).
pub(super) fn form_post(scene: &Scene, callback: &str, query: &str) -> Response<Bytes> {
    let mut html = format!("<form method=\"post\" action=\"{}\">", escape(callback));
    for (name, value) in Params::parse(query.as_bytes()).iter().flat_map(Params::iter) {
        let (name, value) = (escape(name), escape(value));
        html += &format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">");
    }
    html += "<button>Go on</button></form><script>document.forms[0].submit()</script>";
    page(StatusCode::OK, scene, &html)
}

fn title(scene: &Scene) -> &'static str {
    scene.spec.map_or("a service", |spec| spec.title)
}

/// A name of an account for people.
fn name_of(scene: &Scene, user: u64) -> String {
    let claims = scene.claims(user);
    let profile = scene.spec.map_or(&[][..], |spec| spec.profile);
    let names = ["preferred_username", "name", "email"].into_iter().filter_map(|claim| {
        let (_, path) = profile.iter().find(|(known, _)| *known == claim)?;
        value_at(&claims, path).and_then(Value::as_str)
    });
    names
        .chain(claims.get("login").and_then(Value::as_str))
        .next()
        .map_or_else(|| format!("user {user}"), |name| format!("{name} ({user})"))
}

fn page(status: StatusCode, scene: &Scene, html: &str) -> Response<Bytes> {
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{} (emulator)</title>{html}",
        escape(title(scene)),
    );
    let mut page = Response::new(Bytes::from(html));
    *page.status_mut() = status;
    let headers = page.headers_mut();
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, html);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    page
}
