//! The route of logins that another site initiates (OpenID Connect Core, section 4).
//!
//! It is a login like any other, which another site has chosen: the user confirms on a page of this
//! site, which is in no frame.

use std::sync::Arc;

use axum::response::Response;
use http::Method;

use crate::{
    Result,
    consumer::{Begin, Trail},
};

use super::{
    frame::Asked,
    leave::{Departure, asking, depart, departed, query_and_form, without_redirect},
    pages::plainly,
};

/// `GET {mount}/{service}/initiate`.
pub(super) async fn initiate(asked: Asked) -> Response {
    let query = asked.query();
    initiate_with(asked, query).await
}

/// `POST {mount}/{service}/initiate`: a form of another site, or of the page that asks.
pub(super) async fn initiate_by_form(mut asked: Asked) -> Response {
    let language = asked.language();
    match query_and_form(&mut asked).await {
        Ok(parameters) => without_redirect(language, initiate_with(asked, parameters).await),
        Err(error) => plainly(&error, &asked.parts),
    }
}

async fn initiate_with(mut asked: Asked, parameters: String) -> Response {
    let mut trail = Trail::default();
    let begun = begin(&mut asked, &parameters, &mut trail).await;
    departed(asked, begun, trail).await
}

async fn begin(asked: &mut Asked, parameters: &str, trail: &mut Trail) -> Result<Departure> {
    asked.visit.check_place()?;
    let owner = asked.owner().await;
    let language = asked.language();
    let Asked { service, visit, parts, .. } = asked;
    let login = &visit.login;
    let registered = login.by_name(service).await?;
    trail.service = Some(Arc::clone(&registered.settled));
    let initiated = login.initiated_login(service, parameters).await?;
    let hint = initiated.login_hint.as_deref();
    if login.must_ask_at(service, &parts.headers, &owner, parts.method == Method::POST) {
        let fields = [
            ("iss", Some(&*initiated.issuer)),
            ("login_hint", hint),
            ("target_link_uri", Some(&*initiated.next).filter(|next| !next.is_empty())),
        ];
        let fields = fields.into_iter().filter_map(|(name, value)| Some((name, value?)));
        return Ok(Departure::Answer(asking(login, language, &registered, "/initiate", fields)));
    }
    let begin = Begin::new(service).next(&initiated.next).owner(&owner);
    let parameters = hint.map(|hint| ("login_hint".to_owned(), hint.to_owned()));
    trail.next = Some(initiated.next.clone());
    depart(visit, parts, &registered, begin, parameters.into_iter().collect()).await
}
