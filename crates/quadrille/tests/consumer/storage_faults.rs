//! Faults planted in a storage that passes, one at a time: the contract catches each; its message
//! names the rule.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use quadrille::{
    Owner, Result, Timestamp,
    consumer::{Account, Change, Context, MemoryStorage, Replaced, Stored, Token, TokenStorage},
    testing::{
        storage::{many_accounts::*, one_account::*, refreshes::*, run, several_processes::*},
        storage_contract,
    },
};

/// What is wrong with a storage.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Nothing,
    OwnersIgnoreCase,
    SubjectsIgnoreSpaces,
    ServicesIgnoreCase,
    PartsRunTogether,
    NobodyIsAnOwner,
    RefreshTokensAreLost,
    TokenSecretsAreLost,
    ScopesAreLost,
    ExpiryIsLost,
    LoadIgnoresTheSubject,
    LinkKeepsTheOld,
    LinkKeepsTheEnd,
    ReplaceOverwrites,
    ReplaceRevives,
    ReplaceAlwaysSaysDone,
    ReplaceTellsNothing,
    ReplaceLinks,
    ReplaceIsNotAtomic,
    ReplaceChangesAllOfTheOwner,
    VersionsStay,
    VersionsBeginAgain,
    EndedAccountsGo,
    EndedAccountsSayNothing,
    UnlinkAlwaysSaysYes,
    UnlinkDoesNothing,
    UnlinkTakesAllOfTheOwner,
    UnlinkIgnoresTheSubject,
    AccountsAreUnordered,
    AccountsIgnoreTheLimit,
    AccountsBeginAgain,
    AccountsIgnoreTheService,
    AccountsForgetTheEnd,
    LeaseIsShared,
    LeaseIsOfTheOwner,
    LeaseIsGivenOnce,
    LeaseNeverEnds,
    LeaseEndsEarly,
    LeaseIsNotRenewed,
    LeaseIsNotAtomic,
    ReleaseIgnoresTheHolder,
    ReleaseDoesNothing,
}

use Fault::*;

/// Runs a behaviour on a storage with the fault.
macro_rules! catches {
    ($($name:ident { $($fault:ident => $behaviour:ident, $rule:literal;)* })*) => {
        $(
            #[test]
            fn $name() {
                $({
                    let said = verdict($behaviour(&Arc::new(Faulty::new($fault))));
                    check($fault, stringify!($behaviour), said, $rule);
                })*
            }
        )*
    };
}

fn check(fault: Fault, behaviour: &str, said: Result<(), String>, rule: &str) {
    let Err(said) = said else { panic!("{behaviour} does not catch {fault:?}") };
    assert!(said.starts_with("a rule is broken: "), "{fault:?}: {said}");
    assert!(said.contains(rule), "{fault:?} is called something else than {rule:?}:\n{said}");
}

fn verdict(behaviour: impl Future<Output = ()>) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(|| run(behaviour))).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap()
    })
}

storage_contract!(without_a_fault, || (Faulty::new(Nothing), ()));

catches! {
    accounts_that_are_mixed_up_are_caught {
        OwnersIgnoreCase => an_account_is_its_owners_own, "compares owners byte for byte";
        OwnersIgnoreCase => accounts_are_told_apart_byte_by_byte, "told apart byte for byte";
        SubjectsIgnoreSpaces => an_account_is_its_owners_own, "compares subjects byte for byte";
        SubjectsIgnoreSpaces => accounts_are_told_apart_byte_by_byte, "told apart byte for byte";
        ServicesIgnoreCase => an_account_is_its_owners_own, "compares services byte for byte";
        PartsRunTogether => accounts_are_told_apart_byte_by_byte, "told apart byte for byte";
        NobodyIsAnOwner => an_account_is_its_owners_own, "shows nobody an account";
        LoadIgnoresTheSubject => an_account_is_its_owners_own, "compares subjects";
    }
    tokens_that_lose_something_are_caught {
        RefreshTokensAreLost => what_was_linked_comes_back_as_it_was, "refresh_token: None";
        TokenSecretsAreLost => what_was_linked_comes_back_as_it_was, "token_secret: None";
        ScopesAreLost => what_was_linked_comes_back_as_it_was, "as `link` put them";
        ExpiryIsLost => what_was_linked_comes_back_as_it_was, "expires: None";
    }
    changes_that_go_wrong_are_caught {
        LinkKeepsTheOld => linking_again_takes_the_place_of_what_was_there,
            "`link` takes the place of the token";
        LinkKeepsTheEnd => linking_again_takes_the_place_of_what_was_there, "no longer needs it";
        VersionsStay => linking_again_takes_the_place_of_what_was_there, "another after `link`";
        VersionsStay => only_what_was_seen_is_replaced, "another after `replace`";
        VersionsBeginAgain => only_what_was_seen_is_replaced, "linked anew, for what was seen";
        ReplaceOverwrites => only_what_was_seen_is_replaced, "tells what there is now";
        ReplaceRevives => only_what_was_seen_is_replaced, "tells that there is none";
        ReplaceAlwaysSaysDone => only_what_was_seen_is_replaced, "tells what there is now";
        ReplaceTellsNothing => only_what_was_seen_is_replaced, "tells what there is now";
        ReplaceLinks => without_a_subject_the_one_linked_last_is_found,
            "does not make an account the current one";
        ReplaceIsNotAtomic => one_of_many_replaces_what_all_have_seen, "of any number of `replace`s";
        ReplaceChangesAllOfTheOwner => changing_one_leaves_the_others,
            "`replace` of one account leaves the others";
        EndedAccountsGo => an_account_that_needs_linking_again_is_kept, "is kept";
        EndedAccountsSayNothing => an_account_that_needs_linking_again_is_kept,
            "says that it needs to be linked again";
        UnlinkAlwaysSaysYes => an_account_is_unlinked_once, "says whether there was an account";
        UnlinkAlwaysSaysYes => an_account_is_its_owners_own, "says that there was none";
        UnlinkDoesNothing => an_account_is_unlinked_once, "is no longer found";
        UnlinkIgnoresTheSubject => an_account_is_its_owners_own, "says that there was none";
        UnlinkTakesAllOfTheOwner => changing_one_leaves_the_others,
            "`unlink` of one account leaves the others";
    }
    pages_that_go_wrong_are_caught {
        AccountsAreUnordered => accounts_come_page_by_page_in_the_order_of_their_keys,
            "once, in the order of their keys";
        AccountsIgnoreTheLimit => accounts_come_page_by_page_in_the_order_of_their_keys,
            "as the limit says";
        AccountsBeginAgain => accounts_come_page_by_page_in_the_order_of_their_keys,
            "each account of the service once";
        AccountsIgnoreTheService => accounts_come_page_by_page_in_the_order_of_their_keys,
            "each account of the service once";
        AccountsForgetTheEnd => accounts_come_page_by_page_in_the_order_of_their_keys,
            "as `load` finds it";
    }
    refreshes_that_go_wrong_are_caught {
        ReplaceRevives => an_account_that_is_gone_does_not_come_back, "brings no account back";
    }
    leases_that_go_wrong_are_caught {
        LeaseIsShared => a_lease_is_held_by_one, "given to no other while it is held";
        LeaseIsOfTheOwner => a_lease_is_held_by_one, "a lease of its own";
        LeaseIsGivenOnce => a_lease_is_held_by_one, "given again to its holder";
        LeaseNeverEnds => a_lease_ends_by_itself, "is free when it ends";
        LeaseEndsEarly => a_lease_ends_by_itself, "held until it ends";
        LeaseIsNotRenewed => a_lease_ends_by_itself, "for the whole time anew";
        LeaseIsNotAtomic => one_of_many_gets_the_lease, "one is given it";
        ReleaseIgnoresTheHolder => a_lease_that_was_given_back_is_free, "of another holder";
        ReleaseDoesNothing => a_lease_that_was_given_back_is_free, "gave back is free";
    }
}

/// A storage with a fault, and leases.
struct Faulty {
    fault: Fault,
    inner: MemoryStorage,
    /// A number that a fault remembers of an account.
    noted: Mutex<HashMap<Account, u64>>,
    leases: Mutex<HashMap<Account, (u64, Timestamp)>>,
    /// How many have looked before they write.
    looked: AtomicUsize,
}

impl Faulty {
    fn new(fault: Fault) -> Self {
        Self {
            fault,
            inner: MemoryStorage::new(),
            noted: Mutex::default(),
            leases: Mutex::default(),
            looked: AtomicUsize::new(0),
        }
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    /// The key under which an account is kept.
    fn key(&self, account: &Account) -> Account {
        let mut key = account.clone();
        match self.fault {
            OwnersIgnoreCase => key.owner = Owner::from_key(&key.owner.as_str().to_lowercase()),
            NobodyIsAnOwner => key.owner = Owner::NOBODY,
            SubjectsIgnoreSpaces => key.subject = key.subject.trim().into(),
            ServicesIgnoreCase => key.service = key.service.to_lowercase().into(),
            PartsRunTogether => {
                key.service = [&*key.service, &*key.subject].concat().into();
                key.subject = "".into();
            }
            _ => {}
        }
        key
    }

    /// So that two of those who race look before either writes, however slow the machine is.
    async fn until_another_looks_too(&self) {
        self.looked.fetch_add(1, Ordering::SeqCst);
        for _ in 0..2000 {
            if self.looked.load(Ordering::SeqCst) > 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn kept(&self, cx: &Context<'_>, key: &Account) -> Result<Option<Stored>> {
        self.inner.load(cx, &key.owner, &key.service, Some(&key.subject)).await
    }

    async fn all_of_the_owner(&self, cx: &Context<'_>, of: &Account) -> Result<Vec<Stored>> {
        let mut all = self.inner.accounts(cx, &of.service, None, usize::MAX).await?;
        all.retain(|stored| stored.account.owner == of.owner);
        Ok(all)
    }

    fn told(&self, mut stored: Stored) -> Stored {
        match self.fault {
            VersionsStay => stored.version = 1,
            VersionsBeginAgain => {
                stored.version -= self.noted.lock().unwrap().get(&stored.account).unwrap_or(&0);
            }
            _ => {}
        }
        stored
    }
}

impl TokenStorage for Faulty {
    fn is_durable(&self) -> bool {
        false
    }

    async fn link(&self, cx: &Context<'_>, account: &Account, token: &Token) -> Result<()> {
        let key = self.key(account);
        let before = self.kept(cx, &key).await?;
        if self.is(LinkKeepsTheOld) && before.is_some() {
            return Ok(());
        }
        let mut token = token.clone();
        match self.fault {
            RefreshTokensAreLost => token.refresh_token = None,
            TokenSecretsAreLost => token.token_secret = None,
            ScopesAreLost => token.scopes = quadrille::Scopes::EMPTY,
            ExpiryIsLost => token.expires = None,
            _ => {}
        }
        self.inner.link(cx, &key, &token).await?;
        if self.is(VersionsBeginAgain) && before.is_none() {
            let version = self.kept(cx, &key).await?.unwrap().version;
            self.noted.lock().unwrap().insert(key.clone(), version - 1);
        }
        if self.is(LinkKeepsTheEnd) && before.is_some_and(|before| before.needs_linking_again) {
            let seen = self.kept(cx, &key).await?.unwrap();
            self.inner.replace(cx, &seen, Change::NeedsLinkingAgain).await?;
        }
        Ok(())
    }

    async fn load(
        &self,
        cx: &Context<'_>,
        owner: &Owner,
        service: &str,
        subject: Option<&str>,
    ) -> Result<Option<Stored>> {
        let asked = Account {
            owner: owner.clone(),
            service: service.into(),
            subject: subject.unwrap_or("").into(),
        };
        let key = self.key(&asked);
        let subject = subject.map(|_| &*key.subject).filter(|_| !self.is(LoadIgnoresTheSubject));
        let found = self.inner.load(cx, &key.owner, &key.service, subject).await?;
        Ok(found.map(|mut found| {
            // Who reads it back finds it as it was asked for.
            if subject.is_some() {
                found.account = asked;
            }
            self.told(found)
        }))
    }

    async fn replace(
        &self,
        cx: &Context<'_>,
        seen: &Stored,
        change: Change<'_>,
    ) -> Result<Replaced> {
        let key = self.key(&seen.account);
        let now = self.kept(cx, &key).await?;
        let mut truly = Stored { account: key.clone(), ..seen.clone() };
        match (&now, self.fault) {
            (Some(now), ReplaceOverwrites) => truly.version = now.version,
            // What the version that was told stands for.
            (Some(now), VersionsStay | VersionsBeginAgain)
                if self.told(now.clone()).version == seen.version =>
            {
                truly.version = now.version;
            }
            (None, ReplaceRevives) => {
                self.inner.link(cx, &key, &seen.token).await?;
                return Ok(Replaced::Done(self.kept(cx, &key).await?.unwrap()));
            }
            (Some(now), ReplaceIsNotAtomic) if now.version == seen.version => {
                self.until_another_looks_too().await;
                if let Some(now) = self.kept(cx, &key).await? {
                    truly.version = now.version;
                }
            }
            _ => {}
        }
        if let Change::NeedsLinkingAgain = change {
            if self.is(EndedAccountsGo) {
                self.inner.unlink(cx, &key).await?;
                return Ok(Replaced::Done(truly));
            }
            if self.is(EndedAccountsSayNothing) {
                let token = truly.token.clone();
                return self.inner.replace(cx, &truly, Change::Token(&token)).await;
            }
        }
        let done = self.inner.replace(cx, &truly, change).await?;
        if let (Change::Token(token), Replaced::Done(_)) = (change, &done) {
            if self.is(ReplaceLinks) {
                self.inner.link(cx, &key, token).await?;
            }
            if self.is(ReplaceChangesAllOfTheOwner) {
                for other in self.all_of_the_owner(cx, &key).await? {
                    if other.account != key {
                        self.inner.replace(cx, &other, change).await?;
                    }
                }
            }
        }
        Ok(match done {
            Replaced::Changed(_) if self.is(ReplaceAlwaysSaysDone) => Replaced::Done(truly),
            Replaced::Changed(_) if self.is(ReplaceTellsNothing) => Replaced::Changed(None),
            Replaced::Changed(now) => Replaced::Changed(now.map(|now| self.told(now))),
            Replaced::Done(now) => Replaced::Done(self.told(now)),
        })
    }

    async fn unlink(&self, cx: &Context<'_>, account: &Account) -> Result<bool> {
        let key = self.key(account);
        if self.is(UnlinkDoesNothing) {
            let is_there = self.kept(cx, &key).await?.is_some();
            return Ok(is_there && self.noted.lock().unwrap().insert(key, 1).is_none());
        }
        let mut gone = self.inner.unlink(cx, &key).await?;
        if self.is(UnlinkTakesAllOfTheOwner) || (self.is(UnlinkIgnoresTheSubject) && !gone) {
            for other in self.all_of_the_owner(cx, &key).await? {
                gone |= self.inner.unlink(cx, &other.account).await?;
            }
        }
        Ok(gone || self.is(UnlinkAlwaysSaysYes))
    }

    async fn accounts(
        &self,
        cx: &Context<'_>,
        service: &str,
        after: Option<&Account>,
        limit: usize,
    ) -> Result<Vec<Stored>> {
        let limit = if self.is(AccountsIgnoreTheLimit) { limit + 1 } else { limit };
        let after = after.filter(|_| !self.is(AccountsBeginAgain));
        let mut page = self.inner.accounts(cx, service, after, limit).await?;
        if self.is(AccountsIgnoreTheService) && service == "github" {
            let room = limit.saturating_sub(page.len());
            page.extend(self.inner.accounts(cx, "gitlab", None, room).await?);
        }
        match self.fault {
            AccountsAreUnordered => page.reverse(),
            AccountsForgetTheEnd => {
                page.iter_mut().for_each(|stored| stored.needs_linking_again = false);
            }
            _ => {}
        }
        Ok(page)
    }

    async fn lease(
        &self,
        cx: &Context<'_>,
        account: &Account,
        holder: u64,
        lease: Duration,
    ) -> Result<bool> {
        let mut key = account.clone();
        if self.is(LeaseIsOfTheOwner) {
            key.service = "".into();
            key.subject = "".into();
        }
        let now = cx.env().now();
        let is_free = |held: Option<(u64, Timestamp)>| match held {
            Some(_) if self.is(LeaseIsShared) => true,
            Some(_) if self.is(LeaseIsGivenOnce) => false,
            Some((by, _)) if by == holder => true,
            Some((_, ends)) if self.is(LeaseEndsEarly) => ends <= now + Duration::from_secs(2),
            Some((_, ends)) => !self.is(LeaseNeverEnds) && ends <= now,
            None => true,
        };
        let mut held = self.leases.lock().unwrap().get(&key).copied();
        if self.is(LeaseIsNotAtomic) {
            self.until_another_looks_too().await;
        }
        let mut leases = self.leases.lock().unwrap();
        if !self.is(LeaseIsNotAtomic) {
            held = leases.get(&key).copied();
        }
        let given = is_free(held);
        if given {
            let ends = match held {
                Some((by, ends)) if by == holder && self.is(LeaseIsNotRenewed) => ends,
                _ => now + lease,
            };
            leases.insert(key, (holder, ends));
        }
        Ok(given)
    }

    async fn release(&self, _: &Context<'_>, account: &Account, holder: u64) -> Result<()> {
        let mut leases = self.leases.lock().unwrap();
        let is_its = leases.get(account).is_some_and(|(by, _)| *by == holder);
        if (is_its || self.is(ReleaseIgnoresTheHolder)) && !self.is(ReleaseDoesNothing) {
            leases.remove(account);
        }
        Ok(())
    }
}
