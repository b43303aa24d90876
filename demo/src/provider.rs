//! The demo's provider: the program's pages and endpoints, an API with an album, one user who owns
//! the album, and one website that may request access.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::Query, middleware, response::Response, routing::get};
use http::{HeaderValue, StatusCode, header};
use quadrille::{
    Env, KeyRing, Scope as _, Scopes, Secret,
    guard::Access,
    provider::{
        NewClient,
        guessing::Kdf,
        oauth1::{NewKey, OAuth1},
    },
    scopes,
};
use quadrille_server::{
    Failure, Issuer,
    data::{Backend, DataError},
    users::{Added, User, UserName},
    web::{App, AppError, Pages, Parts},
};
use serde::{Deserialize, Serialize};

use super::{
    PASSWORD, USER,
    photos::{self, Photo},
    record::{self, Recorder},
};

scopes! {
    /// Reading photos.
    pub(super) Photos = "photos:read", "See the photos in your album";
}

/// The provider, and the facts that the website needs.
pub(super) struct Provider {
    pub(super) app: App,
    pub(super) router: Router,
    pub(super) client_id: Arc<str>,
    pub(super) client_secret: Secret,
    /// The secret that the website signs with in OAuth 1.0a.
    pub(super) signing_secret: Secret,
}

/// The response of the API.
#[derive(Serialize)]
struct Album {
    photos: Vec<Photo>,
}

impl Provider {
    /// Starts a provider at `issuer`, for a website with these redirect URIs.
    pub(super) async fn start(
        env: &Env,
        issuer: &Issuer,
        backend: Arc<dyn Backend>,
        redirect_uris: &[String],
        recorder: &Recorder,
    ) -> Result<Self, Failure> {
        let kdf = Kdf::default();
        let hash = kdf.hash(env, Secret::from(PASSWORD)).await;
        let hash = hash.map_err(|_| broken("the demo's password was not hashed"))?;
        let user = User::new(env, UserName::parse(USER)?, hash);
        let added = backend.add_user(user).await.map_err(AppError::from)?;
        if added != Added::Now {
            return Err(broken("the demo's user is there already"));
        }
        let pages = Pages::load("Album", issuer, None)?;
        let app = App::new(Parts {
            env: env.clone(),
            oauth1: Some(OAuth1::new()),
            scopes: BTreeMap::from([(Photos::NAME.to_owned(), Photos::DESCRIPTION.to_owned())]),
            kdf,
            session_lifetime: Duration::from_secs(24 * 3600),
            ..Parts::new(issuer.clone(), backend, keys(env)?, pages)
        })
        .await?;
        let mut website = NewClient::confidential("Sixpence Prints")
            .id("sixpence-prints")
            .scopes(Scopes::of([Photos::NAME]))
            .oauth1(NewKey::Secret);
        for redirect_uri in redirect_uris {
            website = website.redirect_uri(redirect_uri);
        }
        let registered = app.server().register(website).await?;
        let api = Router::new().route("/api/photos", get(photos)).layer(app.server().layer());
        let watch = middleware::from_fn_with_state(recorder.clone(), record::provider);
        Ok(Self {
            router: app.router().merge(api).layer(watch),
            client_id: registered.client.id.clone(),
            client_secret: registered.secret.ok_or_else(|| broken("no client secret was drawn"))?,
            signing_secret: registered
                .oauth1_secret
                .ok_or_else(|| broken("no secret to sign with was drawn"))?,
            app,
        })
    }
}

/// The demo cannot start.
fn broken(reason: &'static str) -> Failure {
    Failure::System(std::io::Error::other(reason))
}

/// A key ring that lives as long as the store, which is no longer than the demo.
fn keys(env: &Env) -> Result<KeyRing, Failure> {
    KeyRing::new([&env.random()])
        .map_err(|error| DataError::Keys { place: "the demo".to_owned(), error }.into())
}

#[derive(Deserialize)]
struct Wanted {
    limit: Option<usize>,
}

/// `GET /api/photos`, with a token of either protocol: `Access` accepts both.
async fn photos(_: Access<Photos>, Query(wanted): Query<Wanted>) -> Result<Response, StatusCode> {
    let mut album = Album { photos: photos::all() };
    album.photos.truncate(wanted.limit.unwrap_or(usize::MAX));
    let body = serde_json::to_vec(&album).map_err(|error| {
        tracing::error!(%error, "the album cannot be written as JSON");
        StatusCode::INTERNAL_SERVER_ERROR
    })?;
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
