//! Codes from before a logout (OpenID Connect Back-Channel Logout, section 2.7).

use std::time::Duration;

use super::{BYE, Stage, asking, stage};
use crate::support::Browser;

/// The code of the signed-in user.
async fn code(stage: &Stage) -> String {
    let (world, mut browser) = (&stage.world, Browser::default());
    let mut answer = world.ask(&mut browser, &asking(world, "openid", &[])).await;
    if answer.status() == 200 {
        answer = browser.answer(world, &answer, "decision=all").await;
    }
    answer.query("code")
}

/// Back-Channel Logout, section 2.7, asks this of clients; a client may be late.
#[tokio::test]
async fn a_code_of_a_session_that_has_ended_brings_no_tokens() {
    let stage = stage(|_| ()).await;
    stage.sign_in("ada", "one");
    let hint = stage.id_token().await;
    let (first, second) = (code(&stage).await, code(&stage).await);
    assert_eq!(stage.world.redeem(&first).await.status(), 200, "the session lives");
    stage.sign_in("ada", "other");
    let other = code(&stage).await;
    stage.sign_in("ada", "one");
    let ended = [("id_token_hint", &*hint), ("post_logout_redirect_uri", BYE)];
    stage.get(&ended).await;
    assert!(!stage.is_signed_in());
    let refused = stage.world.redeem(&second).await;
    assert_eq!(refused.error(), "invalid_grant", "{refused:?}");
    assert_eq!(stage.world.redeem(&other).await.status(), 200, "another browser of the user");
    // The next session of the user, also in the same browser.
    stage.sign_in("ada", "two");
    let next = code(&stage).await;
    assert_eq!(stage.world.redeem(&next).await.status(), 200);
}

#[tokio::test]
async fn a_session_that_the_application_ends_is_told_by_its_time_if_it_has_no_name() {
    let stage = stage(|_| ()).await;
    let world = &stage.world;
    world.sign_in("ada");
    let code = code(&stage).await;
    let ended = world.signed_in.lock().unwrap().clone().unwrap();
    world.server.sign_out(ended).tell_clients().await.unwrap();
    assert_eq!(world.redeem(&code).await.error(), "invalid_grant");
    world.clock.advance(Duration::from_secs(1));
    world.sign_in("ada");
    let next = self::code(&stage).await;
    assert_eq!(world.redeem(&next).await.status(), 200);
}
