use std::time::Duration;

use quadrille::{
    Owner,
    consumer::{Begin, BrowserError, MemoryStorage},
    transport::Purpose,
};

use super::{Library, World};
use crate::support::SECRET;

#[tokio::test]
async fn a_program_without_a_browser_finishes_with_the_pin_that_its_user_types() {
    let world = World::new();
    let login = world.login().storage(MemoryStorage::new());
    let ada = Owner::user("ada");
    let begun = login.begin_out_of_band(&Begin::new("library").owner(&ada)).await.unwrap();
    assert_eq!(world.service.callback(&begun.url).as_deref(), Some("oob"));
    assert!(!begun.attempt.contains("canary"), "sealed: {}", begun.attempt);
    let pin = world.service.pin(&begun.url, 7).unwrap();

    let finish = async |attempt: &str, pin: &str, owner: &Owner| {
        login.finish_out_of_band(attempt, pin, owner).await
    };
    let bob = finish(&begun.attempt, &pin, &Owner::user("bob")).await;
    assert_eq!(bob.unwrap_err(), BrowserError::UserChanged.into());
    let changed = finish(&begun.attempt.replace('A', "B"), &pin, &ada).await;
    assert!(matches!(changed.unwrap_err().code(), "state_unknown" | "attempt_expired"));
    assert_eq!(world.service.times_asked(Purpose::RedeemCode), 0, "nothing was used up");
    let mistyped = finish(&begun.attempt, "1234", &ada).await;
    assert_eq!(mistyped.unwrap_err().code(), "token_refused");
    let done = finish(&begun.attempt, &format!(" {pin}\n"), &ada).await.unwrap();
    assert_eq!((&done.account.owner, &*done.account.subject), (&ada, "7"));
    let library = login.linked::<Library>(&done.account).await.unwrap();
    let me: serde_json::Value = library.get("me").await.unwrap();
    assert_eq!(me["login"], "user-7");
    // A client that repeats it did not get the answer.
    let times = world.service.times_asked(Purpose::RedeemCode);
    let again = finish(&begun.attempt, &pin, &ada).await.unwrap();
    assert_eq!(
        (&*again.account.subject, times),
        ("7", world.service.times_asked(Purpose::RedeemCode))
    );
    world.wait(Duration::from_secs(11));
    let again = finish(&begun.attempt, &pin, &ada).await;
    assert_eq!(again.unwrap_err().code(), "token_refused", "good once, says the service");
}

#[tokio::test]
async fn a_tool_with_a_single_user_needs_no_owner() {
    let world = World::new();
    let login = world.login().storage(MemoryStorage::new());
    let begun = login.begin_out_of_band(&Begin::new("library")).await.unwrap();
    let pin = world.service.pin(&begun.url, 7).unwrap();
    let done = login.finish_out_of_band(&begun.attempt, &pin, &Owner::NOBODY).await.unwrap();
    assert_eq!(done.account.owner, Owner::NOBODY);
    assert!(login.linked::<Library>(&done.account).await.is_ok());
}

#[tokio::test]
async fn an_attempt_out_of_band_lasts_an_hour_and_is_no_browsers() {
    let world = World::new();
    let login = world.login().storage(MemoryStorage::new());
    let begun = login.begin_out_of_band(&Begin::new("library")).await.unwrap();
    let pin = world.service.pin(&begun.url, 7).unwrap();
    world.wait(Duration::from_secs(3601));
    let late = login.finish_out_of_band(&begun.attempt, &pin, &Owner::NOBODY).await;
    assert_eq!(late.unwrap_err(), BrowserError::AttemptExpired.into());
    let elsewhere = login.clone().at("/other");
    let other = elsewhere.finish_out_of_band(&begun.attempt, &pin, &Owner::NOBODY).await;
    assert_eq!(other.unwrap_err(), BrowserError::StateUnknown.into());
}

#[tokio::test]
async fn what_cannot_be_done_out_of_band_is_said_at_once() {
    let world = World::new();
    let in_cookies = world.login();
    let error = in_cookies.begin_out_of_band(&Begin::new("library")).await.unwrap_err();
    assert_eq!(error.code(), "outside_request");
    let github = quadrille::GitHub::new("our-id", SECRET);
    let login = world.login().with(github).storage(MemoryStorage::new());
    let error = login.begin_out_of_band(&Begin::new("github")).await.unwrap_err();
    assert_eq!(error.code(), "not_out_of_band");
    assert!(world.service.asked().is_empty());
}
