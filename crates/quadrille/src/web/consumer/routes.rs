//! The routes of a login.
//!
//! A visitor's way: `GET {mount}/{service}` sends them to the service (or, when another site sent
//! them, asks on a page that posts to the same path); they come back to
//! `GET {mount}/{service}/authorized`, which checks that the answer belongs to an attempt of this
//! browser, and then hops to our own origin (browsers show no `SameSite=Strict` cookies before). Where
//! nothing looks at the visitor (no owner, no hooks), the code is redeemed right there and the hop
//! goes to the page they wanted; otherwise it goes to `GET {mount}/{service}/arrived`, which redeems
//! the code, calls the hook, and redirects.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::Request,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use http::StatusCode;

use crate::{
    Error, Login,
    consumer::{Jar, Owner, Trail, error::BrowserError, is_just_back},
    probe::probed,
};

use super::{
    hooks::Handlers,
    layer::{LoginLayer, Visit},
    leave::{ServicePath, leave, leave_by_form, service_in},
    pages::{failed, hop, json, no_store, plainly, redirect, unknown_to_whom},
};

impl Login {
    /// Adds the login routes to an application, and to its handlers the power to take
    /// [`Linked`](crate::Linked) and the like: [`Login::routes`] and [`Login::layer`] in one.
    ///
    /// Layers that hooks need (sessions) go around all of it:
    /// `login.attach(routes).layer(sessions)`.
    pub fn attach<St: Clone + Send + Sync + 'static>(&self, app: Router<St>) -> Router<St> {
        app.layer(self.layer()).merge(self.routes())
    }

    /// The login routes: `/login/{service}`, where people log in (`?next=` says where to go then),
    /// and `/login/{service}/authorized`, which services call back.
    pub fn routes<St: Clone + Send + Sync + 'static>(&self) -> Router<St> {
        let _ = self.check();
        let mount = self.mount();
        if !mount.starts_with('/') {
            // `check` has said so in the log; a router would panic.
            return Router::new();
        }
        Router::new()
            .route(&format!("{mount}/{{service}}"), get(leave).post(leave_by_form))
            .route(&format!("{mount}/{{service}}/authorized"), get(come_back))
            .route(&format!("{mount}/{{service}}/arrived"), get(arrive))
            .layer(self.layer())
    }

    /// The layer that handlers need which take [`Linked`](crate::Linked) and the like.
    pub fn layer(&self) -> LoginLayer {
        LoginLayer(self.clone())
    }
}

/// What an application's own error type needs to send visitors to log in: the answer, when a
/// [`NotLinked`](Error::NotLinked) is at the bottom of it.
///
/// ```
/// use axum::{http::StatusCode, response::{IntoResponse, Response}};
///
/// struct AppError(Box<dyn std::error::Error + Send + Sync>);
///
/// impl IntoResponse for AppError {
///     fn into_response(self) -> Response {
///         quadrille::recover(&*self.0)
///             .unwrap_or_else(|| StatusCode::INTERNAL_SERVER_ERROR.into_response())
///     }
/// }
/// ```
pub fn recover(error: &(dyn std::error::Error + 'static)) -> Option<Response> {
    let mut error = Some(error);
    while let Some(this) = error {
        if let Some(ours @ Error::NotLinked(_)) = this.downcast_ref::<Error>() {
            return Some(ours.clone().into_response());
        }
        error = this.source();
    }
    None
}

/// [`NotLinked`](Error::NotLinked) sends a page's visitor to log in and tells everyone else by
/// status and JSON; every other error is a small page, and below [`Login::layer`] JSON for a
/// request that no page comes from (a fetch).
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let Self::NotLinked(who) = &self else { return unknown_to_whom(self) };
        if who.navigation {
            let mut response = Redirect::to(&who.login_url).into_response();
            no_store(&mut response);
            return response;
        }
        let told = serde_json::json!({
            "error": self.code(),
            "service": &*who.service,
            "login_url": who.login_url,
        });
        json(StatusCode::UNAUTHORIZED, &told)
    }
}

/// A service's answer comes back.
async fn come_back(path: ServicePath, request: Request) -> Response {
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
    let verified = match login.verify(jar, &service, &query).await {
        Ok(verified) => verified,
        Err(failure) => {
            let (error, trail) = *failure;
            if let Some(response) = finished_before(login, jar, &error, &trail) {
                return response;
            }
            // The application's own error handler looks at its session, as hooks do.
            if Handlers::of(login).look_at_the_visitor() && trail.answered.is_some() {
                return hop_to_arrival(login, &service, &query);
            }
            return failed(login, jar, &mut parts, error, trail).await;
        }
    };
    if Handlers::of(login).look_at_the_visitor() {
        return hop_to_arrival(login, &service, &query);
    }
    let next = verified.answered.attempt.next.clone();
    let trail = || Trail {
        service: Some(Arc::clone(&verified.registered.settled)),
        next: Some(next.clone()),
        ..Trail::default()
    };
    let linked = async {
        let authorized = login.redeem(jar, &verified, &Owner::NOBODY, false).await?;
        authorized.keep(Some(jar), &Owner::NOBODY).await?;
        authorized.note_return(jar, &verified.answered.cookie, &Owner::NOBODY)
    };
    match linked.await {
        Ok(()) => hop(&next),
        Err(error) => failed(login, jar, &mut parts, error, trail()).await,
    }
}

/// On our own origin again.
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
    let verified = match login.verify(jar, &service, &query).await {
        Ok(verified) => verified,
        Err(failure) => {
            let (error, trail) = *failure;
            return match finished_before(login, jar, &error, &trail) {
                Some(response) => response,
                None => failed(login, jar, &mut parts, error, trail).await,
            };
        }
    };
    let handlers = Handlers::of(login);
    let linked = async {
        let owner = handlers.find_owner(&mut parts).await;
        let by_hook = handlers.has_authorized();
        let authorized = login.redeem(jar, &verified, &owner, by_hook).await?;
        let after = handlers.authorized(authorized.clone(), &mut parts).await;
        if !after.names_owner() && !verified.was_begun_by(&owner) {
            // Nobody was signed in when it began, and the hook does not say whose it is.
            return Err(BrowserError::UserChanged.into());
        }
        // A hook that signed somebody in need not say so, if the session tells at once.
        let owner = match owner.is_user() {
            true => owner,
            false => handlers.find_owner(&mut parts).await,
        };
        if let Some(owner) = after.owner(|| owner.clone()) {
            authorized.keep(Some(jar), &owner).await?;
        }
        authorized.note_return(jar, &verified.answered.cookie, &owner)?;
        match after.into_parts() {
            (Some(answer), _) => Ok(answer),
            (None, _) => redirect(StatusCode::SEE_OTHER, authorized.next().to_owned()),
        }
    };
    match linked.await {
        Ok(response) => response,
        Err(error) => {
            let trail = Trail {
                service: Some(Arc::clone(&verified.registered.settled)),
                next: Some(verified.answered.attempt.next.clone()),
                ..Trail::default()
            };
            failed(login, jar, &mut parts, error, trail).await
        }
    }
}

/// The back button, or a double click: the attempt is over, and all is well.
fn finished_before(login: &Login, jar: &Jar, error: &Error, trail: &Trail) -> Option<Response> {
    let (service, next) = (trail.service.as_ref()?, trail.next.as_ref()?);
    let site = &login.ready().ok()?.site;
    let just_finished = *error == Error::Browser(BrowserError::AttemptCookieMissing)
        && is_just_back(site, jar, &service.name, None);
    if just_finished { redirect(StatusCode::SEE_OTHER, next.clone()).ok() } else { None }
}

fn hop_to_arrival(login: &Login, service: &str, query: &str) -> Response {
    match login.ready() {
        // Only services of ours get here, whose names need no encoding.
        Ok(ready) => {
            hop(&[&ready.site.base_path, login.mount(), "/", service, "/arrived?", query].concat())
        }
        Err(error) => unknown_to_whom(error),
    }
}
