//! What a visitor sees when a login does not work.

use ::axum::{body::Body, response::Response};
use http::{HeaderValue, StatusCode, header, request::Parts};
use tracing::{error, info, warn};

use crate::{
    Error, Login,
    consumer::{Jar, Origin},
    error::{BrowserFault, ServiceFault},
    page::{self, Page},
};

use super::consumer_hooks::Failed;

/// The answer to a failed login: the application's own, or the usual page.
pub(super) async fn failed(
    login: &Login,
    jar: &Jar,
    parts: &mut Parts,
    error: Error,
    origin: Origin,
) -> Response {
    let error = match login.end(jar, &origin) {
        Ok(()) => error,
        Err(worse) => worse,
    };
    log(&error, origin.service.as_ref().map(|service| &*service.name));
    let service = origin.service.as_ref();
    let retry_url = service.filter(|_| can_be_retried(&error)).map(|service| match &origin.retry {
        Some(retry) => retry.clone(),
        None => login.login_path(&service.name, origin.next.as_deref().unwrap_or(""), ""),
    });
    let event = Failed {
        error: error.clone(),
        service: service.map(|service| service.name.clone()),
        next: origin.next.clone(),
        retry_url: retry_url.clone(),
    };
    let (answer, _) = login.0.handlers.error(event, parts).await.into_parts();
    answer.unwrap_or_else(|| {
        let title = service.map(|service| &*service.spec().title);
        let home = login.ready().map_or_else(|_| "/".into(), |r| format!("{}/", r.base_path));
        usual_page(&error, title, retry_url.as_deref(), &home)
    })
}

/// The page for an error of which nothing else is known.
pub(super) fn plain_page(error: &Error) -> Response {
    log(error, None);
    usual_page(error, None, None, "/")
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
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
    );
    if let Ok(refresh) = HeaderValue::try_from(["0;url=", to].concat()) {
        headers.insert(header::REFRESH, refresh);
    }
    page::protect(headers);
    response
}

fn usual_page(error: &Error, service: Option<&str>, retry: Option<&str>, home: &str) -> Response {
    let name = service.unwrap_or("the service");
    let (title, text) = words(error, name);
    let mut page = Page::new(title).text(&text).code(error.code());
    if let Some(retry) = retry {
        page = page.link("Try again", retry);
    }
    page.link("Back to the site", home).to_response(error.status()).map(Body::from)
}

fn words(error: &Error, name: &str) -> (&'static str, String) {
    match error {
        Error::Browser(fault) => match fault {
            BrowserFault::Denied => (
                "You did not log in",
                format!("You told {name} not to let this site in. Nothing was changed."),
            ),
            BrowserFault::AttemptExpired => (
                "That took too long",
                "This login was begun more than an hour ago, or the site has new keys since."
                    .to_owned(),
            ),
            BrowserFault::AttemptCookieMissing => (
                "This login is not known here any more",
                "It was finished before, or begun in another browser or under another address of this site, or the browser did not keep the cookie that belongs to it."
                    .to_owned(),
            ),
            BrowserFault::StateUnknown
            | BrowserFault::CallbackMalformed
            | BrowserFault::WrongIssuer => (
                "This login was not begun here",
                format!("The answer of {name} does not belong to a login of this site."),
            ),
            BrowserFault::UserChanged => (
                "Somebody else is signed in now",
                "The login was begun by another user of this site, so it was not finished."
                    .to_owned(),
            ),
            BrowserFault::AccountChanged => (
                "That was another account",
                format!("The further permission must come from the account at {name} that is linked already."),
            ),
            BrowserFault::TenantUnknown => no_such_login(),
            BrowserFault::Loop => (
                "Going in circles",
                format!("You have just come back from {name}, and this page still finds no account with the permissions it needs. {name} may have granted less than the page asked for, the browser may refuse this site's cookies, or the site may keep no accounts."),
            ),
        },
        Error::Service { fault: ServiceFault::ClientRefused, .. } => (
            "This site is not set up for it",
            format!("{name} did not accept this site's credentials. Whoever runs the site has to look at them."),
        ),
        Error::Service { fault: ServiceFault::Unavailable { .. }, .. } | Error::Network { .. } => (
            "No answer",
            format!("{name} cannot be reached, or has too much to do. Try again in a moment."),
        ),
        Error::Service { .. } | Error::Api { .. } => (
            "That did not work",
            format!("{name} answered in a way that makes no login."),
        ),
        Error::Operator(_) if error.status() == StatusCode::NOT_FOUND => no_such_login(),
        Error::Operator(_) if error.is_transient() => (
            "No answer",
            "This site cannot look that up just now. Try again in a moment.".to_owned(),
        ),
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
    let code = error.code();
    match error {
        Error::NotLinked(_) | Error::Browser(_) => {
            info!(code, service, %error, "a login was not finished");
        }
        Error::Service { .. } | Error::Api { .. } | Error::Network { .. } => {
            warn!(code, service, %error, "a login failed");
        }
        Error::Operator(_) => error!(code, service, %error, "logins are not set up right"),
    }
}
