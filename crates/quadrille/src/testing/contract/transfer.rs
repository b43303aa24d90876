//! The move of all rows into another store.

use crate::{
    Actor,
    provider::store::{
        Answer, Answered, Bought, Grants as _, Identifier, InitialTokenRecord, Issue, IssuerId,
        KnownSince, LiveGrant, MemoryStore, Outcome, PendingRecord, PendingRef, PendingState,
        Redeemed, RevokeAll, Rotated, RowId, Store, StoreError, StoredRow, StoredTable,
        StoredValue, TokenRef, Transfer,
    },
    testing::{ManualClock, rules::worked},
};

use super::{
    checked::{Checked, holds, same},
    registration::arrived,
    world::{CLIENT, World, hash, ours},
};

const ISSUER: &str = "https://id.example";

/// The number of rows of some tables in [`everything`].
const MANY: i64 = 7;

/// The rows of tables, in the order of their values.
async fn all_rows<T: Transfer>(store: &T, issuer: IssuerId, limit: u32) -> Vec<Vec<StoredRow>> {
    let mut all = Vec::new();
    for table in StoredTable::ALL {
        let (mut rows, mut after) = (Vec::new(), None);
        loop {
            let page = worked("rows", store.rows(issuer, table, after, limit).await);
            let rule = "`rows` returns at most as many rows as it was asked for";
            holds(rule, page.len() <= usize::try_from(limit).unwrap());
            let Some(last) = page.last() else { break };
            after = Some(last.clone());
            rows.extend(page);
            let rule = format!("`rows` of {} come to an end", table.name());
            holds(rule, rows.len() < 1000);
        }
        rows.sort_unstable();
        all.push(rows);
    }
    all
}

/// Moves everything from one store into another. Returns the number of new rows.
async fn copy<F: Transfer, T: Transfer>(from: &F, to: &T) -> u64 {
    let source = worked("issuer", from.issuer(ISSUER).await);
    let target = worked("issuer", to.issuer(ISSUER).await);
    let mut new = 0;
    for (table, rows) in StoredTable::ALL.into_iter().zip(all_rows(from, source, 100).await) {
        new += worked("put_rows", to.put_rows(target, table, rows).await);
    }
    new
}

/// A store in memory with something in every table.
async fn everything(clock: &ManualClock) -> MemoryStore {
    let memory = MemoryStore::new(clock.env());
    let world = World::of(&memory, clock).await;
    let (store, issuer) = (world.store, world.issuer);
    for row in 0..MANY {
        let grant = world.grant(100 + row);
        let family = Some(world.family(300 + row, grant.clone()));
        store.issue(issuer, Issue { access: world.access(200 + row, grant), family }).await;
        store.remember_once(issuer, "nonce", hash(row), world.later(60)).await;
    }
    let family = world.family(300, world.grant(100));
    store.rotate(issuer, world.rotation(&family, 400)).await;
    store.import(issuer, world.access(500, world.grant(500))).await;
    store.revoke_grant(issuer, RowId(106), world.later(7200)).await;
    let used = world.ticket(1);
    let outcome = Outcome::Ticket(used, Some(world.code(600)));
    let consent = world.consent("alice", CLIENT, "photos");
    let asked = consent.scopes.clone();
    store.answer(issuer, Answer { outcome, asked, consent: Some(consent) }).await;
    let mut code = world.code(610);
    (code.redirect_uri, code.challenge, code.redeemed) = (None, None, true);
    store.put_code(issuer, code).await;
    let states = [
        PendingState::Pending,
        PendingState::Approved(world.approval(710)),
        PendingState::Denied,
        PendingState::Approved(world.approval(730)),
    ];
    for (place, state) in (0..).zip(states) {
        let row = 700 + place;
        let user_code = (place == 0).then(|| hash(-1));
        let identifier =
            if place == 2 { Identifier::Foreign(hash(row)) } else { Identifier::Row(hash(row)) };
        let pending = PendingRecord { user_code, identifier, state, ..world.pending(row) };
        store.put_pending(issuer, pending).await;
    }
    let credential = world.credential(&world.grant(730));
    store.redeem_pending(issuer, RowId(703), Bought::Credential(credential)).await;
    let token = InitialTokenRecord {
        row: RowId(800),
        hash: hash(800),
        name: "Ada's".into(),
        uses: 3,
        expires: world.later(60),
    };
    store.put_initial_token(issuer, token).await;
    store.replace_client(issuer, arrived("unused", 900, Some(world.later(3600)))).await;
    worked("know_client", memory.know_client(issuer, Some(RowId(910)), "elsewhere").await);
    let removed = RevokeAll::Removed("bob".into());
    store.revoke_all(issuer, removed, RowId(1000)).await;
    let withdrawn = RevokeAll::Consent { subject: "carol".into(), client: CLIENT.into() };
    store.revoke_all(issuer, withdrawn, RowId(1010)).await;
    memory
}

/// Values and verbs are as before.
pub async fn everything_moves_with_all_its_values<S: Store + Transfer>(
    store: &S,
    clock: &ManualClock,
) {
    let origin = everything(clock).await;
    copy(&origin, store).await;
    let rows = all_rows(&origin, IssuerId(1), 100).await;
    for (table, rows) in StoredTable::ALL.iter().zip(&rows) {
        holds(format!("there is something in {}", table.name()), !rows.is_empty());
    }
    let issuer = Checked(store).issuer(ISSUER).await;
    for ((table, there), here) in
        StoredTable::ALL.iter().zip(rows).zip(all_rows(store, issuer, 100).await)
    {
        let rule = format!("`put_rows` keeps every value of {}", table.name());
        same(rule, here, there);
    }
    let back = MemoryStore::new(clock.env());
    copy(store, &back).await;
    let rule = "a store in memory gets everything that the other store has";
    let there = all_rows(store, issuer, 100).await;
    holds(rule, all_rows(&back, IssuerId(1), 100).await == there);
}

/// A token is found by its hash, a revocation counts, and once is once.
pub async fn what_was_moved_goes_on_in_the_other_store<S: Store + Transfer>(
    store: &S,
    clock: &ManualClock,
) {
    let origin = everything(clock).await;
    copy(&origin, store).await;
    let before = World::of_part(&origin, clock);
    let checked = Checked(store);
    let issuer = checked.issuer(ISSUER).await;
    for token in [ours(200), ours(400), ours(206), TokenRef::Foreign { hash: hash(500) }] {
        let rule = "`access` finds a token that was moved, unless it was revoked";
        same(
            rule,
            checked.access(issuer, &token).await,
            before.store.access(before.issuer, &token).await,
        );
    }
    let turned = checked.family(issuer, RowId(300)).await;
    let rule = "`family` has the state that was moved";
    same(rule, turned.clone(), before.store.family(before.issuer, RowId(300)).await);
    let rotation = before.rotation(&turned.unwrap(), 450);
    holds(
        "`rotate` turns a refresh token that was moved",
        matches!(checked.rotate(issuer, rotation).await, Rotated::Issued),
    );
    let issue = || Issue { access: before.access(620, before.grant(600)), family: None };
    let rule = "`redeem` redeems a code that was moved, once";
    same(rule, checked.redeem(issuer, RowId(600), issue()).await, Redeemed::Issued);
    let again = checked.redeem(issuer, RowId(600), issue()).await;
    same(rule, again, Redeemed::Replayed(RowId(600)));
    let reference = PendingRef::UserCode(hash(-1));
    let rule = "`pending` finds a request that was moved by its user code";
    same(
        rule,
        checked.pending(issuer, &reference).await,
        before.store.pending(before.issuer, &reference).await,
    );
    let rule = "`credential` finds token credentials that were moved";
    same(
        rule,
        checked.credential(issuer, &ours(730)).await,
        before.store.credential(before.issuer, &ours(730)).await,
    );
    let rule = "`consent` has a consent that was moved";
    let consent = checked.consent(issuer, "alice", CLIENT).await;
    same(rule, consent, before.store.consent(before.issuer, "alice", CLIENT).await);
    let rule = "`answer` knows the tickets that were used up before";
    let denial = before.denial(1, before.consent("alice", CLIENT, "photos"));
    holds(rule, !matches!(checked.answer(issuer, denial).await, Answered::First));
    let rule = "`remember_once` knows the keys that were used before";
    let until = before.later(60);
    holds(rule, !checked.remember_once(issuer, "nonce", hash(0), until).await);
    let rule = "`client` has a client that was moved";
    same(
        rule,
        checked.client(issuer, CLIENT).await,
        before.store.client(before.issuer, CLIENT).await,
    );
    let rule = "`unused_clients` has a client that was moved";
    let unused = checked.unused_clients(issuer).await;
    same(rule, unused, before.store.unused_clients(before.issuer).await);
    let known = worked("known_client", store.known_client(issuer, "elsewhere").await);
    same("`known_client` has the number that was moved", known, Some(RowId(910)));
    let rule = "`subject_since` has a removal that was moved";
    same(rule, checked.subject_since(issuer, "bob").await, Some(RowId(1000)));
    for (subject, grant, lives) in
        [("bob", 999, false), ("carol", 1005, false), ("bob", 1001, true)]
    {
        let mut grant = before.grant(grant);
        grant.actor = Actor::User(subject.into());
        let issue = Issue { access: before.access(1100 + grant.id.0, grant), family: None };
        let rule = "a grant is dead up to the end that was moved, and no other";
        same(rule, checked.issue(issuer, issue).await, lives);
    }
    let rule = "`grants` lists the grants that were moved";
    let numbers = |listed: Vec<LiveGrant>| -> Vec<_> {
        listed.into_iter().map(|listed| listed.grant.id.0).filter(|id| *id < 600).collect()
    };
    same(
        rule,
        numbers(checked.grants(issuer, "alice").await),
        numbers(before.store.grants(before.issuer, "alice").await),
    );
}

/// However small the pages are, and whatever another issuer has.
pub async fn rows_are_read_page_by_page<S: Store + Transfer>(store: &S, clock: &ManualClock) {
    copy(&everything(clock).await, store).await;
    let issuer = Checked(store).issuer(ISSUER).await;
    let other = Checked(store).issuer("https://other.example").await;
    let whole = all_rows(store, issuer, 100).await;
    for limit in [1, 2, 3] {
        let rule = "`rows` returns each row after the given one once, whatever the size of a page";
        holds(rule, all_rows(store, issuer, limit).await == whole);
    }
    let rule = "`rows` returns no rows of another issuer";
    holds(rule, all_rows(store, other, 100).await.iter().all(Vec::is_empty));
}

/// A move that was interrupted is run again.
pub async fn rows_that_are_there_stay_as_they_are<S: Store + Transfer>(
    store: &S,
    clock: &ManualClock,
) {
    let origin = everything(clock).await;
    let new = copy(&origin, store).await;
    let rows = all_rows(&origin, IssuerId(1), 100).await;
    // A store may take the unused clients from the records of the clients.
    let unused = StoredTable::ALL.iter().position(|table| *table == StoredTable::UnusedClients);
    let derived = rows.get(unused.unwrap()).map_or(0, Vec::len);
    let count: usize = rows.iter().map(Vec::len).sum();
    let rule = "`put_rows` returns the number of new rows";
    holds(
        format_args!("{rule}: {new} of {count}"),
        new == count as u64 || new == (count - derived) as u64,
    );
    let world = World::of_part(&origin, clock);
    let issuer = Checked(store).issuer(ISSUER).await;
    let family = Checked(store).family(issuer, RowId(301)).await.unwrap();
    Checked(store).rotate(issuer, world.rotation(&family, 460)).await;
    let before = all_rows(store, issuer, 100).await;
    same("`put_rows` returns the number of new rows", copy(&origin, store).await, 0);
    let rule = "`put_rows` leaves rows whose keys are there as they are";
    holds(rule, all_rows(store, issuer, 100).await == before);
}

/// Nothing of them is stored.
pub async fn rows_of_another_shape_are_refused<S: Store + Transfer>(
    store: &S,
    clock: &ManualClock,
) {
    let issuer = Checked(store).issuer(ISSUER).await;
    let rows = all_rows(&everything(clock).await, IssuerId(1), 100).await;
    for (table, rows) in StoredTable::ALL.into_iter().zip(rows) {
        let mut short = rows.clone();
        short.last_mut().unwrap().0.pop();
        let mut long = rows.clone();
        long.last_mut().unwrap().0.push(StoredValue::Null);
        for wrong in [short, long] {
            let refused = store.put_rows(issuer, table, wrong).await;
            let rule = format!("`put_rows` refuses rows of {} with other columns", table.name());
            holds(rule, matches!(refused, Err(StoreError::Corrupt(_))));
        }
    }
    let rule = "`put_rows` stores none of the rows if one has other columns";
    holds(rule, all_rows(store, issuer, 100).await.iter().all(Vec::is_empty));
}

/// The greatest number ever stored may be of a row that is gone.
pub async fn numbers_go_on_above_those_that_were_moved<S: Store + Transfer>(
    store: &S,
    clock: &ManualClock,
) {
    let issuer = Checked(store).issuer(ISSUER).await;
    let told = Checked(store).changes(issuer, 0).await.position;
    copy(&everything(clock).await, store).await;
    let newest = RowId(2000);
    worked("raise_newest", store.raise_newest(newest).await);
    let rule = "`raise_newest` raises the newest number";
    same(rule, Checked(store).newest().await, newest);
    worked("raise_newest", store.raise_newest(RowId(5)).await);
    let rule = "`raise_newest` lowers no number";
    same(rule, Checked(store).newest().await, newest);
    let lost = KnownSince::moment(clock.now());
    worked("raise_known_since", store.raise_known_since(lost).await);
    worked("raise_known_since", store.raise_known_since(KnownSince::ALWAYS).await);
    let rule = "`raise_known_since` raises the moment since which uses and keys are known";
    let known = [
        worked("uses_known_since", store.uses_known_since().await),
        worked("keys_known_since", store.keys_known_since().await),
    ];
    same(rule, known, [lost; 2]);
    let rule = "`put_rows` tells no change";
    same(rule, Checked(store).changes(issuer, told).await.position, told);
}

/// Servers use the store meanwhile, and the secret of some other credentials is another one.
pub async fn a_sealed_secret_is_swapped_as_it_was_read<S: Store + Transfer>(
    store: &S,
    clock: &ManualClock,
) {
    copy(&everything(clock).await, store).await;
    let checked = Checked(store);
    let issuer = checked.issuer(ISSUER).await;
    let told = checked.changes(issuer, 0).await.position;
    let read = store.rows(issuer, StoredTable::TokenCredentials, None, 100).await;
    let read = worked("rows", read);
    let before = checked.credential(issuer, &ours(730)).await.unwrap();
    let swap = async |issuer, grant, before: &[u8], after: &[u8]| {
        let swap = store.swap_secret(issuer, RowId(grant), before.to_vec(), after.to_vec());
        worked("swap_secret", swap.await)
    };
    let rule = "`swap_secret` changes nothing if the secret is another one, or of another grant";
    holds(rule, !swap(issuer, 730, b"another", b"new").await);
    holds(rule, !swap(issuer, 731, &before.secret, b"new").await);
    let other = checked.issuer("https://other.example").await;
    let rule = "`swap_secret` changes nothing of another issuer";
    holds(rule, !swap(other, 730, &before.secret, b"new").await);
    let rule = "`swap_secret` replaces the secret that was read, once";
    same(rule, checked.credential(issuer, &ours(730)).await.as_ref(), Some(&before));
    holds(rule, swap(issuer, 730, &before.secret, b"new").await);
    holds(rule, !swap(issuer, 730, &before.secret, b"newer").await);
    let after = checked.credential(issuer, &ours(730)).await.unwrap();
    same(rule, &*after.secret, b"new".as_slice());
    let rule = "`rows` goes on after a row whose values have changed since";
    let next = store.rows(issuer, StoredTable::TokenCredentials, read.last().cloned(), 100).await;
    same(rule, worked("rows", next), Vec::new());
    let rule = "`swap_secret` changes nothing but the secret";
    same(rule, (&after.access, after.is_foreign), (&before.access, before.is_foreign));
    let rule = "`swap_secret` tells no change";
    same(rule, checked.changes(issuer, told).await.position, told);
}
