//! The routes of logins that a script or a program begins and finishes, by JSON.
//!
//! They are the two halves of a login without redirects. Another site's page cannot call them: a
//! request must be declared as JSON, which browsers send to another origin only with its consent,
//! and must not come from another origin.

use std::fmt;

use axum::{Router, body::to_bytes, extract::Request, response::Response, routing::post};
use http::{StatusCode, request::Parts};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::json as value;

use crate::{
    Error, Login, Result,
    consumer::{Ending, Trail, Verified, error::BrowserError},
    form::{FormWriter, Limits},
};

use super::{
    layer::Visit,
    leave::{Departure, ServicePath, begin, service_in},
    pages::{failed, json, plainly},
    routes::link,
};

impl Login {
    /// Routes for scripts of a single-page application and for programs on phones, beside those of
    /// [`Login::attach`](crate::Login::attach): `app.merge(login.json_routes())`.
    ///
    /// * `POST /login/{service}/begin` takes the parameters of the login route as members of a JSON
    ///   object (`next`, and those of
    ///   [`Client::allow_parameters`](crate::consumer::Client::allow_parameters)) and responds with
    ///   `{"url": ...}`, to which the user is to be sent.
    /// * `POST /login/{service}/finish` takes the callback's parameters in the same form, calls the
    ///   hooks, stores the account, and responds with `{"service": ..., "next": ...}`.
    ///
    /// Errors are JSON, with `error` (the stable code), `message` and, if another attempt may
    /// succeed, `retry_url`. Both requests are declared as `application/json` and keep cookies. A
    /// response of a hook replaces the usual one.
    ///
    /// The service sends the user to
    /// [`Client::json_callback`](crate::consumer::Client::json_callback), a page of the script.
    /// Without one, it is the usual callback, which finishes the login itself.
    ///
    /// ```
    /// use axum::Router;
    /// use quadrille::{GitHub, KeyRing, Login};
    ///
    /// let github = GitHub::new("our-id", "our-secret");
    /// let login = Login::new(KeyRing::ephemeral(), "https://app.example")
    ///     .with(github.json_callback("https://app.example/app/logged-in"));
    /// let app: Router = login.attach(Router::new()).merge(login.json_routes());
    /// # login.check()?;
    /// # Ok::<(), quadrille::Error>(())
    /// ```
    pub fn json_routes<St: Clone + Send + Sync + 'static>(&self) -> Router<St> {
        let _ = self.check();
        let mount = self.mount();
        if !mount.starts_with('/') {
            // `check` has logged it; a router would panic.
            return Router::new();
        }
        Router::new()
            .route(&format!("{mount}/{{service}}/begin"), post(begin_by_script))
            .route(&format!("{mount}/{{service}}/finish"), post(finish_by_script))
            .layer(self.layer())
    }
}

/// `POST {mount}/{service}/begin`.
async fn begin_by_script(path: ServicePath, request: Request) -> Response {
    let service = service_in(path);
    let (mut parts, body) = request.into_parts();
    let visit = match Visit::of(&parts) {
        Ok(visit) => visit,
        Err(error) => return plainly(&error, &parts),
    };
    let mut trail = Trail { ending: Ending::Json, ..Trail::default() };
    let begun = async {
        visit.check_place()?;
        visit.check_script(&parts.headers)?;
        let parameters = members(body).await.ok_or(BrowserError::LoginMalformed)?;
        begin(&visit, &service, &mut parts, &parameters, &mut trail).await
    };
    match begun.await {
        Ok(Departure::Answer(response)) => response,
        Ok(Departure::To(url)) => json(StatusCode::OK, &value!({ "url": url })),
        Err(error) => failed(&visit.login, &visit.jar, &mut parts, error, trail).await,
    }
}

/// `POST {mount}/{service}/finish`.
async fn finish_by_script(path: ServicePath, request: Request) -> Response {
    let service = service_in(path);
    let (mut parts, body) = request.into_parts();
    let visit = match Visit::of(&parts) {
        Ok(visit) => visit,
        Err(error) => return plainly(&error, &parts),
    };
    let (login, jar) = (&visit.login, &visit.jar);
    let read = async {
        visit.check_script(&parts.headers)?;
        Ok(members(body).await.ok_or(BrowserError::CallbackMalformed)?)
    };
    let verified = match read.await {
        Ok(query) => login.verify(jar, &service, &query).await,
        Err(error) => Err(Box::new((error, Trail::default()))),
    };
    finished(&visit, &mut parts, verified).await
}

/// Finishes a login, and tells a script or a program of its outcome.
pub(super) async fn finished(
    visit: &Visit,
    parts: &mut Parts,
    verified: Result<Verified, Box<(Error, Trail)>>,
) -> Response {
    let (login, jar) = (&visit.login, &visit.jar);
    let (error, trail) = match verified {
        Ok(verified) => match link(login, jar, &verified, parts).await {
            Ok(Some(answer)) => return answer,
            Ok(None) => {
                let next = &verified.answered.attempt.next;
                let told = value!({ "service": &*verified.registered.name, "next": next });
                return json(StatusCode::OK, &told);
            }
            Err(error) => (error, verified.trail()),
        },
        Err(failure) => *failure,
    };
    let trail = Trail { ending: Ending::Json, ..trail };
    failed(login, jar, parts, error, trail).await
}

impl Visit {
    /// Checks that a script of this origin, or a program, sent the request.
    pub(super) fn check_script(&self, headers: &http::HeaderMap) -> Result<(), Error> {
        match self.login.is_own_script(headers) {
            true => Ok(()),
            false => Err(BrowserError::NotThisOrigin.into()),
        }
    }
}

/// The members of a JSON object of texts, as a query. A repeated member is a repeated parameter.
pub(super) async fn members(body: axum::body::Body) -> Option<String> {
    let body = to_bytes(body, Limits::DEFAULT.bytes).await.ok()?;
    let Members(members) = serde_json::from_slice(&body).ok()?;
    Some(members.finish())
}

struct Members(FormWriter);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut form = FormWriter::new();
        while let Some((name, text)) = map.next_entry::<String, Option<String>>()? {
            form.append_some(&name, text.as_deref());
        }
        Ok(Members(form))
    }
}
