//! The pages: templates, the style sheet, and the headers that every page has.

use std::{
    borrow::Cow,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header},
};
use bytes::Bytes;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, value::Serde};
use quadrille::page::{self, Page};
use serde::Serialize;

use super::{
    logo::{Logo, LogoFault, Picture, fingerprint},
    replaced::{Stranger, files, strangers},
    site::Site,
};
use crate::{
    config::BrandSettings,
    issuer::Issuer,
    named_file,
    request_id::{self, RequestId},
    texts::{self, Texts, TextsError},
    words::{describe, did_you_mean},
};

/// The built-in pages and what they look like, by the names under which a folder replaces them. A comment at
/// the head of a page has the values that it is given.
pub const BUILT_IN_PAGES: &[(&str, &str)] = &[
    ("base.html", include_str!("../../../templates/base.html")),
    ("sign-in.html", include_str!("../../../templates/sign-in.html")),
    ("choose-account.html", include_str!("../../../templates/choose-account.html")),
    ("consent.html", include_str!("../../../templates/consent.html")),
    ("device.html", include_str!("../../../templates/device.html")),
    ("applications.html", include_str!("../../../templates/applications.html")),
    ("withdraw.html", include_str!("../../../templates/withdraw.html")),
    ("password.html", include_str!("../../../templates/password.html")),
    ("export.html", include_str!("../../../templates/export.html")),
    ("delete-account.html", include_str!("../../../templates/delete-account.html")),
    ("verifier.html", include_str!("../../../templates/verifier.html")),
    ("sign-out.html", include_str!("../../../templates/sign-out.html")),
    ("signed-out.html", include_str!("../../../templates/signed-out.html")),
    ("message.html", include_str!("../../../templates/message.html")),
    ("style.css", STYLE),
    ("icon.svg", ICON),
];
const STYLE: &str = include_str!("../../../templates/style.css");
const ICON: &str = include_str!("../../../templates/icon.svg");

/// The pages cannot be loaded.
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
    /// The logo is not accepted.
    #[error("{}: {fault}", path.display())]
    Logo {
        /// The path.
        path: PathBuf,
        /// The reason.
        fault: LogoFault,
    },
    /// The texts cannot be loaded.
    #[error(transparent)]
    Texts(#[from] TextsError),
    /// A template is not valid.
    #[error("{}: {error:#}", path.display())]
    Template {
        /// The path.
        path: PathBuf,
        /// The place in it, and the reason.
        error: minijinja::Error,
    },
}

/// The pages of a provider. They have no scripts, are not cached, and cannot be framed.
#[derive(Debug)]
pub struct Pages {
    templates: Environment<'static>,
    texts: Arc<Texts>,
    site: Site,
    style: Bytes,
    icon: Bytes,
    logo: Option<Logo>,
}

/// The destination of the forms of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormsLead {
    /// Pages of this site.
    Here,
    /// An application by redirects, and wherever it redirects to.
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
            // Browsers apply `form-action` to every redirect that follows a form. The later
            // redirects of an application are unknown, and a blocked one would waste the code.
            Self::On => {
                "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; \
                 frame-ancestors 'none'"
            }
        }
    }
}

/// A message about an error or a success, with a link.
#[derive(Clone, Debug, Serialize)]
pub struct Message<'a> {
    /// The key of the heading.
    pub title: &'a str,
    /// The key of the text, one or two sentences: a stable name of the message.
    pub key: &'a str,
    /// The application that both name.
    pub client: Option<&'a str>,
    /// An error code for support.
    pub code: Option<&'a str>,
    /// A link to the next page.
    pub link: Option<Link<'a>>,
    /// Whether a screen reader announces the message at once.
    pub alert: bool,
}

/// A link.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Link<'a> {
    /// The destination.
    pub href: &'a str,
    /// The key of the text of the link.
    pub key: &'a str,
    /// The site that the text names.
    pub destination: Option<&'a str>,
    /// Whether the destination is one that this site does not propose. The link is then below, as
    /// plain text.
    pub quiet: bool,
}

impl<'a> Link<'a> {
    /// A link that this site proposes, with the text of this key.
    pub const fn to(href: &'a str, key: &'a str) -> Self {
        Self { href, key, destination: None, quiet: false }
    }
}

impl Pages {
    /// Loads the built-in pages with the built-in texts, with the pages in `folder` in their place.
    ///
    /// # Errors
    /// [`PagesError`].
    pub fn load(name: &str, issuer: &Issuer, folder: Option<&Path>) -> Result<Self, PagesError> {
        Self::load_with(name, issuer, folder, Texts::built_in())
    }

    /// The same with these texts.
    ///
    /// # Errors
    /// [`PagesError`].
    pub fn load_with(
        name: &str,
        issuer: &Issuer,
        folder: Option<&Path>,
        texts: Texts,
    ) -> Result<Self, PagesError> {
        let texts = Arc::new(texts);
        let mut templates = Environment::new();
        texts::add_to(&mut templates, &texts);
        // A page that does not escape would let the name of an application take over an account.
        templates.set_auto_escape_callback(|_| AutoEscape::Html);
        templates.set_undefined_behavior(UndefinedBehavior::Chainable);
        for &(name, source) in BUILT_IN_PAGES.iter().filter(|(name, _)| name.ends_with(".html")) {
            templates
                .add_template(name, source)
                .map_err(|error| PagesError::Template { path: name.into(), error })?;
        }
        let (mut style, mut icon) =
            (Bytes::from_static(STYLE.as_bytes()), Bytes::from_static(ICON.as_bytes()));
        let replaced = match folder {
            Some(folder) => files(folder)
                .map_err(|error| PagesError::File { path: folder.to_owned(), error })?,
            None => Vec::new(),
        };
        let known: Vec<_> = BUILT_IN_PAGES.iter().map(|(name, _)| *name).collect();
        let strangers = strangers(&replaced, &known);
        let mut own_pages = Vec::new();
        for path in &replaced {
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            let read = || {
                named_file::text(path)
                    .map(|text| text.as_str().to_owned())
                    .map_err(|error| PagesError::File { path: path.clone(), error })
            };
            match name {
                "style.css" => style = read()?.into(),
                "icon.svg" => icon = read()?.into(),
                _ if name.ends_with(".html") => {
                    // The pages are read once, and live as long as the program.
                    let (name, source) = (name.to_owned().leak(), &*read()?.leak());
                    texts::warn_of_unknown_keys(&texts, path, source);
                    own_pages.push(source);
                    templates
                        .add_template(name, source)
                        .map_err(|error| PagesError::Template { path: path.clone(), error })?;
                }
                _ => {}
            }
        }
        texts::warn_of_texts_out_of_place(&texts, &own_pages);
        for Stranger { path, nearest } in strangers {
            tracing::warn!("{}: no page has this name{}", path.display(), did_you_mean(nearest));
        }
        let mut site = Site::of(name, issuer);
        site.style = site.asset(&fingerprint(&style), "css");
        site.icon = site.asset(&fingerprint(&icon), "svg");
        Ok(Self { templates, texts, site, style, icon, logo: None })
    }

    /// The pages with the colors and the logo of a site.
    ///
    /// # Errors
    /// [`PagesError::File`] or [`PagesError::Logo`].
    pub fn brand(mut self, brand: &BrandSettings) -> Result<Self, PagesError> {
        let rules = brand.colors.rules();
        if !rules.is_empty() {
            self.style = [&self.style, "\n".as_bytes(), rules.as_bytes()].concat().into();
            self.site.style = self.site.asset(&fingerprint(&self.style), "css");
        }
        if let Some(path) = &brand.logo {
            let failed = |error| PagesError::File { path: path.clone(), error };
            let fault = |fault| PagesError::Logo { path: path.clone(), fault };
            let logo = Logo::read(path).map_err(failed)?.map_err(fault)?;
            self.site.logo = Some(self.site.asset(&fingerprint(&logo.bytes), logo.ending));
            self.logo = Some(logo);
        }
        Ok(self)
    }

    /// The address of the sign-in page that leads to `next` on this site, in the language that an application
    /// wished for.
    pub(in crate::web) fn sign_in_for(&self, next: &str) -> String {
        self.site.sign_in_for(next, self.texts.wished())
    }

    /// The texts.
    pub(in crate::web) fn texts(&self) -> &Texts {
        &self.texts
    }

    /// The values that every page has.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// The style sheet, the icon or the logo, if `path` is the current path of one of them.
    pub fn asset(&self, path: &str) -> Option<Response<Body>> {
        let logo = self.logo.as_ref().filter(|_| self.site.logo.as_deref() == Some(path));
        let (kind, bytes) = match path {
            _ if path == self.site.style => ("text/css; charset=utf-8", &self.style),
            _ if path == self.site.icon => ("image/svg+xml", &self.icon),
            _ => (logo?.kind, &logo?.bytes),
        };
        Some(file(kind, bytes.clone()))
    }

    /// The path of the logo of a client.
    pub(in crate::web) fn path_of(&self, logo: &Picture) -> String {
        self.site.asset(&logo.fingerprint, logo.ending)
    }

    /// A page with forms that lead to `forms`.
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
        let failed = status.is_client_error() || status.is_server_error();
        let request_id = request_id::current().filter(|_| failed);
        let request_id = request_id.as_ref().map(RequestId::as_str);
        let (lang, dir) = (self.texts.current_tag(), self.texts.direction());
        // The pages after this one stay in the language that an application wished for.
        let wished = self.texts.wished().map(|tag| Cow::Owned(self.site.in_language(tag)));
        let site = wished.unwrap_or(Cow::Borrowed(&self.site));
        let whole = Value::from(Serde(Whole { site: &site, lang, dir, request_id, page: context }));
        let rendered = self.templates.get_template(template).and_then(|page| page.render(whole));
        let html = match rendered {
            Ok(html) => html,
            Err(error) => {
                tracing::error!(template, error = format!("{error:#}"), "a page cannot be shown");
                let number = request_id::current();
                let told =
                    number.map(|id| self.texts.with("message-request-id", "number", id.as_str()));
                return Page::new(self.texts.plain("problem-failed-title"))
                    .text(&self.texts.plain("problem-failed"))
                    .text(&told.unwrap_or_default())
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

    /// A page with a short message.
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

/// A file that pages show, whose path changes with its content.
fn file(kind: &'static str, content: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(content));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
    headers.insert(header::CACHE_CONTROL, forever);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(page::RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox"),
    );
    response
}

impl Picture {
    /// The logo of a client as a file.
    pub(in crate::web) fn file(&self) -> Response<Body> {
        file(self.kind, self.bytes.clone())
    }
}

/// The values of a page beside those of the site.
#[derive(Serialize)]
struct Whole<'a, T> {
    site: &'a Site,
    /// The language.
    lang: &'a str,
    /// Its direction.
    dir: &'static str,
    /// The number of the request, on an error page.
    request_id: Option<&'a str>,
    #[serde(flatten)]
    page: &'a T,
}

/// The headers of every page.
fn protect(headers: &mut HeaderMap, forms: FormsLead) {
    let fixed: [(HeaderName, &'static str); 8] = [
        (header::CONTENT_SECURITY_POLICY, forms.policy()),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // `no-referrer` would also remove the origin from the program's own forms, which check it.
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
        (header::VARY, "accept-language"),
        // Pages of other sites can neither keep a handle on this page nor show it.
        (page::OPENER_POLICY, "same-origin"),
        (page::RESOURCE_POLICY, "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TAKEN;

    /// The values that the comment at the head of a page has, and its lists with `NAME[]`.
    fn documented(source: &str) -> Vec<String> {
        let (comment, _) = source.strip_prefix("{#").unwrap().split_once("#}").unwrap();
        let names = comment.lines().filter_map(|line| line.strip_prefix("  "));
        let names = names.filter_map(|line| line.split("  ").next());
        let names = names.flat_map(|names| names.split(", ").map(str::to_owned));
        names.filter(|name| !name.is_empty()).collect()
    }

    #[test]
    fn a_page_says_at_its_head_what_it_is_given() {
        let pages = Pages::load("Id", &Issuer::localhost(4004), None).unwrap();
        let html = |name: &&str| name.ends_with(".html");
        let of_every_page = documented(BUILT_IN_PAGES[0].1);
        for name in BUILT_IN_PAGES.iter().map(|(name, _)| *name).filter(html) {
            let (_, source) = BUILT_IN_PAGES.iter().find(|(known, _)| *known == name).unwrap();
            let documented = [&of_every_page[..], &documented(source)].concat();
            let used = pages.templates.get_template(name).unwrap().undeclared_variables(true);
            for used in used.iter().filter(|used| !texts::FUNCTIONS.contains(&used.as_str())) {
                // `client` is documented by its members.
                let is_known = documented
                    .iter()
                    .any(|known| known == used || known.starts_with(&format!("{used}.")));
                assert!(is_known, "{name}: {used}");
            }
            for known in &documented {
                let (_, body) = source.split_once("#}").unwrap();
                let is_of_page = body.contains(known) || of_every_page.contains(known);
                assert!(is_of_page, "{name}: {known} is not used");
            }
        }
    }

    #[test]
    fn no_setting_moves_a_path_onto_a_page() {
        let pages = Pages::load("Id", &Issuer::localhost(4004), None).unwrap();
        let site = serde_json::to_value(pages.site()).unwrap();
        let paths = site.as_object().unwrap().values().filter_map(|path| path.as_str());
        let first = paths.filter_map(|path| path.strip_prefix('/')?.split('/').next());
        let first: Vec<_> = first.filter(|first| !first.is_empty()).collect();
        assert!(first.len() > 8 && first.iter().all(|first| TAKEN.contains(first)), "{first:?}");
    }

    #[test]
    fn only_a_way_on_that_this_site_proposes_is_a_button() {
        let pages = Pages::load("Id", &Issuer::localhost(4004), None).unwrap();
        let html = |link| {
            let (title, key) = ("not-found-title", "not-found");
            let message = Message { title, key, client: None, code: None, link, alert: false };
            let page = pages.message_bytes(StatusCode::OK, &message);
            String::from_utf8(page.into_body().to_vec()).unwrap()
        };
        let link = Link::to("/there", "go-on");
        assert!(html(Some(link)).contains(r#"<a class="button" href="&#x2f;there">Go on</a>"#));
        let quiet = html(Some(Link { quiet: true, ..link }));
        assert!(quiet.contains(r#"<a href="&#x2f;there">Go on</a>"#), "{quiet}");
        assert!(!quiet.contains("button"), "{quiet}");
        assert!(!html(None).contains("there"));
    }
}
