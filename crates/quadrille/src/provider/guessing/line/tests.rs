//! The line under load and attack.

use super::*;

const PLACES: NonZeroUsize = NonZeroUsize::new(2).unwrap();
const SECOND: Duration = Duration::from_secs(1);

fn queue() -> Queue {
    Queue::new(PLACES, 8, 3)
}

const fn origin(network: u128) -> Origin {
    Origin { wide: Some(network), network: Some(network) }
}

/// A new attempt without a wait, and its call.
fn comes(queue: &mut Queue, network: u128, failures: u32) -> (Standing, oneshot::Receiver<Called>) {
    comes_from(queue, origin(network), failures)
}

fn comes_from(
    queue: &mut Queue,
    origin: Origin,
    failures: u32,
) -> (Standing, oneshot::Receiver<Called>) {
    let (call, called) = oneshot::channel();
    let failures = Failures { at_name: failures, of_network: failures };
    let standing = queue.sit(origin, failures, call);
    queue.ready(standing);
    (standing, called)
}

fn gave_way(called: &mut oneshot::Receiver<Called>) -> bool {
    called.try_recv() == Err(oneshot::error::TryRecvError::Closed)
}

#[test]
fn somebody_without_failures_goes_before_a_full_line_and_the_newest_first() {
    let mut queue = queue();
    let at_work: Vec<_> = (0..2).map(|n| comes(&mut queue, n, 0)).collect();
    let _flood: Vec<_> = (10..30).map(|n| comes(&mut queue, n, 0)).collect();
    let (_, mut first) = comes(&mut queue, 2, 0);
    let (_, mut second) = comes(&mut queue, 3, 0);
    queue.leave(at_work[0].0);
    assert!(first.try_recv().is_err() && second.try_recv().is_ok());
    queue.leave(at_work[1].0);
    assert!(first.try_recv().is_ok());
}

#[test]
fn those_who_failed_give_way_to_those_who_did_not_and_fall_behind_them() {
    let mut queue = queue();
    let at_work: Vec<_> = (0..2).map(|n| comes(&mut queue, n, 0)).collect();
    let mut failed: Vec<_> = (10..18).map(|n| comes(&mut queue, u128::from(n), n)).collect();
    let (_, mut fresh) = comes(&mut queue, 1, 0);
    assert!(gave_way(&mut failed[7].1), "the one with the most failures");
    assert!(failed[..7].iter_mut().all(|(_, called)| !gave_way(called)));
    let (_, mut worse) = comes(&mut queue, 2, 100);
    assert!(gave_way(&mut worse));
    queue.leave(at_work[0].0);
    assert!(fresh.try_recv().is_ok());
    queue.leave(at_work[1].0);
    assert!(failed[0].1.try_recv().is_ok(), "the one with the fewest");
}

#[test]
fn a_network_has_its_share_of_seats_and_its_own_give_way() {
    let mut queue = queue();
    let _at_work: Vec<_> = (0..2).map(|n| comes(&mut queue, n, 0)).collect();
    let (_, mut other) = comes(&mut queue, 1, 9);
    let mut flood: Vec<_> = (0..5).map(|n| comes(&mut queue, 7, n)).collect();
    assert!(gave_way(&mut flood[3].1) && gave_way(&mut flood[4].1));
    let (_, mut person) = comes(&mut queue, 7, 0);
    assert!(gave_way(&mut flood[2].1) && !gave_way(&mut person) && !gave_way(&mut other));
}

fn address(text: &str) -> Origin {
    Origin::of(Some(RemoteAddress(text.parse().unwrap())))
}

#[test]
fn ever_new_networks_of_one_wide_network_are_one_in_seats_and_turns() {
    let mut queue = Queue::new(PLACES, 1024, 64);
    let mut fresh = (0..).map(|n| address(&format!("2001:db8:0:{n:x}::1")));
    let mut flood: Vec<_> =
        fresh.by_ref().take(2).map(|it| comes_from(&mut queue, it, 0)).collect();
    let (_, mut mistyped) = comes_from(&mut queue, address("2001:db8:1::1"), 3);
    let (_, mut person) = comes_from(&mut queue, address("192.0.2.1"), 0);
    for origin in fresh.take(5000) {
        flood.push(comes_from(&mut queue, origin, 0));
    }
    assert_eq!(queue.seated.len(), 64 + 2);
    // Every second call is one by network.
    for _ in 0..4 {
        let next = *queue.at_work.first().unwrap();
        queue.leave(next);
    }
    assert!(person.try_recv().is_ok() && mistyped.try_recv().is_ok());
}

#[test]
fn networks_of_one_wide_network_take_turns_among_themselves() {
    let mut queue = queue();
    let (first, _called) = comes_from(&mut queue, address("2001:db8:0:1::1"), 0);
    let _other = comes(&mut queue, 8, 0);
    let _by_failures = comes(&mut queue, 9, 0);
    let _flood = comes_from(&mut queue, address("2001:db8:0:1::2"), 1);
    let (_, mut neighbour) = comes_from(&mut queue, address("2001:db8:0:2::1"), 2);
    queue.leave(first);
    let next = *queue.at_work.first().unwrap();
    queue.leave(next);
    assert!(neighbour.try_recv().is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_attempt_waits_for_its_time_and_then_for_a_place_but_not_for_ever() {
    let line = Line::new(NonZeroUsize::MIN, 2, 2);
    let turn = |wait| line.turn(None, Failures::default(), wait, SECOND);
    let place = turn(SECOND).await.unwrap();
    assert_eq!(turn(SECOND).await.unwrap_err(), Away::TooLong);
    drop(place);
    drop(turn(Duration::ZERO).await.unwrap());
    assert_eq!(format!("{line:?}"), "Line(0 at work, 0 wait)");
}

#[tokio::test(start_paused = true)]
async fn an_attempt_whose_client_goes_away_leaves_the_line() {
    let line = Line::new(NonZeroUsize::MIN, 2, 2);
    let place = line.turn(None, Failures::default(), Duration::ZERO, SECOND).await.unwrap();
    for wait in [Duration::ZERO, SECOND * 100] {
        let waits = line.turn(None, Failures::default(), wait, SECOND * 100);
        assert!(tokio::time::timeout(SECOND, waits).await.is_err());
    }
    drop(place);
    assert_eq!(format!("{line:?}"), "Line(0 at work, 0 wait)");
}

#[tokio::test(start_paused = true)]
async fn an_attempt_gives_way_while_it_waits_for_its_time() {
    let line = Line::new(NonZeroUsize::MIN, 1, 1);
    let waits = line.turn(None, Failures { at_name: 1, of_network: 1 }, SECOND * 100, SECOND);
    let person = async {
        tokio::task::yield_now().await;
        line.turn(None, Failures::default(), Duration::ZERO, SECOND).await.unwrap()
    };
    let (away, _place) = tokio::join!(waits, person);
    assert_eq!(away.unwrap_err(), Away::GaveWay);
}

#[test]
fn networks_that_were_served_are_forgotten_when_they_are_too_many() {
    let mut queue = queue();
    for network in 0..3 * NETWORKS as u128 {
        queue.serve(origin(network));
        assert!(queue.served.len() <= NETWORKS);
    }
    assert!(queue.served.contains_key(&Some(3 * NETWORKS as u128 - 1)));
}

mod laws {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_line_is_bounded_keeps_its_order_and_forgets_who_has_gone(
            steps in proptest::collection::vec((0u8..3, 0u128..5, 0u32..4), 1..300),
        ) {
            let mut queue = queue();
            let mut here = Vec::new();
            for (kind, network, failures) in steps {
                match kind {
                    0 if !here.is_empty() => {
                        let gone = usize::try_from(network).unwrap() % here.len();
                        let (standing, _): (Standing, _) = here.swap_remove(gone);
                        queue.leave(standing);
                    }
                    _ => here.push(comes(&mut queue, network, failures)),
                }
                prop_assert!(queue.seated.len() <= 8 && queue.at_work.len() <= 2);
                prop_assert!(queue.of_network.values().all(|count| (1..=3).contains(count)));
                prop_assert_eq!(queue.of_network.values().sum::<usize>(), queue.seated.len());
                prop_assert!(queue.seated.is_empty() || queue.at_work.len() == 2, "no idle place");
                for (standing, called) in &mut here {
                    let is_here = queue.seated.contains_key(standing)
                        || queue.at_work.contains(standing);
                    prop_assert_eq!(is_here, !gave_way(called) || queue.at_work.contains(standing));
                }
            }
            for (standing, _) in here {
                queue.leave(standing);
            }
            prop_assert!(queue.seated.is_empty() && queue.at_work.is_empty());
            prop_assert!(queue.ready.is_empty() && queue.of_network.is_empty());
        }

        #[test]
        fn whatever_the_line_a_newcomer_without_failures_is_one_of_the_next_two(
            before in proptest::collection::vec((0u128..40, 0u32..4), 2..100),
        ) {
            let mut queue = queue();
            let here: Vec<_> = before
                .into_iter()
                .map(|(network, failures)| comes(&mut queue, network, failures))
                .collect();
            let (_, mut person) = comes(&mut queue, 7, 0);
            for _ in 0..2 {
                let next = *queue.at_work.first().unwrap();
                queue.leave(next);
            }
            prop_assert!(person.try_recv().is_ok());
            drop(here);
        }

        #[test]
        fn a_network_is_served_in_its_turn_whatever_it_did_and_however_many_come(
            flood in proptest::collection::vec((0u128..6, 0u32..4), 45..90),
            failures in 4u32..1000,
        ) {
            let mut queue = queue();
            let (first, _served) = comes(&mut queue, 9, 0);
            let _other = comes(&mut queue, 8, 0);
            let (_, mut person) = comes(&mut queue, 9, failures);
            queue.leave(first);
            // Six other networks come all the time: three attempts for each that is served.
            let mut here = Vec::new();
            for three in flood.chunks_exact(3) {
                for (network, failures) in three {
                    here.push(comes(&mut queue, *network, *failures));
                }
                let next = *queue.at_work.first().unwrap();
                queue.leave(next);
            }
            prop_assert!(person.try_recv().is_ok());
            drop(here);
        }

        #[test]
        fn nobody_gives_way_to_one_with_more_failures_but_to_one_of_a_network_with_fewer_seats(
            before in proptest::collection::vec((0u128..40, 0u32..9), 2..100),
            network in 0u128..40, failures in 0u32..9,
        ) {
            let mut queue = queue();
            let here: Vec<_> = before
                .into_iter()
                .map(|(network, failures)| comes(&mut queue, network, failures))
                .collect();
            let seated: Vec<_> =
                queue.seated.iter().map(|(standing, seat)| (*standing, seat.origin.wide)).collect();
            let seats = queue.of_network.clone();
            let of = |network: Option<u128>| seats.get(&network).copied().unwrap_or(0);
            let (newcomer, _called) = comes(&mut queue, network, failures);
            for (gone, from) in seated.iter().filter(|(old, _)| !queue.seated.contains_key(old)) {
                let fewer = of(Some(network)) + 1 < of(*from);
                prop_assert!(gone.failures >= newcomer.failures || fewer);
            }
            drop(here);
        }
    }
}
