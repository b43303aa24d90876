//! Room for clients that strangers register: how many there may be that nobody has used yet, and
//! which of them gives way.

use std::{collections::HashMap, time::Duration};

use crate::{RemoteAddress, Timestamp, provider::store::UnusedClient};

/// The clients that a registration from this address removes: those that were not used in time
/// and, if all places are taken, the oldest of the network that has most of them.
///
/// # Errors
/// The time to wait, if that network is the registration's own.
pub(super) fn make(
    unused: &[UnusedClient],
    from: Option<RemoteAddress>,
    most: usize,
    now: Timestamp,
) -> Result<Vec<UnusedClient>, Duration> {
    let (mut gone, waiting): (Vec<_>, Vec<_>) =
        unused.iter().cloned().partition(|client| client.until <= now);
    let mut excess = (waiting.len() + 1).saturating_sub(most.max(1));
    if excess == 0 {
        return Ok(gone);
    }
    let own = from.map(RemoteAddress::wide_network);
    let mut of_network: HashMap<Option<u128>, usize> = HashMap::from([(own, 1)]);
    for client in &waiting {
        *of_network.entry(network(client)).or_default() += 1;
    }
    let mut waiting = waiting;
    while excess > 0 {
        let most = of_network.values().copied().max().unwrap_or_default();
        let is_of_the_largest = |client: &UnusedClient| {
            let network = network(client);
            network != own && of_network.get(&network) == Some(&most)
        };
        // The clients with the smallest numbers come first.
        let Some(place) = waiting.iter().position(is_of_the_largest) else {
            let first = waiting.iter().map(|client| client.until).min();
            return Err(first.map_or(Duration::ZERO, |until| until.since(now)));
        };
        let client = waiting.remove(place);
        of_network.entry(network(&client)).and_modify(|count| *count -= 1);
        gone.push(client);
        excess -= 1;
    }
    Ok(gone)
}

/// The network from which an unused client was registered.
fn network(client: &UnusedClient) -> Option<u128> {
    client.from.map(|from| RemoteAddress(from).wide_network())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::store::RowId;

    fn now() -> Timestamp {
        Timestamp::from_seconds(1_800_000_000)
    }

    fn address(last: u8) -> Option<RemoteAddress> {
        Some(RemoteAddress([192, 0, 2, last].into()))
    }

    fn unused(number: i64, from: u8, seconds: i64) -> UnusedClient {
        UnusedClient {
            id: "c".into(),
            number: RowId(number),
            from: address(from).map(|from| from.0),
            until: Timestamp::from_seconds(now().seconds() + seconds),
        }
    }

    fn numbers(made: Result<Vec<UnusedClient>, Duration>) -> Result<Vec<i64>, u64> {
        let numbers = |gone: Vec<UnusedClient>| gone.iter().map(|client| client.number.0).collect();
        made.map(numbers).map_err(|wait| wait.as_secs())
    }

    #[test]
    fn a_flood_from_one_network_makes_way_for_others_and_not_for_itself() {
        let flood: Vec<_> = (0..9).map(|number| unused(number, 1, 60)).collect();
        let mut all = flood;
        all.push(unused(9, 2, 60));
        assert_eq!(numbers(make(&all, address(3), 11, now())), Ok(vec![]));
        assert_eq!(numbers(make(&all, address(3), 10, now())), Ok(vec![0]));
        assert_eq!(numbers(make(&all, address(2), 10, now())), Ok(vec![0]));
        assert_eq!(numbers(make(&all, None, 9, now())), Ok(vec![0, 1]));
        assert_eq!(numbers(make(&all, address(1), 10, now())), Err(60));
    }

    #[test]
    fn clients_that_were_not_used_in_time_give_way_first() {
        let all = [unused(1, 1, 60), unused(2, 2, 0), unused(3, 1, -9)];
        assert_eq!(numbers(make(&all, address(1), 2, now())), Ok(vec![2, 3]));
        assert_eq!(numbers(make(&all, address(1), 1, now())), Err(60));
    }

    #[test]
    fn a_newcomer_gets_a_place_among_networks_with_one_each() {
        let all: Vec<_> = (0..5).map(|number| unused(number, number as u8, 60)).collect();
        assert_eq!(numbers(make(&all, address(99), 5, now())), Ok(vec![0]));
        assert_eq!(numbers(make(&all, address(3), 5, now())), Err(60));
    }
}
