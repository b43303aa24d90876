//! Guesses at user codes (RFC 8628, section 5.1).

use axum::body::Body;
use http::Request;
use quadrille::{Authentication, RemoteAddress, provider::DeviceStep};

use super::{Codes, begin, decide, poll, refused, type_in, world};
use crate::support::{Browser, World};

const LETTERS: &[u8; 19] = b"BCDFGHJKLMNPRSTVWXZ";

/// The user code with this number.
fn guess(mut number: u64) -> String {
    let letters = [(); 8].map(|()| {
        let letter = LETTERS[usize::try_from(number % 19).unwrap()];
        number /= 19;
        char::from(letter)
    });
    letters.into_iter().collect()
}

/// Sends a guess past the router, which takes most of the time. Returns `true` if it found a
/// request, and what was said otherwise.
async fn send(world: &World, user: &str, address: u32, code: &str) -> Result<bool, String> {
    let request = Request::post("/device")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("user_code={code}").into());
    let mut request = request.unwrap();
    let address = std::net::Ipv4Addr::from(0x0a00_0000 + address);
    request.extensions_mut().insert(RemoteAddress(address.into()));
    let page = world.server.device_verification(request).map_err(|_| "no page".to_owned())?;
    match page.step(Some(Authentication::new(user, world.env.now()))).await {
        DeviceStep::Consent(_) => Ok(true),
        DeviceStep::Code(page) => Err(format!("{:?}", page.refused)),
        _ => Ok(false),
    }
}

const GUESSES: u32 = 20_000;

/// Many guesses; `who` is the user and the address of each. (A million are counted beside the
/// limits themselves.)
async fn many_guesses(who: impl Fn(u32) -> (String, u32)) -> (World, Codes, usize) {
    let world = world().await;
    let codes = begin(&world).await;
    let mut looked_up = 0;
    for number in 0..GUESSES {
        let (user, address) = who(number);
        let found = send(&world, &user, address, &guess(u64::from(number) * 849_178)).await;
        match found {
            Err(reason) if reason.contains("TooMany") => {}
            Err(reason) => {
                assert_eq!(reason, "Some(Unknown)");
                looked_up += 1;
            }
            Ok(found) => assert!(!found, "a guess found the code"),
        }
    }
    (world, codes, looked_up)
}

#[tokio::test]
async fn a_flood_of_guesses_from_one_address_find_nothing_and_lock_out_nobody() {
    let (world, codes, looked_up) = many_guesses(|_| ("eve".to_owned(), 7)).await;
    assert_eq!(looked_up, 10);
    // Another user of the same network has the code.
    assert_eq!(send(&world, "ada", 7, &codes.user).await, Ok(true));
    world.sign_in("ada");
    decide(&world, &codes.user, "decision=all").await;
    poll(&world, &codes.device).await.tokens();
}

#[tokio::test]
async fn a_flood_of_guesses_of_one_user_from_many_addresses_is_ten() {
    let (world, codes, looked_up) = many_guesses(|n| ("eve".to_owned(), n)).await;
    assert_eq!(looked_up, 10);
    assert_eq!(send(&world, "ada", 1, &codes.user).await, Ok(true));
}

#[tokio::test]
async fn a_flood_of_guesses_of_many_users_from_many_addresses_find_nothing() {
    let (world, codes, looked_up) = many_guesses(|n| (format!("eve{}", n % 500), n % 100)).await;
    assert!((500..=5000).contains(&looked_up), "{looked_up}");
    assert_eq!(send(&world, "ada", 1, &codes.user).await, Ok(true));
}

#[tokio::test]
async fn a_user_who_mistypes_has_ten_tries_and_then_one_a_minute() {
    let world = world().await;
    let codes = begin(&world).await;
    world.sign_in("ada");
    let mut browser = Browser::default();
    for n in 0..10 {
        let page = type_in(&world, &mut browser, &guess(n)).await;
        assert_eq!(refused(&page), "Some(Unknown)");
    }
    let page = type_in(&world, &mut browser, &codes.user).await;
    assert_eq!(refused(&page), "Some(TooMany(60s))", "the right one, too");
    assert!(page.text().contains(&format!("code={}\n", codes.user)), "it stays in the form");
    world.clock.advance(std::time::Duration::from_secs(60));
    let page = type_in(&world, &mut browser, &codes.user).await;
    assert!(page.text().contains("device="), "{}", page.text());
}

#[tokio::test]
async fn a_hundred_guesses_at_once_are_a_hundred() {
    let world = std::sync::Arc::new(world().await);
    let guesses = (0..100).map(|n| {
        let world = world.clone();
        tokio::spawn(async move { send(&world, "eve", 7, &guess(n)).await })
    });
    let mut looked_up = 0;
    for answer in guesses.collect::<Vec<_>>() {
        looked_up += usize::from(answer.await.unwrap() == Err("Some(Unknown)".to_owned()));
    }
    assert_eq!(looked_up, 10);
}

#[tokio::test]
async fn nobody_guesses_without_signing_in() {
    let world = world().await;
    let codes = begin(&world).await;
    let request = Request::post("/device")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(format!("user_code={}", codes.user)));
    let answer = world.send(request.unwrap()).await;
    assert!(answer.location().starts_with("/sign-in?next="), "whatever the code is");
}
