//! The endpoints as routes, and the router of an application around them.

use std::convert::Infallible;

use axum::{
    Router,
    body::Body,
    extract::{OriginalUri, Request},
    response::{IntoResponse, Response},
};
use tower::service_fn;

use crate::provider::{AuthorizationServer, ENDPOINTS, Endpoint, OperatorError, Problem, Reply};

use super::{extract::read, layer::ServerLayer, place::Place};

impl AuthorizationServer {
    /// Adds the server's own endpoints to `app`, and the layer that the extractors
    /// [`Authorization`](crate::provider::Authorization), [`Decision`](crate::provider::Decision)
    /// and [`Access`](crate::guard::Access) need. Call it on the router that has all routes: axum's
    /// layers cover only the routes added before them. Merge the result, do not nest it, unless
    /// [`prefix_is_stripped`](Self::prefix_is_stripped) is set.
    ///
    /// The layer checks tokens for the issuer's own origin, in the `Authorization` header, when a
    /// handler takes an `Access`. For an audience, hooks or other options, add a
    /// [`Guard`](crate::guard::Guard) to the routes of the API: then it alone checks.
    ///
    /// The application brings the pages: a route at [`authorize_path`](Self::authorize_path) for
    /// GET and POST, one at [`consent_path`](Self::consent_path) for POST and, for GET and POST, one
    /// at [`device_path`](Self::device_path) with [`device_grant`](Self::device_grant), and one at
    /// [`end_session_path`](Self::end_session_path) with
    /// [`OpenId::logout`](crate::provider::OpenId::logout). If a request finds one missing, the answer is a page with status 500, and the log says
    /// what to add.
    ///
    /// ```
    /// use axum::response::{Html, IntoResponse, Redirect, Response};
    /// use axum::{Json, Router, routing::{get, post}};
    /// use quadrille::{
    ///     Authentication, Env, guard::Access,
    ///     provider::{
    ///         Authorization, AuthorizationServer, Decision, Reply, Step, store::MemoryStore,
    ///     },
    ///     scopes,
    /// };
    ///
    /// scopes! { Photos = "photos:read", "See your photos"; }
    ///
    /// async fn ask(request: Authorization) -> Response {
    ///     let user: Option<Authentication> = None; // from the application's session
    ///     match request.step(user).await {
    ///         Step::SignIn(back) => {
    ///             Redirect::to(&format!("/sign-in?next={back}")).into_response()
    ///         }
    ///         Step::Consent(page) => Html(format!("{} asks", page.client.name)).into_response(),
    ///         Step::Done(reply) => reply.into_response(),
    ///     }
    /// }
    ///
    /// async fn answer(decision: Decision<()>) -> Reply {
    ///     # let user = Authentication::new("ada", Env::system().now());
    ///     decision.by(user).all().await
    /// }
    ///
    /// async fn photos(access: Access<Photos>) -> Json<Vec<String>> {
    ///     Json(vec![format!("a photo of {:?}", access.actor())])
    /// }
    ///
    /// let store = MemoryStore::new(Env::system());
    /// let server = AuthorizationServer::new("https://id.example", store)?
    ///     .scope::<Photos>();
    /// let app: Router = server.attach(
    ///     Router::new()
    ///         .route("/oauth/authorize", get(ask).post(ask))
    ///         .route("/oauth/consent", post(answer))
    ///         .route("/api/photos", get(photos)),
    /// );
    /// # Ok::<(), quadrille::provider::IssuerError>(())
    /// ```
    pub fn attach<S: Clone + Send + Sync + 'static>(&self, app: Router<S>) -> Router<S> {
        // Of two routers without a fallback, `merge` keeps that of the second, which has the layer.
        self.routes().merge(app.layer(self.layer()))
    }

    /// The endpoints that clients call, at their paths from the root of the origin: token,
    /// revocation, introspection, metadata and, if offered, device authorization and the two of
    /// OAuth 1.0a.
    pub fn routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let inner = self.inner();
        let offered = ENDPOINTS.iter().filter(|endpoint| (endpoint.route.is_offered)(inner));
        let paths = offered.flat_map(|endpoint| {
            inner.paths.all_of(endpoint.route.path).map(move |path| (*endpoint, path))
        });
        paths.fold(Router::new(), |router, (endpoint, path)| {
            let server = self.clone();
            let service = service_fn(move |request| respond(server.clone(), endpoint, request));
            // If the prefix is stripped from one of two forms, the other may still arrive whole.
            router.route_service(inner.as_it_arrives(&path), service)
        })
    }

    /// The layer that the extractors need. It lends them the server, which checks tokens for the
    /// issuer's own origin unless a [`Guard`](crate::guard::Guard) has checked them, and sets the
    /// headers of consent pages.
    pub fn layer(&self) -> ServerLayer {
        ServerLayer::new(self)
    }
}

/// The response of an endpoint.
fn respond(
    server: AuthorizationServer,
    endpoint: &'static Endpoint,
    request: Request,
) -> impl Future<Output = Result<Response, Infallible>> + Send {
    let reading = as_sent(&server, request).map(|it| read(it, endpoint.route.body_limit));
    async move {
        match reading {
            Ok(reading) => {
                let request = reading.await;
                Ok(endpoint.answer(&server, request).await.map(Body::from))
            }
            Err(nested) => Ok(nested.into_response()),
        }
    }
}

/// The request with the path that clients use.
fn as_sent(server: &AuthorizationServer, mut request: Request) -> Result<Request, Reply> {
    match Place::of(server, &request) {
        Place::Wrong => return Err(Problem::show(&OperatorError::Nested.into()).into()),
        Place::Stripped(public) => *request.uri_mut() = public,
        Place::Right => {
            // Only of a nested router the two differ.
            let sent = request.extensions().get().map(|OriginalUri(sent)| sent);
            if let Some(public) = sent.filter(|sent| *sent != request.uri()).cloned() {
                *request.uri_mut() = public;
            }
        }
    }
    Ok(request)
}
