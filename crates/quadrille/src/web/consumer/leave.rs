//! The redirect of a user to a service.

use std::sync::Arc;

use axum::{body::Body, response::Response};
use http::{Method, StatusCode, header, request::Parts};

use crate::{
    Login, Result,
    consumer::{Begin, Ending, Registered, Trail, error::BrowserError},
    form::{Limits, Params},
    page::{Language, Page},
};

use super::{
    frame::Asked,
    hooks::{BeforeLogin, Handlers},
    layer::Visit,
    pages::{hop, plainly, redirect, unknown_to_whom},
};

/// The limits of query and form together. The parameters that are read have limits of their own;
/// all others are ignored, within the length that servers accept.
pub(super) const LIMITS: Limits =
    Limits { bytes: 256 * 1024, value_bytes: 256 * 1024, parameters: 256 * 1024 };

/// `GET {mount}/{service}`: a link of this site, or of any other.
pub(super) async fn leave(asked: Asked) -> Response {
    let query = asked.query();
    leave_with(asked, query).await
}

/// `POST {mount}/{service}`: the page that asks, or a form of the application.
pub(super) async fn leave_by_form(mut asked: Asked) -> Response {
    let language = asked.language();
    match query_and_form(&mut asked).await {
        Ok(parameters) => without_redirect(language, leave_with(asked, parameters).await),
        Err(error) => plainly(&error, &asked.parts),
    }
}

/// The query and the form of a request. A parameter in both is repeated.
///
/// # Errors
/// [`BrowserError::LoginMalformed`] for a body that is too long: without its fields the login could
/// become another one.
pub(super) async fn query_and_form(asked: &mut Asked) -> Result<String> {
    let mut query = asked.query();
    let body = asked.body().await.ok_or(BrowserError::LoginMalformed)?;
    if let Some(form) = asked.form_in(&body) {
        query.push('&');
        query.push_str(form);
    }
    Ok(query)
}

/// The response to a form. Browsers apply the `form-action` of the form's page to every redirect,
/// and stop at one to another site. So a page replaces the redirect, to the service or to the
/// target of a hook.
pub(super) fn without_redirect(language: Language, mut answer: Response) -> Response {
    // 307 and 308 request the form again, which no page can do.
    let by_get = [StatusCode::MOVED_PERMANENTLY, StatusCode::FOUND, StatusCode::SEE_OTHER];
    if !by_get.contains(&answer.status()) {
        return answer;
    }
    let to = answer.headers().get(header::LOCATION).and_then(|to| to.to_str().ok());
    let Some((parts, body)) = to.map(|to| hop(language, to).into_parts()) else { return answer };
    *answer.status_mut() = parts.status;
    *answer.body_mut() = body;
    let headers = answer.headers_mut();
    for of_the_redirect in [header::LOCATION, header::CONTENT_LENGTH, header::CONTENT_ENCODING] {
        headers.remove(of_the_redirect);
    }
    // Cookies that a hook sets stay.
    headers.extend(parts.headers);
    answer
}

async fn leave_with(mut asked: Asked, parameters: String) -> Response {
    let mut trail = Trail::default();
    let begun = async {
        asked.visit.check_place()?;
        begin(&mut asked, &parameters, &mut trail).await
    };
    let begun = begun.await;
    departed(asked, begun, trail).await
}

/// The response to a request that begins a login.
pub(super) async fn departed(mut asked: Asked, begun: Result<Departure>, trail: Trail) -> Response {
    match begun {
        Ok(Departure::Answer(response)) => response,
        Ok(Departure::To(url)) => redirect(StatusCode::FOUND, url).unwrap_or_else(unknown_to_whom),
        Err(error) => asked.failed(error, trail).await,
    }
}

/// The beginning of a login.
pub(super) enum Departure {
    /// The URL at the service.
    To(String),
    /// The page that asks, or the response of a hook.
    Answer(Response),
}

/// Begins a login. `trail` has its end if it is not a page.
pub(super) async fn begin(
    asked: &mut Asked,
    parameters: &str,
    trail: &mut Trail,
) -> Result<Departure> {
    let language = asked.language();
    let Asked { service, visit, parts, .. } = asked;
    let (login, service) = (&visit.login, &**service);
    let registered = login.by_name(service).await?;
    trail.service = Some(Arc::clone(&registered.settled));
    let params = Params::parse_within(parameters.as_bytes(), LIMITS)
        .map_err(|_| BrowserError::LoginMalformed)?;
    let one = |name| params.one(name).map_err(|_| BrowserError::LoginMalformed);
    // A malformed page is none of this site: the user returns to the front page.
    let next = params.one("next").ok().flatten().unwrap_or("");
    let ask = one("ask")?;
    // With further scopes, it has no meaning.
    let only = if ask.is_none() { one("only")? } else { None };
    let parameters = registered.allowed.read(&params)?;
    let popup = one("popup")?;
    match (popup, login.opener(), trail.ending) {
        (None, ..) => {}
        (Some("1"), Some(_), Ending::Page) => trail.ending = Ending::PopUp,
        _ => return Err(BrowserError::LoginMalformed.into()),
    }
    let handlers = Handlers::of(login);
    let owner = handlers.find_owner(parts).await;
    let by_form = parts.method == Method::POST;
    let by_script = trail.ending == Ending::Json;
    if !by_script && login.must_ask_at(&registered.name, &parts.headers, &owner, by_form) {
        let scope = registered.allowed.read_scopes(&params)?;
        let fields = [
            ("next", Some(next)),
            ("ask", ask),
            ("only", only),
            ("popup", popup),
            ("scope", Some(scope.as_str())),
        ];
        let fields = fields.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let chosen = parameters.iter().map(|(name, value)| (&**name, &**value));
        let fields = fields.filter(|(_, value)| !value.is_empty()).chain(chosen);
        return Ok(Departure::Answer(asking(login, language, &registered, "", fields)));
    }
    let begin = Begin::new(service).next(next).owner(&owner).ending(trail.ending);
    let mut further = registered.allowed.read_scopes(&params)?;
    if let Some(ask) = ask {
        further = further.union(&login.asked_scopes(ask)?);
    }
    let begin = match only {
        Some("identity") => begin.only_identify(),
        _ => begin.further_scopes(further),
    };
    trail.next = Some(next.to_owned());
    depart(visit, parts, &registered, begin, parameters).await
}

/// Begins a login with these parameters of the request, unless the hook answers.
pub(super) async fn depart(
    visit: &Visit,
    parts: &mut Parts,
    registered: &Arc<Registered>,
    mut begin: Begin<'_>,
    parameters: Vec<(String, String)>,
) -> Result<Departure> {
    let Visit { login, jar, .. } = visit;
    for (name, value) in &parameters {
        begin = begin.parameter(name, value);
    }
    let handlers = Handlers::of(login);
    if handlers.wants_before_login() {
        let event = BeforeLogin {
            service: Arc::clone(&registered.name),
            next: begin.goes_on_to().to_owned(),
            owner: begin.owned_by().clone(),
            parameters,
        };
        let (changed, answer) = handlers.before_login(event, parts).await.apply(begin);
        if let Some(answer) = answer {
            return Ok(Departure::Answer(answer));
        }
        begin = changed;
    }
    Ok(Departure::To(login.begin_at(jar, registered, &begin).await?))
}

/// The page that asks whether the user wants to log in, since another site may have sent them. It
/// sets no cookie, sends no request to the service, and calls no hook. Its form goes to this path below
/// that of the login.
pub(super) fn asking<'a>(
    login: &Login,
    language: Language,
    registered: &Registered,
    path: &str,
    fields: impl Iterator<Item = (&'a str, &'a str)>,
) -> Response {
    let title = &registered.spec.title;
    let fields: Vec<_> = fields.collect();
    let home =
        login.ready().map_or_else(|_| "/".into(), |ready| format!("{}/", ready.site.base_path));
    let action = [&login.login_path(&registered.name, "", ""), path].concat();
    let service = [("service", &**title)];
    let page = Page::new(language.text("ask-login-title", &service))
        .language(language)
        .text(&language.text("ask-login", &service))
        .text(language.pattern("ask-login-not-meant"))
        .form(&language.text("ask-login-go-on", &service), &action, &fields)
        .link(language.pattern("back-to-site"), &home);
    page.to_response(StatusCode::OK).map(Body::from)
}
