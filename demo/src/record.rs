//! The record of the messages of the demo's two servers, per visitor and masked.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header, request};
use http_body_util::{BodyExt as _, Limited};
use quadrille::{Env, Secret};
use url::form_urlencoded;

use super::{
    dance::Dance,
    message::{Exchange, Party},
    thread,
    value::Protocol,
};

/// The greatest number of visitors in the record.
const MOST_VISITORS: usize = 64;
/// The size limit of a recorded body. No message of a dance is larger.
const MOST_BODY: usize = 256 * 1024;
/// The least length of a value that identifies a dance. A shorter one might be guessed, or
/// coincide.
const LEAST_TELLING: usize = 20;

/// The cookie that identifies a visitor at the website.
pub(super) const VISITOR: &str = "prints-visitor";
/// The cookie that identifies a visitor at the provider, for the record only. It is not part of the
/// dance.
const WATCHED: &str = "quadrille-demo-watched";

/// The record of all visitors. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Recorder {
    env: Env,
    dances: Arc<Mutex<Dances>>,
    /// The client identifier and the secret that the website signs with.
    signer: Arc<OnceLock<(Arc<str>, Secret)>>,
}

tokio::task_local! {
    /// The visitor who waits while the website talks to the provider.
    static WAITING: Arc<str>;
}

/// The dances of the visitors, that of the latest request last.
type Dances = VecDeque<(Arc<str>, Dance)>;

/// A recorded request.
pub(super) struct Noted {
    visitor: Arc<str>,
    exchange: Exchange,
}

impl Recorder {
    pub(super) fn new(env: Env) -> Self {
        Self { env, dances: Arc::default(), signer: Arc::default() }
    }

    /// Registers the secret that the website signs with: no message contains it.
    pub(super) fn introduce(&self, client_id: &Arc<str>, client_secret: &Secret) {
        self.signer.get_or_init(|| (client_id.clone(), client_secret.clone()));
    }

    /// The visitor's last dance, or the last one of this protocol.
    pub(super) fn latest(&self, visitor: &str, protocol: Option<Protocol>) -> Dance {
        let dances = self.lock();
        let found = dances.iter().find(|(known, _)| &**known == visitor);
        found.map_or_else(|| self.blank(), |(_, dance)| thread::latest(dance, protocol))
    }

    fn blank(&self) -> Dance {
        let mut dance = Dance::new(&self.env);
        if let Some((client_id, client_secret)) = self.signer.get() {
            dance.introduce(client_id, client_secret.expose());
        }
        dance
    }

    /// Records a request from the website to the provider. It belongs to the visitor who waits. If
    /// nobody waits, its values tell the visitor.
    pub(super) fn back_channel(&self, request: &request::Parts, body: &[u8]) -> Option<Noted> {
        let waiting = WAITING.try_with(Arc::clone).ok();
        let visitor = waiting.or_else(|| self.recognise(request, body))?;
        Some(self.note((Party::Website, Party::Provider), visitor, request, body))
    }

    /// Records the response to the request.
    pub(super) fn answered(&self, noted: &Noted, response: &http::response::Parts, body: &[u8]) {
        let now = self.env.now();
        if let Some((_, dance)) = self.lock().iter_mut().find(|(known, _)| *known == noted.visitor)
        {
            dance.response(now, noted.exchange, response, body);
        }
    }

    fn note(
        &self,
        way: (Party, Party),
        visitor: Arc<str>,
        request: &request::Parts,
        body: &[u8],
    ) -> Noted {
        let now = self.env.now();
        let mut dances = self.lock();
        let known = dances.iter().position(|(known, _)| *known == visitor);
        let known = known.and_then(|at| dances.remove(at));
        let mut dance = known.map_or_else(|| self.blank(), |(_, dance)| dance);
        let exchange = dance.request(now, way, request, body);
        if dances.len() == MOST_VISITORS {
            dances.pop_front();
        }
        dances.push_back((visitor.clone(), dance));
        Noted { visitor, exchange }
    }

    /// The visitor whose `state`, code or token is in the request.
    fn recognise(&self, request: &request::Parts, body: &[u8]) -> Option<Arc<str>> {
        let query = request.uri.query().unwrap_or_default().as_bytes();
        let credentials = request.headers.get(header::AUTHORIZATION);
        let credentials = credentials.and_then(|value| value.to_str().ok()?.split_once(' '));
        let credentials = credentials.map_or("", |(_, credentials)| credentials);
        let token = |part: &str| {
            part.trim().strip_prefix("oauth_token=\"")?.strip_suffix('"').map(str::to_owned)
        };
        let telling: Vec<String> = form_urlencoded::parse(query)
            .chain(form_urlencoded::parse(body))
            .map(|(_, value)| value.into_owned())
            .chain([credentials.to_owned()])
            .chain(credentials.split(',').filter_map(token))
            .filter(|value| value.len() >= LEAST_TELLING)
            .collect();
        let dances = self.lock();
        let known = |(_, dance): &&(_, Dance)| telling.iter().any(|value| dance.knows(value));
        dances.iter().find(known).map(|(visitor, _)| visitor.clone())
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Arc<str>, Dance)>> {
        self.dances.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The layer of the website: gives each visitor a cookie, and records the messages.
pub(super) async fn website(
    State(recorder): State<Recorder>,
    mut request: Request,
    next: Next,
) -> Response {
    let known = cookie(request.headers(), VISITOR);
    let visitor = known
        .clone()
        .unwrap_or_else(|| BASE64_URL_SAFE_NO_PAD.encode(recorder.env.random::<18>()).into());
    request.extensions_mut().insert(Visitor(visitor.clone()));
    let way = (Party::Browser, Party::Website);
    let observed = observe(&recorder, way, Some(visitor.clone()), request, next);
    let mut response = WAITING.scope(visitor.clone(), observed).await;
    if known.is_none() {
        set_cookie(response.headers_mut(), VISITOR, &visitor);
    }
    response
}

/// The layer of the provider: records the messages of a dance that the website began.
pub(super) async fn provider(
    State(recorder): State<Recorder>,
    request: Request,
    next: Next,
) -> Response {
    if request.headers().get(header::AUTHORIZATION).is_some() || is_for_programs(&request) {
        // The website has recorded this request already.
        return next.run(request).await;
    }
    let known = cookie(request.headers(), WATCHED);
    let (parts, body) = request.into_parts();
    let visitor = recorder.recognise(&parts, &[]).or_else(|| known.clone());
    let request = Request::from_parts(parts, body);
    let way = (Party::Browser, Party::Provider);
    let mut response = observe(&recorder, way, visitor.clone(), request, next).await;
    if let Some(visitor) = visitor.filter(|visitor| known.as_ref() != Some(visitor)) {
        set_cookie(response.headers_mut(), WATCHED, &visitor);
    }
    response
}

/// The visitor of the website.
#[derive(Clone, Debug)]
pub(super) struct Visitor(pub(super) Arc<str>);

async fn observe(
    recorder: &Recorder,
    way: (Party, Party),
    visitor: Option<Arc<str>>,
    request: Request,
    next: Next,
) -> Response {
    let Some(visitor) = visitor.filter(|_| is_of_interest(request.uri().path())) else {
        return next.run(request).await;
    };
    let (mut parts, body) = request.into_parts();
    let Some(bytes) = collect(body).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let watched = without_watched(&mut parts.headers);
    let noted = recorder.note(way, visitor, &parts, &bytes);
    if let Some(original) = watched {
        parts.headers = original;
    }
    let response = next.run(Request::from_parts(parts, Body::from(bytes))).await;
    let (parts, body) = response.into_parts();
    let Some(bytes) = collect(body).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    recorder.answered(&noted, &parts, &bytes);
    Response::from_parts(parts, Body::from(bytes))
}

async fn collect(body: Body) -> Option<Bytes> {
    Some(Limited::new(body, MOST_BODY).collect().await.ok()?.to_bytes())
}

/// Pages about the dance, with their styles and images, are not part of it.
fn is_of_interest(path: &str) -> bool {
    !(path == "/"
        || path.starts_with("/dance")
        || path.starts_with("/assets/")
        || path == "/favicon.ico"
        || path.ends_with(".svg")
        || path.ends_with(".css"))
}

fn is_for_programs(request: &Request) -> bool {
    const ENDPOINTS: [&str; 4] =
        ["/oauth/token", "/oauth/revoke", "/oauth/request_token", "/oauth/access_token"];
    ENDPOINTS.contains(&request.uri().path())
        || request.uri().path().starts_with("/api/")
        || request.uri().path().starts_with("/.well-known/")
}

/// Removes the recorder's own cookie from the headers. Returns the headers as they were.
fn without_watched(headers: &mut HeaderMap) -> Option<HeaderMap> {
    cookie(headers, WATCHED)?;
    let original = headers.clone();
    let kept: Vec<String> = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .map(str::trim)
        .filter(|pair| !pair.starts_with(WATCHED))
        .map(str::to_owned)
        .collect();
    headers.remove(header::COOKIE);
    if let Ok(value) = HeaderValue::try_from(kept.join("; "))
        && !value.is_empty()
    {
        headers.insert(header::COOKIE, value);
    }
    Some(original)
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<Arc<str>> {
    let pairs = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs
        .filter(|(known, value)| *known == name && (8..=64).contains(&value.len()))
        .map(|(_, value)| value.into())
        .next()
}

fn set_cookie(headers: &mut HeaderMap, name: &str, value: &str) {
    let line = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax");
    if let Ok(line) = HeaderValue::try_from(line) {
        headers.append(header::SET_COOKIE, line);
    }
}
