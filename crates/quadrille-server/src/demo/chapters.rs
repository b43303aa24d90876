//! Finds out what each exchange of a dance is for, and which chapter it belongs to.

use std::collections::BTreeMap;

use super::{
    dance::{Dance, Exchange, Party},
    explain::{self, Act, Step},
};

/// An exchange, and what was found out about it.
pub(super) struct Known {
    pub(super) step: Step,
    pub(super) act: Option<Act>,
    pub(super) to: Party,
    front: bool,
}

/// Every exchange of a dance, with its chapter.
pub(super) fn exchanges(dance: &Dance) -> BTreeMap<Exchange, Known> {
    let mut known = BTreeMap::new();
    let mut under_way: Vec<(Exchange, Vec<Step>)> = Vec::new();
    for message in dance.messages() {
        if message.is_request() {
            let step = explain::step(message);
            for (_, within) in &mut under_way {
                within.push(step);
            }
            under_way.push((message.exchange, Vec::new()));
            let act = explain::act(step, &[], None);
            known.insert(
                message.exchange,
                Known { step, act, to: message.to, front: !message.is_back_channel() },
            );
        } else if let Some(at) = under_way.iter().position(|(one, _)| *one == message.exchange) {
            let (_, within) = under_way.remove(at);
            if let Some(exchange) = known.get_mut(&message.exchange) {
                exchange.act = explain::act(exchange.step, &within, Some(message));
            }
        }
    }
    settle(dance, &mut known);
    known
}

/// A page that does nothing by itself leads to the next chapter; what happens while the website
/// answers the browser belongs to the same one.
fn settle(dance: &Dance, known: &mut BTreeMap<Exchange, Known>) {
    let mut next = None;
    for exchange in known.values_mut().rev().filter(|exchange| exchange.front) {
        next = exchange.act.or(next);
        exchange.act = next;
    }
    let mut last = None;
    for exchange in known.values_mut().filter(|exchange| exchange.front) {
        last = exchange.act.or(last);
        exchange.act = last;
    }
    let mut outer: Option<(Exchange, Option<Act>)> = None;
    for message in dance.messages() {
        match outer {
            Some((exchange, _)) if exchange == message.exchange => outer = None,
            Some((_, act)) => {
                if let Some(inner) = known.get_mut(&message.exchange)
                    && message.is_back_channel()
                {
                    inner.act = act;
                }
            }
            None if message.is_request() && message.to == Party::Website => {
                let act = known.get(&message.exchange).and_then(|exchange| exchange.act);
                outer = Some((message.exchange, act));
            }
            None => {}
        }
    }
}
