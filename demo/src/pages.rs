//! The demo's own pages.

use axum::{body::Body, response::Response};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderName, HeaderValue, StatusCode, header};
use minijinja::{Environment, context, value::Serde};
use serde::{Deserialize, Serialize};

use super::{dance::Dance, diagram::Diagram, telling::Book};

const TEMPLATES: [(&str, &str); 5] = [
    ("site.html", include_str!("../templates/site.html")),
    ("home.html", include_str!("../templates/home.html")),
    ("prints.html", include_str!("../templates/prints.html")),
    ("message.html", include_str!("../templates/message.html")),
    ("dance.html", include_str!("../templates/dance.html")),
];

const SITE_CSS: &str = include_str!("../templates/site.css");
const DANCE_CSS: &str = include_str!("../templates/dance.css");

/// A photo from the API.
#[derive(Debug, Deserialize)]
pub(super) struct Fetched {
    title: String,
    svg: String,
}

/// The response of the API.
#[derive(Debug, Deserialize)]
pub(super) struct Photos {
    pub(super) photos: Vec<Fetched>,
}

/// A photo on the page: an image, in which no script runs, whatever the API sent.
#[derive(Debug, Serialize)]
struct Print<'a> {
    title: &'a str,
    picture: String,
}

/// The paths of one of the two dances on the website.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Ways {
    pub(super) name: &'static str,
    pub(super) prints: &'static str,
    pub(super) later: &'static str,
    pub(super) disconnect: &'static str,
    pub(super) dance: &'static str,
}

/// A dance, and whether the visitor already danced it.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Choice {
    pub(super) ways: Ways,
    pub(super) danced: bool,
}

/// The first page.
pub(super) fn home(provider: &str, user: &str, password: &str, dances: [Choice; 2]) -> Response {
    let dances = Serde(dances);
    page(StatusCode::OK, "home.html", context! { provider, user, password, dances })
}

/// The page with the photos.
pub(super) fn prints(album: &Photos, ways: Ways) -> Response {
    fn print(photo: &Fetched) -> Print<'_> {
        Print { title: &photo.title, picture: BASE64_STANDARD.encode(&photo.svg) }
    }
    let photos: Vec<_> = album.photos.iter().map(print).collect();
    page(StatusCode::OK, "prints.html", context! { photos => Serde(photos), ways => Serde(ways) })
}

/// A page with a short message.
pub(super) fn message(status: StatusCode, title: &str, text: &str) -> Response {
    page(status, "message.html", context! { title, text })
}

/// The last page: the dance that just happened, in the words of `book`, and a link to the other
/// dance. The hosts name website and provider.
pub(super) fn dance(
    dance: &Dance,
    book: &Book,
    website: &str,
    provider: &str,
    other: Choice,
) -> Response {
    let (d, other) = (Serde(Diagram::of(dance, book)), Serde(other));
    page(StatusCode::OK, "dance.html", context! { d, website, provider, other })
}

/// The icon of the website: a photo.
pub(super) fn icon() -> Response {
    respond(StatusCode::OK, "image/svg+xml", include_str!("../templates/icon.svg").to_owned())
}

/// A style sheet.
pub(super) fn style(name: &str) -> Response {
    let text = if name == "/dance.css" { DANCE_CSS } else { SITE_CSS };
    respond(StatusCode::OK, "text/css; charset=utf-8", text.to_owned())
}

fn page(status: StatusCode, name: &str, values: minijinja::Value) -> Response {
    match render(name, values) {
        Ok(html) => respond(status, "text/html; charset=utf-8", html),
        Err(error) => {
            tracing::error!(name, error = format!("{error:#}"), "a page cannot be shown");
            let text = "This page cannot be shown. The log says why.".to_owned();
            respond(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", text)
        }
    }
}

fn render(name: &str, values: minijinja::Value) -> Result<String, minijinja::Error> {
    let mut templates = Environment::new();
    for (name, source) in TEMPLATES {
        templates.add_template(name, source)?;
    }
    templates.get_template(name)?.render(values)
}

fn respond(status: StatusCode, content_type: &'static str, body: String) -> Response {
    const HEADERS: [(HeaderName, &str); 4] = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; \
             base-uri 'none'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
pub(super) fn dance_html(dance: &Dance) -> String {
    let (website, provider) = ("localhost:8017", "127.0.0.1:8018");
    let d = Serde(Diagram::of(dance, &Book::read().unwrap()));
    render("dance.html", context! { d, website, provider }).unwrap()
}
