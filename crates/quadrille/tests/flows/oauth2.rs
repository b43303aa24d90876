//! The same two applications by OAuth 2.

use std::time::Duration;

use http::StatusCode;
use quadrille::{Service as _, provider::NewClient, transport::Purpose};

use crate::{
    printer::Album2,
    world::{ALBUM, PRINTER, World},
};

async fn world() -> World {
    World::new(|new: NewClient| new).await
}

#[tokio::test]
async fn a_login_and_a_call() {
    let world = world().await;
    let login = world.login(Album2::client(&*world.client.id, &*world.secret));
    let mut browser = world.browser(&login);
    let asked = browser.ask("/me2", "ada").await;
    assert!(asked.url.starts_with(&format!("{ALBUM}/oauth/authorize?")), "{asked:?}");
    let page = browser.decide(&asked, "allow").await;
    assert_eq!((page.url, &*page.text), (format!("{PRINTER}/me2"), "You are ada"));
    let purposes: Vec<_> = world.wire.sent().iter().map(|(purpose, _)| *purpose).collect();
    assert_eq!(purposes, [Purpose::RedeemCode, Purpose::Identity, Purpose::Api]);
}

#[tokio::test]
async fn a_token_that_ends_is_refreshed_and_one_that_is_revoked_is_not() {
    let world = world().await;
    let login = world.login(Album2::client(&*world.client.id, &*world.secret));
    let mut browser = world.browser(&login);
    assert_eq!(browser.log_in("/me2", "ada").await.text, "You are ada");
    world.wire.sent();
    world.clock.advance(Duration::from_secs(2 * 3600));
    assert_eq!(browser.open(&format!("{PRINTER}/me2")).await.text, "You are ada");
    let purposes: Vec<_> = world.wire.sent().iter().map(|(purpose, _)| *purpose).collect();
    assert_eq!(purposes, [Purpose::Refresh, Purpose::Api]);
    world.clock.advance(Duration::from_secs(120));
    world.server.revoke_consent("ada", &world.client.id).await.unwrap();
    world.clock.advance(Duration::from_secs(1));
    let page = browser.log_in("/me2", "ada").await;
    assert_eq!(page.text, "You are ada", "she was asked again: {page:?}");
}

#[tokio::test]
async fn who_says_no_is_told_so() {
    let world = world().await;
    let login = world.login(Album2::client(&*world.client.id, &*world.secret));
    let mut browser = world.browser(&login);
    let asked = browser.ask("/me2", "ada").await;
    let page = browser.decide(&asked, "deny").await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(page.has_code("access_denied"), "{}", page.text);
}
