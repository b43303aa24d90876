//! The step and the chapter of each exchange in a dance.

use std::collections::BTreeMap;

use super::{
    dance::Dance,
    message::{Exchange, Message, Party},
    telling::{Act, Step, steps},
};

/// An exchange, with its step and its chapter.
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
            let step = steps::step(message);
            for (_, within) in &mut under_way {
                within.push(step);
            }
            under_way.push((message.exchange, Vec::new()));
            let act = steps::act(step, &[], None);
            known.insert(
                message.exchange,
                Known { step, act, to: message.to, front: !message.is_back_channel() },
            );
        } else if let Some(at) = under_way.iter().position(|(one, _)| *one == message.exchange) {
            let (_, within) = under_way.remove(at);
            if let Some(exchange) = known.get_mut(&message.exchange) {
                exchange.act = steps::act(exchange.step, &within, Some(message));
            }
        }
    }
    settle(dance, &mut known);
    known
}

/// An exchange without an effect of its own belongs to the open chapter, or leads to the first one.
/// An exchange while the website answers the browser belongs to the same chapter.
fn settle(dance: &Dance, known: &mut BTreeMap<Exchange, Known>) {
    let mut front: Vec<&mut Known> = known.values_mut().filter(|known| known.front).collect();
    let mut next = None;
    for exchange in front.iter_mut().rev() {
        next = exchange.act.or(next);
        // The first answer of the provider belongs to the question; a page leads on to its result.
        if exchange.step != Step::Authorize {
            exchange.act = next;
        }
    }
    let mut last = None;
    for exchange in &mut front {
        let act = match (last, exchange.act) {
            // The chapter of the passed hour ends only after the token is used again.
            (Some(Act::Later), Some(Act::Use)) => last,
            (_, act) => act.or(last).or(next),
        };
        exchange.act = act;
        last = act;
    }
    let mut outer: Option<(Exchange, Option<Act>)> = None;
    for message in dance.messages() {
        match outer {
            Some((exchange, _)) if exchange == message.exchange => outer = None,
            Some((_, act)) if message.is_back_channel() => {
                if let Some(inner) = known.get_mut(&message.exchange) {
                    inner.act = act;
                }
            }
            None if starts_work(message) => {
                let act = known.get(&message.exchange).and_then(|exchange| exchange.act);
                outer = Some((message.exchange, act));
            }
            Some(_) | None => {}
        }
    }
}

fn starts_work(message: &Message) -> bool {
    message.is_request() && message.to == Party::Website
}
