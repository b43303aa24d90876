//! The rules for logos of clients.

use std::time::Duration;

use quadrille::Timestamp;

use crate::data::{LogoKey, StoredLogo, logos::MOST};

use super::world::{NOON, Tested};

fn logo(url: &str, picture: &'static [u8], fetched: Timestamp) -> StoredLogo {
    let fingerprint = String::from_utf8_lossy(picture).into();
    StoredLogo { url: url.into(), fingerprint, picture: picture.into(), fetched }
}

pub(in crate::data) async fn a_logo_is_kept_until_it_is_fetched_again_and_no_longer_than_pages_show_it(
    backend: Tested,
) {
    let day = Duration::from_secs(24 * 3600);
    let at = async |url: &str| backend.logo(LogoKey::Url(url)).await.unwrap();
    let named = async |name: &str| backend.logo(LogoKey::Fingerprint(name)).await.unwrap();
    let (a, b) = ("https://a.example/logo", "https://b.example/logo");
    assert_eq!(at(a).await, None);
    backend.put_logo(logo(a, b"one", NOON)).await.unwrap();
    backend.put_logo(logo(b, b"two", NOON)).await.unwrap();
    assert_eq!(at(a).await, Some(logo(a, b"one", NOON)));
    assert_eq!(named("two").await, Some(logo(b, b"two", NOON)));
    assert_eq!(named("three").await, None);

    let next = logo(a, b"three", NOON + day);
    backend.put_logo(next.clone()).await.unwrap();
    assert_eq!((at(a).await, named("one").await), (Some(next), None));
    backend.put_logo(logo(a, b"three", NOON + 31 * day)).await.unwrap();
    assert_eq!(at(b).await, None, "no page has shown it");
    backend.forget_logo(a).await.unwrap();
    assert_eq!(at(a).await, None);

    for nth in 0..=MOST {
        let (url, seconds) = (format!("https://{nth}.example/"), nth.unsigned_abs());
        let later = NOON + Duration::from_secs(seconds);
        backend.put_logo(logo(&url, b"many", later)).await.unwrap();
    }
    assert_eq!(at("https://0.example/").await, None, "the first one gave way");
    assert!(at("https://1.example/").await.is_some());
}
