//! A fake service as a server on this machine.

use std::{future::IntoFuture as _, io, net::Ipv4Addr};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::State,
};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, header, request::Parts};
use tokio::net::TcpListener;

use crate::{Env, form::Params, transport::Purpose};

use super::{
    FakeService,
    device::{self, Decision},
    fake::{Part, Stage},
    page,
    scene::path_of,
};

/// The most bytes of a request's body.
const LONGEST: usize = 16 << 20;

impl FakeService {
    /// Listens on this port of `127.0.0.1`, or on a free one for `0`, until the runtime ends.
    /// Returns the URL of the server, for [`hosted_at`](crate::consumer::Client::hosted_at): every
    /// endpoint of the service keeps its path below that URL.
    ///
    /// The authorization endpoint has a page on which a browser chooses one of the
    /// [accounts](FakeService::user), and approves or refuses the request. A test sends its form,
    /// `allow={number}` or `deny=1`, or does without the page ([`FakeService::approves_as`]). The
    /// page at `/device` does the same for the codes of devices (RFC 8628). The service has no
    /// passwords, so it is for tests and demonstrations only. Its ID tokens are by the clock of the system,
    /// unless [`FakeService::tells_time`] has another.
    ///
    /// ```
    /// use quadrille::{GitHub, KeyRing, Login, testing::FakeService};
    /// use serde_json::json;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let github = FakeService::of::<GitHub>("our-id", "our-secret").user(json!({"login": "ada"}));
    /// let url = github.listen(0).await?;
    /// let login = Login::new(KeyRing::ephemeral(), "http://localhost:3000")
    ///     .with(GitHub::new("our-id", "our-secret").hosted_at(url));
    /// login.check()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of the socket, such as a port in use.
    pub async fn listen(&self, port: u16) -> io::Result<String> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let base = format!("http://{}", listener.local_addr()?);
        self.stage().scene.base = Some(base.clone());
        self.change_openid(|openid| {
            openid.env.get_or_insert_with(Env::system);
        });
        let app = Router::new().fallback(serve).with_state(self.clone());
        tokio::spawn(axum::serve(listener, app).into_future());
        Ok(base)
    }

    /// Answers requests for something that the service does not have as the service would, and says so in
    /// the log: 404 at any path but those of its endpoints, of the account, and of the script, and for device
    /// logins where it has none. Otherwise the [server](FakeService::listen) answers each call of an API that
    /// has a token with the call itself.
    ///
    /// ```
    /// use quadrille::{GitHub, testing::FakeService};
    ///
    /// let github = FakeService::of::<GitHub>("our-id", "our-secret");
    /// github.has_nothing_else();
    /// ```
    pub fn has_nothing_else(&self) {
        self.stage().scene.has_nothing_else = true;
    }
}

async fn serve(State(service): State<FakeService>, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LONGEST).await else {
        return with_status(StatusCode::PAYLOAD_TOO_LARGE).map(Body::from);
    };
    let Some(parts) = service.stage().whole(parts) else {
        return with_status(StatusCode::BAD_REQUEST).map(Body::from);
    };
    if parts.uri.path() == device::PATH
        && let Some(page) = service.stage().visit_device(&parts, &body)
    {
        return page.map(Body::from);
    }
    if service.stage().is_visit(&parts) {
        return service.stage().visit(&parts, &body).map(Body::from);
    }
    let request = Request::from_parts(parts, body);
    let purpose = service.stage().purpose(&request);
    if let Some(answer) = service.stage().not_there(&request, purpose) {
        return answer.map(Body::from);
    }
    match service.respond(request, purpose).await {
        Ok(answer) => answer.map(Body::from),
        Err(_) => with_status(StatusCode::BAD_GATEWAY).map(Body::from),
    }
}

/// Whether a browser brings an authorization request. Its path may be one that an option of the
/// service moved, so the parameters decide.
pub(super) fn is_visit(parts: &Parts) -> bool {
    let Ok(params) = Params::parse(parts.uri.query().unwrap_or("").as_bytes()) else {
        return false;
    };
    let has = |name| params.one(name).ok().flatten().is_some();
    let is_signed = has("oauth_signature") || parts.headers.contains_key(header::AUTHORIZATION);
    !is_signed && (has("oauth_token") || (has("response_type") && has("client_id")))
}

impl Stage {
    /// Whether a browser brings an authorization request, which may lack each parameter.
    fn is_visit(&self, parts: &Parts) -> bool {
        let is_of_browser = !parts.headers.contains_key(header::AUTHORIZATION);
        is_visit(parts) || (is_of_browser && self.is_at_authorization(parts.uri.path()))
    }

    /// Whether a path is that of the authorization endpoint of OAuth 2.
    fn is_at_authorization(&self, path: &str) -> bool {
        let Part::OAuth2(_) = &self.part else { return false };
        match self.scene.spec.map_or("", |spec| path_of(spec.authorize)) {
            "" => path.ends_with("/authorize"),
            own => path.ends_with(own),
        }
    }

    /// The request with the whole URL, which a server gets as a path.
    fn whole(&self, mut parts: Parts) -> Option<Parts> {
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        parts.uri = [self.scene.base.as_deref()?, path].concat().parse::<Uri>().ok()?;
        Some(parts)
    }

    fn purpose(&self, request: &Request<Bytes>) -> Purpose {
        match &self.part {
            Part::OAuth2(part) => part.purpose(request),
            Part::OAuth1(part) => part.purpose(&self.scene, request),
        }
    }

    /// The answer to a request for something that the service does not have, if that is all that it has.
    fn not_there(&self, request: &Request<Bytes>, purpose: Purpose) -> Option<Response<Bytes>> {
        if !self.scene.has_nothing_else || self.is_scripted(purpose) {
            return None;
        }
        let lack = self.lack(request, purpose)?;
        let (method, path) = (request.method(), request.uri().path());
        tracing::warn!(%method, path, "{lack}");
        lack.answer()
    }

    /// The answer to a browser at the authorization endpoint.
    fn visit(&mut self, parts: &Parts, body: &Bytes) -> Response<Bytes> {
        let url = parts.uri.to_string();
        let Some(asks) = self.asks(&url) else { return self.refused(&url) };
        if !self.scene.is_registered(&asks.callback) {
            return page::unregistered(&self.scene, &asks.callback);
        }
        let form = Params::parse(body);
        let field = |name| form.as_ref().ok()?.one(name).ok().flatten();
        let user = match field("allow") {
            Some(user) if parts.method == Method::POST => user.parse().ok(),
            _ => self.scene.approves_as,
        };
        let is_denied = parts.method == Method::POST && field("deny").is_some();
        let query = match (user, is_denied) {
            (_, true) => self.deny(&url),
            (Some(user), false) if asks.callback == "oob" => {
                let pin = self.pin(&url, user).unwrap_or_default();
                return page::pin(&self.scene, &pin);
            }
            (Some(user), false) => self.consent(&url, user),
            (None, false) => return page::consent(&self.scene, &asks),
        };
        let Some(query) = query else { return page::refusal(&self.scene, page::UNCLEAR) };
        if asks.by_post {
            return page::form_post(&self.scene, &asks.callback, &query);
        }
        let separator = if asks.callback.contains('?') { '&' } else { '?' };
        let location = format!("{}{separator}{query}", asks.callback);
        redirect(&location).unwrap_or_else(|| page::refusal(&self.scene, page::UNCLEAR))
    }

    /// The answer to a browser with an authorization request that is invalid: the application is told
    /// so, if it is known, and else the user.
    fn refused(&self, url: &str) -> Response<Bytes> {
        let scene = &self.scene;
        let Part::OAuth2(part) = &self.part else { return page::refusal(scene, page::UNCLEAR) };
        let Err(invalid) = part.asks(scene, url) else {
            return page::refusal(scene, page::UNCLEAR);
        };
        let title = scene.spec.map_or("the service", |spec| spec.title);
        tracing::warn!("{title} refuses the authorization request: {invalid}");
        let why = invalid.to_string();
        let told = part.told(scene, invalid).and_then(|location| redirect(&location));
        told.unwrap_or_else(|| page::refusal(scene, &why))
    }

    /// The answer to a browser at the page for the codes of devices (RFC 8628, section 3.3); `None`
    /// if the request is none of a browser, or the service has no device logins.
    fn visit_device(&mut self, parts: &Parts, body: &Bytes) -> Option<Response<Bytes>> {
        let Part::OAuth2(part) = &self.part else { return None };
        let is_form = parts.method == Method::POST;
        let form =
            Params::parse(if is_form { body } else { parts.uri.query().unwrap_or("").as_bytes() });
        let form = form.ok()?;
        let field = |name| form.one(name).ok().flatten();
        let Some(typed) = field("user_code") else {
            return (!is_form).then(|| page::device_code(&self.scene, false));
        };
        let user_code = typed.trim().to_ascii_uppercase();
        let Some(scopes) = part.devices.pending(&user_code) else {
            return Some(page::device_code(&self.scene, true));
        };
        let chosen = field("allow").filter(|_| is_form).and_then(|user| user.parse().ok());
        let decision = match chosen.or(self.scene.approves_as) {
            _ if is_form && field("deny").is_some() => Decision::Denied,
            Some(user) => Decision::Approved(user),
            None => {
                let (scene, id) = (&self.scene, &part.id);
                return Some(page::device_consent(scene, id, &user_code, &scopes));
            }
        };
        self.decide_device(&user_code, decision);
        Some(page::device_decided(&self.scene))
    }
}

fn redirect(location: &str) -> Option<Response<Bytes>> {
    let location = HeaderValue::from_str(location).ok()?;
    let mut answer = with_status(StatusCode::SEE_OTHER);
    answer.headers_mut().insert(header::LOCATION, location);
    Some(answer)
}

fn with_status(status: StatusCode) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = status;
    answer
}
