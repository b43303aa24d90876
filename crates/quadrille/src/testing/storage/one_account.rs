//! One account of one owner at one service.

use crate::{
    Owner,
    consumer::{Account, Change, Replaced, Token, TokenStorage},
};

use super::world::{EXACT, World, account, current, find, token};

/// Every part of it, by its subject and without, whatever is left out of the token.
pub async fn what_was_linked_comes_back_as_it_was<S: TokenStorage>(storage: &S) {
    let world = World::new();
    let bare = Token { obtained: world.clock.now(), ..Token::new("bare") };
    for (subject, token) in [("7", token(&world, "one")), ("7", bare), ("", token(&world, "two"))] {
        let account = account("alice", "github", subject);
        storage
            .unlink(&world.visit(), &Account { subject: "7".into(), ..account.clone() })
            .await
            .unwrap();
        storage.link(&world.visit(), &account, &token).await.unwrap();
        let found = find(storage, &world, &account).await.unwrap();
        assert_eq!((&found.account, &found.token), (&account, &token));
        assert!(!found.needs_linking_again);
        assert_eq!(current(storage, &world, &account).await.as_deref(), Some(subject));
        assert_eq!(find(storage, &world, &account).await, Some(found), "looking changes nothing");
    }
}

/// Nobody else's, and at its own service, as its own subject.
pub async fn an_account_is_its_owners_own<S: TokenStorage>(storage: &S) {
    let world = World::new();
    let [exact, others @ ..] = EXACT;
    let kept = account(exact, exact.trim(), exact);
    storage.link(&world.visit(), &kept, &token(&world, "one")).await.unwrap();
    for other in others {
        let owner = account(other, "abc", exact);
        assert_eq!(find(storage, &world, &owner).await, None, "{other:?}");
        assert_eq!(current(storage, &world, &owner).await, None, "{other:?}");
        assert_eq!(find(storage, &world, &account(exact, "abc", other)).await, None, "{other:?}");
    }
    for other in ["ABC", "abcd", "ab", "abc~abc"] {
        assert_eq!(find(storage, &world, &account(exact, other, exact)).await, None, "{other:?}");
    }
    let nobodys = Account { owner: Owner::NOBODY, ..kept.clone() };
    assert_eq!(find(storage, &world, &nobodys).await, None);
    assert!(find(storage, &world, &kept).await.is_some());
}

/// Its version is another, and it no longer needs linking again.
pub async fn linking_again_takes_the_place_of_what_was_there<S: TokenStorage>(storage: &S) {
    let world = World::new();
    let account = account("alice", "github", "7");
    storage.link(&world.visit(), &account, &token(&world, "one")).await.unwrap();
    let first = find(storage, &world, &account).await.unwrap();
    let ended = storage.replace(&world.visit(), &first, Change::NeedsLinkingAgain).await.unwrap();
    assert!(matches!(ended, Replaced::Done(_)), "{ended:?}");
    storage.link(&world.visit(), &account, &token(&world, "two")).await.unwrap();
    let second = find(storage, &world, &account).await.unwrap();
    assert_eq!(second.token, token(&world, "two"));
    assert!(!second.needs_linking_again);
    assert_ne!(second.version, first.version);
}

/// Otherwise nothing is changed, and what there is now is told.
pub async fn only_what_was_seen_is_replaced<S: TokenStorage>(storage: &S) {
    let world = World::new();
    let account = account("alice", "github", "7");
    storage.link(&world.visit(), &account, &token(&world, "one")).await.unwrap();
    let first = find(storage, &world, &account).await.unwrap();
    let two = token(&world, "two");
    let done = storage.replace(&world.visit(), &first, Change::Token(&two)).await.unwrap();
    let second = find(storage, &world, &account).await.unwrap();
    assert_eq!(done, Replaced::Done(second.clone()));
    assert_eq!((&second.account, &second.token), (&account, &two));
    assert_ne!(second.version, first.version);

    let three = token(&world, "three");
    for change in [Change::Token(&three), Change::NeedsLinkingAgain] {
        let late = storage.replace(&world.visit(), &first, change).await.unwrap();
        assert_eq!(late, Replaced::Changed(Some(second.clone())));
        assert_eq!(find(storage, &world, &account).await, Some(second.clone()));
    }

    storage.unlink(&world.visit(), &account).await.unwrap();
    let late = storage.replace(&world.visit(), &second, Change::Token(&three)).await.unwrap();
    assert_eq!(late, Replaced::Changed(None));
    assert_eq!(find(storage, &world, &account).await, None, "what was unlinked stays so");
}

/// With its token, to say so.
pub async fn an_account_that_needs_linking_again_is_kept<S: TokenStorage>(storage: &S) {
    let world = World::new();
    let account = account("alice", "github", "7");
    storage.link(&world.visit(), &account, &token(&world, "one")).await.unwrap();
    let first = find(storage, &world, &account).await.unwrap();
    let done = storage.replace(&world.visit(), &first, Change::NeedsLinkingAgain).await.unwrap();
    let ended = find(storage, &world, &account).await.unwrap();
    assert_eq!(done, Replaced::Done(ended.clone()));
    assert!(ended.needs_linking_again);
    assert_eq!(ended.token, first.token);
    assert_ne!(ended.version, first.version);
    let again = storage.replace(&world.visit(), &first, Change::NeedsLinkingAgain).await.unwrap();
    assert_eq!(again, Replaced::Changed(Some(ended)));
}

/// And says whether there was one.
pub async fn an_account_is_unlinked_once<S: TokenStorage>(storage: &S) {
    let world = World::new();
    let account = account("alice", "github", "7");
    assert!(!storage.unlink(&world.visit(), &account).await.unwrap());
    storage.link(&world.visit(), &account, &token(&world, "one")).await.unwrap();
    assert!(storage.unlink(&world.visit(), &account).await.unwrap());
    assert_eq!(find(storage, &world, &account).await, None);
    assert_eq!(current(storage, &world, &account).await, None);
    assert!(!storage.unlink(&world.visit(), &account).await.unwrap());
}
