//! The demo's website: it prints your photos, which it gets from the provider's API.

mod albums;

use std::{sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    extract::State,
    middleware,
    response::{IntoResponse as _, Redirect, Response},
    routing::{get, post},
};
use http::{HeaderMap, StatusCode, Uri, header};
use quadrille::{
    KeyRing, Linked, Login, Service as _,
    consumer::{MemoryStorage, Protocol as Facts},
    oauth2::ClientAuth,
};

use super::{
    PASSWORD, USER,
    back_channel::BackChannel,
    clock::Clock,
    pages::{self, Choice, Photos},
    provider::Provider,
    record::{self, Recorder, Visitor},
    telling::Book,
    value::Protocol,
};
use albums::{Album, ByOAuth1, ByOAuth2, PHOTOS};

/// The time that passes at the press of a button: longer than the lifetime of an access token.
const AN_HOUR: Duration = Duration::from_secs(3660);

/// The redirect URIs of the website.
pub(super) const CALLBACKS: [&str; 2] =
    ["/login/album/authorized", "/login/album-oauth1/authorized"];

/// The state that handlers share.
#[derive(Clone)]
struct Site {
    url: Arc<str>,
    provider: Arc<str>,
    client: ClientAuth,
    http: BackChannel,
    recorder: Recorder,
    clock: Clock,
    book: Arc<Book>,
}

/// The website at `url`.
pub(super) fn router(
    url: &str,
    provider: &Provider,
    issuer: &str,
    clock: &Clock,
    recorder: &Recorder,
    book: Book,
) -> quadrille::Result<Router> {
    let http = BackChannel::new(recorder.clone())?;
    let oauth2 =
        ByOAuth2::client(&*provider.client_id, provider.client_secret.clone()).with_spec(|spec| {
            spec.authorize = format!("{issuer}/oauth/authorize").into();
            spec.token = format!("{issuer}/oauth/token").into();
            spec.api = format!("{issuer}/api/").into();
            if let Facts::OAuth2(oauth2) = &mut spec.protocol {
                oauth2.issuer = Some(issuer.to_owned().into());
                oauth2.issuer_required = true;
            }
        });
    let oauth1 =
        ByOAuth1::client(&*provider.client_id, provider.signing_secret.clone()).with_spec(|spec| {
            spec.authorize = format!("{issuer}/oauth/authorize").into();
            spec.token = format!("{issuer}/oauth/access_token").into();
            spec.api = format!("{issuer}/api/").into();
            if let Facts::OAuth1(oauth1) = &mut spec.protocol {
                oauth1.temporary = format!("{issuer}/oauth/request_token").into();
            }
        });
    let login = Login::new(KeyRing::ephemeral(), url)
        .with(oauth2)
        .with(oauth1)
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
        book: Arc::new(book),
    };
    let routes = Router::new()
        .route("/", get(home))
        .merge(pages_of::<ByOAuth2>())
        .merge(pages_of::<ByOAuth1>())
        .route("/dance", get(last_dance))
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

/// The pages of one of the dances.
fn pages_of<A: Album>() -> Router<Site> {
    Router::new()
        .route(A::WAYS.prints, get(prints::<A>))
        .route(A::WAYS.later, post(later::<A>))
        .route(A::WAYS.disconnect, post(disconnect::<A>))
        .route(A::WAYS.dance, get(dance_by::<A>))
}

async fn home(State(site): State<Site>, Extension(visitor): Extension<Visitor>) -> Response {
    let dances = [site.choice::<ByOAuth2>(&visitor), site.choice::<ByOAuth1>(&visitor)];
    pages::home(host(&site.provider), USER, PASSWORD, dances)
}

/// A visitor without a linked album is sent to log in, and comes back here.
async fn prints<A: Album>(album: Linked<A>) -> quadrille::Result<Response> {
    let photos: Photos = album.get(PHOTOS).await?;
    Ok(pages::prints(&photos, A::WAYS))
}

async fn later<A: Album>(State(site): State<Site>, headers: HeaderMap) -> Response {
    if let Some(refusal) = site.foreign(&headers) {
        return refusal;
    }
    site.clock.forward(AN_HOUR);
    see_other(A::WAYS.prints)
}

/// Revokes the token, tries it once more, and forgets the account.
async fn disconnect<A: Album>(
    State(site): State<Site>,
    headers: HeaderMap,
    album: Option<Linked<A>>,
) -> quadrille::Result<Response> {
    if let Some(refusal) = site.foreign(&headers) {
        return Ok(refusal);
    }
    if let Some(album) = album {
        A::give_back(&album, &site).await?;
        album.unlink().await?;
    }
    Ok(see_other(A::WAYS.dance))
}

/// The dance that just happened.
async fn last_dance(site: State<Site>, visitor: Extension<Visitor>) -> Response {
    site.show(&visitor, None)
}

async fn dance_by<A: Album>(site: State<Site>, visitor: Extension<Visitor>) -> Response {
    site.show(&visitor, Some(A::PROTOCOL))
}

async fn style(uri: Uri) -> Response {
    pages::style(uri.path())
}

impl Site {
    /// The answer to a form that another site sent in the visitor's name.
    fn foreign(&self, headers: &HeaderMap) -> Option<Response> {
        let origin = headers.get(header::ORIGIN)?;
        (origin.as_bytes() != self.url.as_bytes()).then(|| {
            let text = "Nothing was changed. Open the page here and press the button again.";
            pages::message(StatusCode::FORBIDDEN, "This form is not from here", text)
        })
    }

    fn choice<A: Album>(&self, visitor: &Visitor) -> Choice {
        let dance = self.recorder.latest(&visitor.0, Some(A::PROTOCOL));
        Choice { ways: A::WAYS, danced: dance.messages().next().is_some() }
    }

    /// The page of a dance, with a link to the other one.
    fn show(&self, visitor: &Visitor, protocol: Option<Protocol>) -> Response {
        let dance = self.recorder.latest(&visitor.0, protocol);
        let other = match protocol.unwrap_or_else(|| dance.protocol()) {
            Protocol::OAuth1 => self.choice::<ByOAuth2>(visitor),
            Protocol::OAuth2 => self.choice::<ByOAuth1>(visitor),
        };
        pages::dance(&dance, &self.book, host(&self.url), host(&self.provider), other)
    }
}

fn see_other(path: &str) -> Response {
    Redirect::to(path).into_response()
}

/// The host and port of a URL, for people.
fn host(url: &str) -> &str {
    url.split_once("://").map_or(url, |(_, host)| host)
}
