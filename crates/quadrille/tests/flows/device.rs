//! A program that logs in with the device flow (RFC 8628). The clock of the runtime is paused.

use std::time::Duration;

use quadrille::{
    Login, Service as _,
    consumer::{Begin, DeviceLogin, MemoryStorage},
    provider::{GrantType, NewClient},
};
use tokio::time::sleep;

use crate::{
    printer::Album2,
    world::{Browser, Page, World},
};

const SECOND: Duration = Duration::from_secs(1);

async fn world() -> (World, Login) {
    let grants = [GrantType::AuthorizationCode, GrantType::DeviceCode, GrantType::RefreshToken];
    let world = World::new(|new: NewClient| new.grant_types(grants)).await;
    let login = world.login(Album2::client(&*world.client.id, &*world.secret));
    (world, login.storage(MemoryStorage::new()))
}

/// The consent page, for a user who follows the link of a device.
async fn follow(browser: &mut Browser, device: &DeviceLogin) -> Page {
    let page = browser.open(device.verification_uri_complete().unwrap()).await;
    let page = browser.sign_in(page, "ada").await;
    assert!(page.text.contains(device.user_code()), "{page:?}");
    browser.send_code(&page).await
}

/// Lets both clocks go on.
async fn wait(world: &World, seconds: u32) {
    for _ in 0..seconds {
        world.clock.advance(SECOND);
        sleep(SECOND).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_program_waits_at_the_right_pace_until_its_user_has_agreed_elsewhere() {
    let (world, login) = world().await;
    let device = login.begin_device(&Begin::new("album")).await.unwrap();
    assert_eq!(device.verification_uri(), "https://album.example/device");
    let mut browser = world.browser(&login);
    let page = follow(&mut browser, &device).await;
    let waiting = tokio::spawn(device.finish());
    wait(&world, 60).await;
    assert!(!waiting.is_finished());
    // The provider never told it to slow down: it polled every five seconds.
    assert!((11..=12).contains(&world.wire.sent().len()), "one request began the login");
    let page = browser.decide(&page, "allow").await;
    assert!(page.text.contains("has access"), "{page:?}");
    wait(&world, 5).await;
    let done = waiting.await.unwrap().unwrap();
    assert_eq!(&*done.account.subject, "ada");
    let album = login.linked::<Album2>(&done.account).await.unwrap();
    let me: serde_json::Value = album.get("me").await.unwrap();
    assert_eq!(me["id"], "ada");
    // The tokens of a device are refreshed like any other.
    world.clock.advance(Duration::from_secs(2 * 3600));
    let me: serde_json::Value = album.get("me").await.unwrap();
    assert_eq!(me["id"], "ada");
}

#[tokio::test(start_paused = true)]
async fn a_program_learns_that_its_user_said_no_or_nothing() {
    let (world, login) = world().await;
    let device = login.begin_device(&Begin::new("album")).await.unwrap();
    let mut browser = world.browser(&login);
    let page = follow(&mut browser, &device).await;
    browser.decide(&page, "deny").await;
    let denied = device.finish().await.unwrap_err();
    assert_eq!(denied.code(), "access_denied");

    let device = login.begin_device(&Begin::new("album")).await.unwrap();
    let waiting = tokio::spawn(device.finish());
    wait(&world, 905).await;
    let expired = waiting.await.unwrap().unwrap_err();
    assert_eq!(expired.code(), "attempt_expired");
}
