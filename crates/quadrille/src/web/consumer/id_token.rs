//! The routes of logins by an ID token that a page or an app already has.
//!
//! A script or an app sends JSON, which no other site can. Google's button and One Tap can send a form
//! instead, whose page may be Google's own: that request has no cookies of ours, so its form goes on in
//! the query of a hop, as one of `form_post` does.

use axum::{Router, response::Response};
use http::StatusCode;
use serde_json::json as value;

use crate::{
    Login, Owner, Result,
    consumer::{Begin, Ending, Trail, Verified, error::BrowserError, is_submitted_twice},
    form::{Params, is_form},
};

use super::{
    frame::{Asked, Routes},
    leave::LIMITS,
    pages::{hop, json, redirect},
    routes::{finished_before, link},
    script::{finished, members},
};

/// The cookie and the field by which Google's scripts prove that a page of this site sent a form.
const DOUBLE_SUBMIT: &str = "g_csrf_token";

impl Login {
    /// Routes for logins by an ID token that a page or an app already has (Google One Tap, FedCM,
    /// native SDKs), beside those of [`Login::attach`](crate::Login::attach):
    /// `app.merge(login.id_token_routes())`. They identify the user, as
    /// [`Identity`](crate::Identity) does after a redirect, and call the same hooks.
    ///
    /// * `POST /login/{service}/nonce` hands out a `nonce` to a script or an app of this site: it takes
    ///   a JSON object, which may have `next`, and responds with `{"nonce": ..., "client_id": ...}`. A
    ///   page can have its own from [`Visitor::id_token_nonce`](crate::Visitor::id_token_nonce).
    /// * `POST /login/{service}/id-token` takes the ID token with that `nonce` as the member `id_token`
    ///   or `credential` of a JSON object, and responds with `{"service": ..., "next": ...}`. An app
    ///   that keeps no cookies adds the text whose SHA-256 hash is the `nonce` of its token, as
    ///   `nonce`: see
    ///   [`PresentedIdToken`](crate::consumer::PresentedIdToken::with_text_of_the_app).
    /// * The same path takes the form of Google's scripts (`data-login_uri`) with their `g_csrf_token`,
    ///   or one of a page of this site, and redirects to the page that the `nonce` was for.
    ///
    /// They serve the services that [`Client::accept_id_tokens`](crate::consumer::Client::accept_id_tokens)
    /// or [`Client::id_tokens_for`](crate::consumer::Client::id_tokens_for) names. The ID token must be
    /// for this application, or for a client that the second one names.
    ///
    /// ```
    /// use axum::Router;
    /// use quadrille::{Google, KeyRing, Login};
    ///
    /// let google = Google::new("our-id", "our-secret").id_tokens_for(["our-id-on-android"]);
    /// let login = Login::new(KeyRing::ephemeral(), "https://app.example").with(google);
    /// let app: Router = login.attach(Router::new()).merge(login.id_token_routes());
    /// # login.check()?;
    /// # Ok::<(), quadrille::Error>(())
    /// ```
    pub fn id_token_routes<St: Clone + Send + Sync + 'static>(&self) -> Router<St> {
        Routes::of(self)
            .post("/nonce", hand_out)
            .post("/id-token", present)
            .get("/id-token", arrive)
            .finish()
    }
}

/// `POST {mount}/{service}/nonce`.
async fn hand_out(mut asked: Asked) -> Response {
    match handed_out(&mut asked).await {
        Ok(response) => response,
        Err(error) => asked.failed(error, Trail { ending: Ending::Json, ..Trail::default() }).await,
    }
}

async fn handed_out(asked: &mut Asked) -> Result<Response> {
    asked.visit.check_place()?;
    let members = members(asked).await?.ok_or(BrowserError::LoginMalformed)?;
    let members = Params::parse_within(members.as_bytes(), LIMITS);
    let members = members.map_err(|_| BrowserError::LoginMalformed)?;
    let next = members.one("next").ok().flatten().unwrap_or("");
    let owner = asked.owner().await;
    let (login, service) = (&asked.visit.login, &*asked.service);
    let begin = Begin::new(service).next(next).owner(&owner);
    let nonce = login.id_token_nonce(&asked.visit.jar, &begin).await?;
    let client_id = &login.by_name(service).await?.id;
    Ok(json(StatusCode::OK, &value!({ "nonce": nonce, "client_id": client_id })))
}

/// `POST {mount}/{service}/id-token`: the JSON of a script or an app, or a form.
async fn present(mut asked: Asked) -> Response {
    if is_form(&asked.parts.headers) {
        return match posted(&mut asked).await {
            Ok(response) => response,
            Err(error) => asked.failed(error, Trail::default()).await,
        };
    }
    let verified = match members(&mut asked).await {
        Ok(Some(members)) => verified(&mut asked, &members, false).await,
        Ok(None) => Err(Box::new((BrowserError::CallbackMalformed.into(), Trail::default()))),
        Err(error) => Err(Box::new((error, Trail::default()))),
    };
    finished(&mut asked, verified).await
}

/// The way on of a form that a page of this site sent, or a script of Google's in its name.
async fn posted(asked: &mut Asked) -> Result<Response> {
    let malformed = BrowserError::CallbackMalformed;
    let form = asked.form().await.ok_or(malformed)?;
    let (login, jar, service) = (&asked.visit.login, &asked.visit.jar, &*asked.service);
    let params = Params::parse_within(form.as_bytes(), LIMITS).map_err(|_| malformed)?;
    let is_ours = match params.one(DOUBLE_SUBMIT).map_err(|_| malformed)? {
        Some(submitted) => is_submitted_twice(&jar.values(DOUBLE_SUBMIT), submitted),
        None => !login.must_ask(&asked.parts.headers, &Owner::NOBODY, true),
    };
    if !is_ours {
        return Err(BrowserError::NotThisOrigin.into());
    }
    let query = login.posted_id_token(service, &form).await?;
    let base = &login.ready()?.site.base_path;
    Ok(hop(asked.language(), &[base, login.mount(), "/", service, "/id-token?", &query].concat()))
}

/// `GET {mount}/{service}/id-token`: the form, in a navigation that this origin began.
async fn arrive(mut asked: Asked) -> Response {
    let form = asked.visit.login.unsealed_id_token(&asked.service, &asked.query()).await;
    let verified = match form {
        Ok(form) => verified(&mut asked, &form, true).await,
        Err(error) => Err(Box::new((error, Trail::default()))),
    };
    let (error, trail) = match verified {
        Ok(verified) => match link(&mut asked, &verified).await {
            Ok(Some(answer)) => return answer,
            Ok(None) => {
                let next = verified.answered.attempt.next.clone();
                match redirect(StatusCode::SEE_OTHER, next) {
                    Ok(response) => return response,
                    Err(error) => (error, verified.trail()),
                }
            }
            Err(error) => (error, verified.trail()),
        },
        Err(failure) => *failure,
    };
    if let Some(response) = finished_before(&asked.visit, &error, &trail) {
        return response;
    }
    asked.failed(error, trail).await
}

async fn verified(
    asked: &mut Asked,
    parameters: &str,
    by_form: bool,
) -> Result<Verified, Box<(crate::Error, Trail)>> {
    let owner = asked.owner().await;
    let (login, jar) = (&asked.visit.login, &asked.visit.jar);
    login.verify_with_id_token(jar, &asked.service, parameters, by_form, &owner).await
}
