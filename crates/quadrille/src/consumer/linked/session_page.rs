//! The frame of this site that notices the end of a session at the provider ("RP iframe", OpenID
//! Connect Session Management 1.0, section 3.1).

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderValue, Response, header};
use url::Url;

use crate::{
    consumer::{
        error::{BrowserError, OperatorError, Result},
        login::Login,
    },
    digest::sha256,
    page::escape,
};

/// The script of the page, the only one that runs there.
const SCRIPT: &str = include_str!("session_page.js");
/// The length of the longest session state.
const LONGEST: usize = 1024;

impl Login {
    /// The page for a frame on a page of this site, which notices when the session at the provider
    /// changes: the "RP iframe" of OpenID Connect Session Management 1.0, section 3.1. It frames the page
    /// of the provider (`check_session_iframe`), asks it every three seconds whether `session_state` still
    /// holds, and posts a message to the page around it, if that is of this origin:
    /// `{type: "quadrille-session", service, state}`, with the state `changed` or `error`.
    ///
    /// After `changed`, log the user in again with `prompt=none`, which shows no page: a login that
    /// succeeds has another `session_state`, and one that fails means that the user has signed out there.
    /// After `error`, the frame cannot know. The `session_state` of a login is
    /// [`Authorized::callback_parameter`](crate::Authorized::callback_parameter).
    ///
    /// The response has the policy that lets the page run its script, frame the provider and be framed by
    /// this site alone: leave its headers as they are. `None` at a provider whose metadata have no
    /// `check_session_iframe`.
    ///
    /// ```
    /// use axum::{body::Body, http::StatusCode, response::{IntoResponse, Response}};
    /// use quadrille::{Login, Result};
    ///
    /// /// `GET /session`, for `<iframe src="/session" hidden>`.
    /// async fn session(login: &Login, session_state: &str) -> Result<Response> {
    ///     let page = login.session_page("acme", session_state).await?;
    ///     Ok(page.map_or(StatusCode::NOT_FOUND.into_response(), |page| page.map(Body::from)))
    /// }
    /// ```
    ///
    /// # Errors
    /// [`BrowserError::CallbackMalformed`] for a `session_state` with a space (section 2) or of more than
    /// 1,024 bytes; [`OperatorError::NotOpenId`]; those of an unknown service, and of the request for the
    /// provider's metadata.
    pub async fn session_page(
        &self,
        service: &str,
        session_state: &str,
    ) -> Result<Option<Response<Bytes>>> {
        let registered = self.by_name(service).await?;
        let metadata = registered.openid_provider()?.metadata(&self.ready()?.site.env).await?;
        let is_fit = |char: char| !char.is_whitespace() && !char.is_control();
        let fits =
            (1..=LONGEST).contains(&session_state.len()) && session_state.chars().all(is_fit);
        if !fits {
            return Err(BrowserError::CallbackMalformed.into());
        }
        let Some(frame) = &metadata.check_session_iframe else { return Ok(None) };
        let asked = [&*registered.id, " ", session_state].concat();
        Ok(Some(page(frame, &asked, &registered.name)?))
    }
}

/// The page. Its values are attributes, so that the policy can name the script by its hash.
fn page(frame: &Url, asked: &str, service: &str) -> Result<Response<Bytes>, OperatorError> {
    let origin = frame.origin().ascii_serialization();
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Session</title></head>\
         <body data-origin=\"{}\" data-asked=\"{}\" data-service=\"{}\">\
         <iframe src=\"{}\" title=\"Session\" hidden></iframe>\
         <script>{SCRIPT}</script></body></html>\n",
        escape(&origin),
        escape(asked),
        escape(service),
        escape(frame.as_str()),
    );
    let hash = BASE64_STANDARD.encode(sha256(SCRIPT.as_bytes()));
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{hash}'; frame-src {origin}; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'self'"
    );
    let mut response = Response::new(Bytes::from(html));
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // An origin is ASCII, without spaces and semicolons.
    let policy = HeaderValue::try_from(policy).map_err(|_| OperatorError::CallMalformed)?;
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_is_one_element_whose_text_browsers_hash_as_it_is() {
        assert!(!SCRIPT.contains("</") && !SCRIPT.contains("<!--"), "it would end there");
        assert!(!SCRIPT.contains('\r'), "browsers read another text");
    }

    #[test]
    fn what_comes_from_elsewhere_is_a_value_of_the_page_and_nothing_else() {
        let frame = Url::parse("https://id.example:8443/check?a=\"b\"&c").unwrap();
        let page = page(&frame, "our-id \"><script>x</script>", "acme").unwrap();
        let policy = page.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("frame-src https://id.example:8443; "), "{policy}");
        assert!(policy.contains("script-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
        let html = std::str::from_utf8(page.body()).unwrap();
        assert_eq!(html.matches("<script>").count(), 1, "{html}");
        assert!(html.contains("data-asked=\"our-id &quot;&gt;&lt;script"), "{html}");
        assert!(!html.contains("\"b\""), "{html}");
    }
}
