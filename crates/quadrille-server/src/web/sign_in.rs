//! Signing in and out.

use axum::{
    Extension, Form,
    body::Body,
    extract::{
        Query, State,
        rejection::{FormRejection, QueryRejection},
    },
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use quadrille::{
    Secret,
    provider::{KdfError, RemoteAddress, Verdict, store::Store as _},
    target::same_site,
};
use serde::{Deserialize, Serialize};
use url::form_urlencoded;

use crate::users::{MOST_PASSWORD, User, UserName};

use super::{
    App, FormsLead, Link, Message,
    cookies::Cookie,
    forms::{FormRefusal, Purpose},
    visitor::session_id,
};

/// The query of the sign-in page.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    /// Where to go afterwards, on this site.
    #[serde(default)]
    next: String,
}

/// What the page sends.
#[derive(Debug, Deserialize)]
pub(super) struct SignIn {
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: Secret,
    #[serde(default)]
    next: String,
    #[serde(default)]
    form: String,
}

/// What the page shows.
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
#[derive(Clone, Copy, Debug, Serialize)]
struct Problem {
    title: &'static str,
    text: &'static str,
    /// Whether it is about what was typed.
    field: bool,
}

const EMPTY: Problem = Problem {
    title: "Something is missing",
    text: "Type your user name and your password.",
    field: true,
};
/// The same whether or not there is such a user.
const WRONG: Problem = Problem {
    title: "That did not match",
    text: "The user name or the password is wrong. Check both and try again.",
    field: true,
};
const SLOW: Problem = Problem {
    title: "Too many attempts",
    text: "Wait a little before you try again.",
    field: false,
};
const BUSY: Problem = Problem {
    title: "Many people are signing in",
    text: "Try again in a few seconds.",
    field: false,
};
const STALE: Problem = Problem {
    title: "This page lay open too long",
    text: "Type your password again. If that does not help, allow cookies for this site.",
    field: false,
};

/// `GET /sign-in`
pub(super) async fn page(
    State(app): State<App>,
    asked: Result<Query<Asked>, QueryRejection>,
    headers: HeaderMap,
) -> Response<Body> {
    let asked = asked.map_or_else(|_| Asked::default(), |Query(asked)| asked);
    let visitor = match app.visitor(&headers).await {
        Ok(visitor) => visitor,
        Err(error) => return app.store_failed(&error),
    };
    let user = visitor.as_ref().map(|visitor| visitor.user.name.as_str());
    app.sign_in_page(StatusCode::OK, &headers, None, "", &asked.next, user).await
}

/// `POST /sign-in`
pub(super) async fn submit(
    State(app): State<App>,
    Extension(address): Extension<RemoteAddress>,
    headers: HeaderMap,
    form: Result<Form<SignIn>, FormRejection>,
) -> Response<Body> {
    let Form(form) = match form {
        Ok(form) => form,
        Err(rejection) => return app.bad_form(&rejection),
    };
    let again = |status, problem| {
        app.sign_in_page(status, &headers, Some(problem), &form.username, &form.next, None)
    };
    let cookie = app.cookies.read(&headers, Cookie::Form);
    if let Err(refusal) = app.forms.check(Purpose::SignIn, &headers, cookie, &form.form) {
        tracing::info!(%refusal, "a sign-in form was refused");
        return match refusal {
            FormRefusal::Foreign => app.foreign_form(),
            FormRefusal::Unbound | FormRefusal::Old => again(StatusCode::FORBIDDEN, STALE).await,
        };
    }
    if form.username.is_empty() || form.password.is_empty() {
        return again(StatusCode::BAD_REQUEST, EMPTY).await;
    }
    let typed = UserName::parse(form.username.trim());
    let Ok(name) = typed else { return again(StatusCode::FORBIDDEN, WRONG).await };
    if form.password.expose().len() > MOST_PASSWORD {
        return again(StatusCode::FORBIDDEN, WRONG).await;
    }

    let attempt = match app.throttle.begin(&name, address, app.env.now()) {
        Ok(attempt) => attempt,
        Err(wait) => {
            tracing::warn!(address = %address.0, "sign-ins are slowed down");
            let mut page = again(StatusCode::TOO_MANY_REQUESTS, SLOW).await;
            let seconds = wait.as_secs().saturating_add(1);
            page.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            return page;
        }
    };
    let found = match app.users.by_name(&name).await {
        Ok(found) => found,
        Err(error) => return app.store_failed(&error),
    };
    match app.verify(found, form.password.clone()).await {
        Ok(Some(user)) => {
            attempt.succeeded(app.env.now());
            app.signed_in(&user, &headers, &form.next).await
        }
        Ok(None) => {
            tracing::info!(address = %address.0, "a sign-in failed: wrong name or password");
            again(StatusCode::FORBIDDEN, WRONG).await
        }
        Err(KdfError::Busy) => {
            attempt.withdraw(app.env.now());
            tracing::warn!("more people sign in than passwords can be checked");
            let mut page = again(StatusCode::SERVICE_UNAVAILABLE, BUSY).await;
            page.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            page
        }
        Err(error) => {
            attempt.withdraw(app.env.now());
            tracing::error!(%error, "a password cannot be checked");
            app.failed()
        }
    }
}

/// `POST /sign-out`
pub(super) async fn sign_out(
    State(app): State<App>,
    headers: HeaderMap,
    form: Result<Form<super::account::Bound>, FormRejection>,
) -> Response<Body> {
    let Form(form) = match form {
        Ok(form) => form,
        Err(rejection) => return app.bad_form(&rejection),
    };
    let cookie = app.cookies.read(&headers, Cookie::Session);
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
    if let Some(id) = cookie.and_then(session_id)
        && let Err(error) = app.store.end_session(app.issuer_id, &id).await
    {
        return app.store_failed(&error);
    }
    let mut page = app.pages.message(
        StatusCode::OK,
        &Message {
            title: "You are signed out",
            text: "Applications that you let in keep what you allowed them.",
            code: None,
            link: Some(Link { href: &app.pages.site().sign_in, text: "Sign in again" }),
            alert: false,
        },
    );
    app.cookies.clear(page.headers_mut(), Cookie::Session);
    page
}

impl App {
    /// The user, if the password is theirs. As much work whether or not there is one.
    async fn verify(
        &self,
        found: Option<User>,
        password: Secret,
    ) -> Result<Option<User>, KdfError> {
        let Some(user) = found else {
            self.kdf.verify_for_nobody(password).await?;
            return Ok(None);
        };
        match self.kdf.verify(&self.env, password, user.password.clone()).await? {
            Verdict::Wrong => Ok(None),
            Verdict::Right => Ok(Some(user)),
            Verdict::Outgrown(better) => {
                // Next time will do as well.
                if let Err(error) = self.users.replace_hash(&user, better).await {
                    tracing::warn!(%error, "a better hash of a password was not stored");
                }
                Ok(Some(user))
            }
        }
    }

    async fn signed_in(&self, user: &User, headers: &HeaderMap, next: &str) -> Response<Body> {
        let mut response = self.see_other(&self.local(next));
        match self.open_session(user, headers, response.headers_mut()).await {
            Ok(()) => {
                tracing::info!(subject = %user.subject, "signed in");
                response
            }
            Err(error) => self.store_failed(&error),
        }
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
        let known = self.cookies.read(headers, Cookie::Form).filter(|value| value.len() == 22);
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
    async fn waiting(&self, next: &str) -> Option<String> {
        let (path, query) = next.split_once('?')?;
        if path != self.server.authorize_path() {
            return None;
        }
        let mut parameters = form_urlencoded::parse(query.as_bytes());
        // Without it the page says a little less.
        let (_, id) = parameters.find(|(name, _)| name == "client_id")?;
        let client = self.store.client(self.issuer_id, &id).await.ok().flatten()?;
        Some(client.name.clone())
    }

    /// `next` if it is a page of this site, else the home page.
    fn local(&self, next: &str) -> String {
        let kept = same_site(self.issuer.origin(), next);
        kept.unwrap_or_else(|| self.pages.site().home.clone())
    }
}
