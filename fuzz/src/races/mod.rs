//! Concurrent requests and commands, interleaved at every verb of the store: in one process or two,
//! with and without the cache.

mod gated;
mod scheduler;
mod tasks;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use arbitrary::{Arbitrary, Unstructured};
use quadrille::provider::{oauth1::OAuth1, store::MemoryStore};

use crate::{
    block_on,
    nature::Nature,
    world::{CLIENTS, Process},
};

use gated::Gated;
use tasks::{Did, Things, What};

/// The greatest number of concurrent tasks.
const TASKS: usize = 6;

/// The time after which every process knows of a revocation in another one.
const KNOWN: Duration = Duration::from_millis(600);

/// The greatest age of a signed request's timestamp.
const WINDOW: Duration = Duration::from_secs(300);

#[derive(Arbitrary, Clone, Copy, Debug)]
struct Task {
    in_second: bool,
    what: What,
}

/// The result of a task, and its process.
struct Ran {
    what: What,
    process: usize,
    began: usize,
    ended: usize,
    did: Did,
}

/// The target `races`.
pub fn races(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Ok((flags, count)) = <(u8, u8)>::arbitrary(&mut input) else { return };
    let mut tasks = Vec::new();
    for _ in 0..2 + usize::from(count) % (TASKS - 1) {
        let Ok(task) = Task::arbitrary(&mut input) else { return };
        tasks.push(task);
    }
    crate::tell(&tasks);
    let order = input.take_rest();
    // The tasks are polled by hand, so the budget of the runtime must not count.
    block_on(tokio::task::unconstrained(race(flags, &tasks, order)));
}

async fn race(flags: u8, tasks: &[Task], order: &[u8]) {
    let (is_cached, is_shared, are_two) = (flags & 1 != 0, flags & 2 != 0, flags & 4 != 0);
    let nature = Nature::new(3);
    let store = Gated::new(MemoryStore::new(nature.env()), is_cached);
    let offered = || match is_shared {
        true => OAuth1::new().remember_nonces_in_the_store(),
        false => OAuth1::new(),
    };
    let process = || Process::start(store.clone(), &nature, |server| server.oauth1(offered()));
    let first = process();
    let second = if are_two { process() } else { first.clone() };
    // Within a window after a start, one process serves a client's requests of the same second.
    nature.advance(WINDOW * 2);
    for client in &CLIENTS[..2] {
        first.server.register(client.new_client()).await.expect("registered");
    }
    let things = Things::prepare(&nature, &first).await;
    // In half of the races, both processes have the token in their cache.
    for process in [&first, &second].into_iter().filter(|_| flags & 8 != 0) {
        assert!(things.is_valid(process, &things.access).await);
    }

    store.race(true);
    let futures = tasks.iter().map(|task| {
        let process = if task.in_second { second.clone() } else { first.clone() };
        let (things, what) = (things.clone(), task.what);
        Box::pin(async move { tasks::run(what, &process, &things).await }) as _
    });
    let finished = scheduler::run(futures.collect(), order);
    store.race(false);

    let ran: Vec<Ran> = tasks
        .iter()
        .zip(finished)
        .map(|(task, finished)| Ran {
            what: task.what,
            process: usize::from(task.in_second && are_two),
            began: finished.began,
            ended: finished.ended,
            did: finished.output,
        })
        .collect();
    let race = Race { ran, is_shared, things };
    race.check_winners();
    race.check_order();
    nature.advance(KNOWN);
    race.check_what_is_left(&first, &second).await;
    race.check_that_a_namesake_inherits_nothing(&nature, &first, &second).await;
}

struct Race {
    ran: Vec<Ran>,
    is_shared: bool,
    things: Arc<Things>,
}

impl Race {
    fn of(&self, is: impl Fn(What) -> bool) -> impl Iterator<Item = &Ran> {
        self.ran.iter().filter(move |ran| is(ran.what))
    }

    fn won(&self, what: What) -> Vec<&Ran> {
        self.of(|it| it == what).filter(|ran| ran.did.is_done).collect()
    }

    fn any(&self, is: impl Fn(What) -> bool) -> bool {
        self.of(is).any(|ran| ran.did.is_done)
    }

    fn check_winners(&self) {
        assert!(self.won(What::Redeem).len() <= 1, "a code was redeemed twice");
        assert!(self.won(What::Exchange).len() <= 1, "a verifier was exchanged twice");
        let passed = self.won(What::SendSigned);
        let is_once = |process| passed.iter().filter(|ran| ran.process == process).count() <= 1;
        assert!(is_once(0) && is_once(1), "a request was let through twice");
        assert!(!self.is_shared || passed.len() <= 1, "a request was let through twice");
        let of = |what: What, text: fn(&Did) -> &Option<String>| -> BTreeSet<&String> {
            self.won(what).into_iter().filter_map(|ran| text(&ran.did).as_ref()).collect()
        };
        assert!(of(What::Refresh, |did| &did.refresh).len() <= 1, "two successors");
        assert!(of(What::SayYes, |did| &did.code).len() <= 1, "two codes of one page");
        let is_both = self.any(|what| what == What::SayYes) && self.any(|what| what == What::SayNo);
        assert!(!is_both, "a page was answered with yes and no");
        // If no task revokes or removes anything, all tasks succeed.
        if !self.ran.iter().any(|ran| ran.what.takes_away() || ran.what == What::SayNo) {
            for ran in &self.ran {
                let is_sole = self.of(|what| what == ran.what).count() == 1;
                let is_right = is_sole
                    || matches!(ran.what, What::Refresh | What::SayYes | What::Call | What::Ask);
                assert!(!is_right || ran.did.is_done, "{:?} was refused", ran.what);
            }
        }
    }

    /// Checks that a request after a revocation in the same process is rejected.
    fn check_order(&self) {
        for ran in self.of(|what| matches!(what, What::Call | What::Ask | What::Refresh)) {
            let after = self.of(What::ends_tokens).find(|ended| {
                ended.did.is_done && ended.process == ran.process && ended.ended < ran.began
            });
            if let Some(after) = after {
                assert!(!ran.did.is_done, "{:?} passed after {:?}", ran.what, after.what);
            }
        }
        for ran in self.of(|what| what == What::SendSigned) {
            let after = self.of(What::ends_credentials).any(|ended| {
                ended.did.is_done && ended.process == ran.process && ended.ended < ran.began
            });
            assert!(!after || !ran.did.is_done, "a signed request passed after its end");
        }
    }

    /// Checks that nothing of the revoked grants is left, in any order.
    async fn check_what_is_left(&self, first: &Process, second: &Process) {
        let things = &self.things;
        let is_over = self.any(What::ends_all);
        let (mut dead, mut alive) = (Vec::new(), Vec::new());
        // A second redemption ends the grant of the first.
        let twice = self.of(|what| what == What::Redeem).count() > 1;
        let bought = self.won(What::Redeem).into_iter().filter_map(|ran| ran.did.access.as_ref());
        let sort = |is_dead: bool, dead: &mut Vec<_>, alive: &mut Vec<_>, text: &String| {
            if is_dead { dead.push(text.clone()) } else { alive.push(text.clone()) }
        };
        bought.for_each(|text| sort(is_over || twice, &mut dead, &mut alive, text));
        let are_over = self.any(What::ends_tokens);
        let refreshed =
            self.won(What::Refresh).into_iter().filter_map(|ran| ran.did.access.as_ref());
        let tokens = refreshed.chain([&things.access]);
        tokens.for_each(|text| sort(are_over, &mut dead, &mut alive, text));
        for process in [first, second] {
            for text in &dead {
                assert!(!things.is_valid(process, text).await, "a token outlived its end");
            }
            for text in &alive {
                assert!(things.is_valid(process, text).await, "a token is dead for no reason");
            }
            let is_right = things.credentials_are_valid(process).await;
            let are_over = self.any(What::ends_credentials);
            assert_eq!(is_right, !are_over, "token credentials");
            if let [ran] = &self.won(What::Exchange)[..] {
                let twice = self.of(|what| what == What::Exchange).count() > 1;
                let credentials = ran.did.credentials.as_ref().expect("credentials");
                let is_valid = things.are_valid(process, credentials).await;
                assert_eq!(is_valid, !(is_over || twice), "bought credentials");
            }
        }
        let refresh = self.won(What::Refresh).into_iter().find_map(|ran| ran.did.refresh.as_ref());
        let refresh = refresh.unwrap_or(&things.refresh);
        let is_turned = things.refreshes(first, refresh).await;
        assert_eq!(is_turned, !are_over, "the refresh token");
        // No change of a client undoes another one.
        if !self.any(|what| what == What::RemoveClient) {
            for ran in self.won(What::RotateSecret) {
                let secret = ran.did.secret.as_ref().expect("a secret");
                assert!(things.authenticates(first, secret).await, "a new secret is lost");
            }
        } else {
            let client = first.server.client(CLIENTS[0].id).await.expect("no fault");
            assert!(client.is_none(), "a client came back");
        }
    }

    /// Registers another client under the same name.
    async fn check_that_a_namesake_inherits_nothing(
        &self,
        nature: &Nature,
        first: &Process,
        second: &Process,
    ) {
        if !self.any(|what| what == What::RemoveClient) {
            return;
        }
        first.server.register(CLIENTS[0].new_client()).await.expect("registered");
        nature.advance(KNOWN);
        for process in [first, second] {
            let tokens = self.ran.iter().filter_map(|ran| ran.did.access.as_ref());
            for text in tokens.chain([&self.things.access]) {
                assert!(!self.things.is_valid(process, text).await, "inherited");
            }
            assert!(!self.things.credentials_are_valid(process).await, "inherited");
        }
    }
}
