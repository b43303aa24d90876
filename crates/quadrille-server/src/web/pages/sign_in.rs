//! Signing in and out.

use std::time::Duration;

use axum::{
    Extension,
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
    response::IntoResponse as _,
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use quadrille::{RemoteAddress, Secret, page::same_site, provider::store::StoreError};
use serde::{Deserialize, Serialize};

use crate::{
    throttle::PATIENCE,
    users::{MOST_PASSWORD, User, UserName},
    words::Wait,
};

use super::{
    super::{
        account_form::{Bound, Sealed},
        app::App,
        audit,
        cookies::Cookie,
        forms::Purpose,
        page_form::NotTaken,
        passwords::{AGAIN, Looked},
        sent::{Sent, Unreadable},
        visitor::Visitor,
    },
    choice::{CHOOSE, typed_name},
    templates::{FormsLead, Link, Message},
};

/// The query of the sign-in page.
#[derive(Debug, Default, Deserialize)]
pub(in crate::web) struct Asked {
    /// Where to go afterwards, on this site.
    #[serde(default)]
    next: String,
    /// The name with which the person may want to sign in.
    #[serde(default)]
    hint: String,
    /// [`CHOOSE`] if the account that is signed in may do.
    #[serde(default)]
    account: String,
}

/// The fields of the form.
#[derive(Debug, Deserialize)]
pub(in crate::web) struct SignIn {
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: Secret,
    #[serde(default)]
    next: String,
    #[serde(default)]
    form: String,
}

impl Sealed for SignIn {
    fn seal(&self) -> &str {
        &self.form
    }
}

/// The values of the page.
#[derive(Serialize)]
struct Page<'a> {
    /// The application that waits for the person, if one does.
    client: Option<String>,
    problem: Option<Problem>,
    user: Option<&'a str>,
    username: &'a str,
    next: &'a str,
    form: String,
}

/// Why signing in did not work.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Problem {
    /// The key of the text.
    pub(super) key: &'static str,
    /// The key of the heading.
    pub(super) title: &'static str,
    #[serde(flatten)]
    pub(super) wait: Option<Wait>,
    /// Whether it is about what was typed.
    field: bool,
}

const EMPTY: Problem = Problem::of("sign-in-empty", "sign-in-empty-title").about_fields();
/// The same whether or not there is such a user.
const WRONG: Problem = Problem::of("sign-in-wrong", "sign-in-wrong-title").about_fields();
pub(super) const BUSY: Problem = Problem::of("sign-in-busy", "sign-in-busy-title");
const STALE: Problem = Problem::of("sign-in-stale", "sign-in-stale-title");
/// Without the cookie of the form, that of the session would be lost, too.
const BLOCKED: Problem = Problem::of("sign-in-no-cookie", "sign-in-no-cookie-title");

impl Problem {
    const fn of(key: &'static str, title: &'static str) -> Self {
        Self { key, title, wait: None, field: false }
    }

    const fn about_fields(self) -> Self {
        Self { field: true, ..self }
    }
}

/// Why a password was not looked at, and for how long that stays so.
pub(super) fn too_many(wait: Duration) -> Problem {
    let key = match wait > PATIENCE {
        // From this network so many try that name that trying again is no use.
        true => "sign-in-too-many-others",
        false => "sign-in-too-many",
    };
    Problem { wait: Some(Wait::of(wait)), ..Problem::of(key, "sign-in-too-many-title") }
}

/// `GET /sign-in`
pub(in crate::web) async fn page(
    State(app): State<App>,
    asked: Result<Query<Asked>, QueryRejection>,
    headers: HeaderMap,
) -> Response<Body> {
    let asked = asked.map_or_else(|_| Asked::default(), |Query(asked)| asked);
    let visitor = match app.visitor(&headers).await {
        Ok(visitor) => visitor,
        Err(error) => return app.store_failed(&error),
    };
    let (next, hint) = (asked.next.as_str(), typed_name(&asked.hint));
    if let Some(visitor) = visitor.as_ref().filter(|_| asked.account == CHOOSE) {
        return app.choice_page(&headers, visitor, next, hint).await;
    }
    let user = visitor.as_ref().map(|visitor| visitor.user.name.as_str());
    app.sign_in_page(StatusCode::OK, &headers, None, hint.unwrap_or_default(), next, user).await
}

/// `POST /sign-in`
pub(in crate::web) async fn submit(
    State(app): State<App>,
    Extension(address): Extension<RemoteAddress>,
    headers: HeaderMap,
    form: Result<Sent<SignIn>, Unreadable>,
) -> Response<Body> {
    let bound = (Purpose::SignIn, app.form_cookie(&headers));
    let (form, is_old) = match app.page_form(form, &headers, bound) {
        Ok(form) => (form, false),
        Err(NotTaken::Answered(answer)) => return *answer,
        Err(NotTaken::Old(form)) => (form, true),
    };
    let again = |status, problem| {
        app.sign_in_page(status, &headers, Some(problem), &form.username, &form.next, None)
    };
    if app.form_cookie(&headers).is_none() {
        return again(StatusCode::FORBIDDEN, BLOCKED).await;
    }
    if is_old {
        return again(StatusCode::FORBIDDEN, STALE).await;
    }
    if form.username.is_empty() || form.password.is_empty() {
        return again(StatusCode::BAD_REQUEST, EMPTY).await;
    }
    let typed = UserName::parse(form.username.trim());
    let Ok(name) = typed else { return again(StatusCode::FORBIDDEN, WRONG).await };
    if form.password.expose().len() > MOST_PASSWORD {
        return again(StatusCode::FORBIDDEN, WRONG).await;
    }

    let found = match app.backend.user_by_name(&name).await {
        Ok(found) => found,
        Err(error) => return app.store_failed(&error),
    };
    let device = app.device_cookie(&headers);
    let device = found.as_ref().and_then(|user| app.devices.find(device, user));
    let attempt = match app.passwords.begin(&name, address, device).await {
        Ok(attempt) => attempt,
        Err(error) => return app.store_failed(&error),
    };
    match app.passwords.look_at(&attempt, address, found.clone(), &form.password).await {
        Looked::Right(user) => {
            let before = match app.user_before(&user, &headers).await {
                Ok(before) => before,
                Err(error) => return app.store_failed(&error),
            };
            let next = app.local(&form.next);
            let mut response = app.see_other(&next);
            let answer = response.headers_mut();
            match app.open_session(&user, &headers, address, &attempt, answer).await {
                Ok(true) => {
                    audit::signed_in(&user, address, device.is_some());
                    match before {
                        Some(before) => app.tell_by_frames(response, before, &headers, &next).await,
                        None => response,
                    }
                }
                // There is a new password since this one was looked at, or the person was removed.
                Ok(false) => {
                    audit::failed(Some(&user), address, attempt.turn);
                    again(StatusCode::FORBIDDEN, WRONG).await
                }
                Err(error) => app.store_failed(&error),
            }
        }
        Looked::Wrong => {
            audit::failed(found.as_ref(), address, attempt.turn);
            again(StatusCode::FORBIDDEN, WRONG).await
        }
        Looked::Not(wait) => {
            app.passwords.withdraw(&attempt).await;
            audit::refused(found.as_ref(), address);
            later(again(StatusCode::TOO_MANY_REQUESTS, too_many(wait)).await, wait)
        }
        Looked::Busy => {
            app.passwords.withdraw(&attempt).await;
            audit::refused(found.as_ref(), address);
            later(again(StatusCode::SERVICE_UNAVAILABLE, BUSY).await, AGAIN)
        }
        Looked::Failed(error) => {
            app.passwords.withdraw(&attempt).await;
            tracing::error!(%error, "a password cannot be checked");
            app.failed()
        }
    }
}

/// The answer, with the time after which to try again.
pub(super) fn later(mut page: Response<Body>, wait: Duration) -> Response<Body> {
    let seconds = wait.as_secs().saturating_add(1);
    page.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    page
}

/// `POST /sign-out`
pub(in crate::web) async fn sign_out(
    State(app): State<App>,
    Extension(address): Extension<RemoteAddress>,
    headers: HeaderMap,
    form: Result<Sent<Bound>, Unreadable>,
) -> Response<Body> {
    let Sent(form) = match form {
        Ok(form) => form,
        Err(why) => return app.bad_form(&why),
    };
    let cookie = app.session_cookie(&headers);
    let checked = match cookie {
        Some(_) => app.forms.check(Purpose::Account, &headers, cookie, &form.form),
        // A browser keeps the cookie back from another site's form, and would let the answer clear
        // it all the same.
        None => app.forms.same_origin(&headers).map(|_| ()),
    };
    if let Err(refusal) = checked {
        tracing::info!(%refusal, "a sign-out form was refused");
        return app.foreign_form();
    }
    if let Some(id) = app.session_id(&headers) {
        let ended = async || -> Result<_, StoreError> {
            let visitor = app.visitor(&headers).await?;
            if visitor.is_some() {
                app.backend.end_session(id).await?;
            }
            Ok(visitor)
        };
        match ended().await {
            Ok(Some(visitor)) => {
                audit::signed_out(&visitor.user, address, false);
                if app.server.end_session_path().is_some() {
                    let sign_out = app.server.sign_out(visitor.authentication());
                    let sign_out = sign_out.with_clients(visitor.session.clients);
                    let mut answer = sign_out.of_browser(&headers).reply().await.into_response();
                    app.cookies.clear(answer.headers_mut(), Cookie::Session);
                    return answer;
                }
            }
            Ok(None) => {}
            Err(error) => return app.store_failed(&error),
        }
    }
    app.signed_out(&headers, "signed-out-title")
}

impl App {
    /// The other user who is signed in in the browser, if applications are to learn of the end of that
    /// session.
    async fn user_before(
        &self,
        user: &User,
        headers: &HeaderMap,
    ) -> Result<Option<Visitor>, StoreError> {
        if self.server.end_session_path().is_none() {
            return Ok(None);
        }
        let before = self.visitor(headers).await?;
        Ok(before.filter(|before| before.user.subject != user.subject))
    }

    /// The answer to a sign-in that has ended the session of another user: a page with the frames of its
    /// applications, if they have any, on the way to `next`. Those with logout tokens are told beside.
    async fn tell_by_frames(
        &self,
        answer: Response<Body>,
        before: Visitor,
        headers: &HeaderMap,
        next: &str,
    ) -> Response<Body> {
        let sign_out = self.server.sign_out(before.authentication()).of_browser(headers);
        let page = sign_out.with_clients(before.session.clients).frames(next).await;
        let page = page.unwrap_or_else(|error| {
            tracing::error!(%error, "applications do not learn of a logout by frames");
            None
        });
        let Some(page) = page else { return answer };
        let mut page = page.into_response();
        for cookie in answer.headers().get_all(header::SET_COOKIE) {
            page.headers_mut().append(header::SET_COOKIE, cookie.clone());
        }
        page
    }

    /// The page for somebody who has just signed out, by a request with these headers, with the heading of
    /// this key.
    pub(in crate::web) fn signed_out(&self, headers: &HeaderMap, title: &str) -> Response<Body> {
        let mut page = self.pages.message(
            StatusCode::OK,
            &Message {
                title,
                key: "signed-out-applications",
                client: None,
                code: None,
                link: Some(Link::to(&self.pages.site().sign_in, "signed-out-again")),
                alert: false,
            },
        );
        self.cookies.clear(page.headers_mut(), Cookie::Session);
        let state = self.server.browser_state_cookie(headers, None);
        page.headers_mut().extend(state.map(|state| (header::SET_COOKIE, state)));
        page
    }

    async fn sign_in_page(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        problem: Option<Problem>,
        username: &str,
        next: &str,
        user: Option<&str>,
    ) -> Response<Body> {
        let known = self.form_cookie(headers);
        let fresh = BASE64_URL_SAFE_NO_PAD.encode(self.env.random::<16>());
        let cookie = known.unwrap_or(&fresh);
        let form = self.forms.field(Purpose::SignIn, cookie);
        let next = self.local(next);
        let client = self.waiting(&next).await;
        let page = Page { client, problem, user, username, next: &next, form };
        let mut response = self.pages.render(status, "sign-in.html", &page, FormsLead::On);
        if known.is_none() {
            self.cookies.set(response.headers_mut(), Cookie::Form, cookie, None);
        }
        response
    }

    /// The name of the application that waits for the person to come back to `next`.
    pub(super) async fn waiting(&self, next: &str) -> Option<String> {
        // Without it the page says a little less.
        let client = self.server.client_that_waits(next).await.ok().flatten()?;
        Some(client.name.clone())
    }

    /// `next` if it is a page of this site, else the home page.
    pub(super) fn local(&self, next: &str) -> String {
        let kept = same_site(self.issuer.origin(), next);
        kept.unwrap_or_else(|| self.pages.site().home.clone())
    }
}
