//! The routes of logins by an ID token that a page or an app already has.
//!
//! A script or an app sends JSON, which no other site can. Google's button and One Tap can send a form
//! instead, whose page may be Google's own: that request has no cookies of ours, so its form goes on in
//! the query of a hop, as one of `form_post` does.

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    response::Response,
    routing::MethodFilter,
};
use http::{StatusCode, request::Parts};
use serde_json::json as value;

use crate::{
    Login, Owner, Result,
    consumer::{Begin, Ending, Trail, Verified, error::BrowserError, is_submitted_twice},
    form::{Limits, Params, is_form},
    probe::probed,
};

use super::{
    hooks::Handlers,
    layer::Visit,
    leave::{LIMITS, ServicePath, form, service_in},
    pages::{failed, hop, json, plainly, redirect},
    routes::{finished_before, link, visited},
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
    /// The ID token must be for this application, or for a client of
    /// [`Client::id_tokens_for`](crate::consumer::Client::id_tokens_for).
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
        let _ = self.check();
        let mount = self.mount();
        if !mount.starts_with('/') {
            // `check` has logged it; a router would panic.
            return Router::new();
        }
        let at = |path: &str| [mount, "/{service}", path].concat();
        let (get, post) = (MethodFilter::GET, MethodFilter::POST);
        Router::new()
            .route(&at("/nonce"), visited(post, self, hand_out))
            .route(&at("/id-token"), visited(post, self, present))
            .route(&at("/id-token"), visited(get, self, arrive))
    }
}

/// `POST {mount}/{service}/nonce`.
async fn hand_out(path: ServicePath, request: Request) -> Response {
    let service = service_in(path);
    let (mut parts, body) = request.into_parts();
    let visit = match Visit::of(&parts) {
        Ok(visit) => visit,
        Err(error) => return plainly(&error, &parts),
    };
    let (login, jar) = (&visit.login, &visit.jar);
    let handed_out = async {
        visit.check_place()?;
        visit.check_script(&parts.headers)?;
        let members = members(body).await.ok_or(BrowserError::LoginMalformed)?;
        let members = Params::parse_within(members.as_bytes(), LIMITS);
        let members = members.map_err(|_| BrowserError::LoginMalformed)?;
        let next = members.one("next").ok().flatten().unwrap_or("");
        let owner = Handlers::of(login).find_owner(&mut parts).await;
        let nonce =
            login.id_token_nonce(jar, &Begin::new(&service).next(next).owner(&owner)).await?;
        let client_id = &login.by_name(&service).await?.id;
        Ok(json(StatusCode::OK, &value!({ "nonce": nonce, "client_id": client_id })))
    };
    match handed_out.await {
        Ok(response) => response,
        Err(error) => {
            let trail = Trail { ending: Ending::Json, ..Trail::default() };
            failed(login, jar, &mut parts, error, trail).await
        }
    }
}

/// `POST {mount}/{service}/id-token`: the JSON of a script or an app, or a form.
async fn present(path: ServicePath, request: Request) -> Response {
    let service = service_in(path);
    let (mut parts, body) = request.into_parts();
    let visit = match Visit::of(&parts) {
        Ok(visit) => visit,
        Err(error) => return plainly(&error, &parts),
    };
    if is_form(&parts.headers) {
        return match posted(&visit, &service, &parts, body).await {
            Ok(response) => response,
            Err(error) => {
                failed(&visit.login, &visit.jar, &mut parts, error, Trail::default()).await
            }
        };
    }
    let read = async {
        visit.check_script(&parts.headers)?;
        Ok(members(body).await.ok_or(BrowserError::CallbackMalformed)?)
    };
    let verified = match read.await {
        Ok(members) => verified(&visit, &service, &mut parts, &members, false).await,
        Err(error) => Err(Box::new((error, Trail::default()))),
    };
    finished(&visit, &mut parts, verified).await
}

/// The way on of a form that a page of this site sent, or a script of Google's in its name.
async fn posted(visit: &Visit, service: &str, parts: &Parts, body: Body) -> Result<Response> {
    let (login, jar) = (&visit.login, &visit.jar);
    let malformed = BrowserError::CallbackMalformed;
    let body = to_bytes(body, Limits::DEFAULT.bytes).await.map_err(|_| malformed)?;
    let form = form(parts, &body).ok_or(malformed)?;
    let params = Params::parse_within(form.as_bytes(), LIMITS).map_err(|_| malformed)?;
    let is_ours = match params.one(DOUBLE_SUBMIT).map_err(|_| malformed)? {
        Some(submitted) => is_submitted_twice(&jar.values(DOUBLE_SUBMIT), submitted),
        None => !login.must_ask(&parts.headers, &Owner::NOBODY, true),
    };
    if !is_ours {
        return Err(BrowserError::NotThisOrigin.into());
    }
    let query = login.posted_id_token(service, form).await?;
    let base = &login.ready()?.site.base_path;
    Ok(hop(&[base, login.mount(), "/", service, "/id-token?", &query].concat()))
}

/// `GET {mount}/{service}/id-token`: the form, in a navigation that this origin began.
async fn arrive(path: ServicePath, request: Request) -> Response {
    let service = service_in(path);
    let (mut parts, _) = request.into_parts();
    if let Some(answer) = probed(&parts.method, &parts.headers) {
        return answer.map(Body::from);
    }
    let visit = match Visit::of(&parts) {
        Ok(visit) => visit,
        Err(error) => return plainly(&error, &parts),
    };
    let (login, jar) = (&visit.login, &visit.jar);
    let query = parts.uri.query().unwrap_or("").to_owned();
    let verified = match login.unsealed_id_token(&service, &query).await {
        Ok(form) => verified(&visit, &service, &mut parts, &form, true).await,
        Err(error) => Err(Box::new((error, Trail::default()))),
    };
    let (error, trail) = match verified {
        Ok(verified) => match link(login, jar, &verified, &mut parts).await {
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
    if let Some(response) = finished_before(login, jar, &error, &trail) {
        return response;
    }
    failed(login, jar, &mut parts, error, trail).await
}

async fn verified(
    visit: &Visit,
    service: &str,
    parts: &mut Parts,
    parameters: &str,
    by_form: bool,
) -> std::result::Result<Verified, Box<(crate::Error, Trail)>> {
    let (login, jar) = (&visit.login, &visit.jar);
    let owner = Handlers::of(login).find_owner(parts).await;
    login.verify_with_id_token(jar, service, parameters, by_form, &owner).await
}
