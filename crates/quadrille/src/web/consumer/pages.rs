//! The pages for a login that fails.

use std::{borrow::Cow, sync::LazyLock};

use axum::{body::Body, response::Response};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts};
use tracing::{error, info, warn};

use crate::{
    Error, Login, Result,
    consumer::{
        Ending, Jar, Trail,
        error::{BrowserError, OperatorError},
    },
    digest::sha256,
    page::{self, END, Language, Page},
};

use super::{
    hooks::{Failed, Handlers},
    navigation::is_for_a_page,
    words::words,
};

/// The response to a failed login: the hook's, or the usual page.
pub(super) async fn failed(
    login: &Login,
    jar: &Jar,
    parts: &mut Parts,
    error: Error,
    trail: Trail,
) -> Response {
    let error = match login.end(jar, &trail) {
        Ok(()) => error,
        Err(worse) => worse,
    };
    log(&error, trail.service.as_ref().map(|service| &*service.name));
    let service = trail.service.as_ref();
    let retry_url = service.filter(|_| can_be_retried(&error)).map(|service| match &trail.retry {
        Some(retry) => retry.clone(),
        None => login.login_path(&service.name, trail.next.as_deref().unwrap_or(""), ""),
    });
    let event = Failed {
        error: error.clone(),
        service: service.map(|service| service.name.clone()),
        next: trail.next.clone(),
        retry_url: retry_url.clone(),
    };
    let answer = Handlers::of(login).error(event, parts).await.into_answer();
    answer.unwrap_or_else(|| {
        let title = service.map(|service| &*service.spec.title);
        let home = login.ready().map_or_else(|_| "/".into(), |r| format!("{}/", r.site.base_path));
        let retry = retry_url.as_deref();
        let language = Language::of(&parts.headers);
        if let (Ending::PopUp, Some(opener)) = (trail.ending, login.opener()) {
            let name = service.map_or("", |service| &*service.name);
            let (title, text) = words(language, &error, title);
            let outcome = Outcome::Failed { code: error.code(), title, text };
            let mut response = message(language, opener, name, &outcome);
            *response.status_mut() = error.status();
            return response;
        }
        if trail.ending != Ending::Json && is_for_a_page(&parts.headers) {
            usual_page(language, &error, title, retry, &home)
        } else {
            usual_json(&error, title, retry)
        }
    })
}

/// The response to an error without a login.
pub(super) fn plainly(error: &Error, parts: &Parts) -> Response {
    log(error, None);
    if is_for_a_page(&parts.headers) {
        usual_page(Language::of(&parts.headers), error, None, None, "/")
    } else {
        usual_json(error, None, None)
    }
}

/// The response to an error of a handler, whose request is not known here: a page in English. The layer,
/// which knows the request, replaces it by one in its language, or by JSON if the request does not load a
/// page ([`answered`]).
pub(super) fn unknown_to_whom(error: Error) -> Response {
    log(&error, None);
    let mut response = usual_page(Language::ENGLISH, &error, None, None, "/");
    response.extensions_mut().insert(Plain(error));
    response
}

/// The error of a page that contains nothing else.
#[derive(Clone)]
struct Plain(Error);

/// The response of a handler, adapted to a request that loads a page in this language, or no page.
pub(super) fn answered(
    mut response: Response,
    page: Option<impl FnOnce() -> Language>,
) -> Response {
    let Some(Plain(error)) = response.extensions_mut().remove() else { return response };
    if let Some(language) = page {
        let language = language();
        if language != Language::ENGLISH {
            *response.body_mut() = usual_page(language, &error, None, None, "/").into_body();
        }
        return response;
    }
    let told = usual_json(&error, None, None);
    let (mut parts, _) = response.into_parts();
    let (json, body) = told.into_parts();
    for page_only in [header::CONTENT_SECURITY_POLICY, header::X_FRAME_OPTIONS] {
        parts.headers.remove(page_only);
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.extend(json.headers);
    Response::from_parts(parts, body)
}

/// A redirect that is not cached.
pub(super) fn redirect(status: StatusCode, to: String) -> Result<Response> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    let location = HeaderValue::try_from(to).map_err(|_| OperatorError::CallMalformed)?;
    response.headers_mut().insert(header::LOCATION, location);
    no_store(&mut response);
    Ok(response)
}

pub(super) fn no_store(response: &mut Response) {
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, no_store);
}

/// A page that loads another page of this site by itself. After a redirect from the service's site
/// browsers send no `SameSite=Strict` cookies; after a page of this origin they do.
pub(super) fn hop(language: Language, to: &str) -> Response {
    let link = page::escape(to);
    let start = page::start(language, language.pattern("hop-title"), "");
    let label = page::escape(language.pattern("hop-link"));
    let body = format!("{start}<p><a href=\"{link}\">{label}</a></p></main>{END}");
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.clone_from(&HOP_HEADERS);
    match HeaderValue::try_from(["0;url=", to].concat()) {
        Ok(refresh) => drop(headers.insert(header::REFRESH, refresh)),
        Err(_) => drop(headers.remove(header::REFRESH)),
    }
    response
}

/// The headers of [`hop`], with a place for `Refresh`: a copy costs less than filling a map.
static HOP_HEADERS: LazyLock<HeaderMap> = LazyLock::new(|| {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
        ),
    );
    headers.insert(header::REFRESH, HeaderValue::from_static("0"));
    page::protect(&mut headers);
    headers
});

/// The outcome of a login in a window.
pub(super) enum Outcome<'a> {
    /// The path of this site to return to.
    Finished { next: &'a str },
    /// The error's code and words.
    Failed { code: &'static str, title: &'static str, text: Cow<'static, str> },
}

/// Tells the page that opened the window, if it is of the right origin, and closes the window.
/// Without that page, the window stays.
const SCRIPT: &str = "const d=document.currentScript.dataset,o=window.opener;\
if(o){o.postMessage(d.error?{type:\"quadrille\",service:d.service,error:d.error}:\
{type:\"quadrille\",service:d.service,next:d.next},d.opener);window.close()}";

static SCRIPT_POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = BASE64_STANDARD.encode(sha256(SCRIPT.as_bytes()));
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{hash}'; form-action 'none'; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    // Base64 fits into a header.
    HeaderValue::try_from(policy).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"))
});

/// The page at the end of a login in a window. The values are attributes, so that the policy can
/// name the one script by its hash.
pub(super) fn message(
    language: Language,
    opener: &str,
    service: &str,
    outcome: &Outcome<'_>,
) -> Response {
    let (name, value, title, text) = match outcome {
        Outcome::Finished { next } => ("next", *next, language.pattern("popup-finished-title"), ""),
        Outcome::Failed { code, title, text } => ("error", *code, *title, &**text),
    };
    let (opener, service) = (page::escape(opener), page::escape(service));
    let (value, text) = (page::escape(value), page::escape(text));
    let start = page::start(language, title, "");
    let close = page::escape(language.pattern("popup-close"));
    let body = format!(
        "{start}<p>{text}</p><p>{close}</p>\
         <script data-opener=\"{opener}\" data-service=\"{service}\" data-{name}=\"{value}\">\
         {SCRIPT}</script></main>{END}"
    );
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CONTENT_SECURITY_POLICY, LazyLock::force(&SCRIPT_POLICY).clone());
    page::protect(headers);
    response
}

/// Lets the page that opened a window keep its reference to it.
pub(super) fn with_opener(mut response: Response) -> Response {
    let keeps = HeaderValue::from_static("unsafe-none");
    response.headers_mut().insert(page::OPENER_POLICY, keeps);
    response
}

/// The page's contents for scripts.
fn usual_json(error: &Error, service: Option<&str>, retry: Option<&str>) -> Response {
    let (_, message) = words(Language::ENGLISH, error, service.or(named(error)));
    let mut told = serde_json::Map::new();
    told.insert("error".to_owned(), error.code().into());
    told.insert("message".to_owned(), message.into_owned().into());
    if let Some(service) = named(error) {
        told.insert("service".to_owned(), service.into());
    }
    if let Some(retry) = retry {
        told.insert("retry_url".to_owned(), retry.into());
    }
    json(error.status(), &told.into())
}

/// A JSON response that is not cached.
pub(super) fn json(status: StatusCode, value: &serde_json::Value) -> Response {
    let mut response = Response::new(Body::from(value.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The name of the service concerned, if the error has it.
fn named(error: &Error) -> Option<&str> {
    match error {
        Error::NotLinked(who) => Some(&who.service),
        Error::Service { service, .. }
        | Error::Api { service, .. }
        | Error::Network { service, .. } => Some(service),
        Error::Browser(_) | Error::Operator(_) => None,
    }
}

fn usual_page(
    language: Language,
    error: &Error,
    service: Option<&str>,
    retry: Option<&str>,
    home: &str,
) -> Response {
    let (title, text) = words(language, error, service.or(named(error)));
    let mut page = Page::new(title).language(language).text(&text).code(error.code());
    if let Some(retry) = retry {
        page = page.link(language.pattern("try-again"), retry);
    }
    let page = page.link(language.pattern("back-to-site"), home);
    page.to_response(error.status()).map(Body::from)
}

/// Whether another attempt may succeed.
fn can_be_retried(error: &Error) -> bool {
    !matches!(error, Error::Operator(_))
}

fn log(error: &Error, service: Option<&str>) {
    let (code, likely, cause) = (error.code(), error.likely_cause(), error.causes());
    let service = error.service_name().or(service);
    match error {
        // Forms of the application's own are refused, too.
        Error::Browser(BrowserError::NotThisOrigin) => {
            info!(code, service, %error, likely, "a request of another site was refused");
        }
        Error::NotLinked(_) | Error::Browser(_) => {
            info!(code, service, %error, likely, "a login was not finished");
        }
        Error::Service { .. } | Error::Network { .. } => {
            warn!(code, service, %error, likely, cause, "a login or a call failed");
        }
        Error::Api { .. } => {
            warn!(code, service, %error, likely, "a call of a service's API failed");
        }
        // Anyone can request a login with any name, and of any kind.
        Error::Operator(OperatorError::ServiceUnknown { .. } | OperatorError::NotOpenId { .. }) => {
            info!(code, service, %error, likely, "there is no such login");
        }
        Error::Operator(_) => {
            error!(code, service, %error, likely, "logins are not set up correctly");
        }
    }
}
