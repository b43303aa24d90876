//! Logout at the request of an application.

use axum::{
    Extension,
    body::Body,
    extract::State,
    http::{HeaderMap, Response, StatusCode},
    response::IntoResponse as _,
};
use quadrille::{
    RemoteAddress,
    provider::{EndSession, EndSessionStep, SignOutPage},
};
use serde::Serialize;

use super::{
    super::{app::App, audit, cookies::Cookie, visitor::Visitor},
    templates::FormsLead,
};

/// The question whether the user wants to sign out.
#[derive(Serialize)]
struct Question<'a> {
    client: Option<&'a str>,
    user: &'a str,
    destination: Option<&'a str>,
    action: &'a str,
    fields: Vec<(&'static str, &'a str)>,
}

/// `GET` and `POST /oauth/logout`
pub(in crate::web) async fn page(
    State(app): State<App>,
    Extension(address): Extension<RemoteAddress>,
    headers: HeaderMap,
    request: EndSession,
) -> Response<Body> {
    let visitor = match app.visitor(&headers).await {
        Ok(visitor) => visitor,
        Err(error) => return app.store_failed(&error),
    };
    match (request.step(visitor.as_ref().map(Visitor::authentication)), visitor) {
        (EndSessionStep::Ask(page), Some(visitor)) => app.question(&page, &visitor),
        (EndSessionStep::SignOut(sign_out), Some(visitor)) => {
            if let Err(error) = app.backend.end_session(visitor.session.id).await {
                return app.store_failed(&error);
            }
            audit::signed_out(&visitor.user, address, false);
            let sign_out = sign_out.with_clients(visitor.session.clients);
            let mut answer = sign_out.reply().await.into_response();
            app.cookies.clear(answer.headers_mut(), Cookie::Session);
            answer
        }
        (EndSessionStep::Done(reply), _) => reply.into_response(),
        (_, None) => app.failed(),
    }
}

impl App {
    fn question(&self, page: &SignOutPage, visitor: &Visitor) -> Response<Body> {
        let view = Question {
            client: page.client.as_ref().map(|client| client.name.as_str()),
            user: visitor.user.name.as_str(),
            destination: page.destination.as_deref(),
            action: &page.action,
            fields: page.form_fields(),
        };
        self.pages.render(StatusCode::OK, "sign-out.html", &view, FormsLead::On)
    }
}
