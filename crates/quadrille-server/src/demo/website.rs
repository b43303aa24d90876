//! The demo's website: it prints your photos, which it gets through the provider's API.

use std::{sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    extract::State,
    middleware,
    response::{Redirect, Response},
    routing::{get, post},
};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, Uri, header};
use quadrille::{
    KeyRing, Linked, Login, Secret, Service, Spec,
    consumer::{MemoryStorage, Protocol},
    oauth2::{ClientAuth, RevocationRequest},
};

use super::{
    PASSWORD, USER,
    back_channel::BackChannel,
    clock::Clock,
    pages::{self, Album},
    provider::Provider,
    record::{self, Recorder, Visitor},
};

/// How far the clock goes at a press of the button: longer than an access token lives.
const AN_HOUR: Duration = Duration::from_secs(3660);

/// The service that the photos are at. Where it is, is known when the demo has started.
#[derive(Debug)]
pub(super) struct AlbumService;

impl Service for AlbumService {
    const SPEC: Spec = Spec::oauth2("album", "", "", "")
        .title("Album")
        .scopes("photos:read")
        .rotates_refresh_tokens();
}

/// Where the provider answers the website.
pub(super) const CALLBACK: &str = "/login/album/authorized";

/// What handlers share.
#[derive(Clone)]
struct Site {
    url: Arc<str>,
    provider: Arc<str>,
    client: ClientAuth,
    http: BackChannel,
    recorder: Recorder,
    clock: Clock,
}

/// The website at `url`.
pub(super) fn router(
    url: &str,
    provider: &Provider,
    issuer: &str,
    clock: &Clock,
    recorder: &Recorder,
) -> quadrille::Result<Router> {
    let http = BackChannel::new(recorder.clone())?;
    let client = AlbumService::client(&*provider.client_id, provider.client_secret.clone())
        .with_spec(|spec| {
            spec.authorize = format!("{issuer}/oauth/authorize").into();
            spec.token = format!("{issuer}/oauth/token").into();
            spec.api = format!("{issuer}/api/").into();
            if let Protocol::OAuth2(oauth2) = &mut spec.protocol {
                oauth2.issuer = Some(issuer.to_owned().into());
                oauth2.issuer_required = true;
            }
        });
    let login = Login::new(KeyRing::ephemeral(), url)
        .with(client)
        .storage(MemoryStorage::new())
        .http(http.clone())
        .env(clock.env());
    login.check()?;
    let site = Site {
        url: url.into(),
        provider: issuer.into(),
        client: ClientAuth::Basic {
            client_id: (*provider.client_id).into(),
            client_secret: provider.client_secret.clone(),
        },
        http,
        recorder: recorder.clone(),
        clock: clock.clone(),
    };
    let routes = Router::new()
        .route("/", get(home))
        .route("/prints", get(prints))
        .route("/later", post(later))
        .route("/disconnect", post(disconnect))
        .route("/dance", get(dance))
        .route("/site.css", get(style))
        .route("/dance.css", get(style))
        .route("/icon.svg", get(async || pages::icon()))
        .fallback(async || {
            pages::message(StatusCode::NOT_FOUND, "No such page", "There is nothing to print here.")
        })
        .with_state(site);
    let watch = middleware::from_fn_with_state(recorder.clone(), record::website);
    Ok(login.attach(routes).layer(watch))
}

async fn home(State(site): State<Site>, Extension(visitor): Extension<Visitor>) -> Response {
    let danced = site.recorder.latest(&visitor.0, None).messages().next().is_some();
    pages::home(host(&site.provider), USER, PASSWORD, danced)
}

/// Whoever is not linked is sent to log in, and comes back here.
async fn prints(album: Linked<AlbumService>) -> quadrille::Result<Response> {
    let photos: Album = album.get("photos").await?;
    Ok(pages::prints(&photos))
}

async fn later(State(site): State<Site>, headers: HeaderMap) -> Response {
    if let Some(refusal) = site.foreign(&headers) {
        return refusal;
    }
    site.clock.forward(AN_HOUR);
    see_other("/prints")
}

/// Gives the token back (RFC 7009), tries it once more, and forgets the account.
async fn disconnect(
    State(site): State<Site>,
    headers: HeaderMap,
    album: Option<Linked<AlbumService>>,
) -> quadrille::Result<Response> {
    if let Some(refusal) = site.foreign(&headers) {
        return Ok(refusal);
    }
    if let Some(album) = album {
        let token = album.access_token().await?;
        site.revoke(&token).await;
        site.try_once_more(&token).await;
        album.unlink().await?;
    }
    Ok(see_other("/dance"))
}

async fn dance(State(site): State<Site>, Extension(visitor): Extension<Visitor>) -> Response {
    pages::dance(&site.recorder.latest(&visitor.0, None), host(&site.url), host(&site.provider))
}

async fn style(uri: Uri) -> Response {
    pages::style(uri.path())
}

impl Site {
    /// A form that another site sent in the visitor's name.
    fn foreign(&self, headers: &HeaderMap) -> Option<Response> {
        let origin = headers.get(header::ORIGIN)?;
        (origin.as_bytes() != self.url.as_bytes()).then(|| {
            let text = "Nothing was changed. Open the page here and press the button again.";
            pages::message(StatusCode::FORBIDDEN, "This form is not from here", text)
        })
    }

    async fn revoke(&self, token: &Secret) {
        let revocation = RevocationRequest { token: token.expose(), token_type_hint: None };
        match revocation.to_request(&format!("{}/oauth/revoke", self.provider), &self.client) {
            Ok(request) => self.http.send(request).await,
            Err(error) => tracing::error!(%error, "the token was not given back"),
        }
    }

    async fn try_once_more(&self, token: &Secret) {
        let request = Request::builder()
            .method(Method::GET)
            .uri(format!("{}/api/photos", self.provider))
            .header(header::AUTHORIZATION, format!("Bearer {}", token.expose()))
            .body(Bytes::new());
        if let Ok(request) = request {
            self.http.send(request).await;
        }
    }
}

fn see_other(path: &str) -> Response {
    use axum::response::IntoResponse as _;
    Redirect::to(path).into_response()
}

/// `http://localhost:8017` is `localhost:8017` to people.
fn host(url: &str) -> &str {
    url.split_once("://").map_or(url, |(_, host)| host)
}
