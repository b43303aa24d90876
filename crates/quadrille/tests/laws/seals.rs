//! A sealed box opens as it was made, where it was meant to, or not at all.

use proptest::{collection::vec, prelude::*, sample::Index};
use quadrille::{Env, KeyRing};

proptest! {
    #[test]
    fn any_text_opens_again_for_its_purpose_and_site_only(
        plain in vec(any::<u8>(), 0..200),
        purpose in "[a-z ]{1,12}",
        site in "\\PC{0,20}",
        other in "\\PC{0,20}",
    ) {
        let ring = KeyRing::new([&[7; 32]]).unwrap();
        let sealed = ring.seal(&Env::system(), &purpose, &site, &plain);
        prop_assert!(sealed.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        prop_assert_eq!(&ring.open(&purpose, &site, &sealed).unwrap()[..], &plain[..]);
        prop_assert_eq!(ring.open(&purpose, &other, &sealed).is_ok(), site == other);
        let longer = format!("{purpose}x");
        prop_assert!(ring.open(&longer, &site, &sealed).is_err());
        // The border between purpose and site cannot be moved.
        let moved = format!("{purpose}{site}");
        prop_assert!(ring.open("", &moved, &sealed).is_err());
    }

    #[test]
    fn any_changed_byte_breaks_it(
        plain in vec(any::<u8>(), 0..200),
        at in any::<Index>(),
        change in 1_u8..,
    ) {
        let ring = KeyRing::new([&[7; 32], &[8; 32]]).unwrap();
        let mut sealed = ring.seal_bytes(&Env::system(), "p", "s", &plain);
        let at = at.index(sealed.len());
        sealed[at] ^= change;
        prop_assert!(ring.open_bytes("p", "s", &sealed).is_err());
        sealed[at] ^= change;
        prop_assert!(ring.open_bytes("p", "s", &sealed).is_ok());
    }

    #[test]
    fn any_changed_character_breaks_its_text(
        plain in vec(any::<u8>(), 0..50),
        at in any::<Index>(),
        change in "[A-Za-z0-9_=. -]",
    ) {
        let ring = KeyRing::new([&[7; 32]]).unwrap();
        let sealed = ring.seal(&Env::system(), "p", "s", &plain);
        let at = at.index(sealed.len());
        let mut changed = sealed.clone();
        changed.replace_range(at..=at, &change);
        prop_assert_eq!(ring.open("p", "s", &changed).is_ok(), changed == sealed);
    }

    #[test]
    fn keys_that_were_added_later_open_what_older_ones_sealed(
        keys in vec(any::<[u8; 32]>(), 1..5),
        at in any::<Index>(),
    ) {
        let whole = KeyRing::new(&keys).unwrap();
        let one = KeyRing::new([at.get(&keys)]).unwrap();
        let sealed = one.seal(&Env::system(), "p", "s", b"x");
        prop_assert!(whole.open("p", "s", &sealed).is_ok());
    }
}
