//! The page that sends the answer to the client by POST (OAuth 2.0 Form Post Response Mode).

use std::{fmt::Write as _, sync::LazyLock};

use bytes::Bytes;
use http::{HeaderValue, Response};

use crate::{
    page::{END, Language, escape, start},
    provider::client::redirect_uri::RedirectUri,
};

use super::script_page;

/// The script of the page, the only one that runs there.
const SCRIPT: &str = "document.forms[0].submit()";

/// The policy of the page. It has no `form-action`: Chromium applies that to the redirects after
/// the form, too, and only the client knows where it sends its users. The form has nothing that is
/// not escaped, and no script can change its address.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| script_page::policy(SCRIPT, ""));

/// The page that sends these fields to the redirect URI: by itself or, without scripts, by a
/// button. A client may show it in a frame, where it works as a redirect would.
pub(in crate::provider) fn page(uri: &RedirectUri, fields: &[(String, String)]) -> Response<Bytes> {
    let (action, language) = (escape(uri.as_str()), Language::current());
    let label = language.text("form-post-button", &[("destination", uri.destination())]);
    let label = escape(&label);
    let mut html = start(language, language.pattern("form-post-title"), "");
    let _ = write!(html, "<form method=\"post\" action=\"{action}\">");
    for (name, value) in fields {
        let (name, value) = (escape(name), escape(value));
        let _ = write!(html, "<input type=\"hidden\" name=\"{name}\" value=\"{value}\">");
    }
    let _ = write!(html, "<button>{label}</button></form><script>{SCRIPT}</script></main>{END}");
    script_page::page(html, &POLICY, "no-store")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_has_sent_cannot_break_out_of_the_page() {
        let uri = "https://app.example/cb?a=1&b=%22".parse().unwrap();
        let fields = [("state".to_owned(), "\"><script>alert(1)</script>".to_owned())];
        let page = page(&uri, &fields);
        let html = std::str::from_utf8(page.body()).unwrap();
        assert_eq!(html.matches("<script>").count(), 1, "{html}");
        assert!(html.contains("action=\"https://app.example/cb?a=1&amp;b=%22\""), "{html}");
        let policy = page.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("script-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(page.headers()["cache-control"], "no-store");
    }
}
