//! The page on which users type the codes of devices in.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
    response::IntoResponse as _,
};
use quadrille::provider::{DeviceStep, DeviceVerification, UserCodeError, UserCodePage};
use serde::Serialize;

use crate::words::wait_in_words;

use super::{
    super::{app::App, visitor::Visitor},
    templates::FormsLead,
};

/// The values of `device.html`.
#[derive(Serialize)]
struct Page<'a> {
    user: &'a str,
    user_code: &'a str,
    problem: Option<Problem>,
    action: &'a str,
    switch: String,
}

/// The reason why a code was not accepted.
#[derive(Serialize)]
struct Problem {
    title: &'static str,
    text: String,
}

/// `GET` and `POST /device`
pub(in crate::web) async fn page(
    State(app): State<App>,
    headers: HeaderMap,
    request: DeviceVerification,
) -> Response<Body> {
    let visitor = match app.visitor(&headers).await {
        Ok(visitor) => visitor,
        Err(error) => return app.store_failed(&error),
    };
    match request.step(visitor.as_ref().map(Visitor::authentication)).await {
        DeviceStep::SignIn(back) => {
            app.see_other(&format!("{}?next={back}", app.pages.site().sign_in))
        }
        DeviceStep::Code(page) => {
            let Some(visitor) = visitor else { return app.failed() };
            app.code_page(&page, &visitor)
        }
        DeviceStep::Consent(page) => {
            let Some(visitor) = visitor else { return app.failed() };
            app.consent_page(&page, &visitor).await
        }
        DeviceStep::Done(reply) => reply.into_response(),
    }
}

impl App {
    fn code_page(&self, page: &UserCodePage, visitor: &Visitor) -> Response<Body> {
        let (status, wait) = match page.refused {
            None => (StatusCode::OK, None),
            Some(UserCodeError::TooMany(wait)) => (StatusCode::TOO_MANY_REQUESTS, Some(wait)),
            Some(_) => (StatusCode::BAD_REQUEST, None),
        };
        let view = Page {
            user: visitor.user.name.as_str(),
            user_code: page.user_code.as_deref().unwrap_or_default(),
            problem: page.refused.map(problem),
            action: &page.action,
            switch: format!("{}?next={}", self.pages.site().sign_in, page.back),
        };
        let mut response = self.pages.render(status, "device.html", &view, FormsLead::Here);
        if let Some(wait) = wait {
            let seconds = HeaderValue::from(wait.as_secs().max(1));
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}

fn problem(refused: UserCodeError) -> Problem {
    let (title, text) = match refused {
        UserCodeError::Missing => {
            ("Something is missing", "Type in the code that your device shows.".to_owned())
        }
        UserCodeError::Malformed => {
            ("This is no code", "A code has eight letters, and no digits.".to_owned())
        }
        UserCodeError::Unknown => (
            "No device waits with this code",
            "Compare it with the code that your device shows now.".to_owned(),
        ),
        UserCodeError::Expired => (
            "This code has expired",
            "Have your device show a new one, and type that in.".to_owned(),
        ),
        UserCodeError::Answered => (
            "This code was used before",
            "If your device still waits, have it show a new one.".to_owned(),
        ),
        UserCodeError::TooMany(wait) => (
            "Too many codes were tried",
            format!("This one was not looked at. Wait {}, then try again.", wait_in_words(wait)),
        ),
        other => ("This code cannot be used", other.to_string()),
    };
    Problem { title, text }
}
