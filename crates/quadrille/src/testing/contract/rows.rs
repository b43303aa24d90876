//! The numbers of rows, and of the workers who draw them.

use std::{collections::HashSet, time::Duration};

use crate::{
    provider::store::{RowId, RowIds, Store},
    testing::ManualClock,
};

use super::checked::{Checked, holds, same};

/// While their leases last; who comes next must not draw for times of the one before.
pub async fn no_two_hold_the_same_worker_number<S: Store>(store: &S, clock: &ManualClock) {
    let (now, expires) = (clock.now(), clock.now() + Duration::from_millis(60_500));
    let store = Checked(store);
    let first = store.lease(None, [1; 16], now, expires).await;
    let rule = "`lease` keeps the holder, and the end to the millisecond";
    same(rule, (first.holder, first.expires), ([1; 16], expires));
    let second = store.lease(None, [2; 16], now, expires).await;
    let rule = "`lease` gives no two holders the same number";
    holds(rule, first.number != second.number);
    let later = expires + Duration::from_secs(60);
    let renewed = store.lease(Some(first), [1; 16], now, later).await;
    let rule = "`lease` renews the number of its holder";
    same(rule, (renewed.number, renewed.expires), (first.number, later));
    let forged = store.lease(Some(first), [9; 16], now, later).await;
    let rule = "`lease` renews a number for nobody but its holder";
    holds(rule, forged.number != first.number);

    clock.set(expires + Duration::from_millis(1));
    let third = store.lease(None, [3; 16], clock.now(), later).await;
    if third.number == second.number {
        let rule = "`lease` lets nobody draw rows for times of the holder before (`not_before`)";
        holds(rule, third.not_before >= second.expires);
        let stolen = store.lease(Some(second), [2; 16], clock.now(), later).await;
        let rule = "`lease` does not renew a number that another holds by now";
        holds(rule, stolen.number != second.number);
    }
    let rule = "`lease` gives nobody a number whose lease was renewed";
    holds(rule, third.number != first.number);
    let mut held = HashSet::new();
    for holder in 10..60 {
        let lease = store.lease(None, [holder; 16], clock.now(), later).await;
        holds("the numbers that `lease` gives are below 1024", lease.number < 1024);
        holds("`lease` gives no two holders the same number", held.insert(lease.number));
    }
}

/// Not across processes, restarts, or steps of the clock in either direction.
pub async fn row_numbers_rise_and_never_repeat<S: Store>(store: &S, clock: &ManualClock) {
    let mut seen = HashSet::new();
    let mut running = [RowIds::new(clock.env()), RowIds::new(clock.env())];
    let start = clock.now();
    // In seconds from the start: standing still, stepping back, past the lease, and back again.
    for (step, at) in [0, 0, 100, 50, 1000, 900, 900, 5000, 4000, 4001].into_iter().enumerate() {
        clock.set(start + Duration::from_secs(at));
        for rows in &running {
            let mut last = RowId(0);
            for _ in 0..5000 {
                let row = rows.draw(store).await.unwrap();
                holds("the rows that a process draws rise", row > last && row.0 > 0);
                let rule =
                    "no row is drawn twice, as long as `lease` gives each number to one holder";
                holds(format_args!("{rule} ({row:?}, step {step})"), seen.insert(row));
                last = row;
            }
            holds("a row is of the time when it was drawn", last.time() >= clock.now());
        }
        if step % 2 == 1 {
            // A restart: in order, or not.
            let [first, _] = &mut running;
            if step % 4 == 1 {
                first.release(store).await.unwrap();
            }
            *first = RowIds::new(clock.env());
        }
    }
}
