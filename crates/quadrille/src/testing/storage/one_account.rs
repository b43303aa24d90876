//! One account of one owner at one service.

use crate::{
    Owner,
    consumer::{Account, Change, Replaced, Token, TokenStorage},
    testing::rules::{holds, same},
};

use super::{
    checked::Checked,
    world::{EXACT, World, account, token},
};

/// Every member, by subject and without, whichever optional ones are absent.
pub async fn what_was_linked_comes_back_as_it_was<S: TokenStorage>(storage: &S) {
    let (world, storage) = (World::new(), Checked(storage));
    let bare = Token { obtained: world.clock.now(), ..Token::new("bare") };
    for (subject, token) in [("7", token(&world, "one")), ("7", bare), ("", token(&world, "two"))] {
        let account = account("alice", "github", subject);
        let former = Account { subject: "7".into(), ..account.clone() };
        storage.unlink(&world.visit(), &former).await;
        let found = storage.linked(&world, &account, &token).await;
        let rule = "`load` gives back an account and its token as `link` put them";
        same(rule, (&found.account, Whole(&found.token)), (&account, Whole(&token)));
        let rule = "an account that was just linked does not need to be linked again";
        holds(rule, !found.needs_linking_again);
        let rule = "`load` without a subject finds the account that was linked";
        same(rule, storage.current(&world, &account).await.as_deref(), Some(subject));
        let rule = "`load` changes nothing";
        same(rule, storage.find(&world, &account).await, Some(found));
    }
}

/// Prints a token with its secrets, which are the tests', so that a failure shows the missing part.
#[derive(PartialEq)]
pub(super) struct Whole<'a>(pub(super) &'a Token);

impl std::fmt::Debug for Whole<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Token {
            access_token,
            token_secret,
            refresh_token,
            scopes,
            obtained,
            expires,
            api,
            id_token,
            session,
        } = self.0;
        f.debug_struct("Token")
            .field("access_token", &access_token.expose())
            .field("token_secret", &token_secret.as_ref().map(crate::Secret::expose))
            .field("refresh_token", &refresh_token.as_ref().map(crate::Secret::expose))
            .field("scopes", scopes)
            .field("obtained", obtained)
            .field("expires", expires)
            .field("api", api)
            .field("id_token", &id_token.as_ref().map(crate::Secret::expose))
            .field("session", session)
            .finish()
    }
}

/// Its own owner, service and subject only.
pub async fn an_account_is_its_owners_own<S: TokenStorage>(storage: &S) {
    let (world, storage) = (World::new(), Checked(storage));
    let [exact, others @ ..] = EXACT;
    let kept = account(exact, exact.trim(), exact);
    storage.link(&world.visit(), &kept, &token(&world, "one")).await;
    let nobodys = Account { owner: Owner::NOBODY, ..kept.clone() };
    let rule = "`load` shows nobody an account that has an owner";
    same(rule, storage.find(&world, &nobodys).await, None);
    for other in others {
        let owner = account(other, "abc", exact);
        let rule =
            format!("`load` compares owners byte for byte: {other:?} has not linked {exact:?}");
        same(&rule, storage.find(&world, &owner).await, None);
        same(&rule, storage.current(&world, &owner).await, None);
        let rule = format!("`load` compares subjects byte for byte: {other:?} is not {exact:?}");
        same(rule, storage.find(&world, &account(exact, "abc", other)).await, None);
    }
    for other in ["ABC", "abcd", "ab", "abc~abc"] {
        let rule = format!("`load` compares services byte for byte: {other:?} is not \"abc\"");
        same(rule, storage.find(&world, &account(exact, other, exact)).await, None);
    }
    for other in [account("Abc", "abc", exact), account(exact, "abc", "Abc")] {
        let rule = "`unlink` says that there was none, of another owner or subject";
        holds(rule, !storage.unlink(&world.visit(), &other).await);
    }
    let rule = "`load` finds an account after others were looked for, and unlinked in vain";
    holds(rule, storage.find(&world, &kept).await.is_some());
}

/// The version changes, and the account no longer needs linking again.
pub async fn linking_again_takes_the_place_of_what_was_there<S: TokenStorage>(storage: &S) {
    let (world, storage) = (World::new(), Checked(storage));
    let account = account("alice", "github", "7");
    let first = storage.linked(&world, &account, &token(&world, "one")).await;
    let ended = storage.replace(&world.visit(), &first, Change::NeedsLinkingAgain).await;
    let rule = "`replace` changes what was seen and is still there";
    holds(format_args!("{rule}: {ended:?}"), matches!(ended, Replaced::Done(_)));
    let two = token(&world, "two");
    let second = storage.linked(&world, &account, &two).await;
    let rule = "`link` takes the place of the token that was there";
    same(rule, Whole(&second.token), Whole(&two));
    let rule = "an account that was linked again no longer needs it";
    holds(rule, !second.needs_linking_again);
    let rule = "the version is another after `link`";
    holds(rule, second.version != first.version);
}

/// Otherwise nothing changes, and the current account is returned.
pub async fn only_what_was_seen_is_replaced<S: TokenStorage>(storage: &S) {
    let (world, storage) = (World::new(), Checked(storage));
    let account = account("alice", "github", "7");
    let first = storage.linked(&world, &account, &token(&world, "one")).await;
    let two = token(&world, "two");
    let done = storage.replace(&world.visit(), &first, Change::Token(&two)).await;
    let second = storage.find(&world, &account).await;
    let rule = "`replace` tells what it changed, as `load` finds it";
    same(rule, Some(done), second.clone().map(Replaced::Done));
    let Some(second) = second else { return };
    let rule = "`replace` puts the token in the place of the one that was seen";
    same(rule, (&second.account, Whole(&second.token)), (&account, Whole(&two)));
    let rule = "the version is another after `replace`";
    holds(rule, second.version != first.version);

    let three = token(&world, "three");
    for change in [Change::Token(&three), Change::NeedsLinkingAgain] {
        let late = storage.replace(&world.visit(), &first, change).await;
        let rule = "`replace` of a token that was replaced before tells what there is now";
        same(rule, late, Replaced::Changed(Some(second.clone())));
        let rule = "`replace` of a token that was replaced before changes nothing";
        same(rule, storage.find(&world, &account).await, Some(second.clone()));
    }

    storage.unlink(&world.visit(), &account).await;
    let late = storage.replace(&world.visit(), &second, Change::Token(&three)).await;
    let rule = "`replace` of an account that was unlinked tells that there is none";
    same(rule, late, Replaced::Changed(None));
    let rule = "`replace` brings no account back that was unlinked";
    same(rule, storage.find(&world, &account).await, None);

    // A version seen before the removal must not match the new account.
    let four = token(&world, "four");
    let anew = storage.linked(&world, &account, &four).await;
    for seen in [&first, &second] {
        let late = storage.replace(&world.visit(), seen, Change::Token(&three)).await;
        let rule =
            "`replace` takes no account that was unlinked, and linked anew, for what was seen";
        same(rule, late, Replaced::Changed(Some(anew.clone())));
        same(rule, storage.find(&world, &account).await, Some(anew.clone()));
    }
}

/// With its token, marked.
pub async fn an_account_that_needs_linking_again_is_kept<S: TokenStorage>(storage: &S) {
    let (world, storage) = (World::new(), Checked(storage));
    let account = account("alice", "github", "7");
    let first = storage.linked(&world, &account, &token(&world, "one")).await;
    let done = storage.replace(&world.visit(), &first, Change::NeedsLinkingAgain).await;
    let ended = storage.find(&world, &account).await;
    let rule = "an account whose token has ended is kept, as `replace` told it";
    same(rule, Some(done), ended.clone().map(Replaced::Done));
    let Some(ended) = ended else { return };
    let rule = "an account whose token has ended says that it needs to be linked again";
    holds(rule, ended.needs_linking_again);
    let rule = "an account whose token has ended keeps it";
    same(rule, Whole(&ended.token), Whole(&first.token));
    let rule = "the version is another after a token has ended";
    holds(rule, ended.version != first.version);
    let again = storage.replace(&world.visit(), &first, Change::NeedsLinkingAgain).await;
    let rule = "`replace` ends a token once";
    same(rule, again, Replaced::Changed(Some(ended)));
}

/// The second time reports that there was none.
pub async fn an_account_is_unlinked_once<S: TokenStorage>(storage: &S) {
    let (world, storage) = (World::new(), Checked(storage));
    let account = account("alice", "github", "7");
    let rule = "`unlink` says whether there was an account";
    holds(rule, !storage.unlink(&world.visit(), &account).await);
    storage.link(&world.visit(), &account, &token(&world, "one")).await;
    holds(rule, storage.unlink(&world.visit(), &account).await);
    let gone = "an account that was unlinked is no longer found";
    same(gone, storage.find(&world, &account).await, None);
    same(gone, storage.current(&world, &account).await, None);
    holds(rule, !storage.unlink(&world.visit(), &account).await);
}
