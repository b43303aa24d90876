//! The routes of a login.
//!
//! `GET {mount}/{service}` redirects the user to the service, or, if another site sent them, asks
//! on a page that posts to the same path. They return to `GET {mount}/{service}/authorized`, which
//! checks that the callback belongs to an attempt of this browser. The next page is loaded by a hop
//! on this origin, because browsers send no `SameSite=Strict` cookies before. If no hook may read
//! the session, the code is redeemed before the hop, which loads the requested page. Otherwise the
//! hop loads `GET {mount}/{service}/arrived`, which redeems the code, calls the hook, and
//! redirects.
//!
//! A service may send its answer by POST to the callback (`form_post`). That request has no
//! cookies, so it is sealed into the query of the hop, and everything above follows.

use axum::{
    Router,
    body::Body,
    response::{IntoResponse, Redirect, Response},
    routing::{MethodFilter, on},
};
use http::{HeaderValue, StatusCode, header};
use tower::util::MapResponseLayer;

use crate::{
    Error, Login, Result,
    consumer::{Attempt, Ending, Trail, Verified, error::BrowserError, is_just_back},
};

use super::{
    frame::{Asked, Routes},
    hooks::Handlers,
    initiated::{initiate, initiate_by_form},
    layer::{LoginLayer, Visit},
    leave::{leave, leave_by_form},
    logout::{ask, come_back as logged_out, log_out},
    pages::{
        Outcome, hop, json, message, no_store, plainly, redirect, unknown_to_whom, with_opener,
    },
};

impl Login {
    /// Adds the login routes to an application, and the layer for handlers that take
    /// [`Linked`](crate::Linked) and the like: [`Login::routes`] and [`Login::layer`] in one.
    ///
    /// Layers that hooks need (sessions) wrap all of it:
    /// `login.attach(routes).layer(sessions)`.
    pub fn attach<St: Clone + Send + Sync + 'static>(&self, app: Router<St>) -> Router<St> {
        app.layer(self.layer()).merge(self.routes())
    }

    /// The login routes: `/login/{service}`, which begins a login (`?next=` is the path to return
    /// to), `/login/{service}/authorized`, the callback, and `/login/{service}/logout`, to which a
    /// form or a script of this site posts (`next` is the path to go on to; with `at_service=1`, the
    /// session at an OpenID Provider ends, too, from which the user returns to
    /// `/login/{service}/logged-out`). With
    /// [`Login::client_keys`], their public parts are at `/login/jwks.json`, and with
    /// [`Login::accept_initiated_logins`], other sites begin logins at `/login/{service}/initiate`.
    pub fn routes<St: Clone + Send + Sync + 'static>(&self) -> Router<St> {
        let routes = Routes::of(self)
            .get("", leave)
            .post("", leave_by_form)
            .get("/authorized", come_back)
            .post("/authorized", come_posted)
            .get("/arrived", arrive)
            .get("/request", request_object)
            .get("/logout", ask)
            .post("/logout", log_out)
            .get("/logged-out", logged_out);
        let routes = match self.0.accepts_initiated_logins {
            true => routes.get("/initiate", initiate).post("/initiate", initiate_by_form),
            false => routes,
        };
        let routes = match self.jwks() {
            Some(_) => {
                let login = self.clone();
                routes.own("/jwks.json", on(MethodFilter::GET, async move || jwks(&login)))
            }
            None => routes,
        };
        let routes = routes.finish();
        match self.opener() {
            Some(_) => routes.layer(MapResponseLayer::new(with_opener)),
            None => routes,
        }
    }

    /// The layer for handlers that take [`Linked`](crate::Linked) and the like.
    pub fn layer(&self) -> LoginLayer {
        LoginLayer(self.clone())
    }
}

/// The public keys of the site (`jwks_uri`; RFC 7591, section 2).
fn jwks(login: &Login) -> Response {
    let mut response = Response::new(Body::from(login.jwks().unwrap_or_else(|| "{}".into())));
    let headers = response.headers_mut();
    let json = HeaderValue::from_static("application/jwk-set+json");
    headers.insert(header::CONTENT_TYPE, json);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}

/// The response that redirects to a login, if an [`Error::NotLinked`] is among the causes of
/// `error`: for an application's own error type.
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

/// [`Error::NotLinked`] redirects a page to a login, and is a status and JSON for any other
/// request. Every other error is a small page; below [`Login::layer`], JSON for a request that
/// loads no page (a fetch).
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

/// The request object that a provider asks for (RFC 9101, section 5.2.3).
async fn request_object(asked: Asked) -> Response {
    let object = asked.visit.login.request_object(&asked.service, &asked.query()).await;
    let (status, object) = match object {
        Ok(Some(object)) => (StatusCode::OK, object),
        Ok(None) => (StatusCode::NOT_FOUND, String::new()),
        Err(error) => return plainly(&error, &asked.parts),
    };
    let mut response = Response::new(Body::from(object));
    *response.status_mut() = status;
    no_store(&mut response);
    let kind = HeaderValue::from_static("application/oauth-authz-req+jwt");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// The service's answer, in a navigation that the service's site began.
async fn come_back(asked: Asked) -> Response {
    finish(asked, Begun::Elsewhere).await
}

/// The same answer, in a navigation that this origin began.
async fn arrive(asked: Asked) -> Response {
    finish(asked, Begun::Here).await
}

/// The service's answer in a form of the service's site (`response_mode=form_post`), without the
/// cookies of the attempt.
async fn come_posted(mut asked: Asked) -> Response {
    let query = async {
        let registered = asked.visit.login.by_name(&asked.service).await?;
        if !registered.sends_forms() {
            return Ok(None);
        }
        let form = asked.form().await.ok_or(BrowserError::CallbackMalformed)?;
        asked.visit.login.posted_callback(&asked.service, form.as_bytes()).await.map(Some)
    };
    match query.await {
        Ok(Some(query)) => hop_to_arrival(&asked, &query),
        Ok(None) => {
            let allow = [(header::ALLOW, HeaderValue::from_static("GET, HEAD"))];
            (StatusCode::METHOD_NOT_ALLOWED, allow).into_response()
        }
        Err(error) => asked.failed(error, Trail::default()).await,
    }
}

/// The site that began a navigation, as far as browsers show `SameSite=Strict` cookies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begun {
    Elsewhere,
    Here,
}

/// Checks the service's answer and finishes the login, or hops to our origin for it.
async fn finish(mut asked: Asked, begun: Begun) -> Response {
    let Visit { login, jar, .. } = &asked.visit;
    let query = asked.query();
    let hops = begun == Begun::Elsewhere && Handlers::of(login).look_at_the_visitor();
    let verified = match login.verify(jar, &asked.service, &query).await {
        Ok(verified) => verified,
        Err(failure) => {
            let (error, trail) = *failure;
            if let Some(response) = finished_before(&asked.visit, &error, &trail) {
                return response;
            }
            // The application's own error handler looks at its session, as hooks do.
            if hops && trail.answered.is_some() {
                return hop_to_arrival(&asked, &query);
            }
            return asked.failed(error, trail).await;
        }
    };
    if hops {
        return hop_to_arrival(&asked, &query);
    }
    let Attempt { next, ending, .. } = verified.answered.attempt.clone();
    let in_window = ending == Ending::PopUp;
    let ending = ending.in_browser();
    let linked = link(&mut asked, &verified).await;
    let opener = asked.visit.login.opener().filter(|_| in_window);
    let finished = match linked {
        Ok(Some(answer)) => return answer,
        Ok(None) if let Some(opener) = opener => {
            return message(
                asked.language(),
                opener,
                &asked.service,
                &Outcome::Finished { next: &next },
            );
        }
        Ok(None) if begun == Begun::Elsewhere => {
            return hop(asked.language(), &next);
        }
        Ok(None) => redirect(StatusCode::SEE_OTHER, next.clone()),
        Err(error) => Err(error),
    };
    match finished {
        Ok(response) => response,
        Err(error) => {
            let trail = Trail { ending, ..verified.trail() };
            asked.failed(error, trail).await
        }
    }
}

/// Redeems the code, calls the hook, and stores the account. Returns the hook's answer, if it has
/// one.
pub(super) async fn link(asked: &mut Asked, verified: &Verified) -> Result<Option<Response>> {
    let Asked { visit: Visit { login, jar, .. }, parts, .. } = asked;
    let handlers = Handlers::of(login);
    let owner = handlers.find_owner(parts).await;
    let redeemed = login.redeem(jar, verified, &owner, handlers.has_authorized()).await?;
    let authorized = &redeemed.authorized;
    let after = handlers.authorized(authorized.clone(), parts).await;
    if !after.names_owner() && !verified.was_begun_by(&owner) {
        // No user was signed in when the login began, and the hook names no owner.
        return Err(BrowserError::UserChanged.into());
    }
    // A hook that has signed a user in need not name them if the session shows them at once.
    let owner = match owner.is_user() {
        true => owner,
        false => handlers.find_owner(parts).await,
    };
    if let Some(owner) = after.owner(|| owner.clone()) {
        redeemed.keep(Some(jar), &owner).await?;
    }
    authorized.note_return(jar, &verified.answered.cookie, &owner)?;
    Ok(after.into_answer())
}

/// The redirect after the back button or a double click: the attempt has succeeded before.
pub(super) fn finished_before(visit: &Visit, error: &Error, trail: &Trail) -> Option<Response> {
    let Visit { login, jar, .. } = visit;
    let (service, next) = (trail.service.as_ref()?, trail.next.as_ref()?);
    let site = &login.ready().ok()?.site;
    let just_finished = *error == Error::Browser(BrowserError::AttemptCookieMissing)
        && is_just_back(site, jar, &service.name);
    if just_finished { redirect(StatusCode::SEE_OTHER, next.clone()).ok() } else { None }
}

fn hop_to_arrival(asked: &Asked, query: &str) -> Response {
    let (login, service) = (&asked.visit.login, &*asked.service);
    match login.ready() {
        // The service is one of this site, whose name needs no encoding.
        Ok(ready) => {
            let to = [&ready.site.base_path, login.mount(), "/", service, "/arrived?", query];
            hop(asked.language(), &to.concat())
        }
        Err(error) => unknown_to_whom(error),
    }
}
