//! The language of each request.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use quadrille::page::accepted_languages;
use url::form_urlencoded;

use crate::texts::UI_LOCALES;

use super::app::App;

/// Answers a request in its language: the layer around all routes.
pub(super) async fn choose(State(app): State<App>, request: Request, next: Next) -> Response {
    let texts = app.pages.texts();
    let accepted = texts.accepted(accepted_languages(request.headers()));
    let query = request.uri().query().filter(|query| query.contains(UI_LOCALES));
    let wished = query.and_then(|query| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(name, _)| name == UI_LOCALES).map(|(_, wished)| wished.into_owned())
    });
    accepted
        .scope(async move {
            match wished {
                Some(wished) => {
                    let chosen = app.pages.texts().wished_by(wished.split(' '));
                    chosen.scope(next.run(request)).await
                }
                None => next.run(request).await,
            }
        })
        .await
}
