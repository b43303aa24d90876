//! A server as in one process: the library's router, and the pages of an application.

use std::time::Duration;

use axum::{
    Extension, Router,
    body::{Body, to_bytes},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use bytes::Bytes;
use http::Request;
use quadrille::{
    Actor, Authentication, KeyRing, Policy,
    guard::{Access, Guard},
    provider::{Authorization, AuthorizationServer, Decision, Reply, Step, store::Store},
    scopes,
};
use tower::ServiceExt as _;

use crate::nature::Nature;

use super::answer::Answer;

pub(crate) const ISSUER: &str = "https://id.example";

/// An API elsewhere that gets its tokens from the server.
pub(crate) const API: &str = "https://api.example";

scopes! {
    pub(super) Read = "read", "Read";
    pub(super) Write = "write", "Write";
    pub(super) Admin = "admin", "Administer";
}

/// The user who is signed in at the application, by the browser of a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct SignedIn(pub(crate) Option<Authentication>);

#[derive(Debug, serde::Deserialize)]
struct ConsentForm {
    #[serde(default)]
    scope: Vec<String>,
    decision: String,
}

/// A user's answer on a consent page.
#[derive(arbitrary::Arbitrary, Clone, Copy, Debug)]
pub(crate) enum Consent {
    All,
    /// Allows these scopes.
    Only(u8),
    No,
}

/// A server and its routes.
#[derive(Clone)]
pub(crate) struct Process {
    pub(crate) server: AuthorizationServer,
    app: Router,
}

impl Process {
    pub(crate) fn start(
        store: impl Store,
        nature: &Nature,
        set: impl FnOnce(AuthorizationServer) -> AuthorizationServer,
    ) -> Self {
        let server = AuthorizationServer::new(ISSUER, store)
            .expect("an issuer")
            .keys(KeyRing::new([&[7; 32]]).expect("a key"))
            .env(nature.env())
            .policy(policy())
            .scope::<Read>()
            .scope::<Write>()
            .scope::<Admin>()
            .resource(API)
            .expect("a URI")
            .verifier_page(|page| {
                let verifier = page.verifier.map(|verifier| format!("verifier={verifier}"));
                http::Response::new(verifier.unwrap_or_default().into())
            });
        let server = set(server);
        let guard = Guard::new(&server).audience(API);
        let app = Router::new()
            .route("/oauth/authorize", get(ask).post(ask))
            .route("/oauth/consent", post(answer))
            .route("/here/any", get(any).post(any))
            .route("/here/read", get(read).post(read))
            .route("/here/write", get(write).post(write))
            .route("/there/any", get(any).layer(guard));
        Self { app: server.attach(app), server }
    }

    pub(crate) async fn send(&self, request: Request<Bytes>) -> Answer {
        let response = self.app.clone().oneshot(request.map(Body::from)).await;
        let (parts, body) = response.expect("an answer").into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("a body");
        Answer::of(http::Response::from_parts(parts, body))
    }
}

/// The safe policy, with shorter lifetimes.
pub(super) fn policy() -> Policy {
    let days = |days: u64| Duration::from_secs(days * 24 * 3600);
    Policy::safe().refresh_token_lifetimes(days(20), days(60))
}

async fn ask(Extension(user): Extension<SignedIn>, request: Authorization) -> Response {
    match request.step(user.0).await {
        Step::SignIn(back) => {
            Redirect::to(&format!("/sign-in?next={}", back.path_and_query())).into_response()
        }
        Step::Consent(page) => {
            let mut text = format!("client={}\nsubject={}\n", page.client.id, page.subject);
            for scope in &page.scopes {
                text += &format!("scope={}\n", scope.name);
            }
            for (name, value) in page.form_fields() {
                text += &format!("field={name}={value}\n");
            }
            text.into_response()
        }
        Step::Done(reply) => reply.into_response(),
    }
}

async fn answer(Extension(user): Extension<SignedIn>, decision: Decision<ConsentForm>) -> Reply {
    let user = user.0.expect("somebody is signed in");
    match decision.form.decision.as_str() {
        "all" => decision.by(user).all().await,
        "only" => decision.by(user).only(&decision.form.scope).await,
        _ => decision.by(user).deny().await,
    }
}

async fn any(access: Access) -> String {
    told(&access)
}

async fn read(access: Access<Read>) -> String {
    told(&access)
}

async fn write(access: Access<Write>) -> String {
    told(&access)
}

/// The facts behind a token: client, user and scopes.
fn told<S: quadrille::scope::ScopeRequirement>(access: &Access<S>) -> String {
    let user = match access.actor() {
        Actor::User(subject) => subject,
        _ => "",
    };
    format!("{}\n{user}\n{}", access.client(), access.scopes().as_str())
}
