//! What a visitor sees when a login does not work.

use axum::{body::Body, response::Response};
use http::{HeaderValue, StatusCode, header, request::Parts};
use tracing::{error, info, warn};

use crate::{
    Error, Login, Result,
    consumer::{
        Jar, Trail,
        error::{BrowserError, OperatorError, ServiceError},
    },
    page::{self, Page},
};

use super::{
    hooks::{Failed, Handlers},
    navigation::is_for_a_page,
};

/// The answer to a failed login: the application's own, or the usual page.
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
    let (answer, _) = Handlers::of(login).error(event, parts).await.into_parts();
    answer.unwrap_or_else(|| {
        let title = service.map(|service| &*service.spec.title);
        let home = login.ready().map_or_else(|_| "/".into(), |r| format!("{}/", r.site.base_path));
        let retry = retry_url.as_deref();
        if is_for_a_page(&parts.headers) {
            usual_page(&error, title, retry, &home)
        } else {
            usual_json(&error, title, retry)
        }
    })
}

/// The answer for an error of which nothing is known but the request.
pub(super) fn plainly(error: &Error, parts: &Parts) -> Response {
    log(error, None);
    if is_for_a_page(&parts.headers) {
        usual_page(error, None, None, "/")
    } else {
        usual_json(error, None, None)
    }
}

/// The answer for an error of a handler, of whose request nothing is known here: a page. The layer
/// around, which knows it, makes JSON of it where nobody would look at a page ([`answered`]).
pub(super) fn unknown_to_whom(error: Error) -> Response {
    log(&error, None);
    let mut response = usual_page(&error, None, None, "/");
    response.extensions_mut().insert(Plain(error));
    response
}

/// The error that a page tells, and nothing else is in it.
#[derive(Clone)]
struct Plain(Error);

/// What a handler answered, as it is fit for the request.
pub(super) fn answered(mut response: Response, is_for_a_page: bool) -> Response {
    let Some(Plain(error)) = response.extensions_mut().remove() else { return response };
    if is_for_a_page {
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

/// A redirect, which nobody keeps.
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

/// A page that goes on to another of this site by itself. A redirect would still count as a visit
/// from the service's site, to which browsers show no `SameSite=Strict` cookies; what a page of
/// ours asks for, we ask for.
pub(super) fn hop(to: &str) -> Response {
    let link = page::escape(to);
    let body = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>One moment</title><a href=\"{link}\">Go on</a></html>\n"
    );
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    // Room for all there will be: growing costs more than filling.
    headers.reserve(12);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
        ),
    );
    if let Ok(refresh) = HeaderValue::try_from(["0;url=", to].concat()) {
        headers.insert(header::REFRESH, refresh);
    }
    page::protect(headers);
    response
}

/// What a script is told: the same as a person.
fn usual_json(error: &Error, service: Option<&str>, retry: Option<&str>) -> Response {
    let (_, message) = words(error, service.or(named(error)).unwrap_or("the service"));
    let mut told = serde_json::Map::new();
    told.insert("error".to_owned(), error.code().into());
    told.insert("message".to_owned(), message.into());
    if let Some(service) = named(error) {
        told.insert("service".to_owned(), service.into());
    }
    if let Some(retry) = retry {
        told.insert("retry_url".to_owned(), retry.into());
    }
    json(error.status(), &told.into())
}

/// An answer for scripts, which nobody keeps.
pub(super) fn json(status: StatusCode, value: &serde_json::Value) -> Response {
    let mut response = Response::new(Body::from(value.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The name of the service that an error is about, where it says so.
fn named(error: &Error) -> Option<&str> {
    match error {
        Error::NotLinked(who) => Some(&who.service),
        Error::Service { service, .. }
        | Error::Api { service, .. }
        | Error::Network { service, .. } => Some(service),
        Error::Browser(_) | Error::Operator(_) => None,
    }
}

fn usual_page(error: &Error, service: Option<&str>, retry: Option<&str>, home: &str) -> Response {
    let name = service.or(named(error)).unwrap_or("the service");
    let (title, text) = words(error, name);
    let mut page = Page::new(title).text(&text).code(error.code());
    if let Some(retry) = retry {
        page = page.link("Try again", retry);
    }
    page.link("Back to the site", home).to_response(error.status()).map(Body::from)
}

fn words(error: &Error, name: &str) -> (&'static str, String) {
    match error {
        Error::Browser(error) => match error {
            BrowserError::Denied => (
                "You did not log in",
                format!("You told {name} not to let this site in. Nothing was changed."),
            ),
            BrowserError::AttemptExpired => (
                "That took too long",
                "This login was begun more than an hour ago, or the site has new keys since."
                    .to_owned(),
            ),
            BrowserError::AttemptCookieMissing => (
                "This login is not known here any more",
                "It was finished before, or begun in another browser or under another address of this site, or the browser did not keep the cookie that belongs to it."
                    .to_owned(),
            ),
            BrowserError::StateUnknown
            | BrowserError::CallbackMalformed
            | BrowserError::WrongIssuer => (
                "This login was not begun here",
                format!("The answer of {name} does not belong to a login of this site."),
            ),
            BrowserError::UserChanged => (
                "Somebody else is signed in now",
                "The login was begun by another user of this site, so it was not finished."
                    .to_owned(),
            ),
            BrowserError::AccountChanged => (
                "That was another account",
                format!("The further permission must come from the account at {name} that is linked already."),
            ),
            BrowserError::TenantUnknown => no_such_login(),
            BrowserError::Loop => (
                "Going in circles",
                format!("You have just come back from {name}, and this page still finds no account with the permissions it needs. {name} may have granted less than the page asked for, the browser may refuse this site's cookies, or the site may keep no accounts."),
            ),
        },
        Error::Service { error: ServiceError::ClientRefused, .. } => (
            "This site is not set up for it",
            format!("{name} did not accept this site's credentials. Whoever runs the site has to look at them."),
        ),
        Error::Service { error: ServiceError::Unavailable { .. }, .. } | Error::Network { .. } => (
            "No answer",
            format!("{name} cannot be reached, or has too much to do. Try again in a moment."),
        ),
        Error::Service { .. } => (
            "That did not work",
            format!("{name} answered in a way that this site cannot use."),
        ),
        Error::Api { status, .. } => (
            "That did not work",
            format!("This page asked {name} for something, and the answer was an error ({status})."),
        ),
        Error::Operator(_) if error.status() == StatusCode::NOT_FOUND => no_such_login(),
        Error::Operator(_) if error.is_transient() => (
            "No answer",
            "This site cannot look that up just now. Try again in a moment.".to_owned(),
        ),
        // Mistakes in the code, which nobody meets but who is writing it. The reason holds nothing
        // but names from there.
        Error::Operator(
            error @ (OperatorError::NotAttached
            | OperatorError::ServiceNotAdded { .. }
            | OperatorError::ServiceMismatch { .. }
            | OperatorError::NoServices
            | OperatorError::RoutesMissing
            | OperatorError::NestedElsewhere { .. }),
        ) => ("This site is not set up for it", format!("For the developers of this site: {error}.")),
        Error::Operator(_) => (
            "This site is not set up for it",
            "Whoever runs the site finds the reason in its log.".to_owned(),
        ),
        Error::NotLinked(_) => ("Log in first", format!("This page needs your account at {name}.")),
    }
}

fn no_such_login() -> (&'static str, String) {
    ("No such login", "This site has no login by that name.".to_owned())
}

/// Errors that another try can mend.
fn can_be_retried(error: &Error) -> bool {
    !matches!(error, Error::Operator(_))
}

fn log(error: &Error, service: Option<&str>) {
    let (code, cause) = (error.code(), error.causes());
    let service = error.service_name().or(service);
    match error {
        Error::NotLinked(_) | Error::Browser(_) => {
            info!(code, service, %error, "a login was not finished");
        }
        Error::Service { .. } | Error::Network { .. } => {
            warn!(code, service, %error, cause, "a login or a call failed");
        }
        Error::Api { .. } => warn!(code, service, %error, "a call of a service's API failed"),
        // Anybody can ask for a login of any name.
        Error::Operator(OperatorError::ServiceUnknown { .. }) => {
            info!(code, service, %error, "there is no such login");
        }
        Error::Operator(_) => error!(code, service, %error, "logins are not set up right"),
    }
}
