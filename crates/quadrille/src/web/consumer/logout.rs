//! The route that logs a user out of a service.
//!
//! `POST {mount}/{service}/logout` revokes the token where the service allows it and unlinks the
//! account. Only a page of this site, or a program, may request that: another site must not log
//! anyone out. A GET shows a page with the form and changes nothing. With `at_service=1` the user goes
//! on to the OpenID Provider, whose session ends, too, and returns to `GET {mount}/{service}/logged-out`
//! (OpenID Connect RP-Initiated Logout).

use std::sync::Arc;

use axum::{
    body::Body,
    extract::FromRequestParts as _,
    response::{IntoResponse as _, Response},
};
use http::StatusCode;
use serde_json::json as value;

use crate::{
    Error, Result, Visitor,
    consumer::{LoggedOut, Registered, Trail, error::BrowserError},
    form::Params,
    page::{Language, Page},
};

use super::{
    frame::Asked,
    layer::Visit,
    leave::LIMITS,
    navigation::is_for_a_page,
    pages::{hop, json, redirect},
};

/// `GET {mount}/{service}/logout`.
pub(super) async fn ask(mut asked: Asked) -> Response {
    let query = asked.query();
    let language = asked.language();
    let page = async {
        let visit = &asked.visit;
        visit.check_place()?;
        let registered = visit.login.by_name(&asked.service).await?;
        asking(
            visit,
            language,
            &registered,
            next_in(visit, &query).as_deref(),
            at_service_in(&query),
        )
    };
    match page.await {
        Ok(page) => page,
        Err(error) => asked.failed(error, Trail::default()).await,
    }
}

/// `POST {mount}/{service}/logout`.
pub(super) async fn log_out(mut asked: Asked) -> Response {
    let mut query = asked.query();
    if let Some(form) = asked.form().await {
        query.push('&');
        query.push_str(&form);
    }
    match answer(&mut asked, &query).await {
        Ok(response) => response,
        Err(error) => asked.failed(error, Trail::default()).await,
    }
}

async fn answer(asked: &mut Asked, query: &str) -> Result<Response> {
    let Asked { service, visit, parts, .. } = asked;
    let (visit, service) = (&*visit, &**service);
    visit.check_place()?;
    let registered = visit.login.by_name(service).await?;
    let visitor = match Visitor::from_request_parts(parts, &()).await {
        Ok(visitor) => visitor,
        Err(rejected) => return Ok(rejected.into_response()),
    };
    let is_ours = visit.login.is_own_script(&parts.headers)
        || !visit.login.must_ask(&parts.headers, visitor.owner(), true);
    if !is_ours {
        return Err(BrowserError::NotThisOrigin.into());
    }
    let next = next_in(visit, query);
    let (outcome, url) = match at_service_in(query) {
        true => {
            let next = next.as_deref().unwrap_or_default();
            visitor.log_out_here_and_there(service, next).await?
        }
        false => (visitor.log_out(service).await?, None),
    };
    if !is_for_a_page(&parts.headers) {
        return Ok(told(service, outcome.as_ref(), url.as_deref()));
    }
    let language = Language::of(&parts.headers);
    if let Some(url) = url {
        return Ok(hop(language, &url));
    }
    match next {
        Some(next) => redirect(StatusCode::SEE_OTHER, next),
        None => Ok(farewell(visit, language, &registered, outcome.as_ref())?),
    }
}

/// `GET {mount}/{service}/logged-out`: the user returns from the OpenID Provider.
pub(super) async fn come_back(mut asked: Asked) -> Response {
    let language = asked.language();
    let visit = &asked.visit;
    let next = visit.login.logged_out_at_service(&visit.jar, &asked.service, &asked.query()).await;
    match next {
        // The next page is loaded by one of this origin, so that it gets all cookies.
        Ok(next) => hop(language, &next),
        Err(error) => asked.failed(error, Trail::default()).await,
    }
}

/// Whether the parameters ask to end the session at the service, too.
fn at_service_in(parameters: &str) -> bool {
    let params = Params::parse_within(parameters.as_bytes(), LIMITS);
    params.is_ok_and(|params| params.one("at_service") == Ok(Some("1")))
}

/// The page to go on to, if the parameters name one of this site.
fn next_in(visit: &Visit, parameters: &str) -> Option<String> {
    let params = Params::parse_within(parameters.as_bytes(), LIMITS).ok()?;
    let next = params.one("next").ok().flatten()?;
    visit.login.page_of_this_site(next)
}

/// The outcome for scripts.
fn told(service: &str, outcome: Option<&LoggedOut>, url: Option<&str>) -> Response {
    let code = outcome.map_or("not_linked", LoggedOut::code);
    let mut told = value!({ "service": service, "outcome": code });
    if let (Some(LoggedOut::LocalOnly(error)), Some(told)) = (outcome, told.as_object_mut()) {
        told.insert("reason".to_owned(), error.code().into());
    }
    if let (Some(url), Some(told)) = (url, told.as_object_mut()) {
        told.insert("url".to_owned(), url.into());
    }
    json(StatusCode::OK, &told)
}

/// The page that asks whether the user wants to log out.
fn asking(
    visit: &Visit,
    language: Language,
    registered: &Arc<Registered>,
    next: Option<&str>,
    at_service: bool,
) -> Result<Response> {
    let title = &registered.spec.title;
    let action = [&*visit.login.login_path(&registered.name, "", ""), "/logout"].concat();
    let mut fields: Vec<_> = next.map(|next| ("next", next)).into_iter().collect();
    fields.extend(at_service.then_some(("at_service", "1")));
    let service = [("service", &**title)];
    let page = Page::new(language.text("ask-logout-title", &service))
        .language(language)
        .text(&language.text("ask-logout", &service))
        .form(language.pattern("ask-logout-button"), &action, &fields)
        .link(language.pattern("back-to-site"), &home(visit)?);
    Ok(page.to_response(StatusCode::OK).map(Body::from))
}

fn farewell(
    visit: &Visit,
    language: Language,
    registered: &Arc<Registered>,
    outcome: Option<&LoggedOut>,
) -> Result<Response> {
    let service = [("service", &*registered.spec.title)];
    let text = match outcome {
        None => "logged-out-nothing",
        Some(LoggedOut::Revoked) => "logged-out-revoked",
        Some(LoggedOut::Unsupported) => "logged-out-kept",
        Some(LoggedOut::LocalOnly(_)) => "logged-out-unconfirmed",
    };
    let title = language.text("logged-out-title", &service);
    let mut page = Page::new(title).language(language).text(&language.text(text, &service));
    if let Some(LoggedOut::LocalOnly(error)) = outcome {
        page = page.code(Error::code(error));
    }
    let page = page.link(language.pattern("back-to-site"), &home(visit)?);
    Ok(page.to_response(StatusCode::OK).map(Body::from))
}

fn home(visit: &Visit) -> Result<String> {
    Ok(format!("{}/", visit.login.ready()?.site.base_path))
}
