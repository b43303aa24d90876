//! Applications that users log in to with the provider.

use axum::{
    Router,
    extract::{FromRequestParts, Path},
    http::{StatusCode, header, request::Parts},
    response::{Html, IntoResponse, Redirect},
    routing::get,
};
use quadrille::{Hooks, KeyRing, Linked, Login, Service, Spec, consumer::MemoryStorage};

use super::{Provider, Site};

/// The provider as a service. Its URLs are set when it has started.
struct Quadrille;

impl Service for Quadrille {
    const SPEC: Spec = Spec::oauth2("quadrille", "oauth/authorize", "oauth/token", "api")
        .title("Quadrille")
        .scopes("photos:read")
        .identity("me", "sub")
        .build();
}

/// An application that keeps accounts in cookies and has no users.
pub(crate) async fn without_users(provider: &Provider) -> Site {
    Site::start(async |port| login(port, provider).attach(pages())).await
}

/// An application with users: `/as/44` signs in user 44.
pub(crate) async fn with_users(provider: &Provider) -> Site {
    let sign_in = async |Path(user): Path<u64>| {
        let cookie = format!("user={user}; Path=/; HttpOnly; SameSite=Lax");
        ([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response()
    };
    Site::start(async |port| {
        let login = login(port, provider)
            .hooks(Hooks::new(()).owner(|user: &User| user.0))
            .storage(MemoryStorage::new());
        login.attach(pages().route("/as/{user}", get(sign_in)))
    })
    .await
}

fn login(port: u16, provider: &Provider) -> Login {
    let url = format!("http://localhost:{port}");
    let client = provider.add("Album", &format!("{url}/login/quadrille/authorized"), &[]);
    let client = Quadrille::client(&*client.id, client.secret.unwrap()).hosted_at(provider.url(""));
    let login = Login::new(KeyRing::ephemeral(), url).with(client);
    login.check().unwrap();
    login
}

fn pages() -> Router {
    Router::new().route("/", get(home)).route("/album", get(album)).route("/quiet", get(quiet))
}

async fn home(user: Option<User>, account: Option<Linked<Quadrille>>) -> Html<String> {
    let user = user.map_or(0, |user| user.0);
    let state = if account.is_some() { "linked" } else { "not linked" };
    page(&format!("<h1>{user} is {state}</h1><a href=/login/quadrille>Link</a>"))
}

async fn album(_: Linked<Quadrille>) -> Html<String> {
    page("<h1>The album</h1>")
}

/// A page without a referrer, whose forms may only lead to its own site.
async fn quiet() -> impl IntoResponse {
    let form = "<form method=post action=/login/quadrille><button>Link by form</button></form>";
    let strict = [
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "form-action 'self'"),
    ];
    (strict, page(form))
}

fn page(body: &str) -> Html<String> {
    Html(format!("<!doctype html><title>Album</title>{body}"))
}

/// The user whom the cookie names.
struct User(u64);

impl<S: Sync> FromRequestParts<S> for User {
    type Rejection = StatusCode;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        let user = quadrille::cookie::one(&parts.headers, "user");
        user.and_then(|user| user.parse().ok()).map(Self).ok_or(StatusCode::UNAUTHORIZED)
    }
}

impl<S: Sync> axum::extract::OptionalFromRequestParts<S> for User {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(
        parts: &mut Parts,
        state: &S,
    ) -> Result<Option<Self>, Self::Rejection> {
        Ok(<Self as FromRequestParts<S>>::from_request_parts(parts, state).await.ok())
    }
}
