//! The page on which users type the codes of devices in.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
    response::IntoResponse as _,
};
use quadrille::provider::{DeviceStep, DeviceVerification, UserCodeError, UserCodePage};
use serde::Serialize;

use crate::words::Wait;

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
    /// The key of the text.
    key: &'static str,
    /// The key of the heading.
    title: &'static str,
    #[serde(flatten)]
    wait: Option<Wait>,
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
        DeviceStep::SignIn(back) => app.see_other(&app.pages.sign_in_for(back.path_and_query())),
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
            switch: self.pages.sign_in_for(page.back.path_and_query()),
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
    let (title, key, wait) = match refused {
        UserCodeError::Missing => ("device-missing-title", "device-missing", None),
        UserCodeError::Malformed => ("device-malformed-title", "device-malformed", None),
        UserCodeError::Unknown => ("device-unknown-title", "device-unknown", None),
        UserCodeError::Expired => ("device-expired-title", "device-expired", None),
        UserCodeError::Answered => ("device-answered-title", "device-answered", None),
        UserCodeError::TooMany(wait) => {
            ("device-too-many-title", "device-too-many", Some(Wait::of(wait)))
        }
        _ => ("device-unusable-title", "device-unusable", None),
    };
    Problem { key, title, wait }
}
