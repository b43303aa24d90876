//! The API, run as a user runs it, with tokens of an issuer that the test starts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

#[path = "../../shared/issuer.rs"]
mod issuer;
#[path = "../src/photos.rs"]
mod photos;

use issuer::{API, Issuer, MAIL};
use photos::{Album, ListRequest, Photo, photos_client::PhotosClient};
use tonic::{Code, Request, transport::Endpoint};

/// A request with this token.
fn with<M>(message: M, token: &str) -> Request<M> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

#[tokio::test]
async fn tokens_of_the_issuer_for_this_api_are_let_in_and_no_others() {
    let issuer = Issuer::start().await;
    let (_child, url) = issuer.api(env!("CARGO_BIN_EXE_quadrille-example-tonic")).await;
    let channel = Endpoint::from_shared(url).unwrap().connect().await.unwrap();
    let mut photos = PhotosClient::new(channel);
    let read = issuer.token("photos:read", API).await;
    let of = format!("Client({:?})", issuer.client_id);
    let album = photos.list(with(ListRequest {}, &read)).await.unwrap().into_inner();
    assert_eq!(album, Album { of: of.clone(), titles: Vec::new() });

    let dawn = Photo { title: "Dawn".to_owned() };
    let refused = photos.add(with(dawn.clone(), &read)).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied, "{refused}");
    let challenge = refused.metadata().get("www-authenticate").unwrap().to_str().unwrap();
    assert!(challenge.contains(r#"error="insufficient_scope""#), "{challenge}");
    assert!(challenge.contains(r#"scope="photos:read photos:write""#), "{challenge}");
    let both = issuer.token("photos:read photos:write", API).await;
    let album = photos.add(with(dawn, &both)).await.unwrap().into_inner();
    assert_eq!(album, Album { of, titles: vec!["Dawn".to_owned()] });

    let elsewhere = issuer.token("photos:read", MAIL).await;
    for other in [&*elsewhere, "nonsense", "two words", &read.replacen("eyJ", "eyK", 1)] {
        let refused = photos.list(with(ListRequest {}, other)).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated, "{other}: {refused}");
    }
    let refused = photos.list(ListRequest {}).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    let challenge = refused.metadata().get("www-authenticate").unwrap().to_str().unwrap();
    assert!(challenge.starts_with(r#"Bearer realm="https://api.example""#), "{challenge}");
}
