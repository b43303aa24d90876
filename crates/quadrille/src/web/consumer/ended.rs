//! The routes by which a provider tells that it has ended sessions (OpenID Connect Back-Channel Logout
//! 1.0 and Front-Channel Logout 1.0).

use axum::{Router, body::Body, response::Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::json as value;
use tracing::{info, warn};

use crate::{
    Login, Result,
    consumer::{SessionEnded, error::BrowserError, to_the_end::to_the_end},
    form::Params,
};

use super::{
    frame::{Asked, Routes},
    hooks::Handlers,
    pages::{json, no_store},
};

impl Login {
    /// Routes for logouts at an OpenID Provider, beside those of
    /// [`Login::attach`](crate::Login::attach): `app.merge(login.logout_routes())`. Register them at
    /// the provider.
    ///
    /// * `POST /login/{service}/backchannel-logout` (`backchannel_logout_uri`) takes a signed logout
    ///   token from the provider's server, and ends the sessions that it names:
    ///   [`Login::end_by_logout_token`].
    /// * `GET /login/{service}/frontchannel-logout` (`frontchannel_logout_uri`, with
    ///   `frontchannel_logout_session_required`) is a frame on a page of the provider, and ends the
    ///   session of its `sid`: [`Login::end_by_front_channel`]. Prefer the other one where the
    ///   provider has it.
    ///
    /// The [storage](Login::storage) must be on the server to remember logouts across a restart. Where
    /// browsers store the tokens, which is the default, a session that has ended goes on after a restart
    /// of the process, until its cookie ends: the log warns of it.
    ///
    /// The hook [`Hooks::on_session_ended`](crate::Hooks::on_session_ended) ends the application's own
    /// sessions, each of which must know the account and the `sid` of its ID token
    /// ([`Authorized::claims`](crate::Authorized::claims)).
    ///
    /// ```
    /// use axum::{Router, extract::State};
    /// use quadrille::{Hooks, KeyRing, Login, SessionEnded, SpecBuf};
    ///
    /// # #[derive(Clone)] struct Sessions;
    /// # impl Sessions { async fn end(&self, _sid: &str) {} async fn end_all(&self, _user: &str) {} }
    /// async fn ended(event: SessionEnded, State(sessions): State<Sessions>) {
    ///     match (event.sid, event.account) {
    ///         (Some(sid), _) => sessions.end(&sid).await,
    ///         (None, Some(account)) => sessions.end_all(&account).await,
    ///         (None, None) => {}
    ///     }
    /// }
    ///
    /// let spec = SpecBuf::oidc("acme", "https://id.acme.example");
    /// let login = Login::new(KeyRing::ephemeral(), "https://app.example")
    ///     .with(spec.client("our-id", "our-secret"))
    ///     .hooks(Hooks::new(Sessions).on_session_ended(ended));
    /// let app: Router = login.attach(Router::new()).merge(login.logout_routes());
    /// # login.check()?;
    /// # Ok::<(), quadrille::Error>(())
    /// ```
    pub fn logout_routes<St: Clone + Send + Sync + 'static>(&self) -> Router<St> {
        self.0.ended.receives();
        if self.0.storage.is_in_browser() {
            warn!(
                "logouts at a provider are kept in the memory of this process, because browsers store \
                 the tokens: sessions that have ended go on after a restart, and at other processes; a \
                 storage on the server is safer"
            );
        }
        Routes::of(self)
            .post("/backchannel-logout", by_the_server)
            .get("/frontchannel-logout", by_a_frame)
            .finish()
    }
}

/// `POST {mount}/{service}/backchannel-logout` (Back-Channel Logout, sections 2.5 and 2.8).
async fn by_the_server(asked: Asked) -> Response {
    // A provider may give up while the application ends its session, and the token is used by then.
    to_the_end(end_by_token(asked)).await
}

async fn end_by_token(mut asked: Asked) -> Response {
    let ended = async {
        let malformed = BrowserError::CallbackMalformed;
        let form = asked.form().await.ok_or(malformed)?;
        let params = Params::parse(form.as_bytes()).map_err(|_| malformed)?;
        let token = params.one("logout_token").map_err(|_| malformed)?.ok_or(malformed)?;
        asked.visit.login.receive_logout_token(&asked.service, token).await
    };
    let (ended, used) = match ended.await {
        Ok((event, used)) => (Ok(event), Some(used)),
        Err(error) => (Err(error), None),
    };
    let told = told(&mut asked, ended).await;
    if let (Err(_), Some(used)) = (&told, used) {
        asked.visit.login.let_send_again(used).await;
    }
    match told {
        Ok(()) => {
            let mut response = Response::new(Body::empty());
            no_store(&mut response);
            response
        }
        Err(code) => {
            let told = value!({ "error": "invalid_request", "error_description": code });
            json(StatusCode::BAD_REQUEST, &told)
        }
    }
}

/// `GET {mount}/{service}/frontchannel-logout` (Front-Channel Logout, section 2).
async fn by_a_frame(mut asked: Asked) -> Response {
    // The page around the frame may be left meanwhile.
    let ended = to_the_end(async move {
        let ended = asked.visit.login.end_by_front_channel(&asked.service, &asked.query()).await;
        told(&mut asked, ended).await
    })
    .await;
    let mut response = Response::new(Body::from("<!doctype html><title>Logout</title>\n"));
    if ended.is_err() {
        *response.status_mut() = StatusCode::BAD_REQUEST;
    }
    no_store(&mut response);
    let headers = response.headers_mut();
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, html);
    // A page of the provider shows it in a frame.
    let nothing = HeaderValue::from_static("default-src 'none'");
    headers.insert(header::CONTENT_SECURITY_POLICY, nothing);
    response
}

/// Tells the application of ended sessions. `Err` with a code if they are not ended.
async fn told(
    asked: &mut Asked,
    ended: Result<SessionEnded>,
) -> std::result::Result<(), &'static str> {
    let event = match ended {
        Ok(event) => event,
        Err(error) => {
            let (code, likely) = (error.code(), error.likely_cause());
            warn!(code, %error, likely, "a logout at a service is rejected");
            return Err(code);
        }
    };
    let service = event.service.clone();
    match Handlers::of(&asked.visit.login)
        .session_ended(event, &mut asked.parts)
        .await
        .into_answer()
    {
        None => {
            info!(service = &*service, "a service has ended sessions");
            Ok(())
        }
        Some(_) => {
            warn!(service = &*service, "on_session_ended failed, or returned a response");
            Err("not_ended")
        }
    }
}
