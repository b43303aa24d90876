//! The numbers of rows, and of the workers who draw them.

use std::{collections::HashSet, time::Duration};

use crate::{
    provider::store::{RowId, RowIds, Store},
    testing::ManualClock,
};

/// While their leases last; who comes next must not draw for times of the one before.
pub async fn no_two_hold_the_same_worker_number<S: Store>(store: &S, clock: &ManualClock) {
    let (now, expires) = (clock.now(), clock.now() + Duration::from_millis(60_500));
    let first = store.lease(None, [1; 16], now, expires).await.unwrap();
    assert_eq!((first.holder, first.expires), ([1; 16], expires));
    let second = store.lease(None, [2; 16], now, expires).await.unwrap();
    assert_ne!(first.number, second.number);
    let later = expires + Duration::from_secs(60);
    let renewed = store.lease(Some(first), [1; 16], now, later).await.unwrap();
    assert_eq!((renewed.number, renewed.expires), (first.number, later));

    clock.set(expires + Duration::from_millis(1));
    let third = store.lease(None, [3; 16], clock.now(), later).await.unwrap();
    if third.number == second.number {
        assert!(third.not_before >= second.expires);
        let stolen = store.lease(Some(second), [2; 16], clock.now(), later).await.unwrap();
        assert_ne!(stolen.number, second.number, "the lease was lost in the meantime");
    }
    assert_ne!(third.number, first.number, "it was renewed");
    let mut held = HashSet::new();
    for holder in 10..60 {
        let lease = store.lease(None, [holder; 16], clock.now(), later).await.unwrap();
        assert!(lease.number < 1024);
        assert!(held.insert(lease.number), "{} is held twice", lease.number);
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
                assert!(row > last && row.0 > 0);
                assert!(seen.insert(row), "{row:?} came twice, in step {step}");
                last = row;
            }
            assert!(last.time() >= clock.now());
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
    assert!(RowId::last_at(clock.now()).time() == clock.now());
}
