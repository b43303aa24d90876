//! Finds the thread of one login among everything that a visitor did.
//!
//! A login is known by the values that belong to it alone: its `state`, its code, its tokens. Two
//! exchanges that share one belong together.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::dance::{Dance, Exchange, Message, Party, ValueId};

/// The messages of the login that last did something, and the pages around them.
pub(super) fn latest(dance: &Dance) -> VecDeque<Message> {
    let mut values: BTreeMap<Exchange, BTreeSet<ValueId>> = BTreeMap::new();
    for message in dance.messages() {
        let of_one_login =
            |id: &ValueId| dance.value(*id).is_some_and(|value| value.kind.is_of_one_login());
        let carried = message.carries().into_iter().filter(of_one_login);
        values.entry(message.exchange).or_default().extend(carried);
    }
    let Some(mut thread) = values.values().rev().find(|values| !values.is_empty()).cloned() else {
        return dance.messages().cloned().collect();
    };
    // Values lead to exchanges, and these to further values, forwards and backwards.
    loop {
        let known = thread.len();
        for tied in values
            .values()
            .filter(|values| !values.is_disjoint(&thread))
            .cloned()
            .collect::<Vec<_>>()
        {
            thread.extend(tied);
        }
        if thread.len() == known {
            break;
        }
    }
    let is_of_it = |exchange: &Exchange| {
        values.get(exchange).is_some_and(|values| !values.is_disjoint(&thread))
    };
    let is_of_another = |exchange: &Exchange| {
        values.get(exchange).is_some_and(|values| !values.is_empty()) && !is_of_it(exchange)
    };
    let first = dance.messages().find(|message| is_of_it(&message.exchange));
    let first = first.map(|message| message.exchange);
    // The page that it began on carries nothing yet.
    let page = dance
        .messages()
        .take_while(|message| Some(message.exchange) != first)
        .filter(|message| message.is_request() && message.to == Party::Website)
        .filter(|message| !is_of_another(&message.exchange))
        .last()
        .map(|message| message.exchange);
    let start = page.or(first);
    dance
        .messages()
        .filter(|message| Some(message.exchange) >= start && !is_of_another(&message.exchange))
        .cloned()
        .collect()
}
