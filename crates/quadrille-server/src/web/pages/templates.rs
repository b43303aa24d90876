//! The pages: templates, the style sheet, and the headers that every page has.

use std::{
    io,
    path::{Path, PathBuf},
};

use aws_lc_rs::digest;
use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, value::Serde};
use quadrille::page::{self, Page};
use serde::Serialize;

use crate::{issuer::Issuer, words::describe};

const TEMPLATES: &[(&str, &str)] = &[
    ("base.html", include_str!("../../../templates/base.html")),
    ("sign-in.html", include_str!("../../../templates/sign-in.html")),
    ("consent.html", include_str!("../../../templates/consent.html")),
    ("applications.html", include_str!("../../../templates/applications.html")),
    ("verifier.html", include_str!("../../../templates/verifier.html")),
    ("message.html", include_str!("../../../templates/message.html")),
];
const STYLE: &str = include_str!("../../../templates/style.css");
const ICON: &str = include_str!("../../../templates/icon.svg");

/// Why the pages cannot be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PagesError {
    /// A file or folder cannot be read.
    #[error("{}: {}", path.display(), describe(error))]
    File {
        /// The path.
        path: PathBuf,
        /// The error of the system.
        error: io::Error,
    },
    /// A template makes no sense.
    #[error("{}: {error:#}", path.display())]
    Template {
        /// The path.
        path: PathBuf,
        /// The place in it, and the reason.
        error: minijinja::Error,
    },
}

/// What every page knows of the site.
#[derive(Clone, Debug, Serialize)]
pub struct Site {
    /// What people call it.
    pub name: String,
    /// Where the applications are listed.
    pub home: String,
    /// Where people sign in.
    pub sign_in: String,
    /// Where they sign out.
    pub sign_out: String,
    /// Where they sign out of all browsers.
    pub sign_out_everywhere: String,
    /// Where they withdraw what they allowed.
    pub withdraw: String,
    /// The style sheet.
    pub style: String,
    /// The icon.
    pub icon: String,
}

/// The pages of a provider. They hold no script and are never kept or framed by others.
#[derive(Debug)]
pub struct Pages {
    templates: Environment<'static>,
    site: Site,
    style: Bytes,
    icon: Bytes,
}

/// Where the forms of a page lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormsLead {
    /// To pages of this site.
    Here,
    /// By redirects to an application, and on to wherever that leads.
    On,
}

impl FormsLead {
    /// The Content-Security-Policy.
    const fn policy(self) -> &'static str {
        match self {
            Self::Here => {
                "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                 base-uri 'none'; frame-ancestors 'none'"
            }
            // Browsers apply `form-action` to every redirect that follows a form. Nobody knows where
            // the application leads on, and the code would be spent when they stop there.
            Self::On => {
                "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; \
                 frame-ancestors 'none'"
            }
        }
    }
}

/// Something that went wrong, or right, and the way on.
#[derive(Clone, Debug, Serialize)]
pub struct Message<'a> {
    /// The heading.
    pub title: &'a str,
    /// One or two sentences.
    pub text: &'a str,
    /// A code for those who look for help.
    pub code: Option<&'a str>,
    /// The way on.
    pub link: Option<Link<'a>>,
    /// Whether a screen reader should say it at once.
    pub alert: bool,
}

/// A way on.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Link<'a> {
    /// Where to.
    pub href: &'a str,
    /// What it says.
    pub text: &'a str,
    /// Whether it leads where this site sends nobody: it stands below, as plain text.
    pub quiet: bool,
}

impl<'a> Link<'a> {
    /// The way on that this site proposes.
    pub const fn to(href: &'a str, text: &'a str) -> Self {
        Self { href, text, quiet: false }
    }
}

impl Pages {
    /// The built-in pages, with those that stand in `folder` in their place.
    ///
    /// # Errors
    /// [`PagesError`].
    pub fn load(name: &str, issuer: &Issuer, folder: Option<&Path>) -> Result<Self, PagesError> {
        let mut templates = Environment::new();
        // A page that forgets to escape would hand an account to whoever names an application.
        templates.set_auto_escape_callback(|_| AutoEscape::Html);
        templates.set_undefined_behavior(UndefinedBehavior::Chainable);
        for &(name, source) in TEMPLATES {
            templates
                .add_template(name, source)
                .map_err(|error| PagesError::Template { path: name.into(), error })?;
        }
        let (mut style, mut icon) =
            (Bytes::from_static(STYLE.as_bytes()), Bytes::from_static(ICON.as_bytes()));
        let replaced = match folder {
            Some(folder) => files(folder)?,
            None => Vec::new(),
        };
        for path in replaced {
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            let read = || {
                std::fs::read_to_string(&path)
                    .map_err(|error| PagesError::File { path: path.clone(), error })
            };
            match name {
                "style.css" => style = read()?.into(),
                "icon.svg" => icon = read()?.into(),
                _ if name.ends_with(".html") => {
                    // They are read once and live as long as the program.
                    let (name, source) = (name.to_owned().leak(), read()?.leak());
                    templates
                        .add_template(name, source)
                        .map_err(|error| PagesError::Template { path: path.clone(), error })?;
                }
                _ => {}
            }
        }
        let at = |path: &str| format!("{}{path}", issuer.path());
        let site = Site {
            name: name.to_owned(),
            home: at("/"),
            sign_in: at("/sign-in"),
            sign_out: at("/sign-out"),
            sign_out_everywhere: at("/sign-out/everywhere"),
            withdraw: at("/applications/withdraw"),
            style: at(&format!("/assets/{}.css", fingerprint(&style))),
            icon: at(&format!("/assets/{}.svg", fingerprint(&icon))),
        };
        Ok(Self { templates, site, style, icon })
    }

    /// What every page knows.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// The style sheet or the icon, if `path` is the one of now.
    pub fn asset(&self, path: &str) -> Option<Response<Body>> {
        let (kind, bytes) = match path {
            _ if path == self.site.style => ("text/css; charset=utf-8", &self.style),
            _ if path == self.site.icon => ("image/svg+xml", &self.icon),
            _ => return None,
        };
        let mut response = Response::new(Body::from(bytes.clone()));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        // The path changes with the content.
        let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
        headers.insert(header::CACHE_CONTROL, forever);
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(page::RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
        headers.insert(
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox"),
        );
        Some(response)
    }

    /// A page whose forms lead where `forms` says.
    pub fn render(
        &self,
        status: StatusCode,
        template: &str,
        context: &impl Serialize,
        forms: FormsLead,
    ) -> Response<Body> {
        self.render_bytes(status, template, context, forms).map(Body::from)
    }

    pub(in crate::web) fn render_bytes(
        &self,
        status: StatusCode,
        template: &str,
        context: &impl Serialize,
        forms: FormsLead,
    ) -> Response<Bytes> {
        let whole = Value::from(Serde(Whole { site: &self.site, page: context }));
        let rendered = self.templates.get_template(template).and_then(|page| page.render(whole));
        let html = match rendered {
            Ok(html) => html,
            Err(error) => {
                tracing::error!(template, error = format!("{error:#}"), "a page cannot be shown");
                return Page::new("This page cannot be shown")
                    .text("The people who run this site find the reason in its log.")
                    .to_response(StatusCode::INTERNAL_SERVER_ERROR);
            }
        };
        let mut response = Response::new(Bytes::from(html));
        *response.status_mut() = status;
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        protect(response.headers_mut(), forms);
        response
    }

    /// A page of a few words.
    pub fn message(&self, status: StatusCode, message: &Message<'_>) -> Response<Body> {
        self.message_bytes(status, message).map(Body::from)
    }

    pub(in crate::web) fn message_bytes(
        &self,
        status: StatusCode,
        message: &Message<'_>,
    ) -> Response<Bytes> {
        self.render_bytes(status, "message.html", message, FormsLead::Here)
    }
}

/// A page's own values beside the site's.
#[derive(Serialize)]
struct Whole<'a, T> {
    site: &'a Site,
    #[serde(flatten)]
    page: &'a T,
}

/// The headers of every page.
fn protect(headers: &mut HeaderMap, forms: FormsLead) {
    let fixed: [(HeaderName, &'static str); 7] = [
        (header::CONTENT_SECURITY_POLICY, forms.policy()),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // `no-referrer` would also take the origin out of our own forms, where it is checked.
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
        // No page of another site holds on to this one or shows it.
        (page::OPENER_POLICY, "same-origin"),
        (page::RESOURCE_POLICY, "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// A name for this content and no other.
fn fingerprint(content: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA256, content);
    let mut name = BASE64_URL_SAFE_NO_PAD.encode(digest.as_ref());
    name.truncate(16);
    name
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, PagesError> {
    let failure = |error| PagesError::File { path: folder.to_owned(), error };
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .map_err(failure)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(failure)?;
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_way_on_that_this_site_proposes_is_a_button() {
        let pages = Pages::load("Id", &Issuer::localhost(4004), None).unwrap();
        let html = |link| {
            let message = Message { title: "", text: "", code: None, link, alert: false };
            let page = pages.message_bytes(StatusCode::OK, &message);
            String::from_utf8(page.into_body().to_vec()).unwrap()
        };
        let link = Link::to("/there", "Go");
        assert!(html(Some(link)).contains(r#"<a class="button" href="&#x2f;there">Go</a>"#));
        let quiet = html(Some(Link { quiet: true, ..link }));
        assert!(quiet.contains(r#"<a href="&#x2f;there">Go</a>"#), "{quiet}");
        assert!(!quiet.contains("button"), "{quiet}");
        assert!(!html(None).contains("there"));
    }
}
