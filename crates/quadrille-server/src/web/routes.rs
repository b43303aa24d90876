//! The routes to the pages and endpoints.

use axum::{
    Router,
    body::Body,
    extract::{OriginalUri, State},
    http::{Response, StatusCode},
    middleware::{from_fn_with_state, map_response},
    routing::{get, post},
};

use super::{
    api,
    app::App,
    health::{health, ready},
    languages, me,
    pages::{
        Link, Message, account, applications, authorize, choice, device, end_session, export,
        leaving, new_token, password, profile, sign_in,
    },
};

impl App {
    /// All routes: the endpoints of the authorization server, the pages, `/health`, `/ready`.
    pub fn router(&self) -> Router {
        let at = |path: &str| format!("{}{path}", self.issuer.path());
        let site = self.pages.site();
        let mut router = Router::new()
            .route(self.server.authorize_path(), get(authorize::ask).post(authorize::ask))
            .route(self.server.consent_path(), post(authorize::answer))
            .route(&site.sign_in, get(sign_in::page).post(sign_in::submit))
            .route(&site.continue_as, post(choice::go_on))
            .route(&site.sign_out, post(sign_in::sign_out))
            .route(&site.home, get(account::page))
            .route(&site.withdraw, get(applications::page).post(applications::withdraw))
            .route(&site.end_session, post(account::end_session))
            .route(&site.end_other_sessions, post(account::end_other_sessions))
            .route(&site.password, get(password::page).post(password::change))
            .route(password::WELL_KNOWN, get(password::well_known))
            .route(&site.export, get(export::page).post(export::export))
            .route(&site.revoke_token, post(account::revoke_token))
            .route(&site.make_token, post(new_token::make_token))
            .route(&site.profile, post(profile::edit))
            .route(&site.sign_out_everywhere, post(account::sign_out_everywhere))
            .route(
                &at(api::PATH),
                get(me::me)
                    .post(me::me)
                    .options(me::preflight)
                    .fallback(me::wrong_method)
                    .layer(self.api.clone())
                    .layer(map_response(me::for_any_origin)),
            )
            .route(&at("/assets/{name}"), get(asset))
            .route("/health", get(health))
            .route("/ready", get(ready));
        if let Some(path) = self.server.end_session_path() {
            router = router.route(path, get(end_session::page).post(end_session::page));
        }
        if self.users_delete_their_accounts {
            let page = get(leaving::page).post(leaving::delete);
            router = router.route(&site.delete_account, page);
        }
        if let Some(path) = self.server.device_path() {
            router = router.route(path, get(device::page).post(device::page));
        }
        if !self.issuer.path().is_empty() {
            router = router.route(self.issuer.path(), get(account::page));
        }
        // It is for the routes that are there already.
        router = router.fallback(not_found).method_not_allowed_fallback(wrong_method);
        let router = router.merge(self.api.routes());
        let router = self.server.attach(router.with_state(self.clone()));
        router.layer(from_fn_with_state(self.clone(), languages::choose))
    }
}

/// `GET /assets/...`
async fn asset(State(app): State<App>, OriginalUri(uri): OriginalUri) -> Response<Body> {
    if let Some(asset) = app.pages.asset(uri.path()) {
        return asset;
    }
    let name = uri.path().rsplit('/').next().and_then(|name| name.split('.').next());
    match app.client_logos.named(name.unwrap_or_default()).await {
        Some(logo) => logo.file(),
        None => not_found(State(app)).await,
    }
}

async fn not_found(State(app): State<App>) -> Response<Body> {
    app.pages.message(
        StatusCode::NOT_FOUND,
        &Message {
            title: "not-found-title",
            key: "not-found",
            client: None,
            code: None,
            link: Some(Link::to(&app.pages.site().home, "your-applications")),
            alert: false,
        },
    )
}

async fn wrong_method(State(app): State<App>) -> Response<Body> {
    app.pages.message(
        StatusCode::METHOD_NOT_ALLOWED,
        &Message {
            title: "wrong-method-title",
            key: "wrong-method",
            client: None,
            code: Some("invalid_request"),
            link: Some(Link::to(&app.pages.site().home, "your-applications")),
            alert: true,
        },
    )
}
