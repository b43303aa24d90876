//! Refreshes by processes that share a storage: each is a [`Login`] of its own.

use std::time::Duration;

use http::HeaderMap;

use crate::{
    Error, GitHub, KeyRing, Login, Owner, Result,
    consumer::{Account, Begin, Context, Jar, NotLinkedReason, TokenStorage},
    testing::{
        FakeService, ManualClock,
        rules::{holds, same, worked},
    },
    transport::Purpose,
};

use super::{
    at_once,
    watched::{Verb, Watch, WatchedStorage},
};

const HOUR: Duration = Duration::from_secs(3600);
/// Longer than any lease.
const LONG: Duration = Duration::from_secs(60);

/// A service, and the clock of everybody.
struct Site {
    clock: ManualClock,
    service: FakeService,
}

impl Site {
    /// Access tokens expire after an hour. `rotates`: a refresh token is valid once.
    fn new(rotates: bool) -> Self {
        let service = FakeService::new("our-id", "our-secret");
        service.change(|its| its.expire(HOUR, rotates));
        Self { clock: ManualClock::new(), service }
    }

    fn process<S: TokenStorage>(&self, storage: S) -> Login {
        Login::new(worked("KeyRing::new", KeyRing::new([&[7; 32]])), "https://app.example")
            .with(GitHub::new("our-id", "our-secret"))
            .http(self.service.clone())
            .env(self.clock.env())
            .storage(storage)
    }

    /// An account of this owner, linked by a login.
    async fn linked(&self, login: &Login) -> Account {
        let (jar, alice) = (Jar::new(&HeaderMap::new()), Owner::user("alice"));
        let begin = Begin::new("github").owner(&alice);
        let url = worked("begin", login.begin(&jar, &begin).await);
        let query = self.service.consent(&url, 7).unwrap_or_default();
        worked("finish", login.finish(&jar, "github", &query, &alice).await).account
    }

    /// The access token is over.
    fn expire(&self) {
        self.clock.advance(HOUR);
        self.service.ends_access_tokens();
    }

    fn refreshes(&self) -> usize {
        self.service.times_asked(Purpose::Refresh)
    }
}

/// A call of the service's API for this account.
async fn call(login: &Login, account: &Account) -> Result<()> {
    let me: serde_json::Value = login.linked::<GitHub>(account).await?.get("user").await?;
    same("a call is for the account that was linked", me.get("login"), Some(&"user-7".into()));
    Ok(())
}

fn needs_linking_again(result: &Result<()>) -> bool {
    let Err(Error::NotLinked(not)) = result else { return false };
    not.reason == NotLinkedReason::NeedsLinkingAgain
}

/// However many requests of two processes want it at once, and nobody is logged out.
pub async fn two_processes_refresh_a_token_once<S: TokenStorage + Clone>(storage: &S) {
    let site = Site::new(true);
    let [first, second] = [0, 1].map(|_| site.process(storage.clone()));
    let account = site.linked(&first).await;
    for round in 1..=3 {
        site.expire();
        at_once(8, async |number| {
            let process = if number % 2 == 0 { &first } else { &second };
            worked("get", call(process, &account).await);
        });
        let rule = "of two processes that refresh one token, one sends the request";
        same(rule, site.refreshes(), round);
    }
}

/// After the service has answered, and before the token is stored. A service whose refresh tokens
/// are valid once has revoked the stored one by then, and the user must log in again; with any
/// other the user notices nothing.
pub async fn a_process_that_dies_with_a_token_blocks_nobody<S: TokenStorage + Clone>(storage: &S) {
    for rotates in [false, true] {
        let site = Site::new(rotates);
        let dying = WatchedStorage::new(storage.clone(), Cut::<S>::Death);
        let (first, second) = (site.process(dying), site.process(storage.clone()));
        let account = site.linked(&first).await;
        site.expire();
        let asked = async {
            while site.refreshes() == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            done = call(&first, &account) => holds(format_args!("it dies: {done:?}"), false),
            () = asked => {}
        }
        // Its lease is over.
        site.clock.advance(LONG);
        let done = call(&second, &account).await;
        if rotates {
            let rule = "a spent refresh token means that the account needs linking again";
            holds(format_args!("{rule}: {done:?}"), needs_linking_again(&done));
            site.linked(&second).await;
        }
        worked("get", call(&second, &account).await);
        same("the lease of a process that died ends", site.refreshes(), 2);
    }
}

/// Removed while a refresh for it is under way.
pub async fn an_account_that_is_gone_does_not_come_back<S: TokenStorage + Clone>(storage: &S) {
    let site = Site::new(true);
    let vanishing = WatchedStorage::new(storage.clone(), Cut::OwnerIsGone(storage.clone()));
    let (first, second) = (site.process(vanishing), site.process(storage.clone()));
    let account = site.linked(&first).await;
    site.expire();
    for process in [&first, &second] {
        let done = call(process, &account).await;
        let rule = "a refresh brings no account back whose owner was removed meanwhile";
        let is_missing = |not: &crate::consumer::NotLinked| not.reason == NotLinkedReason::Missing;
        let holds_now = matches!(&done, Err(Error::NotLinked(not)) if is_missing(not));
        holds(format_args!("{rule}: {done:?}"), holds_now);
    }
}

/// What happens when a refreshed token is to be stored in a storage.
enum Cut<S> {
    Death,
    OwnerIsGone(S),
}

impl<S: TokenStorage> Watch for Cut<S> {
    async fn before(&self, cx: &Context<'_>, verb: Verb<'_>) -> Result<()> {
        match (verb, self) {
            (Verb::Replace(_), Self::Death) => std::future::pending().await,
            (Verb::Replace(seen), Self::OwnerIsGone(storage)) => {
                storage.unlink(cx, &seen.account).await.map(drop)
            }
            _ => Ok(()),
        }
    }
}
