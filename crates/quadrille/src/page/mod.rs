//! Pages: a small one, for applications without pages of their own, and functions for an
//! application's own pages ([`escape`], [`is_unseen`], [`protect`], [`same_site`], [`look_up_language`]).
//!
//! The small page has no script, one inline style sheet, a strict Content-Security-Policy and no
//! framing; it follows the browser's light or dark scheme and fits a phone.

mod language;
mod same_site;
mod unseen;

pub use language::{Language, accepted_languages, is_right_to_left, isolated, look_up_language};
pub use same_site::same_site;
pub use unseen::is_unseen;

use std::{borrow::Cow, fmt::Write as _, sync::LazyLock};

use aws_lc_rs::digest;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};

const STYLE: &str = ":root{color-scheme:light dark;--line:#8884;--accent:#3b5bdb}\
body{margin:0;font:1rem/1.5 system-ui,sans-serif;display:grid;min-height:100svh;place-items:center}\
main{box-sizing:border-box;width:min(34rem,100%);padding:2rem 1.25rem;overflow-wrap:anywhere}\
h1{font-size:1.4rem;line-height:1.25;margin:0 0 .75rem}p{margin:.5rem 0}\
.actions{display:flex;flex-wrap:wrap;gap:.75rem;margin:1.5rem 0}form{margin:0}\
a.button,button{font:inherit;cursor:pointer;text-decoration:none;padding:.6rem 1.1rem;\
border:1px solid var(--line);border-radius:.5rem;color:inherit;background:none}\
.actions>:first-child.button,.actions>:first-child button{background:var(--accent);\
border-color:var(--accent);color:#fff}\
a.button:focus-visible,button:focus-visible{outline:3px solid var(--accent);outline-offset:2px}\
small{opacity:.7}code{font-size:.9em}";

static STYLE_ELEMENT: LazyLock<String> = LazyLock::new(|| format!("<style>{STYLE}</style>"));

/// The Content-Security-Policy of a page without forms: only the style sheet.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| policy("'none'"));

/// The same for a page with forms.
static POLICY_WITH_FORMS: LazyLock<HeaderValue> = LazyLock::new(|| policy("'self'"));

/// The directive that lets the style sheet apply.
pub(crate) fn style_policy() -> String {
    let hash = BASE64_STANDARD.encode(digest::digest(&digest::SHA256, STYLE.as_bytes()));
    format!("style-src 'sha256-{hash}'")
}

/// The beginning of a page, with this style element or an empty text. A page that people see for a
/// moment needs none: it follows the browser's light or dark scheme.
pub(crate) fn start(language: Language, title: &str, style: &str) -> String {
    let (title, tag) = (escape(title), language.tag());
    let direction = if language.is_right_to_left() { " dir=\"rtl\"" } else { "" };
    format!(
        "<!doctype html><html lang=\"{tag}\"{direction}><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <title>{title}</title>{style}</head><body><main><h1>{title}</h1>"
    )
}

/// The end of a page, behind its `main`.
pub(crate) const END: &str = "</body></html>\n";

fn policy(form_action: &'static str) -> HeaderValue {
    let style = style_policy();
    header_value(&format!(
        "default-src 'none'; {style}; form-action {form_action}; base-uri 'none'; frame-ancestors 'none'"
    ))
}

/// A page with a title, a few sentences and links or forms.
///
/// ```
/// use http::StatusCode;
/// use quadrille::page::Page;
///
/// let response = Page::new("You said no")
///     .text("GitHub was told that you do not want to log in.")
///     .link("Try again", "/login/github?next=/album")
///     .code("access_denied")
///     .to_response(StatusCode::FORBIDDEN);
/// assert_eq!(response.status(), 403);
/// assert!(response.headers()["content-security-policy"].to_str()?.contains("default-src 'none'"));
/// # Ok::<(), http::header::ToStrError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Page {
    language: Language,
    title: String,
    body: String,
    actions: String,
    code: Option<&'static str>,
    has_forms: bool,
}

impl Page {
    /// A page with this heading.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            language: Language::ENGLISH,
            title: title.into(),
            body: String::new(),
            actions: String::new(),
            code: None,
            has_forms: false,
        }
    }

    /// Sets the language of the texts; otherwise it is English.
    #[must_use]
    pub fn language(mut self, language: Language) -> Self {
        self.language = language;
        self
    }

    /// Adds a paragraph. All texts are escaped.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        let _ = write!(self.body, "<p>{}</p>", escape(text));
        self
    }

    /// Adds a link that looks like a button. The first one is highlighted.
    #[must_use]
    pub fn link(mut self, label: &str, href: &str) -> Self {
        let (label, href) = (escape(label), escape(href));
        let _ = write!(self.actions, r#"<a class="button" href="{href}">{label}</a>"#);
        self
    }

    /// Adds a button that sends a form of hidden fields by POST to this site. The response must not
    /// redirect to another site: browsers apply the page's `form-action` to redirects, and block
    /// that.
    #[must_use]
    pub fn form(mut self, label: &str, action: &str, fields: &[(&str, &str)]) -> Self {
        self.has_forms = true;
        let _ = write!(self.actions, r#"<form method="post" action="{}">"#, escape(action));
        for (name, value) in fields {
            let (name, value) = (escape(name), escape(value));
            let _ = write!(self.actions, r#"<input type="hidden" name="{name}" value="{value}">"#);
        }
        let _ = write!(self.actions, "<button>{}</button></form>", escape(label));
        self
    }

    /// Sets the stable code of the event, in small print: for support.
    #[must_use]
    pub fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// The page as HTML.
    pub fn to_html(&self) -> String {
        self.to_html_with("")
    }

    /// The page as HTML, with further elements at its end.
    pub(crate) fn to_html_with(&self, further: &str) -> String {
        let mut html = start(self.language, &self.title, STYLE_ELEMENT.as_str());
        html.push_str(&self.body);
        if !self.actions.is_empty() {
            let _ = write!(html, "<div class=\"actions\">{}</div>", self.actions);
        }
        if let Some(code) = self.code {
            let label = escape(self.language.pattern("code-label"));
            let _ = write!(html, "<p><small>{label} <code>{code}</code></small></p>");
        }
        let _ = write!(html, "</main>{further}{END}");
        html
    }

    /// The page as a response with the headers of [`protect`]; if it has forms, with the referrer
    /// policy `same-origin`, so that they are accepted as those of this site.
    pub fn to_response(&self, status: StatusCode) -> Response<Bytes> {
        let mut response = Response::new(Bytes::from(self.to_html()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert(header::VARY, HeaderValue::from_static("accept-language"));
        let policy = if self.has_forms { &POLICY_WITH_FORMS } else { &POLICY };
        headers.insert(header::CONTENT_SECURITY_POLICY, LazyLock::force(policy).clone());
        protect(headers);
        if self.has_forms {
            // Browsers without Fetch Metadata then say where the form comes from.
            headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        }
        response
    }
}

/// With status 200.
#[cfg(feature = "axum")]
impl axum::response::IntoResponse for Page {
    fn into_response(self) -> axum::response::Response {
        self.to_response(StatusCode::OK).map(Into::into)
    }
}

/// Sets the headers of a page for one user: no storing, framing, sniffing, `Referer` (its address
/// may contain a code), or access by another site's page that opened it.
pub fn protect(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
}

/// `Cross-Origin-Opener-Policy` (HTML, section 7.1.3): whether the page that opened this one keeps
/// a reference to it.
pub const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// `Cross-Origin-Resource-Policy` (Fetch, section 3.7): the sites that may embed this response.
pub const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Escapes `text` for HTML text and double-quoted attributes.
///
/// ```
/// assert_eq!(quadrille::page::escape(r#"<a b="c">&'"#), "&lt;a b=&quot;c&quot;&gt;&amp;&#39;");
/// ```
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}

fn header_value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_a_stranger_wrote_becomes_markup() {
        let html = Page::new("<script>")
            .text("</p><img src=x>")
            .link("\"><b>", "\"onmouseover=x")
            .form("<i>", "/x\">", &[("a\"", "<b>")])
            .to_html();
        for bad in ["<script>", "<img", "<b>", "<i>", "\"onmouseover", "/x\">"] {
            assert!(!html.contains(bad), "{bad} in {html}");
        }
    }

    #[test]
    fn the_policy_allows_the_pages_own_style_only() {
        let response = Page::new("Hello").to_response(StatusCode::OK);
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("style-src 'sha256-"), "{policy}");
        assert!(policy.contains("form-action 'none'") && !policy.contains("unsafe"));
        let asking = Page::new("Go on?").form("Yes", "/login/a", &[]).to_response(StatusCode::OK);
        let policy = asking.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("form-action 'self'") && !policy.contains("unsafe"), "{policy}");
        let body = std::str::from_utf8(response.body()).unwrap();
        assert!(body.contains(&format!("<style>{STYLE}</style>")));
        assert!(!body.contains(" style="), "an inline style would be blocked");
    }
}
