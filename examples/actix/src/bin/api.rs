//! An API of actix-web that accepts the JWT access tokens of an issuer elsewhere:
//! `ISSUER=https://id.example cargo run --package quadrille-example-actix --bin api`.
//!
//! The API is called `https://api.example` there, unless `AUDIENCE` says otherwise.

#![allow(clippy::print_stdout, reason = "an example says where it is")]

use std::{env, error::Error as StdError, fmt, marker::PhantomData, net::TcpListener, pin::Pin};

use actix_web::{
    App, FromRequest, HttpRequest, HttpResponse, HttpServer, ResponseError,
    dev::Payload,
    http::StatusCode,
    web::{Data, get, post},
};
use http::Request;
use quadrille::{
    guard::{Access, Guard, JwtAccessTokens, Refused},
    scope::ScopeRequirement,
    scopes,
};

scopes! {
    Photos = "photos:read", "See your photos";
    Upload = "photos:write", "Add and change photos";
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    let audience = env::var("AUDIENCE").unwrap_or_else(|_| "https://api.example".to_owned());
    let tokens = JwtAccessTokens::of(&env::var("ISSUER")?)?;
    let guard = Guard::elsewhere(audience.as_str(), tokens).audience(audience);
    let port = env::var("PORT").map_or(Ok(8080), |port| port.parse::<u16>())?;
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    println!("Open http://{}", listener.local_addr()?);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(Data::new(guard.clone()))
            .route("/photos", get().to(photos))
            .route("/photos", post().to(upload))
    });
    Ok(server.listen(listener)?.run().await?)
}

async fn photos(Allowed(access, _): Allowed<Photos>) -> String {
    format!("the photos of {:?}", access.actor())
}

async fn upload(Allowed(access, _): Allowed<(Photos, Upload)>) -> String {
    format!("a new photo of {:?}", access.actor())
}

/// A request with a valid token that has the scopes of the handler: `Access` as an extractor of
/// actix-web.
struct Allowed<S: ScopeRequirement>(Access<S>, PhantomData<S>);

impl<S: ScopeRequirement> FromRequest for Allowed<S> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let guard = request.app_data::<Data<Guard>>().cloned();
        let head = head(request);
        Box::pin(async move {
            let (parts, ()) = head.ok_or(Problem::Malformed)?.into_parts();
            let guard = guard.ok_or(Problem::NoGuard)?;
            Ok(Self(guard.access(&parts, b"").await?, PhantomData))
        })
    }
}

/// The head of a request, in the types of http 1.
fn head(request: &HttpRequest) -> Option<Request<()>> {
    let mut head =
        Request::builder().method(request.method().as_str()).uri(request.uri().to_string());
    for (name, value) in request.headers() {
        head = head.header(name.as_str(), value.as_bytes());
    }
    head.body(()).ok()
}

#[derive(Debug)]
enum Problem {
    Malformed,
    NoGuard,
    Refused(Refused),
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("the head of the request is malformed"),
            Self::NoGuard => f.write_str("the application has no guard"),
            Self::Refused(refused) => refused.fmt(f),
        }
    }
}

impl ResponseError for Problem {
    fn error_response(&self) -> HttpResponse {
        let refused = match self {
            Self::Malformed => return HttpResponse::BadRequest().finish(),
            Self::NoGuard => return HttpResponse::InternalServerError().finish(),
            Self::Refused(refused) => refused.to_response(),
        };
        let status = StatusCode::from_u16(refused.status().as_u16());
        let mut answer = HttpResponse::build(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
        for (name, value) in refused.headers() {
            answer.append_header((name.as_str(), value.as_bytes()));
        }
        answer.body(refused.into_body())
    }
}
