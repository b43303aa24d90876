//! Races on threads, each with one winner.

use std::{
    collections::HashSet,
    sync::{Arc, Barrier},
    time::Duration,
};

use crate::{
    Scopes,
    provider::{
        Client,
        store::{
            Admitted, Answer, Answered, Bought, Issue, Outcome, PendingRecord, PendingRef,
            PendingState, Redeemed, Rotated, RowId, Store,
        },
    },
    testing::ManualClock,
};

use super::{
    checked::{holds, same},
    pending::said,
    registration, run,
    world::{CLIENT, World, hash, ours},
};

/// The numbers of racers. Many meet each other's locks, and a few begin closer to each other.
const RACERS: [usize; 8] = [200, 8, 8, 8, 8, 8, 8, 8];

/// The rounds, from 1, with the number of racers of each.
fn rounds() -> impl Iterator<Item = (i64, usize)> {
    (1..).zip(RACERS)
}

/// The results of several threads that begin at the same time.
fn race<T: Send>(racers: usize, attempt: impl AsyncFn(i64) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(racers);
    std::thread::scope(|threads| {
        let racers: Vec<_> = (0..)
            .take(racers)
            .map(|racer| {
                let (attempt, start) = (&attempt, &start);
                threads.spawn(move || {
                    let mut got = None;
                    start.wait();
                    run(async { got = Some(attempt(racer).await) });
                    got.unwrap()
                })
            })
            .collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).collect()
    })
}

fn count<T>(got: &[T], is_winner: impl Fn(&T) -> bool) -> usize {
    got.iter().filter(|got| is_winner(got)).count()
}

/// The others learn which grant to revoke.
pub async fn one_of_many_redeems_a_code<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    for (round, racers) in rounds() {
        let code = world.code(round * 1000);
        store.put_code(world.issuer, code.clone()).await;
        let got = race(racers, async |racer| {
            let access = world.access(code.row.0 + racer, code.grant.clone());
            store.redeem(world.issuer, code.row, Issue { access, family: None }).await
        });
        let rule = "of any number of `redeem`s of a code at once one issues";
        same(rule, count(&got, |got| *got == Redeemed::Issued), 1);
        let replayed = count(&got, |got| *got == Redeemed::Replayed(code.grant.id));
        same("all other `redeem`s of a code at once are `Replayed`", replayed, racers - 1);
        let mut issued = 0;
        for row in (code.row.0..).take(racers) {
            issued += usize::from(world.issued(row).await.is_some());
        }
        same("of any number of `redeem`s at once one puts a token", issued, 1);
    }
}

/// The others get the current family.
pub async fn one_of_many_turns_a_refresh_token<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    for (round, racers) in rounds() {
        let row = round * 1000;
        let grant = world.grant(row);
        let family = world.family(row, grant.clone());
        let access = world.access(row + 500, grant);
        store.issue(world.issuer, Issue { access, family: Some(family.clone()) }).await;
        let got = race(racers, async |racer| {
            store.rotate(world.issuer, world.rotation(&family, row + racer * 2)).await
        });
        let rule = "of any number of `rotate`s of a refresh token at once one turns it";
        same(rule, count(&got, |got| *got == Rotated::Issued), 1);
        let now = store.family(world.issuer, family.row).await;
        let lost =
            count(&got, |got| matches!(got, Rotated::Lost(lost) if Some(lost) == now.as_ref()));
        same("all other `rotate`s at once are `Lost`, to what there is now", lost, racers - 1);
    }
}

/// The others get the code of the first answer.
pub async fn one_of_many_answers_a_page<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    for (round, racers) in rounds() {
        let got = race(racers, async |racer| {
            let code = world.code(round * 1000 + racer);
            let answer = Answer {
                outcome: Outcome::Ticket(world.ticket(u8::try_from(round).unwrap()), Some(code)),
                asked: Scopes::of(["photos"]),
                consent: None,
            };
            store.answer(world.issuer, answer).await
        });
        let rule = "of any number of `answer`s with a ticket at once one is the first";
        same(rule, count(&got, |got| *got == Answered::First), 1);
        let mut put = Vec::new();
        for row in (round * 1000..).take(racers) {
            put.extend(store.code(world.issuer, RowId(row)).await);
        }
        same("of any number of `answer`s at once one puts its code", put.len(), 1);
        let same_code =
            count(&got, |got| matches!(got, Answered::Code(code) if Some(code) == put.first()));
        same("all other `answer`s at once give the code of the first", same_code, racers - 1);
    }
}

/// From several pages, half of which refuse.
pub async fn one_of_many_answers_a_pending_request<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    for (row, racers) in rounds().map(|(round, racers)| (round * 1000, racers)) {
        store.put_pending(world.issuer, world.pending(row)).await;
        let got = race(racers, async |racer| {
            let approval = (racer % 2 == 0).then(|| world.approval(row + racer));
            store.answer(world.issuer, said(&world, row, approval)).await
        });
        let rule = "of any number of `answer`s to a pending request at once one is the first";
        same(rule, count(&got, |got| *got == Answered::First), 1);
        let held = store.pending(world.issuer, &PendingRef::Identifier(ours(row))).await.unwrap();
        let told = match &held.state {
            PendingState::Denied => Answered::Denied,
            _ => Answered::Pending(held),
        };
        let rule = "all other `answer`s to a pending request at once are told what the first said";
        same(rule, count(&got, |got| *got == told), racers - 1);
    }
}

/// The others learn which grant to revoke.
pub async fn one_of_many_redeems_a_pending_request<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    for (round, racers) in rounds() {
        let row = round * 1000;
        let is_for_tokens = round % 2 == 0;
        let grant = world.grant(row);
        let state = PendingState::Approved(world.approval(row));
        let pending = PendingRecord { state, ..world.pending(row) };
        store.put_pending(world.issuer, pending).await;
        let got = race(racers, async |racer| {
            let access = world.access(row + racer, grant.clone());
            let bought = match is_for_tokens {
                true => Bought::Tokens(Box::new(Issue { access, family: None })),
                false => Bought::Credential(world.credential(&grant)),
            };
            store.redeem_pending(world.issuer, RowId(row), bought).await
        });
        let rule = "of any number of `redeem_pending`s at once one issues";
        same(rule, count(&got, |got| *got == Redeemed::Issued), 1);
        let replayed = count(&got, |got| *got == Redeemed::Replayed(grant.id));
        same("all other `redeem_pending`s at once are `Replayed`", replayed, racers - 1);
        let mut issued = 0;
        for row in (row..).take(racers) {
            issued += usize::from(world.issued(row).await.is_some());
        }
        let rule = "of any number of `redeem_pending`s at once one stores a token";
        same(rule, issued, usize::from(is_for_tokens));
    }
}

/// The code belongs to the winner's request.
pub async fn one_of_many_puts_a_user_code<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    for (row, racers) in rounds().map(|(round, racers)| (round * 1000, racers)) {
        let code = hash(-row);
        let got = race(racers, async |racer| {
            let pending = PendingRecord { user_code: Some(code), ..world.pending(row + racer) };
            (row + racer, store.put_pending(world.issuer, pending).await)
        });
        let rule = "of any number of `put_pending`s of a user code at once one puts a request";
        same(rule, count(&got, |(_, put)| *put), 1);
        let found = store.pending(world.issuer, &PendingRef::UserCode(code)).await;
        let rule = "a user code leads to the request that `put_pending` put";
        let winner = got.iter().find(|(_, put)| *put).map(|(row, _)| RowId(*row));
        same(rule, found.map(|found| found.row), winner);
    }
}

/// Storing a key, revoking a grant.
pub async fn one_of_many_is_told_that_it_did_it<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let (store, issuer) = (world.store, world.issuer);
    for (round, racers) in rounds() {
        let later = world.later(60);
        let got =
            race(racers, async |_| store.remember_once(issuer, "nonce", hash(round), later).await);
        let rule = "of any number of `remember_once`s of a key at once one is told that it is new";
        same(rule, count(&got, |new| *new), 1);
        let start = store.changes(issuer, -1).await.position;
        let got = race(racers, async |_| store.revoke_grant(issuer, RowId(round), later).await);
        let rule = "of any number of `revoke_grant`s at once one is told that it revoked";
        same(rule, count(&got, |did| *did), 1);
        let told = store.changes(issuer, start).await.changes.len();
        same("`changes` tells once what several do at once", told, 1);
    }
}

/// No change is lost.
pub async fn one_of_many_changes_a_client<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    for (_, racers) in rounds() {
        let held = store.client(world.issuer, CLIENT).await.unwrap();
        let got = race(racers, async |racer| {
            let name = format!("Racer {racer} after {}", held.name);
            let changed = Client { name, ..Client::clone(&held) };
            store.put_client(world.issuer, changed, Some(Arc::clone(&held))).await
        });
        let rule = "of any number of `put_client`s at once one takes the client's place";
        same(rule, count(&got, |did| *did), 1);
    }
    let got = race(RACERS[0], async |_| store.remove_client(world.issuer, CLIENT).await);
    let rule = "of any number of `remove_client`s at once one is told that it removed it";
    same(rule, count(&got, |did| *did), 1);
}

/// The last use of an initial access token is taken once.
pub async fn one_of_many_is_admitted_by_a_token<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let (store, issuer) = (world.store, world.issuer);
    for (round, racers) in rounds() {
        let row = round * 1000;
        store.put_initial_token(issuer, registration::token(row, 1, world.later(60))).await;
        let got = race(racers, async |racer| {
            let client = registration::arrived(&format!("{round}-{racer}"), row + racer, None);
            store.admit(issuer, registration::admission(client, Some(row))).await
        });
        let rule = "of any number of `admit`s at once with the last use of a token, one registers";
        same(rule, count(&got, |admitted| *admitted == Admitted::Registered), 1);
        let stored = store.clients(issuer).await;
        let of_round = |client: &&Arc<Client>| client.id.starts_with(&format!("{round}-"));
        same(rule, stored.iter().filter(of_round).count(), 1);
    }
}

/// Otherwise two processes would draw the same rows.
pub async fn all_of_many_get_different_worker_numbers<S: Store>(store: &S, clock: &ManualClock) {
    let world = World::of(store, clock).await;
    let store = world.store;
    let mut numbers = HashSet::new();
    for (round, racers) in rounds() {
        let (now, expires) = (clock.now(), clock.now() + Duration::from_secs(3600));
        let got = race(racers, async |racer| {
            let mut holder = [0; 16];
            holder[..8].copy_from_slice(&(round * 1000 + racer).to_be_bytes());
            store.lease(None, holder, now, expires).await.number
        });
        for number in got {
            let rule = "`lease` gives no two who ask at once the same number";
            holds(format_args!("{rule} ({number})"), numbers.insert(number));
        }
    }
}
