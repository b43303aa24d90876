//! A gRPC API that accepts the JWT access tokens of an issuer elsewhere:
//! `ISSUER=https://id.example cargo run --package quadrille-example-tonic`.
//!
//! The API is called `https://api.example` there, unless `AUDIENCE` says otherwise.

#![allow(clippy::print_stdout, reason = "an example says where it is")]

mod photos;

use std::{env, error::Error as StdError, sync::Mutex};

use photos::{
    Album, ListRequest, Photo,
    photos_server::{Photos, PhotosServer},
};
use quadrille::{
    guard::{Access, Guard, JwtAccessTokens, Refused},
    scope::ScopeRequirement,
    scopes,
};
use tokio::net::TcpListener;
use tonic::{
    Code, Request, Response, Status,
    metadata::MetadataValue,
    transport::{Server, server::TcpIncoming},
};

scopes! {
    See = "photos:read", "See your photos";
    Change = "photos:write", "Add and change photos";
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    let audience = env::var("AUDIENCE").unwrap_or_else(|_| "https://api.example".to_owned());
    let tokens = JwtAccessTokens::of(&env::var("ISSUER")?)?;
    let guard = Guard::elsewhere(audience.as_str(), tokens).audience(audience);
    let port = env::var("PORT").map_or(Ok(8080), |port| port.parse::<u16>())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("Open http://{}", listener.local_addr()?);
    Server::builder()
        .layer(guard)
        .add_service(PhotosServer::new(Gallery::default()))
        .serve_with_incoming(TcpIncoming::from(listener))
        .await?;
    Ok(())
}

/// The titles of all photos.
#[derive(Default)]
struct Gallery(Mutex<Vec<String>>);

#[tonic::async_trait]
impl Photos for Gallery {
    async fn list(&self, request: Request<ListRequest>) -> Result<Response<Album>, Status> {
        let access = access::<See, _>(&request)?;
        Ok(self.album(&access, None))
    }

    async fn add(&self, request: Request<Photo>) -> Result<Response<Album>, Status> {
        let access = access::<(See, Change), _>(&request)?;
        Ok(self.album(&access, Some(request.into_inner())))
    }
}

impl Gallery {
    fn album<S: ScopeRequirement>(
        &self,
        access: &Access<S>,
        added: Option<Photo>,
    ) -> Response<Album> {
        let mut titles = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        titles.extend(added.map(|photo| photo.title));
        Response::new(Album { of: format!("{:?}", access.actor()), titles: titles.clone() })
    }
}

/// The access of a request, which the guard has checked.
fn access<S: ScopeRequirement, M>(request: &Request<M>) -> Result<Access<S>, Status> {
    Access::of(request.extensions()).map_err(|refused| status(&refused))
}

/// The status of a refused request, with the challenge among its metadata: it tells the client
/// which scopes are missing.
fn status(refused: &Refused) -> Status {
    let code = match refused.status().as_u16() {
        403 => Code::PermissionDenied,
        500 => Code::Internal,
        503 => Code::Unavailable,
        _ => Code::Unauthenticated,
    };
    let mut status = Status::new(code, refused.to_string());
    for challenge in refused.to_response().headers().get_all("www-authenticate") {
        if let Ok(challenge) = MetadataValue::try_from(challenge.as_bytes()) {
            status.metadata_mut().append("www-authenticate", challenge);
        }
    }
    status
}
