//! The authorization endpoint and the consent page.

use crate::support::{Browser, World};

#[tokio::test]
async fn a_person_signs_in_consents_and_the_client_acts_for_them() {
    let world = World::new().await;
    let mut browser = Browser::default();
    let asked = world.asking();
    let away = world.ask(&mut browser, &asked).await;
    let next = away.query("next");
    assert!(away.location().starts_with("/sign-in?"), "nobody is signed in yet");
    world.sign_in("ada");
    let page = browser.get(&world, &next).await;
    assert!(page.text().contains("scope=photos:read See your photos"), "{page:?}");
    let back = browser.answer(&world, &page, "decision=only&scope=photos:read").await;
    assert!(back.location().starts_with("https://app.example/cb?code="));
    assert_eq!(back.query("state"), "xyz");
    assert_eq!(back.query("iss"), "https://id.example");
    let tokens = world.redeem(&back.query("code")).await.tokens();
    assert_eq!(tokens.scope, "photos:read");
    let photos = world.photos(&tokens.access).await;
    assert_eq!(photos.text(), format!("User(\"ada\") by {}", world.client.id));
    let refreshed = world.refresh(&tokens.refresh.unwrap()).await.tokens();
    assert!(world.is_good(&refreshed.access).await);
    assert_ne!(refreshed.access, tokens.access);
}
