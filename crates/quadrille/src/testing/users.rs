//! The contract of a [`UserStorage`], as tests.
//!
//! ```
//! # mod tests {
//! use quadrille::{consumer::users::MemoryUsers, testing::users_contract};
//!
//! // Makes an empty storage, and what must live as long as it (a folder, a container).
//! users_contract!(memory, || (MemoryUsers::new(), ()));
//! # }
//! ```
//!
//! A failing test names the verb, the broken rule, the value found and the value required. The
//! verbs of [`UserStorage`] document the rules. Each behaviour is also a public function.

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "these are tests, in the library so that others can run them"
)]

use crate::consumer::users::{
    Created, ExternalId, LastWay, LinkedTo, Unlinked, UserId, UserStorage,
};

use super::{
    rules::{holds, same, worked},
    storage::at_once,
};

/// Makes a module that tests a storage of users against the [contract](self). Takes a name for the
/// module, and a function to an empty storage and values that must live as long as the storage.
#[macro_export]
macro_rules! users_contract {
    ($module:ident, $make:expr) => {
        mod $module {
            #[allow(unused_imports, reason = "what is needed depends on the storage")]
            use super::*;
            $crate::users_contract! { @tests $make,
                an_account_belongs_to_the_first_user
                accounts_are_told_apart_byte_by_byte
                an_account_is_linked_once_and_never_moved
                a_user_without_accounts_is_added_once_and_links_one
                the_last_account_stays_unless_asked_for
                only_the_own_accounts_are_unlinked
                a_removed_user_leaves_nothing
                a_verified_address_finds_its_users
                one_of_many_creates_the_user
                one_of_many_links_the_account
                many_that_unlink_leave_one
                what_is_linked_during_a_removal_is_removed
            }
        }
    };
    (@tests $make:expr, $($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                let (storage, _alive) = ($make)();
                $crate::testing::storage::run($crate::testing::users::$name(&storage));
            }
        )*
    };
}

const ADA: UserId = UserId::from_number(1);
const BOB: UserId = UserId::from_number(1 << 53);

fn id(service: &str, subject: &str) -> ExternalId {
    ExternalId::new(service, subject).unwrap()
}

async fn create<S: UserStorage>(users: &S, user: UserId, id: &ExternalId) -> Created {
    worked("create", users.create(user, id, None).await)
}

async fn link<S: UserStorage>(users: &S, user: UserId, id: &ExternalId) -> LinkedTo {
    worked("link", users.link(user, id, None).await)
}

async fn unlink<S: UserStorage>(users: &S, user: UserId, id: &ExternalId) -> Unlinked {
    worked("unlink", users.unlink(user, id, LastWay::Keep).await)
}

async fn user_of<S: UserStorage>(users: &S, id: &ExternalId) -> Option<UserId> {
    worked("user_of", users.user_of(id).await)
}

async fn ids<S: UserStorage>(users: &S, user: UserId) -> Vec<ExternalId> {
    worked("external_ids", users.external_ids(user).await)
}

/// A second user is not created, and learns of the first.
pub async fn an_account_belongs_to_the_first_user<S: UserStorage>(users: &S) {
    let (one, two) = (id("github", "41"), id("github", "42"));
    same("`user_of` finds no user without accounts", user_of(users, &one).await, None);
    same("`create` creates a user", create(users, ADA, &one).await, Created::Done);
    same("`user_of` finds the user", user_of(users, &one).await, Some(ADA));
    let rule = "`create` says to whom an account belongs";
    same(rule, create(users, BOB, &one).await, Created::Taken(ADA));
    let rule = "`create` creates no user if the account belongs to another";
    same(rule, link(users, BOB, &two).await, LinkedTo::UserUnknown);
    let rule = "`create` refuses a number that a user has";
    same(rule, create(users, ADA, &two).await, Created::UserIdInUse);
    same("`create` that is refused stores nothing", user_of(users, &two).await, None);
    same("`external_ids` are those of the user", ids(users, ADA).await, vec![one]);
    same("`external_ids` of an unknown user are none", ids(users, BOB).await, vec![]);
}

/// Case, trailing spaces and U+0000 distinguish services and subjects.
pub async fn accounts_are_told_apart_byte_by_byte<S: UserStorage>(users: &S) {
    let texts = ["abc", "Abc", "ABC", "abc ", "abc\0", "abc\u{e9}", "abce\u{301}"];
    let mut all: Vec<_> = texts.iter().map(|text| id(text, "7")).collect();
    all.extend(texts.iter().map(|text| id("service", text)));
    all.extend([id("a", "bc"), id("ab", "c")]);
    for (number, id) in (1..).zip(&all) {
        let user = UserId::from_number(number);
        let rule = format!("`create` compares byte for byte: {id:?}");
        same(rule, create(users, user, id).await, Created::Done);
    }
    for (number, id) in (1..).zip(&all) {
        let user = UserId::from_number(number);
        let rule = format!("`user_of` compares byte for byte: {id:?}");
        same(rule, user_of(users, id).await, Some(user));
        let rule = format!("`external_ids` returns what was stored: {id:?}");
        same(rule, ids(users, user).await, vec![id.clone()]);
    }
}

/// Linking again, for the same user or another, changes nothing.
pub async fn an_account_is_linked_once_and_never_moved<S: UserStorage>(users: &S) {
    let (one, two, three) = (id("github", "41"), id("google", "41"), id("github", "42"));
    create(users, ADA, &one).await;
    create(users, BOB, &three).await;
    same("`link` links an account", link(users, ADA, &two).await, LinkedTo::Done);
    same("`user_of` finds who linked it", user_of(users, &two).await, Some(ADA));
    for user in [ADA, BOB] {
        let rule = "`link` says to whom an account belongs";
        same(rule, link(users, user, &two).await, LinkedTo::Taken(ADA));
    }
    same("`link` moves no account", user_of(users, &two).await, Some(ADA));
    let rule = "`external_ids` are in the order of service and subject";
    same(rule, ids(users, ADA).await, vec![one, two]);
    same("a user has only the own accounts", ids(users, BOB).await, vec![three]);
}

/// Nothing else is stored for a user who is added.
pub async fn a_user_without_accounts_is_added_once_and_links_one<S: UserStorage>(users: &S) {
    let (one, two) = (id("github", "41"), id("google", "41"));
    let add = async |user| worked("add", users.add(user).await);
    let added = at_once(8, async |_| add(ADA).await);
    let times = added.into_iter().filter(|added| *added).count();
    same("one of many that `add` a user adds them", times, 1);
    same("a user who was added has no accounts", ids(users, ADA).await, vec![]);
    let rule = "`create` refuses the number of a user who was added";
    same(rule, create(users, ADA, &one).await, Created::UserIdInUse);
    let rule = "a user who was added can link an account";
    same(rule, link(users, ADA, &one).await, LinkedTo::Done);
    same("`add` says that there is such a user", add(ADA).await, false);
    same("`add` leaves the accounts", ids(users, ADA).await, vec![one.clone()]);
    same("`unlink` keeps the last account", unlink(users, ADA, &one).await, Unlinked::LastWay);
    same("a user who was added links two", link(users, ADA, &two).await, LinkedTo::Done);
    same("`unlink` unlinks one of two", unlink(users, ADA, &one).await, Unlinked::Done);
    worked("remove", users.remove(ADA).await);
    same("a user who was removed can be added", add(ADA).await, true);
    same("and is a new one", ids(users, ADA).await, vec![]);
}

/// `LastWay` decides.
pub async fn the_last_account_stays_unless_asked_for<S: UserStorage>(users: &S) {
    let (one, two) = (id("github", "41"), id("google", "41"));
    create(users, ADA, &one).await;
    link(users, ADA, &two).await;
    // An attempt to link an account that is linked does not count.
    link(users, ADA, &two).await;
    same("`unlink` unlinks one of two", unlink(users, ADA, &one).await, Unlinked::Done);
    same("`unlink` keeps the last account", unlink(users, ADA, &two).await, Unlinked::LastWay);
    same("an account that was kept is there", user_of(users, &two).await, Some(ADA));
    let rule = "an account that was unlinked can be linked again";
    same(rule, link(users, ADA, &one).await, LinkedTo::Done);
    same("`unlink` unlinks one of two", unlink(users, ADA, &two).await, Unlinked::Done);
    let last = worked("unlink", users.unlink(ADA, &one, LastWay::Unlink).await);
    same("`unlink` unlinks the last account if it may", last, Unlinked::Done);
    same("a user without accounts has none", ids(users, ADA).await, vec![]);
    let rule = "a user without accounts can link one";
    same(rule, link(users, ADA, &one).await, LinkedTo::Done);
    same("`unlink` keeps the last account", unlink(users, ADA, &one).await, Unlinked::LastWay);
}

/// Those of others are not linked to the user.
pub async fn only_the_own_accounts_are_unlinked<S: UserStorage>(users: &S) {
    let (one, two, three) = (id("github", "41"), id("google", "41"), id("github", "42"));
    create(users, ADA, &one).await;
    link(users, ADA, &two).await;
    create(users, BOB, &three).await;
    for (user, foreign) in [(BOB, &one), (ADA, &three), (ADA, &id("github", "43"))] {
        for last in [LastWay::Keep, LastWay::Unlink] {
            let done = worked("unlink", users.unlink(user, foreign, last).await);
            same("`unlink` unlinks only the user's own accounts", done, Unlinked::NotLinked);
        }
    }
    same("what was not unlinked is there", ids(users, ADA).await, vec![one.clone(), two]);
    same("a refused `unlink` counts nothing", unlink(users, ADA, &one).await, Unlinked::Done);
}

/// The accounts are free for others.
pub async fn a_removed_user_leaves_nothing<S: UserStorage>(users: &S) {
    let (one, two, three) = (id("github", "41"), id("google", "41"), id("github", "42"));
    create(users, ADA, &one).await;
    link(users, ADA, &two).await;
    create(users, BOB, &three).await;
    let remove = async |user| worked("remove", users.remove(user).await);
    same("`remove` removes a user", remove(ADA).await, true);
    same("`remove` says that there is none", remove(ADA).await, false);
    same("a removed user has no accounts", ids(users, ADA).await, vec![]);
    same("a removed user owns no account", user_of(users, &one).await, None);
    let rule = "nobody links an account to a removed user";
    same(rule, link(users, ADA, &two).await, LinkedTo::UserUnknown);
    same("`link` that is refused stores nothing", user_of(users, &two).await, None);
    let rule = "the accounts of a removed user are free";
    same(rule, link(users, BOB, &one).await, LinkedTo::Done);
    same("other users stay", user_of(users, &three).await, Some(BOB));
}

/// Byte for byte, each user once.
pub async fn a_verified_address_finds_its_users<S: UserStorage>(users: &S) {
    let (ada, email) = (["41", "42", "43"].map(|subject| id("github", subject)), "ada@a.example");
    let find = async |email| {
        let users = users.users_with_verified_email(email).await;
        let mut found = worked("users_with_verified_email", users);
        found.sort();
        found
    };
    same("an address that nobody has finds nobody", find(email).await, vec![]);
    worked("create", users.create(ADA, &ada[0], Some(email)).await);
    worked("link", users.link(ADA, &ada[1], Some(email)).await);
    same("an address finds each user once", find(email).await, vec![ADA]);
    for other in ["Ada@a.example", "ada@a.example ", "ada@a.exampl", "", "%"] {
        let rule = format!("addresses are compared byte for byte: {other:?}");
        same(rule, find(other).await, vec![]);
    }
    worked("create", users.create(BOB, &ada[2], Some(email)).await);
    same("an address finds all its users", find(email).await, vec![ADA, BOB]);
    worked("remove", users.remove(ADA).await);
    same("an address finds no removed user", find(email).await, vec![BOB]);
}

/// The losers learn who won.
pub async fn one_of_many_creates_the_user<S: UserStorage>(users: &S) {
    let one = id("github", "41");
    let number = |number: u64| UserId::from_number(number.cast_signed() + 1);
    let all = at_once(8, async |at| create(users, number(at), &one).await);
    let winner = user_of(users, &one).await.unwrap();
    for (at, created) in (0..).zip(all) {
        let must_be = if number(at) == winner { Created::Done } else { Created::Taken(winner) };
        same("one of many creates the user, and all learn who it is", created, must_be);
    }
    for loser in (0..8).map(number).filter(|user| *user != winner) {
        let rule = "those who lost created no user";
        same(rule, link(users, loser, &id("google", "1")).await, LinkedTo::UserUnknown);
    }
}

/// The losers learn who won.
pub async fn one_of_many_links_the_account<S: UserStorage>(users: &S) {
    let (one, two, both) = (id("github", "41"), id("github", "42"), id("google", "1"));
    create(users, ADA, &one).await;
    create(users, BOB, &two).await;
    let all = at_once(8, async |at| {
        let user = if at % 2 == 0 { ADA } else { BOB };
        (user, link(users, user, &both).await)
    });
    let winner = user_of(users, &both).await.unwrap();
    let done: Vec<_> = all.iter().filter(|(_, linked)| *linked == LinkedTo::Done).collect();
    same("one of many links the account", done, vec![&(winner, LinkedTo::Done)]);
    for (_, linked) in all.iter().filter(|(_, linked)| *linked != LinkedTo::Done) {
        same("those who lost learn who won", *linked, LinkedTo::Taken(winner));
    }
    // Counted once: the winner can unlink one account, and not the other.
    same("a user has what was linked", unlink(users, winner, &both).await, Unlinked::Done);
    let rest = if winner == ADA { one } else { two };
    same("`unlink` keeps the last account", unlink(users, winner, &rest).await, Unlinked::LastWay);
}

/// The last of a user's accounts stays, whichever it is.
pub async fn many_that_unlink_leave_one<S: UserStorage>(users: &S) {
    let all: Vec<_> = (0..8).map(|number| id("github", &number.to_string())).collect();
    for (number, id) in all.iter().enumerate() {
        if number == 0 {
            create(users, ADA, id).await;
        } else {
            link(users, ADA, id).await;
        }
    }
    let all = &all;
    let outcomes = at_once(8, async |at| {
        let id = all.iter().zip(0..).find_map(|(id, number)| (number == at).then_some(id));
        unlink(users, ADA, id.unwrap()).await
    });
    let kept = outcomes.iter().filter(|outcome| **outcome == Unlinked::LastWay).count();
    let done = outcomes.iter().filter(|outcome| **outcome == Unlinked::Done).count();
    same("of those who unlink all accounts at once, one is refused", (kept, done), (1, 7));
    same("the account that was refused stays", ids(users, ADA).await.len(), 1);
}

/// Or it is not linked.
pub async fn what_is_linked_during_a_removal_is_removed<S: UserStorage>(users: &S) {
    let one = id("github", "41");
    let id = |at: u64| id("google", &at.to_string());
    create(users, ADA, &one).await;
    at_once(8, async |at| match at {
        4 => holds("`remove` removes a user", worked("remove", users.remove(ADA).await)),
        _ => drop(link(users, ADA, &id(at)).await),
    });
    for id in (0..8).map(id).chain([one]) {
        let rule = "no account is left of a removed user";
        same(rule, user_of(users, &id).await, None);
    }
}
