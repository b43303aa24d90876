//! The same two applications by OpenID Connect.

use http::StatusCode;
use quadrille::{
    SpecBuf,
    provider::{ClientOpenId, NewClient},
};

use crate::world::{ALBUM, PRINTER, World};

const INITIATE: &str = "https://printer.example/login/album/initiate";

async fn world() -> World {
    let mut openid = ClientOpenId::default();
    openid.initiate_login_uri = Some(INITIATE.into());
    World::new(|new: NewClient| new.openid(openid)).await
}

/// The address to which the provider sends a user who is to log in at a client (OpenID Connect Core,
/// section 4).
fn initiation(world: &World, target: &str) -> String {
    let login = world.server.initiate_login(&world.client).unwrap();
    login.login_hint("ada").target_link_uri(target).url().to_string()
}

#[tokio::test]
async fn the_provider_sends_a_user_to_a_client_where_they_log_in() {
    let world = world().await;
    let client = SpecBuf::oidc("album", ALBUM).client(&*world.client.id, &*world.secret);
    let login = world.login(client).accept_initiated_logins();
    let mut browser = world.browser(&login);
    let target = format!("{PRINTER}/account");
    assert_eq!(browser.open(&target).await.text, "nobody");
    let asking = browser.open_from_elsewhere(&initiation(&world, &target)).await;
    assert!(asking.text.contains("Log in with album?"), "{asking:?}");
    let page = browser.confirm(&asking).await;
    let page = browser.sign_in(page, "ada").await;
    let page = browser.decide(&page, "allow").await;
    assert_eq!((&*page.url, &*page.text), (&*target, &*format!("{ALBUM}#ada")));
    let elsewhere = browser.open_from_elsewhere(&initiation(&world, "https://evil.example/")).await;
    assert_eq!(elsewhere.status, StatusCode::BAD_REQUEST);
    assert!(elsewhere.has_code("target_elsewhere"), "{elsewhere:?}");
}
