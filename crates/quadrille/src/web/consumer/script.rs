//! The routes of logins that a script or a program begins and finishes, by JSON.
//!
//! They are the two halves of a login without redirects. Another site's page cannot call them: a
//! request must be declared as JSON, which browsers send to another origin only with its consent,
//! and must not come from another origin.

use std::fmt;

use axum::{Router, response::Response};
use http::StatusCode;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::json as value;

use crate::{
    Error, Login, Result,
    consumer::{Ending, Trail, Verified, error::BrowserError},
    form::FormWriter,
};

use super::{
    frame::{Asked, Routes},
    leave::{Departure, begin},
    pages::json,
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
        Routes::of(self).post("/begin", begin_by_script).post("/finish", finish_by_script).finish()
    }
}

/// `POST {mount}/{service}/begin`.
async fn begin_by_script(mut asked: Asked) -> Response {
    let mut trail = Trail { ending: Ending::Json, ..Trail::default() };
    let begun = async {
        asked.visit.check_place()?;
        let parameters = members(&mut asked).await?.ok_or(BrowserError::LoginMalformed)?;
        begin(&mut asked, &parameters, &mut trail).await
    };
    match begun.await {
        Ok(Departure::Answer(response)) => response,
        Ok(Departure::To(url)) => json(StatusCode::OK, &value!({ "url": url })),
        Err(error) => asked.failed(error, trail).await,
    }
}

/// `POST {mount}/{service}/finish`.
async fn finish_by_script(mut asked: Asked) -> Response {
    let verified = match members(&mut asked).await {
        Ok(Some(query)) => asked.visit.login.verify(&asked.visit.jar, &asked.service, &query).await,
        Ok(None) => Err(Box::new((BrowserError::CallbackMalformed.into(), Trail::default()))),
        Err(error) => Err(Box::new((error, Trail::default()))),
    };
    finished(&mut asked, verified).await
}

/// Finishes a login, and tells a script or a program of its outcome.
pub(super) async fn finished(
    asked: &mut Asked,
    verified: Result<Verified, Box<(Error, Trail)>>,
) -> Response {
    let (error, trail) = match verified {
        Ok(verified) => match link(asked, &verified).await {
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
    asked.failed(error, Trail { ending: Ending::Json, ..trail }).await
}

/// The members of a JSON object of texts, as a query, from a script of this origin or a program. A
/// repeated member is a repeated parameter. `None` for another body.
///
/// # Errors
/// [`BrowserError::NotThisOrigin`].
pub(super) async fn members(asked: &mut Asked) -> Result<Option<String>> {
    if !asked.visit.login.is_own_script(&asked.parts.headers) {
        return Err(BrowserError::NotThisOrigin.into());
    }
    let Some(body) = asked.body().await else { return Ok(None) };
    let members: Option<Members> = serde_json::from_slice(&body).ok();
    Ok(members.map(|Members(members)| members.finish()))
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
